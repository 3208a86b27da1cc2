/* core/proto/transfer: the way from present owners to desired ones, row by row. */
#include "proto/transfer.h"

#include "transfer_rig.h"
#include "unit.h"

START_TEST(a_partition_that_nobody_lists_is_granted_without_a_demand)
{
    rig_list("a");
    rig_plan(10, "0");
    rig_row('a', 0, 10, 0, 0, false);
    ck_assert_uint_eq(rig.t.moved, 0);
}
END_TEST

START_TEST(a_partition_that_stays_is_left_alone)
{
    rig_granted("ab", "01", 10);
    rig_desire("01");
    rig_fill();
    ck_assert(!transfer_begin(&rig.t, 11));
    rig_row('a', 0, 10, 0, 0, false);
}
END_TEST

START_TEST(a_move_demands_the_release_of_the_owner)
{
    rig_granted("ab", "00", 10);
    rig_plan(11, "10");
    rig_row('a', 1, 11, 100, 11, false);
    rig_row('b', 0, 10, 0, 0, false);
    ck_assert_uint_eq(rig.t.moved, 1);
    ck_assert(rig.t.seat[0].is_changed); /* it loses one */
    ck_assert(rig.t.seat[1].is_changed);
    ck_assert(!rig.t.seat[2].is_changed);
}
END_TEST

START_TEST(a_pending_move_aimed_elsewhere_keeps_its_first_demand)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "1");
    rig_plan(12, "2");
    rig_row('a', 2, 12, 100, 11, false); /* 1 never held it: 0 must release */
}
END_TEST

START_TEST(a_pending_move_back_home_demands_nothing)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "1");
    rig_plan(12, "0");
    rig_row('a', 0, 12, 0, 0, false);
}
END_TEST

START_TEST(a_released_move_demands_the_release_of_its_new_owner)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "1");
    rig_release(0, 10);
    rig_row('a', 1, 11, 100, 11, false); /* of an earlier epoch: not enough */
    rig_release(0, 11);
    rig_row('a', 1, 11, 0, 0, false);
    rig_plan(12, "2");
    rig_row('a', 2, 12, 101, 12, false);
}
END_TEST

START_TEST(a_demand_on_a_session_that_left_ends)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "1");
    rig_leave(0);
    rig_sweep();
    rig_row('a', 1, 11, 0, 0, false);
    ck_assert_uint_eq(rig.t.pending, 0);
}
END_TEST

START_TEST(without_a_target_it_is_parked_with_its_owner)
{
    rig_granted("ab", "01", 10);
    rig_plan(11, "-1");
    rig_row('a', 0, 11, 0, 0, true);
    ck_assert(rig.t.seat[0].is_changed);
    ck_assert(!rig.t.seat[1].is_changed);
    ck_assert_uint_eq(rig.t.unowned, 1);
    rig_desire("-1"); /* and is left alone there */
    rig_fill();
    ck_assert(!transfer_begin(&rig.t, 12));
    rig_release(0, 11);
    ck_assert(!transfer_wants_tidying(&rig.t)); /* it is still wanted */
    rig_row('a', 0, 11, 0, 0, true);
}
END_TEST

START_TEST(a_parked_one_is_taken_up_again_under_a_new_token)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "-");
    rig_plan(12, "0");
    rig_row('a', 0, 12, 0, 0, false); /* the same session: no demand */
}
END_TEST

START_TEST(a_parked_one_that_moves_demands_the_release_of_its_owner)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "-");
    rig_plan(12, "1");
    rig_row('a', 1, 12, 100, 12, false);
}
END_TEST

START_TEST(a_pending_one_is_parked_with_its_demand)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "1");
    rig_plan(12, "-");
    rig_row('a', 1, 12, 100, 11, true);
    rig_plan(13, "2");
    rig_row('a', 2, 13, 100, 11, false);
}
END_TEST

START_TEST(what_the_source_removed_leaves_the_lists_after_its_release)
{
    rig_granted("ab", "00", 10);
    rig_list("b");
    rig_plan(11, "0");
    rig_row('a', 0, 11, 0, 0, true);
    ck_assert(!transfer_wants_tidying(&rig.t));
    rig_release(0, 10);
    ck_assert(!transfer_wants_tidying(&rig.t));
    rig_release(0, 11);
    ck_assert(transfer_wants_tidying(&rig.t));
    transfer_desire_present(&rig.t);
    rig_fill();
    ck_assert(transfer_begin(&rig.t, 12));
    ck_assert_uint_eq(rig.t.seat[0].count, 1);
    transfer_commit(&rig.t);
    rig_row('a', RIG_NOBODY, 11, 0, 0, false);
    rig_list("b");
    ck_assert_uint_eq(rig.t.now.n, 1);
    rig_row('b', 0, 10, 0, 0, false);
}
END_TEST

START_TEST(what_the_source_brings_back_keeps_its_obligation)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "1");
    rig_list("");
    rig_plan(12, "");
    rig_row('a', 1, 12, 100, 11, true);
    rig_release(1, 12);
    ck_assert(!transfer_wants_tidying(&rig.t)); /* 0 may hold it still */
    rig_list("a");
    rig_plan(13, "2");
    rig_row('a', 2, 13, 100, 11, false);
}
END_TEST

START_TEST(a_finished_owner_leaves_without_a_demand_remaining)
{
    rig_granted("a", "0", 10);
    rig_drop(0);
    rig_plan(11, "1");
    rig_row('a', 1, 11, 100, 11, false); /* still said: whoever reads it sees why */
    rig_leave(0);
    rig_sweep();
    rig_row('a', 1, 11, 0, 0, false);
}
END_TEST

START_TEST(without_a_target_it_leaves_with_the_session_that_leaves)
{
    rig_granted("ab", "01", 10);
    rig_drop(0);
    rig_plan(11, "-1");
    rig_row('a', RIG_NOBODY, 10, 0, 0, false);
    ck_assert_uint_eq(rig.t.unowned, 1);
}
END_TEST

START_TEST(a_new_session_under_the_number_is_granted_anew)
{
    rig_granted("ab", "01", 10);
    rig_reborn(0, 200);
    rig_plan(11, "01");
    rig_row('a', 0, 11, 100, 11, false); /* of the old session */
    ck_assert(rig.t.seat[0].is_changed);
    ck_assert(!rig.t.seat[1].is_changed);
    rig_sweep(); /* the head has the new one only */
    rig_row('a', 0, 11, 0, 0, false);
}
END_TEST

START_TEST(a_parked_one_pending_on_another_goes_on_under_the_new_session)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "1");
    rig_plan(12, "-");
    rig_reborn(1, 201);
    rig_plan(13, "-");
    rig_row('a', 1, 12, 100, 11, true);
    ck_assert(rig.t.seat[1].is_changed); /* its record needs the new session */
}
END_TEST

START_TEST(home_is_the_session_not_the_number)
{
    rig_granted("a", "0", 10);
    rig_plan(11, "1");
    rig_reborn(0, 200);
    rig_plan(12, "0");
    rig_row('a', 0, 12, 100, 11, false); /* the old life of 0 may hold it still */
}
END_TEST

START_TEST(a_drop_is_blocked_while_it_would_lose_something)
{
    rig_granted("ab", "00", 10);
    rig_plan(11, "10"); /* a: 1, pending on 0 */
    rig_drop(1);
    rig_desire("10");
    ck_assert(transfer_blocks_drop(&rig.t, 1)); /* is to stay there */
    ck_assert(!transfer_blocks_drop(&rig.t, 2));
    rig_desire("20");
    ck_assert(!transfer_blocks_drop(&rig.t, 1)); /* is listed elsewhere, same demand */
    rig_desire("-0");
    ck_assert(transfer_blocks_drop(&rig.t, 1)); /* the demand would get lost */
    rig_drop(0);
    ck_assert(!transfer_blocks_drop(&rig.t, 1)); /* unless whom it is on goes too */
    rig_desire("--");
    ck_assert(!transfer_blocks_drop(&rig.t, 0));
}
END_TEST

START_TEST(the_released_epochs_that_are_awaited_are_known)
{
    rig_granted("abc", "000", 10);
    rig_plan(11, "100");
    rig_plan(13, "120");
    ck_assert_uint_eq(rig.t.pending, 2);
    ck_assert_uint_eq(rig.t.seat[0].awaited_min, 11);
    ck_assert_uint_eq(rig.t.seat[0].awaited_max, 13);
    ck_assert_uint_eq(rig.t.seat[1].awaited_min, 0);
    rig_release(0, 12);
    ck_assert_uint_eq(rig.t.pending, 1);
    ck_assert_uint_eq(rig.t.seat[0].awaited_min, 13);
    rig_release(0, 13);
    ck_assert_uint_eq(rig.t.pending, 0);
    ck_assert_uint_eq(rig.t.seat[0].awaited_min, 0);
    ck_assert_uint_eq(rig.t.seat[0].awaited_max, 0);
}
END_TEST

START_TEST(an_aborted_plan_changes_nothing)
{
    rig_granted("a", "0", 10);
    rig_desire("1");
    rig_fill();
    ck_assert(transfer_begin(&rig.t, 11));
    transfer_abort(&rig.t);
    rig_row('a', 0, 10, 0, 0, false);
}
END_TEST

START_TEST(imbalance_is_the_largest_load_over_the_mean)
{
    static const uint32_t all[] = {0, 1, 2}, none[] = {3};

    rig_granted("abcd", "0012", 10);
    ck_assert_uint_eq(transfer_imbalance_ppm(&rig.t, all, 3), 500000); /* 200 to 133 */
    ck_assert_uint_eq(transfer_imbalance_ppm(&rig.t, all, 2), 333333);
    ck_assert_uint_eq(transfer_imbalance_ppm(&rig.t, all, 1), 0);
    ck_assert_uint_eq(transfer_imbalance_ppm(&rig.t, none, 1), 0); /* nothing there */
    ck_assert_uint_eq(transfer_imbalance_ppm(&rig.t, all, 0), 0);
}
END_TEST

START_TEST(imbalance_does_not_overflow)
{
    uint32_t many[200]; /* half of them have everything, half have nothing */

    for (uint32_t i = 0; i < 200; i++)
        many[i] = i % 2;
    for (int c = 'a'; c <= 'z'; c++)
        rig_weigh((char)c, UINT32_MAX);
    rig_granted("abcdefghijklmnopqrstuvwxyz", "00000000000000000000000000", 10);
    ck_assert_uint_eq(transfer_imbalance_ppm(&rig.t, many, 200), 1000000);
}
END_TEST

START_TEST(the_hash_of_the_set_follows_ids_and_weights_and_nothing_else)
{
    rig_list("ab");
    uint64_t ab = transfer_set_hash(&rig.t);

    rig_plan(10, "01");
    ck_assert_uint_eq(transfer_set_hash(&rig.t), ab);
    rig_list("abc");
    ck_assert_uint_ne(transfer_set_hash(&rig.t), ab);
    rig_plan(11, "012");
    rig_list("ab"); /* c is still listed, but not wanted */
    ck_assert_uint_eq(rig.t.now.n, 3);
    ck_assert_uint_eq(transfer_set_hash(&rig.t), ab);
    rig_weigh('b', 99);
    rig_list("ab");
    ck_assert_uint_ne(transfer_set_hash(&rig.t), ab);
    rig_list("");
    ck_assert_uint_eq(transfer_set_hash(&rig.t), 0);
}
END_TEST

START_TEST(whether_a_member_lists_anything_is_known)
{
    rig_granted("ab", "01", 10);
    rig_plan(11, "-2"); /* a parked with 0, b: 2 pending on 1 */
    ck_assert(!transfer_is_free(&rig.t, 0));
    ck_assert(!transfer_is_wanted(&rig.t, 0));
    ck_assert(transfer_is_free(&rig.t, 1));
    ck_assert(!transfer_is_wanted(&rig.t, 1));
    ck_assert(!transfer_is_free(&rig.t, 2));
    ck_assert(transfer_is_wanted(&rig.t, 2));
    rig_list("a");
    ck_assert(!transfer_is_wanted(&rig.t, 2));
}
END_TEST

UNIT_MAIN_WITH(
    "transfer", rig_setup, rig_teardown,
    a_partition_that_nobody_lists_is_granted_without_a_demand,
    a_partition_that_stays_is_left_alone, a_move_demands_the_release_of_the_owner,
    a_pending_move_aimed_elsewhere_keeps_its_first_demand,
    a_pending_move_back_home_demands_nothing,
    a_released_move_demands_the_release_of_its_new_owner,
    a_demand_on_a_session_that_left_ends, without_a_target_it_is_parked_with_its_owner,
    a_parked_one_is_taken_up_again_under_a_new_token,
    a_parked_one_that_moves_demands_the_release_of_its_owner,
    a_pending_one_is_parked_with_its_demand,
    what_the_source_removed_leaves_the_lists_after_its_release,
    what_the_source_brings_back_keeps_its_obligation,
    a_finished_owner_leaves_without_a_demand_remaining,
    without_a_target_it_leaves_with_the_session_that_leaves,
    a_new_session_under_the_number_is_granted_anew,
    a_parked_one_pending_on_another_goes_on_under_the_new_session,
    home_is_the_session_not_the_number, a_drop_is_blocked_while_it_would_lose_something,
    the_released_epochs_that_are_awaited_are_known, an_aborted_plan_changes_nothing,
    imbalance_is_the_largest_load_over_the_mean, imbalance_does_not_overflow,
    the_hash_of_the_set_follows_ids_and_weights_and_nothing_else,
    whether_a_member_lists_anything_is_known)
