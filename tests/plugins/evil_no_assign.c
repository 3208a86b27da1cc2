/* A strategy without assign(). */
#include "plain.h"

static const struct parti_strategy strategy = PLAIN_STRATEGY(NULL);
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
