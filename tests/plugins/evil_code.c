/* Answers a code that nobody knows, with a text that has no end. */
#include "plain.h"

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    (void)plain_assign(self, world, owner, error);
    memset(error->text, 'x', sizeof error->text);
    return 4711;
}

static const struct parti_strategy strategy = PLAIN_STRATEGY(assign);
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
