/* What the supervised command is to hold now, kept so that a new run can be told of it.
 *
 * Sorted by key bytes, each partition as the text it has in an `assigned` line.  For
 * run_keeper.c.  One user at a time.
 */
#ifndef PARTI_CLI_RUN_HELD_H
#define PARTI_CLI_RUN_HELD_H

#include "host/event_line.h"
#include "parti.h"

#include <stddef.h>

struct run_held_item;

struct run_held {
    struct run_held_item *at; /* owned */
    size_t n, room;
};

/* Frees all; accepts a zeroed struct. */
void run_held_finish(struct run_held *held);

/* Adds them, or puts them in the place of those with the same keys.  0, STATUS_NOMEM:
 * some may be missing. */
int run_held_add(struct run_held *held, const struct parti_partition *partition,
                 size_t n);

/* Those that are not there are passed over. */
void run_held_remove(struct run_held *held, const struct parti_partition *partition,
                     size_t n);

/* One `assigned` line with all of them; as event_line_assigned(). */
int run_held_line(const struct run_held *held, struct event_line *line,
                  const struct event_stamp *stamp, uint64_t epoch);

#endif
