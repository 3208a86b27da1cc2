/* What every built-in strategy must survive, through the vtable of each .so. */
#include "strategy_rig.h"

#include "unit.h"

static const struct subject {
    const char *name, *mode; /* mode: NULL for the default */
    bool exact;              /* moves the least possible */
} subjects[] = {
    {"round_robin", NULL, true},     {"round_robin", "strict", false},
    {"consistent_hash", NULL, true}, {"consistent_hash", "pure", false},
    {"weighted", NULL, true},
};

enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static struct rig *open_subject(int i)
{
    return rig_open(subjects[i].name, subjects[i].mode ? "mode" : NULL, subjects[i].mode);
}

static void line_up(uint32_t *slot, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        slot[i] = i;
}

START_TEST(no_partition_one_worker_and_more_workers_than_partitions)
{
    static const uint32_t parts[] = {0, 1, 2, 7, 50}, workers[] = {1, 2, 8, 300};
    uint32_t slot[300];

    line_up(slot, 300);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        for (uint32_t p = 0; p < 5; p++) {
            rig_parts(rig, parts[p], 3);
            for (uint32_t w = 0; w < 4; w++) {
                rig_workers(rig, slot, workers[w]);
                ck_assert_int_eq(rig_assign(rig), PARTI_OK);
                ck_assert_int_eq(rig_assign(rig), PARTI_OK);
                ck_assert_uint_eq(rig_moved(rig), 0);
                if (subjects[s].exact)
                    ck_assert_uint_le(rig_spread(rig), 1);
            }
        }
        rig_close(rig);
    }
}
END_TEST

START_TEST(half_the_fleet_lost_at_once_moves_only_its_partitions)
{
    uint32_t slot[100];

    line_up(slot, 100);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        rig_parts(rig, 10000, 4);
        rig_workers(rig, slot, 100);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        rig_workers(rig, slot + 50, 50);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        if (subjects[s].exact) {
            ck_assert_uint_eq(rig_moved(rig), rig->orphans);
            ck_assert_uint_le(rig_spread(rig), 1);
        }
        rig_close(rig);
    }
}
END_TEST

START_TEST(the_order_of_workers_does_not_matter)
{
    struct rand_state rand;

    rand_seed(&rand, 5);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *a = open_subject(s), *b = open_subject(s);
        static struct rig_set set;
        static uint32_t mixed[RIG_WORKERS];

        rig_parts(a, 3000, 6);
        rig_parts(b, 3000, 6);
        for (uint32_t i = 0; i < 3000; i++)
            a->weight[i] = b->weight[i] = 1 + (uint32_t)rand_below(&rand, 300);
        rig_set_first(&set, 40, 80);
        for (int round = 0; round < 100; round++) {
            memcpy(mixed, set.slot, sizeof mixed);
            for (uint32_t i = set.n; i > 1; i--) {
                uint32_t k = (uint32_t)rand_below(&rand, i), other = mixed[k];

                mixed[k] = mixed[i - 1];
                mixed[i - 1] = other;
            }
            rig_workers(a, set.slot, set.n);
            rig_workers(b, mixed, set.n);
            for (uint32_t i = 0; i < set.n; i++)
                a->capacity[i] = 50 + 7 * (a->slot[i] % 9);
            for (uint32_t i = 0; i < set.n; i++)
                b->capacity[i] = 50 + 7 * (b->slot[i] % 9);
            ck_assert_int_eq(rig_assign(a), PARTI_OK);
            ck_assert_int_eq(rig_assign(b), PARTI_OK);
            ck_assert_mem_eq(a->after, b->after, 3000 * sizeof *a->after);
            rig_set_change(&set, &rand);
        }
        rig_close(a);
        rig_close(b);
    }
}
END_TEST

START_TEST(a_fresh_instance_gives_the_same_answer)
{
    struct rand_state rand;

    rand_seed(&rand, 7);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *a = open_subject(s);
        static struct rig_set set;

        rig_parts(a, 2000, 8);
        rig_set_first(&set, 20, 40);
        for (int round = 0; round < 30; round++) {
            struct rig *b = open_subject(s);

            rig_parts(b, 2000, 8);
            for (uint32_t i = 0; i < 2000; i++)
                a->weight[i] = b->weight[i] = (uint32_t)rand_below(&rand, 1000);
            memcpy(b->after, a->after, 2000 * sizeof *a->after);
            memcpy(b->prev_slot, a->prev_slot, sizeof a->prev_slot);
            b->prev_n = a->prev_n;
            rig_workers(a, set.slot, set.n);
            rig_workers(b, set.slot, set.n);
            ck_assert_int_eq(rig_assign(a), PARTI_OK);
            ck_assert_int_eq(rig_assign(b), PARTI_OK);
            ck_assert_mem_eq(a->owner, b->owner, 2000 * sizeof *a->owner);
            rig_set_change(&set, &rand);
            rig_close(b);
        }
        rig_close(a);
    }
}
END_TEST

START_TEST(draining_ends_with_nothing_and_cordoned_gets_nothing_new)
{
    uint32_t slot[20];

    line_up(slot, 20);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        rig_parts(rig, 2000, 9);
        rig_workers(rig, slot, 20);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        rig->flags[3] = PARTI_WORKER_DRAINING;
        rig->flags[7] = PARTI_WORKER_CORDONED;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig->count[3], 0);
        ck_assert_uint_eq(rig->count[7], rig->held[7]);
        ck_assert_uint_eq(rig->kept[7], rig->held[7]);
        if (subjects[s].exact) {
            ck_assert_uint_eq(rig_moved(rig), rig_moved_least(rig));
            ck_assert_uint_le(rig_spread(rig), 1);
        }
        /* A newcomer does not relieve the cordoned one either. */
        rig->flags[3] = 0;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig->kept[7], rig->held[7]);
        ck_assert_uint_eq(rig->count[7], rig->held[7]);
        rig_close(rig);
    }
}
END_TEST

START_TEST(when_nobody_may_receive_the_present_is_kept)
{
    uint32_t slot[4];

    line_up(slot, 4);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        rig_parts(rig, 100, 10);
        rig_workers(rig, slot, 4);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        for (uint32_t i = 0; i < 4; i++)
            rig->flags[i] = PARTI_WORKER_DRAINING;
        ck_assert_int_eq(rig_assign(rig), PARTI_KEEP);
        for (uint32_t i = 1; i < 4; i++)
            rig->flags[i] = PARTI_WORKER_CORDONED;
        ck_assert_int_eq(rig_assign(rig), PARTI_KEEP);
        rig->flags[3] = 0;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig->count[0], 0);
        ck_assert_uint_eq(rig->count[3], rig->held[0] + rig->held[3]);
        rig_close(rig);
    }
}
END_TEST

START_TEST(capacity_nought_for_everyone_counts_as_equal)
{
    uint32_t slot[8];

    line_up(slot, 8);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        rig_parts(rig, 801, 11);
        rig_workers(rig, slot, 8);
        for (uint32_t i = 0; i < 8; i++)
            rig->capacity[i] = 0;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        if (subjects[s].exact)
            ck_assert_uint_le(rig_spread(rig), 1);
        /* Some have a capacity: those without end with nothing. */
        rig->capacity[2] = rig->capacity[5] = UINT32_MAX;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig->count[2] + rig->count[5], 801);
        rig_close(rig);
    }
}
END_TEST

START_TEST(a_wish_to_stop_is_obeyed)
{
    uint32_t slot[8];

    line_up(slot, 8);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        rig_parts(rig, 60000, 12);
        for (uint32_t i = 0; i < 60000; i++)
            rig->weight[i] = 1 + i % 1000;
        rig_workers(rig, slot, 8);
        rig->stop_after = 0;
        ck_assert_int_eq(rig_assign(rig), PARTI_CANCELED);
        rig->stop_after = -1;
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        rig_close(rig);
    }
}
END_TEST

START_TEST(far_slots_are_served)
{
    static const uint32_t slot[] = {0, 5, 4000, 99999, 131000};

    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        rig_parts(rig, 5000, 13);
        for (uint32_t n = 1; n <= 5; n++) {
            rig_workers(rig, slot, n);
            ck_assert_int_eq(rig_assign(rig), PARTI_OK);
            if (subjects[s].exact) {
                ck_assert_uint_le(rig_spread(rig), 1);
                ck_assert_uint_eq(rig_moved(rig), rig_moved_least(rig));
            }
        }
        rig_close(rig);
    }
}
END_TEST

START_TEST(a_budget_of_moves_is_kept_and_spent_where_it_helps)
{
    uint32_t slot[13];

    line_up(slot, 13);
    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        if (!subjects[s].exact) {
            rig_close(rig);
            continue;
        }
        rig_parts(rig, 1200, 14);
        rig_workers(rig, slot, 10);
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        /* 0 leaves with 120, 10 to 12 come: 300 are to move, 180 of them from others. */
        rig_workers(rig, slot + 1, 12);
        rig->world.moves_max = 80;
        for (uint32_t left = 180; left > 20; left -= 80) {
            ck_assert_int_eq(rig_assign(rig), PARTI_OK);
            ck_assert_uint_eq(rig_moved(rig), rig->orphans + 80);
        }
        ck_assert_int_eq(rig_assign(rig), PARTI_OK);
        ck_assert_uint_eq(rig_moved(rig), 20);
        ck_assert_uint_eq(rig_spread(rig), 0);
        rig_close(rig);
    }
}
END_TEST

UNIT_MAIN("strategy edges", no_partition_one_worker_and_more_workers_than_partitions,
          half_the_fleet_lost_at_once_moves_only_its_partitions,
          the_order_of_workers_does_not_matter, a_fresh_instance_gives_the_same_answer,
          draining_ends_with_nothing_and_cordoned_gets_nothing_new,
          when_nobody_may_receive_the_present_is_kept,
          capacity_nought_for_everyone_counts_as_equal, a_wish_to_stop_is_obeyed,
          far_slots_are_served, a_budget_of_moves_is_kept_and_spent_where_it_helps)
