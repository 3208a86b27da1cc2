/* Golden: compiled against the frozen header of ABI 1.0 (sdk/abi/1.0), a strategy and a
 * source in one.  Never edited after the release; every later host must load and run it.
 */
#include "parti_plugin.h"

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    (void)error;
    if (!PARTI_HAS(host, host, extension) || conf->n != 1)
        return PARTI_BUG;
    parti_log(host, PARTI_INFO, "golden 1.0");
    *self = NULL;
    return PARTI_OK;
}

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    (void)self, (void)error;
    if (!PARTI_HAS(world, world, work_max))
        return PARTI_BUG;
    for (uint64_t i = 0; i < world->part_n; i++)
        owner[i] = (uint32_t)(world->part_hash[i] % world->worker_n);
    return PARTI_OK;
}

static int32_t list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                    struct parti_error *error)
{
    static const char bytes[] = "golden\0one"
                                "golden\0two";
    static const uint64_t end[] = {10, 20};
    static const uint32_t weight[] = {100, 250};
    struct parti_rows rows = {.size = sizeof rows};

    (void)self, (void)budget_ms, (void)error;
    rows.id = (struct parti_strs){bytes, end, 2};
    rows.weight = weight;
    return sink->add(sink, &rows);
}

static void cancel(void *self)
{
    (void)self;
}

static void destroy(void *self)
{
    (void)self;
}

static const struct parti_option options[] = {
    {.name = "level",
     .fallback = "7",
     .help = "A number.",
     .min = 1,
     .max = 9,
     .type = PARTI_INT},
    {.name = NULL},
};
static const struct parti_strategy strategy = {
    .size = sizeof strategy, .create = create, .assign = assign, .destroy = destroy};
static const struct parti_source source = {.size = sizeof source,
                                           .create = create,
                                           .list = list,
                                           .cancel = cancel,
                                           .destroy = destroy};
static const struct parti_plugin about = {.size = sizeof about,
                                          .abi_minor = PARTI_ABI_MINOR,
                                          .id = "org.parti.golden",
                                          .version = "1.0.0",
                                          .summary = "golden plugin of ABI 1.0",
                                          .strategy_option = options,
                                          .source_option = options,
                                          .strategy = &strategy,
                                          .source = &source};
PARTI_PLUGIN_ENTRY(about)
