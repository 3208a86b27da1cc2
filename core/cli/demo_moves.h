/* What a step of the demo moved, and what it had to move: counted by the host's own judge
 * of strategies, so the least for a plan as even is that of `parti plan`.  One user at a
 * time.
 */
#ifndef PARTI_CLI_DEMO_MOVES_H
#define PARTI_CLI_DEMO_MOVES_H

#include "cli/demo_input.h"

#include <stdbool.h>

struct demo_moves {
    uint64_t moved;       /* sections */
    uint64_t moved_least; /* no plan as even as this one could do with fewer */
    double percent;       /* of all packages, in the sections that moved */
};

/* before[] and after[]: the holder of each section, one of workers_n processes, -1 for
 * nobody (not after); is_living[]: who may be given something.  STATUS_NOMEM. */
int demo_moves_count(const struct demo_input *input, const int *before, const int *after,
                     const bool *is_living, uint32_t workers_n, struct demo_moves *ret);

#endif
