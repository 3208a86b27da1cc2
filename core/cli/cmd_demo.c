/* parti demo: a private server, real workers, real faults, measured.
 *
 * Asserts as it goes; the exit code says whether all held.  What it prints comes from the
 * workers' own event lines and from the counts that their children wrote.
 */
#include "config.h"

#include "base/bytes.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/demo_fleet.h"
#include "edge/clock.h"
#include "edge/nats_child.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEP_MS = 60000, DEMO_WORKERS = 3 };

struct demo {
    struct demo_input input;
    struct fleet fleet;
    struct nats_child *server;
    char url[NATS_CHILD_URL_ROOM];
    char folder[256];
    char program[PATH_MAX];
    bool is_fast;
    uint64_t begin_ns;
    /* figures for the summary */
    uint64_t first_ms, crash_ms, gap_ms;
    double join_moved, join_least;
    uint32_t returned, drained_gap_ms;
};

static double seconds(const struct demo *d)
{
    return (double)(clock_boot_ns() - d->begin_ns) / 1e9;
}

/* ---- files
 * ------------------------------------------------------------------------------ */

static FILE *create_file(const struct demo *d, const char *name, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s", d->folder, name);
    return fopen(path, "we");
}

static int write_sections(const struct demo *d)
{
    char path[PATH_MAX];
    FILE *f = create_file(d, "sections", path);

    if (f == NULL)
        return STATUS_IO;
    for (size_t i = 0; i < d->input.n; i++)
        (void)fprintf(f, "%s %" PRIu32 "\n", d->input.section[i].name,
                      d->input.section[i].packages);
    return fclose(f) == 0 ? 0 : STATUS_IO;
}

/* One worker's configuration: what the README shows, with windows of seconds. */
static int write_ini(const struct demo *d, uint32_t number, char path[PATH_MAX])
{
    char name[32];
    FILE *f;

    (void)snprintf(name, sizeof name, "worker-%u.ini", number);
    f = create_file(d, name, path);
    if (f == NULL)
        return STATUS_IO;
    (void)fprintf(f,
                  "[parti]\ngroup = demo\n[nats]\nurl = %s\n[worker]\nid = worker-%u\n"
                  "[strategy]\nplugin = weighted\n[source]\nplugin = static\nfile = "
                  "%s/sections\n[timing]\nprofile = %s\ncold_start_window = 1 s\n"
                  "planned_scale_window = 500 ms\nmin_rebalance_interval = 300 ms\n",
                  d->url, number, d->folder, d->is_fast ? "fast" : "default");
    return fclose(f) == 0 ? 0 : STATUS_IO;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *where)
{
    (void)s, (void)type, (void)where;
    return remove(path);
}

/* ---- printing
 * ------------------------------------------------------------------------------ */

static void step(const struct demo *d, const char *text)
{
    printf("\n%5.1f s  %s\n", seconds(d), text);
    (void)fflush(stdout);
}

static void print_table(const struct demo *d)
{
    for (uint32_t k = 0; k < d->fleet.n; k++) {
        const struct fleet_worker *w = &d->fleet.worker[k];
        uint64_t packages = fleet_packages(&d->fleet, k);
        int bar = d->input.packages > 0 ? (int)(packages * 40 / d->input.packages) : 0;

        if (w->pid <= 0)
            continue;
        printf("         %-9s %3u sections %5" PRIu64 " packages  %.*s%s\n", w->id,
               fleet_sections(&d->fleet, k), packages, bar,
               "########################################",
               strcmp(w->id, d->fleet.leader) == 0 ? "  leads" : "");
    }
    (void)fflush(stdout);
}

static int failed(struct demo *d, const char *what)
{
    (void)fprintf(stderr, "parti demo: %s%s%s\n", what,
                  d->fleet.trouble[0] != '\0' ? "; a worker said: " : "",
                  d->fleet.trouble);
    return CLI_FAILED;
}

/* ---- steps
 * ------------------------------------------------------------------------------------ */

static int start_worker(struct demo *d, uint32_t number, uint32_t *ret)
{
    char ini[PATH_MAX];
    int status = write_ini(d, number, ini);

    return status == 0 ? fleet_start(&d->fleet, ini, ret) : status;
}

/* All hold something, and all is settled. */
static bool all_have_some(struct fleet *f, const void *ctx)
{
    for (uint32_t k = 0; k < f->n; k++)
        if (f->worker[k].pid > 0 && fleet_sections(f, k) == 0)
            return false;
    return fleet_is_settled(f, ctx);
}

static int settle(struct demo *d)
{
    return fleet_wait(&d->fleet, all_have_some, NULL, STEP_MS);
}

static int cold_start(struct demo *d)
{
    uint64_t first = UINT64_MAX;
    uint32_t k;

    step(d, "three workers start");
    for (uint32_t i = 0; i < DEMO_WORKERS; i++)
        if (start_worker(d, i, &k) < 0)
            return failed(d, "a worker could not be started");
    if (settle(d) < 0)
        return failed(d, "the sections were not divided among the first workers");
    for (k = 0; k < d->fleet.n; k++)
        if (d->fleet.worker[k].first_ns < first)
            first = d->fleet.worker[k].first_ns;
    d->first_ms = (first - d->fleet.worker[0].started_ns) / CLOCK_NS_PER_MS;
    print_table(d);
    return CLI_OK;
}

/* Who held what before a step. */
static void remember(const struct demo *d, int *holder)
{
    for (uint32_t i = 0; i < d->input.n; i++)
        holder[i] = ledger_holder(&d->fleet.ledger, i);
}

static double moved_percent(const struct demo *d, const int *before)
{
    uint64_t moved = 0;

    for (uint32_t i = 0; i < d->input.n; i++)
        if (ledger_holder(&d->fleet.ledger, i) != before[i])
            moved += d->input.section[i].packages;
    return 100.0 * (double)moved / (double)d->input.packages;
}

static int join(struct demo *d)
{
    int before[DEMO_SECTIONS_MAX];
    uint32_t k;

    step(d, "a fourth worker joins");
    remember(d, before);
    if (start_worker(d, DEMO_WORKERS, &k) < 0 || settle(d) < 0)
        return failed(d, "the fourth worker was given nothing");
    d->join_moved = moved_percent(d, before);
    d->join_least =
        100.0 * (double)fleet_packages(&d->fleet, k) / (double)d->input.packages;
    print_table(d);
    printf("         moved: %.1f %% of all packages, %.1f %% went to the newcomer\n",
           d->join_moved, d->join_least);
    return CLI_OK;
}

struct crash {
    const int *before;
    int victim;
    uint64_t since_ns;
};

/* What the dead one held is held by others. */
static bool is_taken_over(struct fleet *f, const void *ctx)
{
    const struct crash *c = ctx;

    for (uint32_t i = 0; i < f->input->n; i++)
        if (c->before[i] == c->victim && ledger_given_ns(&f->ledger, i) < c->since_ns)
            return false;
    return true;
}

/* Any worker but the leader. */
static uint32_t choose_follower(const struct demo *d)
{
    for (uint32_t k = 0; k < d->fleet.n; k++)
        if (d->fleet.worker[k].pid > 0 &&
            strcmp(d->fleet.worker[k].id, d->fleet.leader) != 0)
            return k;
    return 0;
}

static int crash(struct demo *d, uint32_t *ret_number)
{
    int before[DEMO_SECTIONS_MAX];
    uint32_t victim = choose_follower(d);
    struct crash c = {before, (int)victim, 0};
    uint64_t last = 0;
    char text[128];

    remember(d, before);
    (void)snprintf(text, sizeof text, "SIGKILL of %s", d->fleet.worker[victim].id);
    step(d, text);
    *ret_number =
        (uint32_t)strtoul(strrchr(d->fleet.worker[victim].id, '-') + 1, NULL, 10);
    fleet_kill(&d->fleet, victim, &c.since_ns);
    if (fleet_wait(&d->fleet, is_taken_over, &c, STEP_MS) < 0 || settle(d) < 0)
        return failed(d, "the dead worker's sections were not taken over");
    for (uint32_t i = 0; i < d->input.n; i++)
        if (before[i] == (int)victim && ledger_given_ns(&d->fleet.ledger, i) > last)
            last = ledger_given_ns(&d->fleet.ledger, i);
    d->crash_ms = (last - c.since_ns) / CLOCK_NS_PER_MS;
    print_table(d);
    printf("         all of them held elsewhere after %" PRIu64 " ms\n", d->crash_ms);
    return CLI_OK;
}

static int restart(struct demo *d, uint32_t number)
{
    uint32_t k;
    char text[128], id[64];

    (void)snprintf(text, sizeof text, "worker-%u starts again under its id", number);
    step(d, text);
    if (start_worker(d, number, &k) < 0 || settle(d) < 0)
        return failed(d, "the worker that came back was given nothing");
    (void)snprintf(id, sizeof id, "worker-%u", number);
    if (strcmp(d->fleet.worker[k].id, id) != 0)
        return failed(d, "the worker that came back got another id");
    print_table(d);
    return CLI_OK;
}

static bool is_gone(struct fleet *f, const void *ctx)
{
    const uint32_t *k = ctx;

    return f->worker[*k].pid <= 0 && fleet_is_settled(f, NULL);
}

static int drain(struct demo *d)
{
    uint32_t k = choose_follower(d);
    uint64_t since = clock_boot_ns();
    char text[128];

    (void)snprintf(text, sizeof text, "SIGTERM to %s: it drains", d->fleet.worker[k].id);
    step(d, text);
    fleet_signal(&d->fleet, k, SIGTERM);
    if (fleet_wait(&d->fleet, is_gone, &k, STEP_MS) < 0)
        return failed(d, "the draining worker did not hand over and end");
    d->drained_gap_ms =
        (uint32_t)(ledger_longest_gap_ns(&d->fleet.ledger, since) / CLOCK_NS_PER_MS);
    print_table(d);
    printf("         longest time without a holder: %u ms\n", d->drained_gap_ms);
    return CLI_OK;
}

/* ---- the end: do the workers' counts add up?
 * ---------------------------------------------------- */

/* The newest count of each section that its holder's child wrote. */
static int sum_counts(const struct demo *d, uint64_t *ret_sum)
{
    uint64_t counted[DEMO_SECTIONS_MAX] = {0};

    for (uint32_t k = 0; k < d->fleet.n; k++) {
        char path[PATH_MAX], name[DEMO_SECTION_ROOM], token[64];
        unsigned long long packages;
        FILE *f;

        (void)snprintf(path, sizeof path, "%s/count.%u", d->folder, k);
        f = fopen(path, "re");
        while (f != NULL && fscanf(f, "%63s %llu %63s", name, &packages, token) == 3)
            for (uint32_t i = 0; i < d->input.n; i++)
                if (strcmp(d->input.section[i].name, name) == 0 &&
                    ledger_holder(&d->fleet.ledger, i) == (int)k)
                    counted[i] = packages;
        if (f != NULL)
            (void)fclose(f);
    }
    *ret_sum = 0;
    for (uint32_t i = 0; i < d->input.n; i++)
        *ret_sum += counted[i];
    return 0;
}

/* The children write behind the events: wait until they have. */
static bool counts_are_complete(struct fleet *f, const void *ctx)
{
    const struct demo *d = ctx;
    uint64_t sum;

    (void)f;
    return sum_counts(d, &sum) == 0 && sum == d->input.packages;
}

static int finish(struct demo *d)
{
    uint32_t overlaps = ledger_overlaps(&d->fleet.ledger);
    bool is_complete = fleet_wait(&d->fleet, counts_are_complete, d, 10000) == 0;
    uint64_t sum = 0, gap = ledger_longest_gap_ns(&d->fleet.ledger, 0) / CLOCK_NS_PER_MS;

    (void)sum_counts(d, &sum);
    printf("\n%5.1f s  what the workers' own event lines say\n", seconds(d));
    printf("  time to first assignment        %6" PRIu64 " ms\n", d->first_ms);
    printf("  crash -> held elsewhere         %6" PRIu64 " ms\n", d->crash_ms);
    printf("  longest unowned time            %6" PRIu64 " ms  (the crash)\n", gap);
    printf("  unowned while draining          %6u ms\n", d->drained_gap_ms);
    printf("  moved when one joined           %6.1f %%   (least possible %.1f %%)\n",
           d->join_moved, d->join_least);
    printf("  packages counted by the workers %6" PRIu64 "     (direct count %" PRIu64
           ")\n",
           sum, d->input.packages);
    printf("  held by two at once             %6u\n", overlaps);
    if (overlaps != 0)
        return failed(d, "two workers held one section at the same time");
    if (!is_complete)
        return failed(d, "the workers' counts do not add up to the direct count");
    return CLI_OK;
}

/* ---- the command
 * --------------------------------------------------------------------------------- */

static int prepare(struct demo *d)
{
    struct nats_child_options server = {.state_dir = d->folder};
    char state[300], text[NATS_CHILD_URL_ROOM * 4];
    int code = 0;

    (void)snprintf(d->folder, sizeof d->folder, "%s/parti-demo-XXXXXX",
                   getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(d->folder) == NULL)
        return failed(d, "no temporary folder can be made");
    (void)snprintf(state, sizeof state, "%s/nats", d->folder);
    server.state_dir = state;
    if (readlink("/proc/self/exe", d->program, sizeof d->program - 1) <= 0)
        return failed(d, "this program does not find itself in /proc");
    if (demo_input_read(&d->input, DEMO_STATUS, NULL) < 0 || d->input.n == 0)
        return failed(d, "no packages are listed in " DEMO_STATUS
                         "; the demo divides the sections of Debian's package list");
    if (write_sections(d) < 0 || ledger_init(&d->fleet.ledger) < 0)
        return failed(d, "the demo's files cannot be written");
    if (nats_child_create(&d->server, NULL, &server, text, sizeof text) < 0 ||
        nats_child_wait(d->server, d->url, &code, text, sizeof text) < 0) {
        cli_say(code, "%s", text);
        return CLI_NO_SERVER;
    }
    d->fleet.program = d->program;
    d->fleet.folder = d->folder;
    d->fleet.status_file = DEMO_STATUS;
    d->fleet.input = &d->input;
    printf("%zu sections of this machine's package list, %" PRIu64
           " packages: a section is a partition,\nits packages the weight. Private "
           "nats-server on loopback, real processes.\n",
           d->input.n, d->input.packages);
    return CLI_OK;
}

static int run_steps(struct demo *d)
{
    uint32_t number = 0;
    int code = cold_start(d);

    if (code == CLI_OK)
        code = join(d);
    if (code == CLI_OK)
        code = crash(d, &number);
    if (code == CLI_OK)
        code = restart(d, number);
    if (code == CLI_OK)
        code = drain(d);
    return code == CLI_OK ? finish(d) : code;
}

static int run(int argc, char **argv, struct cli *cli)
{
    static struct demo d; /* large */
    const char *plugin_dir = NULL;
    bool keeps = false;
    const struct cli_option options[] = {
        {.name = "fast", .help = "leases of 0.6 s instead of 1.2 s", .flag = &d.is_fast},
        {.name = "keep", .help = "keep the temporary folder", .flag = &keeps},
        {.name = "plugin-dir",
         .argument = "DIR",
         .help = "where plugins are",
         .text = &plugin_dir},
        {0}};
    int words, code = cli_parse(cli, options, argc, argv, &words);

    if (code != CLI_OK)
        return code < 0 ? CLI_OK : code;
    if (words > 1)
        return cli_misused(cli, "what is '%s'?", argv[1]);
    d.begin_ns = clock_boot_ns();
    d.fleet.plugin_dir = plugin_dir;
    code = prepare(&d);
    if (code == CLI_OK)
        code = run_steps(&d);
    fleet_finish(&d.fleet);
    nats_child_destroy(d.server);
    if (keeps)
        printf("kept: %s\n", d.folder);
    else if (d.folder[0] != '\0')
        (void)nftw(d.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    printf(code == CLI_OK ? "\nAll of it held.\n" : "\nNot all of it held.\n");
    return code;
}

const struct command cmd_demo = {
    .name = "demo",
    .summary = "a private server, real workers, a join, a crash, a drain; measured",
    .usage = "demo [--fast] [--keep] [--plugin-dir DIR]",
    .run = run,
};
