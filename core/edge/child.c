#include "edge/child.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/child_guard.h"
#include "edge/child_start.h"
#include "edge/child_wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_IN, AT_OUT, AT_GONE, QUEUE_ROOM_FIRST = 4096 };

enum { WRITE_MIN = 16 * 1024 }; /* put so much: written without waiting for more */

/* Reads of READ_ROOM bytes: at one turn of the loop; and after the end, far more than a
 * pipe holds. */
enum { READ_ROOM = 16 * 1024, READS_MAX = 16, RESTS_MAX = 4096 };

enum { LOOK_NS = 5 * 1000 * 1000 }; /* between two looks at what a guardian left */

struct child {
    struct child_options options;
    struct child_start run; /* descriptors and process ids */
    bool is_unguarded;      /* the guardian is gone before the command */
    bool has_ended;         /* told */
    enum child_end how;
    int number;

    /* What it has not read: queue[sent..n). */
    char *queue;
    size_t sent, queued, room;
    size_t unsent; /* of that, put since the last try to write */
    bool hangs_up; /* close when all is sent */

    char line[CHILD_LINE_MAX];
    size_t line_n;
    bool is_long; /* in the middle of a line that does not fit */
};

int child_create(struct child **ret_child, const struct child_options *options,
                 char *text, size_t room)
{
    struct child *c = calloc(1, sizeof *c);
    int status;

    bytes_to_text(bytes_of("out of memory"), text, room);
    if (c == NULL)
        return STATUS_NOMEM;
    c->options = *options;
    if (c->options.queue_max == 0)
        c->options.queue_max = CHILD_QUEUE_MAX;
    child_guard_reset(options->guard);
    status = child_start(&c->run, options->argv, options->guard, text, room);
    if (status < 0) {
        free(c);
        return status;
    }
    *ret_child = c;
    return STATUS_OK;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

pid_t child_pid(const struct child *c)
{
    return c->run.command;
}

/* ---- its standard input ----------------------------------------------------------- */

static void drop_input(struct child *c)
{
    close_fd(&c->run.in_fd);
    free(c->queue);
    c->queue = NULL;
    c->sent = c->queued = c->room = c->unsent = 0;
}

static void send_queued(struct child *c)
{
    while (c->run.in_fd >= 0 && c->sent < c->queued) {
        ssize_t n = write(c->run.in_fd, c->queue + c->sent, c->queued - c->sent);

        if (n > 0)
            c->sent += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            return;
        else if (n == 0 || errno != EINTR)
            drop_input(c); /* it has closed its end: it does not want to hear */
    }
    c->sent = c->queued = 0;
    if (c->hangs_up)
        drop_input(c);
}

static bool make_room(struct child *c, size_t n)
{
    size_t room = c->room > 0 ? c->room : QUEUE_ROOM_FIRST;
    char *more;

    if (n > c->options.queue_max || c->queued - c->sent > c->options.queue_max - n)
        return false;
    if (c->sent > 0) {
        memmove(c->queue, c->queue + c->sent, c->queued - c->sent);
        c->queued -= c->sent;
        c->sent = 0;
    }
    while (room - c->queued < n)
        room *= 2;
    if (room == c->room)
        return true;
    more = realloc(c->queue, room);
    if (more == NULL)
        return false;
    c->queue = more;
    c->room = room;
    return true;
}

bool child_put(struct child *c, const char *bytes, size_t n)
{
    if (c->run.in_fd < 0 || c->hangs_up)
        return true;
    if (!make_room(c, n))
        return false;
    memcpy(c->queue + c->queued, bytes, n);
    c->queued += n;
    c->unsent += n;
    if (c->unsent >= WRITE_MIN)
        child_flush(c);
    return true;
}

void child_flush(struct child *c)
{
    if (c->unsent > 0)
        send_queued(c);
    c->unsent = 0;
}

bool child_tell(struct child *c, const char *line, size_t n)
{
    bool is_put = child_put(c, line, n);

    child_flush(c);
    return is_put;
}

size_t child_queued(const struct child *c)
{
    return c->queued - c->sent;
}

void child_hang_up(struct child *c)
{
    c->hangs_up = true;
    send_queued(c);
}

/* ---- its standard output ---------------------------------------------------------- */

/* {"released": EPOCH}, with nothing else on the line. */
static bool is_answer(const char *line, size_t n, uint64_t *ret_epoch)
{
    struct json_in in;
    struct bytes key = {NULL, 0};
    uint64_t epoch;

    if (n == 0 || memchr(line, '{', n) == NULL)
        return false;
    json_in_init(&in, line, n);
    json_enter(&in, '{');
    if (!json_next_key(&in, &key) || !bytes_equal(key, bytes_of("released")))
        return false;
    epoch = json_get_u64(&in);
    if (json_next_key(&in, &key) || in.is_bad)
        return false;
    while (in.at < in.end && (*in.at == ' ' || *in.at == '\t' || *in.at == '\r'))
        in.at++;
    if (in.at != in.end)
        return false;
    *ret_epoch = epoch;
    return true;
}

/* It ends with a newline, or is as long as a line may be. */
static void take_line(struct child *c, const char *line, size_t n)
{
    bool is_whole = line[n - 1] == '\n', may_answer = is_whole && !c->is_long;
    uint64_t epoch = 0;

    c->is_long = !is_whole;
    if (may_answer && c->options.answer != NULL &&
        c->options.answer(c->options.ctx, line, n - 1))
        return;
    if (may_answer && is_answer(line, n - 1, &epoch))
        c->options.released(c->options.ctx, epoch);
    else
        c->options.output(c->options.ctx, line, n);
}

static void take_bytes(struct child *c, const char *at, size_t n)
{
    while (n > 0) {
        size_t part = sizeof c->line - c->line_n;
        const char *end;

        if (part > n)
            part = n;
        end = memchr(at, '\n', part);
        if (end != NULL)
            part = (size_t)(end - at) + 1;
        n -= part;
        at += part;
        if (end != NULL && c->line_n == 0) { /* whole as it came */
            take_line(c, at - part, part);
            continue;
        }
        memcpy(c->line + c->line_n, at - part, part);
        c->line_n += part;
        if (end != NULL || c->line_n == sizeof c->line) {
            take_line(c, c->line, c->line_n);
            c->line_n = 0;
        }
    }
}

static void end_output(struct child *c)
{
    close_fd(&c->run.out_fd);
    if (c->line_n == 0 && !c->is_long)
        return;
    /* There is room: a full line has been taken. */
    c->line[c->line_n++] = '\n';
    take_line(c, c->line, c->line_n);
    c->line_n = 0;
}

/* A command that floods must not keep us from the rest: so much at a time. */
static void read_output(struct child *c, int reads_max)
{
    char bytes[READ_ROOM];

    for (int i = 0; i < reads_max && c->run.out_fd >= 0; i++) {
        ssize_t n = read(c->run.out_fd, bytes, sizeof bytes);

        if (n > 0)
            take_bytes(c, bytes, (size_t)n);
        else if (n < 0 && errno == EAGAIN)
            return;
        else if (n == 0 || errno != EINTR)
            end_output(c);
        /* Most likely that was all; if not, poll() says so at once. */
        if (n > 0 && (size_t)n < sizeof bytes && reads_max < RESTS_MAX)
            return;
    }
}

/* ---- the guardian ----------------------------------------------------------------- */

void child_kill(struct child *c)
{
    char request = CHILD_REQUEST_KILL;

    if (!c->is_unguarded) /* else it is being killed already */
        (void)send(c->run.socket, &request, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void child_arm(struct child *c, bool holds)
{
    child_guard_arm(c->options.guard, holds);
}

void child_fence(struct child *c, uint64_t deadline_ns)
{
    child_guard_fence(c->options.guard, deadline_ns);
}

/* Kills and reaps what we have adopted: the command ('type' P_PID) or those of its group
 * (P_PGID).  True when there is none any more.  A number is killed only while a child of
 * ours that has not been reaped keeps it taken; a moment later it may be a stranger's. */
static bool end_adopted(const struct child *c, idtype_t type)
{
    pid_t which = type == P_PGID ? -c->run.command : c->run.command;
    siginfo_t info;
    pid_t pid;

    if (waitid(type, (id_t)c->run.command, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return true;
    (void)kill(which, SIGKILL);
    do
        pid = waitpid(which, NULL, c->run.gone_fd >= 0 ? WNOHANG : 0);
    while (pid > 0 || (pid < 0 && errno == EINTR));
    return pid < 0;
}

/* Those are waited for elsewhere; their numbers must stay taken until then. */
static bool is_of_one(const struct child *const *child, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++) {
        const struct child *c = child[i];

        if (c != NULL && !c->has_ended &&
            (pid == c->run.guardian || getpgid(pid) == c->run.command))
            return true;
    }
    return false;
}

/* The guardian began a session of its own, so whatever descends from it is in another
 * than ours, and what we started otherwise is in ours: those are left to who started
 * them. */
void child_reap_adopted(const struct child *const *child, size_t n)
{
    FILE *in = fopen("/proc/thread-self/children", "re");
    int number;

    if (in == NULL)
        return;
    while (fscanf(in, "%d", &number) == 1) {
        pid_t pid = (pid_t)number;

        if (getsid(pid) < 0 || getsid(pid) == getsid(0))
            continue;
        if (!is_of_one(child, n, pid))
            (void)waitpid(pid, NULL, WNOHANG);
    }
    (void)fclose(in);
}

/* Somebody killed the guardian.  The kernel kills the command and gives it to us, with
 * those of its group (PR_SET_CHILD_SUBREAPER in child_start()).  How long they take to
 * die no descriptor tells, so a timer makes us look again; without one we wait. */
static void lose_guardian(struct child *c)
{
    struct itimerspec often = {{0, LOOK_NS}, {0, LOOK_NS}};

    c->is_unguarded = true;
    c->how = CHILD_UNGUARDED;
    c->number = 0;
    close_fd(&c->run.gone_fd);
    c->run.gone_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (c->run.gone_fd >= 0)
        (void)timerfd_settime(c->run.gone_fd, 0, &often, NULL);
}

/* True when nothing runs any more. */
static bool look_whether_gone(struct child *c)
{
    struct child_report r;
    uint64_t ignored;

    if (!c->is_unguarded) {
        (void)waitpid(c->run.guardian, NULL, 0);
        while (recv(c->run.socket, &r, sizeof r, MSG_DONTWAIT) == (ssize_t)sizeof r) {
            if (r.what != CHILD_REPORT_ENDED)
                continue;
            c->how = (enum child_end)r.value;
            c->number = r.number;
            return true;
        }
        lose_guardian(c);
    }
    (void)!read(c->run.gone_fd, &ignored, sizeof ignored);
    bool is_group_gone = end_adopted(c, P_PGID);

    return end_adopted(c, P_PID) && is_group_gone;
}

void child_fds(const struct child *c, struct pollfd fds[CHILD_FDS], bool is_full)
{
    for (int i = 0; i < CHILD_FDS; i++)
        fds[i] = (struct pollfd){-1, POLLIN, 0};
    if (c->has_ended)
        return;
    if (c->sent < c->queued)
        fds[AT_IN] = (struct pollfd){c->run.in_fd, POLLOUT, 0};
    if (!is_full)
        fds[AT_OUT].fd = c->run.out_fd;
    fds[AT_GONE].fd = c->run.gone_fd;
}

void child_ready(struct child *c, const struct pollfd fds[CHILD_FDS])
{
    if (c->has_ended)
        return;
    if (fds[AT_IN].revents != 0)
        send_queued(c);
    if (fds[AT_OUT].revents != 0)
        read_output(c, READS_MAX);
    if (fds[AT_GONE].revents == 0 || !look_whether_gone(c))
        return;
    /* Nobody writes any more: what the pipe holds is the rest, and it is bounded. */
    read_output(c, RESTS_MAX);
    end_output(c);
    drop_input(c);
    child_guard_reset(c->options.guard);
    c->has_ended = true;
    c->options.ended(c->options.ctx, c->how, c->number);
}

void child_destroy(struct child *c)
{
    if (c == NULL)
        return;
    while (!c->has_ended) {
        struct pollfd gone = {c->run.gone_fd, POLLIN, 0};

        child_kill(c);
        (void)poll(&gone, 1, -1);
        if ((gone.revents & POLLIN) != 0)
            c->has_ended = look_whether_gone(c);
    }
    child_guard_reset(c->options.guard);
    drop_input(c);
    child_start_finish(&c->run);
    free(c);
}
