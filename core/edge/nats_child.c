#include "edge/nats_child.h"

#include "base/bytes.h"
#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"
#include "edge/nats_process.h"
#include "edge/nats_probe.h"
#include "edge/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

enum { STORE_DEFAULT_MB = 1024, PROBE_MS = 500, STEADY_MS = 10000 };

struct nats_child {
    struct inbox *inbox; /* or NULL */
    char *program, *dir;
    struct nats_process_plan plan;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows up to the line */
    pthread_cond_t cond;
    char url[NATS_CHILD_URL_ROOM]; /* "" while there is none */
    struct nats_error error;       /* code set: the last start or search failed */
    pid_t pid;
    /* ---- the supervising thread's alone */
    struct nats_process process;
    struct nats_endpoint endpoint;
    uint64_t backoff_ms;
};

/* ---- telling */

static void tell(struct nats_child *child, int kind, int tag, int code, const char *text)
{
    if (child->inbox == NULL)
        return;
    struct inbox_item *item = inbox_item_create(kind, NULL, NULL, text, strlen(text));
    if (item != NULL) {
        item->tag = tag;
        item->code = code;
        item->status = code == 0 ? STATUS_OK : STATUS_OFFLINE;
    }
    (void)inbox_put(child->inbox, item);
}

static void tell_up(struct nats_child *child, bool is_own)
{
    char url[NATS_CHILD_URL_ROOM] = "";

    nats_endpoint_url(&child->endpoint, url, sizeof url);
    must(pthread_mutex_lock(&child->mutex) == 0);
    bool is_new = strcmp(child->url, url) != 0;
    memcpy(child->url, url, sizeof url);
    child->error.code = 0;
    child->pid = is_own ? child->process.pid : 0;
    must(pthread_cond_broadcast(&child->cond) == 0);
    must(pthread_mutex_unlock(&child->mutex) == 0);
    if (is_new)
        tell(child, INBOX_SERVER_UP, is_own, 0, url);
}

static void tell_down(struct nats_child *child, const char *why)
{
    must(pthread_mutex_lock(&child->mutex) == 0);
    bool was_up = child->url[0] != '\0';
    child->url[0] = '\0';
    child->pid = 0;
    must(pthread_mutex_unlock(&child->mutex) == 0);
    if (was_up)
        tell(child, INBOX_SERVER_DOWN, 0, ERR_SERVER_START, why);
}

static void tell_error(struct nats_child *child, const struct nats_error *e)
{
    must(pthread_mutex_lock(&child->mutex) == 0);
    bool is_new = child->error.code != e->code || strcmp(child->error.text, e->text) != 0;
    child->error = *e;
    must(pthread_cond_broadcast(&child->cond) == 0);
    must(pthread_mutex_unlock(&child->mutex) == 0);
    if (is_new)
        tell(child, INBOX_SERVER_ERROR, 0, e->code, e->text);
}

/* ---- the thread */

/* Up to ms, or until somebody wants the end: then false. */
static bool pause_ms(struct nats_child *child, uint64_t ms)
{
    struct pollfd stop = {.fd = child->plan.stop_fd, .events = POLLIN};

    return poll(&stop, 1, (int)ms) <= 0;
}

/* Back off after a failure: 100 ms, doubled up to 5 s. */
static bool back_off(struct nats_child *child)
{
    uint64_t ms = child->backoff_ms;

    child->backoff_ms =
        ms * 2 < NATS_CHILD_BACKOFF_MAX_MS ? ms * 2 : NATS_CHILD_BACKOFF_MAX_MS;
    return pause_ms(child, ms);
}

/* The server runs and is ours: until it ends, or the end is wanted (then false). */
static bool watch(struct nats_child *child)
{
    struct pollfd fds[] = {{.fd = child->plan.stop_fd, .events = POLLIN},
                           {.fd = child->process.out, .events = POLLIN}};

    while (fds[0].revents == 0) {
        if (poll(fds, 2, -1) < 0)
            must(errno == EINTR);
        else if (fds[1].revents != 0 && !nats_process_drain(&child->process))
            return true;
    }
    return false;
}

/* At the port of the last time if it is still free, so that links find it again. */
static int start(struct nats_child *child, struct nats_error *e)
{
    bool is_known_port = child->endpoint.port > 0;
    int status = nats_process_start(&child->process, &child->plan, &child->endpoint, e);

    if (status == STATUS_OK || status == STATUS_CANCELED || !is_known_port)
        return status;
    child->endpoint.port = 0;
    return nats_process_start(&child->process, &child->plan, &child->endpoint, e);
}

/* Where the server is, for other processes of this user. */
static int save(struct nats_child *child, struct nats_error *e)
{
    int status = nats_endpoint_save(child->dir, &child->endpoint);

    if (status != STATUS_OK)
        nats_error_set(e, STATUS_IO, ERR_SERVER_START,
                       "cannot write endpoint.json in '%s': %s.", child->dir,
                       strerror(errno));
    return status;
}

/* We hold the lock, so no server runs: start one, stay with it while it lives.  False
 * when the end is wanted.
 */
static bool own(struct nats_child *child)
{
    struct nats_error e = {0};

    if (nats_endpoint_load(child->dir, &child->endpoint) != STATUS_OK)
        nats_endpoint_init(&child->endpoint);
    child->endpoint.is_ready = false;
    int status = save(child, &e);
    if (status == STATUS_OK)
        status = start(child, &e);
    if (status == STATUS_CANCELED)
        return false;
    if (status != STATUS_OK) {
        tell_error(child, &e);
        return back_off(child);
    }
    child->endpoint.is_ready = true;
    if (save(child, &e) != STATUS_OK)
        tell_error(child, &e); /* it serves us; the others do not find it */
    uint64_t up_ms = clock_boot_ms();
    tell_up(child, true);
    bool goes_on = watch(child);
    nats_process_stop(&child->process, goes_on ? 0 : NATS_CHILD_STOP_MS);
    if (!goes_on)
        return false;
    tell_down(child, "the embedded nats-server ended. Starting it again.");
    if (clock_boot_ms() - up_ms > STEADY_MS)
        child->backoff_ms = NATS_CHILD_BACKOFF_MIN_MS;
    return back_off(child);
}

/* Another process holds the lock: take its word for where the server is. */
static bool find(struct nats_child *child, uint64_t since_ms)
{
    struct nats_url url = {.host = "127.0.0.1"};
    struct nats_error e = {0};
    char text[NATS_CHILD_URL_ROOM];

    int status = nats_endpoint_load(child->dir, &child->endpoint);
    url.port = child->endpoint.port;
    if (status == STATUS_OK && child->endpoint.is_ready) {
        nats_endpoint_url(&child->endpoint, text, sizeof text);
        /* Greeted once is enough: the lock tells when it is gone. */
        if (strcmp(text, child->url) == 0 ||
            nats_probe(&url, PROBE_MS, NULL, &e) == STATUS_OK) {
            tell_up(child, false);
            return true;
        }
    }
    if (clock_boot_ms() - since_ms > child->plan.start_ms) {
        nats_error_set(&e, STATUS_TIMEOUT, ERR_SERVER_START,
                       "another process keeps the embedded nats-server in '%s', but it "
                       "does not answer. See nats-server.log there.",
                       child->dir);
        tell_error(child, &e);
    }
    return false;
}

static void *child_main(void *arg)
{
    struct nats_child *child = arg;
    uint64_t since_ms = clock_boot_ms();
    bool goes_on = true;

    while (goes_on) {
        if (flock(child->plan.lock_fd, LOCK_EX | LOCK_NB) == 0) {
            tell_down(child, "the process that kept the embedded nats-server ended. "
                             "Starting it again.");
            while (own(child))
                continue;
            break;
        }
        if (find(child, since_ms))
            since_ms = clock_boot_ms();
        goes_on = pause_ms(child, NATS_CHILD_CHECK_MS);
    }
    return NULL;
}

/* ---- making and ending */

/* The path goes into the server's configuration between quotes. */
static bool dir_is_plain(const char *dir)
{
    if (dir == NULL || dir[0] != '/' || strlen(dir) > NATS_ENDPOINT_PATH_ROOM - 64)
        return false;
    for (const char *c = dir; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == '"' || *c == '\\' || *c == 127)
            return false;
    }
    return true;
}

static int open_files(struct nats_child *child, char *text, size_t room)
{
    char path[NATS_ENDPOINT_PATH_ROOM];

    must(snprintf(path, sizeof path, "%s/nats-server.lock", child->dir) <
         (int)sizeof path);
    child->plan.lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    child->plan.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (child->plan.lock_fd >= 0 && child->plan.stop_fd >= 0)
        return STATUS_OK;
    (void)snprintf(text, room, "cannot open '%s': %s.", path, strerror(errno));
    return STATUS_INVALID;
}

static void release(struct nats_child *child)
{
    if (child->plan.lock_fd >= 0)
        (void)close(child->plan.lock_fd);
    if (child->plan.stop_fd >= 0)
        (void)close(child->plan.stop_fd);
    must(pthread_cond_destroy(&child->cond) == 0);
    must(pthread_mutex_destroy(&child->mutex) == 0);
    explicit_bzero(child->url, sizeof child->url);
    explicit_bzero(&child->endpoint, sizeof child->endpoint);
    free(child->program);
    free(child->dir);
    free(child);
}

int nats_child_create(struct nats_child **ret_child, struct inbox *inbox,
                      const struct nats_child_options *options, char *text, size_t room)
{
    pthread_condattr_t attr;

    if (!dir_is_plain(options->state_dir)) {
        (void)snprintf(text, room,
                       "the state directory '%s' must be an absolute path "
                       "without quotes and backslashes.",
                       options->state_dir != NULL ? options->state_dir : "");
        return STATUS_INVALID;
    }
    int status = nats_endpoint_prepare(options->state_dir, text, room);
    if (status != STATUS_OK)
        return status;
    struct nats_child *child = calloc(1, sizeof *child);
    if (child == NULL)
        return STATUS_NOMEM;
    child->inbox = inbox;
    child->dir = strdup(options->state_dir);
    child->program = options->program != NULL ? strdup(options->program) : NULL;
    must(child->dir != NULL && (child->program != NULL || options->program == NULL));
    child->backoff_ms = NATS_CHILD_BACKOFF_MIN_MS;
    child->plan = (struct nats_process_plan){
        .program = child->program,
        .dir = child->dir,
        .store_max = options->store_max > 0 ? options->store_max
                                            : (uint64_t)STORE_DEFAULT_MB * 1024 * 1024,
        .start_ms = options->start_ms > 0 ? options->start_ms : NATS_CHILD_START_MS,
    };
    must(pthread_mutex_init(&child->mutex, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&child->cond, &attr) == 0);
    must(pthread_condattr_destroy(&attr) == 0);
    status = open_files(child, text, room);
    if (status == STATUS_OK)
        status = thread_start(&child->thread, child_main, child);
    if (status != STATUS_OK) {
        release(child);
        return status;
    }
    *ret_child = child;
    return STATUS_OK;
}

void nats_child_destroy(struct nats_child *child)
{
    const uint64_t one = 1;

    if (child == NULL)
        return;
    must(write(child->plan.stop_fd, &one, sizeof one) == (ssize_t)sizeof one);
    must(pthread_join(child->thread, NULL) == 0);
    release(child);
}

int nats_child_wait(struct nats_child *child, char url[NATS_CHILD_URL_ROOM],
                    int *ret_code, char *text, size_t room)
{
    /* A start that fails by its deadline says so itself; this is for its little more. */
    struct timespec until = clock_after_ms(child->plan.start_ms + NATS_CHILD_STOP_MS);
    int status = STATUS_TIMEOUT, error = 0;

    must(pthread_mutex_lock(&child->mutex) == 0);
    while (child->url[0] == '\0' && child->error.code == 0 && error == 0)
        error = pthread_cond_timedwait(&child->cond, &child->mutex, &until);
    if (child->url[0] != '\0') {
        memcpy(url, child->url, NATS_CHILD_URL_ROOM);
        status = STATUS_OK;
    } else if (child->error.code != 0) {
        *ret_code = child->error.code;
        (void)snprintf(text, room, "%s", child->error.text);
        status = child->error.status;
    } else {
        *ret_code = ERR_SERVER_START;
        (void)snprintf(text, room, "the embedded nats-server is not ready in time.");
    }
    must(pthread_mutex_unlock(&child->mutex) == 0);
    return status;
}

pid_t nats_child_pid(struct nats_child *child)
{
    must(pthread_mutex_lock(&child->mutex) == 0);
    pid_t pid = child->pid;
    must(pthread_mutex_unlock(&child->mutex) == 0);
    return pid;
}
