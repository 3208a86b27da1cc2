/* core/consume: what the plugin says of a run: its origin (C13), its trouble, its end. */
#include "consume_rig.h"

#include "base/status.h"

#include "unit.h"

#include <string.h>

static struct rig r;

static void open_reading(void)
{
    rig_open(&r, &rig_options);
    rig_reads(&r, 0, 5);
}

START_TEST(a_record_of_another_origin_is_void_and_said)
{
    struct consume_record record = {.token = {1, 4},
                                    .origin = 3,
                                    .next = 42,
                                    .at = 42,
                                    .attempts = 2,
                                    .is_released = true};
    struct consume_record claim;

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, &record, 17);
    claim = r.sent;
    rig_written(&r, 0, STATUS_OK, 18);
    r.trace[0] = '\0';
    rig_begun(&r, 0, RIG_ORIGIN, 42);
    rig_expect(&r, "say PARTI-E702; stop; read");
    rig_read(&r, 0, &claim, 18);
    rig_expect(&r, "write v18 n0");
    rig_written(&r, 0, STATUS_OK, 19);
    rig_expect(&r, "start r2 o0 @0; credit 4");
    rig_begun(&r, 0, RIG_ORIGIN, 1);
    rig_expect(&r, "write v19 n1");
    ck_assert_uint_eq(r.sent.origin, RIG_ORIGIN);
    rig_close(&r);
}
END_TEST

START_TEST(positions_that_the_broker_removed_are_said_and_passed)
{
    struct consume_record record = {
        .token = {1, 4}, .origin = RIG_ORIGIN, .next = 42, .is_released = true};

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, &record, 17);
    rig_written(&r, 0, STATUS_OK, 18);
    r.trace[0] = '\0';
    rig_begun(&r, 0, RIG_ORIGIN, 50);
    rig_expect(&r, "say PARTI-E703");
    rig_wait(&r, 100);
    rig_expect(&r, "write v18 n50");
    rig_close(&r);
}
END_TEST

START_TEST(a_reader_that_is_stuck_is_started_anew_and_keeps_what_was_done)
{
    struct consume_record ours;

    rig_open(&r, &rig_options);
    rig_reads(&r, 0, 5);
    ours = r.sent;
    rig_messages(&r, 0, 1, 2);
    rig_ack(&r, 0, 1, 1);
    r.trace[0] = '\0';
    rig_trouble(&r, 0, STATUS_OFFLINE); /* the plugin goes on trying */
    rig_expect(&r, "");
    rig_trouble(&r, 0, STATUS_DENIED);
    rig_expect(&r, "say PARTI-E706");
    ck_assert_int_eq(rig_look(&r, 0).state, LANE_STUCK);
    rig_ack(&r, 0, 2, 1);
    r.trace[0] = '\0';
    rig_wait(&r, 100);
    rig_expect(&r, "stop; read");
    rig_read(&r, 0, &ours, 1);
    rig_expect(&r, "write v1 n3");
    rig_written(&r, 0, STATUS_OK, 2);
    rig_expect(&r, "start r2 o7 @3; credit 4");
    rig_close(&r);
}
END_TEST

START_TEST(a_reader_that_reads_again_is_left_alone)
{
    open_reading();
    rig_trouble(&r, 0, STATUS_DENIED);
    rig_trouble(&r, 0, STATUS_OK);
    r.trace[0] = '\0';
    rig_wait(&r, 60000);
    ck_assert_ptr_null(strstr(r.trace, "stop"));
    rig_close(&r);
}
END_TEST

START_TEST(what_the_plugin_tells_of_an_old_run_is_passed_over)
{
    open_reading();
    rig_fence(&r);
    rig_reads(&r, 0, 6);
    r.run[0]--;
    rig_message(&r, 0, 1);
    rig_begun(&r, 0, 99, 1);
    rig_trouble(&r, 0, STATUS_DENIED);
    rig_buried(&r, 0, 1, STATUS_OK);
    rig_expect(&r, "");
    ck_assert_uint_eq(r.here, 0);
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_between_two_runs_still_writes_what_was_done)
{
    struct consume_record claim;

    rig_open(&r, &rig_options);
    rig_reads(&r, 0, 5);
    claim = r.sent;
    rig_messages(&r, 0, 1, 2);
    rig_trouble(&r, 0, STATUS_DENIED);
    rig_ack(&r, 0, 2, 1);
    r.trace[0] = '\0';
    rig_wait(&r, 100);
    rig_expect(&r, "stop; read"); /* the claim is made anew */
    rig_revoke(&r, 0, UINT64_MAX);
    rig_expect(&r, "read");
    rig_read(&r, 0, &claim, 2);
    rig_expect(&r, "write v2 n3 R");
    rig_written(&r, 0, STATUS_OK, 2);
    rig_expect(&r, "clear");
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_of_a_reader_that_waits_to_restart_writes_the_last_record)
{
    open_reading();
    rig_messages(&r, 0, 1, 2);
    rig_trouble(&r, 0, STATUS_DENIED);
    rig_wait(&r, 100); /* waits for the handler */
    rig_revoke(&r, 0, UINT64_MAX);
    r.trace[0] = '\0';
    rig_ack(&r, 0, 2, 1);
    rig_expect(&r, "write v2 n3 R");
    rig_written(&r, 0, STATUS_OK, 2);
    rig_expect(&r, "done 3; stop last; clear");
    rig_close(&r);
}
END_TEST

START_TEST(a_restart_does_not_wait_for_a_dead_letter_that_ended_with_its_run)
{
    struct consume_record ours;

    open_reading();
    rig_message(&r, 0, 1);
    rig_say(&r, 0, 1, 1, VERDICT_TERM);
    ours = r.sent;
    rig_trouble(&r, 0, STATUS_DENIED);
    r.trace[0] = '\0';
    rig_wait(&r, 100);
    rig_expect(&r, "stop; read"); /* whoever stops is not heard any more */
    rig_read(&r, 0, &ours, 2);
    rig_written(&r, 0, STATUS_OK, 3);
    rig_begun(&r, 0, RIG_ORIGIN, 1);
    r.trace[0] = '\0';
    rig_message(&r, 0, 1);
    rig_expect(&r, "bury 1#1 term");
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_of_a_stuck_reader_does_not_wait_for_its_dead_letter)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_say(&r, 0, 1, 1, VERDICT_TERM);
    rig_trouble(&r, 0, STATUS_UNSUPPORTED);
    r.trace[0] = '\0';
    rig_revoke(&r, 0, UINT64_MAX);
    rig_expect(&r, "write v2 n1 R a1*-1");
    rig_close(&r);
}
END_TEST

START_TEST(a_reader_that_is_stuck_while_it_drains_has_no_dead_letter_to_wait_for)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_say(&r, 0, 1, 1, VERDICT_TERM);
    rig_revoke(&r, 0, UINT64_MAX);
    r.trace[0] = '\0';
    rig_trouble(&r, 0, STATUS_OFFLINE); /* the plugin goes on trying */
    rig_expect(&r, "");
    rig_trouble(&r, 0, STATUS_UNSUPPORTED);
    rig_expect(&r, "write v2 n1 R a1*-1");
    rig_close(&r);
}
END_TEST

/* Stuck now, it is started anew after 'pause_ms', and reads. */
static void restarts_after(uint64_t pause_ms)
{
    struct consume_record ours = r.sent;

    rig_trouble(&r, 0, STATUS_DENIED);
    r.trace[0] = '\0';
    rig_wait(&r, pause_ms - 1);
    rig_expect(&r, "");
    rig_wait(&r, 1);
    rig_expect(&r, "stop; read");
    rig_read(&r, 0, &ours, 2);
    rig_written(&r, 0, STATUS_OK, 2);
    rig_begun(&r, 0, RIG_ORIGIN, 1);
}

START_TEST(a_reader_that_has_lasted_is_started_anew_without_the_pauses_of_old)
{
    open_reading();
    restarts_after(100);
    restarts_after(200);
    restarts_after(400);
    rig_wait(&r, 60000);
    restarts_after(100);
    rig_close(&r);
}
END_TEST

START_TEST(a_new_life_is_in_the_record_before_any_message_of_it_is_given)
{
    struct consume_record record = {
        .token = {1, 4}, .origin = 3, .next = 42, .is_released = true};
    struct consume_record claim;

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, &record, 17);
    claim = r.sent;
    rig_written(&r, 0, STATUS_OK, 18);
    rig_begun(&r, 0, RIG_ORIGIN, 42);
    rig_read(&r, 0, &claim, 18);
    ck_assert_uint_eq(r.sent.origin, 3); /* whoever comes next finds it void as well */
    ck_assert_uint_eq(r.sent.next, 0);
    rig_written(&r, 0, STATUS_OK, 19);
    r.trace[0] = '\0';
    rig_begun(&r, 0, RIG_ORIGIN, 1);
    rig_expect(&r, "write v19 n1");
    ck_assert_uint_eq(r.sent.origin, RIG_ORIGIN);
    rig_message(&r, 0, 1);
    rig_expect(&r, "");
    rig_written(&r, 0, STATUS_OK, 20);
    rig_expect(&r, "done 1; deliver 1#1");
    rig_close(&r);
}
END_TEST

START_TEST(a_void_record_that_is_given_up_before_its_new_life_began_stays_void)
{
    struct consume_record record = {
        .token = {1, 4}, .origin = 3, .next = 42, .is_released = true};
    struct consume_record claim;

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, &record, 17);
    claim = r.sent;
    rig_written(&r, 0, STATUS_OK, 18);
    rig_begun(&r, 0, RIG_ORIGIN, 42);
    rig_read(&r, 0, &claim, 18);
    rig_written(&r, 0, STATUS_OK, 19);
    r.trace[0] = '\0';
    rig_revoke(&r, 0, UINT64_MAX);
    rig_expect(&r, "write v19 n0 R");
    ck_assert_uint_eq(r.sent.origin, 3);
    rig_written(&r, 0, STATUS_OK, 20);
    rig_expect(&r, "stop last; clear");
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_that_meets_a_void_record_writes_that_it_is_void)
{
    struct consume_record record = {
        .token = {1, 4}, .origin = 3, .next = 42, .is_released = true};
    struct consume_record claim;

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, &record, 17);
    claim = r.sent;
    rig_written(&r, 0, STATUS_OK, 18);
    rig_begun(&r, 0, RIG_ORIGIN, 42);
    r.trace[0] = '\0';
    rig_revoke(&r, 0, UINT64_MAX);
    rig_expect(&r, "read");
    rig_read(&r, 0, &claim, 18);
    rig_expect(&r, "write v18 n0 R");
    ck_assert_uint_eq(r.sent.origin, 3);
    rig_close(&r);
}
END_TEST

START_TEST(a_position_put_there_by_hand_for_the_new_life_is_followed)
{
    struct consume_record record = {
        .token = {1, 4}, .origin = 3, .next = 42, .is_released = true};
    struct consume_record put = {.token = {0, 0}, .origin = RIG_ORIGIN, .next = 9};

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, &record, 17);
    rig_written(&r, 0, STATUS_OK, 18);
    rig_begun(&r, 0, RIG_ORIGIN, 42);
    rig_read(&r, 0, &put, 19);
    rig_written(&r, 0, STATUS_OK, 20);
    rig_expect(&r,
               "read; write v17 n42; start r1 o3 @42; credit 4; say PARTI-E702; stop; "
               "read; write v19 n9 S; start r2 o7 @9; credit 4");
    rig_close(&r);
}
END_TEST

UNIT_MAIN("consume_reader", a_record_of_another_origin_is_void_and_said,
          positions_that_the_broker_removed_are_said_and_passed,
          a_reader_that_is_stuck_is_started_anew_and_keeps_what_was_done,
          a_reader_that_reads_again_is_left_alone,
          what_the_plugin_tells_of_an_old_run_is_passed_over,
          a_revoke_between_two_runs_still_writes_what_was_done,
          a_revoke_of_a_reader_that_waits_to_restart_writes_the_last_record,
          a_restart_does_not_wait_for_a_dead_letter_that_ended_with_its_run,
          a_revoke_of_a_stuck_reader_does_not_wait_for_its_dead_letter,
          a_reader_that_is_stuck_while_it_drains_has_no_dead_letter_to_wait_for,
          a_reader_that_has_lasted_is_started_anew_without_the_pauses_of_old,
          a_new_life_is_in_the_record_before_any_message_of_it_is_given,
          a_void_record_that_is_given_up_before_its_new_life_began_stays_void,
          a_revoke_that_meets_a_void_record_writes_that_it_is_void,
          a_position_put_there_by_hand_for_the_new_life_is_followed)
