/* When to plan: stabilisation windows, classification of changes, rate limit.
 * Called only from node_lead*.c.
 *
 *   first assignment      at once, and again when the cold-start window ends
 *   joins                 when the planned-scale window ends; when more than
 *                         restart_ratio of the workers were lost just before, they are
 *                         taken for a restart and the cold-start window is used
 *   leaves, lost workers  at once, whatever window is open; the plan serves whoever
 *                         waits in the window too, and closes it
 *   partitions changed    at once, within the rate limit; a commanded refresh bypasses it
 *   weights changed       the same, if the imbalance exceeds the threshold
 */
#ifndef PARTI_PROTO_WINDOW_H
#define PARTI_PROTO_WINDOW_H

#include "proto/node.h"

struct window {
    bool is_cold; /* nobody has ever been assigned anything in this log */
    bool is_open;
    uint64_t ends_ms;
    enum cause cause;    /* of the plan at its end */
    uint64_t planned_ms; /* newest plan; 0: none */
    uint32_t members;    /* active members at the newest plan */
    uint64_t lost;       /* workers lost since lost_ms */
    uint64_t lost_ms;
    bool wants_now; /* leaves and losses */
    enum cause now_cause;
    bool wants_set; /* partitions or weights changed */
    bool is_commanded;
};

/* A new leader begins.  'is_cold': the log has no assignment. */
void window_init(struct window *w, bool is_cold, uint32_t members);

void window_joined(struct window *w, const struct node_timing *t, uint64_t now_ms);
void window_left(struct window *w);
void window_lost(struct window *w, const struct node_timing *t, uint64_t now_ms);
void window_set_changed(struct window *w, bool is_commanded);

/* The members are again those of the newest plan: what opened the window went away. */
void window_nothing_changed(struct window *w);

/* Is it time to plan?  'active': members that may be given partitions now. */
bool window_is_due(const struct window *w, const struct node_timing *t, uint64_t now_ms,
                   uint32_t active, enum cause *ret_cause);

/* A plan for 'active' members begins. */
void window_planned(struct window *w, const struct node_timing *t, uint64_t now_ms,
                    uint32_t active);

/* When window_is_due() may change its answer by time alone. */
uint64_t window_wake_ms(const struct window *w, const struct node_timing *t);

#endif
