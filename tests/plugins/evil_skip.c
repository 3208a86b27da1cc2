/* Answers every row but the middle one. */
#include "plain.h"

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    (void)self, (void)error;
    for (uint64_t i = 0; i < world->part_n; i++)
        if (i != world->part_n / 2)
            owner[i] = (uint32_t)(i % world->worker_n);
    return PARTI_OK;
}

static const struct parti_strategy strategy = PLAIN_STRATEGY(assign);
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
