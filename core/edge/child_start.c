#include "config.h"

#include "edge/child_start.h"

#include "base/bytes.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/child.h"
#include "edge/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The guardian is this very program, whatever stands at its path by now. */
#define SELF "/proc/self/exe"

enum { FD_HIGH = 16 }; /* above every number that the guardian's descriptors get */

enum { END_MS = 1000 }; /* for a command that is killed before it was watched */

/* The guardian's ends, which it inherits under fixed numbers. */
enum { END_IN, END_OUT, END_SOCKET, END_PAGE, END_WAKE, ENDS };

static void close_all(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
        fds[i] = -1;
    }
}

void child_start_finish(struct child_start *run)
{
    int fds[] = {run->in_fd, run->out_fd, run->socket, run->gone_fd};

    close_all(fds, sizeof fds / sizeof *fds);
    run->in_fd = run->out_fd = run->socket = run->gone_fd = -1;
}

/* Out of the way of the numbers that it is to be copied to. */
static int raise_fd(int fd)
{
    int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, FD_HIGH) : -1;

    if (fd >= 0)
        (void)close(fd);
    return high;
}

static int open_ends(struct child_start *run, const struct child_guard *guard, int *end)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, pair[2] = {-1, -1};
    bool is_open = pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
                   socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0;

    run->in_fd = in[1];
    run->out_fd = out[0];
    run->socket = pair[0];
    end[END_IN] = raise_fd(in[0]);
    end[END_OUT] = raise_fd(out[1]);
    end[END_SOCKET] = raise_fd(pair[1]);
    end[END_PAGE] = fcntl(child_guard_page_fd(guard), F_DUPFD_CLOEXEC, FD_HIGH);
    end[END_WAKE] = fcntl(child_guard_wake_fd(guard), F_DUPFD_CLOEXEC, FD_HIGH);
    for (int i = 0; i < ENDS; i++)
        is_open = is_open && end[i] >= 0;
    if (!is_open || fcntl(run->in_fd, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(run->out_fd, F_SETFL, O_NONBLOCK) != 0)
        return errno != 0 ? errno : EIO;
    return 0;
}

static int fill_files(posix_spawn_file_actions_t *files, const int *end)
{
    static const int at[ENDS] = {STDIN_FILENO, STDOUT_FILENO, CHILD_FD_SOCKET,
                                 CHILD_FD_PAGE, CHILD_FD_WAKE};
    int failed = 0;

    for (int i = 0; i < ENDS && failed == 0; i++)
        failed = posix_spawn_file_actions_adddup2(files, end[i], at[i]);
    if (failed == 0) /* libraries do not mark all of theirs to be closed */
        failed = posix_spawn_file_actions_addclosefrom_np(files, CHILD_FD_NEXT);
    return failed;
}

static int fill_attr(posix_spawnattr_t *attr)
{
    sigset_t all;
    int failed;

    /* Nothing reaches the guardian before it is deaf; the command undoes it for itself.
     */
    (void)sigfillset(&all);
    failed = posix_spawnattr_setsigmask(attr, &all);
    if (failed == 0)
        failed =
            posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    return failed;
}

/* "parti guardian COMMAND ...": 0 or errno. */
static int spawn(struct child_start *run, char *const *command, const int *end)
{
    char name[] = "parti", verb[] = "guardian";
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    size_t n = 0;

    while (command[n] != NULL)
        n++;
    char **argv = calloc(n + 3, sizeof *argv);
    if (argv == NULL)
        return ENOMEM;
    argv[0] = name;
    argv[1] = verb;
    memcpy(argv + 2, command, n * sizeof *argv);

    int failed = posix_spawn_file_actions_init(&files);
    if (failed != 0)
        goto out_argv;
    failed = posix_spawnattr_init(&attr);
    if (failed != 0)
        goto out_files;
    failed = fill_files(&files, end);
    if (failed == 0)
        failed = fill_attr(&attr);
    if (failed == 0)
        failed = posix_spawn(&run->guardian, SELF, &files, &attr, argv, environ);
    (void)posix_spawnattr_destroy(&attr);
out_files:
    (void)posix_spawn_file_actions_destroy(&files);
out_argv:
    free(argv);
    return failed;
}

/* The guardian's first report.  0, errno of the command's start, -1: none came. */
static int await_start(struct child_start *run)
{
    uint64_t until_ms = clock_boot_ms() + CHILD_START_MS;
    struct child_report r;

    for (;;) {
        struct pollfd fd = {run->socket, POLLIN, 0};
        uint64_t left_ms = sat_sub(until_ms, clock_boot_ms());

        if (left_ms == 0)
            return -1;
        if (poll(&fd, 1, (int)left_ms) <= 0)
            continue;
        if (recv(run->socket, &r, sizeof r, 0) != (ssize_t)sizeof r)
            return -1;
        if (r.what == CHILD_REPORT_FAILED)
            return r.value;
        run->command = (pid_t)r.value;
        return 0;
    }
}

static int fail(const char *what, int error, char *text, size_t room)
{
    (void)snprintf(text, room, "%s: %s", what, strerror(error));
    return error == ENOMEM                       ? STATUS_NOMEM
           : error == ENOENT || error == ENOTDIR ? STATUS_NOTFOUND
           : error == EACCES || error == ENOEXEC ? STATUS_DENIED
                                                 : STATUS_IO;
}

/* The guardian of a command that nobody watches is dead.  The command is ours by now, or
 * was reaped before; one that runs as another user survives the guardian and cannot be
 * killed, so there is a limit to the wait. */
static void end_unwatched(pid_t command)
{
    uint64_t until_ms = clock_boot_ms() + END_MS;
    siginfo_t info;

    /* While it is an unreaped child of ours, its number is its own. */
    if (waitid(P_PID, (id_t)command, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return;
    (void)kill(-command, SIGKILL);
    (void)kill(command, SIGKILL);
    while (waitpid(command, NULL, WNOHANG) == 0 && clock_boot_ms() < until_ms)
        (void)poll(NULL, 0, 1);
}

int child_start(struct child_start *ret_run, char *const *argv,
                const struct child_guard *guard, char *text, size_t room)
{
    struct child_start run = {-1, -1, -1, -1, 0, 0};
    int end[ENDS];
    int error = open_ends(&run, guard, end);

    /* So the numbers of the command and its group stay ours until we have killed them. */
    if (error == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        error = errno;
    if (error == 0)
        error = spawn(&run, argv, end);
    close_all(end, ENDS);
    if (error != 0) {
        child_start_finish(&run);
        (void)fail("the guardian cannot be started", error, text, room);
        return error == ENOMEM ? STATUS_NOMEM : STATUS_IO;
    }
    error = await_start(&run);
    run.gone_fd = pidfd_open(run.guardian, 0);
    if (error == 0 && run.gone_fd >= 0) {
        *ret_run = run;
        return STATUS_OK;
    }
    int pid_error = errno;
    /* Nothing of it may live on unseen: its command dies with the guardian. */
    (void)kill(run.guardian, SIGKILL);
    (void)waitpid(run.guardian, NULL, 0);
    if (run.command > 0)
        end_unwatched(run.command);
    child_start_finish(&run);
    if (error > 0)
        return fail(argv[0], error, text, room);
    if (error == 0)
        return fail("the guardian cannot be watched", pid_error, text, room);
    (void)snprintf(text, room, "the guardian did not start the command within %d s",
                   CHILD_START_MS / 1000);
    return STATUS_TIMEOUT;
}
