/* More readers wanted than a stream may have consumers: what refusals do. */
#include "config.h"

#include "jet_crowd.h"

#include <stdio.h>
#include <string.h>

static struct jet_bench b;
static struct jet_host one, two;

static void begin(int i)
{
    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
}

/* Lanes whose last word of trouble speaks of the limit. */
static uint32_t told(struct jet_host *h, uint32_t lanes)
{
    uint32_t n = 0;

    gate_lock(&h->gate);
    for (uint32_t lane = 0; lane < lanes; lane++)
        n += strstr(h->lane[lane].text, "10026") != NULL;
    gate_unlock(&h->gate);
    return n;
}

START_TEST(where_the_stream_has_room_for_ten_all_lanes_are_read_and_one_word_is_said)
{
    begin(_i);
    for (int r = 0; r < 2; r++) {
        const int lanes = r == 0 ? 200 : 50;

        crowd_stream(&b, r == 0 ? "limits" : "workqueue", "memory", 10);
        for (int i = 0; i < 3; i++)
            crowd_produce(&b, 0, lanes, i);
        json_int_t before = crowd_errors(&b);
        crowd_join(&b, &one, "128");
        crowd_run(&one, 0, lanes, 100);
        crowd_await(&b, &one, 0, lanes, 3);
        crowd_produce(&b, 0, lanes, 3);
        crowd_await(&b, &one, 0, lanes, 4);
        crowd_expect(&one, 0, lanes, 4);
        ck_assert_uint_eq(told(&one, (uint32_t)lanes), 1);
        for (uint32_t lane = 0; lane < (uint32_t)lanes; lane++)
            host_await_trouble(&one, lane, PARTI_OK, "");
        if (r == 1) {
            crowd_done(&one, 0, lanes);
            crowd_await_state(&b, "messages", 0);
        }
        /* The first 128 at a time, then now and then one. */
        ck_assert_int_lt(crowd_errors(&b) - before, 250);
        host_finish(&one);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

START_TEST(a_stream_with_room_for_one_or_two_is_read_by_lanes_in_turn)
{
    begin(_i);
    for (int room = 1; room <= 2; room++) {
        crowd_stream(&b, "limits", "memory", room);
        for (int i = 0; i < 2; i++)
            crowd_produce(&b, 0, 10, i);
        crowd_join(&b, &one, "128");
        crowd_run(&one, 0, 10, 100);
        crowd_await(&b, &one, 0, 10, 2);
        crowd_produce(&b, 0, 10, 2);
        crowd_await(&b, &one, 0, 10, 3);
        crowd_expect(&one, 0, 10, 3);
        host_finish(&one);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

START_TEST(a_thousand_readers_are_all_that_newer_servers_give_to_fifteen_hundred_lanes)
{
    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    crowd_produce(&b, 0, 1500, 0);
    crowd_join(&b, &one, "1000");
    crowd_run(&one, 0, 1500, 100);
    json_int_t most = crowd_await(&b, &one, 0, 1500, 1);
    crowd_produce(&b, 0, 1500, 1);
    json_int_t n = crowd_await(&b, &one, 0, 1500, 2);
    crowd_expect(&one, 0, 1500, 2);
    ck_assert_int_le(n > most ? n : most, 1001);
    ck_assert_int_lt(crowd_errors(&b), 200);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

/* Each of two wants more than there is; 'held' lanes of the first have readers before the
 * second comes. */
static void share(const char *retention, int room, int held, int wanted)
{
    crowd_stream(&b, retention, "memory", room);
    crowd_join(&b, &one, "128");
    crowd_run(&one, 0, held, 1000);
    for (int lane = 0; lane < held; lane++)
        host_await_begun(&one, (uint32_t)lane, 1);
    crowd_join(&b, &two, "128");
    crowd_run(&two, held, wanted, 1000);
    for (int i = 0; i < 10; i++)
        crowd_produce(&b, 0, held + wanted, i);
    crowd_await(&b, &two, held, wanted, 10);
    crowd_done(&two, held, wanted);
    crowd_await(&b, &one, 0, held, 10);
    crowd_done(&one, 0, held);
    crowd_produce(&b, 0, held + wanted, 10);
    crowd_await(&b, &one, 0, held, 11);
    crowd_await(&b, &two, held, wanted, 11);
    crowd_expect(&one, 0, held, 11);
    crowd_expect(&two, held, wanted, 11);
    host_finish(&two);
    host_finish(&one);
    jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
}

START_TEST(two_that_want_more_than_there_is_both_get_on)
{
    begin(_i);
    share("limits", 6, 12, 12);
    share("workqueue", 6, 12, 12);
    jet_finish(&b);
}
END_TEST

START_TEST(one_that_has_all_there_is_and_wants_no_more_lets_another_in)
{
    begin(_i);
    share("limits", 6, 6, 6);
    share("workqueue", 6, 6, 6);
    share("limits", 1, 1, 1);
    jet_finish(&b);
}
END_TEST

START_TEST(interest_says_what_it_lacks_and_what_to_do)
{
    begin(_i);
    crowd_stream(&b, "interest", "memory", 5);
    crowd_join(&b, &one, "2"); /* which does not count here */
    crowd_run(&one, 0, 5, 100);
    for (uint32_t lane = 0; lane < 5; lane++)
        host_await_begun(&one, lane, 1);
    ck_assert_int_eq(crowd_state(&b, "consumer_count"), 5);
    crowd_run(&one, 5, 1, 100);
    host_await_trouble(&one, 5, PARTI_RETRY, "10026");
    host_await_trouble(&one, 5, PARTI_RETRY, "1 of 6 partitions are not read");
    host_await_trouble(&one, 5, PARTI_RETRY, "twice the number of its partitions");
    crowd_produce(&b, 0, 5, 0);
    crowd_await(&b, &one, 0, 5, 1);
    /* There is room again: what kept one for a partition that has left is deleted. */
    json_t *o = jet_ask(&b, "$JS.API.CONSUMER.NAMES.S", "{\"offset\":0}");
    const char *name =
        json_string_value(json_array_get(json_object_get(o, "consumers"), 0));
    char subject[512];
    for (uint32_t lane = 0; lane < 5; lane++)
        host_stop(&one, lane, 1);
    (void)snprintf(subject, sizeof subject, "$JS.API.CONSUMER.DELETE.S.%s", name);
    jet_api(&b, subject, "");
    json_decref(o);
    host_await_begun(&one, 5, 1);
    host_await_trouble(&one, 5, PARTI_OK, "");
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

RIG_CREW("jet_turns_shared",
         where_the_stream_has_room_for_ten_all_lanes_are_read_and_one_word_is_said,
         a_stream_with_room_for_one_or_two_is_read_by_lanes_in_turn,
         a_thousand_readers_are_all_that_newer_servers_give_to_fifteen_hundred_lanes,
         two_that_want_more_than_there_is_both_get_on,
         one_that_has_all_there_is_and_wants_no_more_lets_another_in,
         interest_says_what_it_lacks_and_what_to_do)
