#include "edge/sig.h"

#include "base/must.h"
#include "base/status.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int open_set(const sigset_t *set, int *ret_fd)
{
    must(sigprocmask(SIG_BLOCK, set, NULL) == 0);
    int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return STATUS_IO;
    *ret_fd = fd;
    return STATUS_OK;
}

int sig_open(int *ret_fd)
{
    struct sigaction ignore;
    sigset_t set;

    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    must(sigaction(SIGPIPE, &ignore, NULL) == 0);
    must(sigemptyset(&set) == 0 && sigaddset(&set, SIGTERM) == 0 &&
         sigaddset(&set, SIGINT) == 0 && sigaddset(&set, SIGHUP) == 0);
    return open_set(&set, ret_fd);
}

int sig_open_deaths(int *ret_fd)
{
    sigset_t set;

    must(sigemptyset(&set) == 0 && sigaddset(&set, SIGCHLD) == 0);
    return open_set(&set, ret_fd);
}

int sig_next(int fd)
{
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void sig_child(void)
{
    struct sigaction usual;
    sigset_t none;

    memset(&usual, 0, sizeof usual);
    usual.sa_handler = SIG_DFL;
    for (int signo = 1; signo < NSIG; signo++)
        (void)sigaction(signo, &usual, NULL); /* SIGKILL and SIGSTOP refuse: fine */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}
