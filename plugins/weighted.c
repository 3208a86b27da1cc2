/* weighted: loads in proportion to capacity, within a tolerance, moving little.
 *
 *   delta_ppm   how far from its share a load may be before something moves, in
 * millionths (10000 is 1 %); absent: the host's tolerance
 */
#include "weighted.h"

enum {
    ROUNDS = 16,    /* of shift and search, while something is outside and moves */
    WORK_PART = 64, /* steps of search for each partition */
    WORK_WORKER = 4096
};

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, struct parti_error *error)
{
    struct weighted *w = calloc(1, sizeof *w);

    (void)error;
    if (w == NULL)
        return PARTI_NOMEM;
    w->host = host;
    w->guided.sticky.host = host;
    w->delta_option = parti_conf_int(conf, "delta_ppm", -1);
    *self = w;
    return PARTI_OK;
}

static void destroy(void *self)
{
    struct weighted *w = self;

    if (w == NULL)
        return;
    guided_finish(&w->guided);
    block_finish(&w->ranks);
    block_finish(&w->lanes);
    block_finish(&w->items);
    block_finish(&w->lists);
    block_finish(&w->before);
    free(w);
}

static void begin(struct weighted *w, const struct parti_world *world, uint32_t *owner)
{
    uint64_t work = WORK_PART * world->part_n + WORK_WORKER * (uint64_t)world->worker_n;

    w->world = world;
    w->owner = owner;
    w->delta = w->delta_option >= 0 ? w->delta_option : world->tolerance_ppm;
    if (w->delta > WEIGHTED_MILLION)
        w->delta = WEIGHTED_MILLION;
    w->moves_left = world->moves_max;
    w->work_left = world->work_max < work ? world->work_max : work;
}

/* Small steps, while something is outside the band and they find something. */
static int32_t smooth(struct weighted *w)
{
    for (int round = 0; round < ROUNDS; round++) {
        int32_t code = weighted_shift(w);

        if (code == PARTI_OK)
            code = weighted_search(w);
        if (code != PARTI_OK || w->moved == 0)
            return code;
    }
    return PARTI_OK;
}

/* One attempt to help workers that small steps leave above the band: their coarse items
 * go to where light ones can make room.  *ret_better: it did help.  Else everything is
 * put back, so that a second call, which would try the same, moves nothing. */
static int32_t unstick(struct weighted *w, bool *ret_better)
{
    size_t size = (size_t)w->world->part_n * sizeof *w->owner;
    uint32_t *before = block_need(&w->before, w->world->part_n, sizeof *before);
    uint64_t moves_left = w->moves_left;
    int64_t excess = weighted_excess(w);
    int32_t code;

    if (before == NULL)
        return PARTI_NOMEM;
    memcpy(before, w->owner, size);
    code = weighted_pack(w, true);
    if (code == PARTI_OK)
        code = weighted_place(w);
    if (code == PARTI_OK)
        code = smooth(w);
    *ret_better = weighted_excess(w) < excess - excess / 16;
    if (code != PARTI_OK || *ret_better)
        return code;
    for (uint64_t i = 0; i < w->world->part_n; i++)
        if (w->owner[i] != before[i])
            weighted_move(w, i, before[i]);
    w->moves_left = moves_left;
    return PARTI_OK;
}

static int32_t assign_weighted(struct weighted *w)
{
    bool better = true;
    int32_t code = weighted_level(w);

    if (code == PARTI_OK)
        code = weighted_pack(w, false);
    if (code == PARTI_OK)
        code = weighted_place(w);
    if (code == PARTI_OK)
        code = smooth(w);
    for (int round = 0; round < ROUNDS && code == PARTI_OK && better; round++) {
        if (weighted_excess(w) == 0 || w->moves_left == 0 || w->work_left == 0)
            break;
        code = unstick(w, &better);
    }
    return code;
}

static int32_t assign(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error)
{
    struct weighted *w = self;
    int32_t code;

    begin(w, world, owner);
    code = weighted_read(w, error);
    if (code != PARTI_OK)
        return code;
    if (world->part_n == 0 || w->weight_min == w->weight_max)
        code = guided_assign(&w->guided, world, owner, error);
    else
        code = assign_weighted(w);
    if (code == PARTI_OK)
        fleet_translate(w->fleet, owner, world->part_n);
    return code;
}

static const struct parti_option options[] = {
    {.name = "delta_ppm",
     .help =
         "How far from its share a load may be before something moves, in millionths.",
     .min = 0,
     .max = 500000,
     .type = PARTI_INT},
    {.name = NULL},
};

static const struct parti_strategy strategy = {
    .size = sizeof strategy,
    .caps = PARTI_STRATEGY_WEIGHTS | PARTI_STRATEGY_STICKY,
    .create = create,
    .assign = assign,
    .destroy = destroy,
};

static const struct parti_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = PARTI_ABI_MINOR,
    .needs_minor = 0,
    .id = "org.parti.weighted",
    .version = PLUGIN_VERSION,
    .vendor = "Parti",
    .license = "Apache-2.0",
    .summary = "loads in proportion to capacity within a tolerance, moving little",
    .strategy_option = options,
    .strategy = &strategy,
};

PARTI_PLUGIN_ENTRY(plugin)
