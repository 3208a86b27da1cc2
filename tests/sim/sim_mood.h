/* The mood of a seed: its timing, weather and habits. */
#ifndef PARTI_TESTS_SIM_MOOD_H
#define PARTI_TESTS_SIM_MOOD_H

#include "sim_fault.h"

/* "default", "calm" or "fast", as product.md has them. */
void sim_mood_timing(struct node_timing *t, const char *profile);

/* Profile, windows, ownership, fair and foul weather, the first list. */
void sim_mood_begin(struct sim *s, struct sim_scenario *sc);

#endif
