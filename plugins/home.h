/* The home of a partition: a worker that follows from its hash and from the set of slots
 * alone, whoever had the partition before.
 *
 * For the strategies in this folder only.  Probe j of a hash draws a slot below the
 * highest one, in levels of powers of two, so that growth takes a slot's share evenly
 * from all others (after BinomialHash, arXiv 2406.19836); an empty slot passes the
 * partition on to probe j + 1, so that a worker who leaves spreads evenly over the rest,
 * and gets its own back on return.  A worker of less capacity than the largest refuses
 * draws in proportion.  32-bit integers only: eight lanes of AVX2 and one of C agree bit
 * for bit.
 */
#ifndef PARTI_PLUGINS_HOME_H
#define PARTI_PLUGINS_HOME_H

#include "fleet.h"

enum {
    HOME_BLOCK = 256,     /* the most that home_of() takes at once */
    HOME_STEPS = 32,      /* draws until any worker has to do */
    HOME_PROBES = 8,      /* workers to ask before anyone will do */
    HOME_SLOTS = 1 << 18, /* slots from here on: ranks stand in for them */
    HOME_SURE = 1 << 30   /* a slot that accepts every draw */
};

struct home {
    uint32_t slots;             /* highest slot + 1 */
    uint32_t half;              /* the bit of the highest level; mask = 2 * half - 1 */
    uint32_t *sure;             /* [2 * half] 0: empty; HOME_SURE: accepts every draw */
    uint32_t *rank;             /* [2 * half] rank of the worker at an occupied slot */
    uint32_t *listed, listed_n; /* ranks at occupied slots */
    bool wide;                  /* this machine has AVX2 */
    struct block memory;
};

/* Where a walk over the probes of one hash stands. */
struct home_walk {
    uint32_t base, at, steps;
};

/* Reads the slots of receivers and cordoned workers.  false: out of memory. */
bool home_build(struct home *home, const struct fleet *fleet);
void home_finish(struct home *home);

/* Ranks of the homes of hash[pick[0 .. n)], n <= HOME_BLOCK, pick[] < HOME_BLOCK. */
void home_of(const struct home *home, const uint64_t *hash, const uint32_t *pick,
             uint32_t n, uint32_t *ret_rank);

/* The workers that a hash asks one after the other; the first is its home.  Never ends;
 * the same worker may come again. */
struct home_walk home_start(uint64_t hash);
uint32_t home_next(const struct home *home, struct home_walk *walk);

/* The two ways of home_of(), for the test that compares them.  The slot, not the rank;
 * UINT32_MAX when the steps did not do.  home_slots_wide() needs AVX2. */
void home_slots_plain(const struct home *home, const uint64_t *hash, const uint32_t *pick,
                      uint32_t n, uint32_t *ret_slot);
void home_slots_wide(const struct home *home, const uint64_t *hash, const uint32_t *pick,
                     uint32_t n, uint32_t *ret_slot);

/* Does this machine run home_slots_wide()? */
bool home_is_wide(void);

/* ---- shared by the two ways ------------------------------------------------------- */

#define HOME_PROBE \
    UINT32_C(0x9e3779b9) /* to the next probe: 2^32 over the golden ratio */
#define HOME_RETRY  UINT32_C(0x85ebca6b) /* to another draw of the same probe */
#define HOME_LEVEL  UINT32_C(0x27d4eb2f)
#define HOME_PLACE  UINT32_C(0xc2b2ae35)
#define HOME_REFUSE UINT32_C(0x165667b1)
/* Multipliers and shifts of "lowbias32" (Wellons, "Prospecting for hash functions"). */
#define HOME_MIX_ONE UINT32_C(0x7feb352d)
#define HOME_MIX_TWO UINT32_C(0x846ca68b)

#endif
