/* A host for one strategy, as small as tests need: loads the real .so, keeps a table of
 * workers and the owners of the last answer, builds the columns of a world.
 *
 * Steps of a test: rig_open, rig_parts, then for each change rig_workers, any edit of
 * the columns, rig_assign.  rig_assign checks that every partition has a worker and makes
 * the answer the present state.  Failures end the test by ck_abort.  One thread.
 */
#ifndef PARTI_TESTS_STRATEGY_RIG_H
#define PARTI_TESTS_STRATEGY_RIG_H

#include "base/rand.h"
#include "parti_plugin.h"

#include <stdbool.h>

enum { RIG_PARTS = 65536, RIG_WORKERS = 4096, RIG_SLOTS = 1 << 17, RIG_OPTIONS = 4 };

struct rig {
    void *handle, *self;
    const struct parti_plugin *plugin;
    struct parti_host host;
    struct parti_error error;
    int32_t stop_after; /* answers of stop_wanted() until it says yes; < 0: never */
    struct parti_world world;

    uint32_t part_n;
    uint64_t hash[RIG_PARTS];
    uint32_t weight[RIG_PARTS];
    uint32_t prev[RIG_PARTS]; /* owners before the last answer, by previous index */
    uint32_t owner[RIG_PARTS];
    uint32_t *before, *after; /* slots of owners before and after; RIG_NOBODY */

    uint32_t n, prev_n;
    uint32_t slot[RIG_WORKERS], capacity[RIG_WORKERS], flags[RIG_WORKERS];
    uint32_t prev_slot[RIG_WORKERS], prev_to_now[RIG_WORKERS + 1];
    uint64_t worker_hash[RIG_WORKERS];
    uint32_t held[RIG_WORKERS], count[RIG_WORKERS]; /* before and after, by index */
    uint32_t kept[RIG_WORKERS];
    uint32_t orphans, moved;
    uint32_t at_slot[RIG_SLOTS]; /* slot -> index + 1 in the present table, or 0 */
};

#define RIG_NOBODY UINT32_MAX

/* 'option' and 'value': up to one key of the section, or NULL. */
struct rig *rig_open(const char *name, const char *option, const char *value);

/* The same of a strategy that is linked in: see plugins/builtin.h. */
struct rig *rig_builtin(parti_plugin_entry entry, const char *option, const char *value);

void rig_close(struct rig *rig);

/* n partitions of weight 100 that nobody has. */
void rig_parts(struct rig *rig, uint32_t n, uint64_t seed);

/* The present table: workers at these slots, in this order, capacity 100, no flags.
 * Flags and capacities may be edited after. */
void rig_workers(struct rig *rig, const uint32_t *slot, uint32_t n);

/* One call; when it answers PARTI_OK the result is checked, counted and taken over. */
int32_t rig_assign(struct rig *rig);

/* Partitions that changed hands, orphans included; and the least possible for the
 * counts in held[] and the capacities. */
uint32_t rig_moved(const struct rig *rig);
uint32_t rig_moved_least(const struct rig *rig);

/* Largest minus smallest count, over workers that are neither draining nor cordoned. */
uint32_t rig_spread(const struct rig *rig);

/* Random sets of slots, ascending: 'set' changes by a join, a leave, several of both, or
 * the loss of half; its size stays in 1 .. most. */
struct rig_set {
    uint32_t slot[RIG_WORKERS], n, most;
};
void rig_set_first(struct rig_set *set, uint32_t n, uint32_t most);
void rig_set_join(struct rig_set *set, struct rand_state *rand);
void rig_set_leave(struct rig_set *set, struct rand_state *rand);
void rig_set_change(struct rig_set *set, struct rand_state *rand);

#endif
