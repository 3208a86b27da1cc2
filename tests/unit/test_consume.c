/* core/consume: how messages reach the handler and leave it, rules C4 to C9. */
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

START_TEST(messages_go_to_the_handler_in_order_and_no_more_than_it_may_have)
{
    open_reading();
    rig_messages(&r, 0, 1, 3);
    rig_expect(&r, "deliver 1#1; deliver 2#1"); /* C5: deliver_max is 2 */
    rig_ack(&r, 0, 1, 1);
    rig_expect(&r, "deliver 3#1");
    ck_assert_uint_eq(rig_look(&r, 0).given, 2);
    rig_close(&r);
}
END_TEST

START_TEST(an_ack_covers_the_stretch_before_it)
{
    open_reading();
    rig_messages(&r, 0, 1, 3);
    rig_ack(&r, 0, 2, 1);
    ck_assert_uint_eq(rig_look(&r, 0).next, 3);
    ck_assert_uint_eq(rig_look(&r, 0).queued, 1);
    rig_close(&r);
}
END_TEST

START_TEST(the_record_moves_only_over_what_is_acknowledged)
{
    open_reading();
    rig_messages(&r, 0, 1, 4);
    rig_ack(&r, 0, 1, 1);
    r.trace[0] = '\0';
    rig_wait(&r, 99);
    rig_expect(&r, "");
    rig_wait(&r, 1); /* commit_interval_ms after the first that was done */
    rig_expect(&r, "write v2 n2 B");
    rig_written(&r, 0, STATUS_OK, 2);
    rig_expect(&r, "done 2");
    rig_wait(&r, 500);
    rig_expect(&r, ""); /* nothing new, nothing written */
    rig_close(&r);
}
END_TEST

START_TEST(so_many_done_are_written_at_once)
{
    open_reading();
    rig_messages(&r, 0, 1, 4);
    rig_ack(&r, 0, 2, 1);
    r.trace[0] = '\0';
    rig_ack(&r, 0, 4, 1); /* four done; commit_messages is 3 */
    rig_expect(&r, "write v2 n5; credit 2");
    rig_close(&r);
}
END_TEST

START_TEST(a_nak_gives_the_stretch_again_from_that_message_on_after_its_pause)
{
    open_reading();
    rig_messages(&r, 0, 1, 3);
    r.trace[0] = '\0';
    rig_nak(&r, 0, 1, 1);
    rig_wait(&r, 9);
    rig_expect(&r, "");
    rig_wait(&r, 1);
    rig_expect(&r, "deliver 1#2; deliver 2#2");
    rig_close(&r);
}
END_TEST

START_TEST(a_nak_behind_an_ack_begins_the_stretch_anew)
{
    /* Whoever has it to hand begins nothing more of a stretch after a nak of it. */
    const struct consume_event nak = {.type = CONSUME_VERDICT,
                                      .stretch = 1,
                                      .run = 1,
                                      .position = 1,
                                      .attempt = 1,
                                      .verdict = VERDICT_NAK};

    open_reading();
    rig_messages(&r, 0, 1, 3);
    rig_ack(&r, 0, 1, 1);
    r.trace[0] = '\0';
    rig_step(&r, nak);
    rig_expect(&r, "deliver 2#2; deliver 3#2");
    rig_step(&r, nak); /* of a stretch that is over */
    rig_expect(&r, "");
    rig_ack(&r, 0, 3, 2);
    ck_assert_uint_eq(rig_look(&r, 0).next, 4);
    rig_close(&r);
}
END_TEST

START_TEST(a_nak_behind_the_last_ack_begins_the_stretch_anew)
{
    open_reading();
    rig_messages(&r, 0, 1, 1);
    rig_ack(&r, 0, 1, 1);
    rig_step(&r, (struct consume_event){.type = CONSUME_VERDICT,
                                        .stretch = 1,
                                        .run = 1,
                                        .position = 1,
                                        .attempt = 1,
                                        .verdict = VERDICT_NAK});
    rig_messages(&r, 0, 2, 2);
    ck_assert_uint_eq(r.stretch, 2);
    rig_close(&r);
}
END_TEST

START_TEST(an_answer_to_an_attempt_that_is_over_is_passed_over)
{
    open_reading();
    rig_messages(&r, 0, 1, 2);
    rig_nak(&r, 0, 1, 1);
    rig_ack(&r, 0, 2, 1); /* was taken back with 1 */
    rig_wait(&r, 10);
    rig_ack(&r, 0, 2, 1);
    ck_assert_uint_eq(rig_look(&r, 0).next, 1);
    ck_assert_uint_eq(rig_look(&r, 0).given, 2);
    rig_ack(&r, 0, 2, 2);
    ck_assert_uint_eq(rig_look(&r, 0).next, 3);
    rig_close(&r);
}
END_TEST

START_TEST(an_answer_of_an_earlier_run_is_passed_over)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_fence(&r);
    rig_reads(&r, 0, 6);
    rig_message(&r, 0, 1);
    rig_step(&r, (struct consume_event){.type = CONSUME_VERDICT,
                                        .run = r.run[0] - 1,
                                        .position = 1,
                                        .attempt = 1,
                                        .verdict = VERDICT_ACK});
    ck_assert_uint_eq(rig_look(&r, 0).given, 1);
    rig_close(&r);
}
END_TEST

START_TEST(silence_counts_as_a_nak)
{
    open_reading();
    rig_message(&r, 0, 1);
    r.trace[0] = '\0';
    rig_wait(&r, 999);
    rig_expect(&r, "");
    rig_wait(&r, 1);
    rig_expect(&r, "cancel; say PARTI-E709");
    rig_ack(&r, 0, 1, 1); /* too late */
    rig_wait(&r, 10);
    rig_expect(&r, "deliver 1#2");
    rig_close(&r);
}
END_TEST

START_TEST(a_word_of_progress_starts_the_time_anew)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_wait(&r, 600);
    rig_written(&r, 0, STATUS_OK, 2);
    rig_say(&r, 0, 1, 1, VERDICT_PROGRESS);
    r.trace[0] = '\0';
    rig_wait(&r, 999);
    rig_expect(&r, "");
    rig_wait(&r, 1);
    rig_expect(&r, "cancel; say PARTI-E709");
    rig_close(&r);
}
END_TEST

START_TEST(pauses_double_up_to_their_limit)
{
    static const uint64_t pause[] = {10, 20, 40, 40, 40};
    struct consume_options o = rig_options;

    o.attempts_max = 0;
    o.commit_interval_ms = 1000000;
    rig_open(&r, &o);
    rig_reads(&r, 0, 5);
    rig_message(&r, 0, 1);
    for (uint32_t i = 0; i < 5; i++) {
        rig_nak(&r, 0, 1, i + 1);
        r.trace[0] = '\0';
        rig_wait(&r, pause[i] - 1);
        rig_expect(&r, "");
        rig_wait(&r, 1);
        ck_assert_uint_eq(rig_look(&r, 0).given, 1);
    }
    rig_close(&r);
}
END_TEST

START_TEST(the_handler_may_name_the_pause)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_step(&r, (struct consume_event){.type = CONSUME_VERDICT,
                                        .position = 1,
                                        .attempt = 1,
                                        .verdict = VERDICT_NAK,
                                        .delay_ms = 77});
    r.trace[0] = '\0';
    rig_wait(&r, 76);
    rig_expect(&r, "");
    rig_wait(&r, 1);
    rig_expect(&r, "deliver 1#2");
    rig_close(&r);
}
END_TEST

START_TEST(a_lane_that_waits_for_a_retry_holds_up_no_other)
{
    open_reading();
    rig_reads(&r, 2, 5);
    rig_message(&r, 0, 1);
    rig_nak(&r, 0, 1, 1);
    r.trace[0] = '\0';
    rig_message(&r, 2, 1);
    rig_expect(&r, "2:deliver 1#1");
    rig_close(&r);
}
END_TEST

START_TEST(the_last_attempt_makes_a_dead_letter_and_then_the_position_moves)
{
    open_reading();
    rig_messages(&r, 0, 1, 2);
    rig_nak(&r, 0, 1, 1);
    rig_wait(&r, 10);
    rig_nak(&r, 0, 1, 2);
    rig_wait(&r, 20);
    r.trace[0] = '\0';
    rig_nak(&r, 0, 1, 3);
    rig_expect(&r, "bury 1#3 attempts");
    ck_assert_uint_eq(rig_look(&r, 0).next, 1); /* C4: not yet */
    rig_buried(&r, 0, 1, STATUS_OK);
    ck_assert_uint_eq(rig_look(&r, 0).next, 2);
    rig_expect(&r, "say PARTI-E710; deliver 2#4"); /* it was given along three times */
    rig_close(&r);
}
END_TEST

START_TEST(a_term_makes_a_dead_letter_at_once)
{
    open_reading();
    rig_message(&r, 0, 1);
    r.trace[0] = '\0';
    rig_say(&r, 0, 1, 1, VERDICT_TERM);
    rig_expect(&r, "bury 1#1 term");
    rig_close(&r);
}
END_TEST

START_TEST(a_dead_letter_that_fails_is_tried_again_and_said_once)
{
    open_reading();
    rig_message(&r, 0, 1);
    rig_say(&r, 0, 1, 1, VERDICT_TERM);
    r.trace[0] = '\0';
    rig_buried(&r, 0, 1, STATUS_IO);
    rig_expect(&r, "say PARTI-E705");
    ck_assert_int_eq(rig_look(&r, 0).state, LANE_STUCK);
    rig_wait(&r, 100);
    rig_expect(&r, "bury 1#1 term; write v2 n1 a1*-1");
    rig_written(&r, 0, STATUS_OK, 2);
    r.trace[0] = '\0';
    rig_buried(&r, 0, 1, STATUS_IO);
    rig_wait(&r, 200);
    rig_expect(&r, "bury 1#1 term");
    ck_assert_uint_eq(rig_look(&r, 0).next, 1);
    rig_close(&r);
}
END_TEST

START_TEST(without_a_place_for_dead_letters_it_is_tried_for_ever_and_said)
{
    struct consume_options o = rig_options;

    o.has_dead_letter = false;
    o.handle_timeout_ms = 0;
    o.commit_interval_ms = 1000000;
    rig_open(&r, &o);
    rig_reads(&r, 0, 5);
    rig_message(&r, 0, 1);
    rig_nak(&r, 0, 1, 1);
    rig_wait(&r, 10);
    rig_nak(&r, 0, 1, 2);
    rig_wait(&r, 20);
    r.trace[0] = '\0';
    rig_nak(&r, 0, 1, 3);
    rig_expect(&r, "say PARTI-E704");
    rig_wait(&r, 39);
    rig_expect(&r, "");
    rig_wait(&r, 1);
    rig_nak(&r, 0, 1, 4);
    rig_wait(&r, 40);
    rig_expect(&r, "deliver 1#4; deliver 1#5"); /* not said again */
    rig_say(&r, 0, 1, 5, VERDICT_TERM);
    rig_expect(&r, "say PARTI-E704"); /* another reason */
    rig_wait(&r, 40);
    rig_say(&r, 0, 1, 6, VERDICT_TERM);
    rig_wait(&r, 40);
    rig_say(&r, 0, 1, 7, VERDICT_TERM);
    rig_expect(&r, "deliver 1#6; deliver 1#7"); /* nor this one */
    rig_wait(&r, 600000);
    rig_expect(&r, "deliver 1#8");
    rig_say(&r, 0, 1, 8, VERDICT_TERM);
    rig_expect(&r, "say PARTI-E704"); /* but after ten minutes */
    ck_assert_int_eq(rig_look(&r, 0).state, LANE_STUCK);
    rig_wait(&r, 40);
    rig_ack(&r, 0, 1, 9);
    ck_assert_int_eq(rig_look(&r, 0).state, LANE_READING);
    rig_close(&r);
}
END_TEST

START_TEST(attempts_are_in_the_record_and_go_on_in_the_next_hold)
{
    struct consume_record record;

    open_reading();
    rig_message(&r, 0, 1);
    rig_nak(&r, 0, 1, 1);
    rig_wait(&r, 10);
    rig_nak(&r, 0, 1, 2);
    r.trace[0] = '\0';
    rig_wait(&r, 90);
    rig_expect(&r, "deliver 1#3; write v2 n1 B a1*2");
    record = r.sent;
    rig_fence(&r);
    rig_reads_from(&r, 0, 6, &record, 2);
    ck_assert_uint_eq(rig_look(&r, 0).attempts, 3); /* the third was begun: it counts */
    rig_message(&r, 0, 1);
    rig_expect(&r, "bury 1#3 attempts");
    rig_close(&r);
}
END_TEST

START_TEST(attempts_stay_with_their_message)
{
    struct consume_record record = {
        .token = {1, 1}, .origin = RIG_ORIGIN, .next = 3, .at = 5, .attempts = 2};

    rig_open(&r, &rig_options);
    rig_reads_from(&r, 0, 6, &record, 2);
    rig_message(&r, 0, 9); /* 5 is no more to be had */
    rig_expect(&r, "deliver 9#1");
    rig_close(&r);
}
END_TEST

/* A message that kills its worker before anything can be written: each life is a claim
 * over what the life before it left. */
START_TEST(a_message_that_kills_its_workers_meets_its_limit)
{
    struct consume_record record = {
        .token = {1, 1}, .origin = RIG_ORIGIN, .next = 1, .is_released = true};
    uint32_t killed = 0;

    for (uint64_t life = 2;; life++) {
        bool is_buried;

        rig_open(&r, &rig_options);
        rig_reads_from(&r, 0, life, &record, life);
        record = r.sent;
        rig_messages(&r, 0, 1, 2); /* 1 is harmless, and never durable alone */
        if (strstr(r.trace, "write") != NULL) {
            record = r.sent;
            rig_written(&r, 0, STATUS_OK, life + 2);
        }
        rig_ack(&r, 0, 1, rig_look(&r, 0).attempts + 1);
        if (strstr(r.trace, "write") != NULL) {
            record = r.sent;
            rig_written(&r, 0, STATUS_OK, life + 3);
        }
        is_buried = strstr(r.trace, "bury") != NULL;
        if (is_buried)
            ck_assert_ptr_nonnull(strstr(r.trace, "bury 2#3 attempts"));
        else
            ck_assert_ptr_nonnull(strstr(r.trace, "deliver 2#"));
        ck_assert_ptr_null(strstr(r.trace, "bury 1"));
        rig_close(&r);
        if (is_buried)
            break;
        killed++;
        ck_assert_uint_le(killed, 5);
    }
    ck_assert_uint_eq(killed, rig_options.attempts_max + 2);
}
END_TEST

START_TEST(careful_is_over_after_what_the_dead_may_have_been_given)
{
    struct consume_record record = {
        .token = {1, 1}, .origin = RIG_ORIGIN, .next = 1, .is_suspect = true};
    uint64_t position = 1;

    rig_open(&r, &rig_options);
    rig_reads_from(&r, 0, 6, &record, 1);
    ck_assert(rig_look(&r, 0).is_careful);
    for (; rig_look(&r, 0).is_careful; position++) {
        rig_message(&r, 0, position);
        ck_assert_uint_eq(rig_look(&r, 0).given, 0); /* first it is written down */
        ck_assert(r.sent.is_begun && r.sent.at == position);
        rig_written(&r, 0, STATUS_OK, position + 2);
        ck_assert_uint_eq(rig_look(&r, 0).given, 1);
        rig_ack(&r, 0, position, 1);
        ck_assert_uint_lt(position, 100);
    }
    ck_assert_uint_eq(position - 1, 2 * 3 + 2); /* twice commit_messages, deliver_max */
    rig_close(&r);
}
END_TEST

/* So the host's side, which begins nothing more of the stretch that it answered, hears
 * that what was given again meanwhile is barred as well. */
START_TEST(a_nak_before_what_was_given_again_takes_that_back)
{
    static const enum consume_verdict verdict[] = {VERDICT_NAK, VERDICT_TERM,
                                                   VERDICT_RETURN};
    struct consume_options o = rig_options;

    o.deliver_max = 4;
    for (int i = 0; i < 3; i++) {
        rig_open(&r, &o);
        rig_reads(&r, 0, 5);
        rig_messages(&r, 0, 1, 4);
        r.trace[0] = '\0';
        rig_nak(&r, 0, 3, 1); /* of the only stretch there is */
        rig_wait(&r, 10);
        rig_expect(&r, "deliver 3#2; deliver 4#2"); /* 1 and 2 are still out */
        rig_say(&r, 0, 2, 1, verdict[i]);
        rig_expect(&r, "cancel");
        rig_ack(&r, 0, 3, 2);
        ck_assert_uint_eq(rig_look(&r, 0).next, 1); /* C6: that attempt is over */
        ck_assert_uint_eq(rig_look(&r, 0).given, 1);
        rig_ack(&r, 0, 1, 1);
        r.trace[0] = '\0';
        rig_wait(&r, 10);
        if (verdict[i] == VERDICT_NAK)
            rig_expect(&r, "deliver 2#2; deliver 3#3; deliver 4#3");
        rig_close(&r);
    }
}
END_TEST

UNIT_MAIN("consume", messages_go_to_the_handler_in_order_and_no_more_than_it_may_have,
          an_ack_covers_the_stretch_before_it,
          the_record_moves_only_over_what_is_acknowledged,
          so_many_done_are_written_at_once,
          a_nak_gives_the_stretch_again_from_that_message_on_after_its_pause,
          a_nak_behind_an_ack_begins_the_stretch_anew,
          a_nak_behind_the_last_ack_begins_the_stretch_anew,
          a_nak_before_what_was_given_again_takes_that_back,
          an_answer_to_an_attempt_that_is_over_is_passed_over,
          an_answer_of_an_earlier_run_is_passed_over, silence_counts_as_a_nak,
          a_word_of_progress_starts_the_time_anew, pauses_double_up_to_their_limit,
          the_handler_may_name_the_pause, a_lane_that_waits_for_a_retry_holds_up_no_other,
          the_last_attempt_makes_a_dead_letter_and_then_the_position_moves,
          a_term_makes_a_dead_letter_at_once,
          a_dead_letter_that_fails_is_tried_again_and_said_once,
          without_a_place_for_dead_letters_it_is_tried_for_ever_and_said,
          attempts_are_in_the_record_and_go_on_in_the_next_hold,
          attempts_stay_with_their_message,
          a_message_that_kills_its_workers_meets_its_limit,
          careful_is_over_after_what_the_dead_may_have_been_given)
