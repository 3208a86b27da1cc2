/* The end of a handle of librdkafka.
 *
 * A handle that has a commit under way ends when the brokers have answered, or when
 * socket.timeout.ms says that they will not.  Nobody waits for that: a thread closes it,
 * and is left alone with it where it takes long.  Such a handle calls nothing of ours:
 * its log goes through a queue, and that is read no more. */
#include "kafka_consumer.h"

struct closing {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    rd_kafka_t *rk;
    int32_t is_done, is_left; /* whoever comes last frees */
};

static void closing_free(struct closing *k)
{
    (void)pthread_cond_destroy(&k->cond);
    (void)pthread_mutex_destroy(&k->mutex);
    free(k);
}

static void *close_it(void *ctx)
{
    struct closing *k = ctx;

    /* It is in no group, so there is nothing to leave. */
    rd_kafka_destroy_flags(k->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    (void)pthread_mutex_lock(&k->mutex);
    k->is_done = 1;
    int32_t is_left = k->is_left;
    (void)pthread_cond_signal(&k->cond);
    (void)pthread_mutex_unlock(&k->mutex);
    if (is_left)
        closing_free(k);
    return NULL;
}

static void await(struct closing *k, pthread_t thread)
{
    uint64_t until_ms = kafka_now_ms() + KAFKA_FAREWELL_MS;
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};
    int late = 0;

    (void)pthread_mutex_lock(&k->mutex);
    while (!k->is_done && late == 0)
        late = pthread_cond_timedwait(&k->cond, &k->mutex, &until);
    int32_t is_done = k->is_done;
    k->is_left = !is_done;
    (void)pthread_mutex_unlock(&k->mutex);
    if (!is_done) {
        (void)pthread_detach(thread);
        return;
    }
    (void)pthread_join(thread, NULL);
    closing_free(k);
}

void kafka_close(rd_kafka_t *rk)
{
    struct closing *k = calloc(1, sizeof *k);
    pthread_condattr_t clock;
    pthread_t thread;

    if (k == NULL) {
        rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        return;
    }
    k->rk = rk;
    (void)pthread_mutex_init(&k->mutex, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&k->cond, &clock);
    (void)pthread_condattr_destroy(&clock);
    if (pthread_create(&thread, NULL, close_it, k) == 0) {
        await(k, thread);
        return;
    }
    (void)close_it(k);
    closing_free(k);
}
