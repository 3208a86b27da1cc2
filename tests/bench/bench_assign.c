/* make bench: what an assignment costs, as a multiple of hashing the ids.
 *
 * Usage: bench_assign [PARTITIONS WORKERS]...
 * Without arguments: 10,000 x 200, 100,000 x 500, 1,000,000 x 1,000.  Each strategy is
 * the .so in PARTI_PLUGIN_DIR, called through its table.  H is XXH3-64 over the same ids,
 * one call of each in turn, the best of several of both.  For weighted, moved and
 * moved_least are sums of weight.  Prints one JSON object a line, a summary last; fails
 * when an answer is wrong, not when it is slow. */
#include "base/hash.h"
#include "base/rand.h"
#include "parti_plugin.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum { IDS_MOST = 24, WEIGHT_LEAST = 50, WEIGHT_RANGE = 151 };

enum event { EVENT_NONE, EVENT_JOIN, EVENT_LEAVE, EVENT_COLD, EVENT_DRIFT, EVENTS };
static const char *const event_name[] = {"none", "join", "leave", "cold", "drift"};

/* Goals as multiples of H, for 100,000 partitions and more; 0: none is stated. */
static const struct subject {
    const char *name;
    bool weighted;
    double goal[EVENTS];
    double scratch[EVENTS]; /* bytes for each partition */
} subjects[] = {
    {"round_robin", false, {0.4, 0.8, 0.8, 0, 0}, {0.2, 0.2, 0.2, 4, 0}},
    {"consistent_hash", false, {0.4, 2.5, 1, 3.5, 0}, {0.2, 0.2, 0.2, 4, 0}},
    {"weighted", true, {0.4, 4, 4, 15, 0}, {0, 0, 0, 32, 0}},
};

struct fleet {
    uint32_t n, *slot, *capacity, *flags;
    uint64_t *hash;
};

struct bench {
    uint32_t parts;
    char *bytes;
    uint64_t *end, *hash;
    uint32_t *weight, *drifted, *prev, *owner, *before;
    uint32_t *map, *held;
    double *load, *had;
    struct parti_host host;
    const struct parti_strategy *strategy;
    void *self;
    int cases, goals, met, wrong;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_assign: %s\n", what);
    exit(1);
}

static void *need(size_t n, size_t each)
{
    void *bytes = calloc(n, each);

    if (bytes == NULL)
        die("out of memory");
    return bytes;
}

static int32_t never(const struct parti_host *host)
{
    (void)host;
    return 0;
}

/* Processor time of this thread: on a shared machine a call of some milliseconds never
 * runs in one piece. */
static double now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* ---- the world ----------------------------------------------------------------------
 */

static void make_parts(struct bench *b, uint32_t parts)
{
    struct rand_state rand;
    uint64_t at = 0;

    rand_seed(&rand, 1);
    b->parts = parts;
    b->bytes = need(parts, IDS_MOST);
    b->end = need(parts, sizeof *b->end);
    b->hash = need(parts, sizeof *b->hash);
    b->weight = need(parts, sizeof *b->weight);
    b->drifted = need(parts, sizeof *b->drifted);
    b->prev = need(parts, sizeof *b->prev);
    b->owner = need(parts, sizeof *b->owner);
    b->before = need(parts, sizeof *b->before);
    for (uint32_t i = 0; i < parts; i++) {
        int n = snprintf(b->bytes + at, IDS_MOST, "orders%c%010u", 0, i);
        uint64_t start = at;

        at += (uint64_t)n;
        b->end[i] = at;
        b->hash[i] = hash_bytes(b->bytes + start, at - start);
        b->weight[i] = WEIGHT_LEAST + (uint32_t)rand_below(&rand, WEIGHT_RANGE);
        b->drifted[i] = b->weight[i] * (80 + (uint32_t)rand_below(&rand, 41)) / 100;
    }
}

static void free_parts(struct bench *b)
{
    free(b->bytes);
    free(b->end);
    free(b->hash);
    free(b->weight);
    free(b->drifted);
    free(b->prev);
    free(b->owner);
    free(b->before);
}

/* Workers 0 .. n - 1 without the one at 'gap', if that is below n. */
static struct fleet make_fleet(uint32_t n, uint32_t gap)
{
    struct fleet f = {.n = gap < n ? n - 1 : n};

    f.slot = need(f.n, sizeof *f.slot);
    f.capacity = need(f.n, sizeof *f.capacity);
    f.flags = need(f.n, sizeof *f.flags);
    f.hash = need(f.n, sizeof *f.hash);
    for (uint32_t i = 0; i < f.n; i++) {
        f.slot[i] = i < gap ? i : i + 1;
        f.capacity[i] = 100;
        f.hash[i] = hash_bytes(&f.slot[i], sizeof f.slot[i]);
    }
    return f;
}

static void free_fleet(struct fleet *f)
{
    free(f->slot);
    free(f->capacity);
    free(f->flags);
    free(f->hash);
}

/* prev_n == 0: nobody has anything.  The gap of the present fleet may be in the middle.
 */
static struct parti_world make_world(struct bench *b, const struct fleet *f,
                                     uint32_t prev_n, uint32_t gap, bool weights)
{
    for (uint32_t p = 0; p < prev_n; p++)
        b->map[p] = p == gap ? f->n : p > gap ? p - 1 : p;
    b->map[prev_n] = f->n;
    for (uint32_t i = 0; i < b->parts; i++)
        b->prev[i] = prev_n == 0 ? 0 : b->before[i];
    return (struct parti_world){
        .size = sizeof(struct parti_world),
        .event = prev_n == 0 ? PARTI_EVENT_COLD : PARTI_EVENT_SCALE,
        .part_n = b->parts,
        .part_id = {b->bytes, b->end, b->parts},
        .part_hash = b->hash,
        .part_weight = weights ? b->drifted : b->weight,
        .part_prev = b->prev,
        .worker_n = f->n,
        .prev_n = prev_n,
        .worker_slot = f->slot,
        .worker_hash = f->hash,
        .worker_capacity = f->capacity,
        .worker_flags = f->flags,
        .prev_to_now = b->map,
        .tolerance_ppm = 10000,
        .moves_max = UINT64_MAX,
        .work_max = UINT64_MAX,
    };
}

/* ---- judging an answer ----------------------------------------------------------------
 */

struct verdict {
    double moved, least, max_over_mean;
};

static int falling(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* Counts: all that exceeds the quotas, the bigger ones for the larger holders. */
static double least_moves(struct bench *b, uint32_t workers)
{
    double stay = 0;

    qsort(b->held, workers, sizeof *b->held, falling);
    for (uint32_t k = 0; k < workers; k++) {
        uint32_t quota = b->parts / workers + (k < b->parts % workers);

        stay += b->held[k] < quota ? b->held[k] : quota;
    }
    return b->parts - stay;
}

static struct verdict judge(struct bench *b, const struct parti_world *w, bool weighted)
{
    struct verdict v = {0, 0, 0};
    uint32_t n = w->worker_n;
    double total = 0, max = 0, over = 0, under = 0, orphans = 0;

    for (uint32_t k = 0; k <= n; k++) {
        b->load[k] = b->had[k] = 0;
        b->held[k] = 0;
    }
    for (uint32_t i = 0; i < b->parts; i++) {
        uint32_t from = w->prev_to_now[b->prev[i]], to = b->owner[i];
        double weight = weighted ? w->part_weight[i] : 1;

        if (to >= n)
            die("a partition without a worker");
        total += weight;
        b->load[to] += weight;
        b->had[from] += weight;
        b->held[from]++;
        v.moved += from == to ? 0 : weight;
    }
    orphans = b->had[n];
    for (uint32_t k = 0; k < n; k++) {
        double high = 1.01 * total / n, low = 0.99 * total / n;

        max = b->load[k] > max ? b->load[k] : max;
        over += b->had[k] > high ? b->had[k] - high : 0;
        under += b->had[k] < low ? low - b->had[k] : 0;
    }
    under = under > orphans ? under - orphans : 0;
    v.max_over_mean = max * n / total;
    v.least = weighted ? orphans + (over > under ? over : under) : least_moves(b, n);
    return v;
}

/* ---- one case
 * --------------------------------------------------------------------------- */

static double time_hash(const struct bench *b)
{
    static volatile uint64_t sink;
    double start = now_ns();
    uint64_t sum = 0, at = 0;

    for (uint32_t i = 0; i < b->parts; i++) {
        sum += hash_bytes(b->bytes + at, b->end[i] - at);
        at = b->end[i];
    }
    sink += sum;
    return now_ns() - start;
}

static double time_assign(struct bench *b, const struct parti_world *w)
{
    struct parti_error error = {.size = sizeof error};
    double start;

    for (uint32_t i = 0; i < b->parts; i++)
        b->owner[i] = w->worker_n;
    start = now_ns();
    if (b->strategy->assign(b->self, w, b->owner, &error) != PARTI_OK)
        die(error.text);
    return now_ns() - start;
}

static void create(struct bench *b)
{
    struct parti_conf conf = {.size = sizeof conf, .section = "strategy"};
    struct parti_error error = {.size = sizeof error};

    if (b->strategy->create(&b->self, &b->host, &conf, &error) != PARTI_OK)
        die(error.text);
}

static void goal(struct bench *b, double limit, double is)
{
    if (limit <= 0 || b->parts < 100000)
        return;
    b->goals++;
    b->met += is <= limit;
}

static void run_case(struct bench *b, const struct subject *s, enum event event,
                     uint32_t workers)
{
    uint32_t gap = event == EVENT_LEAVE ? workers / 2 : UINT32_MAX;
    struct fleet fleet = make_fleet(event == EVENT_JOIN ? workers + 1 : workers, gap);
    struct parti_world w = make_world(b, &fleet, event == EVENT_COLD ? 0 : workers, gap,
                                      event == EVENT_DRIFT);
    int times = b->parts <= 100000 ? 25 : b->parts <= 1000000 ? 11 : 3;
    double h = 1e300, best = 1e300;
    size_t scratch = heap_bytes();

    create(b);
    for (int k = 0; k < times; k++) {
        double hash = time_hash(b), assign = time_assign(b, &w);

        h = hash < h ? hash : h;
        best = assign < best ? assign : best;
    }
    scratch = heap_bytes() - scratch;
    b->strategy->destroy(b->self);

    struct verdict v = judge(b, &w, s->weighted);

    b->cases++;
    b->wrong += s->weighted ? v.max_over_mean > 1.0101 : v.moved > v.least;
    goal(b, s->goal[event], best / h);
    goal(b, s->scratch[event], (double)scratch / b->parts);
    printf("{\"bench\":\"assign\",\"strategy\":\"%s\",\"event\":\"%s\",\"partitions\":%u,"
           "\"workers\":%u,\"ns_per_partition\":%.3f,\"h_ratio\":%.3f,\"moved\":%.0f,"
           "\"moved_least\":%.0f,\"max_over_mean\":%.5f,\"scratch_bytes\":%zu}\n",
           s->name, event_name[event], b->parts, workers, best / b->parts, best / h,
           v.moved, v.least, v.max_over_mean, scratch);
    (void)fflush(stdout);
    free_fleet(&fleet);
}

static void run_subject(struct bench *b, const struct subject *s, uint32_t workers)
{
    struct fleet fleet = make_fleet(workers, UINT32_MAX);
    struct parti_world w = make_world(b, &fleet, 0, UINT32_MAX, false);
    char path[4096];
    parti_plugin_entry entry;
    const char *dir = getenv("PARTI_PLUGIN_DIR");
    void *handle;

    if (dir == NULL)
        die("PARTI_PLUGIN_DIR must name the folder of the plugins");
    (void)snprintf(path, sizeof path, "%s/%s.so", dir, s->name);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        die(dlerror());
    *(void **)&entry = dlsym(handle, "parti_plugin_v1");
    if (entry == NULL)
        die("no parti_plugin_v1");
    b->strategy = entry(&b->host)->strategy;

    create(b);
    (void)time_assign(b, &w);
    memcpy(b->before, b->owner, b->parts * sizeof *b->before);
    b->strategy->destroy(b->self);
    for (int event = 0; event < EVENTS; event++)
        if (event != EVENT_DRIFT || s->weighted)
            run_case(b, s, (enum event)event, workers);
    free_fleet(&fleet);
    (void)dlclose(handle);
}

static void run_size(struct bench *b, uint32_t parts, uint32_t workers)
{
    if (parts == 0 || workers < 2 || parts > 100000000 || workers > 1000000)
        die("usage: bench_assign [PARTITIONS WORKERS]...");
    make_parts(b, parts);
    b->map = need(workers + 2, sizeof *b->map);
    b->held = need(workers + 2, sizeof *b->held);
    b->load = need(workers + 2, sizeof *b->load);
    b->had = need(workers + 2, sizeof *b->had);
    for (size_t k = 0; k < sizeof subjects / sizeof *subjects; k++)
        run_subject(b, &subjects[k], workers);
    free(b->map);
    free(b->held);
    free(b->load);
    free(b->had);
    free_parts(b);
}

int main(int argc, char **argv)
{
    struct bench b = {.host = {.size = sizeof b.host,
                               .abi_minor = PARTI_ABI_MINOR,
                               .version = "bench",
                               .stop_wanted = never}};

    if (argc == 1) {
        run_size(&b, 10000, 200);
        run_size(&b, 100000, 500);
        run_size(&b, 1000000, 1000);
    }
    for (int k = 1; k < argc; k += 2)
        run_size(&b, (uint32_t)strtoul(argv[k], NULL, 10),
                 k + 1 < argc ? (uint32_t)strtoul(argv[k + 1], NULL, 10) : 0);
    printf("{\"target\":\"bench\",\"cases\":%d,\"wrong\":%d,\"goals\":%d,\"goals_met\":%"
           "d}\n",
           b.cases, b.wrong, b.goals, b.met);
    return b.wrong == 0 ? 0 : 1;
}
