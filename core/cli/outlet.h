/* Where lines go out without ever blocking the one who writes: a descriptor and a queue.
 *
 * `parti run` has one for standard output and one for the event lines, or one for both.
 * A reader that does not read makes it full; the owner then stops taking things in, and
 * goes on with everything else.  A file gets each line in one write.  One user at a
 * time.
 */
#ifndef PARTI_CLI_OUTLET_H
#define PARTI_CLI_OUTLET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    OUTLET_FULL = 256 * 1024 /* bytes: more than this many waiting is "full"; what is
                                put nevertheless is kept, too */
};

struct outlet {
    int fd; /* -1: closed, takes and drops everything */
    bool is_owned;
    bool is_socket;
    bool may_block; /* could not be made non-blocking: pieces of PIPE_BUF, polled for */
    char last;      /* the last byte written */
    int error;      /* errno of what was dropped last; the owner tells and clears it */
    char *at;       /* owned: at[sent..n) waits */
    size_t sent, n, room;
};

/* On a descriptor that others may share, such as standard output, which stays as it is.
 */
void outlet_init(struct outlet *outlet, int fd);

/* On a file that is appended to, made if it is missing (0644), or a pipe or terminal.  0
 * or STATUS_IO with errno.  A pipe is waited for until it has a reader. */
int outlet_open(struct outlet *outlet, const char *path);

/* Drops what waits.  Accepts a zeroed struct. */
void outlet_finish(struct outlet *outlet);

/* Bytes as they come. */
void outlet_put(struct outlet *outlet, const char *bytes, size_t n);

/* A whole line: begins on a line of its own whatever was put before. */
void outlet_put_line(struct outlet *outlet, const char *line, size_t n);

bool outlet_is_full(const struct outlet *outlet);
bool outlet_is_empty(const struct outlet *outlet);

/* What to poll for (fd -1: nothing), and what to do then: writes what can be written. */
struct pollfd outlet_fd(const struct outlet *outlet);
void outlet_ready(struct outlet *outlet);

#endif
