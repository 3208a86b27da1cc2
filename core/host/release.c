#include "host/release.h"

#include "base/must.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { REVOKES_FIRST = 16 };

struct revoke {
    uint64_t epoch, due_ms;
    uint32_t left; /* partitions that are not clear */
};

struct waiting {
    uint64_t epoch; /* 0: not waited for */
    uint32_t serial;
};

struct release {
    pthread_mutex_t lock;
    pthread_mutex_t order; /* around released(), so that epochs ascend */
    void *ctx;
    void (*released)(void *ctx, uint64_t epoch);
    uint32_t slots_max, slots_used;
    struct waiting *slot;
    struct revoke *revoke; /* ascending by epoch */
    size_t revokes, room;
    uint64_t application; /* greatest epoch that it has stopped */
    uint64_t told;        /* greatest epoch given to released() */
};

struct release *release_create(uint32_t slots_max, void *ctx,
                               void (*released)(void *ctx, uint64_t epoch))
{
    struct release *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->ctx = ctx;
    r->released = released;
    r->slots_max = slots_max;
    r->slot = calloc(slots_max, sizeof *r->slot);
    if (r->slot == NULL) {
        free(r);
        return NULL;
    }
    must(pthread_mutex_init(&r->lock, NULL) == 0);
    must(pthread_mutex_init(&r->order, NULL) == 0);
    return r;
}

void release_destroy(struct release *r)
{
    if (r == NULL)
        return;
    must(pthread_mutex_destroy(&r->lock) == 0);
    must(pthread_mutex_destroy(&r->order) == 0);
    free(r->revoke);
    free(r->slot);
    free(r);
}

static void lock(struct release *r)
{
    must(pthread_mutex_lock(&r->lock) == 0);
}

static void unlock(struct release *r)
{
    must(pthread_mutex_unlock(&r->lock) == 0);
}

/* Tells what is fulfilled by now. */
static void advance(struct release *r)
{
    uint64_t epoch;
    size_t n = 0;

    must(pthread_mutex_lock(&r->order) == 0);
    lock(r);
    while (n < r->revokes && r->revoke[n].left == 0 &&
           r->revoke[n].epoch <= r->application)
        n++;
    r->revokes -= n;
    memmove(r->revoke, r->revoke + n, r->revokes * sizeof *r->revoke);
    /* What is still waited for stands in the way of later words. */
    epoch = r->application;
    if (r->revokes > 0 && r->revoke[0].epoch <= epoch)
        epoch = r->revoke[0].epoch - 1;
    bool is_new = epoch > r->told;
    if (is_new)
        r->told = epoch;
    unlock(r);
    if (is_new)
        r->released(r->ctx, epoch);
    must(pthread_mutex_unlock(&r->order) == 0);
}

void release_revoked(struct release *r, uint64_t epoch, const struct parti_hold *hold,
                     uint32_t n, uint64_t due_ms)
{
    lock(r);
    if (r->revokes == r->room) {
        size_t room = r->room > 0 ? 2 * r->room : REVOKES_FIRST;
        struct revoke *more = realloc(r->revoke, room * sizeof *more);

        must(more != NULL);
        r->revoke = more;
        r->room = room;
    }
    struct revoke *revoke = &r->revoke[r->revokes++];
    *revoke = (struct revoke){.epoch = epoch, .due_ms = due_ms};
    for (uint32_t i = 0; i < n; i++) {
        if (hold[i].slot >= r->slots_max)
            continue;
        r->slot[hold[i].slot] = (struct waiting){epoch, hold[i].serial};
        if (hold[i].slot >= r->slots_used)
            r->slots_used = hold[i].slot + 1;
        revoke->left++;
    }
    unlock(r);
}

void release_clear(struct release *r, struct parti_hold hold)
{
    struct waiting *w;

    if (hold.slot >= r->slots_max)
        return;
    w = &r->slot[hold.slot];
    lock(r);
    for (size_t i = 0; w->epoch != 0 && w->serial == hold.serial && i < r->revokes; i++) {
        if (r->revoke[i].epoch != w->epoch || r->revoke[i].left == 0)
            continue;
        r->revoke[i].left--;
        w->epoch = 0;
    }
    unlock(r);
    advance(r);
}

void release_application(struct release *r, uint64_t epoch)
{
    lock(r);
    if (epoch > r->application)
        r->application = epoch;
    unlock(r);
    advance(r);
}

void release_fenced(struct release *r)
{
    lock(r);
    r->revokes = 0;
    for (uint32_t i = 0; i < r->slots_used; i++)
        r->slot[i].epoch = 0;
    r->slots_used = 0;
    unlock(r);
}

void release_overdue(struct release *r, uint64_t now_ms, void *ctx,
                     void (*give_up)(void *ctx, struct parti_hold hold))
{
    lock(r);
    for (uint32_t i = 0; i < r->slots_used; i++) {
        const struct parti_hold hold = {i, r->slot[i].serial};
        uint64_t due_ms = UINT64_MAX;

        for (size_t j = 0; r->slot[i].epoch != 0 && j < r->revokes; j++)
            if (r->revoke[j].epoch == r->slot[i].epoch)
                due_ms = r->revoke[j].due_ms;
        if (now_ms < due_ms)
            continue;
        unlock(r);
        give_up(ctx, hold);
        lock(r);
    }
    unlock(r);
}
