/* A plan request copied into the columns of struct parti_world, in one block.
 *
 * Workers are put in ascending order of their numbers, as the plugin interface
 * promises; order[] leads back.  For strategy*.c.  Read-only once hashed.
 */
#ifndef PARTI_HOST_STRATEGY_WORLD_H
#define PARTI_HOST_STRATEGY_WORLD_H

#include "parti_plugin.h"
#include "proto/action.h"

/* What the host asks of every plan.  Zeroed fields mean the defaults named here. */
struct strategy_policy {
    uint64_t seed;          /* the same for every plan of a group: a plan made twice must
                               come out alike */
    uint32_t tolerance_ppm; /* 0: 10000, one percent of the mean */
    uint64_t moves_max;     /* 0: no budget */
    uint64_t work_max;      /* 0: STRATEGY_WORK_PER_ROW steps for each partition and
                               worker */
};

enum { STRATEGY_TOLERANCE_PPM = 10000, STRATEGY_WORK_PER_ROW = 64 };

struct strategy_world {
    struct parti_world world;
    uint64_t plan;
    const uint32_t *order; /* worker of the world -> worker of the request */
    bool can_place;        /* may anybody be given anything? */
    uint64_t *part_hash;   /* the world's column, until it is hashed */
};

/* Copies everything.  The request must obey event.h and action.h: ids ascend, indices
 * in range, numbers of workers distinct.  0 or STATUS_NOMEM. */
int strategy_world_create(const struct plan_request *request,
                          const struct strategy_policy *policy,
                          struct strategy_world **ret);

/* Fills in the hashes of the partitions: taken from 'last' (may be NULL) when it has the
 * very same ids.  Returns whether they were taken over. */
bool strategy_world_hash(struct strategy_world *w, const struct strategy_world *last);

/* The present index of the worker who had partition i, worker_n for nobody. */
static inline uint32_t strategy_world_held(const struct parti_world *w, uint64_t i)
{
    return w->prev_to_now[w->part_prev[i]];
}

void strategy_world_destroy(struct strategy_world *w);

#endif
