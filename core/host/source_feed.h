/* One source instance on a thread of its own.
 *
 * All feeds of a set share one gate, so that one keeper can wait for them all; the gate
 * lives as long as the last feed, for a list() that does not return outlives the set.
 * For source.c.
 */
#ifndef PARTI_HOST_SOURCE_FEED_H
#define PARTI_HOST_SOURCE_FEED_H

#include "host/instance.h"
#include "host/source_rows.h"
#include "host/threads.h"

struct feed_hub {
    struct gate gate;
    int refs;
};

/* The result of a job. */
struct feed_result {
    int32_t code;            /* PARTI_*: OK, or what hindered */
    int error;               /* errors.def, when not OK */
    bool is_broken;          /* the plugin broke its contract: do not call it again */
    bool is_created;         /* create() has succeeded, now or before */
    struct source_rows rows; /* of list(), sorted; taken over by the keeper */
    struct parti_error said; /* by create(), for BADCONF */
    char text[SOURCE_TEXT_ROOM];
};

struct feed;

/* 0 or STATUS_NOMEM. */
int feed_hub_create(struct feed_hub **ret);
void feed_hub_release(struct feed_hub *hub);

/* Starts the thread; calls nothing of the plugin yet.  Takes over 'options', also on
 * failure.  0, STATUS_NOMEM, STATUS_LIMIT (no thread). */
int feed_create(struct feed_hub *hub, const struct plugin *plugin,
                struct option_conf *options, struct feed **ret);

/* "source:NAME plugin" */
const char *feed_name(const struct feed *f);

/* ---- with the gate locked ---------------------------------------------------------- */

/* Starts a job: create() where that has not succeeded, and then list() if asked to.
 * Only when the feed is not busy. */
void feed_begin(struct feed *f, bool with_list, uint64_t budget_ms);
bool feed_is_busy(const struct feed *f);

/* Of the last job, once it is done. */
struct feed_result *feed_result(struct feed *f);

/* Has the plugin asked to be listed since the last time this was called? */
bool feed_take_changed(struct feed *f);

/* Makes a running list() return: stop_wanted() says yes and cancel() is called, the gate
 * being unlocked meanwhile. */
void feed_cancel(struct feed *f);

/* Tells the thread to end as soon as it can. */
void feed_end(struct feed *f);

/* Waits for that until the deadline.  A thread that is still in the plugin then is left
 * to itself: should the call return one day, it destroys the instance and ends. */
void feed_wait_end(struct feed *f, uint64_t deadline_ms);

/* ---- with the gate unlocked -------------------------------------------------------- */

/* After feed_wait_end().  Accepts NULL. */
void feed_release(struct feed *f);

#endif
