/* round_robin: equal counts, least movement, in the order of partitions.
 *
 *   mode = sticky   each worker keeps what it has, up to its quota (the default)
 *   mode = strict   partition i goes to worker i mod workers, whoever had it
 */
#include "sticky.h"

#include <string.h>

struct round_robin {
    struct sticky sticky;
    bool strict;
};

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    const char *mode = parti_conf_text(conf, "mode");
    struct round_robin *rr = calloc(1, sizeof *rr);

    (void)error;
    if (rr == NULL)
        return PARTI_NOMEM;
    rr->sticky.host = host;
    rr->strict = mode != NULL && strcmp(mode, "strict") == 0;
    *self = rr;
    return PARTI_OK;
}

static void destroy(void *self)
{
    struct round_robin *rr = self;

    if (rr == NULL)
        return;
    sticky_finish(&rr->sticky);
    free(rr);
}

/* Index mod workers.  Who is cordoned keeps what it has and takes no other turn. */
static int32_t assign_strict(struct sticky *s, const struct parti_world *w,
                             uint32_t *owner, struct parti_error *error)
{
    const struct fleet *f = &s->fleet;
    int32_t code = fleet_read(&s->fleet, w, error);
    uint32_t turn = 0, turns = 0;

    if (code != PARTI_OK)
        return code;

    uint32_t *list = block_need(&s->counts, f->n, sizeof *list);

    if (list == NULL)
        return PARTI_NOMEM;
    for (uint32_t r = 0; r < f->n; r++)
        if (f->role[r] == ROLE_RECEIVER)
            list[turns++] = r;
    for (uint64_t i = 0; i < w->part_n; i++) {
        uint32_t from = f->map[w->part_prev[i]];

        owner[i] = from < f->n && f->role[from] == ROLE_CORDONED ? from : list[turn];
        turn = turn + 1 < turns ? turn + 1 : 0;
        if (i % 65536 == 0 && fleet_stop(s->host))
            return PARTI_CANCELED;
    }
    return PARTI_OK;
}

static int32_t assign(void *self, const struct parti_world *w, uint32_t *owner,
                      struct parti_error *error)
{
    struct round_robin *rr = self;
    struct sticky *s = &rr->sticky;
    int32_t code;

    if (rr->strict) {
        code = assign_strict(s, w, owner, error);
    } else {
        code = sticky_plan(s, w, error);
        if (code == PARTI_OK)
            code = sticky_deal(s, w, owner);
    }
    if (code == PARTI_OK)
        fleet_translate(&s->fleet, owner, w->part_n);
    return code;
}

static const struct parti_option options[] = {
    {.name = "mode",
     .fallback = "sticky",
     .help = "sticky moves the least possible; strict is index mod workers.",
     .choices = "sticky|strict",
     .type = PARTI_STR},
    {.name = NULL},
};

static const struct parti_strategy strategy = {
    .size = sizeof strategy,
    .caps = PARTI_STRATEGY_STICKY,
    .create = create,
    .assign = assign,
    .destroy = destroy,
};

static const struct parti_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = PARTI_ABI_MINOR,
    .needs_minor = 0,
    .id = "org.parti.round_robin",
    .version = PLUGIN_VERSION,
    .vendor = "Parti",
    .license = "Apache-2.0",
    .summary = "equal counts, least movement, in the order of partitions",
    .strategy_option = options,
    .strategy = &strategy,
};

PARTI_PLUGIN_ENTRY(plugin)
