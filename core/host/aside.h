/* A worker whose application does nothing in message() but to put the message aside:
 * `parti run`, which begins it when its command reads.  For core/cli; libparti does not
 * export it.
 *
 * Then message() comes from one thread, as early as there are messages: up to
 * CONSUMER_AHEAD_MAX of a partition with [consume] deliver_max = 1.  The application
 * begins each when the one before it has its ack, asks aside_may_begin() just before,
 * and answers what it may not begin with parti_return().  hands_keep() keeps a message
 * beyond the call; all are given up before parti_destroy().
 */
#ifndef PARTI_HOST_ASIDE_H
#define PARTI_HOST_ASIDE_H

#include "host/consumer_hands.h"
#include "parti.h"

#include <stdbool.h>
#include <stddef.h>

/* As parti_create(). */
int aside_create(struct parti_worker **ret_worker, const struct parti_options *options,
                 char *text, size_t room);

/* Does its partition belong to this worker at this instant, and has nobody taken it back?
 * Any thread. */
bool aside_may_begin(const struct parti_worker *worker,
                     const struct parti_ticket *ticket);

#endif
