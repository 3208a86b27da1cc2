/* Says "keep the present" where there is no present. */
#include "plain.h"

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    (void)self, (void)world, (void)owner, (void)error;
    return PARTI_KEEP;
}

static const struct parti_strategy strategy = PLAIN_STRATEGY(assign);
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
