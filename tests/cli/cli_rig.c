#include "config.h"

#include "cli_rig.h"

#include "edge/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 32, PATH_ROOM = SERVER_PATH_ROOM + 128 };

static char dir[SERVER_PATH_ROOM];
static char paths[CLI_RIG_FILES][PATH_ROOM];
static int paths_n;

/* ---- running */

static const char *need(const char *name)
{
    const char *value = getenv(name);

    ck_assert_msg(value != NULL, "%s is not set: run by make check", name);
    return value;
}

/* What the person's own environment says must not decide a test. */
static void clean_environment(void)
{
    (void)unsetenv("PARTI_NATS_URL");
    (void)unsetenv("NATS_URL");
    (void)unsetenv("NO_COLOR");
    (void)setenv("COLUMNS", "80", 1);
    (void)setenv("LC_ALL", "C", 1);
    (void)setenv("XDG_STATE_HOME", dir, 1);
}

/* PARTI_TEST_UNDER names a program that runs parti: make check-valgrind's. */
static pid_t start(const char *const words[], int out, int err)
{
    const char *under = getenv("PARTI_TEST_UNDER");
    char program[PATH_ROOM];
    const char *argv[WORDS_MAX + 3];
    pid_t parent = getpid(), pid;
    int n = 0;

    format(program, sizeof program, "%s/parti", need("PARTI_BUILDDIR"));
    if (under != NULL)
        argv[n++] = under;
    argv[n++] = program;
    while (*words != NULL) {
        ck_assert_int_lt(n, WORDS_MAX + 2);
        argv[n++] = *words++;
    }
    argv[n] = NULL;
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    clean_environment();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(126);
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Waits with a deadline; the exit code, -1 for a death by a signal. */
static int end_of(pid_t pid)
{
    int fd = pidfd_open(pid, 0), status = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    ck_assert_int_ge(fd, 0);
    if (poll(&wait, 1, CLI_RIG_MS) <= 0) {
        (void)kill(pid, SIGKILL);
        ck_abort_msg("parti does not end");
    }
    (void)close(fd);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void read_back(int fd, char *to)
{
    ssize_t n = pread(fd, to, CLI_RIG_OUT - 1, 0);

    ck_assert_int_ge(n, 0);
    to[n] = '\0';
    (void)close(fd);
}

static int open_hidden(void)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "a file in %s: %s", dir, strerror(errno));
    return fd;
}

const struct cli_run *cli_run(const char *const words[])
{
    static struct cli_run run;
    int out = open_hidden(), err = open_hidden();

    run.code = end_of(start(words, out, err));
    read_back(out, run.out);
    read_back(err, run.err);
    return &run;
}

const struct cli_run *cli_expect(int code, const char *const words[])
{
    const struct cli_run *run = cli_run(words);

    ck_assert_msg(run->code == code, "parti %s ... exits %d, not %d\n%s%s", words[0],
                  run->code, code, run->out, run->err);
    return run;
}

json_t *cli_json(const struct cli_run *run)
{
    json_error_t error;
    json_t *o = json_loads(run->out, JSON_REJECT_DUPLICATES, &error);

    ck_assert_msg(o != NULL, "%s in\n%s", error.text, run->out);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "format_version")), 1);
    return o;
}

void cli_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in\n%s", part, text);
}

void cli_lacks(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "'%s' is in\n%s", part, text);
}

int cli_rig_run(const char *name, const TTest *const *tests, size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, cli_rig_setup, cli_rig_teardown);
    for (size_t i = 0; i < n; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- files */

void cli_rig_setup(void)
{
    make_dir(dir);
    paths_n = 0;
}

void cli_rig_teardown(void)
{
    remove_tree(dir);
}

const char *cli_path(const char *name)
{
    ck_assert_int_lt(paths_n, CLI_RIG_FILES);
    format(paths[paths_n], PATH_ROOM, "%s/%s", dir, name);
    return paths[paths_n++];
}

const char *cli_file(const char *name, const char *text)
{
    const char *path = cli_path(name);
    FILE *to = fopen(path, "we");

    ck_assert_ptr_nonnull(to);
    ck_assert_int_ge(fputs(text, to), 0);
    ck_assert_int_eq(fclose(to), 0);
    return path;
}

const char *cli_conf(const char *name, const char *url, const char *more)
{
    char text[4096];

    format(text, sizeof text,
           "[parti]\ngroup = g\nplugin_dir = %s/plugins/.libs\n"
           "[nats]\nurl = %s\n"
           "[strategy]\nplugin = round_robin\n"
           "[source]\nplugin = static\npartitions = p/0..31\n"
           "[timing]\ncold_start_window = 300 ms\nplanned_scale_window = 200 ms\n"
           "min_rebalance_interval = 100 ms\n%s",
           need("PARTI_BUILDDIR"), url, more);
    return cli_file(name, text);
}

/* ---- a run that goes on */

void cli_start(struct cli_live *live, const char *const words[])
{
    int fds[2];

    *live = (struct cli_live){.err = open_hidden()};
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    live->pid = start(words, fds[1], live->err);
    live->out = fds[0];
    (void)close(fds[1]);
}

void cli_log(const struct cli_live *live, char *text)
{
    ssize_t n = pread(live->err, text, CLI_RIG_OUT - 1, 0);

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
}

int cli_logged(const struct cli_live *live, const char *text)
{
    char log[CLI_RIG_OUT];
    ssize_t size = pread(live->err, log, sizeof log - 1, 0);
    int n = 0;

    ck_assert_int_ge(size, 0);
    log[size] = '\0';
    for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

void cli_line(struct cli_live *live, bool (*is_it)(const char *line, void *ctx),
              void *ctx)
{
    uint64_t until_ms = clock_boot_ms() + CLI_RIG_MS;

    for (;;) {
        char *line = live->buffer + live->taken;
        char *end = memchr(line, '\n', live->n - live->taken);

        if (end != NULL) {
            bool is_found;

            *end = '\0';
            live->taken += (size_t)(end - line) + 1;
            is_found = is_it(line, ctx);
            *end = '\n'; /* whole for the message of a failure */
            if (is_found)
                return;
            continue;
        }
        struct pollfd wait = {.fd = live->out, .events = POLLIN};
        uint64_t now_ms = clock_boot_ms();

        ck_assert_msg(now_ms < until_ms && live->n < sizeof live->buffer &&
                          poll(&wait, 1, (int)(until_ms - now_ms)) > 0,
                      "the line does not come; what came:\n%.*s", (int)live->n,
                      live->buffer);
        ssize_t got =
            read(live->out, live->buffer + live->n, sizeof live->buffer - live->n);

        ck_assert_msg(got > 0, "it ended; what came:\n%.*s", (int)live->n, live->buffer);
        live->n += (size_t)got;
    }
}

int cli_interrupt(struct cli_live *live)
{
    ck_assert_int_eq(kill(live->pid, SIGINT), 0);
    int code = end_of(live->pid);

    (void)close(live->out);
    (void)close(live->err);
    return code;
}

const char *cli_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

struct wanted {
    const char *event, *key, *text;
    json_t *got;
};

static bool is_wanted(const char *line, void *ctx)
{
    struct wanted *w = ctx;

    w->got = json_loads(line, 0, NULL);
    ck_assert_msg(w->got != NULL, "this is no JSON: %s", line);
    if (strcmp(cli_text(w->got, "event"), w->event) == 0 &&
        (w->text == NULL || strcmp(cli_text(w->got, w->key), w->text) == 0))
        return true;
    json_decref(w->got);
    return false;
}

json_t *cli_event(struct cli_live *live, const char *event, const char *key,
                  const char *text)
{
    struct wanted w = {event, key, text, NULL};

    cli_line(live, is_wanted, &w);
    return w.got;
}

struct cli_live *cli_start_run(const char *conf)
{
    const char *const words[] = {"run", "-c", conf, "--events", "-", NULL};
    struct cli_live *live = calloc(1, sizeof *live);

    ck_assert_ptr_nonnull(live);
    cli_start(live, words);
    return live;
}

void cli_finish(struct cli_live *live)
{
    ck_assert_int_eq(cli_interrupt(live), 0);
    free(live);
}

/* ---- workers */

static void on_assigned(void *ctx, uint64_t epoch,
                        const struct parti_partition *partition, size_t n)
{
    struct cli_worker *w = ctx;

    (void)epoch;
    (void)partition;
    (void)pthread_mutex_lock(&w->lock);
    w->assigned += n;
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
}

static void on_revoking(void *ctx, uint64_t epoch,
                        const struct parti_partition *partition, size_t n,
                        uint64_t deadline_ms)
{
    struct cli_worker *w = ctx;

    (void)partition;
    (void)n;
    (void)deadline_ms;
    parti_released(w->worker, epoch);
}

struct cli_worker *cli_worker(const char *conf)
{
    struct cli_worker *w = calloc(1, sizeof *w);
    struct parti_callbacks callbacks = {.size = sizeof callbacks,
                                        .ctx = w,
                                        .assigned = on_assigned,
                                        .revoking = on_revoking};
    struct parti_options options = {
        .size = sizeof options, .config = conf, .callbacks = &callbacks};
    pthread_condattr_t attr;
    char text[2048] = "";

    ck_assert_ptr_nonnull(w);
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    ck_assert_msg(parti_create(&w->worker, &options, text, sizeof text) == 0, "%s", text);
    return w;
}

void cli_settle(struct cli_worker *w, size_t parts)
{
    struct timespec until = clock_after_ms(CLI_RIG_MS);
    int error = 0;

    (void)pthread_mutex_lock(&w->lock);
    while (w->assigned < parts && error == 0)
        error = pthread_cond_timedwait(&w->changed, &w->lock, &until);
    (void)pthread_mutex_unlock(&w->lock);
    ck_assert_msg(error == 0, "%zu of %zu partitions are given", w->assigned, parts);
}

void cli_drop(struct cli_worker *w)
{
    parti_destroy(w->worker);
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

void cli_leave(struct cli_worker *w)
{
    parti_stop(w->worker, 0);
    ck_assert_int_eq(parti_wait(w->worker, PARTI_SHUTDOWN, CLI_RIG_MS), 0);
    cli_drop(w);
}
