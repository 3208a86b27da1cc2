/* A worker whose application does nothing in message() but to put the message aside:
 * `parti run`, which begins it when its command reads.  For core/cli; libparti does not
 * export it.
 *
 * Then message() comes from one thread, as early as there are messages: up to
 * CONSUMER_AHEAD_MAX of a partition with [consume] deliver_max = 1.  The application
 * begins each when the one before it has its ack, asks aside_may_begin() just before,
 * and answers what it may not begin with parti_return().  hands_keep() keeps a message
 * beyond the call; all are given up before parti_destroy().  aside_over says which of
 * them are waited for no more.
 */
#ifndef PARTI_HOST_ASIDE_H
#define PARTI_HOST_ASIDE_H

#include "host/consumer_hands.h"
#include "parti.h"

#include <stdbool.h>
#include <stddef.h>

/* No answer came in time, or the hold is at its end: the attempts of all messages of this
 * hold up to this stretch are over.  Those that message() brings yet begin no more; newer
 * stretches come behind this word.  'ctx' is that of the callbacks; on a thread of
 * libparti's, and may not block. */
typedef void (*aside_over)(void *ctx, struct parti_hold hold, uint32_t stretch);

/* As parti_create(). */
int aside_create(struct parti_worker **ret_worker, const struct parti_options *options,
                 aside_over over, char *text, size_t room);

/* Does its partition belong to this worker at this instant, and has nobody taken it back?
 * Any thread. */
bool aside_may_begin(const struct parti_worker *worker,
                     const struct parti_ticket *ticket);

#endif
