/* shift: workers above the band give to those below it.  See weighted.h.
 *
 * When somebody is below the band (a newcomer, say), the fullest are lowered to one line
 * until that fills them to the lower end; when more than that lies above the band, the
 * emptiest are raised to one line until they take it.  Weight moves that must, no more.
 */
#include "weighted.h"

enum { STOP_EVERY = 1 << 16, LINE_STEPS = 20 };

/* A line that runs from low (0) to high (2^20). */
static int64_t line(const struct weighted *w, uint32_t r, int64_t x)
{
    return w->low[r] + (int64_t)((i128)(w->high[r] - w->low[r]) * x >> LINE_STEPS);
}

static int64_t above_line(const struct weighted *w, int64_t x)
{
    int64_t sum = 0;

    for (uint32_t r = 0; r < w->n; r++) {
        int64_t over = w->load[r] - line(w, r, x);

        sum += over > 0 ? over : 0;
    }
    return sum;
}

static int64_t below_line(const struct weighted *w, int64_t x)
{
    int64_t sum = 0;

    for (uint32_t r = 0; r < w->n; r++) {
        int64_t under = line(w, r, x) - w->load[r];

        sum += under > 0 && !w->fixed[r] ? under : 0;
    }
    return sum;
}

/* The highest line with at least 'wanted' above it, or the lowest with as much below. */
static int64_t find_line(const struct weighted *w, int64_t wanted, bool above)
{
    int64_t low = 0, high = INT64_C(1) << LINE_STEPS;

    while (low < high) {
        int64_t middle = (low + high + above) / 2;

        if (above && above_line(w, middle) >= wanted)
            low = middle;
        else if (above)
            high = middle - 1;
        else if (below_line(w, middle) >= wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Fills give[] and need[]; returns whether those below the band decide. */
static bool plan(struct weighted *w)
{
    int64_t top = INT64_C(1) << LINE_STEPS;
    int64_t over = above_line(w, top), under = below_line(w, 0);
    bool pull = under > over;
    int64_t down = pull ? find_line(w, under, true) : top;
    int64_t up = pull ? 0 : find_line(w, over, false);

    for (uint32_t r = 0; r < w->n; r++) {
        int64_t give = w->load[r] - line(w, r, down), need = line(w, r, up) - w->load[r];

        if (w->fleet->role[r] == ROLE_CORDONED)
            give = 0;
        w->give[r] = give > 0 ? give : 0;
        w->need[r] = need > 0 && !w->fixed[r] ? need : 0;
    }
    return pull;
}

/* May i leave its worker?  While newcomers pull, a worker may give a little more than
 * planned as long as it stays in its band: else items coarser than the plan never move.
 */
static bool may_leave(const struct weighted *w, uint64_t i, bool pull)
{
    uint32_t from = w->owner[i];
    int64_t weight = w->world->part_weight[i];

    return w->give[from] > 0 && weight > 0 && w->moves_left > 0 &&
           (weight <= w->give[from] || (pull && w->load[from] - weight >= w->low[from]));
}

static bool may_enter(const struct weighted *w, uint64_t i, uint32_t to)
{
    return w->need[to] > 0 && w->load[to] + w->world->part_weight[i] <= w->high[to];
}

static void shift_to(struct weighted *w, uint64_t i, uint32_t to)
{
    int64_t weight = w->world->part_weight[i];

    w->give[w->owner[i]] -= weight;
    w->need[to] -= weight;
    weighted_move(w, i, to);
    w->moved++;
    w->moves_left -= w->moves_left != UINT64_MAX;
}

/* Whom the needy are home to goes first. */
static void shift_home(struct weighted *w, uint64_t from, uint64_t to, bool pull)
{
    struct guided *g = &w->guided;
    uint32_t n = 0;

    for (uint64_t i = from; i < to; i++) {
        g->pick[n] = (uint32_t)(i - from);
        n += w->give[w->owner[i]] > 0;
    }
    home_of(&g->home, w->world->part_hash + from, g->pick, n, g->at_home);
    for (uint32_t k = 0; k < n; k++) {
        uint64_t i = from + g->pick[k];

        if (may_enter(w, i, g->at_home[k]) && may_leave(w, i, pull))
            shift_to(w, i, g->at_home[k]);
    }
}

/* Who needs most, by a heap whose keys only fall: a stale top is mended when met. */
static uint32_t neediest(struct weighted *w)
{
    for (;;) {
        uint32_t top = w->item[0];

        if (w->key[top] == w->need[top])
            return top;
        w->key[top] = w->need[top];
        heap_fix(&w->heap, top);
    }
}

/* Anyone else, from the end: who came home last gives way first. */
static int32_t shift_rest(struct weighted *w, bool pull)
{
    w->heap.n = 0;
    for (uint32_t r = 0; r < w->n; r++) {
        w->key[r] = w->need[r];
        if (w->need[r] > 0)
            w->item[w->heap.n++] = r;
    }
    heap_build(&w->heap);
    for (uint64_t i = w->world->part_n; i-- > 0 && w->heap.n > 0;) {
        if (i % STOP_EVERY == 0 && fleet_stop(w->host))
            return PARTI_CANCELED;
        if (!may_leave(w, i, pull))
            continue;

        uint32_t to = neediest(w);

        if (w->need[to] <= 0)
            break;
        if (may_enter(w, i, to))
            shift_to(w, i, to);
    }
    return PARTI_OK;
}

int32_t weighted_shift(struct weighted *w)
{
    uint64_t n = w->world->part_n;

    w->moved = 0;
    if (weighted_settled(w) || w->moves_left == 0)
        return PARTI_OK;
    if (!home_build(&w->guided.home, w->fleet))
        return PARTI_NOMEM;

    bool pull = plan(w);

    for (uint64_t at = 0, to; at < n; at = to) {
        to = n - at > HOME_BLOCK ? at + HOME_BLOCK : n;
        shift_home(w, at, to, pull);
        if (at % STOP_EVERY == 0 && fleet_stop(w->host))
            return PARTI_CANCELED;
    }
    return shift_rest(w, pull);
}
