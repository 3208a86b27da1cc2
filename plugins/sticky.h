/* The exact sticky core: how many partitions each worker ends with, and who gives and
 * gets how many, when every partition counts the same.
 *
 * For the strategies in this folder only.  Quotas are shares of the capacity by largest
 * remainder, so counts of workers with equal capacity differ by one at most.  Whatever
 * partitions are then given away, sum of min(held, quota) stay, and with these quotas no
 * assignment keeps more; where remainders tie, the bigger quota goes to the larger
 * holder, which makes that sum the largest possible.
 */
#ifndef PARTI_PLUGINS_STICKY_H
#define PARTI_PLUGINS_STICKY_H

#include "fleet.h"

struct sticky {
    struct fleet fleet;
    const struct parti_host *host;
    uint32_t *held; /* [n + 1] by rank; held[n] is the count of orphans */
    uint32_t *give; /* [n + 1] how many more to take away; give[n]: orphans */
    uint32_t *need; /* [n + 1] how many more to hand out; need[n] == 0 */
    uint32_t *ring; /* [n + 1] scratch of the caller */
    uint64_t moves; /* sum of give, give[n] included; equals the sum of need */

    struct block counts, lanes;
};

/* Reads the world, counts what is held and plans.  No more than world->moves_max
 * partitions are taken from workers that may keep theirs: the fullest give, the
 * emptiest get.  Answers what fleet_read() does, and PARTI_CANCELED. */
int32_t sticky_plan(struct sticky *sticky, const struct parti_world *world,
                    struct parti_error *error);

/* Writes to owner[from .. part_n) the worker that has the partition now. */
void sticky_keep(const struct sticky *sticky, const struct parti_world *world,
                 uint32_t *owner, uint64_t from);

/* Carries out the plan in the order of partitions: each worker gives the first it
 * holds, and the needy take turns.  Answers PARTI_OK or PARTI_CANCELED. */
int32_t sticky_deal(struct sticky *sticky, const struct parti_world *world,
                    uint32_t *owner);

void sticky_finish(struct sticky *sticky);

#endif
