#include "host/strategy_world.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 20, COLUMN_SLACK = 16 }; /* of the one block: columns and alignment */

/* What PARTI_EVENT_COLD means is a matter of fact, not of cause. */
static uint32_t event_of(const struct plan_request *r)
{
    bool is_cold = true;

    for (uint32_t i = 0; i < r->part_n && is_cold; i++)
        is_cold = r->part_prev[i] == r->prev_n;
    if (is_cold)
        return PARTI_EVENT_COLD;
    switch (r->cause) {
    case CAUSE_EMERGENCY:
    case CAUSE_RESTART: return PARTI_EVENT_EMERGENCY;
    case CAUSE_REFRESH: return PARTI_EVENT_REFRESH;
    case CAUSE_COLD_START:
    case CAUSE_SCALE:
    case CAUSE_LEAVE:
    case CAUSE_JOIN:
    case CAUSE_RELEASE:
    case CAUSE_DROP: return PARTI_EVENT_SCALE;
    }
    must(!"a cause");
    return 0;
}

static size_t id_bytes(const struct plan_request *r)
{
    size_t n = 0;

    for (uint32_t i = 0; i < r->part_n; i++)
        n += r->part_id[i].n;
    return n;
}

static size_t worker_bytes(const struct plan_request *r)
{
    size_t n = 0;

    for (uint32_t i = 0; i < r->worker_n; i++)
        n += strlen(r->worker[i].id) + strlen(r->worker[i].zone);
    return n;
}

static size_t block_size(const struct plan_request *r)
{
    size_t parts = (size_t)r->part_n * (2 * sizeof(uint64_t) + 2 * sizeof(uint32_t));
    size_t workers = (size_t)r->worker_n * (3 * sizeof(uint64_t) + 6 * sizeof(uint32_t));
    size_t previous = ((size_t)r->prev_n + 1) * sizeof(uint32_t);

    return parts + workers + previous + id_bytes(r) + worker_bytes(r) +
           COLUMNS * COLUMN_SLACK;
}

static void *carve(struct arena *a, size_t count, size_t size)
{
    void *at = arena_carve(a, count * size);

    must(at != NULL);
    return at;
}

#define CARVE(arena, type, count) ((type *)carve((arena), (count), sizeof(type)))

static void copy_parts(struct strategy_world *w, struct arena *a,
                       const struct plan_request *r)
{
    struct parti_world *world = &w->world;
    char *bytes = CARVE(a, char, id_bytes(r));
    uint64_t *end = CARVE(a, uint64_t, r->part_n);
    uint32_t *weight = CARVE(a, uint32_t, r->part_n);
    uint32_t *prev = CARVE(a, uint32_t, r->part_n);
    uint64_t at = 0;

    for (uint32_t i = 0; i < r->part_n; i++) {
        must(i == 0 || bytes_compare(r->part_id[i - 1], r->part_id[i]) < 0);
        must(r->part_prev[i] <= r->prev_n);
        memcpy(bytes + at, r->part_id[i].at, r->part_id[i].n);
        at += r->part_id[i].n;
        end[i] = at;
        weight[i] = r->part_weight[i];
        prev[i] = r->part_prev[i];
    }
    w->part_hash = CARVE(a, uint64_t, r->part_n);
    world->part_n = r->part_n;
    world->part_id = (struct parti_strs){bytes, end, r->part_n};
    world->part_weight = weight;
    world->part_prev = prev;
}

static bool is_sorted(const uint32_t *order, const struct plan_request *r)
{
    for (uint32_t i = 1; i < r->worker_n; i++)
        if (r->worker[order[i - 1]].num >= r->worker[order[i]].num)
            return false;
    return true;
}

/* The request's workers in ascending order of their numbers.  Shell's sort: few rows,
 * no memory, no callback. */
static void sort_workers(uint32_t *order, const struct plan_request *r)
{
    for (uint32_t i = 0; i < r->worker_n; i++)
        order[i] = i;
    for (uint32_t gap = r->worker_n / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < r->worker_n; i++) {
            uint32_t moving = order[i], k = i;

            for (; k >= gap && r->worker[order[k - gap]].num > r->worker[moving].num;
                 k -= gap)
                order[k] = order[k - gap];
            order[k] = moving;
        }
    must(is_sorted(order, r));
}

static void copy_workers(struct strategy_world *w, struct arena *a,
                         const struct plan_request *r)
{
    struct parti_world *world = &w->world;
    uint32_t *order = CARVE(a, uint32_t, r->worker_n);
    char *bytes = CARVE(a, char, worker_bytes(r));
    uint64_t *end = CARVE(a, uint64_t, r->worker_n);
    uint64_t *hash = CARVE(a, uint64_t, r->worker_n);
    uint32_t *slot = CARVE(a, uint32_t, r->worker_n);
    uint32_t *capacity = CARVE(a, uint32_t, r->worker_n);
    uint32_t *flags = CARVE(a, uint32_t, r->worker_n);
    uint64_t at = 0;

    sort_workers(order, r);
    for (uint32_t i = 0; i < r->worker_n; i++) {
        const struct plan_worker *from = &r->worker[order[i]];
        size_t n = strlen(from->id);

        memcpy(bytes + at, from->id, n);
        hash[i] = hash_bytes(from->id, n);
        at += n;
        end[i] = at;
        slot[i] = from->num;
        capacity[i] = from->capacity;
        flags[i] = (from->is_new ? PARTI_WORKER_NEW : 0u) |
                   (from->is_draining ? PARTI_WORKER_DRAINING : 0u) |
                   (from->is_cordoned ? PARTI_WORKER_CORDONED : 0u);
        w->can_place = w->can_place || (!from->is_draining && !from->is_cordoned);
    }
    w->order = order;
    world->worker_n = r->worker_n;
    world->worker_id = (struct parti_strs){bytes, end, r->worker_n};
    world->worker_slot = slot;
    world->worker_hash = hash;
    world->worker_capacity = capacity;
    world->worker_flags = flags;
}

/* Zones in order of first mention by the sorted workers; a NULL column when there are
 * none. */
static void copy_zones(struct strategy_world *w, struct arena *a,
                       const struct plan_request *r)
{
    struct parti_world *world = &w->world;
    char *bytes = CARVE(a, char, worker_bytes(r));
    uint64_t *end = CARVE(a, uint64_t, r->worker_n);
    uint32_t *zone = CARVE(a, uint32_t, r->worker_n);
    uint32_t zone_n = 0;
    uint64_t at = 0;

    for (uint32_t i = 0; i < r->worker_n; i++) {
        const char *name = r->worker[w->order[i]].zone;
        size_t n = strlen(name);
        uint32_t z = 0;

        while (z < zone_n) {
            uint64_t from = z == 0 ? 0 : end[z - 1];

            if (end[z] - from == n && memcmp(bytes + from, name, n) == 0)
                break;
            z++;
        }
        if (n == 0)
            z = UINT32_MAX;
        else if (z == zone_n) {
            memcpy(bytes + at, name, n);
            at += n;
            end[zone_n++] = at;
        }
        zone[i] = z;
    }
    for (uint32_t i = 0; i < r->worker_n; i++)
        if (zone[i] == UINT32_MAX)
            zone[i] = zone_n;
    world->zone = (struct parti_strs){bytes, end, zone_n};
    world->worker_zone = zone_n > 0 ? zone : NULL;
}

static void copy_previous(struct strategy_world *w, struct arena *a,
                          const struct plan_request *r)
{
    uint32_t *map = CARVE(a, uint32_t, (size_t)r->prev_n + 1);
    uint32_t *back = CARVE(a, uint32_t, (size_t)r->worker_n + 1);

    for (uint32_t i = 0; i < r->worker_n; i++)
        back[w->order[i]] = i;
    back[r->worker_n] = r->worker_n;
    for (uint32_t i = 0; i <= r->prev_n; i++) {
        must(r->prev_to_now[i] <= r->worker_n);
        map[i] = back[r->prev_to_now[i]];
    }
    must(map[r->prev_n] == r->worker_n);
    w->world.prev_n = r->prev_n;
    w->world.prev_to_now = map;
}

int strategy_world_create(const struct plan_request *r,
                          const struct strategy_policy *policy,
                          struct strategy_world **ret)
{
    /* 'back' and the zones' bytes come on top of the columns that stay. */
    size_t size = block_size(r) + worker_bytes(r) +
                  ((size_t)r->worker_n + 1) * sizeof(uint32_t) +
                  sizeof(struct strategy_world);
    void *block = calloc(1, size);
    uint64_t rows = (uint64_t)r->part_n + r->worker_n;
    struct arena arena;

    if (block == NULL)
        return STATUS_NOMEM;
    arena_init(&arena, block, size);
    struct strategy_world *w = CARVE(&arena, struct strategy_world, 1);
    must((void *)w == block);
    w->plan = r->plan;
    w->world.size = sizeof w->world;
    w->world.event = event_of(r);
    w->world.epoch = r->stamp.epoch;
    w->world.seed = policy->seed;
    w->world.tolerance_ppm =
        policy->tolerance_ppm != 0 ? policy->tolerance_ppm : STRATEGY_TOLERANCE_PPM;
    w->world.moves_max = policy->moves_max != 0 ? policy->moves_max : UINT64_MAX;
    w->world.work_max =
        policy->work_max != 0 ? policy->work_max : rows * STRATEGY_WORK_PER_ROW;
    copy_parts(w, &arena, r);
    copy_workers(w, &arena, r);
    copy_zones(w, &arena, r);
    copy_previous(w, &arena, r);
    *ret = w;
    return STATUS_OK;
}

static bool same_ids(const struct parti_strs *a, const struct parti_strs *b)
{
    uint64_t n = a->n == 0 ? 0 : a->end[a->n - 1];

    return a->n == b->n &&
           (a->n == 0 || (memcmp(a->end, b->end, a->n * sizeof *a->end) == 0 &&
                          memcmp(a->bytes, b->bytes, n) == 0));
}

bool strategy_world_hash(struct strategy_world *w, const struct strategy_world *last)
{
    const struct parti_strs *id = &w->world.part_id;
    bool is_known = last != NULL && same_ids(id, &last->world.part_id);

    w->world.part_hash = w->part_hash;
    if (is_known) {
        memcpy(w->part_hash, last->world.part_hash, id->n * sizeof *w->part_hash);
        return true;
    }
    for (uint64_t i = 0; i < id->n; i++) {
        uint64_t from = i == 0 ? 0 : id->end[i - 1];

        w->part_hash[i] = hash_bytes(id->bytes + from, (size_t)(id->end[i] - from));
    }
    return false;
}

void strategy_world_destroy(struct strategy_world *w)
{
    free(w); /* the head of its own block */
}
