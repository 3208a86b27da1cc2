/* core/proto/hold: what a worker holds, stops and reports, step by step. */
#include "hold_rig.h"

START_TEST(what_is_listed_is_granted_once)
{
    hold_these("abc");
    ck_assert_uint_eq(h.held, 3);
    grant();
    said(ACT_GRANTED, 0, "");
    apply(11); /* the same record again */
    grant();
    said(ACT_GRANTED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
}
END_TEST

START_TEST(nothing_is_taken_before_it_is_granted)
{
    list("ab", 10);
    apply(10);
    said(ACT_GRANTED, 0, "");
    ck_assert_uint_eq(h.held, 0);
}
END_TEST

START_TEST(a_demand_keeps_a_grant_back_until_it_is_met)
{
    list_begin();
    list_add('a', 10, (struct own_from){0}, false);
    list_add('b', 10, (struct own_from){other, 10}, false);
    list_add('c', 10, (struct own_from){other, 9}, false);
    list_end();
    member[1].released = 9;
    apply(10);
    grant();
    said(ACT_GRANTED, 10, "ac");
    member[1].released = 10;
    apply(11);
    grant();
    said(ACT_GRANTED, 11, "b");
}
END_TEST

START_TEST(a_demand_on_a_session_that_has_gone_is_met)
{
    list_begin();
    list_add('b', 10, (struct own_from){other, 10}, false);
    list_end();
    head.n = 1;
    apply(10);
    grant();
    said(ACT_GRANTED, 10, "b");
}
END_TEST

START_TEST(parked_partitions_are_not_held)
{
    hold_these("ab");
    list_begin();
    list_add('a', 11, (struct own_from){0}, true);
    list_add('b', 10, (struct own_from){0}, false);
    list_end();
    apply(11);
    said(ACT_REVOKING, 11, "a");
    grant();
    said(ACT_GRANTED, 0, "");
    release(11);
    said(ACT_RELEASED, 11, "a");
    grant();
    said(ACT_GRANTED, 0, "");
}
END_TEST

START_TEST(whoever_is_away_holds_nothing)
{
    hold_these("ab");
    out.n = 0;
    hold_begin_step(&h);
    head.stamp.epoch = 11;
    hold_judge(&h, &head, true, 10, &out);
    said(ACT_REVOKING, 11, "ab");
    release(11);
    said(ACT_RELEASED, 11, "ab");
    grant();
    said(ACT_GRANTED, 0, "");
}
END_TEST

START_TEST(a_revoke_comes_first_and_counts_until_it_is_answered)
{
    hold_these("ab");
    list("bc", 10);
    apply(11);
    said(ACT_REVOKING, 11, "a");
    grant();
    said(ACT_GRANTED, 11, "c");
    ck_assert_uint_eq(h.held, 2);
    ck_assert_uint_eq(h.stopping, 1);
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    release(10); /* an answer to something earlier */
    said(ACT_RELEASED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    release(11);
    said(ACT_RELEASED, 11, "a");
    ck_assert_uint_eq(h.stopping, 0);
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
    release(11);
    said(ACT_RELEASED, 0, "");
}
END_TEST

START_TEST(one_answer_covers_every_earlier_revoke)
{
    hold_these("abc");
    list("bc", 10);
    apply(11);
    list("c", 10);
    apply(12);
    ck_assert_uint_eq(hold_released_through(&h, 12), 10); /* the oldest counts */
    release(11);
    said(ACT_RELEASED, 11, "a");
    ck_assert_uint_eq(hold_released_through(&h, 12), 11);
    list("", 10);
    apply(13);
    said(ACT_REVOKING, 13, "c");
    release(13);
    said(ACT_RELEASED, 13, "bc");
    ck_assert_uint_eq(hold_released_through(&h, 13), 13);
}
END_TEST

START_TEST(a_stop_outlives_its_listing)
{
    hold_these("ab");
    list("b", 10);
    apply(11);
    list("b", 10);
    apply(12);
    apply(13);
    ck_assert_int_eq(hold_load(&h, NULL, 0), 0); /* not even a record is left */
    ck_assert_uint_eq(h.now.n, 2);
    ck_assert_uint_eq(hold_released_through(&h, 13), 10);
    hold_judge(&h, &head, false, 13, &out);
    said(ACT_REVOKING, 13, "b");
    release(13);
    said(ACT_RELEASED, 13, "ab");
    ck_assert_int_eq(hold_load(&h, NULL, 0), 0);
    ck_assert_uint_eq(h.now.n, 0);
}
END_TEST

START_TEST(skipped_heads_make_one_revoke_that_vouches_for_the_last_head_applied)
{
    hold_these("ab");
    list("b", 10);
    apply(15); /* 11 to 14 were never seen; any of them may have taken it */
    said(ACT_REVOKING, 15, "a");
    ck_assert_uint_eq(hold_released_through(&h, 15), 10);
}
END_TEST

START_TEST(what_was_taken_and_given_back_in_skipped_heads_is_stopped_first)
{
    hold_these("ab");
    list_begin();
    list_add('a', 12, (struct own_from){0}, false); /* a new grant of the same */
    list_add('b', 10, (struct own_from){0}, false);
    list_end();
    apply(13);
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 10); /* under its old token */
    said(ACT_REVOKING, 13, "a");
    grant();
    said(ACT_GRANTED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 13), 10);
    release(13);
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 10);
    said(ACT_RELEASED, 13, "a");
    grant();
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 12);
    said(ACT_GRANTED, 13, "a");
}
END_TEST

START_TEST(what_comes_back_while_it_is_stopped_waits_for_the_stop)
{
    hold_these("a");
    list("", 10);
    apply(11);
    said(ACT_REVOKING, 11, "a");
    list("a", 12);
    apply(12);
    grant();
    said(ACT_GRANTED, 0, "");
    release(11);
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 10);
    said(ACT_RELEASED, 11, "a");
    grant();
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 12);
    said(ACT_GRANTED, 12, "a");
}
END_TEST

START_TEST(stopping_all_is_like_a_head_that_took_all)
{
    hold_these("abc");
    apply(11);
    hold_stop_all(&h, 11, &out);
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    said(ACT_REVOKING, 11, "abc");
    release(11);
    said(ACT_RELEASED, 11, "abc");
    hold_stop_all(&h, 0, &out); /* nothing any more */
    said(ACT_REVOKING, 0, "");
}
END_TEST

START_TEST(stopping_all_before_any_epoch_vouches_for_none)
{
    hold_these("a");
    hold_stop_all(&h, 0, &out);
    said(ACT_REVOKING, 0, "a");
    ck_assert_uint_eq(hold_released_through(&h, 0), 0);
}
END_TEST

START_TEST(stopping_all_joins_what_is_stopped_already)
{
    hold_these("abc");
    list("bc", 10);
    apply(11);
    out.n = 0;
    hold_stop_all(&h, 11, &out);
    said(ACT_REVOKING, 11, "bc");
    ck_assert_uint_eq(h.held, 0);
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    release(11);
    said(ACT_RELEASED, 11, "abc");
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
}
END_TEST

START_TEST(a_fence_ends_everything_a_stop_under_way_too)
{
    hold_these("abc");
    list("bc", 10);
    apply(11);
    out.n = 0;
    ck_assert(hold_fence(&h));
    ck_assert(!hold_fence(&h)); /* there is nothing any more */
    ck_assert_uint_eq(h.held + h.stopping, 0);
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
    release(11);
    said(ACT_RELEASED, 0, "");
    /* With a new lease: what is listed, not what was being given up. */
    grant();
    said(ACT_GRANTED, 11, "bc");
}
END_TEST

START_TEST(from_the_warning_to_the_deadline_no_release_gets_through)
{
    hold_these("ab");
    list("b", 10);
    apply(11);
    said(ACT_REVOKING, 11, "a");
    hold_fence_begin(&h, 11);
    said(ACT_REVOKING, 0, ""); /* the application hears of it as a fence */
    ck_assert_uint_eq(h.held, 0);
    ck_assert_uint_eq(h.stopping, 2);
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    release(11); /* what it was asked to stop is another matter */
    said(ACT_RELEASED, 11, "a");
    release(12);
    said(ACT_RELEASED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    ck_assert_uint_eq(hold_released_through(&h, 99), 10);
    grant();
    said(ACT_GRANTED, 0, "");
    ck_assert(hold_fence(&h));
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
}
END_TEST

START_TEST(no_word_of_the_application_ends_a_fence_early)
{
    hold_these("ab");
    hold_fence_begin(&h, 10);
    release(UINT64_MAX); /* "everything, for ever": but this was never revoked */
    said(ACT_RELEASED, 0, "");
    ck_assert_uint_eq(h.stopping, 2);
    ck_assert_uint_eq(hold_released_through(&h, 10), 9);
}
END_TEST

START_TEST(heads_applied_between_warning_and_deadline_change_nothing_of_it)
{
    hold_these("ab");
    hold_fence_begin(&h, 10);
    list("bc", 10);
    apply(11);
    said(ACT_REVOKING, 0, "");
    release(11);
    said(ACT_RELEASED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 11), 9);
    ck_assert(hold_fence(&h));
    grant();
    said(ACT_GRANTED, 11, "bc");
}
END_TEST

UNIT_MAIN_WITH("hold", setup, teardown, what_is_listed_is_granted_once,
               nothing_is_taken_before_it_is_granted,
               a_demand_keeps_a_grant_back_until_it_is_met,
               a_demand_on_a_session_that_has_gone_is_met, parked_partitions_are_not_held,
               whoever_is_away_holds_nothing,
               a_revoke_comes_first_and_counts_until_it_is_answered,
               one_answer_covers_every_earlier_revoke, a_stop_outlives_its_listing,
               skipped_heads_make_one_revoke_that_vouches_for_the_last_head_applied,
               what_was_taken_and_given_back_in_skipped_heads_is_stopped_first,
               what_comes_back_while_it_is_stopped_waits_for_the_stop,
               stopping_all_is_like_a_head_that_took_all,
               stopping_all_before_any_epoch_vouches_for_none,
               stopping_all_joins_what_is_stopped_already,
               a_fence_ends_everything_a_stop_under_way_too,
               from_the_warning_to_the_deadline_no_release_gets_through,
               no_word_of_the_application_ends_a_fence_early,
               heads_applied_between_warning_and_deadline_change_nothing_of_it)
