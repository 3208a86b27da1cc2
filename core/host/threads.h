/* Threads that run a plugin's code, and waiting with a deadline.
 *
 * Time is CLOCK_MONOTONIC in ms: these deadlines bound waiting, no lease hangs on them.
 * For strategy*.c and source*.c.
 */
#ifndef PARTI_HOST_THREADS_H
#define PARTI_HOST_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A lock with one condition that any change of what it guards signals. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* 0 or STATUS_NOMEM. */
int gate_init(struct gate *g);
void gate_finish(struct gate *g);

void gate_lock(struct gate *g);
void gate_unlock(struct gate *g);

/* Wakes every waiter; with the lock held. */
void gate_tell(struct gate *g);

/* With the lock held: until told or until deadline_ms (UINT64_MAX: no deadline).  May
 * return early; false once the deadline has passed. */
bool gate_wait(struct gate *g, uint64_t deadline_ms);

uint64_t threads_now_ms(void);
uint64_t threads_now_us(void);

/* Starts a thread with every signal blocked, so that the process's own handlers never
 * run on it.  0 or STATUS_LIMIT. */
int threads_start(pthread_t *ret, void *(*run)(void *), void *ctx);

#endif
