/* The lines of `parti watch`: one event each, for people or as JSON.  For cmd_watch.c. */
#ifndef PARTI_CLI_WATCH_H
#define PARTI_CLI_WATCH_H

#include "cli/state.h"

struct watch_out {
    bool is_json, is_colour;
};

/* The group as it is when the watching begins. */
void watch_begin(struct watch_out *out, const struct state *s);

/* 'leader' is NULL when there is none any more, "" when it has no id yet. */
void watch_leader(struct watch_out *out, const char *leader, uint64_t term);

/* 'why' is "" unless the group is Degraded. */
void watch_life(struct watch_out *out, const char *from, const char *to, const char *why);

/* How many partitions cannot be read or handled has changed. */
void watch_unread(struct watch_out *out, const struct state *s);

void watch_epoch(struct watch_out *out, const struct head *h);

/* Workers that came, went or changed, what each gained and lost, and whether the last
 * pending partition has arrived. */
void watch_changes(struct watch_out *out, const struct state *before,
                   const struct state *now);

/* The connection came back or was lost; 'text' is the server or the reason. */
void watch_server(struct watch_out *out, bool is_up, const char *text);

/* Something is wrong and goes on; 'code' of errors.h or 0. */
void watch_problem(struct watch_out *out, int code, const char *text);

/* Does nobody read any more? */
bool watch_is_deaf(const struct watch_out *out);

#endif
