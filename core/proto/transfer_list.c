/* The table of transfer.h as a list: memory, loading, listing, requests. */
#include "proto/transfer.h"

#include "base/must.h"
#include "base/status.h"

#include <string.h>

enum { TEXT_PER_PART = 64 };

static uint32_t text_room(uint32_t parts_max)
{
    return parts_max * TEXT_PER_PART + PART_ID_MAX;
}

size_t transfer_size(uint32_t parts_max, uint32_t seats_max)
{
    size_t list = parts_max * sizeof(struct part) + text_room(parts_max) + 64;
    size_t columns = parts_max * (sizeof(struct bytes) + 4 * sizeof(uint32_t)) + 256;

    return 2 * list + columns + seats_max * sizeof(struct seat) + 64;
}

static bool list_init(struct part_list *l, struct arena *arena, uint32_t parts_max)
{
    l->part = arena_carve(arena, parts_max * sizeof *l->part);
    l->text = arena_carve(arena, text_room(parts_max));
    return l->part != NULL && l->text != NULL;
}

bool transfer_init(struct transfer *t, struct arena *arena, uint32_t parts_max,
                   uint32_t seats_max)
{
    t->parts_max = parts_max;
    t->text_max = text_room(parts_max);
    t->seats_max = seats_max;
    t->seat = arena_carve(arena, seats_max * sizeof *t->seat);
    t->order = arena_carve(arena, parts_max * sizeof *t->order);
    t->ask_id = arena_carve(arena, parts_max * sizeof *t->ask_id);
    t->ask_weight = arena_carve(arena, parts_max * sizeof *t->ask_weight);
    t->ask_prev = arena_carve(arena, parts_max * sizeof *t->ask_prev);
    t->ask_row = arena_carve(arena, parts_max * sizeof *t->ask_row);
    return list_init(&t->now, arena, parts_max) &&
           list_init(&t->spare, arena, parts_max) && t->seat != NULL &&
           t->order != NULL && t->ask_id != NULL && t->ask_weight != NULL &&
           t->ask_prev != NULL && t->ask_row != NULL;
}

void transfer_clear(struct transfer *t)
{
    t->now.n = 0;
    t->now.text_n = 0;
    t->is_open = false;
    t->pending = 0;
    t->unowned = 0;
    t->wanted = 0;
}

static struct bytes id_of(const struct part_list *l, const struct part *p)
{
    return (struct bytes){l->text + p->id_at, p->id_n};
}

/* Appends a copy of 'p' under this id; false when the list is full. */
static bool append(struct transfer *t, struct part_list *l, const struct part *p,
                   struct bytes id)
{
    if (l->n == t->parts_max || id.n > t->text_max - l->text_n)
        return false;
    struct part *copy = &l->part[l->n++];

    *copy = *p;
    copy->id_at = l->text_n;
    copy->id_n = (uint16_t)id.n;
    memcpy(l->text + l->text_n, id.at, id.n);
    l->text_n += (uint32_t)id.n;
    return true;
}

int transfer_load(struct transfer *t, uint32_t num, const void *data, size_t n)
{
    struct own_item item;
    int got = own_read_begin(&t->coder, data, n);

    must(num < t->seats_max);
    if (got < 0)
        return got;
    while ((got = own_read(&t->coder, &item)) > 0) {
        struct part p = {.is_wanted = true,
                         .is_parked = item.is_parked,
                         .weight = item.weight,
                         .owner = num,
                         .desired = num,
                         .since = item.since,
                         .from = item.from};

        if (!append(t, &t->now, &p, item.id))
            return STATUS_LIMIT;
    }
    return got;
}

/* Where the ascending run that starts at 'from' ends. */
static uint32_t run_end(const struct part_list *l, uint32_t from)
{
    uint32_t i = from + 1;

    while (i < l->n &&
           bytes_compare(id_of(l, &l->part[i - 1]), id_of(l, &l->part[i])) < 0)
        i++;
    return i < l->n ? i : l->n;
}

/* Merges neighbouring runs pairwise from t->now into the array 'to'; the number of runs
 * left.  The text stays where it is. */
static uint32_t merge_runs(const struct part_list *l, struct part *to)
{
    uint32_t runs = 0, k = 0;

    for (uint32_t i = 0; i < l->n; runs++) {
        uint32_t middle = run_end(l, i);
        uint32_t end = middle < l->n ? run_end(l, middle) : middle;
        uint32_t a = i, b = middle;

        while (a < middle || b < end) {
            bool take_a =
                b == end || (a < middle && bytes_compare(id_of(l, &l->part[a]),
                                                         id_of(l, &l->part[b])) <= 0);
            to[k++] = l->part[take_a ? a++ : b++];
        }
        i = end;
    }
    return runs;
}

int transfer_load_end(struct transfer *t)
{
    struct part_list *l = &t->now;
    uint32_t runs = l->n;

    /* Each record is one run, so this is P log W.  Two equal ids never become one run:
     * the number of runs then stops falling. */
    while (l->n > 0) {
        uint32_t left = merge_runs(l, t->spare.part);
        struct part *swap = l->part;

        l->part = t->spare.part;
        t->spare.part = swap;
        if (left == 1 || left >= runs)
            break;
        runs = left;
    }
    return l->n == 0 || run_end(l, 0) == l->n ? 0 : STATUS_CORRUPT;
}

/* An entry that the listing no longer has: stays while somebody lists it. */
static bool keep_unlisted(struct transfer *t, const struct part *p,
                          struct listing_change *change)
{
    struct part kept = *p;

    change->removed += p->is_wanted ? 1 : 0;
    if (p->owner == NUM_NONE)
        return true;
    kept.is_wanted = false;
    return append(t, &t->spare, &kept, id_of(&t->now, p));
}

static bool keep_listed(struct transfer *t, const struct part *p, uint32_t weight,
                        struct listing_change *change)
{
    struct part kept = *p;

    change->added += p->is_wanted ? 0 : 1;
    change->reweighted += p->is_wanted && p->weight != weight ? 1 : 0;
    kept.is_wanted = true;
    kept.weight = weight;
    return append(t, &t->spare, &kept, id_of(&t->now, p));
}

int transfer_list(struct transfer *t, const struct bytes *id, const uint32_t *weight,
                  uint32_t n, struct listing_change *ret_change)
{
    struct listing_change change = {0};
    uint32_t i = 0, k = 0;
    bool has_room = true;

    must(!t->is_open);
    t->spare.n = 0;
    t->spare.text_n = 0;
    while (has_room && (i < t->now.n || k < n)) {
        const struct part *p = &t->now.part[i];
        int order = i == t->now.n ? 1
                    : k == n      ? -1
                                  : bytes_compare(id_of(&t->now, p), id[k]);

        if (order < 0) {
            has_room = keep_unlisted(t, p, &change);
            i++;
        } else if (order == 0) {
            has_room = keep_listed(t, p, weight[k], &change);
            i++;
            k++;
        } else {
            struct part fresh = {.is_wanted = true,
                                 .weight = weight[k],
                                 .owner = NUM_NONE,
                                 .desired = NUM_NONE};

            has_room = append(t, &t->spare, &fresh, id[k]);
            change.added++;
            k++;
        }
    }
    if (!has_room)
        return STATUS_LIMIT;

    struct part_list swap = t->now;

    t->now = t->spare;
    t->spare = swap;
    *ret_change = change;
    return 0;
}

void transfer_request(struct transfer *t, struct plan_request *request)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->now.n; i++) {
        const struct part *p = &t->now.part[i];

        if (!p->is_wanted)
            continue;
        t->ask_id[n] = id_of(&t->now, p);
        t->ask_weight[n] = p->weight;
        t->ask_prev[n] = p->owner != NUM_NONE ? p->owner : request->prev_n;
        t->ask_row[n] = i;
        n++;
    }
    request->part_n = n;
    request->part_id = t->ask_id;
    request->part_weight = t->ask_weight;
    request->part_prev = t->ask_prev;
}

void transfer_desire(struct transfer *t, const uint32_t *num, uint32_t n)
{
    must(!t->is_open);
    for (uint32_t i = 0; i < n; i++)
        t->now.part[t->ask_row[i]].desired = num[i];
}

void transfer_desire_present(struct transfer *t)
{
    must(!t->is_open);
    for (uint32_t i = 0; i < t->now.n; i++)
        t->now.part[i].desired = t->now.part[i].owner;
}
