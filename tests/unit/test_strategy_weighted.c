/* plugins/weighted.so, through its vtable; its bounds are in
 * test_strategy_weighted_fuzz.c. */
#include "strategy_weights.h"

#include "unit.h"

START_TEST(equal_weights_are_the_business_of_consistent_hash)
{
    static const uint32_t weight[] = {0, 1, 100, UINT32_MAX};
    struct rig *a = rig_open("weighted", NULL, NULL);
    struct rig *b = rig_open("consistent_hash", NULL, NULL);
    static struct rig_set set;
    struct rand_state rand;

    rand_seed(&rand, 41);
    rig_parts(a, 3000, 41);
    rig_parts(b, 3000, 41);
    rig_set_first(&set, 30, 60);
    for (uint32_t round = 0; round < 300; round++) {
        for (uint32_t i = 0; i < 3000; i++)
            a->weight[i] = weight[round % 4];
        rig_workers(a, set.slot, set.n);
        rig_workers(b, set.slot, set.n);
        for (uint32_t i = 0; i < set.n; i++)
            a->capacity[i] = b->capacity[i] = round % 3 ? 100 : 1 + i;
        ck_assert_int_eq(rig_assign(a), PARTI_OK);
        ck_assert_int_eq(rig_assign(b), PARTI_OK);
        ck_assert_mem_eq(a->owner, b->owner, 3000 * sizeof *a->owner);
        rig_set_change(&set, &rand);
    }
    rig_close(a);
    rig_close(b);
}
END_TEST

static void workers(struct rig *rig, uint32_t n)
{
    static uint32_t slot[RIG_WORKERS];

    for (uint32_t i = 0; i < n; i++)
        slot[i] = i;
    rig_workers(rig, slot, n);
}

START_TEST(giants_get_workers_of_their_own)
{
    struct rig *rig = rig_open("weighted", NULL, NULL);
    static struct load load;
    struct rand_state rand;

    rand_seed(&rand, 42);
    for (int round = 0; round < 100; round++) {
        uint32_t giants = 1 + (uint32_t)rand_below(&rand, 9);

        rig_parts(rig, 1000, (uint64_t)round);
        for (uint32_t i = 0; i < 1000; i++)
            rig->weight[i] = 50 + (uint32_t)rand_below(&rand, 151);
        workers(rig, 20);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        /* They grow where they are, some of them on one worker. */
        for (uint32_t k = 0; k < giants; k++)
            rig->weight[rand_below(&rand, 1000)] = 20000 + 5000 * k;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        measure(rig, false, &load);
        for (uint32_t i = 0; i < 1000; i++)
            if (rig->weight[i] >= 20000 && load.load[rig->owner[i]] != rig->weight[i])
                ck_abort_msg("a giant of %u shares a load of %ld", rig->weight[i],
                             (long)load.load[rig->owner[i]]);
    }
    rig_close(rig);
}
END_TEST

START_TEST(weights_of_nought_and_of_32_bits_are_served)
{
    struct rig *rig = rig_open("weighted", NULL, NULL);
    static struct load load;
    struct rand_state rand;

    rand_seed(&rand, 43);
    rig_parts(rig, 20000, 43);
    for (uint32_t i = 0; i < 20000; i++)
        rig->weight[i] = i % 3 == 0 ? 0 : UINT32_MAX - (uint32_t)rand_below(&rand, 1000);
    for (uint32_t n = 50; n > 3; n = n * 3 / 4) {
        workers(rig, n);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        measure(rig, false, &load);
        ck_assert_int_gt(load.total, INT64_C(1) << 45);
        ck_assert_double_le((double)load.max, 1.01 * (double)load.total / n);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), 0);
    }
    /* One partition weighs something. */
    for (uint32_t i = 0; i < 20000; i++)
        rig->weight[i] = i == 77;
    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    ck_assert_uint_eq(rig_moved(rig), 0);
    rig_close(rig);
}
END_TEST

START_TEST(loads_follow_capacities)
{
    struct rig *rig = rig_open("weighted", NULL, NULL);
    static struct load load;
    static struct rig_set set;
    struct rand_state rand;

    rand_seed(&rand, 44);
    rig_parts(rig, 20000, 44);
    for (uint32_t i = 0; i < 20000; i++)
        rig->weight[i] = draw_weight(KIND_UNIFORM, &rand);
    rig_set_first(&set, 40, 60);
    for (int round = 0; round < 200; round++) {
        uint64_t sum = 0;

        rig_workers(rig, set.slot, set.n);
        for (uint32_t k = 0; k < set.n; k++) {
            rig->capacity[k] = 50u << set.slot[k] % 3;
            sum += rig->capacity[k];
        }
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        measure(rig, false, &load);
        for (uint32_t k = 0; k < set.n; k++) {
            double share = (double)load.total * rig->capacity[k] / (double)sum;

            if ((double)load.load[k] > 1.0101 * share)
                ck_abort_msg("capacity %u of %u has %.4f of its share", rig->capacity[k],
                             (uint32_t)sum, (double)load.load[k] / share);
        }
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), 0);
        rig_set_change(&set, &rand);
    }
    rig_close(rig);
}
END_TEST

START_TEST(a_newcomer_gets_its_share_and_a_leaver_takes_few_along)
{
    struct rig *rig = rig_open("weighted", NULL, NULL);
    static struct load load;
    struct rand_state rand;

    rand_seed(&rand, 45);
    for (int round = 0; round < 30; round++) {
        double mean;

        rig_parts(rig, 10000, (uint64_t)round);
        for (uint32_t i = 0; i < 10000; i++)
            rig->weight[i] = draw_weight(round % 2 ? KIND_UNIFORM : KIND_FIVEFOLD, &rand);
        workers(rig, 100);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        workers(rig, 101);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        measure(rig, false, &load);
        mean = (double)load.total / 101;
        ck_assert_double_ge((double)load.load[100], 0.98 * mean);
        workers(rig, 100);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_double_le(moved_weight(rig), 2.5 * (double)load.load[100]);
    }
    rig_close(rig);
}
END_TEST

START_TEST(draining_and_cordoned_hold_whatever_the_weights)
{
    struct rig *rig = rig_open("weighted", NULL, NULL);
    static struct rig_set set;
    struct rand_state rand;

    rand_seed(&rand, 49);
    for (int round = 0; round < 500; round++) {
        if (round % 50 == 0) {
            rig_parts(rig, 1500, (uint64_t)round);
            for (uint32_t i = 0; i < 1500; i++)
                rig->weight[i] = draw_weight(round / 50 % KINDS, &rand);
            rig_set_first(&set, 30, 40);
        }
        rig_workers(rig, set.slot, set.n);
        for (uint32_t k = 0; k < set.n; k++)
            rig->flags[k] = (uint32_t[]){0, 0, 0, PARTI_WORKER_DRAINING,
                                         PARTI_WORKER_CORDONED}[rand_below(&rand, 5)];
        rig->flags[rand_below(&rand, set.n)] = 0;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        for (uint32_t k = 0; k < set.n; k++)
            if (rig->flags[k] == PARTI_WORKER_DRAINING
                    ? rig->count[k] > 0
                    : rig->flags[k] == PARTI_WORKER_CORDONED &&
                          (rig->kept[k] != rig->held[k] || rig->count[k] != rig->held[k]))
                ck_abort_msg("flags %u: had %u, kept %u, has %u", rig->flags[k],
                             rig->held[k], rig->kept[k], rig->count[k]);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), 0);
        rig_set_change(&set, &rand);
    }
    rig_close(rig);
}
END_TEST

START_TEST(within_its_tolerance_nothing_moves)
{
    struct rig *rig = rig_open("weighted", "delta_ppm", "200000");
    struct rand_state rand;

    rand_seed(&rand, 46);
    rig_parts(rig, 5000, 46);
    for (uint32_t i = 0; i < 5000; i++)
        rig->weight[i] = draw_weight(KIND_UNIFORM, &rand);
    workers(rig, 50);
    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    for (int round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 5000; i++)
            rig->weight[i] =
                rig->weight[i] * (90 + (uint32_t)rand_below(&rand, 21)) / 100;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), 0);
    }
    rig_close(rig);
}
END_TEST

START_TEST(budgets_of_moves_and_of_work_are_kept)
{
    struct rig *rig = rig_open("weighted", NULL, NULL);
    struct rand_state rand;

    rand_seed(&rand, 47);
    for (int round = 0; round < 50; round++) {
        rig_parts(rig, 2000, (uint64_t)round);
        for (uint32_t i = 0; i < 2000; i++)
            rig->weight[i] = draw_weight(round % KINDS, &rand);
        workers(rig, 40);
        rig->world.moves_max = rig->world.work_max = UINT64_MAX;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        for (uint32_t i = 0; i < 2000; i++)
            rig->weight[i] = draw_weight((round + 1) % KINDS, &rand);
        workers(rig, 44);
        rig->world.moves_max = 1 + (uint64_t)round;
        rig->world.work_max = round % 2 ? 1 : UINT64_MAX;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_le(rig_moved(rig), rig->orphans + (uint64_t)round + 1);
    }
    rig_close(rig);
}
END_TEST

/* Five coarse items a worker that differ by little, and a fleet that shrinks and grows:
 * no load can be in its band, and swaps of every gain abound.  The cap on work ends it.
 */
START_TEST(swap_storms_end)
{
    struct rig *rig = rig_open("weighted", NULL, NULL);
    struct rand_state rand;

    rand_seed(&rand, 48);
    for (int round = 0; round < 10; round++) {
        rig_parts(rig, 20000, (uint64_t)round);
        for (uint32_t i = 0; i < 20000; i++)
            rig->weight[i] = 1000000 + (uint32_t)rand_below(&rand, 1u << (2 * round));
        workers(rig, 4000);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        workers(rig, 3500);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        workers(rig, 3999);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    }
    rig_close(rig);
}
END_TEST

UNIT_MAIN("weighted", equal_weights_are_the_business_of_consistent_hash,
          giants_get_workers_of_their_own, weights_of_nought_and_of_32_bits_are_served,
          loads_follow_capacities, a_newcomer_gets_its_share_and_a_leaver_takes_few_along,
          draining_and_cordoned_hold_whatever_the_weights,
          within_its_tolerance_nothing_moves, budgets_of_moves_and_of_work_are_kept,
          swap_storms_end)
