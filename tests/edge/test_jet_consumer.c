/* The consumer role of jetstream against real servers: order, credit, the way of a
 * partition from reader to reader, and what goes wrong on the way. */
#include "config.h"

#include "jet_bench.h"
#include "jet_host.h"

#include <stdio.h>
#include <string.h>

static struct jet_bench b;
static struct jet_host one, two;

static void begin(int i)
{
    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
}

static void make_stream(const char *retention, const char *storage)
{
    char body[512];

    (void)snprintf(body, sizeof body,
                   "{\"name\":\"S\",\"subjects\":[\"p.>\"],\"storage\":\"%s\","
                   "\"retention\":\"%s\"}",
                   storage, retention);
    jet_api(&b, "$JS.API.STREAM.CREATE.S", body);
}

/* Numbered messages of one partition, each one taken by the stream. */
static void produce(int partition, int first, int n)
{
    char subject[32], text[32];

    (void)snprintf(subject, sizeof subject, "p.%d", partition);
    for (int i = first; i < first + n; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        jet_api(&b, subject, text);
    }
}

static void join(struct jet_host *h)
{
    const char *const pairs[] = {"url",   b.url,  "stream", "S", "subject",
                                 "p.{1}", "name", "test",   NULL};

    host_start(h, pairs);
    ck_assert_msg(h->self != NULL, "%s", h->error.text);
}

static json_int_t state_of(const char *what)
{
    json_t *o = jet_ask(&b, "$JS.API.STREAM.INFO.S", "");
    json_int_t n = json_integer_value(json_object_get(json_object_get(o, "state"), what));

    json_decref(o);
    return n;
}

/* Until the stream says so: requests one after the other, no more than the deadline. */
static void await_state(const char *what, json_int_t expected)
{
    uint64_t deadline = threads_now_ms() + 10000;
    json_int_t n = state_of(what);

    while (n != expected && threads_now_ms() < deadline)
        n = state_of(what);
    ck_assert_msg(n == expected, "%s is %lld, not %lld", what, (long long)n,
                  (long long)expected);
}

static const char *const retentions[] = {"limits", "workqueue", "interest"};

/* With the first reader in place, since without interest messages are not kept. */
static void settle(struct jet_host *h, uint32_t lane, const char *id, uint64_t gen,
                   uint64_t credit)
{
    ck_assert_int_eq(host_run(h, lane, id, gen, 0, 0, credit), PARTI_OK);
    host_await_begun(h, lane, 1);
}

/* ---- order and credit ------------------------------------------------------------ */

START_TEST(each_lane_has_its_messages_in_order_whatever_the_retention)
{
    begin(_i);
    for (size_t r = 0; r < 3; r++) {
        make_stream(retentions[r], "memory");
        join(&one);
        for (uint32_t lane = 0; lane < 4; lane++) {
            char id[8];

            (void)snprintf(id, sizeof id, "%u", lane);
            settle(&one, lane, id, 1, 1000);
        }
        for (int i = 0; i < 50; i++)
            for (int p = 0; p < 4; p++)
                produce(p, i, 1);
        for (uint32_t lane = 0; lane < 4; lane++) {
            host_await(&one, lane, 50);
            host_expect(&one, lane, 50, 0);
            ck_assert_int_eq(one.lane[lane].subject[2], (int)('0' + lane));
        }
        host_finish(&one);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

START_TEST(a_lane_without_credit_waits_and_holds_up_nobody)
{
    begin(_i);
    make_stream("limits", "memory");
    produce(0, 0, 100);
    produce(1, 0, 100);
    join(&one);
    settle(&one, 0, "0", 1, 10);
    settle(&one, 1, "1", 1, 500);
    host_await(&one, 1, 100);
    host_await(&one, 0, 10);
    host_credit(&one, 0, 1);
    host_await(&one, 0, 11); /* the inlet refuses what is beyond */
    for (int i = 0; i < 89; i++)
        host_credit(&one, 0, 1);
    host_await(&one, 0, 100);
    host_expect(&one, 0, 100, 0);
    host_expect(&one, 1, 100, 0);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

START_TEST(a_run_begins_at_its_position_or_at_what_is_left)
{
    begin(_i);
    make_stream("limits", "memory");
    produce(0, 0, 20);
    join(&one);
    settle(&one, 0, "0", 1, 100);
    host_await(&one, 0, 20);
    uint64_t origin = one.lane[0].origin, eighth = one.lane[0].position[8];
    ck_assert_uint_ne(origin, 0);
    host_stop(&one, 0, 1);
    ck_assert_int_eq(host_run(&one, 1, "0", 2, origin, eighth, 100), PARTI_OK);
    host_await(&one, 1, 12);
    host_expect(&one, 1, 12, 8);
    ck_assert_uint_eq(one.lane[1].from, eighth);
    host_stop(&one, 1, 1);
    jet_api(&b, "$JS.API.STREAM.PURGE.S", "{\"seq\":15}");
    ck_assert_int_eq(host_run(&one, 2, "0", 3, origin, eighth, 100), PARTI_OK);
    host_await(&one, 2, 6);
    host_expect(&one, 2, 6, 14);
    ck_assert_uint_eq(one.lane[2].from, eighth); /* it is not known what these were */
    await_state("consumer_count", 1);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

/* ---- from holder to holder ------------------------------------------------------- */

/* Upstream's fault: nine messages that had been given out and not acked were never seen
 * again after their partition moved. */
static void move(const char *retention, int is_orderly)
{
    make_stream(retention, "memory");
    join(&one);
    join(&two);
    settle(&one, 0, "0", 1, 1000);
    settle(&one, 1, "1", 1, 1000);
    produce(0, 0, 10);
    produce(1, 0, 10);
    host_await(&one, 0, 10);
    host_await(&one, 1, 10);
    uint64_t origin = one.lane[0].origin, next = one.lane[0].position[1];
    host_done(&one, 0, next);
    if (is_orderly)
        host_stop(&one, 0, 1);
    produce(0, 10, 5);
    ck_assert_int_eq(host_run(&two, 0, "0", 2, origin, next, 1000), PARTI_OK);
    host_await(&two, 0, 14);
    host_expect(&two, 0, 14, 1);
    if (!is_orderly && strcmp(retention, "workqueue") == 0)
        host_await_trouble(&one, 0, PARTI_RETRY, "later holder");
    produce(0, 15, 5);
    host_await(&two, 0, 19);
    host_expect(&two, 0, 19, 1);
    host_expect(&one, 1, 10, 0);
    host_done(&two, 0, two.lane[0].position[18] + 1);
    host_done(&one, 1, one.lane[1].position[9] + 1);
    if (strcmp(retention, "limits") != 0)
        await_state("messages", 0);
    host_finish(&two);
    host_finish(&one);
    jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
}

START_TEST(a_partition_that_is_given_up_strands_nothing)
{
    begin(_i);
    for (size_t r = 0; r < 3; r++)
        move(retentions[r], 1);
    jet_finish(&b);
}
END_TEST

START_TEST(a_holder_that_hangs_on_is_passed_over_and_keeps_off)
{
    begin(_i);
    for (size_t r = 0; r < 3; r++)
        move(retentions[r], 0);
    jet_finish(&b);
}
END_TEST

START_TEST(interest_does_not_lapse_between_two_holders)
{
    begin(_i);
    make_stream("interest", "memory");
    join(&one);
    settle(&one, 0, "0", 1, 100);
    produce(0, 0, 3);
    host_await(&one, 0, 3);
    uint64_t origin = one.lane[0].origin, next = one.lane[0].position[2] + 1;
    host_done(&one, 0, next);
    await_state("messages", 0);
    host_stop(&one, 0, 1);
    host_finish(&one);
    produce(0, 3, 7);
    ck_assert_int_eq(state_of("messages"), 7);
    join(&two);
    ck_assert_int_eq(host_run(&two, 0, "0", 2, origin, next, 100), PARTI_OK);
    host_await(&two, 0, 7);
    host_expect(&two, 0, 7, 3);
    await_state("consumer_count", 1);
    host_done(&two, 0, two.lane[0].position[6] + 1);
    await_state("messages", 0);
    host_finish(&two);
    jet_finish(&b);
}
END_TEST

START_TEST(a_consumer_of_somebody_else_in_a_work_queue_is_told_and_left_alone)
{
    begin(_i);
    make_stream("workqueue", "memory");
    jet_api(&b, "$JS.API.CONSUMER.CREATE.S.mine.p.0",
            "{\"stream_name\":\"S\",\"config\":{\"name\":\"mine\",\"durable_name\":"
            "\"mine\",\"filter_subject\":\"p.0\",\"ack_policy\":\"explicit\"}}");
    produce(0, 0, 5);
    join(&one);
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 100), PARTI_OK);
    host_await_trouble(&one, 0, PARTI_RETRY, "another consumer of stream S covers 'p.0'");
    ck_assert_int_eq(state_of("consumer_count"), 1);
    jet_api(&b, "$JS.API.CONSUMER.DELETE.S.mine", "");
    host_await(&one, 0, 5);
    host_expect(&one, 0, 5, 0);
    host_await_trouble(&one, 0, PARTI_OK, "");
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

/* ---- what goes wrong ------------------------------------------------------------- */

/* Deletes every consumer of the stream. */
static void delete_consumers(void)
{
    json_t *o = jet_ask(&b, "$JS.API.CONSUMER.NAMES.S", "{\"offset\":0}"), *name;
    size_t i;

    ck_assert_uint_gt(json_array_size(json_object_get(o, "consumers")), 0);
    json_array_foreach(json_object_get(o, "consumers"), i, name)
    {
        char subject[512];

        (void)snprintf(subject, sizeof subject, "$JS.API.CONSUMER.DELETE.S.%s",
                       json_string_value(name));
        jet_api(&b, subject, "");
    }
    json_decref(o);
}

START_TEST(a_reader_deleted_behind_our_back_is_made_anew_without_a_gap)
{
    begin(_i);
    for (size_t r = 0; r < 3; r++) {
        make_stream(retentions[r], "memory");
        join(&one);
        settle(&one, 0, "0", 1, 1000);
        produce(0, 0, 20);
        host_await(&one, 0, 20);
        host_done(&one, 0, one.lane[0].position[10]);
        delete_consumers();
        host_await_trouble(&one, 0, PARTI_RETRY, "reader is gone");
        host_await_trouble(&one, 0, PARTI_OK, "");
        produce(0, 20, 20);
        host_await(&one, 0, 40);
        host_expect(&one, 0, 40, 0);
        host_done(&one, 0, one.lane[0].position[39] + 1);
        if (r == 1)
            await_state("messages", 0);
        host_finish(&one);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

START_TEST(a_server_that_comes_back_is_read_on_from_the_same_place)
{
    begin(_i);
    for (size_t r = 0; r < 3; r++) {
        make_stream(retentions[r], "file");
        join(&one);
        settle(&one, 0, "0", 1, 1000);
        produce(0, 0, 20);
        host_await(&one, 0, 20);
        host_done(&one, 0, one.lane[0].position[10]);
        if (r > 0)
            await_state("messages", 10);
        jet_stop(&b);
        host_await_trouble(&one, 0, PARTI_RETRY, "");
        jet_restart(&b);
        host_await_trouble(&one, 0, PARTI_OK, "");
        produce(0, 20, 20);
        host_await(&one, 0, 40);
        host_expect(&one, 0, 40, 0);
        /* It crashes; what it had and was not done is the next one's. */
        host_finish(&one);
        join(&two);
        ck_assert_int_eq(
            host_run(&two, 0, "0", 2, one.lane[0].origin, one.lane[0].position[10], 1000),
            PARTI_OK);
        host_await(&two, 0, 30);
        host_expect(&two, 0, 30, 10);
        host_done(&two, 0, two.lane[0].position[29] + 1);
        if (r > 0)
            await_state("messages", 0);
        host_finish(&two);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

START_TEST(a_stream_made_anew_is_another_one)
{
    begin(_i);
    make_stream("limits", "memory");
    join(&one);
    settle(&one, 0, "0", 1, 1000);
    produce(0, 0, 5);
    host_await(&one, 0, 5);
    uint64_t origin = one.lane[0].origin;
    jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    host_await_trouble(&one, 0, PARTI_RETRY, "there is no stream S");
    make_stream("limits", "memory");
    produce(0, 5, 3);
    host_await_trouble(&one, 0, PARTI_BADINPUT, "made anew");
    host_stop(&one, 0, 0);
    ck_assert_int_eq(host_run(&one, 0, "0", 1, origin, 6, 1000), PARTI_OK);
    host_await(&one, 0, 8);
    host_expect(&one, 0, 8, 0);
    ck_assert_uint_ne(one.lane[0].origin, origin);
    ck_assert_uint_eq(one.lane[0].from, 1);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

START_TEST(nothing_is_read_where_nothing_is_held)
{
    begin(_i);
    make_stream("limits", "memory");
    produce(0, 0, 5);
    join(&one);
    settle(&one, 0, "0", 1, 100);
    host_await(&one, 0, 5);
    host_stop(&one, 0, 1);
    await_state("consumer_count", 0);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

/* ---- dead letters ---------------------------------------------------------------- */

START_TEST(a_dead_letter_is_safe_when_a_stream_has_it)
{
    begin(_i);
    make_stream("limits", "memory");
    produce(0, 0, 1);
    join(&one);
    settle(&one, 0, "0", 1, 100);
    host_await(&one, 0, 1);
    host_bury(&one, 0, 7, "dead.p", "hello");
    host_await_buried(&one, 0, 1);
    ck_assert_int_eq(one.lane[0].buried_code, PARTI_RETRY);
    ck_assert_says(one.lane[0].buried_text, "no stream takes 'dead.p'");
    jet_api(&b, "$JS.API.STREAM.CREATE.D",
            "{\"name\":\"D\",\"subjects\":[\"dead.>\"],\"storage\":\"memory\"}");
    host_bury(&one, 0, 7, "dead.p", "hello");
    host_await_buried(&one, 0, 2);
    ck_assert_msg(one.lane[0].buried_code == PARTI_OK, "%s", one.lane[0].buried_text);
    ck_assert_uint_eq(one.lane[0].buried_position, 7);
    /* Read back by the plugin itself, as a stream like any other. */
    const char *const pairs[] = {"url",     b.url,      "stream", "D",
                                 "subject", "dead.{1}", NULL};
    host_start(&two, pairs);
    settle(&two, 0, "p", 1, 10);
    host_await(&two, 0, 1);
    ck_assert_says(two.lane[0].headers, "Kind=old ");
    ck_assert_says(two.lane[0].headers, "Parti-Reason=test ");
    ck_assert_ptr_null(strstr(two.lane[0].headers, "Expected"));
    /* Once more, as after an answer that was lost: one letter. */
    host_bury(&one, 0, 7, "dead.p", "hello");
    host_await_buried(&one, 0, 3);
    ck_assert_int_eq(one.lane[0].buried_code, PARTI_OK);
    host_bury(&one, 0, 8, "dead.p", "other");
    host_await_buried(&one, 0, 4);
    host_await(&two, 0, 2);
    ck_assert_uint_eq(two.lane[0].position[1], 2);
    host_finish(&two);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

/* ---- the section ----------------------------------------------------------------- */

START_TEST(what_cannot_be_a_subject_is_refused)
{
    begin(_i);
    join(&one);
    const struct {
        const char *id, *why;
    } bad[] = {{"a.b", "dot"}, {"a b", "blank"}, {"*", "'*'"}, {"a>", "'>'"}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(host_run(&one, 0, bad[i].id, 1, 0, 0, 0), PARTI_BADINPUT);
        ck_assert_says(one.error.text, bad[i].why);
    }
    host_finish(&one);
    const char *const pairs[] = {"url", b.url, "stream", "S", "subject", "p.{2}", NULL};
    host_start(&one, pairs);
    ck_assert_int_eq(host_run(&one, 0, "a", 1, 0, 0, 0), PARTI_BADINPUT);
    ck_assert_says(one.error.text, "fewer keys");
    host_finish(&one);
    const char *const worse[][2] = {{"p.{0}", "{1}"},
                                    {"p.{x}", "{1}"},
                                    {"p..{1}", "empty"},
                                    {"p}", "alone"},
                                    {"p.>.{1}", "nothing may follow"}};
    for (size_t i = 0; i < sizeof worse / sizeof *worse; i++) {
        const char *const section[] = {"url",     b.url,       "stream", "S",
                                       "subject", worse[i][0], NULL};

        host_start(&one, section);
        ck_assert_ptr_null(one.self);
        ck_assert_says(one.error.text, worse[i][1]);
        ck_assert_uint_eq(one.error.line, 12);
        host_finish(&one);
    }
    jet_finish(&b);
}
END_TEST

START_TEST(interest_asks_for_a_name)
{
    begin(_i);
    make_stream("interest", "memory");
    const char *const pairs[] = {"url", b.url, "stream", "S", "subject", "p.{1}", NULL};
    host_start(&one, pairs);
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 10), PARTI_OK);
    host_await_trouble(&one, 0, PARTI_BADINPUT, "a 'name' that no other group has");
    ck_assert_int_eq(state_of("consumer_count"), 0);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

RIG_MAIN("jet_consumer", each_lane_has_its_messages_in_order_whatever_the_retention,
         a_lane_without_credit_waits_and_holds_up_nobody,
         a_run_begins_at_its_position_or_at_what_is_left,
         a_partition_that_is_given_up_strands_nothing,
         a_holder_that_hangs_on_is_passed_over_and_keeps_off,
         interest_does_not_lapse_between_two_holders,
         a_consumer_of_somebody_else_in_a_work_queue_is_told_and_left_alone,
         a_reader_deleted_behind_our_back_is_made_anew_without_a_gap,
         a_server_that_comes_back_is_read_on_from_the_same_place,
         a_stream_made_anew_is_another_one, nothing_is_read_where_nothing_is_held,
         a_dead_letter_is_safe_when_a_stream_has_it, what_cannot_be_a_subject_is_refused,
         interest_asks_for_a_name)
