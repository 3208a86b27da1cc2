/* core/cli/run_post: letters to one command, and what its answers mean. */
#include "cli/run_post.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct said {
    struct parti_ticket ticket;
    enum run_answer answer;
    uint64_t delay_ms;
};

static struct said said[64];
static int said_n;
static struct run_post post;

static void on_answer(void *ctx, struct parti_ticket ticket, enum run_answer answer,
                      uint64_t delay_ms)
{
    (void)ctx;
    said[said_n++] = (struct said){ticket, answer, delay_ms};
}

static void begin(void)
{
    run_post_init(&post, NULL, on_answer);
    said_n = 0;
}

static struct parti_ticket ticket(uint32_t slot, uint64_t position, uint32_t attempt)
{
    return (struct parti_ticket){
        .hold = {slot, 1}, .position = position, .attempt = attempt, .stretch = attempt};
}

static void add_of(uint32_t serial, uint32_t slot, uint64_t position, uint32_t attempt)
{
    /* As message() has it, but with nothing to refer to. */
    struct run_letter *l = calloc(1, sizeof *l);

    ck_assert_ptr_nonnull(l);
    l->kept.message.ticket = ticket(slot, position, attempt);
    l->kept.message.ticket.hold.serial = serial;
    run_post_add(&post, l);
}

static void add(uint32_t slot, uint64_t position, uint32_t attempt)
{
    add_of(1, slot, position, attempt);
}

/* Sends all that waits; their number. */
static int flush(void)
{
    uint64_t number;
    int sent = 0;

    while (run_post_next(&post, &number) != NULL) {
        ck_assert(run_post_sent(&post));
        sent++;
    }
    return sent;
}

static bool take(const char *line)
{
    bool is_answer = run_post_take(&post, line, strlen(line));

    run_post_settle(&post);
    return is_answer;
}

/* The position of the letter that goes out next; 0: none does. */
static uint64_t next(void)
{
    uint64_t number;
    const struct run_letter *l = run_post_next(&post, &number);

    return l != NULL ? l->kept.message.ticket.position : 0;
}

static void is_said(int i, uint32_t slot, uint64_t position, enum run_answer answer)
{
    ck_assert_int_lt(i, said_n);
    ck_assert_uint_eq(said[i].ticket.hold.slot, slot);
    ck_assert_uint_eq(said[i].ticket.position, position);
    ck_assert_int_eq((int)said[i].answer, (int)answer);
}

START_TEST(letters_go_out_in_order_and_are_numbered)
{
    uint64_t number;

    begin();
    for (uint32_t i = 0; i < 100; i++)
        add(i, 1000 + i, 1);
    for (uint64_t i = 0; i < 100; i++) {
        ck_assert_uint_eq(next(), 1000 + i);
        (void)run_post_next(&post, &number);
        ck_assert_uint_eq(number, i + 1);
        ck_assert(run_post_sent(&post));
    }
    add(100, 1, 1);
    (void)run_post_next(&post, &number);
    ck_assert_uint_eq(number, 101);
    run_post_finish(&post);
}
END_TEST

START_TEST(an_answer_names_its_letter)
{
    begin();
    add(0, 10, 1);
    add(1, 20, 1);
    add(2, 30, 1);
    add(3, 40, 1);
    ck_assert_int_eq(flush(), 4);
    ck_assert(take("{\"term\": 3}"));
    is_said(0, 2, 30, RUN_ANSWER_TERM);
    ck_assert(take("{\"nak\":2,\"delay_ms\":700}\r"));
    is_said(1, 1, 20, RUN_ANSWER_NAK);
    ck_assert_uint_eq(said[1].delay_ms, 700);
    ck_assert(take("{\"progress\":1}"));
    is_said(2, 0, 10, RUN_ANSWER_PROGRESS);
    ck_assert(take(" {\"ack\":1} "));
    is_said(3, 0, 10, RUN_ANSWER_ACK);
    is_said(4, 3, 40, RUN_ANSWER_PROGRESS); /* from now on its time runs */
    ck_assert(take("{\"ack\":1}"));         /* once more: an answer, to nothing */
    ck_assert(take("{\"ack\":99}"));
    ck_assert_int_eq(said_n, 5);
    run_post_finish(&post);
}
END_TEST

START_TEST(other_lines_are_output)
{
    static const char *const lines[] = {"",
                                        "hello",
                                        "{\"released\":3}",
                                        "{\"ack\":1,\"more\":2}",
                                        "{\"ack\":\"1\"}",
                                        "{\"ack\":1",
                                        "{\"ack\":1} x",
                                        "{\"nak\":1,\"delay\":2}",
                                        "[1]",
                                        "{}"};

    begin();
    add(0, 1, 1);
    (void)flush();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(!take(lines[i]), "%s", lines[i]);
    ck_assert_int_eq(said_n, 0);
    run_post_finish(&post);
}
END_TEST

START_TEST(an_end_fails_the_oldest_and_returns_the_rest)
{
    begin();
    add(0, 1, 1);
    add(1, 2, 1);
    add(2, 3, 1);
    ck_assert_int_eq(flush(), 3);
    add(3, 4, 1);
    ck_assert(take("{\"ack\":1}"));
    said_n = 0;
    run_post_lost(&post);
    ck_assert_int_eq(said_n, 3);
    is_said(0, 1, 2, RUN_ANSWER_NAK);
    is_said(1, 2, 3, RUN_ANSWER_RETURN);
    is_said(2, 3, 4, RUN_ANSWER_RETURN);
    ck_assert_int_eq(flush(), 0);
    /* Numbers go on, so that no answer of the old run meets a letter of the new. */
    add(1, 2, 2);
    ck_assert_int_eq(flush(), 1);
    ck_assert(take("{\"ack\":2}"));
    ck_assert_int_eq(said_n, 3);
    ck_assert(take("{\"ack\":4}"));
    is_said(3, 1, 2, RUN_ANSWER_ACK);
    run_post_finish(&post);
}
END_TEST

START_TEST(after_a_nak_nothing_more_of_its_stretch_goes_out)
{
    begin();
    post.is_stacked = true;
    add(0, 1, 1);
    ck_assert_int_eq(flush(), 1);
    add(0, 2, 1);
    add(1, 9, 1);
    ck_assert(take("{\"nak\":1}"));
    ck_assert_int_eq(flush(), 1); /* the other partition's */
    add(0, 3, 1);                 /* of the stretch that was cut short */
    ck_assert_int_eq(flush(), 0);
    add(0, 1, 2);
    ck_assert_int_eq(flush(), 1);
    run_post_finish(&post);
}
END_TEST

START_TEST(an_ack_speaks_for_what_was_before_it)
{
    begin();
    post.is_stacked = true;
    add(0, 1, 1);
    add(1, 7, 1);
    add(0, 2, 1);
    ck_assert_int_eq(flush(), 3);
    ck_assert(take("{\"ack\":3}"));
    run_post_lost(&post);
    is_said(0, 0, 2, RUN_ANSWER_ACK);
    is_said(1, 1, 7, RUN_ANSWER_PROGRESS);
    is_said(2, 1, 7, RUN_ANSWER_NAK);
    ck_assert_int_eq(said_n, 3);
    run_post_finish(&post);
}
END_TEST

START_TEST(a_revoke_takes_back_what_waits)
{
    begin();
    add(0, 1, 1);
    ck_assert_int_eq(flush(), 1);
    add(0, 2, 1);
    add(1, 7, 1);
    add(0, 3, 1);
    run_post_revoke(&post, (struct parti_hold){0, 1});
    ck_assert_int_eq(said_n, 1); /* speaks for all behind it */
    is_said(0, 0, 2, RUN_ANSWER_RETURN);
    ck_assert_int_eq(flush(), 1);
    ck_assert(take("{\"ack\":1}")); /* what was sent is still answered */
    is_said(1, 0, 1, RUN_ANSWER_ACK);
    int before = said_n;
    run_post_forget(&post, 1);
    ck_assert(take("{\"ack\":2}"));
    ck_assert_int_eq(said_n, before); /* its partition is gone */
    run_post_finish(&post);
}
END_TEST

START_TEST(only_the_oldest_has_its_time_running)
{
    begin();
    add(0, 1, 1);
    add(1, 2, 1);
    ck_assert_int_eq(flush(), 2);
    add(2, 3, 1);
    run_post_speak(&post);
    ck_assert_int_eq(said_n, 2);
    is_said(0, 1, 2, RUN_ANSWER_PROGRESS);
    is_said(1, 2, 3, RUN_ANSWER_PROGRESS);
    run_post_finish(&post);
}
END_TEST

START_TEST(the_next_of_a_partition_waits_for_the_ack_of_the_one_before)
{
    begin();
    add(0, 1, 1);
    add(0, 2, 1);
    add(0, 3, 1);
    add(1, 7, 1);
    ck_assert_int_eq(flush(), 2); /* one of each */
    ck_assert(take("{\"progress\":1}"));
    ck_assert_int_eq(flush(), 0);
    ck_assert(take("{\"ack\":1}"));
    ck_assert_uint_eq(next(), 2);
    ck_assert_int_eq(flush(), 1);
    ck_assert(take("{\"ack\":2}")); /* the other partition's: nothing lies behind it */
    ck_assert_int_eq(flush(), 0);
    ck_assert(take("{\"ack\":3}"));
    ck_assert_uint_eq(next(), 3);
    add(1, 8, 1); /* its partition is free: at once */
    ck_assert_int_eq(flush(), 2);
    run_post_finish(&post);
}
END_TEST

START_TEST(a_new_attempt_takes_the_place_of_what_was_sent_or_waits)
{
    begin();
    add(0, 1, 1);
    add(0, 2, 1);
    add(0, 3, 1);
    ck_assert_int_eq(flush(), 1);
    add(0, 1, 2); /* no answer came in time */
    ck_assert_uint_eq(next(), 1);
    ck_assert_int_eq(flush(), 1);
    run_post_settle(&post);
    is_said(0, 0, 1, RUN_ANSWER_PROGRESS); /* the new one's time runs */
    ck_assert(take("{\"ack\":1}"));        /* too late, and it begins nothing */
    ck_assert_int_eq(said_n, 1);
    ck_assert_int_eq(flush(), 0);
    add(0, 2, 2);
    ck_assert(take("{\"ack\":2}"));
    is_said(1, 0, 1, RUN_ANSWER_ACK);
    ck_assert_uint_eq(next(), 2);
    ck_assert_int_eq(flush(), 1);
    run_post_finish(&post);
}
END_TEST

START_TEST(what_may_not_begin_goes_back_with_all_behind_it)
{
    begin();
    add(0, 1, 1);
    add(0, 2, 1);
    add(1, 7, 1);
    ck_assert_uint_eq(next(), 1);
    run_post_refuse(&post, RUN_ANSWER_RETURN);
    is_said(0, 0, 1, RUN_ANSWER_RETURN);
    add(0, 3, 1); /* on its way meanwhile, of the same stretch */
    ck_assert_uint_eq(next(), 7);
    ck_assert_int_eq(flush(), 1);
    ck_assert_int_eq(said_n, 1);
    add(0, 1, 2); /* of the next stretch */
    ck_assert_int_eq(flush(), 1);
    run_post_finish(&post);
}
END_TEST

START_TEST(answers_behind_a_nak_or_term_are_of_attempts_that_are_over)
{
    static const char *const words[] = {"{\"nak\":2}", "{\"term\":2}"};

    for (int i = 0; i < 2; i++) {
        begin();
        post.is_stacked = true;
        for (uint64_t position = 1; position <= 4; position++)
            add(0, position, 1);
        add(1, 9, 1);
        ck_assert_int_eq(flush(), 5);
        ck_assert(take(words[i]));
        ck_assert(take("{\"ack\":3}"));
        ck_assert(take("{\"nak\":4}"));
        ck_assert_int_eq(said_n, 1);
        ck_assert(take("{\"ack\":1}")); /* what came before it stands */
        is_said(1, 0, 1, RUN_ANSWER_ACK);
        is_said(2, 1, 9, RUN_ANSWER_PROGRESS);
        run_post_finish(&post);
    }
}
END_TEST

START_TEST(a_refused_letter_takes_along_none_of_another_hold)
{
    for (int i = 0; i < 2; i++) {
        begin();
        post.is_stacked = i == 1;
        add_of(1, 0, 1, 3); /* of a hold that is over, and on its way until now */
        add_of(2, 0, 1, 5);
        add_of(2, 0, 2, 5);
        ck_assert_uint_eq(next(), 1);
        run_post_refuse(&post, RUN_ANSWER_RETURN);
        ck_assert_int_eq(said_n, 1);
        ck_assert_uint_eq(said[0].ticket.hold.serial, 1);
        ck_assert_uint_eq(next(), 1);
        ck_assert_int_eq(flush(), post.is_stacked ? 2 : 1);
        ck_assert(take("{\"ack\":1}"));
        is_said(1, 0, 1, RUN_ANSWER_ACK);
        ck_assert_uint_eq(said[1].ticket.hold.serial, 2);
        run_post_finish(&post);
    }
}
END_TEST

START_TEST(a_late_letter_of_an_old_hold_changes_nothing_for_the_new_one)
{
    begin();
    add_of(2, 0, 1, 5);
    ck_assert_int_eq(flush(), 1);
    add_of(1, 0, 1, 9); /* its position is that of a letter of the new one */
    ck_assert(take("{\"nak\":1}"));
    is_said(0, 0, 1, RUN_ANSWER_NAK);
    run_post_refuse(&post, RUN_ANSWER_RETURN);
    add_of(2, 0, 2, 5); /* of the stretch that was cut short */
    add_of(1, 0, 3, 9);
    ck_assert_int_eq(flush(), 0);
    add_of(2, 0, 1, 6);
    ck_assert_int_eq(flush(), 1);
    run_post_finish(&post);
}
END_TEST

START_TEST(when_an_attempt_is_over_what_comes_next_goes_out_and_time_runs_on)
{
    for (int i = 0; i < 2; i++) {
        begin();
        post.is_stacked = i == 1;
        add(0, 1, 1);
        add(1, 7, 1);
        add(0, 2, 1);
        ck_assert_int_eq(flush(), post.is_stacked ? 3 : 2);
        run_post_settle(&post);
        said_n = 0;
        run_post_over(&post, (struct parti_hold){0, 1}, 1);
        add(0, 3, 1); /* on its way meanwhile */
        ck_assert_int_eq(flush(), 0);
        run_post_settle(&post);
        ck_assert_int_eq(said_n, 1);
        is_said(0, 1, 7, RUN_ANSWER_PROGRESS); /* from now on its time runs */
        run_post_speak(&post);
        ck_assert(take("{\"ack\":1}"));
        ck_assert_int_eq(said_n, 1);
        add(0, 2, 2); /* the one before it went to the dead letters */
        ck_assert_int_eq(flush(), 1);
        ck_assert(take(post.is_stacked ? "{\"ack\":4}" : "{\"ack\":3}"));
        is_said(1, 0, 2, RUN_ANSWER_ACK);
        run_post_finish(&post);
    }
}
END_TEST

START_TEST(the_end_of_a_hold_is_not_that_of_the_next_one)
{
    begin();
    add_of(2, 0, 1, 1);
    ck_assert_int_eq(flush(), 1);
    run_post_over(&post, (struct parti_hold){0, 1}, 9);
    ck_assert(take("{\"ack\":1}"));
    is_said(0, 0, 1, RUN_ANSWER_ACK);
    run_post_finish(&post);
}
END_TEST

START_TEST(acks_of_one_turn_are_told_as_one_and_before_other_answers)
{
    begin();
    post.is_stacked = true;
    for (uint64_t i = 1; i <= 4; i++)
        add(0, i, 1);
    add(1, 9, 1);
    ck_assert_int_eq(flush(), 5);
    ck_assert(run_post_take(&post, "{\"ack\":1}", 9));
    ck_assert(run_post_take(&post, "{\"ack\":2}", 9));
    ck_assert(run_post_take(&post, "{\"ack\":3}", 9));
    ck_assert_int_eq(said_n, 0);
    ck_assert(run_post_take(&post, "{\"nak\":4}", 9));
    ck_assert_int_eq(said_n, 2);
    is_said(0, 0, 3, RUN_ANSWER_ACK); /* it speaks for those before it */
    is_said(1, 0, 4, RUN_ANSWER_NAK);
    run_post_settle(&post);
    is_said(2, 1, 9, RUN_ANSWER_PROGRESS); /* from now on its time runs */
    run_post_settle(&post);
    ck_assert_int_eq(said_n, 3);
    /* One of a later stretch speaks for none of the one before. */
    add(0, 4, 2);
    ck_assert_int_eq(flush(), 1);
    ck_assert(run_post_take(&post, "{\"ack\":6}", 9));
    add(0, 5, 3);
    ck_assert_int_eq(flush(), 1);
    ck_assert(run_post_take(&post, "{\"ack\":7}", 9));
    run_post_settle(&post);
    is_said(3, 0, 4, RUN_ANSWER_ACK);
    is_said(4, 0, 5, RUN_ANSWER_ACK);
    run_post_finish(&post);
}
END_TEST

START_TEST(what_comes_for_a_revoked_hold_goes_back_until_a_new_one)
{
    struct run_letter *l = calloc(1, sizeof *l);

    begin();
    run_post_revoke(&post, (struct parti_hold){0, 1});
    add(0, 1, 1);
    is_said(0, 0, 1, RUN_ANSWER_RETURN);
    ck_assert_int_eq(flush(), 0);
    ck_assert_ptr_nonnull(l);
    l->kept.message.ticket = ticket(0, 1, 1);
    l->kept.message.ticket.hold.serial = 2;
    run_post_add(&post, l);
    ck_assert_int_eq(flush(), 1);
    ck_assert_int_eq(said_n, 1);
    run_post_finish(&post);
}
END_TEST

UNIT_MAIN("run_post", letters_go_out_in_order_and_are_numbered,
          an_answer_names_its_letter, other_lines_are_output,
          an_end_fails_the_oldest_and_returns_the_rest,
          after_a_nak_nothing_more_of_its_stretch_goes_out,
          an_ack_speaks_for_what_was_before_it, a_revoke_takes_back_what_waits,
          only_the_oldest_has_its_time_running,
          the_next_of_a_partition_waits_for_the_ack_of_the_one_before,
          a_new_attempt_takes_the_place_of_what_was_sent_or_waits,
          what_may_not_begin_goes_back_with_all_behind_it,
          answers_behind_a_nak_or_term_are_of_attempts_that_are_over,
          a_refused_letter_takes_along_none_of_another_hold,
          a_late_letter_of_an_old_hold_changes_nothing_for_the_new_one,
          when_an_attempt_is_over_what_comes_next_goes_out_and_time_runs_on,
          the_end_of_a_hold_is_not_that_of_the_next_one,
          acks_of_one_turn_are_told_as_one_and_before_other_answers,
          what_comes_for_a_revoked_hold_goes_back_until_a_new_one)
