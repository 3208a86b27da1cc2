/* Consumer plugins that break a rule: refused in words, and nobody else pays for it. */
#include "config.h"

#include "field.h"

#include "base/errors.h"
#include "host/consumer.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Each is refused with these words, what was handled stays handled, and the worker leaves
 * in order. */
static void breaks(int program, const char *behave, const char *words)
{
    char more[256];

    field_begin(program);
    field_put(0, 0, 3);
    format(more, sizeof more, "behave = %s\ncommit_interval = 10 ms\n", behave);
    struct field_app *app = field_start(field_conf(1, more), NULL, NULL);
    const char *said = field_await_error(app, ERR_READER_BROKEN);
    ck_assert_msg(strstr(said, words) != NULL, "'%s' is not in: %s", words, said);
    ck_assert_ptr_nonnull(strstr(said, "consume broker broke the rules"));
    field_leave(app);
    for (size_t i = 0; i < field.entries; i++) {
        char number[8];

        format(number, sizeof number, "%zu", i);
        ck_assert_str_eq(field.entry[i].data, number);
    }
    /* A good one goes on behind what was handled. */
    size_t before = field.entries;
    app = field_start(field_conf(1, "commit_interval = 10 ms\n"), NULL, NULL);
    field_await_calls(3);
    field_leave(app);
    ck_assert_uint_le(before, 3);
    field_check_order(1, 3);
    field_end();
}

START_TEST(more_messages_than_credit)
{
    breaks(_i, "overrun", "delivered 256 messages to lane 0, which had room for 64");
}
END_TEST

START_TEST(positions_that_do_not_ascend)
{
    breaks(_i, "descend", "delivered position 0 to lane 0 where 1 is the least");
}
END_TEST

START_TEST(a_lane_that_was_never_started)
{
    breaks(_i, "lane", "deliver() for lane 4000000000, which was never started");
}
END_TEST

START_TEST(a_run_that_was_never_started)
{
    breaks(_i, "run", "deliver() for run 8 of lane 0, which was never started");
}
END_TEST

START_TEST(beginning_twice)
{
    breaks(_i, "twice", "begun() twice for run 1 of lane 0");
}
END_TEST

START_TEST(messages_before_the_beginning)
{
    breaks(_i, "early", "to lane 0 before begun()");
}
END_TEST

START_TEST(an_answer_to_no_bury)
{
    breaks(_i, "bury", "buried() for lane 0 without having been asked");
}
END_TEST

START_TEST(a_message_without_subject)
{
    breaks(_i, "unsound", "a message to lane 0 that has no subject");
}
END_TEST

START_TEST(trouble_is_told_and_passes)
{
    field_begin(_i);
    field_put(0, 0, 3);
    struct field_app *app = field_start(field_conf(1, "behave = trouble\n"), NULL, NULL);
    field_await_calls(3);
    field_leave(app);
    field_check_order(1, 3);
    field_end();
}
END_TEST

/* ---- a broker in trouble */

/* One more message of p/PART, which says how things stand there, and is handled. */
static void now(int part, const char *line)
{
    size_t before;

    (void)pthread_mutex_lock(&field.lock);
    before = field.entries;
    (void)pthread_mutex_unlock(&field.lock);
    field_put_line(part, line);
    field_await_calls(before + 1);
}

/* What was told of trouble so far, in its order, must be this; n texts.  The last of them
 * is awaited. */
struct told {
    const struct field_app *app;
    int n;
};

static bool is_told(void *ctx)
{
    const struct told *t = ctx;

    return t->app->errors >= t->n;
}

static void await_told(const struct field_app *app, int n)
{
    struct told t = {app, n};

    field_await(is_told, &t, "what is told of trouble");
}

START_TEST(each_reason_of_trouble_is_told_once_until_all_is_fine)
{
    static const char *const told[] = {"partition p/0: ", "its lunch",
                                       "partition p/2: ", "no paper",
                                       "partition p/0: ", "its lunch"};

    field_begin(_i);
    struct field_app *app = field_start(field_conf(3, "behave = gloomy\n"), NULL, NULL);
    field_await_assigned(app, 3);
    now(0, "trouble its lunch");
    now(1, "trouble its lunch");
    now(2, "trouble no paper"); /* another reason */
    now(0, "fine");
    now(2, "fine");
    now(2, "trouble no paper"); /* p/1 is in trouble all the while */
    now(2, "fine");
    now(1, "fine");
    now(0, "trouble its lunch"); /* all was fine before */
    await_told(app, 3);
    ck_assert_int_eq(app->errors, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(app->error[i].code, ERR_READER_STUCK);
        ck_assert_ptr_nonnull(strstr(app->error[i].text, told[2 * i]));
        ck_assert_ptr_nonnull(strstr(app->error[i].text, told[2 * i + 1]));
    }
    field_leave(app);
    field_end();
}
END_TEST

/* A reason for each partition, and one that comes and goes: neither fills the log. */
START_TEST(no_number_of_reasons_fills_the_log)
{
    uint64_t begun_ms;
    char line[32];

    field_begin(_i);
    struct field_app *app = field_start(field_conf(1, "behave = gloomy\n"), NULL, NULL);
    field_await_assigned(app, 1);
    begun_ms = clock_boot_ms();
    for (int i = 0; i < 40; i++) {
        format(line, sizeof line, "trouble of kind %d", i);
        now(0, line);
    }
    for (int i = 0; i < 40; i++)
        now(0, i % 2 == 0 ? "fine" : "trouble again");
    /* 8 lines in 10 s; a busy machine may take longer than those. */
    await_told(app, 8);
    ck_assert_int_le(app->errors, 8 + 8 * (int)((clock_boot_ms() - begun_ms) / 10000));
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(a_partition_that_does_not_fit_is_told_and_given_back_in_order)
{
    field_begin(_i);
    field_put(0, 0, 3);
    struct field_app *app = field_start(field_conf(1, "behave = unfit\n"), NULL, NULL);
    ck_assert_str_eq(field_await_error(app, ERR_READER_STUCK),
                     "partition p/0 cannot be read: consume broker says: the partition "
                     "has too few keys. It is tried again");
    field_leave(app);
    ck_assert_uint_eq(field.entries, 0);
    field_end();
}
END_TEST

/* How often the broker was to read, in the log that it keeps. */
static int starts(void)
{
    int n = 0;

    for (const char *at = field_file("log"); (at = strstr(at, "start ")) != NULL; at++)
        n++;
    return n;
}

START_TEST(partitions_that_do_not_fit_are_one_message_however_often_they_are_tried)
{
    uint64_t until_ms;

    field_begin(_i);
    struct field_app *app = field_start(field_conf(40, "behave = unfit\n"), NULL, NULL);
    ck_assert_ptr_nonnull(strstr(field_await_error(app, ERR_READER_STUCK),
                                 "40 partitions, one of them p/"));
    until_ms = clock_boot_ms() + FIELD_MS;
    while (starts() < 40 * 5) {
        ck_assert_uint_lt(clock_boot_ms(), until_ms);
        (void)poll(NULL, 0, 10);
    }
    ck_assert_int_eq(app->errors, 1);
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(a_plugin_that_hangs_is_told_and_holds_no_partition_for_longer_than_its_time)
{
    field_begin(_i);
    field_put(0, 0, 3);
    struct field_app *app = field_start(
        field_conf(1, "behave = hang\nin_flight = 1\n[worker]\nrevoke_timeout = 1 s\n"),
        NULL, NULL);
    ck_assert_ptr_nonnull(strstr(field_await_error(app, ERR_READER_BROKEN),
                                 "has not returned from credit() for 5 s"));
    /* Another worker gets it. */
    struct field_app *other = field_start(field_conf(1, ""), NULL, NULL);
    parti_stop(app->worker, 0);
    field_await_assigned(other, 1);
    ck_assert_int_eq(parti_wait(app->worker, PARTI_SHUTDOWN, FIELD_MS), 0);
    field_await_last(0, 2);
    field_drop(app); /* comes back, though the plugin's call goes on for ever */
    field_leave(other);
    field_end();
}
END_TEST

static char said[512];

static void on_problem(void *ctx, int code, const char *text)
{
    (void)ctx;
    ck_assert_int_eq(code, ERR_LANES);
    (void)snprintf(said, sizeof said, "%s", text);
}

static void on_clear(void *ctx, struct parti_hold hold)
{
    *(struct parti_hold *)ctx = hold;
}

START_TEST(more_partitions_than_can_be_consumed_are_told_and_released_at_once)
{
    struct consumer *c = NULL;
    struct parti_hold hold = {CONSUMER_LANES_MAX, 5}, cleared = {0, 0};
    const struct part_view part = {.id = {"p", 1}, .since = 1, .gen = 1};
    struct conf conf;

    field_begin(_i);
    ck_assert_int_eq(conf_load(&conf, field_conf(1, "")), 0);
    const struct consumer_setup setup = {
        .conf = &conf, .ctx = &cleared, .clear = on_clear, .problem = on_problem};
    ck_assert_int_eq(consumer_create(&c, &setup, &conf.errors), 0);
    consumer_granted(c, &part, &hold, 1);
    ck_assert_ptr_nonnull(strstr(said, "more partitions than it can consume (65536)"));
    consumer_revoked(c, &hold, 1, UINT64_MAX);
    ck_assert_uint_eq(cleared.slot, CONSUMER_LANES_MAX);
    consumer_destroy(c);
    conf_finish(&conf);
    field_end();
}
END_TEST

static void refused(const char *conf, const char *words)
{
    static const struct parti_callbacks none = {.size = sizeof none};
    const struct parti_options options = {
        .size = sizeof options, .config = conf, .callbacks = &none};
    struct parti_worker *worker = NULL;
    char text[2048] = "";

    ck_assert_int_eq(parti_create(&worker, &options, text, sizeof text),
                     PARTI_ERR_CONFIG);
    ck_assert_msg(strstr(text, words) != NULL, "'%s' is not in: %s", words, text);
}

START_TEST(mistakes_are_told_with_their_line)
{
    field_begin(_i);
    refused(field_conf(1, ""), "parti.ini:13: [consume] is there, but this application "
                               "takes no messages");
    field_end();
}
END_TEST

/* None of this depends on the server: the first of them does. */
FIELD_CREW("consume_evil", more_messages_than_credit, positions_that_do_not_ascend,
           a_lane_that_was_never_started, a_run_that_was_never_started, beginning_twice,
           messages_before_the_beginning, an_answer_to_no_bury, a_message_without_subject,
           trouble_is_told_and_passes,
           each_reason_of_trouble_is_told_once_until_all_is_fine,
           no_number_of_reasons_fills_the_log,
           a_partition_that_does_not_fit_is_told_and_given_back_in_order,
           partitions_that_do_not_fit_are_one_message_however_often_they_are_tried,
           a_plugin_that_hangs_is_told_and_holds_no_partition_for_longer_than_its_time,
           more_partitions_than_can_be_consumed_are_told_and_released_at_once,
           mistakes_are_told_with_their_line)
