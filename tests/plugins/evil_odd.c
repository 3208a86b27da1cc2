/* A table whose size is no multiple of 8, as if its writer had packed it. */
#include "plain.h"

static const struct parti_strategy strategy = {.size = sizeof strategy + 4,
                                               .create = plain_create,
                                               .assign = plain_assign,
                                               .destroy = plain_destroy};
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
