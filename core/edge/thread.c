#include "edge/thread.h"

#include "base/must.h"
#include "base/status.h"

#include <signal.h>

int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;

    must(sigfillset(&all) == 0);
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int error = pthread_create(ret_thread, NULL, run, arg);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return error == 0 ? STATUS_OK : STATUS_NOMEM;
}
