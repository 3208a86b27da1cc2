/* Wants a function that no library has, as if the host exported one. */
#include "plain.h"

extern void parti_host_secret_function(void);

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    parti_host_secret_function();
    return plain_assign(self, world, owner, error);
}

static const struct parti_strategy strategy = PLAIN_STRATEGY(assign);
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
