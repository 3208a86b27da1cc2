/* place: orphans find a worker.  See weighted.h.
 *
 * Heavy ones go first, the heaviest first: very heavy ones where there is most room (LPT:
 * longest processing time first, Graham 1969), the others home if it has the room.  Light
 * ones fill what is left, by home; they are many and small, so they level it out. */
#include "weighted.h"

enum { STOP_EVERY = 1 << 16, PROBES_HEAVY = 4, PROBES_LIGHT = 6, LPT_PARTS = 16 };

static int64_t room(const struct weighted *w, uint32_t r)
{
    return w->target[r] - w->load[r];
}

void weighted_rooms(struct weighted *w)
{
    w->heap.n = 0;
    for (uint32_t r = 0; r < w->n; r++) {
        if (w->fixed[r])
            continue;
        w->key[r] = room(w, r);
        w->item[w->heap.n++] = r;
    }
    heap_build(&w->heap);
}

/* Rooms only shrink, so a stale key is too high: mend the top
 * until it is true. */
uint32_t weighted_roomiest(struct weighted *w)
{
    for (;;) {
        uint32_t top = w->item[0];

        if (w->key[top] == room(w, top))
            return top;
        w->key[top] = room(w, top);
        heap_fix(&w->heap, top);
    }
}

static void settle(struct weighted *w, uint64_t i, uint32_t to)
{
    weighted_move(w, i, to);
    w->orphans--;
}

/* The first worker among the probes that takes the weight without passing its target. */
static uint32_t probe(const struct weighted *w, uint64_t i, int probes)
{
    struct home_walk walk = home_start(w->world->part_hash[i]);

    for (int k = 0; k < probes; k++) {
        uint32_t rank = home_next(&w->guided.home, &walk);

        if (!w->fixed[rank] && w->world->part_weight[i] <= room(w, rank))
            return rank;
    }
    return w->n;
}

static int32_t place_heavy(struct weighted *w, int64_t heavy, int64_t very)
{
    const uint32_t *weight = w->world->part_weight;
    uint64_t n = 0, at = 0;

    for (uint64_t i = 0; i < w->world->part_n; i++)
        n += w->owner[i] == w->n && weight[i] > heavy;
    if (n == 0)
        return PARTI_OK;

    uint64_t *item = block_need(&w->items, 2 * n, sizeof *item);

    if (item == NULL)
        return PARTI_NOMEM;
    for (uint64_t i = 0; i < w->world->part_n; i++)
        if (w->owner[i] == w->n && weight[i] > heavy)
            item[at++] = item_of(weight[i], (uint32_t)i);
    item = items_sort(item, item + n, n);
    weighted_rooms(w);
    for (uint64_t k = 0; k < n; k++) {
        uint32_t i = item_index(item[k]), to = w->n;

        if (item_weight(item[k]) <= very)
            to = probe(w, i, PROBES_HEAVY);
        settle(w, i, to < w->n ? to : weighted_roomiest(w));
        if (k % STOP_EVERY == 0 && fleet_stop(w->host))
            return PARTI_CANCELED;
    }
    return PARTI_OK;
}

/* One block of light orphans: home, then a few probes; the rest stay orphans. */
static void send_home(struct weighted *w, uint64_t from, uint64_t to)
{
    struct guided *g = &w->guided;
    uint32_t n = 0;

    for (uint64_t i = from; i < to; i++) {
        g->pick[n] = (uint32_t)(i - from);
        n += w->owner[i] == w->n;
    }
    home_of(&g->home, w->world->part_hash + from, g->pick, n, g->at_home);
    for (uint32_t k = 0; k < n; k++) {
        uint64_t i = from + g->pick[k];
        uint32_t rank = g->at_home[k];

        if (w->fixed[rank] || w->world->part_weight[i] > room(w, rank))
            rank = probe(w, i, PROBES_LIGHT);
        if (rank < w->n)
            settle(w, i, rank);
    }
}

int32_t weighted_place(struct weighted *w)
{
    int64_t least = INT64_MAX, most = 0;
    uint64_t n = w->world->part_n;

    if (w->orphans == 0)
        return PARTI_OK;
    if (!home_build(&w->guided.home, w->fleet))
        return PARTI_NOMEM;
    for (uint32_t r = 0; r < w->n; r++) {
        if (w->fixed[r])
            continue;
        least = w->target[r] < least ? w->target[r] : least;
        most = w->target[r] > most ? w->target[r] : most;
    }

    /* What is below the tolerance cannot upset a worker by itself. */
    i128 heavy = (i128)least * w->delta / WEIGHTED_MILLION;
    int32_t code = place_heavy(w, (int64_t)heavy, most / LPT_PARTS);

    if (code != PARTI_OK)
        return code;
    for (uint64_t at = 0, to; at < n && w->orphans > 0; at = to) {
        to = n - at > HOME_BLOCK ? at + HOME_BLOCK : n;
        send_home(w, at, to);
        if (at % STOP_EVERY == 0 && fleet_stop(w->host))
            return PARTI_CANCELED;
    }
    if (w->orphans > 0)
        weighted_rooms(w);
    for (uint64_t i = 0; i < n && w->orphans > 0; i++)
        if (w->owner[i] == w->n)
            settle(w, i, weighted_roomiest(w));
    return PARTI_OK;
}
