/* One file for two majors: the host takes the entry that it knows. */
#include "plain.h"

PARTI_EXPORT const void *parti_plugin_v2(const void *host);
const void *parti_plugin_v2(const void *host)
{
    return host;
}

static const struct parti_strategy strategy = PLAIN_STRATEGY(plain_assign);
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
