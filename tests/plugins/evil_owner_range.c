/* Gives the last partition to a worker that is not there. */
#include "plain.h"

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    (void)plain_assign(self, world, owner, error);
    if (world->part_n > 0)
        owner[world->part_n - 1] = world->worker_n + 5;
    return PARTI_OK;
}

static const struct parti_strategy strategy = PLAIN_STRATEGY(assign);
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
