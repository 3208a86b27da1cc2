/* Thinks for 'duration' and does not ask stop_wanted(); then answers as if all were well.
 */
#include "plain.h"

#include <time.h>

static const struct parti_option options[] = {
    {.name = "duration",
     .fallback = "3 s",
     .help = "How long it thinks.",
     .min = 1,
     .max = 60000,
     .type = PARTI_MSEC},
    {.name = NULL},
};

struct slow {
    int64_t duration_ms;
};

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    struct slow *s = calloc(1, sizeof *s);

    (void)host;
    if (s == NULL)
        return parti_fail(error, PARTI_NOMEM, "out of memory");
    s->duration_ms = parti_conf_int(conf, "duration", 3000);
    *self = s;
    return PARTI_OK;
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    const struct slow *s = self;
    int64_t start = now_ms();

    while (now_ms() - start < s->duration_ms)
        continue;
    return plain_assign(self, world, owner, error);
}

static void destroy(void *self)
{
    free(self);
}

static const struct parti_strategy strategy = {
    .size = sizeof strategy, .create = create, .assign = assign, .destroy = destroy};
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy_option = options,
                                          .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
