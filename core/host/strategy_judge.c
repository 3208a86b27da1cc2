#include "host/strategy_judge.h"

#include "base/must.h"
#include "base/status.h"
#include "host/strategy_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Columns over the workers. */
struct tally {
    uint64_t *held;     /* count before */
    uint64_t *capacity; /* 0 for one that is given nothing: draining or cordoned */
    uint64_t *quota;
    uint64_t *rest; /* remainder of the quota's division */
    uint32_t *rank;
    unsigned __int128 *load; /* weight after, or count where all weights are 0 */
    uint64_t capacity_sum;   /* 0: nobody may be given anything */
    uint64_t fixed;          /* partitions with the cordoned, who keep them */
};

static bool is_draining(const struct parti_world *w, uint32_t i)
{
    return (w->worker_flags[i] & PARTI_WORKER_DRAINING) != 0;
}

static bool is_cordoned(const struct parti_world *w, uint32_t i)
{
    return (w->worker_flags[i] & PARTI_WORKER_CORDONED) != 0 && !is_draining(w, i);
}

static bool is_open(const struct parti_world *w, uint32_t i)
{
    return !is_draining(w, i) && !is_cordoned(w, i);
}

int judge_check(const struct parti_world *w, const uint32_t *owner, char *why,
                size_t room)
{
    for (uint64_t i = 0; i < w->part_n; i++) {
        if (owner[i] == w->worker_n) {
            (void)snprintf(why, room, "it left partition %" PRIu64 " without an owner",
                           i);
            return STATUS_INVALID;
        }
        if (owner[i] > w->worker_n) {
            (void)snprintf(why, room,
                           "it gave partition %" PRIu64 " to worker %" PRIu32
                           ", but there are only %" PRIu32,
                           i, owner[i], w->worker_n);
            return STATUS_INVALID;
        }
        uint32_t flags = w->worker_flags[owner[i]];
        if ((flags & PARTI_WORKER_DRAINING) != 0 ||
            ((flags & PARTI_WORKER_CORDONED) != 0 &&
             strategy_world_held(w, i) != owner[i])) {
            (void)snprintf(
                why, room,
                "it gave partition %" PRIu64 " to worker %" PRIu32 ", which is %s", i,
                owner[i], (flags & PARTI_WORKER_DRAINING) != 0 ? "draining" : "cordoned");
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}

uint64_t judge_homeless(const struct parti_world *w)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < w->part_n; i++) {
        uint32_t held = strategy_world_held(w, i);

        n += held == w->worker_n || is_draining(w, held);
    }
    return n;
}

static int tally_init(struct tally *t, const struct parti_world *w)
{
    size_t n = (size_t)w->worker_n + 1;

    *t = (struct tally){
        .held = calloc(n, sizeof *t->held),
        .capacity = calloc(n, sizeof *t->capacity),
        .quota = calloc(n, sizeof *t->quota),
        .rest = calloc(n, sizeof *t->rest),
        .rank = calloc(n, sizeof *t->rank),
        .load = calloc(n, sizeof *t->load),
    };
    if (t->held == NULL || t->capacity == NULL || t->quota == NULL || t->rest == NULL ||
        t->rank == NULL || t->load == NULL)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < w->worker_n; i++) {
        t->capacity[i] = is_open(w, i) ? w->worker_capacity[i] : 0;
        t->capacity_sum += t->capacity[i];
    }
    /* Nobody has any capacity: then all who may hold something count alike. */
    if (t->capacity_sum == 0)
        for (uint32_t i = 0; i < w->worker_n; i++) {
            t->capacity[i] = is_open(w, i);
            t->capacity_sum += t->capacity[i];
        }
    for (uint64_t i = 0; i < w->part_n; i++)
        t->held[strategy_world_held(w, i)]++;
    for (uint32_t i = 0; i < w->worker_n; i++)
        t->fixed += is_cordoned(w, i) ? t->held[i] : 0;
    return STATUS_OK;
}

static void tally_finish(struct tally *t)
{
    free(t->held);
    free(t->capacity);
    free(t->quota);
    free(t->rest);
    free(t->rank);
    free(t->load);
}

/* Who gets one of the partitions left over by the division: largest remainder first,
 * then who keeps one by it, then the lower index. */
static bool comes_first(const struct tally *t, uint32_t a, uint32_t b)
{
    if (t->rest[a] != t->rest[b])
        return t->rest[a] > t->rest[b];
    bool keeps_a = t->held[a] > t->quota[a], keeps_b = t->held[b] > t->quota[b];
    if (keeps_a != keeps_b)
        return keeps_a;
    return a < b;
}

static void sort_ranks(struct tally *t, uint32_t n)
{
    for (uint32_t gap = n / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < n; i++) {
            uint32_t moving = t->rank[i], k = i;

            for (; k >= gap && comes_first(t, moving, t->rank[k - gap]); k -= gap)
                t->rank[k] = t->rank[k - gap];
            t->rank[k] = moving;
        }
}

static uint64_t least_for_equal_weights(struct tally *t, const struct parti_world *w)
{
    uint64_t dealt = w->part_n - t->fixed; /* among those who may be given something */
    uint64_t left = dealt;
    uint64_t kept = 0;

    if (t->capacity_sum == 0)
        return dealt;
    for (uint32_t i = 0; i < w->worker_n; i++) {
        unsigned __int128 share = (unsigned __int128)dealt * t->capacity[i];

        t->quota[i] = (uint64_t)(share / t->capacity_sum);
        t->rest[i] = (uint64_t)(share % t->capacity_sum);
        t->rank[i] = i;
        left -= t->quota[i];
    }
    sort_ranks(t, w->worker_n);
    for (uint32_t i = 0; i < left; i++)
        t->quota[t->rank[i]]++;
    for (uint32_t i = 0; i < w->worker_n; i++)
        kept += t->held[i] < t->quota[i] ? t->held[i] : t->quota[i];
    return dealt - kept;
}

/* Are counts as the capacities' shares are, rounded down or up? */
static bool is_even(const struct tally *t, const struct parti_world *w,
                    const uint32_t *owner)
{
    uint64_t dealt = w->part_n - t->fixed;
    bool is_so = true;

    for (uint64_t i = 0; i < w->part_n; i++)
        t->quota[owner[i]] = 0;
    for (uint64_t i = 0; i < w->part_n; i++)
        t->quota[owner[i]]++;
    for (uint32_t i = 0; i < w->worker_n && is_so; i++) {
        unsigned __int128 share = (unsigned __int128)dealt * t->capacity[i];
        unsigned __int128 count = (unsigned __int128)t->quota[i] * t->capacity_sum;

        is_so = !is_open(w, i) ||
                (count < share + t->capacity_sum && share < count + t->capacity_sum);
    }
    return is_so;
}

static void sift_down(uint32_t *heap, uint64_t n, uint64_t at)
{
    for (;;) {
        uint64_t child = 2 * at + 1;

        if (child >= n)
            return;
        if (child + 1 < n && heap[child + 1] > heap[child])
            child++;
        if (heap[at] >= heap[child])
            return;
        uint32_t swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

/* The fewest of these weights whose sum is at least 'excess': the heaviest first. */
static uint64_t fewest(uint32_t *weight, uint64_t n, unsigned __int128 excess)
{
    unsigned __int128 shed = 0;
    uint64_t count = 0;

    for (uint64_t i = n / 2; i-- > 0;)
        sift_down(weight, n, i);
    while (shed < excess && n > 0) {
        shed += weight[0];
        weight[0] = weight[--n];
        sift_down(weight, n, 0);
        count++;
    }
    return count;
}

/* 'most' and 'by': the heaviest load allowed is most / by for each unit of capacity. */
static int least_for_weights(const struct tally *t, const struct parti_world *w,
                             unsigned __int128 most, uint64_t by, uint64_t *ret)
{
    uint32_t *weight = malloc((size_t)(w->part_n + 1) * sizeof *weight);
    uint64_t *start = calloc((size_t)w->worker_n + 2, sizeof *start);
    uint64_t least = t->held[w->worker_n];
    int status = STATUS_NOMEM;

    if (weight == NULL || start == NULL)
        goto out;
    for (uint32_t i = 0; i <= w->worker_n; i++)
        start[i + 1] = start[i] + t->held[i];
    for (uint64_t i = 0; i < w->part_n; i++) /* start[x] runs up to start[x + 1] */
        weight[start[strategy_world_held(w, i)]++] = w->part_weight[i];
    for (uint32_t i = 0; i < w->worker_n; i++) {
        uint32_t *own = weight + (start[i] - t->held[i]);
        unsigned __int128 load = 0;
        unsigned __int128 most_here = most * t->capacity[i] / by;

        for (uint64_t k = 0; k < t->held[i]; k++)
            load += own[k];
        if (most_here < t->load[i])
            most_here = t->load[i]; /* the answer left that much with no capacity */
        if (is_draining(w, i))
            least += t->held[i];
        else if (is_open(w, i) && load > most_here)
            least += fewest(own, t->held[i], load - most_here);
    }
    *ret = least;
    status = STATUS_OK;
out:
    free(start);
    free(weight);
    return status;
}

int judge_answer(const struct parti_world *w, const uint32_t *owner,
                 struct judgement *ret)
{
    struct judgement j = {.max_over_mean = 1.0};
    struct tally t;
    int status = tally_init(&t, w);
    unsigned __int128 weight_sum = 0; /* with those who may be given something */
    bool is_equal = true, is_weightless = true;
    uint32_t top = 0; /* the worker with the heaviest load by capacity */

    if (status != STATUS_OK || w->part_n == 0)
        goto out;
    for (uint64_t i = 0; i < w->part_n; i++) {
        is_weightless = is_weightless && w->part_weight[i] == 0;
        is_equal = is_equal && w->part_weight[i] == w->part_weight[0];
        j.moved += strategy_world_held(w, i) != owner[i];
    }
    for (uint64_t i = 0; i < w->part_n; i++)
        t.load[owner[i]] += is_weightless ? 1 : w->part_weight[i];
    for (uint32_t i = 0; i < w->worker_n; i++)
        weight_sum += is_open(w, i) ? t.load[i] : 0;
    while (top < w->worker_n && t.capacity[top] == 0)
        top++;
    for (uint32_t i = top + 1; i < w->worker_n; i++)
        if (t.capacity[i] > 0 &&
            t.load[i] * t.capacity[top] > t.load[top] * t.capacity[i])
            top = i;
    /* Nobody may be given anything, or has anything: nothing is uneven. */
    if (top < w->worker_n && weight_sum > 0)
        j.max_over_mean = (double)t.load[top] * (double)t.capacity_sum /
                          ((double)weight_sum * (double)t.capacity[top]);
    if (is_equal || top == w->worker_n)
        j.moved_least = least_for_equal_weights(&t, w);
    /* An answer is not measured by one that is more even than itself. */
    if (top < w->worker_n &&
        (!is_equal || j.moved < j.moved_least || !is_even(&t, w, owner)))
        status = least_for_weights(&t, w, t.load[top], t.capacity[top], &j.moved_least);
out:
    tally_finish(&t);
    if (status == STATUS_OK)
        *ret = j;
    return status;
}
