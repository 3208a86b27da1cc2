/* A host of a few lines, for tests: run_plugin FILE.ini loads the file, its strategy and
 * its sources as parti does, lists the sources, and prints who would get what among three
 * workers, one "partition worker" a line.  Exit 0, or 1 with the reason on stderr.
 */
#include "base/hash.h"
#include "host/conf.h"
#include "host/plugin.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 10000, BYTES_MAX = 1 << 20, WORKERS = 3 };

static char bytes[BYTES_MAX];
static uint64_t end[ROWS_MAX], hash[ROWS_MAX], rows_n;
static uint32_t weight[ROWS_MAX], prev[ROWS_MAX], owner[ROWS_MAX];

static int32_t add(struct parti_sink *sink, const struct parti_rows *rows)
{
    (void)sink;
    for (uint64_t i = 0; i < rows->id.n; i++) {
        uint64_t n, at = rows_n > 0 ? end[rows_n - 1] : 0;
        const char *id = parti_str(&rows->id, i, &n);
        if (rows_n == ROWS_MAX || n > BYTES_MAX - at)
            return PARTI_BADINPUT;
        memcpy(bytes + at, id, n);
        end[rows_n] = at + n;
        hash[rows_n] = hash_bytes(id, n);
        weight[rows_n] = rows->weight != NULL ? rows->weight[i] : 100;
        prev[rows_n] = 0; /* of a table with no previous worker: nobody */
        rows_n++;
    }
    return PARTI_OK;
}

static int32_t log_on(const struct parti_host *host, int32_t level)
{
    (void)host;
    return level >= PARTI_INFO;
}

static void log_line(const struct parti_host *host, int32_t level, const char *text,
                     uint64_t n)
{
    (void)host, (void)level;
    fprintf(stderr, "%.*s\n", (int)n, text);
}

static void changed(const struct parti_host *host)
{
    (void)host;
}

static int32_t stop_wanted(const struct parti_host *host)
{
    (void)host;
    return 0;
}

static const void *extension(const struct parti_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

static const struct parti_host host = {.size = sizeof host,
                                       .abi_minor = PARTI_ABI_MINOR,
                                       .version = "test",
                                       .log_on = log_on,
                                       .log = log_line,
                                       .changed = changed,
                                       .stop_wanted = stop_wanted,
                                       .extension = extension};

/* Loads the plugin of a section and checks its keys; exits where it fails. */
static const struct plugin *prepare(struct conf *c, struct conf_plugin *section,
                                    enum plugin_kind kind, struct option_conf **ret)
{
    const struct plugin *p = NULL;
    struct plugin_error error;

    if (plugin_load(section->plugin, c->plugin_dir, kind, &p, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    if (option_build(&section->section,
                     kind == PLUGIN_STRATEGY ? p->about.strategy_option
                                             : p->about.source_option,
                     p->name, &c->errors, ret) < 0) {
        conf_errors_print(&c->errors, stderr);
        exit(1);
    }
    return p;
}

static void must_ok(const char *call, int32_t code, const struct parti_error *error)
{
    if (code == PARTI_OK)
        return;
    fprintf(stderr, "%s answers %d: %s\n", call, code, error->text);
    exit(1);
}

static void run_source(struct conf *c, struct conf_plugin *section)
{
    struct parti_error error = {.size = sizeof error};
    struct parti_sink sink = {.size = sizeof sink, .add = add};
    struct option_conf *conf = NULL;
    const struct plugin *p = prepare(c, section, PLUGIN_SOURCE, &conf);
    void *self = NULL;

    must_ok("create", p->source.create(&self, &host, &conf->conf, &error), &error);
    must_ok("list", p->source.list(self, &sink, 10000, &error), &error);
    p->source.cancel(self);
    p->source.destroy(self);
    option_conf_free(conf);
}

static void run_strategy(struct conf *c)
{
    static const uint64_t worker_end[WORKERS] = {8, 16, 24};
    static const uint64_t worker_hash[WORKERS] = {1, 2, 3};
    static const uint32_t slot[WORKERS] = {0, 1, 2}, capacity[WORKERS] = {100, 100, 100},
                          flags[WORKERS] = {1, 1, 1}, prev_to_now[1] = {WORKERS};
    struct parti_error error = {.size = sizeof error};
    struct option_conf *conf = NULL;
    const struct plugin *p = prepare(c, &c->strategy, PLUGIN_STRATEGY, &conf);
    const struct parti_world world = {
        .size = sizeof world,
        .part_n = rows_n,
        .part_id = {bytes, end, rows_n},
        .part_hash = hash,
        .part_weight = weight,
        .part_prev = prev,
        .worker_n = WORKERS,
        .worker_id = {"worker-0worker-1worker-2", worker_end, WORKERS},
        .worker_slot = slot,
        .worker_hash = worker_hash,
        .worker_capacity = capacity,
        .worker_flags = flags,
        .prev_to_now = prev_to_now,
        .moves_max = UINT64_MAX,
        .work_max = 1000000};
    void *self = NULL;

    for (uint64_t i = 0; i < rows_n; i++)
        owner[i] = WORKERS;
    must_ok("create", p->strategy.create(&self, &host, &conf->conf, &error), &error);
    must_ok("assign", p->strategy.assign(self, &world, owner, &error), &error);
    p->strategy.destroy(self);
    option_conf_free(conf);
}

int main(int argc, char **argv)
{
    struct conf c;

    if (argc != 2 || conf_load(&c, argv[1]) < 0) {
        if (argc == 2)
            conf_errors_print(&c.errors, stderr);
        return 1;
    }
    for (size_t i = 0; i < c.source_n; i++)
        run_source(&c, &c.source[i]);
    run_strategy(&c);
    for (uint64_t i = 0; i < rows_n; i++) {
        const struct parti_strs ids = {bytes, end, rows_n};
        uint64_t n;
        const char *id = parti_str(&ids, i, &n);
        for (uint64_t j = 0; j < n; j++)
            (void)putchar(id[j] == '\0' ? '/' : id[j]);
        printf(" %u\n", owner[i]);
    }
    conf_finish(&c);
    return 0;
}
