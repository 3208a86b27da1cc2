#include "fleet.h"
#include "order.h"

void *block_need(struct block *block, uint64_t n, size_t each)
{
    if (n > SIZE_MAX / each)
        return NULL;

    size_t size = (size_t)n * each;

    if (block->bytes == NULL || size > block->size) {
        free(block->bytes);
        block->size = 0;
        block->bytes = malloc(size > 0 ? size : 1);
        if (block->bytes != NULL)
            block->size = size;
    }
    return block->bytes;
}

void block_finish(struct block *block)
{
    free(block->bytes);
    *block = (struct block){0};
}

void fleet_finish(struct fleet *fleet)
{
    block_finish(&fleet->memory);
    block_finish(&fleet->ordering);
}

static bool before(const void *world, uint32_t a, uint32_t b)
{
    const struct parti_world *w = world;

    if (w->worker_slot[a] != w->worker_slot[b])
        return w->worker_slot[a] < w->worker_slot[b];
    if (w->worker_hash[a] != w->worker_hash[b])
        return w->worker_hash[a] < w->worker_hash[b];
    return a < b;
}

static bool in_order(const struct parti_world *w)
{
    for (uint32_t i = 1; i < w->worker_n; i++)
        if (!before(w, i - 1, i))
            return false;
    return true;
}

struct classes {
    bool normal;  /* somebody is neither draining nor cordoned */
    bool weighed; /* and has a capacity above 0 */
};

static struct classes classify(const struct parti_world *w)
{
    struct classes c = {false, false};

    for (uint32_t i = 0; i < w->worker_n; i++) {
        if (w->worker_flags[i] & (PARTI_WORKER_DRAINING | PARTI_WORKER_CORDONED))
            continue;
        c.normal = true;
        c.weighed |= w->worker_capacity[i] > 0;
    }
    return c;
}

static enum role role_of(struct classes c, uint32_t flags, uint32_t capacity)
{
    if (flags & PARTI_WORKER_DRAINING)
        return ROLE_LEAVING;
    if (flags & PARTI_WORKER_CORDONED)
        return ROLE_CORDONED;
    return capacity > 0 || !c.weighed ? ROLE_RECEIVER : ROLE_LEAVING;
}

/* Slots and capacities are the world's own columns where these say the same. */
static bool columns_do(const struct parti_world *w, struct classes c)
{
    for (uint32_t i = 0; i < w->worker_n; i++)
        if (role_of(c, w->worker_flags[i], w->worker_capacity[i]) != ROLE_RECEIVER)
            return false;
    return c.weighed;
}

static void sum_capacities(struct fleet *f)
{
    uint32_t low = UINT32_MAX, high = 0;

    f->capacity_sum = 0;
    f->receivers = 0;
    for (uint32_t r = 0; r < f->n; r++) {
        uint32_t capacity = f->capacity[r];

        if (f->role[r] != ROLE_RECEIVER)
            continue;
        f->capacity_sum += capacity;
        f->receivers++;
        low = capacity < low ? capacity : low;
        high = capacity > high ? capacity : high;
    }
    f->equal = low == high;
}

/* order[0 .. n) by rank, and behind it the ranks by index. */
static void rank_workers(const struct parti_world *w, uint32_t *order)
{
    uint32_t n = w->worker_n;

    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    order_sort(order, n, before, w);
    for (uint32_t r = 0; r < n; r++)
        order[n + order[r]] = r;
}

/* Roles, and unless 'slot' is NULL slots and, behind them, capacities by rank. */
static void read_roles(const struct parti_world *w, struct classes c,
                       const uint32_t *order, uint8_t *role, uint32_t *slot)
{
    for (uint32_t r = 0; r < w->worker_n; r++) {
        uint32_t i = order == NULL ? r : order[r], capacity = w->worker_capacity[i];

        role[r] = (uint8_t)role_of(c, w->worker_flags[i], capacity);
        if (slot == NULL)
            continue;
        slot[r] = w->worker_slot[i];
        if (role[r] != ROLE_RECEIVER)
            capacity = 0;
        else if (!c.weighed)
            capacity = 1;
        slot[w->worker_n + r] = capacity;
    }
}

static void map_previous(const struct parti_world *w, const uint32_t *rank,
                         const uint8_t *role, uint32_t *map)
{
    uint32_t n = w->worker_n;

    for (uint32_t p = 0; p < w->prev_n; p++) {
        uint32_t now = w->prev_to_now[p];
        uint32_t r = now >= n ? n : rank == NULL ? now : rank[now];

        map[p] = r < n && role[r] != ROLE_LEAVING ? r : n;
    }
    map[w->prev_n] = n;
}

int32_t fleet_read(struct fleet *f, const struct parti_world *w,
                   struct parti_error *error)
{
    uint32_t n = w->worker_n;

    if (w->part_n > UINT32_MAX - 16u || n > INT32_MAX || w->prev_n > INT32_MAX)
        return parti_fail(error, PARTI_BADINPUT,
                          "%llu partitions among %u workers: a strategy counts up to "
                          "4294967279 partitions and 2147483647 workers",
                          (unsigned long long)w->part_n, n);

    struct classes c = classify(w);
    bool sorted = in_order(w);

    if (!c.normal)
        return PARTI_KEEP;

    /* One block: map, roles, slots and capacities by rank; then the order, if any. */
    bool plain = sorted && columns_do(w, c);
    uint32_t *map = block_need(
        &f->memory, (uint64_t)w->prev_n + 1 + n / 4 + 1 + (plain ? 0 : 2 * (uint64_t)n),
        sizeof *map);
    uint32_t *order =
        sorted ? NULL : block_need(&f->ordering, 2 * (uint64_t)n, sizeof *order);

    if (map == NULL || (order == NULL && !sorted))
        return PARTI_NOMEM;

    uint8_t *role = (uint8_t *)(map + w->prev_n + 1);
    uint32_t *slot = map + w->prev_n + 1 + n / 4 + 1;

    f->n = n;
    f->prev_n = w->prev_n;
    f->map = map;
    f->order = order;
    f->role = role;
    f->slot = plain ? w->worker_slot : slot;
    f->capacity = plain ? w->worker_capacity : slot + n;
    if (order != NULL)
        rank_workers(w, order);
    read_roles(w, c, order, role, plain ? NULL : slot);
    sum_capacities(f);
    map_previous(w, order == NULL ? NULL : order + n, role, map);
    return PARTI_OK;
}

void fleet_translate(const struct fleet *f, uint32_t *owner, uint64_t n)
{
    if (f->order == NULL)
        return;
    for (uint64_t i = 0; i < n; i++)
        owner[i] = f->order[owner[i]];
}
