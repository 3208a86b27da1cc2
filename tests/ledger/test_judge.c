/* The judge of the ledger is fed ledgers that somebody has doctored, and must say so. */
#include "config.h"

#include "judge_rig.h"
#include "unit.h"

START_TEST(a_ledger_without_a_fault_holds)
{
    rig_fill();
    ck_assert(rig_judge());
    ck_assert_uint_eq(rig.verdict.produced, RIG_NUMBERS);
    ck_assert_uint_eq(rig.verdict.handled, RIG_NUMBERS);
    ck_assert_uint_eq(rig.verdict.wall_ms, 230);
}
END_TEST

START_TEST(a_gap_is_a_loss)
{
    rig_fill();
    rig_row(7)->kind = LEDGER_REFUSED;
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.lost, 1);
    rig_fill();
    rig.n[2]--; /* the last one */
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.lost, 1);
    rig_fill();
    rig.produced = "20\n5\n"; /* a partition that nobody had */
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.lost, 5);
}
END_TEST

START_TEST(a_swap_is_out_of_order)
{
    rig_fill();
    rig_row(5)->number = 6;
    rig_row(6)->number = 5;
    rig_row(5)->position = 106;
    rig_row(6)->position = 105;
    /* rig_row() goes by place: the first of the two is number 6 now. */
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.out_of_order, 1);
    ck_assert_uint_eq(rig.verdict.out_of_holder, 3);
    ck_assert_uint_eq(rig.verdict.lost, 0);
}
END_TEST

START_TEST(what_the_next_holder_makes_good_is_out_of_order)
{
    rig_fill();
    rig_row(9)->kind = LEDGER_REFUSED;
    rig_row(8)->number = 9;
    rig_row(8)->position = 109;
    rig_handle(2, 8, rig_second_ms(9))->begin_ns = MS(1105);
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.out_of_order, 1);
    ck_assert_uint_eq(rig.verdict.lost, 0);
}
END_TEST

START_TEST(a_holder_that_goes_back_is_out_of_order)
{
    rig_fill();
    for (uint32_t i = RIG_HALF; i < RIG_NUMBERS; i++) { /* 30 ms later, to make room */
        rig_row(i)->begin_ns += MS(30);
        rig_row(i)->end_ns += MS(30);
    }
    rig_handle(1, 4,
               1100); /* nothing of it is durable: but who has gone on may not go back */
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.out_of_holder, 1);
    ck_assert_uint_eq(rig.verdict.overlaps, 0);
}
END_TEST

START_TEST(two_at_one_instant_overlap)
{
    rig_fill();
    rig_row(10)->begin_ns = rig_row(9)->end_ns - 1;
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.overlaps, 1);
    rig_fill();
    rig_row(4)->begin_ns = rig_row(3)->end_ns - 1; /* of one worker, too */
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.overlaps, 1);
    rig_fill();
    rig_row(2)->end_ns = MS(5000); /* one that spans all the others */
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.overlaps, RIG_NUMBERS - 3);
    rig_fill();
    rig_row(10)->begin_ns = rig_row(9)->end_ns; /* on the dot is no overlap */
    ck_assert(rig_judge());
}
END_TEST

START_TEST(a_token_that_falls_is_noticed)
{
    rig_fill();
    for (uint32_t i = RIG_HALF; i < RIG_NUMBERS; i++)
        rig_row(i)->since = 0;
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.stale, RIG_HALF);
}
END_TEST

START_TEST(a_repeat_is_allowed_until_the_ack_is_durable)
{
    rig_fill();
    rig_handle(2, 9, 1110);
    ck_assert(rig_judge());
    ck_assert_uint_eq(rig.verdict.before_ack, 1);
    ck_assert_uint_eq(rig.verdict.before_ack_most, 1);

    rig_fill();
    rig_handle(2, 9, 1110);
    rig_note(1, LEDGER_SETTLED, 1109)->position = 110; /* above that of number 9 */
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.after_ack, 1);

    rig_fill();
    rig_handle(2, 9, 1110);
    rig_note(2, LEDGER_SETTLED, 1109)->position = 110; /* whoever was told */
    ck_assert(!rig_judge());

    rig_fill();
    rig_handle(2, 9, 1110);
    rig_note(1, LEDGER_SETTLED, 1109)->position = 109; /* up to number 8 */
    rig_note(1, LEDGER_SETTLED, 1111)->position = 110; /* too late for this one */
    ck_assert(rig_judge());
}
END_TEST

START_TEST(what_was_given_up_in_order_is_not_handled_again)
{
    rig_fill();
    rig_handle(2, 9, 1110);
    rig_note(1, LEDGER_RELEASED, 1105)->number = 3;
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.after_release, 1);
    rig_fill();
    rig_handle(2, 9, 1110);
    /* The hold that handled it ended by a fence; the same worker came back under the
       same token, and gave up in order what it had not handled. */
    rig_note(1, LEDGER_RELEASED, 1105)->hold = 17;
    ck_assert(rig_judge());
}
END_TEST

START_TEST(more_repeats_than_a_crash_may_cost_are_too_many)
{
    for (uint32_t most = RIG_BOUND; most <= RIG_BOUND + 1; most++) {
        rig_fill();
        for (uint32_t i = RIG_HALF; i < RIG_NUMBERS; i++) {
            rig_row(i)->begin_ns += MS(100);
            rig_row(i)->end_ns += MS(100);
        }
        for (uint32_t i = RIG_HALF - most; i < RIG_HALF; i++)
            rig_handle(2, i, 1110 + 10 * i);
        ck_assert_int_eq(rig_judge(), most == RIG_BOUND);
        ck_assert_uint_eq(rig.verdict.before_ack_most, most);
        ck_assert_uint_eq(rig.verdict.too_many, most - RIG_BOUND);
    }
}
END_TEST

START_TEST(a_late_append_needs_a_stop_that_explains_it)
{
    static const struct {
        const char *changes;
        bool is_explained;
    } cases[] = {
        {"1 join 1\n", false},
        {"1 join 1\n1099000000 stop 1\n1200000000 cont 1\n", true},
        {"1 join 1\n1095000000 stop 1\n1200000000 cont 1\n", true},
        {"1 join 1\n1101000000 stop 1\n", true},
        {"1 join 1\n1000000000 stop 1\n1050000000 cont 1\n", false}, /* was over */
        {"1 join 1\n1099000000 stop 2\n1200000000 cont 2\n", false}, /* of another */
        {"1 join 1\n1220000000 stop 1\n", false},                    /* came later */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_fill();
        rig.changes = cases[i].changes;
        struct ledger_row *late = rig_note(1, LEDGER_LATE, 1201);
        late->number = 9;
        late->begin_ns = MS(1100);
        ck_assert_int_eq(rig_judge(), cases[i].is_explained);
        ck_assert_uint_eq(rig.verdict.late, cases[i].is_explained);
        ck_assert_uint_eq(rig.verdict.late_unexplained, !cases[i].is_explained);
    }
    rig_fill(); /* late, but nobody else was there */
    rig_note(1, LEDGER_LATE, 1120)->begin_ns = MS(1100);
    ck_assert(rig_judge());
    ck_assert_uint_eq(rig.verdict.late, 0);
}
END_TEST

START_TEST(what_was_not_produced_is_strange)
{
    rig_fill();
    rig_handle(2, RIG_NUMBERS, 1300);
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.strange, 1);
    rig_fill();
    rig_handle(2, 9, 1110)->position = 500; /* one number at two places */
    ck_assert(!rig_judge());
    ck_assert_uint_eq(rig.verdict.strange, 1);
    rig_fill();
    rig_row(3)->end_ns = rig_row(3)->begin_ns - 1;
    ck_assert(!rig_judge());
}
END_TEST

START_TEST(what_cannot_be_read_does_not_hold)
{
    rig_fill();
    rig.cut = 1;
    ck_assert(!rig_judge() && !rig.is_read);
    rig_fill();
    rig_row(3)->kind = 99;
    ck_assert(!rig_judge() && !rig.is_read);
    rig_fill();
    rig_row(3)->partition = 1;
    ck_assert(!rig_judge() && !rig.is_read);
    rig_fill();
    rig.produced = "";
    ck_assert(!rig_judge() && !rig.is_read);
    rig_fill();
    rig.changes = "5 dance 1\n";
    ck_assert(!rig_judge() && !rig.is_read);
    rig_fill();
    rig.produced = "0\n"; /* nothing to be seen proves nothing */
    rig.n[1] = rig.n[2] = 0;
    ck_assert(!rig_judge() && rig.is_read);
}
END_TEST

START_TEST(a_gap_is_counted_by_what_was_done_to_the_former_holder)
{
    static const struct {
        const char *changes;
        bool is_released;
        enum gap kind;
    } cases[] = {
        {"1 join 2\n", true, GAP_MOVE},
        {"1000000000 drain 1\n", true, GAP_DRAIN},
        {"1000000000 drain 1\n", false, GAP_DRAIN},
        {"1099000000 kill 1\n", false, GAP_KILL},
        {"1099000000 stop 1\n1500000000 cont 1\n", false, GAP_STOP},
        {"1000000000 stop 1\n1050000000 cont 1\n", false, GAP_FENCE},
        {"1120000000 kill 1\n", true, GAP_MOVE}, /* it had given the partition up */
        {"1 join 2\n", false, GAP_FENCE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_fill();
        rig.changes = cases[i].changes;
        if (cases[i].is_released)
            rig_note(1, LEDGER_RELEASED, 1104)->number = 3;
        rig_note(2, LEDGER_ASSIGNED, 1112);
        (void)rig_judge();
        const struct gap_figures *f = &rig.verdict.gap[cases[i].kind];
        ck_assert_uint_eq(f->loaded, 1);
        ck_assert_uint_eq(f->p99_us, 30000);
        ck_assert_uint_eq(f->release_us, cases[i].is_released ? 4000 : 0);
    }
    rig_fill();
    for (uint32_t i = RIG_HALF; i < RIG_NUMBERS; i++)
        rig_row(i)->sent_ns = MS(1100); /* nothing waited */
    (void)rig_judge();
    ck_assert_uint_eq(rig.verdict.gap[GAP_FENCE].n, 1);
    ck_assert_uint_eq(rig.verdict.gap[GAP_FENCE].loaded, 0);
}
END_TEST

UNIT_MAIN("ledger judge", a_ledger_without_a_fault_holds, a_gap_is_a_loss,
          a_swap_is_out_of_order, what_the_next_holder_makes_good_is_out_of_order,
          a_holder_that_goes_back_is_out_of_order, two_at_one_instant_overlap,
          a_token_that_falls_is_noticed, a_repeat_is_allowed_until_the_ack_is_durable,
          what_was_given_up_in_order_is_not_handled_again,
          more_repeats_than_a_crash_may_cost_are_too_many,
          a_late_append_needs_a_stop_that_explains_it, what_was_not_produced_is_strange,
          what_cannot_be_read_does_not_hold,
          a_gap_is_counted_by_what_was_done_to_the_former_holder)
