/* parti demo: a private server, real workers, real faults, measured.
 *
 * Asserts as it goes; the exit code says whether all held.  What it prints comes from the
 * workers' own event lines and from the counts that their children wrote.
 */
#include "config.h"

#include "base/bytes.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/demo.h"
#include "edge/clock.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The fourth worker is number DEMO_WORKERS; SIGTERM restarts it, and drains the others.
 */
enum { STEP_MS = 60000, DEMO_WORKERS = 3 };

double demo_seconds(const struct demo *d)
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
    (void)fprintf(
        f,
        "[parti]\ngroup = demo\n[nats]\nurl = %s\n[worker]\nid = worker-%u\n"
        "on_term = %s\n[strategy]\nplugin = weighted\n[source]\nplugin = static\nfile = "
        "%s/sections\n[timing]\nprofile = %s\ncold_start_window = 1 s\n"
        "planned_scale_window = 500 ms\nmin_rebalance_interval = 300 ms\n",
        d->url, number, number == DEMO_WORKERS ? "restart" : "leave", d->folder,
        d->is_fast ? "fast" : "default");
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
    printf("\n%5.1f s  %s\n", demo_seconds(d), text);
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

int demo_failed(const struct demo *d, const char *what)
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

/* From 'since' until the last section that process k holds ('k' < 0: any) was given. */
static uint64_t given_ms(const struct demo *d, int k, uint64_t since_ns)
{
    uint64_t last = since_ns;

    for (uint32_t i = 0; i < d->input.n; i++)
        if ((k < 0 || ledger_holder(&d->fleet.ledger, i) == k) &&
            ledger_given_ns(&d->fleet.ledger, i) > last)
            last = ledger_given_ns(&d->fleet.ledger, i);
    return (last - since_ns) / CLOCK_NS_PER_MS;
}

static int cold_start(struct demo *d)
{
    uint64_t first = UINT64_MAX, started = clock_boot_ns();
    uint32_t k;

    step(d, "three workers start");
    for (uint32_t i = 0; i < DEMO_WORKERS; i++)
        if (start_worker(d, i, &k) < 0)
            return demo_failed(d, "a worker could not be started");
    if (settle(d) < 0)
        return demo_failed(d, "the sections were not divided among the first workers");
    for (k = 0; k < d->fleet.n; k++)
        if (d->fleet.worker[k].first_ns < first)
            first = d->fleet.worker[k].first_ns;
    d->first_ms = (first - started) / CLOCK_NS_PER_MS;
    d->cold_ms = given_ms(d, -1, started);
    print_table(d);
    printf("         first assignment after %" PRIu64 " ms, all held after %" PRIu64
           " ms\n",
           d->first_ms, d->cold_ms);
    return CLI_OK;
}

/* Who held what before a step. */
static void remember(const struct demo *d, int *holder)
{
    for (uint32_t i = 0; i < d->input.n; i++)
        holder[i] = ledger_holder(&d->fleet.ledger, i);
}

static int count_moves(const struct demo *d, const int *before, struct demo_moves *ret)
{
    int after[DEMO_SECTIONS_MAX];
    bool is_living[FLEET_MAX];

    remember(d, after);
    for (uint32_t k = 0; k < d->fleet.n; k++)
        is_living[k] = d->fleet.worker[k].pid > 0;
    return demo_moves_count(&d->input, before, after, is_living, d->fleet.n, ret);
}

static int join(struct demo *d)
{
    int before[DEMO_SECTIONS_MAX];
    uint32_t k;

    step(d, "a fourth worker joins");
    remember(d, before);
    if (start_worker(d, DEMO_WORKERS, &k) < 0 || settle(d) < 0)
        return demo_failed(d, "the fourth worker was given nothing");
    if (count_moves(d, before, &d->join) < 0)
        return demo_failed(d, "there is no memory to judge the moves");
    d->join_ms = given_ms(d, (int)k, d->fleet.worker[k].started_ns);
    print_table(d);
    printf("         it holds its share after %" PRIu64 " ms; moved: %" PRIu64
           " sections (a plan as even moves %" PRIu64
           " at least), %.1f %% of all packages\n",
           d->join_ms, d->join.moved, d->join.moved_least, d->join.percent);
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

/* Any worker but the leader and the one that SIGTERM restarts. */
static uint32_t choose_follower(const struct demo *d)
{
    for (uint32_t k = 0; k < d->fleet.n; k++)
        if (d->fleet.worker[k].pid > 0 && k != DEMO_WORKERS &&
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
        return demo_failed(d, "the dead worker's sections were not taken over");
    for (uint32_t i = 0; i < d->input.n; i++)
        if (before[i] == (int)victim && ledger_given_ns(&d->fleet.ledger, i) > last)
            last = ledger_given_ns(&d->fleet.ledger, i);
    d->crash_ms = (last - c.since_ns) / CLOCK_NS_PER_MS;
    print_table(d);
    printf("         all of them held elsewhere after %" PRIu64 " ms\n", d->crash_ms);
    return CLI_OK;
}

static int start_again(struct demo *d, uint32_t number, uint32_t *ret)
{
    char id[64];

    (void)snprintf(id, sizeof id, "worker-%u", number);
    if (start_worker(d, number, ret) < 0 || settle(d) < 0)
        return demo_failed(d, "the worker that came back was given nothing");
    if (strcmp(d->fleet.worker[*ret].id, id) != 0)
        return demo_failed(d, "the worker that came back got another id");
    return CLI_OK;
}

/* The one that was killed. */
static int come_back(struct demo *d, uint32_t number)
{
    uint32_t k = 0;
    char text[128];

    (void)snprintf(text, sizeof text, "worker-%u starts again under its id", number);
    step(d, text);
    if (start_again(d, number, &k) != CLI_OK)
        return CLI_FAILED;
    d->return_ms = given_ms(d, (int)k, d->fleet.worker[k].started_ns);
    print_table(d);
    printf("         it holds its share after %" PRIu64 " ms\n", d->return_ms);
    return CLI_OK;
}

static bool has_ended(struct fleet *f, const void *ctx)
{
    const uint32_t *k = ctx;

    return f->worker[*k].pid <= 0;
}

/* In order, under its id: what it held waits for it. */
static int restart(struct demo *d)
{
    int before[DEMO_SECTIONS_MAX];
    uint32_t k = 0, old = DEMO_WORKERS;
    uint64_t since_ns;

    step(d, "restart of worker-3 under its id: SIGTERM, and started again");
    remember(d, before);
    since_ns = clock_boot_ns();
    fleet_signal(&d->fleet, old, SIGTERM);
    if (fleet_wait(&d->fleet, has_ended, &old, STEP_MS) < 0)
        return demo_failed(d, "the worker did not end on SIGTERM");
    if (start_again(d, DEMO_WORKERS, &k) != CLI_OK)
        return CLI_FAILED;
    for (uint32_t i = 0; i < d->input.n; i++)
        if (before[i] == (int)old)
            before[i] = (int)k; /* the same worker in a new process */
    if (count_moves(d, before, &d->restart) < 0)
        return demo_failed(d, "there is no memory to judge the moves");
    d->restart_ms = given_ms(d, (int)k, since_ns);
    print_table(d);
    printf("         down, and all that it had held again after %" PRIu64
           " ms; moved: %" PRIu64 " sections\n",
           d->restart_ms, d->restart.moved);
    return d->restart.moved == 0 ? CLI_OK : demo_failed(d, "a restart moved sections");
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
        return demo_failed(d, "the draining worker did not hand over and end");
    d->drain_ms = given_ms(d, -1, since);
    d->drain_gap_ms = ledger_longest_gap_ns(&d->fleet.ledger, since) / CLOCK_NS_PER_MS;
    print_table(d);
    printf("         all of its sections held elsewhere after %" PRIu64
           " ms, each without a holder for %" PRIu64 " ms at most\n",
           d->drain_ms, d->drain_gap_ms);
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
        return demo_failed(d, "no temporary folder can be made");
    (void)snprintf(state, sizeof state, "%s/nats", d->folder);
    server.state_dir = state;
    if (readlink("/proc/self/exe", d->program, sizeof d->program - 1) <= 0)
        return demo_failed(d, "this program does not find itself in /proc");
    if (demo_input_read(&d->input, DEMO_STATUS, NULL) < 0 || d->input.n == 0)
        return demo_failed(d, "no packages are listed in " DEMO_STATUS
                              "; the demo divides the sections of Debian's package list");
    if (write_sections(d) < 0 || ledger_init(&d->fleet.ledger) < 0)
        return demo_failed(d, "the demo's files cannot be written");
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
        code = come_back(d, number);
    if (code == CLI_OK)
        code = restart(d);
    if (code == CLI_OK)
        code = drain(d);
    return code == CLI_OK ? demo_finish(d) : code;
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
