/* Messages through libparti: a real server for the positions, a broker of files. */
#include "config.h"

#include "field.h"

#include "base/errors.h"
#include "base/must.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 10 }; /* between two positions of the broker */

START_TEST(messages_come_in_order_and_their_position_is_kept)
{
    field_begin(_i);
    field_put(0, 0, 100);
    field_put(1, 0, 100);
    struct field_app *app =
        field_start(field_conf(2, "commit_interval = 50 ms\n"), NULL, NULL);
    field_await_calls(200);
    field_await_settled(app, 0, 99 * STEP + 1);
    field_await_settled(app, 1, 99 * STEP + 1);
    field_leave(app);
    /* Another one goes on where this one stopped. */
    field_put(0, 100, 50);
    field_put(1, 100, 50);
    app = field_start(field_conf(2, ""), NULL, NULL);
    field_await_calls(300);
    field_leave(app);
    field_check_order(2, 150);
    field_end();
}
END_TEST

/* Three workers come and go under load. */
START_TEST(a_partition_moves_between_messages_and_none_is_lost_or_doubled)
{
    enum { PARTS = 12, EACH = 400 };
    const char *conf;

    field_begin(_i);
    for (int p = 0; p < PARTS; p++)
        field_put(p, 0, EACH / 2);
    conf = field_conf(PARTS, "");
    struct field_app *first = field_start(conf, NULL, NULL);
    field_await_calls(PARTS * EACH / 8);
    struct field_app *second = field_start(conf, NULL, NULL);
    field_await_assigned(second, 1);
    for (int p = 0; p < PARTS; p++)
        field_put(p, EACH / 2, EACH / 2);
    struct field_app *third = field_start(conf, NULL, NULL);
    field_await_assigned(third, 1);
    field_leave(first);
    field_await_calls((size_t)PARTS * EACH);
    field_leave(second);
    field_leave(third);
    field_check_order(PARTS, EACH);
    field_end();
}
END_TEST

START_TEST(the_message_is_what_the_broker_gave)
{
    field_begin(_i);
    field_put_line(0, "@Kthe key\tHa:1\tHb:two\tHa:3\tX00ff0a41");
    struct field_app *app = field_start(field_conf(1, ""), field_keep, NULL);
    field_await_calls(1);
    const struct field_copy *m = &field.copy;
    ck_assert_str_eq(m->subject, "test.p.0");
    ck_assert_str_eq(m->key, "the key");
    ck_assert_str_eq(m->headers, "a=1;b=two;a=3;");
    ck_assert_uint_eq(m->data_n, 4);
    ck_assert_mem_eq(m->data, "\x00\xff\x0a\x41", 4);
    ck_assert_int_eq(m->time_ms, 1700000000000);
    ck_assert_uint_eq(m->attempt, 1);
    ck_assert_str_eq(m->id, "p/0");
    field_leave(app);
    field_end();
}
END_TEST

/* ---- answers ----------------------------------------------------------------------- */

/* Refuses what the text of 'ctx' names, once or for ever. */
struct refusal {
    const char *data;
    int times; /* how often; -1: for ever */
    uint64_t delay_ms;
    bool is_term, is_silent;
};

static void refuse(struct field_app *app, const struct parti_message *m)
{
    struct refusal *r = app->ctx;

    if (m->data_n != strlen(r->data) || memcmp(m->data, r->data, m->data_n) != 0 ||
        r->times == 0) {
        parti_ack(app->worker, m->ticket);
        return;
    }
    if (r->times > 0)
        r->times--;
    if (r->is_term)
        parti_term(app->worker, m->ticket);
    else if (!r->is_silent)
        parti_nak(app->worker, m->ticket, r->delay_ms);
}

static uint64_t gap_ms(size_t from, size_t to)
{
    return (field.entry[to].begin_ns - field.entry[from].end_ns) / CLOCK_NS_PER_MS;
}

static atomic_int others; /* messages of p/1 handled so far */

/* Refuses "2" twice, and on until all of p/1 have been handled. */
static void refuse_until_others(struct field_app *app, const struct parti_message *m)
{
    bool is_it = m->data_n == 1 && m->data[0] == '2';

    if (strcmp(m->partition->id, "p/1") == 0)
        (void)atomic_fetch_add(&others, 1);
    if (is_it && (m->attempt <= 2 || atomic_load(&others) < 5))
        parti_nak(app->worker, m->ticket, 0);
    else
        parti_ack(app->worker, m->ticket);
}

START_TEST(a_nak_comes_again_later_and_holds_up_nobody_else)
{
    size_t at[64], n = 0;

    field_begin(_i);
    field_put(0, 0, 5);
    struct field_app *app =
        field_start(field_conf(2, "retry_first = 200 ms\nretry_max = 300 ms\n"
                                  "attempts_max = 0\n"),
                    refuse_until_others, NULL);
    atomic_store(&others, 0);
    field_await_calls(3);
    field_put(1, 10, 5); /* another partition meanwhile */
    field_await_last(0, 4);
    field_leave(app);
    for (size_t i = 0; i < field.entries && n < 64; i++)
        if (strcmp(field.entry[i].data, "2") == 0)
            at[n++] = i;
    ck_assert_uint_ge(n, 3);
    ck_assert_uint_eq(field.entry[at[2]].attempt, 3);
    ck_assert_uint_ge(gap_ms(at[0], at[1]), 199); /* retry_first */
    ck_assert_uint_ge(gap_ms(at[1], at[2]), 299); /* doubled, cut to retry_max */
    /* Nothing of its own partition overtook it. */
    for (size_t i = at[0]; i < at[n - 1]; i++)
        ck_assert(field.entry[i].part == 1 || strcmp(field.entry[i].data, "2") == 0);
    field_end();
}
END_TEST

START_TEST(the_handler_chooses_the_pause_of_a_nak)
{
    struct refusal r = {.data = "0", .times = 1, .delay_ms = 400};

    field_begin(_i);
    field_put(0, 0, 1);
    struct field_app *app = field_start(field_conf(1, ""), refuse, &r);
    field_await_calls(2);
    ck_assert_uint_ge(gap_ms(0, 1), 399);
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(what_fails_too_often_becomes_a_dead_letter_that_says_why)
{
    struct refusal r = {.data = "1", .times = -1};

    field_begin(_i);
    field_put(0, 0, 3);
    struct field_app *app =
        field_start(field_conf(1, "attempts_max = 3\nretry_first = 1 ms\n"
                                  "dead_letter = graveyard\n"),
                    refuse, &r);
    field_await_calls(1 + 3 + 1);
    field_await_settled(app, 0, 2 * STEP + 1);
    field_leave(app);
    const char *dead = field_file("dead");
    ck_assert_msg(strstr(dead, "graveyard 10 Parti-Reason=every attempt failed;"
                               "Parti-Attempts=3;Parti-Group=g;Parti-Partition=p/0;"
                               "Parti-Position=10;Parti-Token=") == dead,
                  "%s", dead);
    ck_assert_ptr_nonnull(strstr(dead, ";Parti-Subject=test.p.0 1\n"));
    field_end();
}
END_TEST

START_TEST(a_dead_letter_that_is_not_written_is_said_and_tried_again)
{
    struct refusal r = {.data = "1", .times = -1, .is_term = true};

    field_begin(_i);
    field_put(0, 0, 3);
    struct field_app *app =
        field_start(field_conf(1, "dead_letter = d\nbehave = nobury\n"), refuse, &r);
    ck_assert_ptr_nonnull(strstr(field_await_error(app, ERR_DEAD_LETTER),
                                 "not written: the graveyard is closed. It is tried"));
    field_await_settled(app, 0, 2 * STEP + 1);
    field_leave(app);
    ck_assert_ptr_nonnull(strstr(field_file("dead"), "d 10 "));
    field_check_order(1, 3); /* nothing overtook it */
    field_end();
}
END_TEST

START_TEST(a_term_is_a_dead_letter_at_once)
{
    struct refusal r = {.data = "1", .times = -1, .is_term = true};

    field_begin(_i);
    field_put(0, 0, 3);
    struct field_app *app = field_start(field_conf(1, "dead_letter = d\n"), refuse, &r);
    field_await_calls(3);
    field_await_settled(app, 0, 2 * STEP + 1);
    const char *said = field_await_error(app, ERR_MESSAGE_BURIED);
    ck_assert_ptr_nonnull(strstr(said, "10 went to the dead letters: the handler"));
    field_leave(app);
    ck_assert_ptr_nonnull(strstr(field_file("dead"), "Parti-Attempts=1;"));
    field_end();
}
END_TEST

START_TEST(without_a_place_for_dead_letters_it_is_tried_for_ever_and_said)
{
    struct refusal r = {.data = "0", .times = 4};

    field_begin(_i);
    field_put(0, 0, 2);
    struct field_app *app = field_start(
        field_conf(1, "attempts_max = 2\nretry_first = 1 ms\nretry_max = 5 ms\n"), refuse,
        &r);
    ck_assert_ptr_nonnull(strstr(field_await_error(app, ERR_MESSAGE_SPENT),
                                 ". Set [consume] dead_letter, or mend the handler"));
    field_await_calls(4 + 2);
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(no_answer_in_time_is_a_nak)
{
    struct refusal r = {.data = "0", .times = 1, .is_silent = true};

    field_begin(_i);
    field_put(0, 0, 2);
    struct field_app *app = field_start(
        field_conf(1, "handle_timeout = 150 ms\nretry_first = 1 ms\n"), refuse, &r);
    field_await_calls(3);
    ck_assert_uint_ge(gap_ms(0, 1), 149);
    ck_assert_ptr_nonnull(strstr(field_await_error(app, ERR_HANDLER_SILENT),
                                 "position 0 within handle_timeout, 150 ms"));
    ck_assert_uint_eq(field.entry[1].attempt, 2);
    /* Its ticket has lost its meaning. */
    parti_term(app->worker, field.entry[0].ticket);
    field_await_settled(app, 0, STEP + 1);
    field_leave(app);
    ck_assert_str_eq(field_file("dead"), "");
    field_end();
}
END_TEST

static sem_t gate;

/* Waits for the test's word and says meanwhile that it is still at it. */
static void take_long(struct field_app *app, const struct parti_message *m)
{
    for (int failed = -1; failed != 0;) {
        struct timespec until;

        must(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
        until.tv_nsec += 30 * 1000 * 1000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        failed = sem_clockwait(&gate, CLOCK_MONOTONIC, &until);
        parti_progress(app->worker, m->ticket);
    }
    parti_ack(app->worker, m->ticket);
}

/* Returns when so much time has passed for the application of another partition: an
 * event to wait for in the place of a sleep. */
static void pass_some_time(const struct field_app *app, int part, int from, int n,
                           uint64_t next)
{
    field_put(part, from, n);
    field_await_settled(app, part, next);
}

static void only_part_0_takes_long(struct field_app *app, const struct parti_message *m)
{
    if (strcmp(m->partition->id, "p/0") == 0)
        take_long(app, m);
    else
        parti_ack(app->worker, m->ticket);
}

START_TEST(work_in_progress_is_not_timed_out)
{
    field_begin(_i);
    must(sem_init(&gate, 0, 0) == 0);
    field_put(0, 0, 1);
    struct field_app *app =
        field_start(field_conf(2, "handle_timeout = 120 ms\ncommit_interval = 400 ms\n"),
                    only_part_0_takes_long, NULL);
    pass_some_time(app, 1, 0, 1, 1); /* 400 ms */
    ck_assert_uint_eq(field.entries, 2);
    must(sem_post(&gate) == 0);
    field_await_settled(app, 0, 1);
    ck_assert_uint_eq(field.entries, 2);
    field_leave(app);
    field_end();
}
END_TEST

static void answer_later(struct field_app *app, const struct parti_message *m)
{
    (void)app;
    (void)m;
}

START_TEST(an_answer_may_come_later_and_speaks_for_what_was_before_it)
{
    field_begin(_i);
    field_put(0, 0, 10);
    struct field_app *app = field_start(
        field_conf(1, "deliver_max = 4\ncommit_interval = 10 ms\n"), answer_later, NULL);
    field_await_calls(4);
    parti_ack(app->worker, field.entry[2].ticket);
    field_await_settled(app, 0, 2 * STEP + 1);
    field_await_calls(7); /* 3..6 */
    /* A nak in the middle: that one and all behind it once more. */
    parti_nak(app->worker, field.entry[4].ticket, 1);
    field_await_calls(10);
    ck_assert_str_eq(field.entry[7].data, "4");
    ck_assert_uint_eq(field.entry[7].attempt, 2);
    ck_assert_str_eq(field.entry[9].data, "6");
    parti_ack(app->worker, field.entry[6].ticket); /* of an attempt that is over */
    parti_ack(app->worker, field.entry[9].ticket);
    field_await_calls(13); /* 7, 8, 9 */
    parti_ack(app->worker, field.entry[12].ticket);
    field_await_settled(app, 0, 9 * STEP + 1);
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(what_is_returned_comes_again_and_its_attempt_does_not_count)
{
    field_begin(_i);
    field_put(0, 0, 1);
    struct field_app *app =
        field_start(field_conf(1, "attempts_max = 2\ndead_letter = d\n"
                                  "commit_interval = 10 ms\n"),
                    answer_later, NULL);
    for (size_t i = 0; i < 5; i++) {
        field_await_calls(i + 1);
        parti_return(app->worker, field.entry[i].ticket);
    }
    field_await_calls(6);
    parti_ack(app->worker, field.entry[5].ticket);
    field_await_settled(app, 0, 1);
    ck_assert_str_eq(field_file("dead"), "");
    field_leave(app);
    field_end();
}
END_TEST

/* ---- limits ------------------------------------------------------------------------ */

/* How much credit the log says was given to a partition. */
static uint64_t credit_of(const char *id)
{
    char word[64];
    uint64_t sum = 0;

    format(word, sizeof word, "credit %s ", id);
    for (const char *at = field_file("log"); (at = strstr(at, word)) != NULL;) {
        at += strlen(word);
        sum += strtoull(at, NULL, 10);
    }
    return sum;
}

START_TEST(no_more_messages_are_here_than_in_flight_allows)
{
    field_begin(_i);
    field_put(0, 0, 100);
    struct field_app *app = field_start(
        field_conf(1, "in_flight = 8\ncommit_interval = 10 ms\n"), answer_later, NULL);
    field_await_calls(1);
    ck_assert_uint_eq(credit_of("p.0"), 8);
    for (size_t i = 0; i < 10; i++) {
        field_await_calls(i + 1);
        parti_ack(app->worker, field.entry[i].ticket);
    }
    field_await_settled(app, 0, 9 * STEP + 1);
    ck_assert_uint_le(credit_of("p.0"), 8 + 10);
    field_drop(app);
    field_end();
}
END_TEST

START_TEST(all_partitions_share_in_flight_total)
{
    field_begin(_i);
    for (int p = 0; p < 4; p++)
        field_put(p, 0, 100);
    struct field_app *app = field_start(
        field_conf(4, "in_flight = 16\nin_flight_total = 16\n"), answer_later, NULL);
    field_await_calls(4);
    uint64_t sum = 0;
    for (int p = 0; p < 4; p++) {
        char id[16];

        format(id, sizeof id, "p.%d", p);
        ck_assert_uint_ge(credit_of(id), 1 + 16 / 4); /* one of each aside */
        sum += credit_of(id);
    }
    ck_assert_uint_le(sum, 16 + 4);
    field_drop(app);
    field_end();
}
END_TEST

static atomic_int inside, most_inside;

/* Leaves when 'ctx' of them are inside, or when the gate is opened. */
static void meet(struct field_app *app, const struct parti_message *m)
{
    int now = atomic_fetch_add(&inside, 1) + 1;

    if (now > atomic_load(&most_inside))
        atomic_store(&most_inside, now);
    if (now == *(const int *)app->ctx)
        for (int i = 0; i < now; i++)
            must(sem_post(&gate) == 0);
    must(sem_wait(&gate) == 0);
    (void)atomic_fetch_sub(&inside, 1);
    parti_ack(app->worker, m->ticket);
}

START_TEST(as_many_partitions_are_handled_at_once_as_there_are_handlers)
{
    int wanted = 3;

    field_begin(_i);
    must(sem_init(&gate, 0, 0) == 0);
    atomic_store(&inside, 0);
    atomic_store(&most_inside, 0);
    for (int p = 0; p < 9; p++)
        field_put(p, 0, 1);
    struct field_app *app = field_start(field_conf(9, "handlers = 3\n"), meet, &wanted);
    field_await_calls(9);
    ck_assert_int_eq(atomic_load(&most_inside), 3);
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(the_position_is_recorded_after_commit_messages)
{
    field_begin(_i);
    field_put(0, 0, 25);
    struct field_app *app = field_start(
        field_conf(1, "commit_interval = 1 h\ncommit_messages = 10\n"), NULL, NULL);
    field_await_settled(app, 0, 15 * STEP + 1); /* less than 10 are left */
    field_leave(app);
    field_end();
}
END_TEST

RIG_MAIN("consume", messages_come_in_order_and_their_position_is_kept,
         a_partition_moves_between_messages_and_none_is_lost_or_doubled,
         the_message_is_what_the_broker_gave,
         a_nak_comes_again_later_and_holds_up_nobody_else,
         the_handler_chooses_the_pause_of_a_nak,
         what_fails_too_often_becomes_a_dead_letter_that_says_why,
         a_dead_letter_that_is_not_written_is_said_and_tried_again,
         a_term_is_a_dead_letter_at_once,
         without_a_place_for_dead_letters_it_is_tried_for_ever_and_said,
         no_answer_in_time_is_a_nak, work_in_progress_is_not_timed_out,
         an_answer_may_come_later_and_speaks_for_what_was_before_it,
         what_is_returned_comes_again_and_its_attempt_does_not_count,
         no_more_messages_are_here_than_in_flight_allows,
         all_partitions_share_in_flight_total,
         as_many_partitions_are_handled_at_once_as_there_are_handlers,
         the_position_is_recorded_after_commit_messages)
