/* One run of the supervised command: its pipes, and the guardian that ends it in time.
 *
 * The command's parent is not this process but the guardian, a process of its own that
 * runs this same program (`parti guardian`), in a session of its own, deaf to signals
 * from the terminal and from a service manager.  It starts the command in a process
 * group of its own, and there is no instant at which the command lives without it: the
 * kernel kills the command when the guardian dies.  The guardian alone ends the command
 * (SIGKILL, to the group and to whatever has left the group: it adopts them), and ends
 * itself only when none of them is left.  So "the guardian is gone" means "every side
 * effect has stopped".  It kills
 *   - at the lease deadline, which it reads from a page shared with this process, even
 *     if this process is stopped, hangs or dies;
 *   - when told to;
 *   - what the command leaves behind when it ends by itself.
 * Should somebody kill the guardian, the command dies with it, and this process, which
 * adopts them (it is a child subreaper from the first child_create() on), kills the rest
 * of the group before it says so.
 * Dead this process: the command sees the end of file on its standard input and is
 * killed at the deadline, or at once while there is none.
 *
 * A descendant that runs as another user cannot be killed; then the end is not reported
 * until it has gone by itself.  The kernel must have /proc/PID/children, as all
 * distributions build it, for descendants outside the group to be found.
 *
 * The command's standard input takes lines, never blocks the caller, and is queued up to
 * a limit.  Its standard output is read in lines: {"released": EPOCH} alone on a line is
 * an answer, all else passes through.  Its standard error is this process's.
 *
 * The owner has called sig_open(), which ignores SIGPIPE, and has descriptors 0 to 2
 * open. It polls child_fds() and calls child_ready().  One thread, but for
 * child_guard_lease(): any thread.
 */
#ifndef PARTI_EDGE_CHILD_H
#define PARTI_EDGE_CHILD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CHILD_LINE_MAX = 64 * 1024, /* of its output; longer ones pass through in pieces */
    CHILD_QUEUE_MAX = 256 * 1024 * 1024, /* bytes that it has not read yet */
    CHILD_FDS = 3,
    CHILD_START_MS = 10000 /* the guardian must have started the command by then */
};

/* ---- the deadline, which outlives one run ----------------------------------------- */

struct child_guard;

/* STATUS_NOMEM, STATUS_IO. */
int child_guard_create(struct child_guard **ret_guard);

/* After the last child that uses it.  Accepts NULL. */
void child_guard_destroy(struct child_guard *guard);

/* The lease's deadline in ns of CLOCK_BOOTTIME; UINT64_MAX: never.  A deadline that has
 * passed for what the command holds stays passed: a later one is for the next run.  Any
 * thread; returns at once. */
void child_guard_lease(struct child_guard *guard, uint64_t deadline_ns);

/* ---- one run ---------------------------------------------------------------------- */

/* How it ended. */
enum child_end {
    CHILD_EXITED,    /* by itself; number: exit code */
    CHILD_SIGNALED,  /* by a signal that did not come from here; number: which */
    CHILD_KILLED,    /* child_kill() */
    CHILD_EXPIRED,   /* at the lease deadline */
    CHILD_UNGUARDED, /* somebody killed the guardian, and the kernel the command; what has
                        left its group may live on */
};

struct child_options {
    char *const *argv; /* argv[0] is looked for in PATH; borrowed during the call */
    struct child_guard *guard;
    size_t queue_max; /* 0: CHILD_QUEUE_MAX */
    void *ctx;
    /* Output that is no answer, newline included; pieces of overlong lines come one by
     * one, a newline at the end of the last. */
    void (*output)(void *ctx, const char *at, size_t n);
    /* A whole line, its newline left out, that may be another answer: is it?  NULL: no.
     * Asked first, of every line. */
    bool (*answer)(void *ctx, const char *line, size_t n);
    /* The command says that it stopped what was revoked at or before this epoch. */
    void (*released)(void *ctx, uint64_t epoch);
    /* The last call: it and its descendants are gone, their output has been passed on. */
    void (*ended)(void *ctx, enum child_end how, int number);
};

struct child;

/* Starts guardian and command and waits until the command runs (milliseconds).  On
 * failure text[room] says what and why: STATUS_NOTFOUND or STATUS_DENIED when there is no
 * such command or it may not be run, STATUS_TIMEOUT, STATUS_IO, STATUS_NOMEM. */
int child_create(struct child **ret_child, const struct child_options *options,
                 char *text, size_t room);

/* Collects what a killed guardian has left to this process outside of the command's
 * group, once it has ended; who else is a child of this process is left alone.  Called
 * when a child of this process has died, by the thread that called child_create() and is
 * the process's first.  'child': those that run, 'n' of them; a NULL among them is none.
 */
void child_reap_adopted(const struct child *const *child, size_t n);

/* Kills what still runs, waits for its end, calls nothing back.  Not from a callback.
 * Accepts NULL. */
void child_destroy(struct child *child);

/* What to poll for; with is_full no output is asked for. */
void child_fds(const struct child *child, struct pollfd fds[CHILD_FDS], bool is_full);

/* Does what can be done without blocking; callbacks come from here. */
void child_ready(struct child *child, const struct pollfd fds[CHILD_FDS]);

/* A line for its standard input, newline included.  False: more than queue_max would
 * wait, that is, the command does not read: it is to be killed. */
bool child_tell(struct child *child, const char *line, size_t n);

/* The same, but may leave it here until child_flush() or the next child_tell(), so that
 * many lines cost one write. */
bool child_put(struct child *child, const char *bytes, size_t n);
void child_flush(struct child *child);

/* Bytes that it has not read yet. */
size_t child_queued(const struct child *child);

/* End of file on its standard input after what is queued. */
void child_hang_up(struct child *child);

/* SIGKILL to all of it; ended() follows. */
void child_kill(struct child *child);

/* True: the command is about to be told that it holds something; when this returns, the
 * guardian has the deadline.  False: it holds nothing, so there is no deadline. */
void child_arm(struct child *child, bool holds);

/* All it holds is lost at this deadline, and it is killed then whatever else comes. */
void child_fence(struct child *child, uint64_t deadline_ns);

/* The command's process id, for messages. */
pid_t child_pid(const struct child *child);

/* ---- the guardian's side: main() of `parti guardian` ------------------------------- */

/* argv[0] is "guardian", the command follows.  The exit code. */
int child_guardian(int argc, char **argv);

#endif
