/* core/consume: how a lane is claimed, drained and ended, rules C1 to C3, C10, C11.
 */
#include "consume_rig.h"

#include "base/status.h"

#include "unit.h"

#include <string.h>

static struct rig r;

static const struct consume_record later = {
    .token = {1, 9}, .origin = RIG_ORIGIN, .next = 4};

static void open_reading(void)
{
    rig_open(&r, &rig_options);
    rig_reads(&r, 0, 5);
}

START_TEST(limits_of_zero_are_refused)
{
    struct consume_options o = rig_options;
    struct consume *c;
    char memory[64];

    o.writes_max = 0;
    ck_assert_uint_eq(consume_size(&o), 0);
    ck_assert_int_eq(consume_init(&c, memory, sizeof memory, &o, NULL, NULL),
                     STATUS_INVALID);
    ck_assert_int_eq(consume_init(&c, memory, sizeof memory, &rig_options, NULL, NULL),
                     STATUS_NOMEM);
}
END_TEST

START_TEST(nothing_is_read_before_the_claim_is_in_the_record)
{
    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_expect(&r, "read");
    rig_read(&r, 0, NULL, 0);
    rig_expect(&r, "write v0 n0");
    ck_assert_uint_eq(r.sent.token.since, 5);
    rig_written(&r, 0, STATUS_OK, 1);
    rig_expect(&r, "start r1 o0 @0; credit 4");
    rig_close(&r);
}
END_TEST

START_TEST(the_next_holder_starts_where_the_record_says)
{
    struct consume_record record = {
        .token = {1, 4}, .origin = RIG_ORIGIN, .next = 42, .is_released = true};

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, &record, 17);
    rig_written(&r, 0, STATUS_OK, 18);
    rig_expect(&r, "read; write v17 n42; start r1 o7 @42; credit 4");
    rig_close(&r);
}
END_TEST

START_TEST(a_record_of_a_later_holder_is_not_claimed)
{
    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, &later, 17);
    rig_expect(&r, "read; say PARTI-E701");
    ck_assert_int_eq(rig_look(&r, 0).state, LANE_IDLE);
    rig_revoke(&r, 0, UINT64_MAX);
    rig_expect(&r, "clear");
    rig_close(&r);
}
END_TEST

START_TEST(a_claim_that_meets_a_conflict_reads_again)
{
    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, NULL, 0);
    rig_written(&r, 0, STATUS_CONFLICT, 0);
    rig_expect(&r, "read; write v0 n0; read");
    rig_read(&r, 0, &later, 3);
    rig_expect(&r, "say PARTI-E701");
    rig_close(&r);
}
END_TEST

START_TEST(a_conflict_with_a_later_holder_ends_the_lane_and_nothing_else)
{
    open_reading();
    rig_reads(&r, 1, 5);
    rig_messages(&r, 0, 1, 2);
    rig_ack(&r, 0, 1, 1);
    rig_wait(&r, 100);
    r.trace[0] = '\0';
    rig_written(&r, 0, STATUS_CONFLICT, 0);
    rig_expect(&r, "read");
    rig_read(&r, 0, &later, 17);
    rig_expect(&r,
               "say PARTI-E701; cancel; stop"); /* not 'last': it is another's by now */
    ck_assert_int_eq(rig_look(&r, 0).state, LANE_IDLE);
    ck_assert_int_eq(rig_look(&r, 1).state, LANE_READING);
    rig_wait(&r, 60000);
    ck_assert_ptr_null(strstr(r.trace, "write v1 n2"));
    rig_close(&r);
}
END_TEST

START_TEST(a_lost_answer_is_found_out_by_reading)
{
    struct consume_record ours;

    open_reading();
    rig_message(&r, 0, 1);
    rig_ack(&r, 0, 1, 1);
    rig_wait(&r, 100);
    ours = r.sent;
    r.trace[0] = '\0';
    rig_written(&r, 0, STATUS_TIMEOUT, 0);
    rig_expect(&r, "say PARTI-E700");
    rig_wait(&r, 100);
    rig_expect(&r, "read");
    rig_read(&r, 0, &ours, 2);
    rig_expect(&r, "done 2");
    rig_close(&r);
}
END_TEST

START_TEST(what_was_not_written_is_written_again)
{
    struct consume_record before;

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, NULL, 0);
    rig_written(&r, 0, STATUS_OK, 1);
    rig_begun(&r, 0, RIG_ORIGIN, 1);
    before = r.sent;
    rig_written(&r, 0, STATUS_OK, 2);
    rig_message(&r, 0, 1);
    rig_ack(&r, 0, 1, 1);
    rig_wait(&r, 100);
    rig_wait(&r, CONSUME_STORE_TIMEOUT_MS); /* no answer at all */
    r.trace[0] = '\0';
    rig_wait(&r, 100);
    rig_expect(&r, "read");
    rig_read(&r, 0, &before, 2);
    rig_expect(&r, "write v2 n2");
    rig_close(&r);
}
END_TEST

START_TEST(an_answer_that_comes_twice_or_too_late_is_passed_over)
{
    uint64_t claim;

    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, NULL, 0);
    claim = r.op[0];
    rig_written(&r, 0, STATUS_OK, 1);
    rig_written(&r, 0, STATUS_OK, 1);
    rig_begun(&r, 0, RIG_ORIGIN, 1);
    rig_fence(&r);
    rig_grant(&r, 0, 6);
    r.trace[0] = '\0';
    rig_step(&r,
             (struct consume_event){.type = CONSUME_WRITTEN, .op = claim, .version = 1});
    rig_step(
        &r, (struct consume_event){.type = CONSUME_WRITTEN, .op = r.op[0], .version = 1});
    rig_expect(&r, ""); /* that op is a read */
    rig_close(&r);
}
END_TEST

START_TEST(an_old_copy_of_the_record_is_not_believed)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_ack(&r, 0, 1, 1);
    rig_wait(&r, 100);
    rig_written(&r, 0, STATUS_CONFLICT, 0);
    r.trace[0] = '\0';
    rig_read(&r, 0, &(struct consume_record){.token = {1, 4}}, 0);
    rig_expect(&r, "say PARTI-E700");
    rig_wait(&r, 100);
    rig_expect(&r, "read");
    rig_close(&r);
}
END_TEST

START_TEST(a_position_put_there_by_hand_is_followed_once_the_handler_is_done)
{
    struct consume_record put = {.token = {0, 0}, .origin = RIG_ORIGIN, .next = 100};

    open_reading();
    rig_messages(&r, 0, 1, 3);
    rig_ack(&r, 0, 1, 1);
    rig_wait(&r, 100);
    rig_written(&r, 0, STATUS_CONFLICT, 0);
    r.trace[0] = '\0';
    rig_read(&r, 0, &put, 50);
    rig_expect(&r, "");
    rig_ack(&r, 0, 3, 1);
    rig_expect(&r, "stop; read");
    rig_read(&r, 0, &put, 50);
    rig_expect(&r, "write v50 n100 S");
    rig_written(&r, 0, STATUS_OK, 51);
    rig_expect(&r, "start r2 o7 @100; credit 4");
    rig_close(&r);
}
END_TEST

START_TEST(a_store_that_fails_is_tried_again_with_growing_pauses)
{
    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read_fails(&r, 0, STATUS_OFFLINE);
    rig_expect(&r, "read; say PARTI-E700");
    ck_assert_int_eq(rig_look(&r, 0).state, LANE_STUCK);
    rig_wait(&r, 100);
    rig_expect(&r, "read");
    rig_read_fails(&r, 0, STATUS_OFFLINE);
    rig_wait(&r, 199);
    rig_expect(&r, "");
    rig_wait(&r, 1);
    rig_expect(&r, "read");
    rig_close(&r);
}
END_TEST

START_TEST(no_more_reads_and_writes_are_out_than_may_be)
{
    rig_open(&r, &rig_options); /* writes_max is 4 */
    for (uint32_t lane = 0; lane < 6; lane++)
        rig_grant(&r, lane, 5);
    rig_expect(&r, "read; 1:read; 2:read; 3:read");
    rig_read(&r, 1, NULL, 0);
    rig_expect(&r, "1:write v0 n0");
    rig_written(&r, 1, STATUS_OK, 1);
    rig_expect(&r, "1:start r1 o0 @0; 1:credit 4; 4:read");
    rig_fence(&r); /* its reads are still out */
    rig_grant(&r, 7, 6);
    r.trace[0] = '\0';
    rig_read(&r, 0, NULL, 0);
    rig_expect(&r, "7:read");
    rig_close(&r);
}
END_TEST

START_TEST(a_fence_ends_every_lane_at_once_and_writes_nothing)
{
    open_reading();
    rig_reads(&r, 1, 5);
    rig_messages(&r, 0, 1, 3);
    rig_ack(&r, 0, 1, 1);
    r.trace[0] = '\0';
    rig_fence(&r);
    rig_expect(&r, "cancel; stop; 1:stop");
    ck_assert_uint_eq(r.here, 0);
    rig_ack(&r, 0, 2, 1);
    rig_wait(&r, 60000);
    rig_expect(&r, "");
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_waits_for_the_handler_then_writes_then_clears)
{
    open_reading();
    rig_messages(&r, 0, 1, 4);
    r.trace[0] = '\0';
    rig_revoke(&r, 0, UINT64_MAX);
    rig_ack(&r, 0, 1, 1);
    rig_expect(&r, ""); /* nothing new to the handler */
    rig_ack(&r, 0, 2, 1);
    rig_expect(&r, "write v2 n3 R");
    rig_written(&r, 0, STATUS_OK, 2);
    rig_expect(&r, "done 3; stop last; clear");
    ck_assert_uint_eq(r.here, 0);
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_does_not_wait_for_a_retry)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_nak(&r, 0, 1, 1);
    r.trace[0] = '\0';
    rig_revoke(&r, 0, UINT64_MAX);
    rig_expect(&r, "write v2 n1 R a1*1");
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_waits_for_a_dead_letter_on_its_way)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_say(&r, 0, 1, 1, VERDICT_TERM);
    r.trace[0] = '\0';
    rig_revoke(&r, 0, UINT64_MAX);
    rig_expect(&r, "");
    rig_buried(&r, 0, 1, STATUS_OK);
    rig_expect(&r, "say PARTI-E710; write v2 n2 R");
    rig_close(&r);
}
END_TEST

START_TEST(at_its_deadline_a_revoke_clears_without_the_record)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_revoke(&r, 0, r.now + 50);
    r.trace[0] = '\0';
    rig_wait(&r, 49);
    rig_expect(&r, "");
    rig_wait(&r, 1);
    rig_expect(&r, "cancel; stop last; clear");
    rig_ack(&r, 0, 1, 1);
    rig_wait(&r, 60000);
    rig_expect(&r, "");
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_of_a_claim_clears_at_once)
{
    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_revoke(&r, 0, UINT64_MAX);
    rig_expect(&r, "read; clear");
    rig_read(&r, 0, NULL, 0);
    rig_expect(&r, "");
    rig_close(&r);
}
END_TEST

START_TEST(a_revoke_that_meets_a_later_holder_is_fulfilled)
{
    open_reading();
    rig_revoke(&r, 0, UINT64_MAX);
    rig_written(&r, 0, STATUS_CONFLICT, 0);
    r.trace[0] = '\0';
    rig_read(&r, 0, &later, 17);
    rig_expect(&r, "say PARTI-E701; stop; clear");
    rig_close(&r);
}
END_TEST

START_TEST(where_a_partition_begins_is_in_the_record_before_a_message_is_given)
{
    rig_open(&r, &rig_options);
    rig_grant(&r, 0, 5);
    rig_read(&r, 0, NULL, 0);
    rig_written(&r, 0, STATUS_OK, 1);
    r.trace[0] = '\0';
    rig_begun(&r, 0, RIG_ORIGIN, 50); /* at the end: start = latest */
    rig_expect(&r, "write v1 n50");
    rig_message(&r, 0, 50);
    rig_written(&r, 0, STATUS_TIMEOUT, 0);
    rig_expect(&r, "say PARTI-E700"); /* given to nobody */
    rig_wait(&r, 100);
    rig_expect(&r, "read");
    rig_read(&r, 0, &r.sent, 2);
    rig_expect(&r, "done 50; deliver 50#1; write v2 n50 B");
    rig_close(&r);
}
END_TEST

UNIT_MAIN("consume_end", limits_of_zero_are_refused,
          nothing_is_read_before_the_claim_is_in_the_record,
          where_a_partition_begins_is_in_the_record_before_a_message_is_given,
          the_next_holder_starts_where_the_record_says,
          a_record_of_a_later_holder_is_not_claimed,
          a_claim_that_meets_a_conflict_reads_again,
          a_conflict_with_a_later_holder_ends_the_lane_and_nothing_else,
          a_lost_answer_is_found_out_by_reading, what_was_not_written_is_written_again,
          an_answer_that_comes_twice_or_too_late_is_passed_over,
          an_old_copy_of_the_record_is_not_believed,
          a_position_put_there_by_hand_is_followed_once_the_handler_is_done,
          a_store_that_fails_is_tried_again_with_growing_pauses,
          no_more_reads_and_writes_are_out_than_may_be,
          a_fence_ends_every_lane_at_once_and_writes_nothing,
          a_revoke_waits_for_the_handler_then_writes_then_clears,
          a_revoke_does_not_wait_for_a_retry, a_revoke_waits_for_a_dead_letter_on_its_way,
          at_its_deadline_a_revoke_clears_without_the_record,
          a_revoke_of_a_claim_clears_at_once,
          a_revoke_that_meets_a_later_holder_is_fulfilled)
