/* search: the last few out of their band.  See weighted.h.
 *
 * From the worker farthest above its band: the lightest item that brings it back, to the
 * roomiest worker; if none fits, the cheapest swap with one of a few roomy ones.  Then
 * those below the band take from the fullest.  Lists of items are sorted when first
 * touched and only shrink, so a round ends; all steps are counted against a cap. */
#include "weighted.h"

enum { PARTNERS = 24, PARTIAL = 64 };

struct shelf {
    uint64_t *item;  /* by worker, those of r from start[r] to start[r] + length[r] */
    uint64_t *spare; /* as long as the longest */
    uint32_t *start, *length;
    uint8_t *sorted;
};

static bool spend(struct weighted *w, uint64_t steps)
{
    if (w->work_left < steps) {
        w->work_left = 0;
        return false;
    }
    w->work_left -= steps;
    return true;
}

static bool shelf_fill(struct weighted *w, struct shelf *s)
{
    const struct parti_world *world = w->world;
    uint32_t n = w->n, longest = 0, sum = 0;

    s->start = block_need(&w->lists, 2 * (uint64_t)n + n / 4 + 1, sizeof *s->start);
    if (s->start == NULL)
        return false;
    s->length = s->start + n;
    s->sorted = (uint8_t *)(s->length + n);
    for (uint32_t r = 0; r < n; r++) {
        s->length[r] = 0;
        s->sorted[r] = 0;
    }
    for (uint64_t i = 0; i < world->part_n; i++)
        s->length[w->owner[i]] += world->part_weight[i] > 0;
    for (uint32_t r = 0; r < n; r++) {
        longest = s->length[r] > longest ? s->length[r] : longest;
        s->start[r] = sum;
        sum += s->length[r];
        s->length[r] = 0;
    }
    s->item = block_need(&w->items, (uint64_t)sum + longest, sizeof *s->item);
    if (s->item == NULL)
        return false;
    s->spare = s->item + sum;
    for (uint64_t i = 0; i < world->part_n; i++) {
        uint32_t r = w->owner[i];

        if (world->part_weight[i] > 0)
            s->item[s->start[r] + s->length[r]++] =
                item_of(world->part_weight[i], (uint32_t)i);
    }
    return true;
}

/* The items of r, the heaviest first. */
static const uint64_t *shelf_of(struct weighted *w, struct shelf *s, uint32_t r)
{
    uint64_t *item = s->item + s->start[r];

    if (!s->sorted[r]) {
        uint64_t *sorted = items_sort(item, s->spare, s->length[r]);

        (void)spend(w, 4 * (uint64_t)s->length[r]);
        if (sorted != item)
            memcpy(item, sorted, s->length[r] * sizeof *item);
        s->sorted[r] = 1;
    }
    return item;
}

/* Takes item k off r's shelf and gives it to another, where it stays for this round. */
static void hand_over(struct weighted *w, struct shelf *s, uint32_t r, uint32_t k,
                      uint32_t to)
{
    uint64_t *item = s->item + s->start[r];
    uint32_t i = item_index(item[k]);

    memmove(item + k, item + k + 1, (s->length[r] - k - 1) * sizeof *item);
    s->length[r]--;
    (void)spend(w, 8 + s->length[r] / 16);
    weighted_move(w, i, to);
    w->moved++;
    w->moves_left -= w->moves_left != UINT64_MAX;
}

/* How many items on the shelf of r weigh at least 'weight': they come first. */
static uint32_t at_least(struct weighted *w, struct shelf *s, uint32_t r, int64_t weight)
{
    const uint64_t *item = shelf_of(w, s, r);
    uint32_t low = 0, high = s->length[r];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (item_weight(item[middle]) >= weight)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* One item from 'from' to 'to' that weighs no more than 'most': the lightest of at least
 * 'wanted', else the heaviest below.  false: there is none. */
static bool hand_one(struct weighted *w, struct shelf *s, uint32_t from, uint32_t to,
                     int64_t wanted, int64_t most)
{
    uint32_t k = at_least(w, s, from, wanted);

    if (!spend(w, 16))
        return false;
    if (k > 0 && item_weight(s->item[s->start[from] + k - 1]) <= most) {
        hand_over(w, s, from, k - 1, to);
        return true;
    }
    if (most >= wanted)
        most = wanted - 1;
    k = most < 0 ? s->length[from] : at_least(w, s, from, most + 1);
    if (k >= s->length[from])
        return false;
    hand_over(w, s, from, k, to);
    return true;
}

struct swap {
    uint32_t partner, mine, other; /* positions on the two shelves */
    int64_t gain, cost;
};

/* The best swap of 'from' with one partner: among those that gain 'wanted' the cheapest,
 * else the one that gains most.  One walk down both shelves. */
static void try_swap(struct weighted *w, struct shelf *s, uint32_t from, uint32_t partner,
                     int64_t wanted, struct swap *best)
{
    const uint64_t *a = shelf_of(w, s, from), *b = shelf_of(w, s, partner);
    int64_t room = w->high[partner] - w->load[partner];
    uint32_t i = s->length[from], steps = 0;

    for (uint32_t j = s->length[partner]; j-- > 0;) {
        int64_t other = item_weight(b[j]);

        /* The lightest of mine that gains enough, or the heaviest below that. */
        while (i > 0 && (int64_t)item_weight(a[i - 1]) - other < wanted) {
            i--;
            steps++;
        }
        for (uint32_t k = i > 0 ? i - 1 : 0; k <= i && k < s->length[from]; k++) {
            int64_t gain = (int64_t)item_weight(a[k]) - other;
            int64_t cost = (int64_t)item_weight(a[k]) + other;
            bool enough = gain >= wanted, had = best->gain >= wanted;

            if (gain <= 0 || gain > room)
                continue;
            if ((enough && (!had || cost < best->cost)) ||
                (!enough && !had && gain > best->gain))
                *best = (struct swap){partner, k, j, gain, cost};
        }
        steps++;
    }
    (void)spend(w, steps);
}

static void set_key(struct weighted *w, uint32_t r, int64_t key)
{
    if (w->fixed[r])
        return;
    w->key[r] = key;
    heap_fix(&w->heap, r);
}

/* A swap with one of the roomiest: the first levels of the heap. */
static bool swap_one(struct weighted *w, struct shelf *s, uint32_t from, int64_t wanted)
{
    struct swap best = {.gain = 0};

    for (uint32_t k = 0; k < w->heap.n && k < PARTNERS && w->work_left > 0; k++)
        if (w->item[k] != from && w->key[w->item[k]] > 0)
            try_swap(w, s, from, w->item[k], wanted, &best);
    if (best.gain == 0 || best.gain < wanted / PARTIAL || w->moves_left < 2)
        return false;
    hand_over(w, s, from, best.mine, best.partner);
    hand_over(w, s, best.partner, best.other, from);
    set_key(w, best.partner, w->high[best.partner] - w->load[best.partner]);
    return true;
}

/* Brings one worker down into its band, as far as it goes. */
static void lower(struct weighted *w, struct shelf *s, uint32_t from)
{
    while (w->load[from] > w->high[from] && w->work_left > 0 && w->moves_left > 0) {
        int64_t wanted = w->load[from] - w->high[from];
        uint32_t to = w->item[0];

        if (w->heap.n > 0 && w->key[to] > 0 &&
            hand_one(w, s, from, to, wanted, w->key[to]))
            set_key(w, to, w->high[to] - w->load[to]);
        else if (!swap_one(w, s, from, wanted))
            break;
    }
    set_key(w, from, w->high[from] - w->load[from]);
}

/* Brings one worker up to its band, from whoever has most above its own lower end. */
static void raise(struct weighted *w, struct shelf *s, uint32_t to)
{
    while (w->load[to] < w->low[to] && w->work_left > 0 && w->moves_left > 0) {
        uint32_t from = w->item[0];
        int64_t room = w->high[to] - w->load[to];
        int64_t most = w->key[from] < room ? w->key[from] : room;

        if (w->heap.n == 0 || most <= 0 || from == to ||
            !hand_one(w, s, from, to, w->low[to] - w->load[to], most))
            break;
        set_key(w, from, w->load[from] - w->low[from]);
    }
    set_key(w, to, w->load[to] - w->low[to]);
}

static bool farther(const void *context, uint32_t a, uint32_t b)
{
    const int64_t *off = context;

    return off[a] != off[b] ? off[a] > off[b] : a < b;
}

/* give[] becomes how far each is outside, need[] the list of those who are. */
static uint32_t list_outside(struct weighted *w, uint32_t *list, bool above)
{
    uint32_t n = 0;

    for (uint32_t r = 0; r < w->n; r++) {
        int64_t off = above ? w->load[r] - w->high[r] : w->low[r] - w->load[r];
        bool bound = above ? w->fleet->role[r] == ROLE_CORDONED : w->fixed[r];

        w->give[r] = off;
        if (off > 0 && !bound)
            list[n++] = r;
    }
    order_sort(list, n, farther, w->give);
    return n;
}

static void fill_heap(struct weighted *w, bool rooms)
{
    w->heap.n = 0;
    for (uint32_t r = 0; r < w->n; r++) {
        if (w->fixed[r])
            continue;
        w->key[r] = rooms ? w->high[r] - w->load[r] : w->load[r] - w->low[r];
        w->item[w->heap.n++] = r;
    }
    heap_build(&w->heap);
}

int32_t weighted_search(struct weighted *w)
{
    struct shelf shelf;
    uint32_t *list = (uint32_t *)w->need, n;

    if (weighted_settled(w) || w->moves_left == 0 || w->work_left == 0)
        return PARTI_OK;
    if (!shelf_fill(w, &shelf))
        return PARTI_NOMEM;
    n = list_outside(w, list, true);
    fill_heap(w, true);
    for (uint32_t k = 0; k < n; k++) {
        if (fleet_stop(w->host))
            return PARTI_CANCELED;
        lower(w, &shelf, list[k]);
    }
    n = list_outside(w, list, false);
    fill_heap(w, false);
    for (uint32_t k = 0; k < n; k++) {
        if (fleet_stop(w->host))
            return PARTI_CANCELED;
        raise(w, &shelf, list[k]);
    }
    return PARTI_OK;
}
