/* Seeded generator (xoshiro256**, Blackman and Vigna 2018): the only randomness in
 * core/proto and in the simulator.  Same seed, same numbers.  One user at a time.
 */
#ifndef PARTI_BASE_RAND_H
#define PARTI_BASE_RAND_H

#include <stdint.h>

struct rand_state {
    uint64_t s[4];
};

/* Any seed will do, also 0. */
void rand_seed(struct rand_state *r, uint64_t seed);

/* From 256 bits of entropy, for ids that must be unique in the world. */
void rand_seed_wide(struct rand_state *r, const uint64_t entropy[4]);

uint64_t rand_next(struct rand_state *r);

/* Uniform in 0 .. below-1; below > 0.  The bias of 2^-32 does not matter here. */
uint64_t rand_below(struct rand_state *r, uint64_t below);

#endif
