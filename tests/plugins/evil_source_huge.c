/* Lists partitions without end: 1,000 a call, until the sink says no or 100 million. */
#include "plain.h"

enum { BATCH = 1000, WIDTH = 14, BATCHES = 100000 };

static int32_t list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                    struct parti_error *error)
{
    static char bytes[BATCH * WIDTH + 1];
    static uint64_t end[BATCH];
    struct parti_rows rows = {.size = sizeof rows, .id = {bytes, end, BATCH}};

    (void)self, (void)budget_ms;
    for (int batch = 0; batch < BATCHES; batch++) {
        for (int i = 0; i < BATCH; i++) {
            (void)snprintf(bytes + i * WIDTH, WIDTH + 1, "huge%c%09d", 0,
                           batch * BATCH + i);
            end[i] = (uint64_t)(i + 1) * WIDTH;
        }
        int32_t code = sink->add(sink, &rows);
        if (code != PARTI_OK)
            return parti_fail(error, code, "the host takes no more");
    }
    return PARTI_OK;
}

static const struct parti_source source = PLAIN_SOURCE(list);
static const struct parti_plugin about = {PLAIN_ABOUT, .source = &source};
PARTI_PLUGIN_ENTRY(about)
