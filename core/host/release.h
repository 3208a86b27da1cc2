/* When a revoke is fulfilled where messages are consumed: the application has said so,
 * and nothing of the partitions is under way in the consumer.  Both in the order of
 * epochs, since a release speaks for all that was revoked before it, too.
 *
 * Any thread; released() comes from inside the calls, without any lock but its own order:
 * epochs ascend.
 */
#ifndef PARTI_HOST_RELEASE_H
#define PARTI_HOST_RELEASE_H

#include "parti.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct release;

/* For holds with slots below slots_max; others are none of ours.  NULL: no memory. */
struct release *release_create(uint32_t slots_max, void *ctx,
                               void (*released)(void *ctx, uint64_t epoch));

/* Accepts NULL. */
void release_destroy(struct release *r);

/* These are being given up; before the consumer is told. */
void release_revoked(struct release *r, uint64_t epoch, const struct parti_hold *hold,
                     uint32_t n, uint64_t due_ms);

/* Nothing of this partition is under way any more. */
void release_clear(struct release *r, struct parti_hold hold);

/* The application has stopped what was revoked at or before this epoch. */
void release_application(struct release *r, uint64_t epoch);

/* All is lost: nothing is waited for. */
void release_fenced(struct release *r);

/* The consumer hangs: calls give_up(ctx, hold) for what is due, which tells by
 * release_clear() when that is safe. */
void release_overdue(struct release *r, uint64_t now_ms, void *ctx,
                     void (*give_up)(void *ctx, struct parti_hold hold));

#endif
