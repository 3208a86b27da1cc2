#include "host/threads.h"

#include "base/must.h"
#include "base/status.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

int gate_init(struct gate *g)
{
    pthread_condattr_t attr;

    if (pthread_condattr_init(&attr) != 0)
        return STATUS_NOMEM;
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    int failed = pthread_cond_init(&g->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (failed != 0)
        return STATUS_NOMEM;
    if (pthread_mutex_init(&g->lock, NULL) != 0) {
        (void)pthread_cond_destroy(&g->changed);
        return STATUS_NOMEM;
    }
    return STATUS_OK;
}

void gate_finish(struct gate *g)
{
    must(pthread_mutex_destroy(&g->lock) == 0);
    must(pthread_cond_destroy(&g->changed) == 0);
}

void gate_lock(struct gate *g)
{
    must(pthread_mutex_lock(&g->lock) == 0);
}

void gate_unlock(struct gate *g)
{
    must(pthread_mutex_unlock(&g->lock) == 0);
}

void gate_tell(struct gate *g)
{
    must(pthread_cond_broadcast(&g->changed) == 0);
}

bool gate_wait(struct gate *g, uint64_t deadline_ms)
{
    if (deadline_ms == UINT64_MAX) {
        must(pthread_cond_wait(&g->changed, &g->lock) == 0);
        return true;
    }
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    int failed = pthread_cond_timedwait(&g->changed, &g->lock, &until);
    must(failed == 0 || failed == ETIMEDOUT);
    return threads_now_ms() < deadline_ms;
}

uint64_t threads_now_us(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t threads_now_ms(void)
{
    return threads_now_us() / 1000;
}

int threads_start(pthread_t *ret, void *(*run)(void *), void *ctx)
{
    sigset_t all, old;

    (void)sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &old) == 0);
    int failed = pthread_create(ret, NULL, run, ctx);
    must(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    return failed == 0 ? STATUS_OK : STATUS_LIMIT;
}
