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
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_IN, AT_OUT, AT_GONE, QUEUE_ROOM_FIRST = 4096 };

/* Reads of READ_ROOM bytes: at one turn of the loop; and after the end, far more than a
 * pipe holds. */
enum { READ_ROOM = 16 * 1024, READS_MAX = 16, RESTS_MAX = 4096 };

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
    c->sent = c->queued = c->room = 0;
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

bool child_tell(struct child *c, const char *line, size_t n)
{
    if (c->run.in_fd < 0 || c->hangs_up)
        return true;
    if (!make_room(c, n))
        return false;
    memcpy(c->queue + c->queued, line, n);
    c->queued += n;
    send_queued(c);
    return true;
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

/* line[0..line_n) ends with a newline, or fills its room. */
static void take_line(struct child *c)
{
    bool is_whole = c->line[c->line_n - 1] == '\n';
    uint64_t epoch = 0;

    if (is_whole && !c->is_long && is_answer(c->line, c->line_n - 1, &epoch))
        c->options.released(c->options.ctx, epoch);
    else if (!is_whole || c->is_long || c->options.answer == NULL ||
             !c->options.answer(c->options.ctx, c->line, c->line_n - 1))
        c->options.output(c->options.ctx, c->line, c->line_n);
    c->is_long = !is_whole;
    c->line_n = 0;
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
        memcpy(c->line + c->line_n, at, part);
        c->line_n += part;
        at += part;
        n -= part;
        if (end != NULL || c->line_n == sizeof c->line)
            take_line(c);
    }
}

static void end_output(struct child *c)
{
    close_fd(&c->run.out_fd);
    if (c->line_n == 0 && !c->is_long)
        return;
    /* There is room: a full line has been taken. */
    c->line[c->line_n++] = '\n';
    take_line(c);
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
    }
}

/* ---- the guardian ----------------------------------------------------------------- */

void child_kill(struct child *c)
{
    char request = CHILD_REQUEST_KILL;

    if (c->is_unguarded)
        (void)kill(-c->run.command, SIGKILL);
    else
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

/* True when nothing runs any more. */
static bool look_whether_gone(struct child *c)
{
    struct child_report r;

    if (c->is_unguarded)
        return true; /* the command's own end */
    (void)waitpid(c->run.guardian, NULL, 0);
    while (recv(c->run.socket, &r, sizeof r, MSG_DONTWAIT) == (ssize_t)sizeof r) {
        if (r.what != CHILD_REPORT_ENDED)
            continue;
        c->how = (enum child_end)r.value;
        c->number = r.number;
        return true;
    }
    /* Somebody killed it; the kernel kills the command, we its group. */
    c->is_unguarded = true;
    c->how = CHILD_UNGUARDED;
    c->number = 0;
    (void)kill(-c->run.command, SIGKILL);
    close_fd(&c->run.gone_fd);
    c->run.gone_fd = c->run.command_fd;
    c->run.command_fd = -1;
    return c->run.gone_fd < 0;
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
