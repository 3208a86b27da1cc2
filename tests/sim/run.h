/* One seed, from its scenario to its verdict. */
#ifndef PARTI_TESTS_SIM_RUN_H
#define PARTI_TESTS_SIM_RUN_H

#include "judge.h"
#include "sim_fault.h"
#include "sim_form.h"

struct run_result {
    uint64_t seed;
    uint64_t steps, sim_us, trace_hash;
    uint64_t settled_us; /* after the end of the faults */
    uint64_t writes, grants, faults;
    uint64_t fences, rebalances;
    uint64_t failed_us;
    char invariant[8]; /* "" when nothing was broken */
    char failure[400];
};

/* What a run needs; big; zeroed by its owner before the first run. */
struct run {
    struct sim sim;
    struct judge judge;
    struct sim_scenario scenario;
};

void run_init(struct run *r);
void run_finish(struct run *r);

/* How to run: as long as length_us, in the form of rebalances until there were so many.
 */
struct run_order {
    enum sim_form form;
    uint64_t length_us;
    uint64_t rebalances;
    bool tells; /* the story goes to stdout */
};

void run_seed(struct run *r, uint64_t seed, const struct run_order *order,
              struct run_result *ret_result);

#endif
