/* What would move: a state, a change of the fleet, a strategy, and the answer.  The
 * question is put as the leader puts it, by the same code, so the answer is the leader's.
 * For cmd_plan.c and print_plan.c.
 */
#ifndef PARTI_CLI_PLAN_H
#define PARTI_CLI_PLAN_H

#include "cli/state.h"
#include "host/conf.h"

/* Why a partition moves. */
enum plan_reason {
    PLAN_UNOWNED, /* nobody has it */
    PLAN_LEAVING, /* its owner leaves */
    PLAN_JOINING, /* its new owner joins */
    PLAN_BALANCE  /* it evens out the load */
};

struct plan_load {
    uint32_t before, after; /* partitions */
    uint64_t weight;        /* after */
    bool is_added, is_removed;
};

struct planned {
    const struct state *state;
    struct plan_load *load; /* one a worker of the state */
    uint32_t *owner;        /* one a partition: index of a worker of the state */
    char strategy[64];
    uint64_t moved, moved_least;
    double before_ratio; /* heaviest load by capacity over the mean; 0: nothing owned */
    double after_ratio;
};

/* One --add or --remove.  Workers are added to the state, or marked in it as draining;
 * state_sort() must follow the last.  CLI_OK, or CLI_USAGE with the reason in
 * why[room]. */
int plan_add(struct state *s, const char *text, char *why, size_t room);
int plan_remove(struct state *s, const char *id, char *why, size_t room);

/* Lists the sources of the configuration into a state without partitions.  CLI_OK;
 * CLI_USAGE after c->errors has got what is wrong; CLI_FAILED, and away[room] says why,
 * where a source could not be asked. */
int plan_list(struct state *s, struct conf *c, char *away, size_t room);

/* Asks the strategy.  CLI_OK; CLI_USAGE: see c->errors; CLI_FAILED: the strategy's own
 * sentence is in why[room].  planned_finish() in every case; 'p' is zeroed before. */
int plan_ask(struct planned *p, const struct state *s, struct conf *c,
             const struct conf_plugin *strategy, char *why, size_t room);
void planned_finish(struct planned *p);

/* Of partition i, which moves. */
enum plan_reason plan_reason_of(const struct planned *p, uint32_t i);
const char *plan_reason_name(enum plan_reason reason);

#endif
