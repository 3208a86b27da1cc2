/* libparti in this process, against a real server: applications that do not keep up. */
#include "host/worker.h"

#include "server.h"
#include "unit.h"

#include "base/errors.h"
#include "edge/clock.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 30000, PARTS = 8, SAID_MAX = 16 };

/* An application: what it was told, and a gate that keeps it inside a callback. */
struct app {
    struct parti_worker *worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_shut;       /* 'assigned' does not return */
    bool is_lease_shut; /* 'lease' does not return: the engine stands still */
    bool is_at_lease;   /* it stands there */
    char id[PARTS][16];
    struct parti_hold hold[PARTS];
    size_t n;             /* granted so far */
    uint64_t deadline_ns; /* of the lease, told last */
    uint64_t cut_ns;      /* when a deadline was told that had passed; 0: never */
    char said[SAID_MAX][64];
    size_t said_n; /* further ones are only counted */
};

static struct server server;
static char dir[SERVER_PATH_ROOM];

static void say(struct app *a, const char *what)
{
    if (a->said_n < SAID_MAX)
        (void)snprintf(a->said[a->said_n], sizeof a->said[0], "%s", what);
    a->said_n++;
    (void)pthread_cond_broadcast(&a->changed);
}

static void on_assigned(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    struct app *a = ctx;

    (void)epoch;
    (void)pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < n && a->n < PARTS; i++) {
        (void)snprintf(a->id[a->n], sizeof a->id[0], "%s", p[i].id);
        a->hold[a->n++] = p[i].hold;
    }
    say(a, "assigned");
    while (a->is_shut)
        (void)pthread_cond_wait(&a->changed, &a->lock);
    (void)pthread_mutex_unlock(&a->lock);
}

static void on_revoking(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n, uint64_t deadline_ms)
{
    struct app *a = ctx;

    (void)p, (void)n, (void)deadline_ms;
    (void)pthread_mutex_lock(&a->lock);
    say(a, "revoking");
    (void)pthread_mutex_unlock(&a->lock);
    parti_released(a->worker, epoch);
}

static void on_fenced(void *ctx, const char *reason, uint64_t deadline_ns)
{
    struct app *a = ctx;

    (void)reason;
    (void)pthread_mutex_lock(&a->lock);
    say(a, deadline_ns <= clock_boot_ns() ? "fenced" : "fenced ahead");
    (void)pthread_mutex_unlock(&a->lock);
}

static void on_error(void *ctx, int code, const char *text)
{
    struct app *a = ctx;
    char line[64];

    (void)snprintf(line, sizeof line, "error %d %s", code, text);
    (void)pthread_mutex_lock(&a->lock);
    say(a, line);
    (void)pthread_mutex_unlock(&a->lock);
}

static void on_stopped(void *ctx, int code, const char *text)
{
    struct app *a = ctx;
    char line[64];

    ck_assert_str_eq(text, code == ERR_EVENTS_UNTAKEN
                               ? "the application does not take its events; this worker "
                                 "gave up everything and left"
                               : "");
    (void)snprintf(line, sizeof line, "stopped %d", code);
    (void)pthread_mutex_lock(&a->lock);
    say(a, line);
    (void)pthread_mutex_unlock(&a->lock);
}

static void on_lease(void *ctx, uint64_t deadline_ns)
{
    struct app *a = ctx;
    uint64_t now_ns = clock_boot_ns();

    (void)pthread_mutex_lock(&a->lock);
    a->deadline_ns = deadline_ns;
    if (deadline_ns <= now_ns && a->cut_ns == 0)
        a->cut_ns = now_ns;
    a->is_at_lease = a->is_lease_shut;
    (void)pthread_cond_broadcast(&a->changed);
    while (a->is_lease_shut)
        (void)pthread_cond_wait(&a->changed, &a->lock);
    (void)pthread_mutex_unlock(&a->lock);
}

/* ---- the bench */

static void begin(void)
{
    const struct server_program *program;

    (void)server_programs(&program);
    server_start(&server, &(struct server_options){.program = program});
    make_dir(dir);
}

static void end(void)
{
    remove_tree(dir);
    server_finish(&server);
}

static void app_start(struct app *a, const char *id)
{
    struct parti_callbacks callbacks = {.size = sizeof callbacks,
                                        .ctx = a,
                                        .assigned = on_assigned,
                                        .revoking = on_revoking,
                                        .fenced = on_fenced,
                                        .error = on_error,
                                        .stopped = on_stopped,
                                        .lease = on_lease};
    char path[SERVER_PATH_ROOM + 32], text[1024];
    struct parti_options options = {.size = sizeof options,
                                    .config = path,
                                    .plugin_dir = getenv("PARTI_PLUGIN_DIR"),
                                    .callbacks = &callbacks};
    FILE *to;

    (void)pthread_mutex_init(&a->lock, NULL);
    worker_cond_init(&a->changed);
    (void)snprintf(path, sizeof path, "%s/%s.ini", dir, id);
    to = fopen(path, "we");
    ck_assert_ptr_nonnull(to);
    (void)fprintf(to,
                  "[parti]\ngroup = app\n[nats]\nurl = %s\n[worker]\nid = %s\n"
                  "[strategy]\nplugin = round_robin\n"
                  "[source]\nplugin = static\npartitions = p/0..%d\n"
                  "[timing]\nprofile = fast\ncold_start_window = 100 ms\n"
                  "planned_scale_window = 100 ms\n",
                  server.url, id, PARTS - 1);
    ck_assert_int_eq(fclose(to), 0);
    int status = parti_create(&a->worker, &options, text, sizeof text);
    ck_assert_msg(status == 0, "%s", text);
}

static void app_finish(struct app *a)
{
    parti_destroy(a->worker);
    (void)pthread_cond_destroy(&a->changed);
    (void)pthread_mutex_destroy(&a->lock);
}

/* Waits, with a->lock held, until 'condition' is true. */
#define WAIT(a, condition)                                                     \
    do {                                                                       \
        struct timespec until = clock_after_ms(WAIT_MS);                       \
        int late = 0;                                                          \
        while (!(condition) && late == 0)                                      \
            late = pthread_cond_timedwait(&(a)->changed, &(a)->lock, &until);  \
        ck_assert_msg(condition, "not within %d ms: %s", WAIT_MS, #condition); \
    } while (0)

static void wait_granted(struct app *a, size_t n)
{
    (void)pthread_mutex_lock(&a->lock);
    WAIT(a, a->n >= n);
    (void)pthread_mutex_unlock(&a->lock);
}

static size_t held(const struct app *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++)
        n += (size_t)parti_holds(a->worker, a->hold[i]);
    return n;
}

/* ---- facts */

START_TEST(a_revoke_that_cannot_be_told_ends_all_holding_and_is_told_as_a_fence)
{
    static struct app slow = {.is_shut = true}, other;

    begin();
    app_start(&slow, "worker-0");
    wait_granted(&slow, PARTS);
    ck_assert_uint_eq(held(&slow), PARTS);
    /* Its first callback has not returned, and as much waits behind it as can. */
    while (dispatch_error(slow.worker->dispatch, ERR_NATS_FAILED, "filler") == 0)
        continue;
    app_start(&other, "worker-1"); /* half of them are to move now */

    (void)pthread_mutex_lock(&slow.lock);
    WAIT(&slow, slow.cut_ns != 0);
    (void)pthread_mutex_unlock(&slow.lock);
    ck_assert_uint_eq(held(&slow), 0);
    ck_assert_int_eq(parti_wait(slow.worker, PARTI_SHUTDOWN, WAIT_MS), 0);
    wait_granted(&other, PARTS); /* nothing stays behind */
    ck_assert_uint_eq(held(&other), PARTS);
    ck_assert_uint_eq(held(&slow), 0);
    (void)pthread_mutex_lock(&slow.lock);
    ck_assert_uint_le(slow.deadline_ns, slow.cut_ns); /* no later lease was told of */
    ck_assert_uint_eq(slow.said_n, 1);
    slow.is_shut = false;
    (void)pthread_cond_broadcast(&slow.changed);
    /* The next thing that it hears is the fence; what waited speaks of the past. */
    WAIT(&slow, slow.said_n >= 3);
    (void)pthread_mutex_unlock(&slow.lock);
    app_finish(&other);
    app_finish(&slow);
    ck_assert_uint_eq(slow.said_n, 3);
    ck_assert_str_eq(slow.said[1], "fenced");
    ck_assert_str_eq(slow.said[2], "stopped 607"); /* ERR_EVENTS_UNTAKEN */
    end();
}
END_TEST

START_TEST(a_stop_is_heard_whatever_was_asked_before_it)
{
    enum { REQUESTS = 25000 };
    static struct app app = {.is_lease_shut = false};

    begin();
    app_start(&app, "worker-0");
    wait_granted(&app, PARTS);
    (void)pthread_mutex_lock(&app.lock);
    app.is_lease_shut = true;
    WAIT(&app, app.is_at_lease);
    (void)pthread_mutex_unlock(&app.lock);
    for (int i = 0; i < REQUESTS; i++)
        parti_refresh(app.worker);
    parti_stop(app.worker, 0);
    (void)pthread_mutex_lock(&app.lock);
    app.is_lease_shut = false;
    (void)pthread_cond_broadcast(&app.changed);
    (void)pthread_mutex_unlock(&app.lock);
    ck_assert_int_eq(parti_wait(app.worker, PARTI_SHUTDOWN, WAIT_MS), 0);
    app_finish(&app);
    ck_assert_str_eq(app.said[app.said_n - 1], "stopped 0");
    end();
}
END_TEST

/* The field of /proc/PID/task/TID/status, a mask in hexadecimal. */
static uint64_t blocked_of(const char *task, char name[32])
{
    char path[64], line[256];
    uint64_t mask = 0;
    FILE *from;

    (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
    from = fopen(path, "re");
    if (from == NULL)
        return UINT64_MAX; /* it has ended */
    while (fgets(line, sizeof line, from) != NULL) {
        (void)sscanf(line, "Name: %31s", name);
        (void)sscanf(line, "SigBlk: %" SCNx64, &mask);
    }
    (void)fclose(from);
    return mask;
}

START_TEST(signals_reach_only_threads_of_the_application)
{
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,
                                  SIGALRM, SIGTERM, SIGCHLD, SIGPIPE};
    static struct app app;
    struct dirent *task;
    size_t others = 0;
    DIR *tasks;

    begin();
    app_start(&app, "worker-0");
    wait_granted(&app, PARTS);
    tasks = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(tasks);
    while ((task = readdir(tasks)) != NULL) {
        char name[32] = "";

        if (task->d_name[0] == '.' || strtol(task->d_name, NULL, 10) == getpid())
            continue;
        uint64_t mask = blocked_of(task->d_name, name);

        others++;
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
            ck_assert_msg((mask >> (signals[i] - 1) & 1) == 1,
                          "thread %s (%s) takes signal %d", task->d_name, name,
                          signals[i]);
    }
    (void)closedir(tasks);
    ck_assert_uint_ge(others, 2); /* the loop's and the dispatch's at least */
    app_finish(&app);
    end();
}
END_TEST

UNIT_MAIN("worker", a_revoke_that_cannot_be_told_ends_all_holding_and_is_told_as_a_fence,
          a_stop_is_heard_whatever_was_asked_before_it,
          signals_reach_only_threads_of_the_application)
