/* A strategy for simulations: everybody keeps what he has up to his quota, the rest is
 * dealt out in order of index.  Least movement, max - min <= 1, deterministic.
 * Runs with the built-in strategies take their place by linking another sim_plan_make().
 */
#include "sim.h"

#include "base/must.h"

enum { PLAN_WORKERS_MAX = 64 };

static bool is_taker(const struct plan_worker *w)
{
    return !w->is_draining && !w->is_cordoned;
}

/* Quotas of 'part_n' partitions among the takers: everybody the floor; one more for
 * those who hold most, ties by index. */
static void quotas(const struct plan_request *r, uint32_t part_n, const uint32_t *has,
                   uint32_t *quota)
{
    uint32_t takers = 0;
    uint32_t extra;

    for (uint32_t w = 0; w < r->worker_n; w++)
        takers += is_taker(&r->worker[w]) ? 1 : 0;
    for (uint32_t w = 0; w < r->worker_n; w++)
        quota[w] = is_taker(&r->worker[w]) ? part_n / takers : 0;
    extra = takers > 0 ? part_n % takers : 0;
    for (; extra > 0; extra--) {
        uint32_t best = r->worker_n;
        for (uint32_t w = 0; w < r->worker_n; w++) {
            if (!is_taker(&r->worker[w]) || quota[w] > part_n / takers)
                continue;
            if (best == r->worker_n || has[w] > has[best])
                best = w;
        }
        quota[best]++;
    }
}

void sim_plan_make(const struct plan_request *r, uint32_t *owner)
{
    uint32_t has[PLAN_WORKERS_MAX] = {0};
    uint32_t quota[PLAN_WORKERS_MAX];
    uint32_t given[PLAN_WORKERS_MAX] = {0};
    uint32_t part_n = r->part_n;

    must(r->worker_n <= PLAN_WORKERS_MAX);
    for (uint32_t i = 0; i < r->part_n; i++) {
        must(r->part_prev[i] <= r->prev_n);
        uint32_t w = r->prev_to_now[r->part_prev[i]];
        must(w <= r->worker_n);
        owner[i] = w;
        if (w < r->worker_n)
            has[w]++;
    }
    /* Who is away keeps what it has and gets nothing. */
    for (uint32_t w = 0; w < r->worker_n; w++)
        part_n -= r->worker[w].is_cordoned ? has[w] : 0;
    quotas(r, part_n, has, quota);
    for (uint32_t w = 0; w < r->worker_n; w++)
        if (r->worker[w].is_cordoned)
            quota[w] = has[w];
    for (uint32_t i = 0; i < r->part_n; i++) {
        uint32_t w = owner[i];
        if (w == r->worker_n)
            continue;
        if (given[w] < quota[w])
            given[w]++;
        else
            owner[i] = r->worker_n;
    }
    uint32_t to = 0;
    for (uint32_t i = 0; i < r->part_n; i++) {
        if (owner[i] < r->worker_n)
            continue;
        while (to < r->worker_n && given[to] >= quota[to])
            to++;
        owner[i] = to;
        if (to < r->worker_n)
            given[to]++;
    }
}
