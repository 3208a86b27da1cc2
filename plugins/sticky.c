#include "sticky.h"
#include "order.h"

#include <string.h>

enum { STOP_EVERY = 3 << 15, LANES = 3 };

void sticky_finish(struct sticky *s)
{
    fleet_finish(&s->fleet);
    block_finish(&s->counts);
    block_finish(&s->lanes);
}

/* Counts partitions by previous index in lanes, so that runs of one owner do not
 * wait for each other's increments. */
static int32_t count_held(struct sticky *s, const struct parti_world *w)
{
    const struct fleet *f = &s->fleet;
    uint32_t each = f->prev_n + 1;
    uint32_t *lane = s->give; /* not in use yet, and large enough: see reserve() */
    uint64_t n = w->part_n, i = 0;

    memset(lane, 0, (size_t)each * LANES * sizeof *lane);
    while (i + LANES <= n) {
        uint64_t stop = n - i > STOP_EVERY ? i + STOP_EVERY : n - (n - i) % LANES;

        for (; i < stop; i += LANES) {
            lane[w->part_prev[i]]++;
            lane[(size_t)each + w->part_prev[i + 1]]++;
            lane[2 * (size_t)each + w->part_prev[i + 2]]++;
        }
        if (fleet_stop(s->host))
            return PARTI_CANCELED;
    }
    for (; i < n; i++)
        lane[w->part_prev[i]]++;

    memset(s->held, 0, ((size_t)f->n + 1) * sizeof *s->held);
    for (uint32_t p = 0; p < each; p++)
        for (size_t k = 0; k < LANES; k++)
            s->held[f->map[p]] += lane[k * each + p];
    return PARTI_OK;
}

/* held, then the lanes of the count, whose room give, need and ring take over. */
static bool reserve(struct sticky *s)
{
    uint64_t n = (uint64_t)s->fleet.n + 1;
    uint64_t lanes = LANES * ((uint64_t)s->fleet.prev_n + 1);

    s->held = block_need(&s->counts, n, sizeof *s->held);
    s->give = block_need(&s->lanes, lanes > 3 * n ? lanes : 3 * n, sizeof *s->give);
    if (s->held == NULL || s->give == NULL)
        return false;
    s->need = s->give + n;
    s->ring = s->need + n;
    return true;
}

/* Who comes first for one partition more?  The largest remainder, then who holds more
 * than the floor anyway, then the lower rank. */
struct claims {
    const uint32_t *held, *floor;
    const uint32_t *capacity;
    uint64_t shared, sum;
};

static uint64_t remainder_of(const struct claims *c, uint32_t r)
{
    return (uint64_t)((u128)c->shared * c->capacity[r] % c->sum);
}

static bool claims_before(const void *claims, uint32_t a, uint32_t b)
{
    const struct claims *c = claims;
    uint64_t ra = remainder_of(c, a), rb = remainder_of(c, b);

    if (ra != rb)
        return ra > rb;
    if ((c->held[a] > c->floor[a]) != (c->held[b] > c->floor[b]))
        return c->held[a] > c->floor[a];
    return a < b;
}

/* With equal capacities every remainder is the same: two sweeps instead of a sort. */
static void raise_equal(struct sticky *s, uint32_t *quota, uint64_t left)
{
    const struct fleet *f = &s->fleet;
    uint32_t floor = 0;

    for (uint32_t r = 0; r < f->n; r++)
        if (f->role[r] == ROLE_RECEIVER)
            floor = quota[r];
    for (uint32_t r = 0; r < f->n && left > 0; r++)
        if (f->role[r] == ROLE_RECEIVER && s->held[r] > floor) {
            quota[r]++;
            left--;
        }
    for (uint32_t r = 0; r < f->n && left > 0; r++)
        if (f->role[r] == ROLE_RECEIVER && s->held[r] <= floor) {
            quota[r]++;
            left--;
        }
}

/* quota[] by largest remainder of the capacities; the cordoned keep what they hold, the
 * rest is shared among the receivers. */
static void share_out(struct sticky *s, uint64_t part_n, uint32_t *quota)
{
    const struct fleet *f = &s->fleet;
    uint64_t shared = part_n, left;
    uint32_t listed = 0;

    for (uint32_t r = 0; r < f->n; r++)
        if (f->role[r] == ROLE_CORDONED)
            shared -= s->held[r];
    left = shared;
    for (uint32_t r = 0; r < f->n; r++) {
        quota[r] = f->role[r] == ROLE_CORDONED ? s->held[r] : 0;
        if (f->role[r] != ROLE_RECEIVER)
            continue;
        quota[r] = (uint32_t)((u128)shared * f->capacity[r] / f->capacity_sum);
        left -= quota[r];
        s->ring[listed++] = r;
    }
    if (f->equal) {
        raise_equal(s, quota, left);
        return;
    }

    struct claims claims = {s->held, quota, f->capacity, shared, f->capacity_sum};

    order_sort(s->ring, listed, claims_before, &claims);
    for (uint32_t k = 0; k < left; k++)
        quota[s->ring[k]]++;
}

/* Keeps the tops of the columns a[0 .. n) that hold 'wanted' in all: a[i] becomes what
 * stands above a common level, and ties above it go to the lower rank. */
static void keep_tops(uint32_t *a, uint32_t n, uint64_t wanted)
{
    uint64_t low = 0, high = UINT32_MAX, sum = 0; /* the level is in low .. high */

    while (low < high) {
        uint64_t middle = (low + high) / 2, above = 0;

        for (uint32_t i = 0; i < n; i++)
            above += a[i] > middle ? a[i] - middle : 0;
        if (above <= wanted)
            high = middle;
        else
            low = middle + 1;
    }
    for (uint32_t i = 0; i < n; i++)
        sum += a[i] > low ? a[i] - low : 0;
    for (uint32_t i = 0; i < n; i++) {
        bool tie = low > 0 && a[i] >= low && sum < wanted;

        sum += tie;
        a[i] = (a[i] > low ? a[i] - (uint32_t)low : 0) + tie;
    }
}

int32_t sticky_plan(struct sticky *s, const struct parti_world *w,
                    struct parti_error *error)
{
    struct fleet *f = &s->fleet;
    int32_t code = fleet_read(f, w, error);

    if (code != PARTI_OK)
        return code;
    if (!reserve(s))
        return PARTI_NOMEM;
    code = count_held(s, w);
    if (code != PARTI_OK)
        return code;

    uint32_t *quota = s->need;
    uint64_t surplus = 0;

    share_out(s, w->part_n, quota);
    for (uint32_t r = 0; r < f->n; r++) {
        uint32_t held = s->held[r];

        s->give[r] = held > quota[r] ? held - quota[r] : 0;
        s->need[r] = held < quota[r] ? quota[r] - held : 0;
        surplus += s->give[r];
    }
    if (surplus > w->moves_max) {
        surplus = w->moves_max;
        keep_tops(s->give, f->n, surplus);
        keep_tops(s->need, f->n, surplus + s->held[f->n]);
    }
    s->give[f->n] = s->held[f->n];
    s->need[f->n] = 0;
    s->moves = surplus + s->held[f->n];
    return PARTI_OK;
}

void sticky_keep(const struct sticky *s, const struct parti_world *w, uint32_t *owner,
                 uint64_t from)
{
    const uint32_t *map = s->fleet.map, *prev = w->part_prev;

    for (uint64_t i = from; i < w->part_n; i++)
        owner[i] = map[prev[i]];
}

int32_t sticky_deal(struct sticky *s, const struct parti_world *w, uint32_t *owner)
{
    const uint32_t *map = s->fleet.map;
    uint32_t n = s->fleet.n, last = n, at;
    uint64_t i = 0;

    /* The needy in a ring, by rank; 'last' is the one before 'at'. */
    for (uint32_t r = n; r-- > 0;)
        if (s->need[r] > 0) {
            if (last == n)
                last = r;
            else
                s->ring[r] = s->ring[n];
            s->ring[n] = r;
        }
    if (last < n)
        s->ring[last] = s->ring[n];
    at = s->ring[n];

    for (; i < w->part_n && s->moves > 0; i++) {
        uint32_t from = map[w->part_prev[i]];

        owner[i] = from;
        if (s->give[from] == 0)
            continue;
        s->give[from]--;
        s->moves--;
        owner[i] = at;
        if (--s->need[at] > 0)
            last = at;
        else
            s->ring[last] = s->ring[at];
        at = s->ring[at];
        if (s->moves % STOP_EVERY == 0 && fleet_stop(s->host))
            return PARTI_CANCELED;
    }
    sticky_keep(s, w, owner, i);
    return PARTI_OK;
}
