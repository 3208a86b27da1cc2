/* A strategy with nothing wrong: partition i to worker i mod n; with every kind of
 * option, which its create() checks against what it declared. */
#include "plain.h"

static const struct parti_option options[] = {
    {.name = "mode", .fallback = "plain", .help = "How.", .choices = "plain|fancy"},
    {.name = "rounds",
     .fallback = "3",
     .help = "How often.",
     .min = 1,
     .max = 10,
     .type = PARTI_INT},
    {.name = "eager", .fallback = "no", .help = "Whether.", .type = PARTI_BOOL},
    {.name = "pause",
     .fallback = "1 s",
     .help = "How long.",
     .min = 1,
     .max = 60000,
     .type = PARTI_MSEC},
    {.name = "table", .help = "Where.", .type = PARTI_PATH},
    {.name = "token", .help = "With which right.", .flags = PARTI_SECRET},
    {.name = "tag.*", .help = "Anything."},
    {.name = NULL},
};

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    const char *mode = parti_conf_text(conf, "mode");
    int64_t rounds = parti_conf_int(conf, "rounds", -1);

    if (mode == NULL || rounds < 1 || rounds > 10)
        return parti_fail(error, PARTI_BUG, "the host did not check the options");
    if (strcmp(mode, "fancy") == 0 && rounds == 1) {
        error->line = parti_conf_line(conf, "rounds");
        return parti_fail(error, PARTI_BADCONF, "mode = fancy needs rounds >= 2");
    }
    parti_log(host, PARTI_DEBUG, "created");
    *self = NULL;
    return PARTI_OK;
}

static const struct parti_strategy strategy = {.size = sizeof strategy,
                                               .create = create,
                                               .assign = plain_assign,
                                               .destroy = plain_destroy};
static const struct parti_plugin about = {PLAIN_ABOUT, .summary = "index modulo workers",
                                          .strategy_option = options,
                                          .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
