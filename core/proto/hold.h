/* The worker's own list: what the applied head names for it, what of that it holds, and
 * what it is stopping.  Called only from node*.c.
 *
 * An entry is stopped, never dropped, when its right ends: it stays until the
 * application says so (EV_RELEASED) or the lease ends.
 */
#ifndef PARTI_PROTO_HOLD_H
#define PARTI_PROTO_HOLD_H

#include "base/arena.h"
#include "proto/action.h"
#include "proto/head.h"
#include "proto/own.h"

enum hold_state { HOLD_IDLE, HOLD_HELD, HOLD_STOPPING };

struct hold_entry {
    uint32_t id_at; /* into the list's text */
    uint16_t id_n;
    uint8_t state; /* enum hold_state */
    bool is_listed;
    bool is_parked;
    bool may; /* the applied head gives the right (W2 without the deadline) */
    uint32_t weight;
    uint64_t since;        /* the token that the application has */
    uint64_t listed_since; /* the token that the record gives */
    struct own_from from;
    uint32_t slot;         /* while not HOLD_IDLE */
    uint64_t stop_epoch;   /* HOLD_STOPPING: the head that took it */
    uint64_t before_epoch; /* HOLD_STOPPING: released through this one until it stops */
};

struct hold_list {
    uint32_t n;
    uint32_t text_n;
    struct hold_entry *entry; /* ascending by id */
    char *text;
};

struct hold {
    struct hold_list now, spare;
    uint32_t entries_max, text_max;
    uint64_t gen;
    uint32_t held, stopping;
    uint32_t *slot_free; /* a stack of slots that were used before */
    uint32_t slot_free_n, slot_next;
    struct part_view *view; /* what the actions of this step point at */
    uint32_t view_n, view_max;
    struct own_coder coder;
};

/* Carves from 'arena'; false if it is too small. */
bool hold_init(struct hold *h, struct arena *arena, uint32_t parts_max);
size_t hold_size(uint32_t parts_max);

/* The views of the last step end. */
void hold_begin_step(struct hold *h);

/* Reads the list of an own record (data == NULL: an empty list).  STATUS_CORRUPT,
 * STATUS_LIMIT: nothing changed.  Then call hold_judge(). */
int hold_load(struct hold *h, const void *data, size_t n);

/* W2 and W3 for every entry under head 'now', which takes the place of one of epoch
 * 'before': those held without right go to HOLD_STOPPING and into ACT_REVOKING. */
void hold_judge(struct hold *h, const struct head *now, bool is_away, uint64_t before,
                struct actions *out);

/* Takes up whatever the head allows: call while the lease is good. */
void hold_grant(struct hold *h, uint64_t epoch, struct actions *out);

/* Stops everything held, as if a head had taken it (on leaving). */
void hold_stop_all(struct hold *h, uint64_t epoch, struct actions *out);

/* The application has stopped what was taken at or before 'epoch'. */
void hold_released(struct hold *h, uint64_t epoch, struct actions *out);

/* The application has been told of a fence: what is held counts as being stopped until
 * hold_fence(), so no report says "released" before the deadline. */
void hold_fence_begin(struct hold *h, uint64_t epoch);

/* The lease has ended: nothing is held, every stop has ended with it.  True if there
 * was anything. */
bool hold_fence(struct hold *h);

/* Everything taken up to this epoch has stopped; 'applied' if nothing is stopping. */
uint64_t hold_released_through(const struct hold *h, uint64_t applied);

#endif
