/* A source without cancel(). */
#include "plain.h"

static const struct parti_source source = {.size = sizeof source,
                                           .create = plain_create,
                                           .list = plain_list,
                                           .destroy = plain_destroy};
static const struct parti_plugin about = {PLAIN_ABOUT, .source = &source};
PARTI_PLUGIN_ENTRY(about)
