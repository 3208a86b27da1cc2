#include "cli/outlet.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void outlet_init(struct outlet *o, int fd)
{
    char path[64];
    struct stat st;

    *o = (struct outlet){.fd = fd, .last = '\n'};
    if (fstat(fd, &st) != 0) {
        o->fd = -1;
        return;
    }
    o->is_socket = S_ISSOCK(st.st_mode);
    if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
        return;
    /* O_NONBLOCK belongs to the open file, which other processes share: so one of our
     * own. */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    o->may_block = own < 0;
    o->is_owned = own >= 0;
    o->fd = own >= 0 ? own : fd;
}

int outlet_open(struct outlet *o, const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

    if (fd < 0)
        return STATUS_IO;
    *o = (struct outlet){.fd = fd, .is_owned = true, .last = '\n'};
    o->may_block = fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK) != 0;
    return STATUS_OK;
}

void outlet_finish(struct outlet *o)
{
    if (o->is_owned)
        (void)close(o->fd);
    free(o->at);
    *o = (struct outlet){.fd = -1};
}

bool outlet_is_full(const struct outlet *o)
{
    return o->n - o->sent > OUTLET_FULL;
}

bool outlet_is_empty(const struct outlet *o)
{
    return o->n == o->sent;
}

struct pollfd outlet_fd(const struct outlet *o)
{
    return (struct pollfd){outlet_is_empty(o) ? -1 : o->fd, POLLOUT, 0};
}

/* What waits is lost; a reader that has gone does not come back. */
static void drop(struct outlet *o, int error)
{
    o->error = error;
    o->n = o->sent = 0;
    if (error == EPIPE || error == EBADF || error == ECONNRESET) {
        if (o->is_owned)
            (void)close(o->fd);
        o->is_owned = false;
        o->fd = -1;
    }
}

static ssize_t write_some(const struct outlet *o)
{
    const char *at = o->at + o->sent;
    size_t n = o->n - o->sent;

    if (o->is_socket)
        return send(o->fd, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (o->may_block) {
        struct pollfd fd = {o->fd, POLLOUT, 0};

        if (poll(&fd, 1, 0) != 1) {
            errno = EAGAIN;
            return -1;
        }
        n = n > PIPE_BUF ? PIPE_BUF : n;
    }
    return write(o->fd, at, n);
}

void outlet_ready(struct outlet *o)
{
    while (o->fd >= 0 && o->sent < o->n) {
        ssize_t n = write_some(o);

        if (n > 0) {
            o->sent += (size_t)n;
            o->last = o->at[o->sent - 1];
        } else if (n < 0 && errno == EAGAIN) {
            return;
        } else if (n == 0 || errno != EINTR) {
            drop(o, n == 0 ? EIO : errno);
        }
    }
    o->n = o->sent = 0;
}

static bool reserve(struct outlet *o, size_t n)
{
    size_t room = o->room > 0 ? o->room : 4096;
    char *more;

    if (o->sent > 0 && o->room - o->n < n) {
        memmove(o->at, o->at + o->sent, o->n - o->sent);
        o->n -= o->sent;
        o->sent = 0;
    }
    while (room - o->n < n)
        room *= 2;
    if (room == o->room)
        return true;
    more = realloc(o->at, room);
    if (more == NULL)
        return false;
    o->at = more;
    o->room = room;
    return true;
}

static void append(struct outlet *o, const char *bytes, size_t n)
{
    if (o->fd < 0)
        return;
    if (!reserve(o, n)) {
        drop(o, ENOMEM);
        return;
    }
    memcpy(o->at + o->n, bytes, n);
    o->n += n;
}

void outlet_put(struct outlet *o, const char *bytes, size_t n)
{
    append(o, bytes, n);
    outlet_ready(o);
}

void outlet_put_line(struct outlet *o, const char *line, size_t n)
{
    char last = o->n > o->sent ? o->at[o->n - 1] : o->last;

    if (last != '\n')
        append(o, "\n", 1);
    outlet_put(o, line, n);
}
