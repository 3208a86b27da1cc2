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

static uint32_t at_rank(const uint32_t *order, uint32_t rank)
{
    return order == NULL ? rank : order[rank];
}

/* Who may serve at all, by the three rules in the header. */
struct classes {
    bool normal;  /* somebody is neither draining nor cordoned */
    bool weighed; /* and has a capacity above 0 */
    bool present; /* somebody is not draining */
};

static struct classes classify(const struct parti_world *w)
{
    struct classes c = {false, false, false};

    for (uint32_t i = 0; i < w->worker_n; i++) {
        uint32_t flags = w->worker_flags[i];

        if (flags & PARTI_WORKER_DRAINING)
            continue;
        c.present = true;
        if (flags & PARTI_WORKER_CORDONED)
            continue;
        c.normal = true;
        c.weighed |= w->worker_capacity[i] > 0;
    }
    if (!c.normal)
        for (uint32_t i = 0; i < w->worker_n; i++)
            c.weighed |= !(w->worker_flags[i] & PARTI_WORKER_DRAINING) &&
                         w->worker_capacity[i] > 0;
    return c;
}

static enum role role_of(struct classes c, uint32_t flags, uint32_t capacity)
{
    if (flags & PARTI_WORKER_DRAINING)
        return ROLE_LEAVING;
    if ((flags & PARTI_WORKER_CORDONED) && c.normal)
        return ROLE_CORDONED;
    return capacity > 0 || !c.weighed ? ROLE_RECEIVER : ROLE_LEAVING;
}

static void read_workers(struct fleet *f, const struct parti_world *w, struct classes c,
                         uint32_t *slot, uint32_t *capacity, uint8_t *role)
{
    uint32_t low = UINT32_MAX, high = 0;

    f->capacity_sum = 0;
    f->receivers = 0;
    for (uint32_t r = 0; r < f->n; r++) {
        uint32_t i = at_rank(f->order, r);

        slot[r] = w->worker_slot[i];
        role[r] = (uint8_t)role_of(c, w->worker_flags[i], w->worker_capacity[i]);
        capacity[r] = 0;
        if (role[r] != ROLE_RECEIVER)
            continue;
        capacity[r] = c.weighed ? w->worker_capacity[i] : 1;
        f->capacity_sum += capacity[r];
        f->receivers++;
        low = capacity[r] < low ? capacity[r] : low;
        high = capacity[r] > high ? capacity[r] : high;
    }
    f->equal = low == high;
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

    if (!c.present)
        return PARTI_KEEP;

    /* One block: map, slots and capacities by rank, roles; then the order, if any. */
    uint32_t *map = block_need(
        &f->memory, (uint64_t)w->prev_n + 1 + 2 * (uint64_t)n + n / 4 + 1, sizeof *map);
    uint32_t *order =
        sorted ? NULL : block_need(&f->ordering, 2 * (uint64_t)n, sizeof *order);

    if (map == NULL || (order == NULL && !sorted))
        return PARTI_NOMEM;

    uint32_t *slot = map + w->prev_n + 1, *capacity = slot + n;
    uint8_t *role = (uint8_t *)(capacity + n);
    uint32_t *rank = order == NULL ? NULL : order + n;

    for (uint32_t i = 0; i < n && order != NULL; i++)
        order[i] = i;
    if (order != NULL)
        order_sort(order, n, before, w);
    for (uint32_t r = 0; r < n && order != NULL; r++)
        rank[order[r]] = r;
    f->n = n;
    f->prev_n = w->prev_n;
    f->order = order;
    read_workers(f, w, c, slot, capacity, role);
    for (uint32_t p = 0; p < w->prev_n; p++) {
        uint32_t now = w->prev_to_now[p];
        uint32_t r = now >= n ? n : rank == NULL ? now : rank[now];

        map[p] = r < n && role[r] != ROLE_LEAVING ? r : n;
    }
    map[w->prev_n] = n;
    f->map = map;
    f->slot = slot;
    f->capacity = capacity;
    f->role = role;
    return PARTI_OK;
}

void fleet_translate(const struct fleet *f, uint32_t *owner, uint64_t n)
{
    if (f->order == NULL)
        return;
    for (uint64_t i = 0; i < n; i++)
        owner[i] = f->order[owner[i]];
}
