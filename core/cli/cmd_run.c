/* parti run: one worker, with or without a command that does its work. */
#include "config.h"

#include "cli/cli.h"
#include "cli/run.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/sig.h"
#include "host/aside.h"
#include "host/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct run_words {
    const char *config, *events, *plugin_dir;
};

/* ---- what the keeper asks of us --------------------------------------------------- */

static void on_released(void *ctx, uint64_t epoch)
{
    struct run *r = ctx;

    r->must_release = true;
    r->release_epoch = epoch;
}

static void on_output(void *ctx, const char *at, size_t n)
{
    struct run *r = ctx;

    outlet_put(&r->out, at, n);
}

static void on_answer(void *ctx, struct parti_ticket ticket, enum run_answer answer,
                      uint64_t delay_ms)
{
    const struct run *r = ctx;

    switch (answer) {
    case RUN_ANSWER_ACK: parti_ack(r->worker, ticket); break;
    case RUN_ANSWER_NAK: parti_nak(r->worker, ticket, delay_ms); break;
    case RUN_ANSWER_TERM: parti_term(r->worker, ticket); break;
    case RUN_ANSWER_PROGRESS: parti_progress(r->worker, ticket); break;
    case RUN_ANSWER_RETURN: parti_return(r->worker, ticket); break;
    }
}

static void on_gave_up(void *ctx)
{
    run_loop_fail(ctx, CLI_FAILED);
}

static bool holds(void *ctx, const struct parti_partition *partition, size_t n)
{
    const struct run *r = ctx;

    for (size_t i = 0; i < n; i++)
        if (!parti_holds(r->worker, partition[i].hold))
            return false;
    return true;
}

static bool may_begin(void *ctx, const struct parti_ticket *ticket)
{
    const struct run *r = ctx;

    return aside_may_begin(r->worker, ticket);
}

/* ---- setting up, in the order of what can be the user's mistake -------------------- */

static int open_events(struct run *r, const char *path)
{
    outlet_init(&r->out, STDOUT_FILENO);
    r->own.fd = -1;
    r->events_name = path;
    if (path == NULL)
        return CLI_OK;
    if (strcmp(path, "-") == 0) {
        r->events = &r->out;
        return CLI_OK;
    }
    r->events = &r->own;
    if (outlet_open(&r->own, path) == STATUS_OK)
        return CLI_OK;
    r->events = NULL;
    cli_say(ERR_EVENTS_WRITE, "--events %s: %s", path, strerror(errno));
    return CLI_USAGE;
}

static int open_all(struct run *r, const struct run_words *words, char **command)
{
    struct run_pool_options pool = {.keeper = {.argv = command,
                                               .ctx = r,
                                               .released = on_released,
                                               .output = on_output,
                                               .problem = run_events_problem,
                                               .gave_up = on_gave_up,
                                               .holds = holds},
                                    .children = 1,
                                    .may_begin = may_begin,
                                    .answer = on_answer};
    int code;

    if (conf_load(&r->conf, words->config) < 0) {
        conf_errors_print(&r->conf.errors, stderr);
        return CLI_USAGE;
    }
    code = open_events(r, words->events);
    if (code != CLI_OK)
        return code;
    r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->wake_fd < 0 || sig_open(&r->signal_fd) < 0 ||
        sig_open_deaths(&r->deaths_fd) < 0) {
        cli_say(0, "the kernel gives no descriptors: %s", strerror(errno));
        return CLI_FAILED;
    }
    if (command[0] == NULL)
        return CLI_OK;
    pool.keeper.restarts_max = r->conf.worker.restarts_max;
    pool.keeper.waits = r->conf.worker.on_revoke_timeout == CONF_REVOKE_WAIT;
    if (r->conf.consume.base.plugin != NULL) {
        pool.children = (size_t)r->conf.consume.children;
        pool.is_stacked = r->conf.consume.deliver_max > 1;
        pool.is_raw = r->conf.consume.format == CONF_FORMAT_RAW;
        pool.speak_ms = r->conf.consume.handle_timeout_ms / RUN_SPEAK_PARTS + 1;
    }
    if (run_pool_init(&r->pool, &pool) < 0) {
        cli_say(ERR_COMMAND_START, "no memory or descriptors to supervise '%s'",
                command[0]);
        return CLI_FAILED;
    }
    r->has_command = true;
    return CLI_OK;
}

static int join(struct run *r, const struct cli *cli, const struct run_words *words)
{
    struct parti_callbacks callbacks;
    struct parti_options options = {.size = sizeof options,
                                    .config = words->config,
                                    .server = cli->server,
                                    .plugin_dir = words->plugin_dir,
                                    .callbacks = &callbacks};
    struct parti_worker *worker;
    char text[RUN_TEXT_ROOM];
    int status;

    run_events_init(r, &callbacks);
    status = aside_create(&worker, &options, run_events_over, text, sizeof text);
    if (status < 0) {
        cli_say(0, "%s", text);
        return status == PARTI_ERR_CONFIG    ? CLI_USAGE
               : status == PARTI_ERR_OFFLINE ? CLI_NO_SERVER
                                             : CLI_FAILED;
    }
    must(pthread_mutex_lock(&r->lock) == 0);
    r->worker = worker;
    must(pthread_cond_broadcast(&r->changed) == 0);
    status = r->has_command ? run_pool_start(&r->pool, text, sizeof text) : 0;
    if (status < 0)
        r->is_closing = true;
    must(pthread_mutex_unlock(&r->lock) == 0);
    if (status == 0)
        return CLI_OK;
    cli_say(ERR_COMMAND_START, "%s", text);
    return status == STATUS_NOTFOUND || status == STATUS_DENIED ? CLI_USAGE : CLI_FAILED;
}

static void finish(struct run *r)
{
    /* The command first: as long as it may run, the lease is renewed. */
    run_pool_end(&r->pool);
    run_events_end(r);
    parti_destroy(r->worker);
    run_pool_finish(&r->pool);
    outlet_finish(&r->out);
    outlet_finish(&r->own);
    event_line_finish(&r->line);
    if (r->signal_fd >= 0)
        (void)close(r->signal_fd);
    if (r->deaths_fd >= 0)
        (void)close(r->deaths_fd);
    if (r->wake_fd >= 0)
        (void)close(r->wake_fd);
    conf_finish(&r->conf);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->mail_lock);
    (void)pthread_mutex_destroy(&r->lock);
}

static int run(int argc, char **argv, struct cli *cli)
{
    struct run_words words = {0};
    const struct cli_option options[] = {
        {'c', "config", "FILE", "the configuration; needed", .text = &words.config},
        {'e', "events", "PATH", "append event lines to this file; - is standard output",
         .text = &words.events},
        {'\0', "plugin-dir", "DIR", "look for plugins here, before the file's plugin_dir",
         .text = &words.plugin_dir},
        {0},
    };
    static struct run r; /* too large for the stack */
    int words_n = 0, code = cli_parse(cli, options, argc, argv, &words_n);

    if (code != CLI_OK)
        return code < 0 ? CLI_OK : code;
    if (words.config == NULL)
        return cli_misused(cli, "which configuration? -c FILE");
    log_init(STDERR_FILENO, LOG_LEVEL_INFO);
    r.signal_fd = r.deaths_fd = r.wake_fd = -1;
    must(pthread_mutex_init(&r.lock, NULL) == 0);
    must(pthread_mutex_init(&r.mail_lock, NULL) == 0);
    must(pthread_cond_init(&r.changed, NULL) == 0);
    code = open_all(&r, &words, argv + 1);
    if (code == CLI_OK)
        code = join(&r, cli, &words);
    if (code == CLI_OK)
        code = run_loop(&r);
    finish(&r);
    return code;
}

const struct command cmd_run = {
    .name = "run",
    .summary =
        "One worker: holds partitions, and supervises the command that works on them",
    .usage = "run -c FILE [--events PATH] [--plugin-dir DIR] [-- COMMAND [ARGUMENT ...]]",
    .stops_at_word = true,
    .run = run,
};
