/* Weights of the kinds that the guarantees are measured on, and loads under them. */
#ifndef PARTI_TESTS_STRATEGY_WEIGHTS_H
#define PARTI_TESTS_STRATEGY_WEIGHTS_H

#include "strategy_rig.h"

enum { KIND_UNIFORM, KIND_FIVEFOLD, KIND_PARETO, KIND_ZIPF, KIND_STEPS, KINDS };
extern const char *const kind_name[KINDS];

uint32_t draw_weight(int kind, struct rand_state *rand);

struct load {
    int64_t load[RIG_WORKERS], biggest[RIG_WORKERS]; /* by worker's index */
    int64_t total, max;
};

/* Loads before or after the last answer. */
void measure(const struct rig *rig, bool before, struct load *load);

/* The weight that changed hands in the last answer. */
double moved_weight(const struct rig *rig);

#endif
