#include "config.h"

#include "cli/demo_fleet.h"

#include "base/bytes.h"
#include "base/status.h"
#include "edge/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- starting and ending --------------------------------------------------------------
 */

/* Where a worker's own messages go. */
static void log_path(const struct fleet *f, uint32_t k, char *path, size_t room)
{
    (void)snprintf(path, room, "%s/worker.%u.log", f->folder, k);
}

static void exec_worker(const struct fleet *f, const char *ini, const char *count, int fd)
{
    const char *argv[20];
    char path[512];
    int n = 0, log;

    log_path(f, f->n, path, sizeof path);
    log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0)
        (void)dup2(log, STDERR_FILENO);

    /* A demo that dies takes its workers with it. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(fd, STDOUT_FILENO);
    argv[n++] = f->program;
    argv[n++] = "run";
    argv[n++] = "-c";
    argv[n++] = ini;
    argv[n++] = "--events";
    argv[n++] = "-";
    if (f->plugin_dir != NULL) {
        argv[n++] = "--plugin-dir";
        argv[n++] = f->plugin_dir;
    }
    argv[n++] = "--";
    argv[n++] = f->program;
    argv[n++] = "demo-count";
    argv[n++] = f->status_file;
    argv[n++] = count;
    argv[n] = NULL;
    (void)execv(f->program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

int fleet_start(struct fleet *f, const char *ini, uint32_t *ret)
{
    struct fleet_worker *w = &f->worker[f->n];
    char count[512];
    int fds[2];

    if (f->n == FLEET_MAX)
        return STATUS_LIMIT;
    (void)snprintf(count, sizeof count, "%s/count.%u", f->folder, f->n);
    if (pipe2(fds, O_CLOEXEC) != 0)
        return STATUS_IO;
    *w = (struct fleet_worker){.fd = fds[0], .started_ns = clock_boot_ns()};
    w->buffer = malloc(FLEET_LINE_MAX);
    w->pid = w->buffer != NULL ? fork() : -1;
    if (w->pid == 0)
        exec_worker(f, ini, count, fds[1]);
    (void)close(fds[1]);
    if (w->pid < 0) {
        (void)close(fds[0]);
        free(w->buffer);
        *w = (struct fleet_worker){0};
        return STATUS_IO;
    }
    *ret = f->n++;
    return 0;
}

void fleet_signal(struct fleet *f, uint32_t k, int signal)
{
    if (f->worker[k].pid > 0)
        (void)kill(f->worker[k].pid, signal);
}

/* The process is gone: what it held ended with it at the latest. */
static void bury(struct fleet *f, uint32_t k)
{
    struct fleet_worker *w = &f->worker[k];

    if (w->pid <= 0)
        return;
    (void)waitpid(w->pid, NULL, 0);
    w->pid = 0;
    (void)close(w->fd);
    free(w->buffer);
    w->buffer = NULL;
    ledger_end_all(&f->ledger, k, clock_boot_ns());
}

/* ---- events
 * ------------------------------------------------------------------------------- */

static uint32_t section_of(const struct fleet *f, const char *id)
{
    for (uint32_t i = 0; i < f->input->n; i++)
        if (strcmp(f->input->section[i].name, id) == 0)
            return i;
    return UINT32_MAX;
}

static void take_partitions(struct fleet *f, uint32_t k, const json_t *event, bool begins,
                            uint64_t ns)
{
    const json_t *list = json_object_get(event, "partitions");
    size_t i;
    const json_t *p;

    json_array_foreach(list, i, p)
    {
        const char *id = json_string_value(json_object_get(p, "id"));
        uint32_t section = id != NULL ? section_of(f, id) : UINT32_MAX;

        if (section == UINT32_MAX)
            continue;
        if (begins)
            ledger_begin(&f->ledger, section, k, ns);
        else
            ledger_end(&f->ledger, section, k, ns);
    }
}

static const char *text_of(const json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));

    return text != NULL ? text : "";
}

static void take_event(struct fleet *f, uint32_t k, const json_t *event)
{
    struct fleet_worker *w = &f->worker[k];
    const char *kind = text_of(event, "event");
    uint64_t ns = (uint64_t)json_integer_value(json_object_get(event, "boot_ns"));

    if (text_of(event, "worker")[0] != '\0')
        bytes_to_text(bytes_of(text_of(event, "worker")), w->id, sizeof w->id);
    if (strcmp(kind, "assigned") == 0) {
        w->first_ns = w->first_ns == 0 ? ns : w->first_ns;
        take_partitions(f, k, event, true, ns);
    } else if (strcmp(kind, "released") == 0) {
        take_partitions(f, k, event, false, ns);
    } else if (strcmp(kind, "fenced") == 0) {
        ledger_end_all(&f->ledger, k, ns);
    } else if (strcmp(kind, "state") == 0) {
        bytes_to_text(bytes_of(text_of(event, "to")), w->state, sizeof w->state);
    } else if (strcmp(kind, "leader") == 0) {
        bytes_to_text(bytes_of(text_of(event, "leader")), f->leader, sizeof f->leader);
    } else if (strcmp(kind, "error") == 0) {
        bytes_to_text(bytes_of(text_of(event, "text")), f->trouble, sizeof f->trouble);
    }
}

static void take_lines(struct fleet *f, uint32_t k)
{
    struct fleet_worker *w = &f->worker[k];
    char *line = w->buffer, *end;

    while ((end = memchr(line, '\n', w->n - (size_t)(line - w->buffer))) != NULL) {
        json_t *event = json_loadb(line, (size_t)(end - line), 0, NULL);

        if (event != NULL)
            take_event(f, k, event);
        json_decref(event);
        line = end + 1;
    }
    w->n -= (size_t)(line - w->buffer);
    memmove(w->buffer, line, w->n);
}

static void hear(struct fleet *f, uint32_t k)
{
    struct fleet_worker *w = &f->worker[k];
    ssize_t n = read(w->fd, w->buffer + w->n, FLEET_LINE_MAX - w->n);

    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0) {
        bury(f, k);
        return;
    }
    w->n += (size_t)n;
    take_lines(f, k);
    if (w->n == FLEET_LINE_MAX)
        w->n = 0; /* no event is that long: not ours */
}

static void pump(struct fleet *f, uint64_t timeout_ms)
{
    struct pollfd fds[FLEET_MAX];
    uint32_t whose[FLEET_MAX];
    nfds_t n = 0;

    for (uint32_t k = 0; k < f->n; k++) {
        if (f->worker[k].pid <= 0)
            continue;
        whose[n] = k;
        fds[n++] = (struct pollfd){.fd = f->worker[k].fd, .events = POLLIN};
    }
    if (poll(fds, n, timeout_ms > 1000 ? 1000 : (int)timeout_ms) <= 0)
        return;
    for (nfds_t i = 0; i < n; i++)
        if (fds[i].revents != 0)
            hear(f, whose[i]);
}

static bool anybody_lives(const struct fleet *f)
{
    for (uint32_t k = 0; k < f->n; k++)
        if (f->worker[k].pid > 0)
            return true;
    return false;
}

int fleet_wait(struct fleet *f, bool (*done)(struct fleet *f, const void *ctx),
               const void *ctx, uint64_t timeout_ms)
{
    uint64_t until = clock_boot_ms() + timeout_ms;

    while (!done(f, ctx)) {
        uint64_t now = clock_boot_ms();

        if (now >= until || !anybody_lives(f))
            return STATUS_TIMEOUT;
        pump(f, until - now);
    }
    return 0;
}

void fleet_kill(struct fleet *f, uint32_t k, uint64_t *ret_ns)
{
    *ret_ns = clock_boot_ns();
    fleet_signal(f, k, SIGKILL);
    while (f->worker[k].pid > 0)
        hear(f, k); /* what it said before, then the end of the pipe */
}

/* ---- what is so
 * ----------------------------------------------------------------------------- */

bool fleet_is_settled(struct fleet *f, const void *unused)
{
    (void)unused;
    for (uint32_t i = 0; i < f->input->n; i++)
        if (ledger_holder(&f->ledger, i) < 0)
            return false;
    for (uint32_t k = 0; k < f->n; k++)
        if (f->worker[k].pid > 0 && strcmp(f->worker[k].state, "Stable") != 0)
            return false;
    return true;
}

uint32_t fleet_sections(const struct fleet *f, uint32_t k)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->input->n; i++)
        n += ledger_holder(&f->ledger, i) == (int)k ? 1 : 0;
    return n;
}

uint64_t fleet_packages(const struct fleet *f, uint32_t k)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < f->input->n; i++)
        if (ledger_holder(&f->ledger, i) == (int)k)
            n += f->input->section[i].packages;
    return n;
}

void fleet_print_logs(const struct fleet *f, FILE *to)
{
    for (uint32_t k = 0; k < f->n; k++) {
        char path[512], text[2048];
        FILE *log;
        size_t n;

        log_path(f, k, path, sizeof path);
        log = fopen(path, "re");
        if (log == NULL)
            continue;
        if (fseek(log, -(long)sizeof text, SEEK_END) != 0)
            rewind(log);
        n = fread(text, 1, sizeof text, log);
        (void)fprintf(to, "---- the last of %s\n%.*s", path, (int)n, text);
        (void)fclose(log);
    }
}

void fleet_finish(struct fleet *f)
{
    uint64_t ns;

    for (uint32_t k = 0; k < f->n; k++)
        if (f->worker[k].pid > 0)
            fleet_kill(f, k, &ns);
    ledger_finish(&f->ledger);
}
