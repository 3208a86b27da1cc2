#include "kafka_watch.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#define NEVER UINT64_MAX

struct kafka_watch {
    struct kafka_watch_setup setup;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t word; /* something below has changed */

    int32_t is_ending, is_canceled;
    int32_t is_polling; /* the running look is one of ours */
    uint64_t asked, answered;
    uint64_t running;     /* the ask that was the last when the running look began */
    uint64_t deadline_ms; /* of the last ask */

    /* What the last ask was answered. */
    int32_t code;
    struct parti_error error;
    struct kafka_rows *rows;

    /* The thread's own. */
    uint64_t poll_at_ms, rest_at_ms;
    uint32_t polls; /* since the last ask */
    int32_t is_told;
};

static void unref(struct kafka_rows *rows)
{
    if (rows != NULL && --rows->refs == 0)
        kafka_rows_destroy(rows);
}

/* Until the word or the time. */
static void wait_word(struct kafka_watch *w, uint64_t until_ms)
{
    struct timespec t = {(time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000};

    if (until_ms == NEVER)
        (void)pthread_cond_wait(&w->word, &w->lock);
    else
        (void)pthread_cond_timedwait(&w->word, &w->lock, &t);
}

/* ---- the thread, the lock held unless it says otherwise
 * --------------------------------
 */

static void plan(struct kafka_watch *w)
{
    uint64_t poll = w->setup.poll_ms;
    uint64_t now = kafka_now_ms();

    w->poll_at_ms = poll != 0 ? now + poll : NEVER;
    w->rest_at_ms = poll != 0 ? NEVER : now + KAFKA_IDLE_MS;
}

static void answer(struct kafka_watch *w, uint64_t ask, int32_t code,
                   const struct parti_error *error, struct kafka_rows *rows)
{
    w->answered = ask;
    w->code = code;
    w->error = *error;
    unref(w->rows);
    w->rows = rows;
    w->is_told = 0;
    w->polls = 0;
    plan(w);
    (void)pthread_cond_broadcast(&w->word);
}

/* After a look of our own. */
static void compare(struct kafka_watch *w, int32_t code, struct kafka_rows *rows)
{
    uint64_t now = kafka_now_ms();
    int32_t is_other =
        code != w->code || (code == PARTI_OK && !kafka_rows_equal(rows, w->rows));

    unref(rows);
    w->poll_at_ms = now + w->setup.poll_ms;
    w->polls++;
    if (code == PARTI_CANCELED || w->is_told ||
        (!is_other && w->polls < KAFKA_WORD_POLLS))
        return;
    w->is_told = 1;
    w->rest_at_ms = now + w->setup.rest_ms;
    (void)pthread_mutex_unlock(&w->lock);
    w->setup.host->changed(w->setup.host);
    (void)pthread_mutex_lock(&w->lock);
}

static void look(struct kafka_watch *w, int32_t is_poll)
{
    struct parti_error error = {.size = sizeof error};
    struct kafka_rows *rows = NULL;
    uint64_t ask = w->asked;
    uint64_t deadline = is_poll ? kafka_now_ms() + w->setup.timeout_ms : w->deadline_ms;

    w->is_polling = is_poll;
    w->running = ask;
    (void)pthread_mutex_unlock(&w->lock);
    int32_t code = w->setup.look(w->setup.ctx, deadline, &rows, &error);
    (void)pthread_mutex_lock(&w->lock);
    if (is_poll)
        compare(w, code, rows);
    else
        answer(w, ask, code, &error, rows);
}

/* Nothing is to be looked at now: waits, at most until something may be. */
static void idle(struct kafka_watch *w, uint64_t now)
{
    uint64_t until = w->poll_at_ms < w->rest_at_ms ? w->poll_at_ms : w->rest_at_ms;

    if (until == NEVER) {
        wait_word(w, NEVER);
        return;
    }
    if (until > now + KAFKA_SERVE_MS)
        until = now + KAFKA_SERVE_MS;
    wait_word(w, until);
    (void)pthread_mutex_unlock(&w->lock);
    w->setup.serve(w->setup.ctx);
    (void)pthread_mutex_lock(&w->lock);
}

static void *run(void *ctx)
{
    struct kafka_watch *w = ctx;

    (void)pthread_mutex_lock(&w->lock);
    while (!w->is_ending) {
        uint64_t now = kafka_now_ms();

        if (w->asked > w->answered) {
            look(w, 0);
        } else if (now >= w->rest_at_ms) {
            w->poll_at_ms = w->rest_at_ms = NEVER;
            (void)pthread_mutex_unlock(&w->lock);
            w->setup.rest(w->setup.ctx);
            (void)pthread_mutex_lock(&w->lock);
        } else if (now >= w->poll_at_ms) {
            look(w, 1);
        } else {
            idle(w, now);
        }
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- from outside
 * ----------------------------------------------------------------------
 */

static int32_t start(struct kafka_watch *w)
{
    sigset_t all, old;
    int failed;

    /* Signals are the host's business. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    failed = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed == 0;
}

struct kafka_watch *kafka_watch_create(const struct kafka_watch_setup *setup)
{
    struct kafka_watch *w = calloc(1, sizeof *w);
    pthread_condattr_t monotonic;

    if (w == NULL)
        return NULL;
    w->setup = *setup;
    w->poll_at_ms = w->rest_at_ms = NEVER;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->word, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (start(w))
        return w;
    (void)pthread_cond_destroy(&w->word);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}

void kafka_watch_destroy(struct kafka_watch *w)
{
    if (w == NULL)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->is_ending = 1;
    (void)pthread_cond_broadcast(&w->word);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    unref(w->rows);
    (void)pthread_cond_destroy(&w->word);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

int32_t kafka_watch_ask(struct kafka_watch *w, uint64_t deadline_ms, uint64_t wait_ms,
                        struct kafka_rows **ret, struct parti_error *error)
{
    int32_t code;

    (void)pthread_mutex_lock(&w->lock);
    w->is_canceled = 0;
    /* A cancel() from before this line has set stop_wanted() first. */
    if (w->setup.host->stop_wanted(w->setup.host))
        w->is_canceled = 1;
    w->deadline_ms = deadline_ms;
    uint64_t ask = ++w->asked;
    (void)pthread_cond_broadcast(&w->word);
    while (w->answered < ask && !w->is_canceled && kafka_now_ms() < wait_ms)
        wait_word(w, wait_ms);
    if (w->answered < ask) {
        code = w->is_canceled ? PARTI_CANCELED : PARTI_TIMEOUT;
        (void)parti_fail(error, code,
                         w->is_canceled
                             ? "given up"
                             : "librdkafka does not return. Look whether the brokers "
                               "answer, and restart this worker if it stays so");
    } else {
        code = w->code;
        (void)snprintf(error->text, sizeof error->text, "%s", w->error.text);
        if (code == PARTI_OK) {
            w->rows->refs++;
            *ret = w->rows;
        }
    }
    (void)pthread_mutex_unlock(&w->lock);
    return code;
}

void kafka_watch_release(struct kafka_watch *w, struct kafka_rows *rows)
{
    (void)pthread_mutex_lock(&w->lock);
    unref(rows);
    (void)pthread_mutex_unlock(&w->lock);
}

void kafka_watch_cancel(struct kafka_watch *w)
{
    (void)pthread_mutex_lock(&w->lock);
    w->is_canceled = 1;
    (void)pthread_cond_broadcast(&w->word);
    (void)pthread_mutex_unlock(&w->lock);
}

int32_t kafka_watch_is_stopped(struct kafka_watch *w)
{
    (void)pthread_mutex_lock(&w->lock);
    /* A look gives way to one that is asked for later. */
    int32_t yes =
        w->is_ending || w->asked != w->running || (w->is_canceled && !w->is_polling);
    (void)pthread_mutex_unlock(&w->lock);
    return yes;
}
