/* plugins/consistent_hash.so, through its vtable; and its home function, linked in. */
#include "../../plugins/home.h"
#include "strategy_rig.h"

#include "unit.h"

#include <stdio.h>

enum { CHANGES = 2500 };

START_TEST(every_change_moves_the_least_and_leaves_counts_even)
{
    struct rig *rig = rig_open("consistent_hash", NULL, NULL);
    static struct rig_set set;
    struct rand_state rand;

    rand_seed(&rand, 21);
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

START_TEST(quotas_follow_capacities_at_the_least_movement)
{
    struct rig *rig = rig_open("consistent_hash", NULL, NULL);
    static struct rig_set set;
    struct rand_state rand;

    rand_seed(&rand, 22);
    rig_parts(rig, 3000, 22);
    rig_set_first(&set, 30, 60);
    for (int round = 0; round < 500; round++) {
        uint64_t sum = 0;

        rig_workers(rig, set.slot, set.n);
        for (uint32_t i = 0; i < set.n; i++)
            rig->capacity[i] = 1 + (uint32_t)rand_below(&rand, 400);
        for (uint32_t i = 0; i < set.n; i++)
            sum += rig->capacity[i];
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), rig_moved_least(rig));
        for (uint32_t i = 0; i < set.n; i++) {
            uint64_t floor = 3000u * (uint64_t)rig->capacity[i] / sum;

            if (rig->count[i] < floor || rig->count[i] > floor + 1)
                ck_abort_msg("worker %u has %u of %u", i, rig->count[i], (uint32_t)floor);
        }
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), 0);
        rig_set_change(&set, &rand);
    }
    rig_close(rig);
}
END_TEST

/* One leaves and returns, fifty times over; its own are those it had when it left. */
static double own_back(struct rig *rig, uint32_t parts, uint32_t workers, bool mixed)
{
    static uint32_t slot[1000], rest[1000], had[RIG_PARTS];
    uint64_t own = 0, back = 0;

    rig_parts(rig, parts, 23);
    for (uint32_t i = 0; i < workers; i++)
        slot[i] = i;
    for (uint32_t round = 0; round < 50; round++) {
        uint32_t gone = round * 7 % workers, n = 0;

        rig_workers(rig, slot, workers);
        for (uint32_t i = 0; mixed && i < workers; i++)
            rig->capacity[i] = i % 3 == 0 ? 200 : 100;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        for (uint32_t i = 0; i < parts; i++) {
            back += round > 0 && had[i] == slot[(round - 1) * 7 % workers] &&
                    rig->after[i] == had[i];
            had[i] = rig->after[i];
            own += round < 49 && had[i] == gone;
        }
        for (uint32_t i = 0; i < workers; i++)
            if (i != gone)
                rest[n++] = i;
        rig_workers(rig, rest, n);
        for (uint32_t i = 0; mixed && i < n; i++)
            rig->capacity[i] = rest[i] % 3 == 0 ? 200 : 100;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    }
    return (double)back / (double)own;
}

START_TEST(who_leaves_and_returns_gets_its_own_back)
{
    struct rig *rig = rig_open("consistent_hash", NULL, NULL);

    static const struct {
        uint32_t parts, workers;
        bool mixed; /* capacities */
    } fleet[] = {
        {10000, 200, false}, {20000, 200, false}, {5000, 100, false}, {2500, 50, false},
        {1000, 20, false},   {400, 8, false},     {250, 5, false},    {150, 3, false},
        {9000, 9, false},    {20000, 200, true},  {10000, 200, true}, {2500, 50, true},
    };

    /* The guarantee is 95 % where P / W >= 50; what is reached is more, and is kept. */
    for (size_t i = 0; i < sizeof fleet / sizeof *fleet; i++) {
        double back = own_back(rig, fleet[i].parts, fleet[i].workers, fleet[i].mixed);

        ck_assert_msg(back >= (fleet[i].mixed ? 0.95 : 0.98), "%u on %u: %.4f back",
                      fleet[i].parts, fleet[i].workers, back);
    }
    rig_close(rig);
}
END_TEST

START_TEST(three_to_four_workers_keep_three_quarters)
{
    static const uint32_t slot[] = {0, 1, 2, 3};
    struct rig *rig = rig_open("consistent_hash", NULL, NULL);

    rig_parts(rig, 10000, 24);
    rig_workers(rig, slot, 3);
    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    rig_workers(rig, slot, 4);
    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    ck_assert_uint_eq(rig_moved(rig), 2500);
    ck_assert_uint_eq(rig_spread(rig), 0);
    rig_close(rig);
}
END_TEST

START_TEST(pure_forgets_owners_and_stays_below_its_bound)
{
    struct rig *a = rig_open("consistent_hash", "mode", "pure");
    struct rig *b = rig_open("consistent_hash", "mode", "pure");
    static struct rig_set set;
    struct rand_state rand;
    uint64_t moved = 0, least = 0;

    rand_seed(&rand, 25);
    rig_parts(a, 10000, 25);
    rig_set_first(&set, 100, 200);
    for (int round = 0; round < 100; round++) {
        rig_parts(b, 10000, 25); /* b never knows an owner */
        rig_workers(a, set.slot, set.n);
        rig_workers(b, set.slot, set.n);
        ck_assert_int_eq(rig_assign(a), PARTI_OK);
        ck_assert_int_eq(rig_assign(b), PARTI_OK);
        ck_assert_mem_eq(a->owner, b->owner, 10000 * sizeof *a->owner);
        for (uint32_t i = 0; i < set.n; i++)
            ck_assert_uint_le(a->count[i],
                              (10000 * 105 + set.n * 100 - 1) / (set.n * 100));
        if (round > 0) {
            moved += rig_moved(a);
            least += rig_moved_least(a);
        }
        if (round % 2 == 0)
            rig_set_leave(&set, &rand);
        else
            rig_set_join(&set, &rand);
    }
    /* Published for a cap of 1.05 at 50 partitions a worker: 2.2 and 1.8 (joins, leaves).
     */
    ck_assert_uint_le(moved, 5 * least / 2);
    rig_close(a);
    rig_close(b);
}
END_TEST

static void build(struct home *home, struct fleet *fleet, const uint32_t *slot,
                  uint32_t n, bool equal)
{
    static uint32_t capacity[1000];
    static uint8_t role[1000];

    for (uint32_t i = 0; i < n; i++) {
        capacity[i] = equal ? 100 : 1 + i * 37 % 100;
        role[i] = ROLE_RECEIVER;
    }
    fleet->n = n;
    fleet->slot = slot;
    fleet->capacity = capacity;
    fleet->role = role;
    ck_assert(home_build(home, fleet));
}

START_TEST(eight_lanes_and_one_agree_bit_for_bit)
{
    static uint32_t slot[1000], pick[HOME_BLOCK], one[HOME_BLOCK], eight[HOME_BLOCK];
    static uint64_t hash[HOME_BLOCK];
    struct home home = {0};
    struct fleet fleet = {0};
    struct rand_state rand;

    if (!home_is_wide()) {
        printf("no AVX2 on this machine: one way only, nothing to compare\n");
        return;
    }
    rand_seed(&rand, 26);
    for (int round = 0; round < 2000; round++) {
        uint32_t n = 1 + (uint32_t)rand_below(&rand, round % 2 ? 1000 : 20), at = 0;
        uint32_t gap = 1 + (uint32_t)rand_below(&rand, round % 5 ? 3 : 100);

        for (uint32_t i = 0; i < n; i++) {
            at += 1 + (uint32_t)rand_below(&rand, gap);
            slot[i] = at;
        }
        for (uint32_t i = 0; i < HOME_BLOCK; i++) {
            hash[i] = rand_next(&rand);
            pick[i] = (uint32_t)rand_below(&rand, HOME_BLOCK);
        }
        build(&home, &fleet, slot, n, round % 3 != 0);

        uint32_t length = (uint32_t)rand_below(&rand, HOME_BLOCK + 1);

        home_slots_plain(&home, hash, pick, length, one);
        home_slots_wide(&home, hash, pick, length, eight);
        ck_assert_mem_eq(one, eight, length * sizeof *one);
    }
    home_finish(&home);
}
END_TEST

/* Leaving a set changes only the homes at the leaver, and growing it, also across a power
 * of two, only those that the newcomer takes. */
START_TEST(homes_of_others_stay_when_a_worker_comes_or_goes)
{
    static uint32_t slot[1000], more[1000];
    struct home home = {0};
    struct fleet fleet = {0};
    struct rand_state rand;

    rand_seed(&rand, 27);
    for (uint32_t n = 1; n < 140; n++) {
        struct home other = {0};
        uint32_t count[140] = {0}, taken = 0;

        for (uint32_t i = 0; i <= n; i++)
            slot[i] = more[i] = i;
        build(&home, &fleet, slot, n, true);
        build(&other, &fleet, more, n + 1, true);
        for (uint32_t i = 0; i < 20000; i++) {
            uint64_t hash = rand_next(&rand);
            struct home_walk a = home_start(hash), b = home_start(hash);
            uint32_t before = home_next(&home, &a), after = home_next(&other, &b);

            if (after != before && after != n)
                ck_abort_msg("worker %u joins, a home goes from %u to %u", n, before,
                             after);
            taken += after == n;
            count[after]++;
        }
        /* Uniform within six standard deviations. */
        double mean = 20000.0 / (n + 1);

        for (uint32_t i = 0; i <= n; i++)
            if ((count[i] - mean) * (count[i] - mean) > 36 * mean)
                ck_abort_msg("worker %u of %u is home to %u", i, n, count[i]);
        ck_assert_uint_gt(taken, 0);
        home_finish(&other);
    }
    home_finish(&home);
}
END_TEST

UNIT_MAIN("consistent_hash", every_change_moves_the_least_and_leaves_counts_even,
          quotas_follow_capacities_at_the_least_movement,
          who_leaves_and_returns_gets_its_own_back,
          three_to_four_workers_keep_three_quarters,
          pure_forgets_owners_and_stays_below_its_bound,
          eight_lanes_and_one_agree_bit_for_bit,
          homes_of_others_stay_when_a_worker_comes_or_goes)
