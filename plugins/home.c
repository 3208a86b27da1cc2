#include "home.h"

#include <string.h>

static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= HOME_MIX_ONE;
    x ^= x >> 15;
    x *= HOME_MIX_TWO;
    return x ^ (x >> 16);
}

/* All bits below the highest one of x, and that one. */
static uint32_t smear(uint32_t x)
{
    x |= x >> 1;
    x |= x >> 2;
    x |= x >> 4;
    x |= x >> 8;
    return x | (x >> 16);
}

struct home_walk home_start(uint64_t hash)
{
    uint32_t at = mix((uint32_t)hash ^ (uint32_t)(hash >> 32));

    return (struct home_walk){at, at, 0};
}

/* One draw.  Above the highest slot the draw is made again, and one that then falls into
 * a lower level takes the place it would have without the highest level: so growth across
 * a power of two moves nothing but what the new slot takes.  Returns the slot, or
 * UINT32_MAX when it is empty or refuses. */
static uint32_t draw(const struct home *h, struct home_walk *walk)
{
    bool low = (walk->at & h->half) == 0;
    uint32_t key = low ? walk->base : walk->at;
    uint32_t bits = key & (low ? h->half - 1 : 2 * h->half - 1);
    uint32_t all = smear(bits), below = all >> 1;
    uint32_t x = (key ^ (below * HOME_LEVEL)) * HOME_PLACE;
    uint32_t slot = (all - below) | ((x ^ (x >> 15)) & below);
    bool hit = (key * HOME_REFUSE) >> 2 < h->sure[slot];
    bool beyond = slot >= h->slots;
    uint32_t next = mix(beyond ? walk->at ^ HOME_RETRY : walk->base + HOME_PROBE);

    walk->at = next;
    walk->base = beyond ? walk->base : next;
    walk->steps++;
    return hit ? slot : UINT32_MAX;
}

/* A sparse table or tiny capacities use up the steps: one of the workers must do. */
static uint32_t anyone(const struct home *h, uint32_t base)
{
    return h->listed[(uint64_t)base * h->listed_n >> 32];
}

uint32_t home_next(const struct home *h, struct home_walk *walk)
{
    while (walk->steps < HOME_STEPS) {
        uint32_t slot = draw(h, walk);

        if (slot != UINT32_MAX)
            return h->rank[slot];
    }
    walk->base = mix(walk->base + HOME_PROBE);
    return anyone(h, walk->base);
}

void home_slots_plain(const struct home *h, const uint64_t *hash, const uint32_t *pick,
                      uint32_t n, uint32_t *ret_slot)
{
    for (uint32_t i = 0; i < n; i++) {
        struct home_walk walk = home_start(hash[pick[i]]);
        uint32_t slot = UINT32_MAX;

        while (slot == UINT32_MAX && walk.steps < HOME_STEPS)
            slot = draw(h, &walk);
        ret_slot[i] = slot;
    }
}

void home_of(const struct home *h, const uint64_t *hash, const uint32_t *pick, uint32_t n,
             uint32_t *ret_rank)
{
    if (h->wide)
        home_slots_wide(h, hash, pick, n, ret_rank);
    else
        home_slots_plain(h, hash, pick, n, ret_rank);
    for (uint32_t i = 0; i < n; i++) {
        if (ret_rank[i] != UINT32_MAX) {
            ret_rank[i] = h->rank[ret_rank[i]];
        } else {
            struct home_walk walk = home_start(hash[pick[i]]);

            ret_rank[i] = home_next(h, &walk);
        }
    }
}

/* A worker of capacity c accepts c / largest of its draws, and at least some. */
static uint32_t sure_of(const struct fleet *f, uint32_t r, uint32_t largest)
{
    if (f->role[r] == ROLE_LEAVING)
        return 0;
    if (f->role[r] == ROLE_CORDONED || f->capacity[r] == largest)
        return HOME_SURE;

    uint64_t sure = (uint64_t)f->capacity[r] * HOME_SURE / largest;

    return sure > 0 ? (uint32_t)sure : 1;
}

bool home_build(struct home *h, const struct fleet *f)
{
    bool ranks = f->slot[f->n - 1] >= HOME_SLOTS;
    uint32_t largest = 0, half = 1;

    for (uint32_t r = 0; r < f->n; r++) {
        if (f->role[r] != ROLE_LEAVING)
            h->slots = (ranks ? r : f->slot[r]) + 1;
        largest = f->capacity[r] > largest ? f->capacity[r] : largest;
    }
    while (half * 2 < h->slots)
        half *= 2;
    h->half = half;
    h->sure = block_need(&h->memory, 4 * (uint64_t)half + f->n, sizeof *h->sure);
    if (h->sure == NULL)
        return false;
    h->rank = h->sure + 2 * (size_t)half;
    h->listed = h->rank + 2 * (size_t)half;
    h->listed_n = 0;
    memset(h->sure, 0, 4 * (size_t)half * sizeof *h->sure);
    for (uint32_t r = 0; r < f->n; r++) {
        uint32_t slot = ranks ? r : f->slot[r];
        uint32_t sure = sure_of(f, r, largest);

        if (sure == 0 || h->sure[slot] != 0)
            continue;
        h->sure[slot] = sure;
        h->rank[slot] = r;
        h->listed[h->listed_n++] = r;
    }
    h->wide = home_is_wide();
    return true;
}

void home_finish(struct home *h)
{
    block_finish(&h->memory);
}
