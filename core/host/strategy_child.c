/* A strategy in a process of its own: started, asked, bounded and buried from here. */
#include "config.h" /* first: it asks for GNU extensions */

#include "host/strategy_engine.h"

#include "base/must.h"
#include "base/status.h"
#include "host/log.h"
#include "host/strategy_wire.h"
#include "host/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct strategy_child {
    char *program;
    const struct plugin *plugin;
    struct option_conf *options;
    int wake; /* eventfd: readable while told to stop */
    pid_t pid;
    int fd; /* -1: there is no process */
    struct strategy_world *world;
    uint32_t *owner;
    uint64_t owner_room;
};

/* How an exchange with the process went. */
enum talk { TALK_OK, TALK_LATE, TALK_STOPPED, TALK_DEAD, TALK_NONSENSE };

/* ---- the process ------------------------------------------------------------------- */

/* It stays to be waited for. */
static bool has_ended(const struct strategy_child *c)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == c->pid;
}

/* Ends the process and says in error->text how it ended by itself, if it had. */
static void bury(struct strategy_child *c, struct parti_error *error)
{
    int status = 0;

    if (c->fd < 0)
        return;
    /* First: a process that we kill did not crash. */
    bool had_ended = has_ended(c);
    (void)close(c->fd);
    c->fd = -1;
    (void)kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (error == NULL)
        return;
    if (had_ended && WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));

        (void)parti_fail(error, 0, "its process was killed by SIG%s",
                         name != NULL ? name : "?");
    } else if (had_ended) {
        (void)parti_fail(error, 0, "its process ended with status %d",
                         WEXITSTATUS(status));
    } else {
        (void)parti_fail(error, 0, "its process spoke nonsense and was killed");
    }
}

/* The socket closes a moment before the process can be waited for; one that only closed
 * it is killed after that moment. */
static void bury_dead(struct strategy_child *c, struct parti_error *error)
{
    uint64_t deadline = threads_now_ms() + ENGINE_GRACE_MS;
    int fd = pidfd_open(c->pid, 0);

    for (uint64_t now = threads_now_ms(); !has_ended(c) && now < deadline;
         now = threads_now_ms()) {
        struct pollfd ended = {fd, POLLIN, 0};

        /* Without a pidfd (none may be left) poll() passes over it: look every ms. */
        (void)poll(&ended, 1, fd >= 0 ? (int)(deadline - now) : 1);
    }
    if (fd >= 0)
        (void)close(fd);
    bury(c, error);
}

/* The program gets an empty signal mask, default actions, a process group of its own (a
 * Ctrl-C is for its host), /dev/null for 0 and 1, the socket as 3, and nothing else. */
static int spawn(struct strategy_child *c, int socket)
{
    char *argv[] = {c->program, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int failed;

    /* POSIX lets posix_spawn() tell that by a status of 127 alone (under valgrind it
       does). */
    if (access(c->program, X_OK) != 0)
        return errno;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    failed = posix_spawn_file_actions_init(&files);
    if (failed != 0)
        return failed;
    failed = posix_spawnattr_init(&attr);
    if (failed != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return failed;
    }
    if ((failed = posix_spawn_file_actions_adddup2(&files, socket, 3)) == 0 &&
        (failed = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY,
                                                   0)) == 0 &&
        (failed = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY,
                                                   0)) == 0 &&
        (failed = posix_spawn_file_actions_addclosefrom_np(&files, 4)) == 0 &&
        (failed = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
        (failed = posix_spawnattr_setsigdefault(&attr, &all)) == 0 &&
        (failed = posix_spawnattr_setpgroup(&attr, 0)) == 0 &&
        (failed = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP)) == 0)
        failed = posix_spawn(&c->pid, c->program, &files, &attr, argv, environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* ---- bounded talk ------------------------------------------------------------------ */

static enum talk await(struct strategy_child *c, short what, uint64_t deadline_ms)
{
    for (;;) {
        struct pollfd fd[2] = {{c->fd, what, 0}, {c->wake, POLLIN, 0}};
        uint64_t now = threads_now_ms();

        if (now >= deadline_ms)
            return TALK_LATE;
        uint64_t left = deadline_ms - now;
        int n = poll(fd, 2, left > INT32_MAX ? INT32_MAX : (int)left);

        if (n < 0 && errno != EINTR)
            return TALK_DEAD;
        if (n > 0 && fd[1].revents != 0)
            return TALK_STOPPED;
        if (n > 0)
            return TALK_OK;
    }
}

static enum talk put(struct strategy_child *c, const void *from, size_t n,
                     uint64_t deadline_ms)
{
    const char *at = from;

    while (n > 0) {
        ssize_t sent = send(c->fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EINTR) {
            enum talk t = await(c, POLLOUT, deadline_ms);
            if (t != TALK_OK)
                return t;
        } else {
            return TALK_DEAD;
        }
    }
    return TALK_OK;
}

static enum talk get(struct strategy_child *c, void *to, size_t n, uint64_t deadline_ms)
{
    char *at = to;

    while (n > 0) {
        ssize_t got = recv(c->fd, at, n, MSG_DONTWAIT);

        if (got > 0) {
            at += got;
            n -= (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            enum talk t = await(c, POLLIN, deadline_ms);
            if (t != TALK_OK)
                return t;
        } else {
            return TALK_DEAD;
        }
    }
    return TALK_OK;
}

/* A frame of just this kind and size, its first 'n' bytes to 'to'. */
static enum talk get_frame(struct strategy_child *c, enum wire_kind kind, uint64_t size,
                           void *to, size_t n, uint64_t deadline_ms)
{
    struct wire_head head;
    enum talk t = get(c, &head, sizeof head, deadline_ms);

    if (t == TALK_OK && (head.magic != WIRE_MAGIC || head.kind != kind || head.n != size))
        return TALK_NONSENSE;
    return t == TALK_OK ? get(c, to, n, deadline_ms) : t;
}

static enum talk put_conf(struct strategy_child *c, uint64_t deadline_ms)
{
    uint32_t level = LOG_LEVEL_DEBUG;
    size_t n = 0;

    while (level < LOG_LEVEL_ERROR && !log_on((enum log_level)level))
        level++;
    char *block = wire_conf_pack(c->plugin->path, level, &c->options->conf, &n);
    if (block == NULL)
        return TALK_DEAD;
    struct wire_head head = {WIRE_MAGIC, WIRE_CONF, n};
    enum talk t = put(c, &head, sizeof head, deadline_ms);
    if (t == TALK_OK)
        t = put(c, block, n, deadline_ms);
    free(block);
    return t;
}

/* A new process up to CREATED.  ANSWERED: see ret->code; else ret->error says what. */
static void start(struct strategy_child *c, struct engine_outcome *ret)
{
    uint64_t deadline = threads_now_ms() + ENGINE_CREATE_MS;
    struct wire_ready ready = {0};
    struct wire_answer answer = {0};
    int pair[2];

    ret->end = ENGINE_CRASHED;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        (void)parti_fail(&ret->error, 0, "no socket for its process: %s",
                         strerrordesc_np(errno));
        return;
    }
    int failed = spawn(c, pair[1]);
    (void)close(pair[1]);
    if (failed != 0) {
        (void)close(pair[0]);
        (void)parti_fail(&ret->error, 0, "%.160s cannot be started: %s", c->program,
                         strerrordesc_np(failed));
        return;
    }
    c->fd = pair[0];
    enum talk t = get_frame(c, WIRE_READY, sizeof ready, &ready, sizeof ready, deadline);
    if (t == TALK_OK && strncmp(ready.version, PACKAGE_VERSION, sizeof ready.version)) {
        bury(c, NULL);
        (void)parti_fail(&ret->error, 0, "%.120s is of version %.32s, this is %s",
                         c->program, ready.version, PACKAGE_VERSION);
        return;
    }
    if (t == TALK_OK)
        t = put_conf(c, deadline);
    if (t == TALK_OK)
        t = get_frame(c, WIRE_CREATED, sizeof answer, &answer, sizeof answer, deadline);
    if (t == TALK_OK) {
        ret->end = ENGINE_ANSWERED;
        ret->code = answer.code;
        ret->error.line = answer.line;
        memcpy(ret->error.text, answer.text, sizeof answer.text);
        if (answer.code != PARTI_OK)
            bury(c, NULL);
        return;
    }
    ret->end = t == TALK_STOPPED ? ENGINE_STOPPED : ENGINE_CRASHED;
    if (t == TALK_DEAD)
        bury_dead(c, &ret->error);
    else
        bury(c, &ret->error);
    if (t == TALK_LATE)
        (void)parti_fail(&ret->error, 0, "create() did not return within %d ms",
                         ENGINE_CREATE_MS);
}

static enum talk exchange(struct strategy_child *c, uint64_t limit_ms,
                          struct wire_answer *answer)
{
    const struct parti_world *w = &c->world->world;
    struct wire_column column[WIRE_COLUMNS];
    static const char padding[8];
    struct wire_world about;
    uint64_t stop_ms = threads_now_ms() + limit_ms + ENGINE_GRACE_MS;
    size_t owners = (size_t)w->part_n * sizeof *c->owner;

    wire_world_head(w, &about);
    about.limit_ms = limit_ms;
    about.deadline_ms = stop_ms - ENGINE_GRACE_MS;
    struct wire_head head = {WIRE_MAGIC, WIRE_WORLD,
                             sizeof about + wire_world_size(&about)};
    size_t n = wire_world_columns(w, &about, column);
    enum talk t = put(c, &head, sizeof head, stop_ms);
    if (t == TALK_OK)
        t = put(c, &about, sizeof about, stop_ms);
    for (size_t i = 0; i < n && t == TALK_OK; i++) {
        t = put(c, column[i].at, column[i].used, stop_ms);
        if (t == TALK_OK)
            t = put(c, padding, column[i].n - column[i].used, stop_ms);
    }
    if (t == TALK_OK)
        t = get_frame(c, WIRE_ANSWER, sizeof *answer + owners, answer, sizeof *answer,
                      stop_ms);
    return t == TALK_OK ? get(c, c->owner, owners, stop_ms) : t;
}

/* ---- from outside ------------------------------------------------------------------ */

int strategy_child_create(const char *program, const struct plugin *plugin,
                          struct option_conf *options, const struct conf_plugin *conf,
                          struct conf_errors *errors, struct strategy_child **ret)
{
    struct strategy_child *c = calloc(1, sizeof *c);
    struct instance shown; /* only its name is used */
    struct engine_outcome o = {0};
    int status = STATUS_NOMEM;

    instance_init(&shown, "strategy", plugin->name, NULL, NULL);
    if (c == NULL) {
        option_conf_free(options);
        conf_errors_add(errors, conf->plugin_line, "%s", status_text(status));
        return status;
    }
    c->fd = -1;
    c->plugin = plugin;
    c->options = options;
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->program = strdup(program != NULL ? program : PARTI_PLUGIN_HOST);
    if (c->wake < 0 || c->program == NULL) {
        conf_errors_add(errors, conf->plugin_line, "%s", status_text(status));
        goto fail;
    }
    instance_error_init(&o.error);
    start(c, &o);
    if (o.end == ENGINE_ANSWERED && o.code == PARTI_OK) {
        *ret = c;
        return STATUS_OK;
    }
    status = instance_refused(
        &shown, conf, o.end == ENGINE_ANSWERED ? o.code : PARTI_RETRY, &o.error, errors);
fail:
    strategy_child_destroy(c);
    return status;
}

static bool make_room(struct strategy_child *c, uint64_t n)
{
    if (n <= c->owner_room)
        return true;
    uint32_t *owner = realloc(c->owner, (size_t)n * sizeof *owner);
    if (owner == NULL)
        return false;
    c->owner = owner;
    c->owner_room = n;
    return true;
}

void strategy_child_run(struct strategy_child *c, struct strategy_world *world,
                        uint64_t limit_ms, struct engine_outcome *ret)
{
    uint64_t start_us = threads_now_us();
    struct wire_answer answer = {0};

    *ret = (struct engine_outcome){.end = ENGINE_NOMEM};
    instance_error_init(&ret->error);
    (void)strategy_world_hash(world, c->world);
    strategy_world_destroy(c->world);
    c->world = world;
    if (!make_room(c, world->world.part_n + 1))
        return;
    if (c->fd < 0) {
        start(c, ret);
        if (ret->end != ENGINE_ANSWERED)
            return;
        if (ret->code != PARTI_OK) {
            char text[sizeof ret->error.text];

            memcpy(text, instance_error_text(&ret->error), sizeof text);
            (void)parti_fail(&ret->error, 0, "it does not start again (%s): %.200s",
                             instance_code_name(ret->code), text);
            ret->end = ENGINE_CRASHED;
            return;
        }
    }
    switch (exchange(c, limit_ms, &answer)) {
    case TALK_OK:
        ret->end = ENGINE_ANSWERED;
        ret->code = answer.code;
        memcpy(ret->error.text, answer.text, sizeof answer.text);
        ret->world = world;
        ret->owner = c->owner;
        break;
    case TALK_LATE:
        ret->end = ENGINE_OVERTIME;
        bury(c, NULL);
        break;
    case TALK_STOPPED:
        ret->end = ENGINE_STOPPED;
        bury(c, NULL);
        break;
    case TALK_DEAD:
        ret->end = ENGINE_CRASHED;
        bury_dead(c, &ret->error);
        break;
    case TALK_NONSENSE:
        ret->end = ENGINE_CRASHED;
        bury(c, &ret->error);
        break;
    }
    ret->took_us = threads_now_us() - start_us;
}

void strategy_child_stop(struct strategy_child *c, bool is_wanted)
{
    uint64_t count = 1;

    /* An eventfd with a value in it stays readable; both calls fail only when there is
     * nothing left to do. */
    if (is_wanted)
        (void)!write(c->wake, &count, sizeof count);
    else
        (void)!read(c->wake, &count, sizeof count);
}

void strategy_child_destroy(struct strategy_child *c)
{
    if (c == NULL)
        return;
    bury(c, NULL);
    if (c->wake >= 0)
        (void)close(c->wake);
    strategy_world_destroy(c->world);
    option_conf_free(c->options);
    free(c->owner);
    free(c->program);
    free(c);
}
