/* pack: items that are a good part of a worker's share.  See weighted.h.
 *
 * No room between loads is ever wide enough for them, so small steps cannot mend a worker
 * that holds two too many.  What counts here is the heavy load alone: the heaviest of a
 * worker stay while they fit together, the others go where there is room, or else where
 * the heavy load is least; shift then takes the light items off that worker. */
#include "weighted.h"

/* Parts of the share of the largest worker. */
enum { STOP_EVERY = 1 << 16, HEAVY = 4, HEAVY_STUCK = 16 };

/* Heavy, or in the way of a worker that is above its band and found no other remedy. */
static bool is_heavy(const struct weighted *w, uint64_t i, int64_t above, bool stuck)
{
    uint32_t r = w->owner[i];
    int64_t weight = w->world->part_weight[i];

    if (r == w->n)
        return weight > above;
    if (w->fleet->role[r] == ROLE_CORDONED)
        return false;
    return weight > above || (stuck && weight > 0 && w->load[r] > w->high[r]);
}

/* Keeps in item[] those that need a place, orphans among them, and makes them orphans. */
static uint64_t keep_fitting(struct weighted *w, uint64_t *item, uint64_t n,
                             int64_t *heavy)
{
    uint64_t left = 0;

    for (uint32_t r = 0; r <= w->n; r++)
        heavy[r] = 0;
    for (uint64_t k = 0; k < n; k++) {
        uint32_t i = item_index(item[k]), r = w->owner[i];
        int64_t weight = item_weight(item[k]);

        if (r < w->n && (heavy[r] + weight <= w->high[r] || w->moves_left == 0)) {
            heavy[r] += weight;
            continue;
        }
        if (r < w->n) {
            w->moves_left -= w->moves_left != UINT64_MAX;
            w->orphans++;
            weighted_move(w, i, w->n);
        }
        item[left++] = item[k];
    }
    return left;
}

/* Who has the least heavy load for its size, by a heap whose keys only fall. */
static uint32_t least_heavy(struct weighted *w, struct heap *heap, int64_t *key,
                            const int64_t *heavy)
{
    for (;;) {
        uint32_t top = heap->item[0];
        int64_t now = w->target[top] - heavy[top];

        if (key[top] == now)
            return top;
        key[top] = now;
        heap_fix(heap, top);
    }
}

static void put_away(struct weighted *w, const uint64_t *item, uint64_t n, int64_t *heavy)
{
    int64_t *key = w->need;
    struct heap bare = {.key = key, .item = w->spare, .place = w->spare + w->n};

    weighted_rooms(w);
    for (uint32_t k = 0; k < w->heap.n; k++) {
        uint32_t r = w->item[k];

        key[r] = w->target[r] - heavy[r];
        bare.item[bare.n++] = r;
    }
    heap_build(&bare);
    for (uint64_t k = 0; k < n; k++) {
        uint32_t i = item_index(item[k]), to = weighted_roomiest(w);
        int64_t weight = item_weight(item[k]);

        if (w->load[to] + weight > w->high[to] && heavy[to] + weight > w->high[to]) {
            uint32_t least = least_heavy(w, &bare, key, heavy);

            if (heavy[least] + weight <= w->high[least])
                to = least;
        }
        heavy[to] += weight;
        weighted_move(w, i, to);
        w->orphans--;
    }
}

int32_t weighted_pack(struct weighted *w, bool stuck)
{
    const uint32_t *weight = w->world->part_weight;
    int64_t most = 0, above;
    uint64_t n = 0, at = 0;

    for (uint32_t r = 0; r < w->n; r++)
        most = !w->fixed[r] && w->target[r] > most ? w->target[r] : most;
    above = most / (stuck ? HEAVY_STUCK : HEAVY);
    if (w->weight_max <= above && !stuck)
        return PARTI_OK;
    for (uint64_t i = 0; i < w->world->part_n; i++)
        n += is_heavy(w, i, above, stuck);

    uint64_t *item = block_need(&w->items, 2 * n, sizeof *item);

    if (item == NULL)
        return PARTI_NOMEM;
    for (uint64_t i = 0; i < w->world->part_n; i++) {
        if (is_heavy(w, i, above, stuck))
            item[at++] = item_of(weight[i], (uint32_t)i);
        if (i % STOP_EVERY == 0 && fleet_stop(w->host))
            return PARTI_CANCELED;
    }
    item = items_sort(item, item + n, n);
    n = keep_fitting(w, item, n, w->give);
    if (n > 0)
        put_away(w, item, n, w->give);
    return PARTI_OK;
}
