/* core/consume: credit and room, rule C12, and what a plugin that breaks it meets. */
#include "consume_rig.h"

#include "base/status.h"

#include "unit.h"

static struct rig r;

static void open_reading(void)
{
    rig_open(&r, &rig_options);
    rig_reads(&r, 0, 5);
}

START_TEST(credit_is_what_there_is_room_for)
{
    open_reading();
    ck_assert_uint_eq(r.credit[0], 4);
    rig_messages(&r, 0, 1, 4);
    ck_assert_uint_eq(r.credit[0], 0);
    rig_ack(&r, 0, 1, 1);
    ck_assert_uint_eq(r.credit[0], 0); /* by halves */
    rig_ack(&r, 0, 2, 1);
    ck_assert_uint_eq(r.credit[0], 2);
    rig_close(&r);
}
END_TEST

START_TEST(all_lanes_together_never_have_more_credit_than_there_is_room)
{
    struct consume_options o = rig_options;

    o.messages_max = 12;
    o.lane_max = 8;
    rig_open(&r, &o);
    for (uint32_t lane = 0; lane < RIG_LANES; lane++) {
        rig_reads(&r, lane, 5);
        ck_assert_uint_ge(r.credit[lane], 1); /* nobody starves */
        ck_assert_uint_le(r.credit_all, 12);
    }
    rig_close(&r);
}
END_TEST

START_TEST(who_waits_for_room_is_served_when_another_lets_go)
{
    struct consume_options o = rig_options;

    o.messages_max = 12;
    o.lane_max = 8;
    rig_open(&r, &o);
    rig_reads(&r, 0, 5); /* takes all of the shared 4 and its own */
    rig_reads(&r, 1, 5);
    ck_assert_uint_eq(r.credit[0], 5);
    ck_assert_uint_eq(r.credit[1], 1);
    rig_revoke(&r, 0, UINT64_MAX);
    rig_written(&r, 0, STATUS_OK, 2);
    ck_assert_uint_eq(r.credit[1], 5);
    rig_close(&r);
}
END_TEST

START_TEST(what_comes_beyond_credit_is_refused_and_read_anew)
{
    open_reading();
    rig_messages(&r, 0, 1, 4);
    r.trace[0] = '\0';
    rig_message(&r, 0, 5);
    rig_expect(&r, "say PARTI-E707");
    rig_ack(&r, 0, 2, 1); /* what the handler has is waited for */
    rig_expect(&r, "stop");
    rig_wait(&r, 100);
    rig_expect(&r, "read");
    rig_close(&r);
}
END_TEST

START_TEST(what_comes_out_of_order_is_refused)
{
    open_reading();
    rig_message(&r, 0, 3);
    r.trace[0] = '\0';
    rig_message(&r, 0, 2);
    rig_expect(&r, "say PARTI-E707");
    ck_assert_uint_eq(rig_look(&r, 0).queued, 1);
    rig_close(&r);
}
END_TEST

START_TEST(what_is_done_already_is_skipped_and_its_credit_given_again)
{
    struct consume_record record = {
        .token = {1, 1}, .origin = RIG_ORIGIN, .next = 5, .is_released = true};

    rig_open(&r, &rig_options);
    rig_reads_from(&r, 0, 6, &record, 1);
    rig_messages(&r, 0, 1, 4); /* a reader shared with another partition */
    rig_expect(&r, "credit 2; credit 2");
    rig_message(&r, 0, 5);
    rig_expect(&r, "deliver 5#1");
    rig_close(&r);
}
END_TEST

START_TEST(with_the_store_silent_no_more_is_done_than_twice_commit_messages)
{
    uint64_t position = 1;

    open_reading();
    for (; position < 100; position++) {
        rig_message(&r, 0, position);
        if (rig_look(&r, 0).given == 0)
            break;
        rig_ack(&r, 0, position, 1);
    }
    ck_assert_uint_eq(position, 2 * 3 + 2 + 1); /* and deliver_max */
    rig_written(&r, 0, STATUS_OK, 2);           /* says that 3 are done */
    ck_assert_uint_eq(rig_look(&r, 0).given, 1);
    rig_close(&r);
}
END_TEST

START_TEST(what_is_given_ahead_and_never_begun_counts_no_attempt)
{
    struct consume_options o = rig_options;

    o.deliver_max = 1;
    o.ahead_max = 3;
    rig_open(&r, &o);
    rig_reads(&r, 0, 1);
    rig_messages(&r, 0, 1, 4);
    rig_expect(&r, "deliver 1#1; deliver 2#1; deliver 3#1");
    ck_assert_uint_eq(r.count, 1);
    rig_ack(&r, 0, 1, 1);
    rig_expect(&r, "deliver 4#1");
    rig_nak(&r, 0, 2, 1); /* 3 and 4 lay behind it */
    rig_wait(&r, 10);
    rig_expect(&r, "deliver 2#2; deliver 3#2; deliver 4#2");
    ck_assert_uint_eq(r.count, 1); /* of 4: it was begun for the first time */
    rig_ack(&r, 0, 4, 1);          /* C6: of an attempt that is over */
    ck_assert_uint_eq(rig_look(&r, 0).given, 3);
    rig_close(&r);
}
END_TEST

START_TEST(a_few_partitions_of_many_have_equal_shares)
{
    struct consume_options o = rig_options;

    o.messages_max = RIG_LANES + 16;
    o.lane_max = 8;
    rig_open(&r, &o);
    for (uint32_t lane = 0; lane < 4; lane++)
        rig_grant(&r, lane, 5);
    for (uint32_t lane = 0; lane < 4; lane++) {
        rig_read(&r, lane, NULL, 0);
        rig_written(&r, lane, STATUS_OK, 1);
    }
    for (uint32_t lane = 0; lane < 4; lane++)
        ck_assert_uint_eq(r.credit[lane], 1 + 16 / 4);
    rig_close(&r);
}
END_TEST

UNIT_MAIN("consume_room", credit_is_what_there_is_room_for,
          what_is_given_ahead_and_never_begun_counts_no_attempt,
          all_lanes_together_never_have_more_credit_than_there_is_room,
          a_few_partitions_of_many_have_equal_shares,
          who_waits_for_room_is_served_when_another_lets_go,
          what_comes_beyond_credit_is_refused_and_read_anew,
          what_comes_out_of_order_is_refused,
          what_is_done_already_is_skipped_and_its_credit_given_again,
          with_the_store_silent_no_more_is_done_than_twice_commit_messages)
