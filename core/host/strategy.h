/* One instance of a strategy plugin: plans are asked for, answers come by a callback.
 *
 * The plugin computes on a thread of its own ([strategy] isolation = none) or in a
 * process of its own (isolation = process); a keeper thread bounds its time, judges what
 * it answers and calls back.  An answer that breaks the rules, PARTI_BUG, an unknown code
 * or a call that does not return shuts the instance off (quarantine): every later plan
 * fails at once with the sentence of that first fault, and the caller keeps the last good
 * assignment.  A strategy in a process of its own is given up after ENGINE_CRASHES_MAX
 * deaths in a row.
 *
 * Any thread, except that create and destroy are called by the owner.
 */
#ifndef PARTI_HOST_STRATEGY_H
#define PARTI_HOST_STRATEGY_H

#include "host/conf.h"
#include "host/strategy_world.h"

enum { STRATEGY_TEXT_ROOM = 640 };

/* The answer to one plan. */
struct plan_result {
    uint64_t plan; /* the request's number */
    int status;    /* STATUS_OK; TIMEOUT, CANCELED, NOMEM, INVALID, IO, BUG: no answer */
    bool keep;     /* OK: leave every partition where it is; 'owner' says the same */
    uint32_t n;    /* OK: partitions */
    const uint32_t *owner; /* OK: index into the workers of the request, one a row */
    uint64_t moved;        /* OK: see strategy_judge.h */
    uint64_t moved_least;
    double max_over_mean;
    uint64_t took_us; /* in the plugin, 0 when it was not called */
    int code;         /* not OK: errors.def, 0 for CANCELED */
    const char *text; /* not OK: "PARTI-E2xx ...", one sentence or two; else "" */
    bool is_shut_off; /* this strategy will answer no plan any more */
};

struct strategy_setup {
    const struct conf_plugin *conf; /* [strategy]; borrowed during create */
    const char *plugin_dir;         /* NULL: the compiled-in one */
    const char *host_program;       /* of parti-plugin-host; NULL: the compiled-in one */
    struct strategy_policy policy;
    /* Called on the keeper's thread, one call at a time, once for each submitted plan;
     * 'result' and all it points to is borrowed.  May submit, may not destroy. */
    void (*done)(void *ctx, const struct plan_result *result);
    void *ctx;
};

struct strategy;

/* Loads the plugin, checks its section, calls create().  0; else a code, and 'errors'
 * has what is wrong with file and line. */
int strategy_create(const struct strategy_setup *setup, struct conf_errors *errors,
                    struct strategy **ret);

/* Asks for a plan; copies all it needs before it returns.  A plan that still waits or is
 * being computed is given up for the new one: it is answered with STATUS_CANCELED
 * (unless its answer is ready anyway).  0 or STATUS_NOMEM (then there is no answer). */
int strategy_submit(struct strategy *s, const struct plan_request *request);

/* Gives up the running call and ends the threads; nothing is called back after it has
 * returned.  Takes at most a few seconds however the plugin behaves.  Accepts NULL. */
void strategy_destroy(struct strategy *s);

/* "consistent_hash": borrowed until destroy. */
const char *strategy_name(const struct strategy *s);

/* One plan, waited for: for 'parti plan' and tests.  setup->done is not used.  0 with
 * the answer in *ret, whatever its status, and plan_answer_finish() to be called; else
 * as strategy_create(). */
struct plan_answer {
    struct plan_result result; /* its pointers lead into this struct's own memory */
    uint32_t *owner;
    char text[STRATEGY_TEXT_ROOM];
};
int strategy_plan_once(const struct strategy_setup *setup,
                       const struct plan_request *request, struct conf_errors *errors,
                       struct plan_answer *ret);
void plan_answer_finish(struct plan_answer *answer);

#endif
