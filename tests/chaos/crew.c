#include "config.h"

#include "crew.h"

#include "edge/clock.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *of_build(const char *variable, const char *rest, char *to, size_t room)
{
    const char *value = getenv(variable);

    ck_assert_msg(value != NULL, "%s is not set: run through make check", variable);
    (void)snprintf(to, room, "%s%s", value, rest);
    return to;
}

static void write_ini(struct crew_worker *w, const struct crew_options *o)
{
    FILE *to;

    (void)snprintf(w->ini, sizeof w->ini, "%s/%s.ini", o->dir, o->name);
    to = fopen(w->ini, "we");
    ck_assert_ptr_nonnull(to);
    (void)fprintf(to,
                  "[parti]\ngroup = crew\n[nats]\nurl = %s\n[worker]\n%s\n"
                  "[strategy]\nplugin = round_robin\n"
                  "%s\n"
                  "[timing]\nprofile = fast\n%s\n",
                  o->url, o->worker != NULL ? o->worker : "",
                  o->source != NULL
                      ? o->source
                      : "[source]\nplugin = static\npartitions = orders/0..3",
                  o->timing != NULL ? o->timing : "");
    ck_assert_int_eq(fclose(to), 0);
}

/* argv[0] is the program; standard output or error goes to a pipe, whose end is
 * returned. */
static int start(pid_t *ret_pid, const char *const *argv, int captured)
{
    int out[2];

    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    *ret_pid = fork();
    ck_assert_int_ge(*ret_pid, 0);
    if (*ret_pid == 0) {
        if (dup2(out[1], captured) >= 0)
            (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(126);
    }
    (void)close(out[1]);
    return out[0];
}

void crew_start(struct crew_worker *w, const struct crew_options *o)
{
    char parti[CREW_PATH_ROOM], plugins[CREW_PATH_ROOM];
    const char *argv[16];
    int n = 0;

    memset(w, 0, sizeof *w);
    w->text = malloc(CREW_ROOM + 1);
    ck_assert_ptr_nonnull(w->text);
    if (o->ini != NULL)
        (void)snprintf(w->ini, sizeof w->ini, "%s", o->ini);
    else
        write_ini(w, o);
    if (o->has_events_file)
        (void)snprintf(w->events, sizeof w->events, "%s/%s.events", o->dir, o->name);
    argv[n++] = of_build("PARTI_BUILDDIR", "/parti", parti, sizeof parti);
    argv[n++] = "run";
    argv[n++] = "-c";
    argv[n++] = w->ini;
    argv[n++] = "--events";
    argv[n++] = o->has_events_file ? w->events : "-";
    argv[n++] = "--plugin-dir";
    argv[n++] = of_build("PARTI_PLUGIN_DIR", "", plugins, sizeof plugins);
    if (o->script != NULL) {
        argv[n++] = "--";
        argv[n++] = "sh";
        argv[n++] = "-c";
        argv[n++] = o->script;
    }
    argv[n] = NULL;
    w->fd = start(&w->pid, argv, STDOUT_FILENO);
    w->pidfd = pidfd_open(w->pid, 0);
    ck_assert_int_ge(w->pidfd, 0);
}

void crew_finish(struct crew_worker *w)
{
    if (w->pid > 0) {
        (void)kill(w->pid, SIGCONT);
        (void)kill(w->pid, SIGKILL);
        (void)waitpid(w->pid, NULL, 0);
    }
    if (w->text != NULL) {
        (void)close(w->fd);
        (void)close(w->pidfd);
    }
    free(w->text);
    memset(w, 0, sizeof *w);
}

/* ---- hearing ---------------------------------------------------------------------- */

/* Reads more; false at the end of the output. */
static bool hear(struct crew_worker *w, uint64_t until_ms, const char *what)
{
    struct pollfd fd = {w->fd, POLLIN, 0};
    uint64_t now_ms = clock_boot_ms();

    ck_assert_msg(now_ms < until_ms && poll(&fd, 1, (int)(until_ms - now_ms)) == 1,
                  "not within %d ms: %s", CREW_WAIT_MS, what);
    if (w->at > 0) {
        memmove(w->text, w->text + w->at, w->n - w->at);
        w->n -= w->at;
        w->at = 0;
    }
    ck_assert_uint_lt(w->n, CREW_ROOM);
    ssize_t n = read(w->fd, w->text + w->n, CREW_ROOM - w->n);
    ck_assert_int_ge(n, 0);
    w->n += (size_t)n;
    return n > 0;
}

/* The next whole line, ended with NUL; NULL at the end of the output. */
static char *next_line(struct crew_worker *w, uint64_t until_ms, const char *what)
{
    char *end;

    while ((end = memchr(w->text + w->at, '\n', w->n - w->at)) == NULL)
        if (!hear(w, until_ms, what))
            return NULL;
    char *line = w->text + w->at;
    *end = '\0';
    w->at = (size_t)(end - w->text) + 1;
    return line;
}

const char *crew_line(struct crew_worker *w, const char *text)
{
    uint64_t until_ms = clock_boot_ms() + CREW_WAIT_MS;

    for (;;) {
        const char *line = next_line(w, until_ms, text);

        ck_assert_msg(line != NULL, "the output ended before: %s", text);
        if (strstr(line, text) != NULL)
            return line;
    }
}

json_t *crew_event(struct crew_worker *w, const char *event)
{
    uint64_t until_ms = clock_boot_ms() + CREW_WAIT_MS;

    for (;;) {
        const char *line = next_line(w, until_ms, event);
        json_t *json;

        ck_assert_msg(line != NULL, "the output ended before the event %s", event);
        json = line[0] == '{' ? json_loads(line, 0, NULL) : NULL;
        const char *name = json_string_value(json_object_get(json, "event"));
        if (name != NULL && strcmp(name, event) == 0)
            return json;
        json_decref(json);
    }
}

uint64_t crew_boot_ns(const json_t *event)
{
    return (uint64_t)json_integer_value(json_object_get(event, "boot_ns"));
}

size_t crew_partitions(const json_t *event)
{
    return json_array_size(json_object_get(event, "partitions"));
}

bool crew_lists(const json_t *event, const char *id)
{
    const json_t *list = json_object_get(event, "partitions");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);

        if (strcmp(json_string_value(json_object_get(p, "id")), id) == 0)
            return true;
    }
    return false;
}

/* ---- ends ------------------------------------------------------------------------- */

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int crew_exit(struct crew_worker *w)
{
    int status;

    (void)crew_end_of(w->pidfd);
    ck_assert_int_eq(waitpid(w->pid, &status, 0), w->pid);
    w->pid = 0;
    return code_of(status);
}

uint64_t crew_end_of(int pidfd)
{
    struct pollfd fd = {pidfd, POLLIN, 0};

    ck_assert_msg(poll(&fd, 1, CREW_WAIT_MS) == 1, "no end within %d ms", CREW_WAIT_MS);
    return clock_boot_ns();
}

/* 'captured' is STDOUT_FILENO or STDERR_FILENO. */
static int run_parti(char *text, size_t room, const char *const *arguments, int captured)
{
    char parti[CREW_PATH_ROOM];
    const char *argv[16] = {of_build("PARTI_BUILDDIR", "/parti", parti, sizeof parti)};
    uint64_t until_ms = clock_boot_ms() + CREW_WAIT_MS;
    size_t n = 0;
    pid_t pid;
    int status;

    for (int i = 0; i < 14 && arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    int fd = start(&pid, argv, captured);
    for (;;) {
        struct pollfd more = {fd, POLLIN, 0};
        uint64_t now_ms = clock_boot_ms();

        ck_assert(now_ms < until_ms && poll(&more, 1, (int)(until_ms - now_ms)) == 1);
        ssize_t got = read(fd, text + n, room - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = '\0';
    (void)close(fd);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return code_of(status);
}

int crew_parti(char *text, size_t room, const char *const *arguments)
{
    return run_parti(text, room, arguments, STDERR_FILENO);
}

json_t *crew_json(const char *const *arguments)
{
    char *text = malloc(CREW_ROOM);

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(run_parti(text, CREW_ROOM, arguments, STDOUT_FILENO), 0);
    json_t *json = json_loads(text, 0, NULL);
    ck_assert_msg(json != NULL, "no JSON: %s", text);
    free(text);
    return json;
}

static json_t *settled(const struct crew_worker *w, size_t workers, size_t partitions)
{
    const char *const words[] = {"status", "-c", w->ini, "-o", "json", NULL};
    json_t *status = crew_json(words);
    json_t *held = json_object();
    const char *state = json_string_value(json_object_get(status, "state"));
    size_t i, n = 0, working = 0;
    json_t *worker;

    json_array_foreach(json_object_get(status, "workers"), i, worker)
    {
        json_t *list = json_object_get(worker, "partitions");

        n += json_array_size(list);
        working += json_array_size(list) > 0;
        (void)json_object_set(held, json_string_value(json_object_get(worker, "id")),
                              list);
    }
    bool is_settled = n == partitions && working == workers && state != NULL &&
                      strcmp(state, "Stable") == 0 &&
                      json_array_size(json_object_get(status, "pending")) == 0;
    json_decref(status);
    if (is_settled)
        return held;
    json_decref(held);
    return NULL;
}

json_t *crew_await_settled(const struct crew_worker *w, size_t workers, size_t partitions)
{
    uint64_t until_ms = clock_boot_ms() + CREW_WAIT_MS;
    json_t *held;

    /* Each answer takes as long as the program runs. */
    while ((held = settled(w, workers, partitions)) == NULL)
        ck_assert_msg(clock_boot_ms() < until_ms, "the group does not come to rest");
    return held;
}
