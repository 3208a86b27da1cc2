/* Lists a partition with an empty key between two others. */
#include "plain.h"

static int32_t list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                    struct parti_error *error)
{
    (void)self, (void)budget_ms, (void)error;
    return parti_add(sink,
                     "orders\0\0"
                     "1",
                     9, 100);
}

static const struct parti_source source = PLAIN_SOURCE(list);
static const struct parti_plugin about = {PLAIN_ABOUT, .source = &source};
PARTI_PLUGIN_ENTRY(about)
