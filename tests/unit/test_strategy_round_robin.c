/* plugins/round_robin.so, through its vtable. */
#include "strategy_rig.h"

#include "unit.h"

enum { CHANGES = 1500 };

START_TEST(every_change_moves_the_least_and_leaves_counts_even)
{
    struct rig *rig = rig_open("round_robin", NULL, NULL);
    static struct rig_set set;
    struct rand_state rand;

    rand_seed(&rand, 1);
    for (int round = 0; round < CHANGES; round++) {
        if (round % 100 == 0) {
            rig_parts(rig, (uint32_t)rand_below(&rand, 4000), (uint64_t)round);
            rig_set_first(&set, 1 + (uint32_t)rand_below(&rand, 60), 120);
        }
        rig_workers(rig, set.slot, set.n);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), rig_moved_least(rig));
        ck_assert_uint_le(rig_spread(rig), 1);

        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), 0);
        rig_set_change(&set, &rand);
    }
    rig_close(rig);
}
END_TEST

START_TEST(a_cold_start_is_index_mod_workers)
{
    static const uint32_t slot[] = {2, 3, 9};
    struct rig *rig = rig_open("round_robin", NULL, NULL);

    rig_parts(rig, 1000, 1);
    rig_workers(rig, slot, 3);
    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    for (uint32_t i = 0; i < 1000; i++)
        if (rig->owner[i] != i % 3)
            ck_abort_msg("partition %u goes to %u", i, rig->owner[i]);
    rig_close(rig);
}
END_TEST

START_TEST(strict_is_index_mod_workers_whoever_had_it)
{
    static const uint32_t slot[] = {0, 1, 2, 3, 4};
    struct rig *rig = rig_open("round_robin", "mode", "strict");

    rig_parts(rig, 1000, 1);
    for (uint32_t n = 5; n >= 2; n--) {
        rig_workers(rig, slot, n);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        for (uint32_t i = 0; i < 1000; i++)
            if (rig->owner[i] != i % n)
                ck_abort_msg("partition %u goes to %u", i, rig->owner[i]);
    }
    rig->flags[0] = PARTI_WORKER_DRAINING;
    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    ck_assert_uint_eq(rig->count[0], 0);
    rig_close(rig);
}
END_TEST

UNIT_MAIN("round_robin", every_change_moves_the_least_and_leaves_counts_even,
          a_cold_start_is_index_mod_workers, strict_is_index_mod_workers_whoever_had_it)
