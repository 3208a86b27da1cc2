/* Signals as something to poll for, in place of handlers.
 *
 * sig_open() comes first in the process, before any thread is started, so that all
 * threads have these signals blocked and only the descriptor sees them.  Children that
 * the process starts undo this for themselves with sig_child().
 */
#ifndef PARTI_EDGE_SIG_H
#define PARTI_EDGE_SIG_H

/* Blocks SIGTERM, SIGINT and SIGHUP, ignores SIGPIPE (a write then says EPIPE), and
 * opens a descriptor that is readable while one of them waits.  STATUS_IO. */
int sig_open(int *ret_fd);

/* The same for SIGCHLD, with a descriptor of its own.  STATUS_IO. */
int sig_open_deaths(int *ret_fd);

/* The next signal that waits, 0: none. */
int sig_next(int fd);

/* Between fork and exec: every signal as a new process has it.  Safe after fork in a
 * process with threads. */
void sig_child(void);

#endif
