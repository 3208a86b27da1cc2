/* consistent_hash: equal counts, least movement, and a worker that returns gets its own
 * partitions back.
 *
 *   mode = guided   least movement decides how many move, homes which and where
 *   mode = pure     a function of workers and partitions alone: homes, with no worker
 *                   above 1.05 times its share
 */
#include "guided.h"

#include <string.h>

struct consistent_hash {
    struct guided guided;
    bool pure;
};

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    const char *mode = parti_conf_text(conf, "mode");
    struct consistent_hash *ch = calloc(1, sizeof *ch);

    (void)error;
    if (ch == NULL)
        return PARTI_NOMEM;
    ch->guided.sticky.host = host;
    ch->pure = mode != NULL && strcmp(mode, "pure") == 0;
    *self = ch;
    return PARTI_OK;
}

static void destroy(void *self)
{
    struct consistent_hash *ch = self;

    if (ch == NULL)
        return;
    guided_finish(&ch->guided);
    free(ch);
}

/* Room of each receiver: 1.05 times its share of what the cordoned do not keep, rounded
 * up, so that the rooms always do. */
static int32_t make_room(struct sticky *s, const struct parti_world *w, uint32_t **ret)
{
    const struct fleet *f = &s->fleet;
    uint32_t *room = block_need(&s->counts, (uint64_t)f->n + 1, sizeof *room);
    uint64_t shared = w->part_n;

    if (room == NULL)
        return PARTI_NOMEM;
    for (uint64_t i = 0; i < w->part_n && f->receivers < f->n; i++) {
        uint32_t from = f->map[w->part_prev[i]];

        shared -= from < f->n && f->role[from] == ROLE_CORDONED;
    }
    for (uint32_t r = 0; r < f->n; r++) {
        u128 share = (u128)shared * f->capacity[r] * 105;
        u128 all = (u128)f->capacity_sum * 100;

        room[r] = (uint32_t)((share + all - 1) / all);
    }
    room[f->n] = 0;
    *ret = room;
    return PARTI_OK;
}

static uint32_t first_with_room(const struct home *h, uint64_t hash, uint32_t home,
                                const uint32_t *room, uint32_t *any)
{
    struct home_walk walk = home_start(hash);

    if (room[home] > 0)
        return home;
    for (int probe = 0; probe < 4 * HOME_PROBES; probe++) {
        uint32_t rank = home_next(h, &walk);

        if (room[rank] > 0)
            return rank;
    }
    while (room[*any] == 0)
        ++*any;
    return *any;
}

static int32_t assign_pure(struct guided *g, const struct parti_world *w, uint32_t *owner,
                           struct parti_error *error)
{
    const struct fleet *f = &g->sticky.fleet;
    int32_t code = fleet_read(&g->sticky.fleet, w, error);
    uint32_t *room, any = 0;

    if (code != PARTI_OK)
        return code;
    code = make_room(&g->sticky, w, &room);
    if (code != PARTI_OK)
        return code;
    if (!home_build(&g->home, f))
        return PARTI_NOMEM;
    for (uint32_t k = 0; k < HOME_BLOCK; k++)
        g->pick[k] = k;
    for (uint64_t at = 0; at < w->part_n; at += HOME_BLOCK) {
        uint64_t left = w->part_n - at;
        uint32_t n = left > HOME_BLOCK ? HOME_BLOCK : (uint32_t)left;

        home_of(&g->home, w->part_hash + at, g->pick, n, g->at_home);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t from = f->map[w->part_prev[at + k]];

            if (from < f->n && f->role[from] == ROLE_CORDONED) {
                owner[at + k] = from;
                continue;
            }
            owner[at + k] = first_with_room(&g->home, w->part_hash[at + k], g->at_home[k],
                                            room, &any);
            room[owner[at + k]]--;
        }
        if (at % (64 * HOME_BLOCK) == 0 && fleet_stop(g->sticky.host))
            return PARTI_CANCELED;
    }
    return PARTI_OK;
}

static int32_t assign(void *self, const struct parti_world *w, uint32_t *owner,
                      struct parti_error *error)
{
    struct consistent_hash *ch = self;
    struct guided *g = &ch->guided;
    int32_t code =
        ch->pure ? assign_pure(g, w, owner, error) : guided_assign(g, w, owner, error);

    if (code == PARTI_OK)
        fleet_translate(&g->sticky.fleet, owner, w->part_n);
    return code;
}

static const struct parti_option options[] = {
    {.name = "mode",
     .fallback = "guided",
     .help = "guided keeps counts equal and moves the least possible; pure follows from "
             "workers and partitions alone, up to 1.05 times the share.",
     .choices = "guided|pure",
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
    .id = "org.parti.consistent_hash",
    .version = PLUGIN_VERSION,
    .vendor = "Parti",
    .license = "Apache-2.0",
    .summary = "equal counts, least movement; who returns gets its own back",
    .strategy_option = options,
    .strategy = &strategy,
};

PARTI_PLUGIN_ENTRY(plugin)
