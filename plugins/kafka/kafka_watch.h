/* The thread that looks at the brokers: when list() asks, and every poll interval.
 *
 * When a look of its own finds something else than list() was last given, other weights
 * or another kind of failure included, it tells the host once.  Only the process that
 * leads a group listens to that.  So a change that nobody asks about ends the looking,
 * and so does a word that is said now and then without a change; the next list() begins
 * it again. Processes that do not lead thus leave the brokers alone.
 */
#ifndef PARTI_PLUGINS_KAFKA_WATCH_H
#define PARTI_PLUGINS_KAFKA_WATCH_H

#include "kafka_rows.h"

enum {
    KAFKA_POLL_MIN_MS = 100,
    KAFKA_REST_MS = 10000, /* without list() after the word: nobody listens */
    KAFKA_IDLE_MS = 60000, /* without list() where there is no poll */
    KAFKA_WORD_POLLS = 30, /* looks without list() before the word is said anyway */
    KAFKA_SERVE_MS = 10000 /* between the times that librdkafka may tell things */
};

struct kafka_watch_setup {
    const struct parti_host *host;
    uint64_t poll_ms;    /* 0: only list() */
    uint64_t timeout_ms; /* for a look of its own */
    uint64_t rest_ms;    /* KAFKA_REST_MS, or two polls if that is more */
    /* All on the thread, one call at a time.  look(): a list's codes; gives up soon with
     * PARTI_CANCELED when kafka_watch_is_stopped().  rest(): nobody listens. */
    int32_t (*look)(void *ctx, uint64_t deadline_ms, struct kafka_rows **ret,
                    struct parti_error *error);
    void (*serve)(void *ctx);
    void (*rest)(void *ctx);
    void *ctx;
};

struct kafka_watch;

/* NULL when there is no memory or no thread. */
struct kafka_watch *kafka_watch_create(const struct kafka_watch_setup *setup);

/* Returns when the thread has ended, after at most one slice of kafka_link_metadata().
 * Accepts NULL. */
void kafka_watch_destroy(struct kafka_watch *watch);

/* A fresh look, waited for until 'wait_ms'; the look itself has until 'deadline_ms',
 * which is earlier.  On PARTI_OK kafka_watch_release(*ret).  [seq] */
int32_t kafka_watch_ask(struct kafka_watch *watch, uint64_t deadline_ms, uint64_t wait_ms,
                        struct kafka_rows **ret, struct parti_error *error);
void kafka_watch_release(struct kafka_watch *watch, struct kafka_rows *rows);

/* Makes a running kafka_watch_ask() return.  [any] */
void kafka_watch_cancel(struct kafka_watch *watch);

/* Is the running look to be given up?  [any] */
int32_t kafka_watch_is_stopped(struct kafka_watch *watch);

#endif
