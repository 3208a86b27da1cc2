/* The parts of the weighted strategy: what they share.
 *
 * For plugins/weighted*.c only.  A call goes through these steps; each leaves owner[] and
 * load[] in agreement, so that any of them may be the last:
 *
 *   read     loads of what is held; orphans have owner n          weighted_plan.c
 *   level    giants on their own workers, a band for the others   weighted_plan.c
 *   pack     what is a good part of a share, by heavy load        weighted_pack.c
 *   place    orphans: heavy ones by LPT, light ones by home       weighted_place.c
 *   shift    from above the band to below it, as little as does   weighted_shift.c
 *   search   what is still outside: best single moves and swaps   weighted_search.c
 *
 * and once more from pack, while that brings down what is above the band.
 *
 * All sums are int64_t; weighted_read() refuses a world whose sum is above 2^62.
 */
#ifndef PARTI_PLUGINS_WEIGHTED_H
#define PARTI_PLUGINS_WEIGHTED_H

#include "guided.h"
#include "order.h"

enum { WEIGHTED_MILLION = 1000000 };

struct weighted {
    struct guided guided; /* the answer for equal weights; lends fleet and homes */
    const struct parti_host *host;
    int64_t delta_option; /* ppm; < 0: what the world says */

    /* one call */
    const struct parti_world *world;
    const struct fleet *fleet;
    uint32_t *owner;
    uint32_t n;          /* workers; as owner: orphan */
    int64_t delta;       /* ppm */
    uint64_t moves_left; /* of partitions whose worker could keep them */
    uint64_t work_left;  /* steps of the search */
    uint64_t moved;      /* since weighted_shift() began */
    uint64_t orphans;    /* still to be placed */
    uint32_t weight_min, weight_max;
    int64_t level_num, level_den; /* load for one unit of capacity, giants apart */

    /* by rank, [n + 1] */
    int64_t *load;
    int64_t *target, *high, *low; /* the band; all the same for a fixed load */
    int64_t *give, *need;         /* of the shift */
    int64_t *key;                 /* of the heap */
    uint32_t *item, *place;       /* of the heap */
    uint32_t *spare;              /* [2 * n] of another heap */
    uint8_t *fixed;               /* cordoned, or home of a giant: gets nothing more */
    struct heap heap;

    struct block ranks, lanes, items, lists, before;
};

/* Each answers PARTI_OK, PARTI_NOMEM or PARTI_CANCELED; weighted_read() also what
 * fleet_read() does. */
int32_t weighted_read(struct weighted *w, struct parti_error *error);
int32_t weighted_level(struct weighted *w);
int32_t weighted_pack(struct weighted *w, bool stuck);
int32_t weighted_place(struct weighted *w);
int32_t weighted_shift(struct weighted *w);
int32_t weighted_search(struct weighted *w);

/* What lies above the bands, in all; cordoned workers apart. */
int64_t weighted_excess(const struct weighted *w);

/* Is every load in its band? */
bool weighted_settled(const struct weighted *w);

/* Makes the heap hold who may receive, by the room below the target; and who of them has
 * most of it, as long as loads only grow. */
void weighted_rooms(struct weighted *w);
uint32_t weighted_roomiest(struct weighted *w);

/* Moves partition i to the worker 'to'; its weight leaves load[owner[i]]. */
static inline void weighted_move(struct weighted *w, uint64_t i, uint32_t to)
{
    int64_t weight = w->world->part_weight[i];

    w->load[w->owner[i]] -= weight;
    w->load[to] += weight;
    w->owner[i] = to;
}

#endif
