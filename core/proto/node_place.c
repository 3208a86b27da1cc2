/* The owners that a plan gives: the strategy's, checked, or our own when it has none. */
#include "proto/node_state.h"

#include <string.h>

/* Owners by hand, when the strategy has no answer or keeps the present: whoever can stay
 * stays, the rest goes to whoever has least.  A broken strategy never leaves a partition
 * without an owner. */
void place_by_hand(struct node *n)
{
    struct plan *p = &n->plan;
    const struct plan_request *r = &p->request;

    memset(p->load, 0, n->roster.n * sizeof *p->load);
    for (uint32_t i = 0; i < r->part_n; i++) {
        uint32_t to = p->prev_to_now[r->part_prev[i]];

        p->owner[i] = to < p->worker_n ? p->worker[to].num : NUM_NONE;
        if (to < p->worker_n)
            p->load[p->worker[to].num]++;
    }
    for (uint32_t i = 0; i < r->part_n; i++) {
        uint32_t best = NUM_NONE;

        if (p->owner[i] != NUM_NONE)
            continue;
        for (uint32_t k = 0; k < p->worker_n; k++) {
            uint32_t num = p->worker[k].num;

            if (!p->worker[k].is_cordoned &&
                (best == NUM_NONE || p->load[num] < p->load[best]))
                best = num;
        }
        must(best != NUM_NONE);
        p->owner[i] = best;
        p->load[best]++;
    }
}

/* The strategy's owners, if every one of them may own what it is given. */
bool place_taken(struct node *n, const struct event *ev)
{
    struct plan *p = &n->plan;
    const struct plan_request *r = &p->request;

    if (ev->planned.n != r->part_n)
        return false;
    for (uint32_t i = 0; i < r->part_n; i++) {
        uint32_t to = ev->planned.owner[i];

        if (to >= p->worker_n)
            return false;
        if (p->worker[to].is_cordoned && r->part_prev[i] != p->worker[to].num)
            return false;
        p->owner[i] = p->worker[to].num;
    }
    return true;
}
