/* Neither a strategy nor a source. */
#include "plain.h"

static const struct parti_plugin about = {PLAIN_ABOUT};
PARTI_PLUGIN_ENTRY(about)
