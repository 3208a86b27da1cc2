#include "strategy_rig.h"
#include "base/hash.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>

static int32_t log_on(const struct parti_host *host, int32_t level)
{
    (void)host;
    (void)level;
    return 0;
}

static void log_nothing(const struct parti_host *host, int32_t level, const char *text,
                        uint64_t length)
{
    (void)host;
    (void)level;
    (void)text;
    (void)length;
}

static void changed(const struct parti_host *host)
{
    (void)host;
}

static int32_t stop_wanted(const struct parti_host *host)
{
    struct rig *rig = host->ctx;

    if (rig->stop_after < 0)
        return 0;
    return rig->stop_after-- == 0;
}

static const void *extension(const struct parti_host *host, const char *id)
{
    (void)host;
    (void)id;
    return NULL;
}

struct rig *rig_builtin(parti_plugin_entry entry, const char *option, const char *value)
{
    struct rig *rig = calloc(1, sizeof *rig);
    const char *key[1] = {option}, *text[1] = {value};
    uint32_t line[1] = {1};
    struct parti_conf conf = {.size = sizeof conf,
                              .n = option != NULL,
                              .key = key,
                              .value = text,
                              .line = line,
                              .file = "test.ini",
                              .section = "strategy"};

    if (rig == NULL)
        ck_abort_msg("out of memory");
    rig->host = (struct parti_host){
        .size = sizeof rig->host,
        .abi_minor = PARTI_ABI_MINOR,
        .ctx = rig,
        .version = "test",
        .log_on = log_on,
        .log = log_nothing,
        .changed = changed,
        .stop_wanted = stop_wanted,
        .extension = extension,
    };
    rig->plugin = entry(&rig->host);
    rig->stop_after = -1;
    rig->error.size = sizeof rig->error;
    rig->before = calloc(RIG_PARTS, sizeof *rig->before);
    rig->after = calloc(RIG_PARTS, sizeof *rig->after);
    ck_assert(rig->before != NULL && rig->after != NULL);
    ck_assert_int_eq(
        rig->plugin->strategy->create(&rig->self, &rig->host, &conf, &rig->error),
        PARTI_OK);
    return rig;
}

struct rig *rig_open(const char *name, const char *option, const char *value)
{
    const char *dir = getenv("PARTI_PLUGIN_DIR");
    char path[4096];
    parti_plugin_entry entry;
    void *handle;

    ck_assert_msg(dir != NULL, "PARTI_PLUGIN_DIR must name the folder of the plugins");
    (void)snprintf(path, sizeof path, "%s/%s.so", dir, name);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(handle != NULL, "%s: %s", path, dlerror());
    *(void **)&entry = dlsym(handle, "parti_plugin_v1");
    ck_assert_msg(entry != NULL, "%s: no parti_plugin_v1", path);

    struct rig *rig = rig_builtin(entry, option, value);

    rig->handle = handle;
    return rig;
}

void rig_close(struct rig *rig)
{
    rig->plugin->strategy->destroy(rig->self);
    if (rig->handle != NULL)
        (void)dlclose(rig->handle);
    free(rig->before);
    free(rig->after);
    free(rig);
}

void rig_parts(struct rig *rig, uint32_t n, uint64_t seed)
{
    struct rand_state rand;

    ck_assert_uint_le(n, RIG_PARTS);
    rand_seed(&rand, seed);
    rig->part_n = n;
    rig->n = rig->prev_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        rig->hash[i] = rand_next(&rand);
        rig->weight[i] = 100;
        rig->after[i] = rig->before[i] = RIG_NOBODY;
    }
}

void rig_workers(struct rig *rig, const uint32_t *slot, uint32_t n)
{
    ck_assert_uint_le(n, RIG_WORKERS);
    rig->n = n;
    for (uint32_t i = 0; i < n; i++) {
        rig->slot[i] = slot[i];
        rig->capacity[i] = 100;
        rig->flags[i] = 0;
        rig->worker_hash[i] = hash_bytes(&slot[i], sizeof slot[i]);
    }
}

static uint32_t find(const struct rig *rig, uint32_t slot)
{
    return rig->at_slot[slot] > 0 ? rig->at_slot[slot] - 1 : rig->n;
}

/* The previous table is the one of the last answer; owners are known by slot. */
static void build_prev(struct rig *rig)
{
    memset(rig->at_slot, 0, sizeof rig->at_slot);
    for (uint32_t k = 0; k < rig->prev_n; k++)
        rig->at_slot[rig->prev_slot[k]] = k + 1;
    for (uint32_t i = 0; i < rig->part_n; i++) {
        uint32_t slot = rig->before[i];

        rig->prev[i] = slot != RIG_NOBODY && rig->at_slot[slot] > 0
                           ? rig->at_slot[slot] - 1
                           : rig->prev_n;
    }
    memset(rig->at_slot, 0, sizeof rig->at_slot);
    for (uint32_t k = 0; k < rig->n; k++)
        rig->at_slot[rig->slot[k]] = k + 1;
    for (uint32_t k = 0; k < rig->prev_n; k++)
        rig->prev_to_now[k] = find(rig, rig->prev_slot[k]);
    rig->prev_to_now[rig->prev_n] = rig->n;
}

static void build_world(struct rig *rig)
{
    struct parti_world *w = &rig->world;
    uint32_t tolerance = w->tolerance_ppm;
    uint64_t moves = w->moves_max, work = w->work_max;

    build_prev(rig);
    *w = (struct parti_world){
        .size = sizeof *w,
        .event = rig->prev_n == 0 ? PARTI_EVENT_COLD : PARTI_EVENT_SCALE,
        .seed = 1,
        .part_n = rig->part_n,
        .part_hash = rig->hash,
        .part_weight = rig->weight,
        .part_prev = rig->prev,
        .worker_n = rig->n,
        .prev_n = rig->prev_n,
        .worker_slot = rig->slot,
        .worker_hash = rig->worker_hash,
        .worker_capacity = rig->capacity,
        .worker_flags = rig->flags,
        .prev_to_now = rig->prev_to_now,
        .tolerance_ppm = tolerance > 0 ? tolerance : 10000,
        .moves_max = moves > 0 ? moves : UINT64_MAX,
        .work_max = work > 0 ? work : UINT64_MAX,
    };
}

static void count(struct rig *rig)
{
    memset(rig->held, 0, sizeof rig->held);
    memset(rig->count, 0, sizeof rig->count);
    memset(rig->kept, 0, sizeof rig->kept);
    rig->orphans = rig->moved = 0;
    for (uint32_t i = 0; i < rig->part_n; i++) {
        uint32_t from = rig->prev_to_now[rig->prev[i]], to = rig->owner[i];

        if (to >= rig->n)
            ck_abort_msg("partition %u goes to worker %u of %u", i, to, rig->n);
        rig->count[to]++;
        if (from == rig->n)
            rig->orphans++;
        else
            rig->held[from]++;
        if (from == to)
            rig->kept[to]++;
        else
            rig->moved++;
        rig->after[i] = rig->slot[to];
    }
}

int32_t rig_assign(struct rig *rig)
{
    uint32_t *other = rig->before;

    rig->before = rig->after;
    rig->after = other;
    build_world(rig);
    for (uint32_t i = 0; i < rig->part_n; i++)
        rig->owner[i] = rig->n;

    int32_t code =
        rig->plugin->strategy->assign(rig->self, &rig->world, rig->owner, &rig->error);

    if (code != PARTI_OK) {
        other = rig->before;
        rig->before = rig->after;
        rig->after = other;
        return code;
    }
    count(rig);
    memcpy(rig->prev_slot, rig->slot, rig->n * sizeof *rig->slot);
    rig->prev_n = rig->n;
    return code;
}

uint32_t rig_moved(const struct rig *rig)
{
    return rig->moved;
}

static uint64_t share_capacity(const struct rig *rig, uint32_t i)
{
    return rig->flags[i] ? 0 : rig->capacity[i];
}

static const struct rig *sorting;
static uint64_t sorting_shared, sorting_sum;
static uint32_t sorting_floor[RIG_WORKERS];

/* Largest remainder first, then who holds most above its floor: a rule written here a
 * second time, on purpose without the code under test. */
static int by_claim(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint64_t rx = sorting_shared * share_capacity(sorting, x) % sorting_sum;
    uint64_t ry = sorting_shared * share_capacity(sorting, y) % sorting_sum;

    if (rx != ry)
        return rx > ry ? -1 : 1;
    int64_t ax = (int64_t)sorting->held[x] - sorting_floor[x];
    int64_t ay = (int64_t)sorting->held[y] - sorting_floor[y];

    return ax == ay ? 0 : ax > ay ? -1 : 1;
}

uint32_t rig_moved_least(const struct rig *rig)
{
    static uint32_t list[RIG_WORKERS], quota[RIG_WORKERS];
    uint64_t sum = 0, shared = rig->part_n, left;
    uint32_t stay = 0, n = 0;

    for (uint32_t i = 0; i < rig->n; i++) {
        sum += share_capacity(rig, i);
        if (share_capacity(rig, i) > 0)
            list[n++] = i;
        quota[i] = rig->flags[i] == PARTI_WORKER_CORDONED ? rig->held[i] : 0;
        shared -= quota[i];
    }
    ck_assert_uint_gt(sum, 0);
    left = shared;
    for (uint32_t k = 0; k < n; k++) {
        quota[list[k]] = (uint32_t)(shared * share_capacity(rig, list[k]) / sum);
        left -= quota[list[k]];
    }
    sorting = rig;
    sorting_shared = shared;
    sorting_sum = sum;
    memcpy(sorting_floor, quota, sizeof sorting_floor);
    qsort(list, n, sizeof *list, by_claim);
    for (uint32_t k = 0; k < left; k++)
        quota[list[k]]++;
    for (uint32_t i = 0; i < rig->n; i++)
        stay += rig->held[i] < quota[i] ? rig->held[i] : quota[i];
    return rig->part_n - stay;
}

uint32_t rig_spread(const struct rig *rig)
{
    uint32_t low = UINT32_MAX, high = 0;

    for (uint32_t i = 0; i < rig->n; i++) {
        if (rig->flags[i] != 0)
            continue;
        low = rig->count[i] < low ? rig->count[i] : low;
        high = rig->count[i] > high ? rig->count[i] : high;
    }
    return high - low;
}

void rig_set_first(struct rig_set *set, uint32_t n, uint32_t most)
{
    set->n = n;
    set->most = most;
    for (uint32_t i = 0; i < n; i++)
        set->slot[i] = i;
}

/* A new worker takes a free slot below the double of the fleet, as a registry would. */
void rig_set_join(struct rig_set *set, struct rand_state *rand)
{
    uint32_t want = (uint32_t)rand_below(rand, set->most * 2), at = 0;

    while (at < set->n && set->slot[at] < want)
        at++;
    while (at < set->n && set->slot[at] == want) {
        at++;
        want++;
    }
    memmove(&set->slot[at + 1], &set->slot[at], (set->n - at) * sizeof *set->slot);
    set->slot[at] = want;
    set->n++;
}

void rig_set_leave(struct rig_set *set, struct rand_state *rand)
{
    uint32_t at = (uint32_t)rand_below(rand, set->n);

    set->n--;
    memmove(&set->slot[at], &set->slot[at + 1], (set->n - at) * sizeof *set->slot);
}

void rig_set_change(struct rig_set *set, struct rand_state *rand)
{
    uint32_t dice = (uint32_t)rand_below(rand, 10), leave = 0, join = 0;

    if (dice < 3)
        join = 1;
    else if (dice < 6)
        leave = 1;
    else if (dice < 9)
        leave = join = 1 + (uint32_t)rand_below(rand, 1 + set->n / 5);
    else
        leave = set->n / 2;
    while (leave-- > 0 && set->n > 1)
        rig_set_leave(set, rand);
    while (join-- > 0 && set->n < set->most)
        rig_set_join(set, rand);
}
