/* A descriptor with an empty id. */
#include "plain.h"

static const struct parti_strategy strategy = PLAIN_STRATEGY(plain_assign);
static const struct parti_plugin about = {
    .size = sizeof about, .id = "", .version = "1.0.0", .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
