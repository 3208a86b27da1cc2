/* Positions of a stream that are gone, or not there yet, when a run of the consumer role
 * of jetstream begins: what is told of them, and what is not. */
#include "config.h"

#include "jet_crowd.h"

#include <stdio.h>
#include <string.h>

static struct jet_bench b;
static struct jet_host one;

static void begin(int i, const char *subjects)
{
    char body[256];

    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
    (void)snprintf(body, sizeof body,
                   "{\"name\":\"S\",\"subjects\":[\"%s\"],\"storage\":\"memory\"}",
                   subjects);
    jet_api(&b, "$JS.API.STREAM.CREATE.S", body);
    crowd_join(&b, &one, "16");
}

static void end(void)
{
    host_finish(&one);
    jet_finish(&b);
}

/* Partition 0 has had its first two of three messages; it moves. */
static uint64_t hold_and_leave(uint64_t *ret_origin)
{
    crowd_produce_to(&b, 0, 1, 0, 3, "");
    crowd_run(&one, 0, 1, 2);
    host_await(&one, 0, 2);
    *ret_origin = one.lane[0].origin;
    host_stop(&one, 0, 1);
    return one.lane[0].position[1] + 1;
}

/* All below that are removed, as by a limit of age. */
static void remove_below(uint64_t seq)
{
    char body[64];

    (void)snprintf(body, sizeof body, "{\"seq\":%llu}", (unsigned long long)seq);
    jet_api(&b, "$JS.API.STREAM.PURGE.S", body);
}

static void expect_logged(const char *text)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;

    gate_lock(&one.gate);
    while (strstr(one.log_line, text) == NULL && threads_now_ms() < deadline)
        (void)gate_wait(&one.gate, deadline);
    ck_assert_says(one.log_line, text);
    gate_unlock(&one.gate);
}

START_TEST(what_was_removed_of_other_partitions_is_no_loss_of_one_that_had_nothing)
{
    uint64_t origin = 0, next;

    begin(_i, "p.>");
    next = hold_and_leave(&origin) + 1; /* and the third */
    crowd_produce_to(&b, 1, 1, 0, 100, "");
    remove_below(next + 90);
    ck_assert_int_eq(host_run(&one, 0, "0", 2, origin, next, 100), PARTI_OK);
    host_await_begun(&one, 0, 1);
    ck_assert_uint_eq(one.lane[0].from, next);
    crowd_produce_to(&b, 0, 1, 3, 4, "");
    host_await(&one, 0, 3);
    ck_assert_int_eq(one.lane[0].number[2], 3);
    ck_assert_int_eq(one.logged, 0); /* of what concerns nobody */
    end();
}
END_TEST

START_TEST(what_may_have_been_of_a_partition_with_a_backlog_is_said_with_care)
{
    uint64_t origin = 0, next;

    begin(_i, "p.>");
    next = hold_and_leave(&origin);
    crowd_produce_to(&b, 0, 2, 0, 50, "");
    remove_below(next + 90);
    ck_assert_int_eq(host_run(&one, 0, "0", 2, origin, next, 100), PARTI_OK);
    host_await(&one, 0, 2 + 5);
    ck_assert_uint_eq(one.lane[0].from, next);
    expect_logged("'p.0' may have been among");
    end();
}
END_TEST

START_TEST(what_was_removed_of_a_stream_with_one_subject_alone_is_told_as_gone)
{
    uint64_t origin = 0, next;

    begin(_i, "p.0");
    next = hold_and_leave(&origin);
    crowd_produce_to(&b, 0, 1, 3, 10, "");
    remove_below(next + 5);
    ck_assert_int_eq(host_run(&one, 0, "0", 2, origin, next, 100), PARTI_OK);
    host_await(&one, 0, 2 + 3);
    ck_assert_uint_eq(one.lane[0].from, next + 5);
    end();
}
END_TEST

START_TEST(a_position_beyond_the_end_is_said_and_what_comes_below_it_left_out)
{
    uint64_t origin = 0, next;

    begin(_i, "p.>");
    next = hold_and_leave(&origin) + 1;
    ck_assert_int_eq(host_run(&one, 0, "0", 2, origin, next + 3, 100), PARTI_OK);
    host_await_begun(&one, 0, 1);
    ck_assert_uint_eq(one.lane[0].from, next + 3);
    expect_logged("beyond the end of stream S");
    crowd_produce_to(&b, 0, 1, 10, 15, "");
    host_await(&one, 0, 2 + 2);
    ck_assert_int_eq(one.lane[0].number[2], 13);
    end();
}
END_TEST

RIG_CREW("jet_removed",
         what_was_removed_of_other_partitions_is_no_loss_of_one_that_had_nothing,
         what_may_have_been_of_a_partition_with_a_backlog_is_said_with_care,
         what_was_removed_of_a_stream_with_one_subject_alone_is_told_as_gone,
         a_position_beyond_the_end_is_said_and_what_comes_below_it_left_out)
