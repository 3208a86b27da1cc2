/* From the loop to the application: copies of what happened, handed to the callbacks of
 * parti.h one at a time on a thread of their own, so that a callback may block while
 * the worker keeps its lease.
 *
 * Bounded: DISPATCH_NOTES_MAX notes or DISPATCH_BYTES_MAX bytes may wait.  What does not
 * fit is refused, and whoever put it must not go on as if it had been told: the worker
 * gives up all that it holds (dispatch_cut).  The notes of that end, a fence and the
 * stop, have memory of their own from the beginning, so they are told whatever happened.
 */
#ifndef PARTI_HOST_DISPATCH_H
#define PARTI_HOST_DISPATCH_H

#include "parti.h"
#include "proto/action.h"

enum {
    DISPATCH_NOTES_MAX = 65536,
    DISPATCH_BYTES_MAX = 512 * 1024 * 1024,
    DISPATCH_TEXT_MAX = 255
};

struct dispatch;

/* Starts the thread, with every signal blocked; 'callbacks' is copied.  STATUS_NOMEM. */
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

/* An error that did not come from the node.  STATUS_LIMIT, STATUS_NOMEM: not delivered.
 * Any thread. */
int dispatch_error(struct dispatch *d, int code, const char *text);

/* Everything held was lost at at_ns of CLOCK_BOOTTIME.  What still waits is dropped,
 * since none of it holds any longer: the fence is told next.  After it only
 * dispatch_stopped() is heard.  Never fails; the first call counts.  Any thread. */
void dispatch_cut(struct dispatch *d, const char *reason, uint64_t at_ns);

/* The last note: what is put after it is dropped.  Never fails; of 'text' the first
 * DISPATCH_TEXT_MAX bytes are told.  Any thread. */
void dispatch_stopped(struct dispatch *d, int code, const char *text);

/* What is durable of a partition; any thread.  Lost when the application is far behind:
 * a later word says as much. */
void dispatch_settled(struct dispatch *d, const struct parti_partition *partition,
                      uint64_t next);

/* When that happened which the running callback tells of; ns of CLOCK_BOOTTIME. */
uint64_t dispatch_event_ns(const struct dispatch *d);

#endif
