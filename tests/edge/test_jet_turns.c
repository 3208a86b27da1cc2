/* More lanes than readers: turns, and what wakes a lane that has none. */
#include "config.h"

#include "jet_crowd.h"

#include <stdio.h>
#include <string.h>

static struct jet_bench b;
static struct jet_host one;

static void begin(int i)
{
    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
}

static void end(void)
{
    host_finish(&one);
    jet_finish(&b);
}

static void produce_all(int lanes, int messages)
{
    for (int i = 0; i < messages; i++)
        crowd_produce(&b, 0, lanes, i);
}

START_TEST(six_hundred_lanes_are_read_by_sixteen_readers_and_a_notifier)
{
    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    produce_all(600, 3);
    crowd_join(&b, &one, "16");
    crowd_run(&one, 0, 600, 100);
    json_int_t most = crowd_await(&b, &one, 0, 600, 3);
    /* All are parked by now, or are about to be; these wake them. */
    for (int i = 3; i < 6; i++) {
        crowd_produce(&b, 0, 600, i);
        json_int_t n = crowd_await(&b, &one, 0, 600, (uint32_t)i + 1);
        most = n > most ? n : most;
    }
    crowd_expect(&one, 0, 600, 6);
    ck_assert_int_le(most, 17);
    ck_assert_int_ge(most, 10);
    ck_assert_int_eq(crowd_errors(&b), 0);
    end();
}
END_TEST

/* A server before 2.10 counts all of a stream in memory for each new reader, and does
 * nothing else for us meanwhile: 16 at a time would be answered too late. */
START_TEST(a_server_that_is_slow_to_make_readers_is_asked_for_few_at_a_time)
{
    enum { MANY = 2000000, CHUNK = 8000, SLOW_LANES = 20 };

    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    for (int sent = 0; sent < MANY; sent += CHUNK)
        crowd_produce(&b, SLOW_LANES, CHUNK, 0);
    produce_all(SLOW_LANES, 3);
    crowd_join(&b, &one, "128");
    crowd_run(&one, 0, SLOW_LANES, 100);
    crowd_await(&b, &one, 0, SLOW_LANES, 3);
    crowd_expect(&one, 0, SLOW_LANES, 3);
    for (int lane = 0; lane < SLOW_LANES; lane++)
        ck_assert_msg(one.lane[lane].trouble == PARTI_OK, "%s", one.lane[lane].text);
    end();
}
END_TEST

START_TEST(no_more_lanes_than_readers_have_one_each_and_nothing_else)
{
    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    produce_all(16, 2);
    crowd_join(&b, &one, "16");
    crowd_run(&one, 0, 16, 100);
    ck_assert_int_le(crowd_await(&b, &one, 0, 16, 2), 16);
    crowd_await_state(&b, "consumer_count", 16);
    /* One lane more: they take turns; one fewer again: they do not. */
    crowd_produce(&b, 16, 1, 0);
    crowd_run(&one, 16, 1, 100);
    crowd_await(&b, &one, 16, 1, 1);
    crowd_await_state(&b, "consumer_count", 17);
    host_stop(&one, 3, 1);
    crowd_await_state(&b, "consumer_count", 16);
    for (int lane = 0; lane < 17; lane++)
        if (lane != 3)
            crowd_produce(&b, lane, 1, lane < 16 ? 2 : 1);
    crowd_await(&b, &one, 0, 3, 3);
    crowd_await(&b, &one, 4, 12, 3);
    crowd_await(&b, &one, 16, 1, 2);
    ck_assert_int_eq(crowd_state(&b, "consumer_count"), 16);
    end();
}
END_TEST

START_TEST(one_message_for_a_lane_that_is_parked_arrives_at_once)
{
    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    crowd_join(&b, &one, "4");
    crowd_run(&one, 0, 60, 100);
    for (uint32_t lane = 0; lane < 60; lane++)
        host_await_begun(&one, lane, 1);
    for (int i = 0; i < 3; i++) {
        for (int lane = 59; lane >= 0; lane -= 7) {
            uint64_t before = threads_now_ms();

            crowd_produce(&b, lane, 1, i);
            ck_assert_int_le(crowd_await(&b, &one, lane, 1, (uint32_t)i + 1), 5);
            /* Nothing but the watch is as fast: rounds without it take seconds. */
            ck_assert_uint_lt(threads_now_ms() - before, 3000);
        }
    }
    for (int lane = 59; lane >= 0; lane -= 7)
        crowd_expect(&one, lane, 1, 3);
    end();
}
END_TEST

START_TEST(a_work_queue_is_read_in_turns_and_empty_in_the_end)
{
    begin(_i);
    crowd_stream(&b, "workqueue", "memory", -1);
    produce_all(80, 3);
    crowd_join(&b, &one, "16");
    crowd_run(&one, 0, 80, 100);
    json_int_t most = crowd_await(&b, &one, 0, 80, 3);
    crowd_done(&one, 0, 80);
    crowd_await_state(&b, "messages", 0);
    for (int i = 3; i < 5; i++) {
        crowd_produce(&b, 0, 80, i);
        json_int_t n = crowd_await(&b, &one, 0, 80, (uint32_t)i + 1);
        most = n > most ? n : most;
    }
    crowd_expect(&one, 0, 80, 5);
    crowd_done(&one, 0, 80);
    crowd_await_state(&b, "messages", 0);
    ck_assert_int_le(most, 16);
    end();
}
END_TEST

START_TEST(a_lane_without_credit_gives_its_place_up_and_has_one_when_it_has_credit)
{
    begin(_i);
    for (int r = 0; r < 2; r++) {
        crowd_stream(&b, r == 0 ? "limits" : "workqueue", "memory", -1);
        produce_all(16, 6);
        crowd_join(&b, &one, "2");
        crowd_run(&one, 0, 4, 2); /* in front of the others, and slow */
        crowd_run(&one, 4, 4, 0);
        crowd_run(&one, 8, 8, 100);
        crowd_await(&b, &one, 0, 4, 2);
        crowd_await(&b, &one, 8, 8, 6);
        for (uint32_t lane = 0; lane < 8; lane++)
            host_credit(&one, lane, 1);
        crowd_await(&b, &one, 0, 4, 3);
        crowd_await(&b, &one, 4, 4, 1);
        for (uint32_t lane = 0; lane < 8; lane++)
            host_credit(&one, lane, 5);
        crowd_await(&b, &one, 0, 8, 6);
        crowd_expect(&one, 0, 16, 6);
        if (r == 1) {
            crowd_done(&one, 0, 16);
            crowd_await_state(&b, "messages", 0);
        }
        host_finish(&one);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

START_TEST(a_busy_lane_does_not_keep_its_reader_while_others_wait)
{
    enum { BUSY = 200000 };

    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    for (int i = 0; i < BUSY; i += 5000)
        jet_publish(&b, "p.0", 5000);
    crowd_produce(&b, 1, 1, 0);
    crowd_join(&b, &one, "1");
    one.is_counting = 1; /* gives credit back at once */
    one.target = BUSY;
    one.window = 4096;
    crowd_run(&one, 0, 1, 4096);
    host_await_begun(&one, 0, 1);
    crowd_run(&one, 1, 1, 4096);
    crowd_await(&b, &one, 1, 1, 1);
    crowd_await(&b, &one, 0, 1, BUSY);
    ck_assert_uint_lt(one.lane[1].first, BUSY);
    end();
}
END_TEST

START_TEST(a_server_that_restarts_in_the_middle_costs_no_message)
{
    begin(_i);
    for (int r = 0; r < 2; r++) {
        crowd_stream(&b, r == 0 ? "limits" : "workqueue", "file", -1);
        produce_all(100, 4);
        crowd_join(&b, &one, "8");
        crowd_run(&one, 0, 100, 100);
        crowd_await(&b, &one, 0, 30, 4);
        jet_stop(&b);
        host_await_trouble(&one, 0, PARTI_RETRY, "");
        jet_restart(&b);
        crowd_await(&b, &one, 0, 100, 4);
        crowd_produce(&b, 0, 100, 4);
        crowd_await(&b, &one, 0, 100, 5);
        crowd_expect(&one, 0, 100, 5);
        host_await_trouble(&one, 0, PARTI_OK, "");
        if (r == 1) {
            crowd_done(&one, 0, 100);
            crowd_await_state(&b, "messages", 0);
        }
        host_finish(&one);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

START_TEST(lanes_that_wait_are_stopped_at_once_and_the_rest_goes_on)
{
    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    produce_all(100, 2);
    crowd_join(&b, &one, "1");
    crowd_run(&one, 0, 100, 100);
    crowd_await(&b, &one, 0, 1, 2);
    for (uint32_t lane = 0; lane < 90; lane++)
        host_stop(&one, lane, 1); /* what comes after it the host refuses */
    crowd_await(&b, &one, 90, 10, 2);
    crowd_expect(&one, 90, 10, 2);
    /* They come back, and begin at what they had. */
    crowd_run(&one, 0, 5, 100);
    for (uint32_t lane = 0; lane < 5; lane++)
        host_await_begun(&one, lane, 1);
    for (uint32_t lane = 0; lane < 100; lane++)
        host_stop(&one, lane, 1);
    crowd_await_state(&b, "consumer_count", 0);
    end();
}
END_TEST

START_TEST(messages_that_were_heard_of_and_are_gone_hold_nobody_up)
{
    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    produce_all(30, 1);
    crowd_join(&b, &one, "2");
    crowd_run(&one, 0, 30, 1);
    crowd_await(&b, &one, 0, 30, 1);
    crowd_produce(&b, 0, 20, 1); /* nobody has credit */
    jet_api(&b, "$JS.API.STREAM.PURGE.S", "");
    for (uint32_t lane = 0; lane < 30; lane++)
        host_credit(&one, lane, 10);
    crowd_produce(&b, 0, 30, 2);
    crowd_await(&b, &one, 0, 30, 2);
    for (uint32_t lane = 0; lane < 30; lane++)
        ck_assert_int_eq(one.lane[lane].number[1], 2);
    end();
}
END_TEST

START_TEST(lanes_of_several_subjects_are_found_by_their_template)
{
    begin(_i);
    jet_api(&b, "$JS.API.STREAM.CREATE.S",
            "{\"name\":\"S\",\"subjects\":[\"p.eu.>\",\"p.us.>\"],\"storage\":"
            "\"memory\"}");
    const char *const pairs[] = {
        "url", b.url, "stream", "S", "subject", "p.{1}.*.n{2}.>", "readers", "2", NULL};
    host_start(&one, pairs);
    ck_assert_msg(one.self != NULL, "%s", one.error.text);
    for (uint32_t lane = 0; lane < 20; lane++) {
        char id[32];

        (void)snprintf(id, sizeof id, "%s/%u", lane < 10 ? "eu" : "us", lane);
        ck_assert_int_eq(host_run(&one, lane, id, 1, 0, 0, 100), PARTI_OK);
        host_await_begun(&one, lane, 1);
    }
    for (int i = 0; i < 3; i++) {
        for (int lane = 0; lane < 20; lane++) {
            char subject[64], text[8];

            (void)snprintf(subject, sizeof subject, "p.%s.x%d.n%d.a%s",
                           lane < 10 ? "eu" : "us", i, lane, i > 0 ? ".b" : "");
            (void)snprintf(text, sizeof text, "%d", i);
            jet_api(&b, subject, text);
        }
        jet_api(&b, "p.eu.x.n0", "0"); /* of nobody: a token short */
        jet_api(&b, "p.eu.x.m0.a", "0");
        crowd_await(&b, &one, 0, 20, (uint32_t)i + 1);
    }
    crowd_expect(&one, 0, 20, 3);
    end();
}
END_TEST

START_TEST(parked_lanes_of_a_stream_made_anew_are_told)
{
    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    produce_all(20, 1);
    crowd_join(&b, &one, "2");
    crowd_run(&one, 0, 20, 100);
    crowd_await(&b, &one, 0, 20, 1);
    uint64_t origin = one.lane[0].origin;
    jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    host_await_trouble(&one, 7, PARTI_RETRY, "there is no stream S");
    crowd_stream(&b, "limits", "memory", -1);
    for (uint32_t lane = 0; lane < 20; lane++)
        host_await_trouble(&one, lane, PARTI_BADINPUT, "made anew");
    crowd_produce(&b, 0, 20, 1);
    for (uint32_t lane = 0; lane < 20; lane++)
        host_stop(&one, lane, 0);
    crowd_run(&one, 0, 20, 100);
    crowd_await(&b, &one, 0, 20, 2);
    crowd_expect(&one, 0, 20, 2);
    ck_assert_uint_ne(one.lane[0].origin, origin);
    end();
}
END_TEST

/* Deletes all consumers of the stream. */
static uint32_t delete_consumers(void)
{
    json_t *o = jet_ask(&b, "$JS.API.CONSUMER.NAMES.S", "{\"offset\":0}"), *name;
    size_t i;
    uint32_t n = 0;

    json_array_foreach(json_object_get(o, "consumers"), i, name)
    {
        char subject[512];

        (void)snprintf(subject, sizeof subject, "$JS.API.CONSUMER.DELETE.S.%s",
                       json_string_value(name));
        json_decref(jet_ask(&b, subject, ""));
        n++;
    }
    json_decref(o);
    return n;
}

START_TEST(a_notifier_deleted_behind_our_back_is_made_anew_and_nothing_is_missed)
{
    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    crowd_join(&b, &one, "2");
    crowd_run(&one, 0, 30, 1000);
    for (uint32_t lane = 0; lane < 30; lane++)
        host_await_begun(&one, lane, 1);
    for (int i = 0; i < 20; i++) {
        crowd_produce(&b, 0, 15, i);
        (void)delete_consumers();
        crowd_produce(&b, 15, 15, i);
    }
    crowd_await(&b, &one, 0, 30, 20);
    crowd_expect(&one, 0, 30, 20);
    end();
}
END_TEST

START_TEST(with_records_of_another_life_of_the_stream_nothing_is_left_unread)
{
    char id[16];

    begin(_i);
    crowd_stream(&b, "limits", "memory", -1);
    produce_all(40, 3);
    crowd_join(&b, &one, "4");
    for (uint32_t lane = 0; lane < 40; lane++) {
        (void)snprintf(id, sizeof id, "%u", (unsigned)lane);
        ck_assert_int_eq(host_run(&one, lane, id, 1, 12345, 1000000, 100), PARTI_OK);
    }
    crowd_await(&b, &one, 0, 40, 3);
    crowd_expect(&one, 0, 40, 3);
    end();
}
END_TEST

RIG_CREW("jet_turns", six_hundred_lanes_are_read_by_sixteen_readers_and_a_notifier,
         a_server_that_is_slow_to_make_readers_is_asked_for_few_at_a_time,
         no_more_lanes_than_readers_have_one_each_and_nothing_else,
         one_message_for_a_lane_that_is_parked_arrives_at_once,
         a_work_queue_is_read_in_turns_and_empty_in_the_end,
         a_lane_without_credit_gives_its_place_up_and_has_one_when_it_has_credit,
         a_busy_lane_does_not_keep_its_reader_while_others_wait,
         a_server_that_restarts_in_the_middle_costs_no_message,
         lanes_that_wait_are_stopped_at_once_and_the_rest_goes_on,
         messages_that_were_heard_of_and_are_gone_hold_nobody_up,
         lanes_of_several_subjects_are_found_by_their_template,
         parked_lanes_of_a_stream_made_anew_are_told,
         a_notifier_deleted_behind_our_back_is_made_anew_and_nothing_is_missed,
         with_records_of_another_life_of_the_stream_nothing_is_left_unread)
