/* From the loop to the application: copies of what happened, handed to the callbacks of
 * parti.h one at a time on a thread of their own, so that a callback may block while
 * the worker keeps its lease.
 *
 * Bounded: DISPATCH_NOTES_MAX notes or DISPATCH_BYTES_MAX bytes may wait.  When an
 * application is that far behind, dispatch_put() says so and the worker leaves, for a
 * grant that is never told could never be given up.
 */
#ifndef PARTI_HOST_DISPATCH_H
#define PARTI_HOST_DISPATCH_H

#include "parti.h"
#include "proto/action.h"

enum { DISPATCH_NOTES_MAX = 65536, DISPATCH_BYTES_MAX = 512 * 1024 * 1024 };

struct dispatch;

/* Starts the thread; 'callbacks' is copied.  STATUS_NOMEM or STATUS_IO. */
int dispatch_create(struct dispatch **ret, const struct parti_callbacks *callbacks,
                    uint64_t revoke_timeout_ms);

/* Before the begin: 'told' is called, on the callbacks' thread, when 'assigned' has
 * returned. */
void dispatch_on_told(struct dispatch *d, void *ctx,
                      void (*told)(void *ctx, const struct parti_partition *partition,
                                   size_t n));

/* Nothing is delivered before this call. */
void dispatch_begin(struct dispatch *d);

/* Delivers what waits, then ends.  Not from a callback.  Accepts NULL. */
void dispatch_destroy(struct dispatch *d);

/* Copies an action that an application hears of (GRANTED, REVOKING, RELEASED, FENCED,
 * STATE, LEADER, ID, ERROR).  'hold' gives the rights of the partitions in it, in
 * their order; may be NULL.  STATUS_LIMIT, STATUS_NOMEM: not delivered.  The loop only.
 */
int dispatch_put(struct dispatch *d, const struct action *action,
                 const struct parti_hold *hold);

/* An error that did not come from the node; and the end.  Any thread. */
int dispatch_error(struct dispatch *d, int code, const char *text);
int dispatch_stopped(struct dispatch *d, int code, const char *text);

/* What is durable of a partition; any thread.  Lost when the application is far behind:
 * a later word says as much. */
void dispatch_settled(struct dispatch *d, const struct parti_partition *partition,
                      uint64_t next);

/* When that happened which the running callback tells of; ns of CLOCK_BOOTTIME. */
uint64_t dispatch_event_ns(const struct dispatch *d);

#endif
