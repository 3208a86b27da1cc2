/* read and level: see weighted.h. */
#include "weighted.h"

#include <string.h>

enum { STOP_EVERY = 1 << 16 };

static bool reserve(struct weighted *w)
{
    uint64_t n = (uint64_t)w->n + 1;
    int64_t *word = block_need(&w->ranks, 7 * n + 2 * n + n / 8 + 1, sizeof *word);

    if (word == NULL)
        return false;
    w->load = word;
    w->target = word + n;
    w->high = word + 2 * n;
    w->low = word + 3 * n;
    w->give = word + 4 * n;
    w->need = word + 5 * n;
    w->key = word + 6 * n;
    w->item = (uint32_t *)(word + 7 * n);
    w->place = w->item + n;
    w->spare = w->place + n;
    w->fixed = (uint8_t *)(w->spare + 2 * n);
    w->heap = (struct heap){.key = w->key, .item = w->item, .place = w->place};
    return true;
}

/* One block: who has each partition, the extremes of the weights, and sums in two lanes,
 * so that runs of one owner do not wait for each other. */
static uint64_t sum_block(struct weighted *w, uint64_t from, uint64_t to, uint64_t *sum)
{
    const struct parti_world *world = w->world;
    const uint32_t *weight = world->part_weight, *prev = world->part_prev;
    const uint32_t *map = w->fleet->map;
    uint32_t *owner = w->owner, n = w->n;
    uint64_t *other = sum + world->prev_n + 1, orphans = 0, i = from;
    uint32_t low = w->weight_min, high = w->weight_max;

    for (; i + 2 <= to; i += 2) {
        uint32_t p = prev[i], q = prev[i + 1], a = weight[i], b = weight[i + 1];

        sum[p] += a;
        other[q] += b;
        owner[i] = map[p];
        owner[i + 1] = map[q];
        orphans += (map[p] == n) + (map[q] == n);
        low = a < low ? a : low;
        high = a > high ? a : high;
        low = b < low ? b : low;
        high = b > high ? b : high;
    }
    for (; i < to; i++) {
        sum[prev[i]] += weight[i];
        owner[i] = map[prev[i]];
        orphans += owner[i] == n;
        low = weight[i] < low ? weight[i] : low;
        high = weight[i] > high ? weight[i] : high;
    }
    w->weight_min = low;
    w->weight_max = high;
    return orphans;
}

static int32_t sum_up(struct weighted *w, uint64_t *sum)
{
    uint64_t n = w->world->part_n;

    memset(sum, 0, 2 * ((size_t)w->world->prev_n + 1) * sizeof *sum);
    w->orphans = 0;
    w->weight_min = UINT32_MAX;
    w->weight_max = 0;
    for (uint64_t at = 0, to; at < n; at = to) {
        to = n - at > STOP_EVERY ? at + STOP_EVERY : n;
        w->orphans += sum_block(w, at, to, sum);
        if (fleet_stop(w->host))
            return PARTI_CANCELED;
    }
    return PARTI_OK;
}

int32_t weighted_read(struct weighted *w, struct parti_error *error)
{
    const struct parti_world *world = w->world;
    int32_t code = fleet_read(&w->guided.sticky.fleet, world, error);
    uint64_t total = 0;

    if (code != PARTI_OK)
        return code;
    w->fleet = &w->guided.sticky.fleet;
    w->n = w->fleet->n;

    uint64_t *sum = block_need(&w->lanes, 2 * ((uint64_t)world->prev_n + 1), sizeof *sum);

    if (sum == NULL || !reserve(w))
        return PARTI_NOMEM;
    code = sum_up(w, sum);
    if (code != PARTI_OK)
        return code;
    memset(w->load, 0, ((size_t)w->n + 1) * sizeof *w->load);
    for (uint32_t p = 0; p <= world->prev_n; p++) {
        uint64_t both = sum[p] + sum[(size_t)world->prev_n + 1 + p];

        total += both;
        w->load[w->fleet->map[p]] += (int64_t)both;
        if (total > UINT64_C(1) << 62)
            return parti_fail(error, PARTI_BADINPUT,
                              "the weights of all partitions add up to more than 2^62");
    }
    return PARTI_OK;
}

/* ---- giants: heavier than the level of the largest worker ------------------------- */

struct giants {
    uint64_t *item; /* candidates, heaviest first */
    uint32_t *to;   /* where each goes */
    uint32_t n, chosen;
    uint32_t *rank; /* receivers, the largest capacity first, then the least load */
    uint32_t at;    /* rank[at] is the first without a giant */
};

static bool roomier(const void *context, uint32_t a, uint32_t b)
{
    const struct weighted *w = context;

    if (w->fleet->capacity[a] != w->fleet->capacity[b])
        return w->fleet->capacity[a] > w->fleet->capacity[b];
    if (w->load[a] != w->load[b])
        return w->load[a] < w->load[b];
    return a < b;
}

static bool may_move(const struct weighted *w, uint64_t i)
{
    return w->owner[i] == w->n || w->fleet->role[w->owner[i]] != ROLE_CORDONED;
}

/* Lists what is heavier than 'above'. */
static bool list_candidates(struct weighted *w, struct giants *g, int64_t above)
{
    const uint32_t *weight = w->world->part_weight;
    uint64_t n = 0, at = 0;

    for (uint64_t i = 0; i < w->world->part_n; i++)
        n += weight[i] > above && may_move(w, i);
    g->item = block_need(&w->items, 2 * n, sizeof *g->item);
    if (g->item == NULL)
        return false;
    for (uint64_t i = 0; i < w->world->part_n; i++)
        if (weight[i] > above && may_move(w, i))
            g->item[at++] = item_of(weight[i], (uint32_t)i);

    uint64_t *spare = g->item + n, *sorted = items_sort(g->item, spare, n);

    g->to = (uint32_t *)(sorted == spare ? g->item : spare);
    g->item = sorted;
    g->n = (uint32_t)n;
    return true;
}

/* From the heaviest down: who is above the level that the others leave takes a worker of
 * its own.  It stays where it is if that worker is about as large as any that is free. */
static void choose(struct weighted *w, struct giants *g, int64_t num, int64_t den)
{
    const uint32_t *capacity = w->fleet->capacity;

    memset(w->fixed, 0, (size_t)w->n + 1);
    g->at = g->chosen = 0;
    for (uint32_t k = 0; k < g->n; k++) {
        uint64_t weight = item_weight(g->item[k]);
        uint32_t from = w->owner[item_index(g->item[k])], to = g->rank[g->at];
        u128 largest = capacity[to];

        if ((u128)weight * (uint64_t)den <= (uint64_t)num * largest)
            break;
        if (from < w->n && !w->fixed[from] &&
            (u128)capacity[from] * (uint64_t)(WEIGHTED_MILLION + w->delta) >=
                largest * WEIGHTED_MILLION)
            to = from;
        g->to[k] = to;
        g->chosen++;
        w->fixed[to] = 1;
        num -= (int64_t)weight;
        den -= capacity[to];
        while (den > 0 && w->fixed[g->rank[g->at]])
            g->at++;
        if (den <= 0)
            break;
    }
    w->level_num = num;
    w->level_den = den;
}

/* What the level gives the largest worker without a giant. */
static int64_t level_most(const struct weighted *w, const struct giants *g)
{
    uint32_t largest = w->fleet->capacity[g->rank[g->at]];

    if (w->level_den <= 0)
        return 0;
    return (int64_t)((u128)(uint64_t)w->level_num * largest / (uint64_t)w->level_den);
}

static int32_t settle_giants(struct weighted *w, int64_t num, int64_t den)
{
    struct giants g = {.rank = w->item};
    uint32_t n = 0;
    int64_t above;

    for (uint32_t r = 0; r < w->n; r++)
        if (w->fleet->role[r] == ROLE_RECEIVER)
            g.rank[n++] = r;
    order_sort(g.rank, n, roomier, w);
    w->level_num = num;
    w->level_den = den;
    above = level_most(w, &g);
    /* Taking giants away lowers the level, which may expose more: list with a margin,
     * and again from an eighth when even that was too high. */
    do {
        above /= 8;
        if (!list_candidates(w, &g, above))
            return PARTI_NOMEM;
        choose(w, &g, num, den);
        if (fleet_stop(w->host))
            return PARTI_CANCELED;
    } while (above > 0 && level_most(w, &g) < above);

    for (uint32_t k = 0; k < g.chosen; k++) {
        uint32_t i = item_index(g.item[k]), from = w->owner[i], to = g.to[k];

        if (from == to)
            continue;
        if (from < w->n && w->moves_left == 0)
            continue;
        w->moves_left -= from < w->n && w->moves_left != UINT64_MAX;
        w->orphans -= from == w->n;
        weighted_move(w, i, to);
    }
    /* A giant's worker is to have the giant alone. */
    for (uint32_t k = 0; k < g.chosen; k++)
        w->target[g.to[k]] = (int64_t)item_weight(g.item[k]);
    return PARTI_OK;
}

/* ---- the band ------------------------------------------------------------------- */

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Loads are multiples of the weights' common divisor: where that is coarser than the
 * tolerance, nobody can be told to stay below the next multiple.  At least 1. */
static int64_t grain(const struct weighted *w)
{
    uint32_t divisor = 0;

    for (uint64_t i = 0; i < w->world->part_n && divisor != 1; i++)
        if (divisor == 0 || w->world->part_weight[i] % divisor != 0)
            divisor = gcd(w->world->part_weight[i], divisor);
    return divisor > 0 ? divisor : 1;
}

static void set_band(struct weighted *w, uint32_t r)
{
    uint64_t den = (uint64_t)w->level_den;
    u128 share = (u128)(uint64_t)w->level_num * w->fleet->capacity[r];
    u128 whole = (u128)den * WEIGHTED_MILLION;

    w->target[r] = (int64_t)((share + den - 1) / den);
    w->high[r] = (int64_t)(share * (uint64_t)(WEIGHTED_MILLION + w->delta) / whole);
    w->low[r] =
        (int64_t)((share * (uint64_t)(WEIGHTED_MILLION - w->delta) + whole - 1) / whole);
    if (w->high[r] < w->target[r])
        w->high[r] = w->target[r];
}

static void round_up(struct weighted *w)
{
    int64_t unit = 0;

    for (uint32_t r = 0; r < w->n; r++) {
        if (w->fixed[r] || w->high[r] - w->target[r] >= (int64_t)w->weight_max)
            continue;
        if (unit == 0)
            unit = grain(w);
        int64_t next = (w->target[r] + unit - 1) / unit * unit;

        w->high[r] = w->high[r] < next ? next : w->high[r];
    }
}

int32_t weighted_level(struct weighted *w)
{
    const struct fleet *f = w->fleet;
    int64_t num = w->load[w->n], den = (int64_t)f->capacity_sum;
    uint64_t largest = 0;
    uint32_t last = w->n;

    for (uint32_t r = 0; r < w->n; r++) {
        num += f->role[r] == ROLE_CORDONED ? 0 : w->load[r];
        largest = f->capacity[r] > largest ? f->capacity[r] : largest;
    }
    memset(w->fixed, 0, (size_t)w->n + 1);
    w->level_num = num;
    w->level_den = den;
    if ((u128)w->weight_max * (uint64_t)den > (u128)(uint64_t)num * largest) {
        int32_t code = settle_giants(w, num, den);

        if (code != PARTI_OK)
            return code;
    }
    for (uint32_t r = 0; r < w->n; r++) {
        if (f->role[r] != ROLE_RECEIVER) {
            w->fixed[r] = 1;
            w->target[r] = w->load[r];
        }
        if (w->fixed[r]) {
            w->high[r] = w->low[r] = w->target[r];
        } else if (last < w->n && f->capacity[last] == f->capacity[r]) {
            w->target[r] = w->target[last];
            w->high[r] = w->high[last];
            w->low[r] = w->low[last];
        } else {
            set_band(w, r);
            last = r;
        }
    }
    round_up(w);
    return PARTI_OK;
}

bool weighted_settled(const struct weighted *w)
{
    for (uint32_t r = 0; r < w->n; r++)
        if (w->load[r] > w->high[r] || (w->load[r] < w->low[r] && !w->fixed[r]))
            return false;
    return true;
}

int64_t weighted_excess(const struct weighted *w)
{
    int64_t sum = 0;

    for (uint32_t r = 0; r < w->n; r++)
        if (w->fleet->role[r] != ROLE_CORDONED && w->load[r] > w->high[r])
            sum += w->load[r] - w->high[r];
    return sum;
}
