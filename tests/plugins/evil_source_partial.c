/* The first list() gives two partitions; every later one gives one of them and fails:
 * what was added must not count. */
#include "plain.h"

struct partial {
    int calls;
};

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    (void)host, (void)conf;
    *self = calloc(1, sizeof(struct partial));
    return *self != NULL ? PARTI_OK : parti_fail(error, PARTI_NOMEM, "out of memory");
}

static int32_t list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                    struct parti_error *error)
{
    struct partial *s = self;
    int32_t code = plain_list(self, sink, budget_ms, error);

    if (code != PARTI_OK)
        return code;
    if (s->calls++ > 0)
        return parti_fail(error, PARTI_RETRY, "the far end went away in the middle");
    return parti_add(sink,
                     "orders\0"
                     "1",
                     8, 100);
}

static void destroy(void *self)
{
    free(self);
}

static const struct parti_source source = {.size = sizeof source,
                                           .create = create,
                                           .list = list,
                                           .cancel = plain_cancel,
                                           .destroy = destroy};
static const struct parti_plugin about = {PLAIN_ABOUT, .source = &source};
PARTI_PLUGIN_ENTRY(about)
