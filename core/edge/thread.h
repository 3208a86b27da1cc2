/* Starts a thread of core/edge: with every signal blocked, so that signals reach the
 * thread that waits for them.  Any thread.
 */
#ifndef PARTI_EDGE_THREAD_H
#define PARTI_EDGE_THREAD_H

#include <pthread.h>

/* STATUS_NOMEM if the system has no room for a thread.  To be joined. */
int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg);

#endif
