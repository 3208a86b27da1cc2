/* A scenario from a seed: who comes and goes, what fails and when; then a tail without
 * faults, in which the group must come to rest, and a quiet time in which nothing may
 * move.
 */
#ifndef PARTI_TESTS_SIM_FAULT_H
#define PARTI_TESTS_SIM_FAULT_H

#include "sim.h"

struct sim_scenario {
    uint32_t slots;       /* processes at most */
    uint32_t kinds;       /* which faults happen in this seed: one bit each */
    uint64_t gap_us;      /* mean time between faults */
    uint64_t end_us;      /* the faults stop */
    uint64_t settle_us;   /* so long may it take to come to rest */
    uint64_t quiet_us;    /* so long nothing may move */
    bool is_leader_aimed; /* half of the faults strike the leader */
    struct sim_knobs fair, foul;
    const char *profile;
    uint64_t faults;
};

/* Sets up knobs, timing, list and the first processes from the seed. */
void sim_fault_begin(struct sim *s, struct sim_scenario *sc, uint64_t length_us);

/* Everything is healed and stays so. */
void sim_fault_stop(struct sim *s);

/* I11: 2 x (E + barrier) and a lease: so long may it take until all work again who lost
 * nothing but their leader or their server. */
uint64_t sim_fault_back_ms(const struct sim *s);

#endif
