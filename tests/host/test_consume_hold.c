/* What is held and what is lost: revokes, ends, fences, through libparti. */
#include "config.h"

#include "field.h"

#include "base/errors.h"
#include "base/must.h"
#include "consume/record.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 10 }; /* between two positions of the broker */

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

static void only_part_0_takes_long(struct field_app *app, const struct parti_message *m)
{
    if (strcmp(m->partition->id, "p/0") == 0)
        take_long(app, m);
    else
        parti_ack(app->worker, m->ticket);
}

START_TEST(a_partition_is_not_released_while_its_message_is_handled)
{
    field_begin(_i);
    must(sem_init(&gate, 0, 0) == 0);
    field_put(0, 0, 3);
    struct field_app *app = field_start(field_conf(2, ""), only_part_0_takes_long, NULL);
    field_await_entries(1);
    parti_stop(app->worker, 0);
    field_await_revoking(app, 2);
    /* The other partition goes; this one does not, though the application said so. */
    ck_assert_int_eq(parti_wait(app->worker, PARTI_SHUTDOWN, 300), PARTI_ERR_TIMEOUT);
    must(sem_post(&gate) == 0);
    ck_assert_int_eq(parti_wait(app->worker, PARTI_SHUTDOWN, FIELD_MS), 0);
    ck_assert_uint_eq(field.entries, 1); /* nothing was begun after the revoke */
    field_drop(app);
    /* Its ack is in the record. */
    app = field_start(field_conf(2, ""), NULL, NULL);
    field_await_calls(3);
    field_leave(app);
    field_check_order(1, 3);
    field_end();
}
END_TEST

static void ack_and_nak(struct field_app *app, const struct parti_message *m)
{
    parti_ack(app->worker, m->ticket);
    parti_nak(app->worker, m->ticket, 0);
}

START_TEST(a_nak_behind_an_ack_holds_nothing_up)
{
    field_begin(_i);
    field_put(0, 0, 20);
    struct field_app *app = field_start(
        field_conf(1, "handle_timeout = 1 h\ndeliver_max = 4\n"), ack_and_nak, NULL);
    field_await_last(0, 19);
    field_leave(app);
    field_check_order(1, 20);
    field_end();
}
END_TEST

START_TEST(a_partition_is_not_released_before_the_application_says_so)
{
    field_begin(_i);
    struct field_app *app = field_start(field_conf(1, ""), NULL, NULL);
    app->keeps = true;
    field_await_assigned(app, 1);
    parti_stop(app->worker, 0);
    field_await_revoking(app, 1);
    ck_assert_int_eq(parti_wait(app->worker, PARTI_SHUTDOWN, 300), PARTI_ERR_TIMEOUT);
    ck_assert_uint_eq(app->released, 0);
    parti_released(app->worker, app->revoke_epoch);
    ck_assert_int_eq(parti_wait(app->worker, PARTI_SHUTDOWN, FIELD_MS), 0);
    field_drop(app);
    field_end();
}
END_TEST

START_TEST(what_an_abrupt_end_leaves_unrecorded_comes_again_and_nothing_else)
{
    field_begin(_i);
    field_put(0, 0, 10);
    const char *conf = field_conf(1, "commit_interval = 1 h\ncommit_messages = 10\n");
    struct field_app *app = field_start(conf, NULL, NULL);
    field_await_settled(app, 0, 9 * STEP + 1);
    field_put(0, 10, 5);
    field_await_calls(15);
    field_drop(app);
    app = field_start(conf, NULL, NULL);
    field_await_calls(20);
    ck_assert_str_eq(field.entry[15].data, "10");
    ck_assert_str_eq(field.entry[19].data, "14");
    ck_assert(field.entry[15].token.gen > field.entry[0].token.gen ||
              field.entry[15].token.since > field.entry[0].token.since);
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(after_a_fence_no_message_is_begun_and_later_all_goes_on)
{
    enum { N = 2000 };

    field_begin(_i);
    field_put(0, 0, N / 2);
    struct field_app *app = field_start(field_conf(1, ""), NULL, NULL);
    field_await_calls(N / 2);
    server_freeze(&field.server);
    field_await_fenced(app);
    size_t before = field.entries;
    field_put(0, N / 2, N / 2);
    server_thaw(&field.server);
    field_await_last(0, N - 1);
    ck_assert_uint_ge(field.entries, before + N / 2);
    /* In order, but for what the fence kept from its record. */
    int next = 0;
    for (size_t i = 0; i < field.entries; i++) {
        int number = (int)strtol(field.entry[i].data, NULL, 10);

        ck_assert_int_le(number, next);
        ck_assert(number == next || i >= before);
        next = number + 1;
    }
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(a_position_of_another_life_is_void)
{
    field_begin(_i);
    field_put(0, 0, 5);
    struct field_app *app = field_start(field_conf(1, ""), NULL, NULL);
    field_await_calls(5);
    field_leave(app);
    field_write("origin", "2\n");
    app = field_start(field_conf(1, ""), NULL, NULL);
    field_await_error(app, ERR_POSITION_VOID);
    field_await_calls(10);
    ck_assert_str_eq(field.entry[5].data, "0");
    field_leave(app);
    field_end();
}
END_TEST

START_TEST(what_the_broker_removed_is_said_and_passed_over)
{
    field_begin(_i);
    field_put(0, 0, 10);
    struct field_app *app = field_start(field_conf(1, "in_flight = 2\n"), NULL, NULL);
    field_await_calls(10);
    field_leave(app);
    field_put(0, 10, 10);
    field_write("first", "150\n");
    app = field_start(field_conf(1, ""), NULL, NULL);
    field_await_error(app, ERR_MESSAGES_GONE);
    field_await_calls(15);
    ck_assert_str_eq(field.entry[10].data, "15");
    field_leave(app);
    field_end();
}
END_TEST

/* What a worker would write that holds the partition after this one. */
static void write_later_record(void)
{
    const struct consume_record later = {
        .token = {UINT64_MAX, 1}, .origin = 1, .next = 7};
    char record[RECORD_ROOM], reply[512];
    size_t n =
        record_encode(&later, (struct bytes){"p\0000", 3}, record, sizeof record - 1);

    ck_assert_uint_gt(n, 0);
    record[n] = '\0';
    ck_assert(server_request(field.server.url, "$KV.parti_pos_g.p.0", record, reply,
                             sizeof reply, 5000));
}

START_TEST(a_later_holders_record_ends_this_one_and_says_so)
{
    field_begin(_i);
    field_put(0, 0, 3);
    struct field_app *app =
        field_start(field_conf(1, "commit_interval = 50 ms\n"), NULL, NULL);
    field_await_settled(app, 0, 2 * STEP + 1);
    write_later_record();
    field_put(0, 3, 1); /* handled; its commit finds the other's record */
    (void)field_await_error(app, ERR_POSITION_LOST);
    field_put(0, 4, 10);
    field_leave(app);
    ck_assert_uint_le(field.entries, 4);
    field_end();
}
END_TEST

START_TEST(positions_that_cannot_be_kept_are_said_and_work_waits_for_them)
{
    char reply[2048];

    field_begin(_i);
    field_put(0, 0, 3);
    struct field_app *app = field_start(
        field_conf(1, "commit_interval = 10 ms\ncommit_messages = 5\n"), NULL, NULL);
    field_await_settled(app, 0, 2 * STEP + 1);
    ck_assert(server_request(field.server.url, "$JS.API.STREAM.DELETE.KV_parti_pos_g", "",
                             reply, sizeof reply, 5000));
    field_put(0, 3, 100);
    (void)field_await_error(app, ERR_POSITION_STORE);
    /* The bucket is made anew; without a record it begins at the beginning. */
    field_await_last(0, 102);
    field_await_settled(app, 0, 102 * STEP + 1);
    field_leave(app);
    field_end();
}
END_TEST

enum { MANY = 2000 };

struct all_settled {
    const struct field_app *app;
    uint64_t next;
};

static bool are_settled(void *ctx)
{
    const struct all_settled *all = ctx;

    for (int p = 0; p < MANY; p++)
        if (all->app->settled[p] < all->next)
            return false;
    return true;
}

/* Handles numbers up to 'last' of every partition; true: it was fenced on the way. */
static bool take_all(const char *conf, int last)
{
    struct field_app *app = field_start(conf, NULL, NULL);

    field_await(are_settled,
                &(struct all_settled){.app = app, .next = (uint64_t)last * STEP + 1},
                "every partition's last message");
    bool is_fenced = app->is_fenced;
    field_leave(app);
    return is_fenced;
}

START_TEST(one_worker_reads_two_thousand_partitions)
{
    enum { N = 3 };

    field_begin(_i);
    /* A lease that a busy machine keeps, too. */
    field.timing = "heartbeat_ttl = 10 s\nleader_authority = 10 s\n";
    const char *conf = field_conf(MANY, "in_flight = 2\n");
    for (int p = 0; p < MANY; p++)
        field_put(p, 0, N);
    bool is_fenced = take_all(conf, N - 1);
    for (int p = 0; p < MANY; p++)
        field_put(p, N, 1);
    /* Every position was in its record: nothing is done again but what a fence cut off,
       which a machine that is too slow for this lease has. */
    is_fenced |= take_all(conf, N);
    if (is_fenced)
        ck_assert_uint_ge(field.entries, (size_t)MANY * (N + 1));
    else
        field_check_order(MANY, N + 1);
    field_end();
}
END_TEST

START_TEST(a_server_that_goes_while_thousands_are_claimed_costs_only_time)
{
    enum { CROWD = 6000 };

    field_begin(_i);
    field.timing = "heartbeat_ttl = 10 s\nleader_authority = 10 s\n";
    field_put(0, 0, 1);
    struct field_app *app = field_start(field_conf(CROWD, ""), NULL, NULL);
    field_await_assigned(app, CROWD);
    server_kill(&field.server);
    server_restart(&field.server);
    field_put(0, 1, 5);
    field_await_last(0, 5);
    field_leave(app);
    field_end();
}
END_TEST

RIG_CREW("consume_hold", a_later_holders_record_ends_this_one_and_says_so,
         positions_that_cannot_be_kept_are_said_and_work_waits_for_them,
         a_partition_is_not_released_while_its_message_is_handled,
         a_nak_behind_an_ack_holds_nothing_up,
         a_partition_is_not_released_before_the_application_says_so,
         what_an_abrupt_end_leaves_unrecorded_comes_again_and_nothing_else,
         after_a_fence_no_message_is_begun_and_later_all_goes_on,
         a_position_of_another_life_is_void, one_worker_reads_two_thousand_partitions,
         a_server_that_goes_while_thousands_are_claimed_costs_only_time,
         what_the_broker_removed_is_said_and_passed_over)
