/* core/proto/window: when to plan, each line of the table in window.h on the dot. */
#include "proto/window.h"

#include "unit.h"

static const struct node_timing t = {.cold_start_window = 30000,
                                     .planned_scale_window = 10000,
                                     .restart_ratio_ppm = 500000,
                                     .min_rebalance_interval = 5000};

static struct window w;

static void due(uint64_t now_ms, enum cause cause)
{
    enum cause got = CAUSE_DROP;

    ck_assert(window_is_due(&w, &t, now_ms, 1, &got));
    ck_assert_int_eq(got, cause);
}

static void not_due(uint64_t now_ms)
{
    enum cause got;

    ck_assert(!window_is_due(&w, &t, now_ms, 1, &got));
}

/* A group of so many that planned last at this time and is at rest. */
static void at_rest(uint64_t planned_ms, uint32_t members)
{
    window_init(&w, false, members);
    window_planned(&w, &t, planned_ms, members);
    not_due(UINT64_MAX);
    ck_assert_uint_eq(window_wake_ms(&w, &t), UINT64_MAX);
}

START_TEST(at_rest_nothing_is_ever_due)
{
    window_init(&w, false, 3);
    not_due(0);
    not_due(UINT64_MAX);
    ck_assert_uint_eq(window_wake_ms(&w, &t), UINT64_MAX);
}
END_TEST

START_TEST(the_first_assignment_is_made_at_once_and_again_at_the_windows_end)
{
    enum cause cause;

    window_init(&w, true, 0);
    ck_assert(!window_is_due(&w, &t, 100, 0, &cause)); /* there must be somebody */
    due(100, CAUSE_COLD_START);
    window_planned(&w, &t, 100, 1);
    ck_assert_uint_eq(window_wake_ms(&w, &t), 30100);
    window_joined(&w, &t, 2000); /* opens no window of its own */
    not_due(30099);
    due(30100, CAUSE_COLD_START);
    window_planned(&w, &t, 30100, 3);
    not_due(UINT64_MAX); /* and that was that */
}
END_TEST

START_TEST(joins_wait_for_the_planned_scale_window)
{
    enum cause cause;

    at_rest(1000, 3);
    window_joined(&w, &t, 20000);
    ck_assert_uint_eq(window_wake_ms(&w, &t), 30000);
    window_joined(&w, &t, 25000); /* a further one does not put it off */
    not_due(29999);
    due(30000, CAUSE_SCALE);
    ck_assert(!window_is_due(&w, &t, 30000, 0, &cause));
    window_planned(&w, &t, 30000, 4);
    not_due(UINT64_MAX);
}
END_TEST

START_TEST(a_window_also_obeys_the_rate_limit)
{
    at_rest(1000, 3);
    window_joined(&w, &t, 2000);
    w.planned_ms = 9000; /* as a plan that left the window open would */
    ck_assert_uint_eq(window_wake_ms(&w, &t), 14000);
    not_due(13999);
    due(14000, CAUSE_SCALE);
}
END_TEST

START_TEST(a_window_closes_when_the_change_went_away)
{
    at_rest(1000, 3);
    window_joined(&w, &t, 2000);
    window_nothing_changed(&w);
    not_due(UINT64_MAX);
    ck_assert_uint_eq(window_wake_ms(&w, &t), UINT64_MAX);
    window_joined(&w, &t, 5000); /* the next one starts anew */
    due(15000, CAUSE_SCALE);
    not_due(14999);
}
END_TEST

START_TEST(the_cold_start_window_does_not_close_by_itself)
{
    window_init(&w, true, 0);
    window_planned(&w, &t, 100, 1);
    window_nothing_changed(&w);
    due(30100, CAUSE_COLD_START);
}
END_TEST

START_TEST(leaves_are_acted_on_at_once)
{
    at_rest(1000, 3);
    window_left(&w);
    due(1001, CAUSE_LEAVE); /* not held back by the rate limit */
    window_planned(&w, &t, 1001, 2);
    not_due(UINT64_MAX);
}
END_TEST

START_TEST(lost_workers_are_acted_on_at_once_and_go_before_leaves)
{
    at_rest(1000, 3);
    window_left(&w);
    window_lost(&w, &t, 1001);
    due(1001, CAUSE_EMERGENCY);
    at_rest(1000, 3);
    window_lost(&w, &t, 1001);
    window_left(&w);
    due(1001, CAUSE_EMERGENCY);
}
END_TEST

START_TEST(a_loss_is_planned_even_when_nobody_is_left)
{
    enum cause cause;

    at_rest(1000, 1);
    window_lost(&w, &t, 2000);
    ck_assert(window_is_due(&w, &t, 2000, 0, &cause)); /* partitions are parked */
}
END_TEST

START_TEST(the_plan_for_a_loss_serves_those_who_wait_and_closes_the_window)
{
    at_rest(1000, 3);
    window_joined(&w, &t, 2000);
    window_lost(&w, &t, 3000);
    due(3000, CAUSE_EMERGENCY);
    window_planned(&w, &t, 3000, 3);
    not_due(UINT64_MAX);
}
END_TEST

START_TEST(a_loss_does_not_wait_for_the_cold_start_window)
{
    window_init(&w, true, 0);
    window_planned(&w, &t, 100, 2);
    window_lost(&w, &t, 200);
    due(200, CAUSE_EMERGENCY);
}
END_TEST

START_TEST(changed_partitions_obey_the_rate_limit_on_the_dot)
{
    enum cause cause;

    at_rest(1000, 3);
    window_set_changed(&w, false);
    ck_assert_uint_eq(window_wake_ms(&w, &t), 6000);
    not_due(5999);
    due(6000, CAUSE_REFRESH);
    ck_assert(!window_is_due(&w, &t, 6000, 0, &cause));
    window_planned(&w, &t, 6000, 3);
    not_due(UINT64_MAX);
    window_set_changed(&w, false);
    not_due(10999);
    due(11000, CAUSE_REFRESH);
}
END_TEST

START_TEST(before_the_first_plan_there_is_no_rate_limit)
{
    window_init(&w, false, 3);
    window_set_changed(&w, false);
    due(1, CAUSE_REFRESH);
    ck_assert_uint_eq(window_wake_ms(&w, &t), 0);
}
END_TEST

START_TEST(a_commanded_refresh_bypasses_the_rate_limit)
{
    at_rest(1000, 3);
    window_set_changed(&w, true);
    due(1001, CAUSE_REFRESH);
    window_set_changed(&w, false); /* one more that is not commanded changes nothing */
    due(1001, CAUSE_REFRESH);
    window_planned(&w, &t, 1001, 3);
    window_set_changed(&w, false); /* and the next one is held back again */
    not_due(6000);
    due(6001, CAUSE_REFRESH);
}
END_TEST

START_TEST(changed_partitions_do_not_wait_for_a_window)
{
    at_rest(1000, 3);
    window_joined(&w, &t, 6000);
    window_set_changed(&w, false);
    ck_assert_uint_eq(window_wake_ms(&w, &t), 6000);
    due(6000, CAUSE_REFRESH);
}
END_TEST

/* 'lost' of 'all' workers go at 2000, one after the other, each acted on at once. */
static void lose(uint32_t lost, uint32_t all)
{
    at_rest(1000, all);
    for (uint32_t i = 1; i <= lost; i++) {
        window_lost(&w, &t, 2000);
        window_planned(&w, &t, 2000, all - i);
    }
}

START_TEST(more_than_half_gone_and_back_is_a_restart)
{
    lose(3, 5);
    window_joined(&w, &t, 4000);
    not_due(33999);
    due(34000, CAUSE_RESTART);
}
END_TEST

START_TEST(half_gone_and_back_is_none)
{
    lose(2, 4);
    window_joined(&w, &t, 4000);
    not_due(13999);
    due(14000, CAUSE_SCALE);
}
END_TEST

START_TEST(whoever_comes_back_after_a_cold_start_window_is_no_restart)
{
    lose(3, 5);
    window_joined(&w, &t, 31999);
    due(61999, CAUSE_RESTART);
    lose(3, 5);
    window_joined(&w, &t, 32000);
    due(42000, CAUSE_SCALE);
}
END_TEST

START_TEST(a_restart_window_closes_when_the_change_went_away)
{
    lose(3, 5);
    window_joined(&w, &t, 4000);
    window_nothing_changed(&w);
    not_due(UINT64_MAX);
}
END_TEST

START_TEST(a_loss_of_long_ago_does_not_hide_a_restart)
{
    at_rest(1000, 5);
    window_lost(&w, &t, 2000);
    window_planned(&w, &t, 2000, 4);
    for (uint32_t i = 0; i < 3; i++)
        window_lost(&w, &t, 100000);
    window_planned(&w, &t, 100000, 1);
    window_joined(&w, &t, 101000);
    due(131000, CAUSE_RESTART);
}
END_TEST

START_TEST(losses_of_long_ago_do_not_make_a_restart)
{
    lose(3, 5);
    window_lost(&w, &t, 100000);
    window_planned(&w, &t, 100000, 2);
    window_joined(&w, &t, 101000); /* one of three */
    due(111000, CAUSE_SCALE);
}
END_TEST

UNIT_MAIN("window", at_rest_nothing_is_ever_due,
          the_first_assignment_is_made_at_once_and_again_at_the_windows_end,
          joins_wait_for_the_planned_scale_window, a_window_also_obeys_the_rate_limit,
          a_window_closes_when_the_change_went_away,
          the_cold_start_window_does_not_close_by_itself, leaves_are_acted_on_at_once,
          lost_workers_are_acted_on_at_once_and_go_before_leaves,
          a_loss_is_planned_even_when_nobody_is_left,
          the_plan_for_a_loss_serves_those_who_wait_and_closes_the_window,
          a_loss_does_not_wait_for_the_cold_start_window,
          changed_partitions_obey_the_rate_limit_on_the_dot,
          before_the_first_plan_there_is_no_rate_limit,
          a_commanded_refresh_bypasses_the_rate_limit,
          changed_partitions_do_not_wait_for_a_window,
          more_than_half_gone_and_back_is_a_restart, half_gone_and_back_is_none,
          whoever_comes_back_after_a_cold_start_window_is_no_restart,
          a_restart_window_closes_when_the_change_went_away,
          a_loss_of_long_ago_does_not_hide_a_restart,
          losses_of_long_ago_do_not_make_a_restart)
