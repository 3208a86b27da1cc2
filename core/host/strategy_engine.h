/* Where a strategy's code runs: on a thread of this process, or in a process of its own.
 *
 * Both forms take one world at a time, bound the time of each call, and say how it
 * ended.  For strategy.c, which calls from its one keeper thread; only the functions
 * marked [any] may be called from elsewhere.
 */
#ifndef PARTI_HOST_STRATEGY_ENGINE_H
#define PARTI_HOST_STRATEGY_ENGINE_H

#include "host/instance.h"
#include "host/strategy_world.h"

enum {
    ENGINE_CREATE_MS = 10000, /* for create(), and for a process to be ready */
    ENGINE_GRACE_MS = 1000,   /* after the limit, for a call that obeys stop_wanted() */
    ENGINE_CRASHES_MAX = 3    /* in a row before an isolated strategy is given up */
};

/* How a call ended. */
enum engine_end {
    ENGINE_ANSWERED, /* it returned: see 'code' */
    ENGINE_STOPPED,  /* its process was killed because we were told to stop */
    ENGINE_OVERTIME, /* it did not return in time */
    ENGINE_CRASHED,  /* its process died, or would not start */
    ENGINE_NOMEM     /* we have no memory for the call */
};

struct engine_outcome {
    enum engine_end end;
    int32_t code;             /* ANSWERED: PARTI_* as the plugin gave it */
    struct parti_error error; /* ANSWERED: the plugin's; CRASHED: what happened */
    const struct strategy_world *world; /* ANSWERED: borrowed until the next call */
    uint32_t *owner;                    /* likewise; may be changed in place */
    uint64_t took_us;
};

/* ---- on a thread ------------------------------------------------------------------- */

struct strategy_thread;

/* Starts the thread and calls create().  Takes over 'options', also on failure.  0;
 * else 'errors' says all. */
int strategy_thread_create(const struct plugin *plugin, struct option_conf *options,
                           const struct conf_plugin *conf, struct conf_errors *errors,
                           struct strategy_thread **ret);

/* One assign().  Takes over 'world'.  After ENGINE_OVERTIME the thread is abandoned: no
 * thread is ever cancelled; should the call return one day, the thread destroys the
 * instance and ends.  No further call may be made then. */
void strategy_thread_run(struct strategy_thread *t, struct strategy_world *world,
                         uint64_t limit_ms, struct engine_outcome *ret);

/* [any] What stop_wanted() says from now on, the time limit aside. */
void strategy_thread_stop(struct strategy_thread *t, bool is_wanted);

/* [any] stop_wanted() says yes, and a running call has ENGINE_GRACE_MS from now. */
void strategy_thread_hurry(struct strategy_thread *t);

/* Calls destroy() on the thread and waits for its end, ENGINE_GRACE_MS at most.  Of an
 * abandoned one only our hold is given up.  Accepts NULL. */
void strategy_thread_destroy(struct strategy_thread *t);

/* ---- in a process of its own ------------------------------------------------------- */

struct strategy_child;

/* Starts the process ('program' is the path of parti-plugin-host) and has create()
 * called there.  As above. */
int strategy_child_create(const char *program, const struct plugin *plugin,
                          struct option_conf *options, const struct conf_plugin *conf,
                          struct conf_errors *errors, struct strategy_child **ret);

/* One assign(), in a new process when the last one is gone.  Takes over 'world'.  A
 * process that does not answer in time is killed. */
void strategy_child_run(struct strategy_child *c, struct strategy_world *world,
                        uint64_t limit_ms, struct engine_outcome *ret);

/* [any] Gives up a running call: its process is killed at once.  With 'is_wanted' false
 * calls may run again. */
void strategy_child_stop(struct strategy_child *c, bool is_wanted);

/* Accepts NULL. */
void strategy_child_destroy(struct strategy_child *c);

#endif
