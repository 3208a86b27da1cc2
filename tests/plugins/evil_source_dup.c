/* Lists one partition twice. */
#include "plain.h"

static int32_t list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                    struct parti_error *error)
{
    int32_t code = plain_list(self, sink, budget_ms, error);

    return code != PARTI_OK ? code : plain_list(self, sink, budget_ms, error);
}

static const struct parti_source source = PLAIN_SOURCE(list);
static const struct parti_plugin about = {PLAIN_ABOUT, .source = &source};
PARTI_PLUGIN_ENTRY(about)
