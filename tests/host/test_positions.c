/* parti positions: what is shown of the records, and setting one by hand. */
#include "config.h"

#include "cli_rig.h"
#include "field.h"

#include <string.h>

/* Between two positions of the test broker, and behind five messages. */
enum { STEP = 10, END = 4 * STEP + 1 };

static const char *conf;

static void begin(int program)
{
    field_begin(program);
    cli_rig_setup();
    conf = field_conf(2, "");
}

static void end(void)
{
    field_end();
    cli_rig_teardown();
}

/* Of the one partition that is asked for; to be json_decref()ed. */
static json_t *position(const char *partition)
{
    json_t *all =
        cli_json(CLI_EXPECT(0, "positions", "-c", conf, "-o", "json", partition));
    json_t *list = json_object_get(all, "positions"), *one;

    ck_assert_uint_eq(json_array_size(list), 1);
    one = json_incref(json_array_get(list, 0));
    ck_assert_str_eq(json_string_value(json_object_get(one, "partition")), partition);
    json_decref(all);
    return one;
}

static long long next_of(const char *partition)
{
    json_t *o = position(partition);
    long long next = json_integer_value(json_object_get(o, "next"));

    json_decref(o);
    return next;
}

static void stands(const char *partition, const char *record, const char *worker)
{
    json_t *o = position(partition);

    ck_assert_str_eq(json_string_value(json_object_get(o, "record")), record);
    if (worker != NULL)
        ck_assert_str_eq(json_string_value(json_object_get(o, "worker")), worker);
    else
        ck_assert(json_is_null(json_object_get(o, "worker")));
    json_decref(o);
}

START_TEST(positions_are_shown_while_held_and_after)
{
    begin(_i);
    cli_has(CLI_EXPECT(1, "positions", "-c", conf)->err, "");
    field_put(0, 0, 5);
    struct field_app *app = field_start(conf, NULL, NULL);
    field_await_settled(app, 0, END);
    stands("p/0", "held", "worker-0");
    ck_assert_int_eq(next_of("p/0"), END);
    ck_assert_int_eq(next_of("p/1"), 0);
    field_leave(app);
    stands("p/0", "released", NULL);

    const char *out = CLI_EXPECT(0, "positions", "-c", conf)->out;
    cli_has(out, "partition  worker  next  tried");
    cli_has(out, "p/0        nobody    41      0");
    cli_has(out, "p/1        nobody     0      0");
    cli_has(CLI_EXPECT(2, "positions", "-c", conf, "p/7")->err, "has no partition 'p/7'");
    end();
}
END_TEST

START_TEST(a_position_set_ahead_says_what_is_left_out)
{
    begin(_i);
    field_put(0, 0, 5);
    struct field_app *app = field_start(conf, NULL, NULL);
    field_await_settled(app, 0, END);
    field_leave(app);
    cli_has(CLI_EXPECT(0, "positions", "-c", conf, "--set", "60", "p/0")->err,
            "p/0 goes on at 60 (was 41). Its next holder begins there, and what is not "
            "done from 41 to 59 is left out. No broker was asked");
    cli_has(CLI_EXPECT(0, "positions", "-c", conf, "--set", "60", "p/0")->err,
            "p/0 goes on at 60 (was 60). Its next holder begins there. No broker");
    field_end();
}
END_TEST

START_TEST(a_position_set_by_hand_is_where_the_next_holder_begins)
{
    begin(_i);
    field_put(0, 0, 5);
    struct field_app *app = field_start(conf, NULL, NULL);
    field_await_settled(app, 0, END);
    field_leave(app);
    cli_has(CLI_EXPECT(0, "positions", "-c", conf, "--set", "20", "p/0")->err,
            "p/0 goes on at 20 (was 41). Its next holder begins there, and what was done "
            "from 20 to 40 is done again. No broker was asked");
    ck_assert_int_eq(next_of("p/0"), 20);
    app = field_start(conf, NULL, NULL);
    field_await_entries(8); /* 0 to 4, and 2 to 4 once more */
    field_await_settled(app, 0, END);
    ck_assert_uint_eq(field.entries, 8);
    for (size_t i = 5; i < 8; i++) {
        ck_assert_uint_eq(field.entry[i].position, (i - 3) * STEP);
        ck_assert_uint_eq(field.entry[i].attempt, 1);
    }
    field_leave(app);
    end();
}
END_TEST

START_TEST(nothing_is_set_while_the_group_is_at_work_or_without_a_position)
{
    begin(_i);
    field_put(0, 0, 5);
    struct field_app *app = field_start(conf, NULL, NULL);
    field_await_settled(app, 0, END);
    cli_has(CLI_EXPECT(1, "positions", "-c", conf, "--set", "0", "p/0")->err,
            "is at work (leader worker-0). Stop its workers");
    ck_assert_int_eq(next_of("p/0"), END);
    field_leave(app);
    cli_has(CLI_EXPECT(2, "positions", "-c", conf, "--set", "-1", "p/0")->err,
            "is negative");
    cli_has(CLI_EXPECT(2, "positions", "-c", conf, "--set", "x", "p/0")->err,
            "--set 'x'");
    cli_has(CLI_EXPECT(2, "positions", "-c", conf, "--set", "1")->err,
            "--set goes with one partition");
    end();
}
END_TEST

/* Until the partition's record is there. */
static void await_record(const char *partition)
{
    uint64_t deadline = clock_boot_ms() + FIELD_MS;
    bool is_there = false;

    while (!is_there && clock_boot_ms() < deadline) {
        const struct cli_run *run =
            CLI_RUN("positions", "-c", conf, "-o", "json", partition);

        is_there = run->code == 0 && strstr(run->out, "\"next\"") != NULL;
    }
    ck_assert(is_there);
}

START_TEST(a_partition_that_was_claimed_and_never_begun_has_no_position_to_set)
{
    begin(_i);
    conf = field_conf(1, "behave = mute\n");
    struct field_app *app = field_start(conf, NULL, NULL);
    field_await_assigned(app, 1);
    await_record("p/0");
    field_leave(app);
    cli_has(CLI_EXPECT(1, "positions", "-c", conf, "--set", "20", "p/0")->err,
            "p/0 has no position yet that could be set.");
    ck_assert_int_eq(next_of("p/0"), 0);
    end();
}
END_TEST

static void later(struct field_app *app, const struct parti_message *message)
{
    if (message->attempt == 1)
        parti_nak(app->worker, message->ticket, 3600000);
}

START_TEST(status_sums_the_positions_up)
{
    begin(_i);
    field_put(0, 0, 1);
    struct field_app *app = field_start(conf, later, NULL);
    field_await_calls(1);
    field_leave(app);
    cli_has(CLI_EXPECT(0, "status", "-c", conf)->out,
            "\npositions   2 of 2 partitions have one, 1 with a message that failed\n");
    json_t *o = cli_json(CLI_EXPECT(0, "status", "-c", conf, "-o", "json"));
    json_t *sum = json_object_get(o, "positions");
    ck_assert_int_eq(json_integer_value(json_object_get(sum, "partitions")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(sum, "recorded")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(sum, "failing")), 1);
    json_decref(o);
    end();
}
END_TEST

START_TEST(a_group_that_does_not_consume_has_none)
{
    begin(_i);
    const char *plain = cli_conf("plain.ini", field.server.url, "");
    cli_has(CLI_EXPECT(2, "positions", "-c", plain)->err, "has no [consume]");
    end();
}
END_TEST

FIELD_MAIN("positions", positions_are_shown_while_held_and_after,
           a_position_set_ahead_says_what_is_left_out,
           a_position_set_by_hand_is_where_the_next_holder_begins,
           nothing_is_set_while_the_group_is_at_work_or_without_a_position,
           a_partition_that_was_claimed_and_never_begun_has_no_position_to_set,
           status_sums_the_positions_up, a_group_that_does_not_consume_has_none)
