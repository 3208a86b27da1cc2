/* Judges a strategy's answer: is it one at all, and how good is it?
 *
 * The host counts by itself, so that no plugin can flatter.  Any thread.
 */
#ifndef PARTI_HOST_STRATEGY_JUDGE_H
#define PARTI_HOST_STRATEGY_JUDGE_H

#include "parti_plugin.h"

#include <stdbool.h>
#include <stddef.h>

struct judgement {
    uint64_t moved;       /* partitions whose owner changes, those without one included */
    uint64_t moved_least; /* no plan as even could do with fewer: see judge_answer() */
    double max_over_mean; /* heaviest load by capacity over the mean, among those who may
                             be given something; 1.0 is perfect */
};

/* Every owner a worker, none draining, nothing new for a cordoned one.  0;
 * STATUS_INVALID with the first offence in why[room]. */
int judge_check(const struct parti_world *w, const uint32_t *owner, char *why,
                size_t room);

/* Counts.  'owner' has passed judge_check().
 *
 * The least possible for one as even as this: the cordoned keep what they have.  With
 * equal weights and even counts, P being the others' partitions and those without an
 * owner, P - sum of min(held, quota), the quotas being the capacities' shares by largest
 * remainder, ties to those who hold most.  Else the orphans, and for each worker the
 * fewest partitions it must shed to come down to the heaviest load by capacity that the
 * answer itself allows: no plan does with fewer, and perhaps none with so few.
 * Never more than 'moved'.
 * 0 or STATUS_NOMEM. */
int judge_answer(const struct parti_world *w, const uint32_t *owner,
                 struct judgement *ret);

/* How many partitions lie with nobody or with a worker that must end with nothing. */
uint64_t judge_homeless(const struct parti_world *w);

#endif
