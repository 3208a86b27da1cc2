/* parti plan without a server: from a state in a file, and from nothing at all. */
#include "cli_rig.h"

#include <check.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char nowhere[] = "nats://127.0.0.1:1"; /* tcpmux: nothing listens */

/* Four partitions for each of three workers, 12 in all. */
static const char state[] =
    "{\"format_version\": 1, \"group\": \"g\", \"leader\": \"worker-0\", \"term\": 3,\n"
    " \"epoch\": 41, \"state\": \"Stable\", \"strategy\": \"round_robin\",\n"
    " \"workers\": [\n"
    "  {\"id\": \"worker-0\", \"host\": \"a\", \"state\": \"active\", \"capacity\": "
    "100,\n"
    "   \"partitions\": [\"p/0\", \"p/1\", \"p/2\", \"p/3\"]},\n"
    "  {\"id\": \"worker-1\", \"host\": \"b\", \"state\": \"active\", \"capacity\": "
    "100,\n"
    "   \"partitions\": [\"p/4\", \"p/5\", \"p/6\", \"p/7\"]},\n"
    "  {\"id\": \"worker-2\", \"host\": \"c\", \"state\": \"active\", \"capacity\": "
    "100,\n"
    "   \"partitions\": [\"p/8\", \"p/9\", \"p/a%2Fb\"]}],\n"
    " \"pending\": [{\"partition\": \"p/b\", \"from\": \"worker-0\", \"to\": "
    "\"worker-2\"}]}\n";

START_TEST(plan_of_nothing_new_moves_nothing)
{
    const struct cli_run *run =
        CLI_EXPECT(0, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--from",
                   cli_file("s.json", state), "--detailed-exitcode");

    ck_assert_str_eq(run->out,
                     "group g, epoch 41, 3 workers, 12 partitions, strategy round_robin\n"
                     "\n"
                     "   worker    before      after\n"
                     "   worker-0       4  ->      4\n"
                     "   worker-1       4  ->      4\n"
                     "   worker-2       4  ->      4\n"
                     "\n"
                     "Moves 0 of 12 (a plan as even moves 0 at least). Imbalance 0.0 % "
                     "-> 0.0 %. Nothing "
                     "was changed.\n");
    ck_assert_str_eq(run->err, "");
}
END_TEST

START_TEST(plan_of_a_join_shows_who_gives)
{
    const struct cli_run *run =
        CLI_EXPECT(2, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--from",
                   cli_file("s.json", state), "--add", "worker-3", "--detailed-exitcode");

    cli_has(run->out, "~  worker-0       4  ->      3\n"
                      "~  worker-1       4  ->      3\n"
                      "~  worker-2       4  ->      3\n"
                      "+  worker-3       0  ->      3  new, capacity 100\n");
    cli_has(run->out, "  ->  worker-3  joining\n");
    cli_has(run->out,
            "Moves 3 of 12 (a plan as even moves 3 at least). Imbalance 0.0 % -> 0.0 %.");
}
END_TEST

START_TEST(plan_without_detailed_exitcode_ends_with_0)
{
    (void)CLI_EXPECT(0, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--from",
                     cli_file("s.json", state), "--add", "worker-3");
}
END_TEST

START_TEST(plan_of_a_removal_in_json)
{
    json_t *o = cli_json(CLI_EXPECT(0, "plan", "-c", cli_conf("a.ini", nowhere, ""),
                                    "--from", cli_file("s.json", state), "--remove",
                                    "worker-1", "-o", "json"));
    json_t *moves = json_object_get(o, "moves"), *move;
    size_t i;

    ck_assert_int_eq(json_integer_value(json_object_get(o, "moved")), 4);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "moved_least")), 4);
    ck_assert(json_real_value(json_object_get(o, "max_over_mean")) == 1.0);
    ck_assert_uint_eq(json_array_size(moves), 4);
    json_array_foreach(moves, i, move)
    {
        const char *to = json_string_value(json_object_get(move, "to"));

        ck_assert_str_eq(json_string_value(json_object_get(move, "from")), "worker-1");
        ck_assert_str_ne(to, "worker-1");
        ck_assert_str_eq(json_string_value(json_object_get(move, "reason")), "leaving");
    }
    ck_assert_uint_eq(
        json_array_size(json_object_get(json_object_get(o, "before"), "workers")), 3);
    ck_assert_uint_eq(
        json_array_size(json_object_get(json_object_get(o, "after"), "workers")), 2);
    ck_assert_uint_eq(json_object_size(o), 7);
    json_decref(o);
}
END_TEST

START_TEST(plan_keeps_what_is_in_a_key)
{
    const struct cli_run *run =
        CLI_EXPECT(0, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--from",
                   cli_file("s.json", state), "--remove", "worker-2");

    cli_has(run->out, "p/a%2Fb    worker-2  ->  ");
    cli_has(run->out, "p/b        worker-2  ->  "); /* on its way there, so from there */
}
END_TEST

START_TEST(plan_heeds_capacity)
{
    const struct cli_run *run = CLI_EXPECT(
        0, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--from",
        cli_file("s.json", state), "--add", "worker-3,capacity=300,zone=north");

    cli_has(run->out, "+  worker-3       0  ->      6  new, capacity 300\n");
}
END_TEST

START_TEST(plan_without_server_and_group_is_a_first_assignment)
{
    const struct cli_run *run = CLI_EXPECT(
        0, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--add", "a", "--add", "b");

    cli_has(run->err, "PARTI-E101 ");
    cli_has(run->err, "this is a first assignment");
    cli_has(run->out, "group g, epoch 0, 0 workers, 32 partitions");
    cli_has(run->out, "+  a            0  ->     16  new, capacity 100\n");
    cli_has(run->out, "p/0        (nobody)  ->  ");
    cli_has(run->out, "... and 12 more (-v lists them all)\n");
    cli_lacks(
        CLI_EXPECT(0, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--add", "a", "-v")
            ->out,
        " more (");
}
END_TEST

START_TEST(plan_without_server_and_workers_has_no_server)
{
    cli_has(CLI_EXPECT(4, "plan", "-c", cli_conf("a.ini", nowhere, ""))->err,
            "PARTI-E101 nothing listens on 127.0.0.1:1");
}
END_TEST

static void refuses(const char *from, const char *option, const char *value,
                    const char *why)
{
    const char *conf = cli_conf("a.ini", nowhere, "");

    cli_has(CLI_EXPECT(2, "plan", "-c", conf, "--from", from, option, value)->err, why);
    (void)CLI_EXPECT(1, "plan", "-c", conf, "--from", from, option, value,
                     "--detailed-exitcode"); /* there 2 says that something moves */
}

START_TEST(plan_refuses_workers_it_cannot_mean)
{
    const char *from = cli_file("s.json", state);

    refuses(from, "--remove", "worker-00", "did you mean 'worker-0'?");
    refuses(from, "--add", "worker-1", "is there already");
    refuses(from, "--add", "x,capacity=-1", "capacity is a number");
    refuses(from, "--add", "x,speed=9", "neither capacity=N nor zone=Z");
}
END_TEST

START_TEST(plan_refuses_a_state_that_is_none)
{
    refuses(cli_path("none.json"), "--add", "x", "cannot be read: No such file");
    refuses(cli_file("s.json", "{"), "--add", "x", "line 1: ");
    refuses(cli_file("s.json", "{\"format_version\": 2}"), "--add", "x",
            "its format_version is not 1");
}
END_TEST

START_TEST(plan_refuses_a_partition_listed_twice)
{
    static const char twice[] =
        "{\"format_version\": 1, \"workers\": [{\"id\": \"a\", \"partitions\": "
        "[\"p/1\", \"p/1\"]}], \"pending\": []}";

    refuses(cli_file("s.json", twice), "--add", "x", "it names this twice: p/1");
}
END_TEST

START_TEST(plan_tells_that_nobody_can_be_given_anything)
{
    const struct cli_run *run =
        CLI_EXPECT(1, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--from",
                   cli_file("s.json", state), "--remove", "worker-0", "--remove",
                   "worker-1", "--remove", "worker-2");

    cli_has(run->err, "PARTI-E224 ");
}
END_TEST

START_TEST(plan_by_a_strategy_that_is_not_there)
{
    cli_has(CLI_EXPECT(2, "plan", "-c", cli_conf("a.ini", nowhere, ""), "--from",
                       cli_file("s.json", state), "--strategy", "nope")
                ->err,
            "parti: PARTI-E201 ");
}
END_TEST

CLI_MAIN("cli_plan", plan_of_nothing_new_moves_nothing, plan_of_a_join_shows_who_gives,
         plan_without_detailed_exitcode_ends_with_0, plan_of_a_removal_in_json,
         plan_keeps_what_is_in_a_key, plan_heeds_capacity,
         plan_without_server_and_group_is_a_first_assignment,
         plan_without_server_and_workers_has_no_server,
         plan_refuses_workers_it_cannot_mean, plan_refuses_a_state_that_is_none,
         plan_refuses_a_partition_listed_twice,
         plan_tells_that_nobody_can_be_given_anything,
         plan_by_a_strategy_that_is_not_there)
