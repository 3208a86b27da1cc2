/* The guardian: parent of the supervised command, holder of the deadline (edge/child.h).
 *
 * One thread, no library of ours but the clock.  Everything here must go on working
 * while parti itself is stopped or gone.
 */
#include "config.h"

#include "edge/child.h"

#include "edge/child_wire.h"
#include "edge/clock.h"
#include "edge/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct guardian {
    const struct child_page *page;
    pid_t command;
    int timer, deaths;
    bool is_orphan; /* parti is dead */
    bool is_asked;  /* to kill */
};

static void report(enum child_report_what what, int value, int number)
{
    struct child_report r = {(int32_t)what, value, number};

    /* Where parti is dead nobody needs it. */
    (void)send(CHILD_FD_SOCKET, &r, sizeof r, MSG_NOSIGNAL);
}

/* ---- the start -------------------------------------------------------------------- */

/* In the command's process, before it is the command. */
static void become(char **argv, pid_t guardian, int failed)
{
    /* The kernel kills the command with its guardian; and if that died before this. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != guardian)
        _exit(127);
    (void)setpgid(0, 0);
    sig_child();
    (void)execvp(argv[0], argv);
    int error = errno;
    (void)!write(failed, &error, sizeof error);
    _exit(127);
}

/* 0 or errno. */
static int start(struct guardian *g, char **argv)
{
    pid_t self = getpid();
    int failed[2], error = 0;

    if (pipe2(failed, O_CLOEXEC) != 0)
        return errno;
    g->command = fork();
    if (g->command < 0)
        error = errno;
    if (g->command == 0)
        become(argv, self, failed[1]);
    (void)close(failed[1]);
    /* Closed by a successful exec, and by the death of the process. */
    if (g->command > 0 && read(failed[0], &error, sizeof error) < 0)
        error = errno;
    (void)close(failed[0]);
    return error;
}

static int prepare(struct guardian *g)
{
    sigset_t all, deaths;
    void *page;

    for (int fd = CHILD_FD_SOCKET; fd < CHILD_FD_NEXT; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
            return errno;
    page = mmap(NULL, sizeof(struct child_page), PROT_READ, MAP_SHARED, CHILD_FD_PAGE, 0);
    if (page == MAP_FAILED)
        return errno;
    g->page = page;
    /* Deaf: whoever ends parti in order must not end its guardian first. */
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)sigemptyset(&deaths);
    (void)sigaddset(&deaths, SIGCHLD);
    g->deaths = signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
    g->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (g->deaths < 0 || g->timer < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return errno;
    return 0;
}

/* ---- the watch -------------------------------------------------------------------- */

/* Reaps what was adopted and has died; true when the command itself has died, which is
 * left unreaped so that its number and its group's stay taken. */
static bool command_is_dead(const struct guardian *g)
{
    siginfo_t dead;

    for (;;) {
        dead.si_pid = 0;
        if (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) != 0 || dead.si_pid == 0)
            return false;
        if (dead.si_pid == g->command)
            return true;
        (void)waitpid(dead.si_pid, NULL, WNOHANG);
    }
}

static void take_requests(struct guardian *g)
{
    char request;
    ssize_t n = recv(CHILD_FD_SOCKET, &request, 1, MSG_DONTWAIT);

    if (n == 1 && request == CHILD_REQUEST_KILL)
        g->is_asked = true;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        g->is_orphan = true;
}

static void set_timer(const struct guardian *g, uint64_t deadline_ns)
{
    struct itimerspec at = {{0, 0}, {0, 0}};

    if (deadline_ns != UINT64_MAX) {
        at.it_value.tv_sec = (time_t)(deadline_ns / CLOCK_NS_PER_S);
        at.it_value.tv_nsec = (long)(deadline_ns % CLOCK_NS_PER_S);
    }
    (void)timerfd_settime(g->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Until the command has died (CHILD_EXITED) or must die. */
static enum child_end watch(struct guardian *g)
{
    struct pollfd fds[] = {{g->deaths, POLLIN, 0},
                           {g->timer, POLLIN, 0},
                           {CHILD_FD_WAKE, POLLIN, 0},
                           {CHILD_FD_SOCKET, POLLIN, 0}};
    struct signalfd_siginfo info;
    uint64_t count;

    for (;;) {
        uint64_t deadline_ns =
            atomic_load_explicit(&g->page->deadline_ns, memory_order_acquire);

        if (command_is_dead(g))
            return CHILD_EXITED;
        if (g->is_asked)
            return CHILD_KILLED;
        if (deadline_ns != 0 && clock_boot_ns() >= deadline_ns)
            return CHILD_EXPIRED;
        if (g->is_orphan && (deadline_ns == 0 || deadline_ns == UINT64_MAX))
            return CHILD_KILLED;
        set_timer(g, deadline_ns);
        fds[3].fd = g->is_orphan ? -1 : CHILD_FD_SOCKET;
        (void)poll(fds, sizeof fds / sizeof *fds, -1);
        (void)!read(g->deaths, &info, sizeof info);
        (void)!read(g->timer, &count, sizeof count);
        (void)!read(CHILD_FD_WAKE, &count, sizeof count);
        if (!g->is_orphan && fds[3].revents != 0)
            take_requests(g);
    }
}

/* ---- the end ---------------------------------------------------------------------- */

/* What has left the group comes to us when its parent dies.  False: /proc does not say
 * who our children are. */
static bool kill_children(void)
{
    FILE *in = fopen("/proc/thread-self/children", "re");
    int pid;

    if (in == NULL)
        return false;
    while (fscanf(in, "%d", &pid) == 1)
        (void)kill((pid_t)pid, SIGKILL);
    (void)fclose(in);
    return true;
}

/* Kills until nobody is left; the command's wait status. */
static int end_all(const struct guardian *g)
{
    int status = 0, one;
    bool is_reaped = false;

    /* Not yet reaped, so the group is still the command's. */
    (void)kill(-g->command, SIGKILL);
    for (;;) {
        bool can_see = kill_children();
        pid_t pid = waitpid(-1, &one, is_reaped && !can_see ? WNOHANG : 0);

        if (pid == g->command) {
            status = one;
            is_reaped = true;
        }
        if (pid == 0 || (pid < 0 && errno != EINTR))
            return status;
    }
}

int child_guardian(int argc, char **argv)
{
    struct guardian g = {0};
    int error = argc < 2 ? EINVAL : prepare(&g);

    if (error == 0)
        error = start(&g, argv + 1);
    if (error != 0) {
        report(CHILD_REPORT_FAILED, error, 0);
        return 1;
    }
    report(CHILD_REPORT_STARTED, (int)g.command, 0);
    /* Only the command holds its ends now. */
    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO);

    enum child_end how = watch(&g);
    int status = end_all(&g);

    if (how == CHILD_EXITED && WIFSIGNALED(status))
        report(CHILD_REPORT_ENDED, CHILD_SIGNALED, WTERMSIG(status));
    else
        report(CHILD_REPORT_ENDED, (int)how, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
    return 0;
}
