/* Strategy and source that answer PARTI_RETRY as long as the file 'while' is there: what
 * a host makes of trouble that passes.  A strategy that looks at files is evil enough; it
 * also says what a terminal would act on.  The source adds a byte to the file each time
 * it refuses, so a test can tell how often it was asked. */
#include "plain.h"

#include <fcntl.h>
#include <unistd.h>

static const struct parti_option options[] = {
    {.name = "while",
     .help = "The file that makes it refuse.",
     .flags = PARTI_REQUIRED,
     .type = PARTI_PATH},
    {.name = NULL},
};

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    const char *path = parti_conf_text(conf, "while");

    (void)host;
    *self = path != NULL ? strdup(path) : NULL;
    return *self != NULL ? PARTI_OK : parti_fail(error, PARTI_NOMEM, "out of memory");
}

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    if (access(self, F_OK) == 0)
        return parti_fail(error, PARTI_RETRY, "my table is away \033[31m\a\rnow");
    return plain_assign(self, world, owner, error);
}

static int32_t list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                    struct parti_error *error)
{
    int fd = open(self, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (fd >= 0) {
        (void)!write(fd, "x", 1);
        (void)close(fd);
        return parti_fail(error, PARTI_RETRY, "the far end is away");
    }
    return plain_list(self, sink, budget_ms, error);
}

static void destroy(void *self)
{
    free(self);
}

static const struct parti_strategy strategy = {
    .size = sizeof strategy, .create = create, .assign = assign, .destroy = destroy};
static const struct parti_source source = {.size = sizeof source,
                                           .create = create,
                                           .list = list,
                                           .cancel = plain_cancel,
                                           .destroy = destroy};
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy_option = options,
                                          .source_option = options, .strategy = &strategy,
                                          .source = &source};
PARTI_PLUGIN_ENTRY(about)
