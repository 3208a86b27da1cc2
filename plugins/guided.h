/* Home-guided sticky: the plan of sticky.h decides how many partitions move, homes
 * decide which of them and where.  So a worker that leaves and returns gets nearly all
 * of its own back, at no move more than plain sticky.
 *
 * For the strategies in this folder only: consistent_hash is this, and weighted is this
 * when all weights are the same.
 */
#ifndef PARTI_PLUGINS_GUIDED_H
#define PARTI_PLUGINS_GUIDED_H

#include "home.h"
#include "sticky.h"

struct guided {
    struct sticky sticky;
    struct home home;
    uint32_t pick[HOME_BLOCK], at_home[HOME_BLOCK];
};

/* Writes ranks to owner[]; answers what sticky_plan() does. */
int32_t guided_assign(struct guided *guided, const struct parti_world *world,
                      uint32_t *owner, struct parti_error *error);

void guided_finish(struct guided *guided);

#endif
