/* A source with nothing wrong: PREFIX/0 .. PREFIX/(count-1). */
#include "plain.h"

static const struct parti_option options[] = {
    {.name = "prefix", .help = "The first key.", .flags = PARTI_REQUIRED},
    {.name = "count",
     .fallback = "4",
     .help = "How many.",
     .min = 0,
     .max = 10000000,
     .type = PARTI_INT},
    {.name = NULL},
};

struct source {
    const struct parti_host *host;
    char prefix[64];
    int64_t count;
};

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    struct source *s = calloc(1, sizeof *s);

    if (s == NULL)
        return parti_fail(error, PARTI_NOMEM, "out of memory");
    s->host = host;
    s->count = parti_conf_int(conf, "count", 0);
    (void)snprintf(s->prefix, sizeof s->prefix, "%s", parti_conf_text(conf, "prefix"));
    *self = s;
    return PARTI_OK;
}

static int32_t list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                    struct parti_error *error)
{
    struct source *s = self;
    char id[128];

    (void)budget_ms;
    for (int64_t i = 0; i < s->count; i++) {
        int n = snprintf(id, sizeof id, "%s%c%lld", s->prefix, 0, (long long)i);
        int32_t code = parti_add(sink, id, (uint64_t)n, 100);
        if (code != PARTI_OK)
            return parti_fail(error, code, "the host takes no more");
        if (s->host->stop_wanted(s->host))
            return PARTI_CANCELED;
    }
    return PARTI_OK;
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
static const struct parti_plugin about = {PLAIN_ABOUT, .summary = "a prefix and a number",
                                          .source_option = options, .source = &source};
PARTI_PLUGIN_ENTRY(about)
