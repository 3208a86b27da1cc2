/* A plugin that answers PARTI_RETRY: the group is Degraded, with the plugin's reason in
 * the events of every worker, in `parti status` and in `parti watch`; nobody loses what
 * he has; and it ends when the plugin answers again. */
#include "config.h"

#include "cli_rig.h"
#include "rig.h"

#include "edge/clock.h"

#include <nats/nats.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMING                                                                       \
    "[timing]\ncold_start_window = 300 ms\nplanned_scale_window = 200 ms\n"          \
    "min_rebalance_interval = 100 ms\ndegraded_enter = 500 ms\ndegraded_exit = 300 " \
    "ms\n"

enum { TEXT_ROOM = 4096 };

static struct server server;
static const char *away; /* the plugin refuses while this file is there */

/* A configuration with this evil section and this good one. */
static const char *begin(const char *evil, const char *good)
{
    const char *build = getenv("PARTI_BUILDDIR");
    char text[TEXT_ROOM];

    ck_assert_msg(build != NULL, "PARTI_BUILDDIR is not set: run by make check");
    server_start(&server, &(struct server_options){.program = rig_program(0)});
    away = cli_path("away");
    (void)snprintf(text, sizeof text,
                   "[parti]\ngroup = g\nplugin_dir = %s/plugins/.libs\n"
                   "[nats]\nurl = %s\n"
                   "[%s]\nplugin = %s/tests/plugins/.libs/evil_retry.so\nwhile = %s\n"
                   "%s" TIMING,
                   build, server.url, evil, build, away, good);
    return cli_file("a.ini", text);
}

static void set_away(bool is_away)
{
    FILE *to;

    if (!is_away) {
        ck_assert_int_eq(unlink(away), 0);
        return;
    }
    to = fopen(away, "we");
    ck_assert_ptr_nonnull(to);
    ck_assert_int_eq(fclose(to), 0);
}

/* ---- lines of events */

static size_t await_assigned(struct cli_live *live)
{
    json_t *o = cli_event(live, "assigned", NULL, NULL);
    size_t n = json_array_size(json_object_get(o, "partitions"));

    json_decref(o);
    return n;
}

static void await_degraded(struct cli_live *live, const char *code, const char *reason)
{
    json_t *o = cli_event(live, "state", "to", "Degraded");

    cli_has(cli_text(o, "reason"), code);
    cli_has(cli_text(o, "reason"), reason);
    json_decref(o);
}

static void await_recovered(struct cli_live *live)
{
    json_decref(cli_event(live, "state", "from", "Degraded"));
}

/* What `parti status` says, for programs, and for people, whose terminal must not act on
 * what a plugin says. */
static void check_status(const char *conf, const char *reason)
{
    json_t *o = cli_json(CLI_EXPECT(0, "status", "-c", conf, "-o", "json"));
    char row[TEXT_ROOM];

    ck_assert_str_eq(cli_text(o, "state"), "Degraded");
    cli_has(cli_text(o, "reason"), reason);
    (void)snprintf(row, sizeof row, "reason      %s", cli_text(o, "reason"));
    json_decref(o);
    for (char *c = row; *c != '\0'; c++)
        *c = (unsigned char)*c < ' ' ? '?' : *c;

    const struct cli_run *people = CLI_EXPECT(0, "status", "-c", conf);

    cli_has(people->out, row);
    for (const char *c = people->out; *c != '\0'; c++)
        ck_assert_msg((unsigned char)*c >= ' ' || *c == '\n', "byte %d in:\n%s", *c,
                      people->out);
}

static void check_status_good(const char *conf)
{
    json_t *o = cli_json(CLI_EXPECT(0, "status", "-c", conf, "-o", "json"));

    ck_assert_str_ne(cli_text(o, "state"), "Degraded");
    ck_assert_ptr_null(json_object_get(o, "reason"));
    json_decref(o);
    cli_lacks(CLI_EXPECT(0, "status", "-c", conf)->out, "reason");
}

/* ---- tests */

START_TEST(a_strategy_that_answers_retry_makes_every_worker_degraded)
{
    const char *conf =
        begin("strategy", "[source]\nplugin = static\npartitions = p/0..7\n");
    struct cli_live *first = cli_start_run(conf);

    ck_assert_uint_eq(await_assigned(first), 8);
    set_away(true);

    struct cli_live *second = cli_start_run(conf); /* it is asked for a plan with two */

    await_degraded(first, "PARTI-E220", "my table is away");
    await_degraded(second, "PARTI-E220", "my table is away");
    check_status(conf, "my table is away \033[31m\a\rnow");
    ck_assert_msg(strstr(first->buffer, "\"revoking\"") == NULL,
                  "the last good assignment must stay:\n%s", first->buffer);
    set_away(false);
    await_recovered(first);
    await_recovered(second);
    check_status_good(conf);
    cli_finish(second);
    cli_finish(first);
    server_finish(&server);
}
END_TEST

START_TEST(the_strategy_is_asked_again_and_its_plan_is_carried_out)
{
    const char *conf =
        begin("strategy", "[source]\nplugin = static\npartitions = p/0..7\n");
    struct cli_live *first = cli_start_run(conf);

    ck_assert_uint_eq(await_assigned(first), 8);
    set_away(true);

    struct cli_live *second = cli_start_run(conf);

    await_degraded(first, "PARTI-E220", "my table is away");
    set_away(false);
    ck_assert_uint_eq(await_assigned(second), 4);
    cli_finish(second);
    cli_finish(first);
    server_finish(&server);
}
END_TEST

START_TEST(a_source_that_answers_retry_makes_the_group_degraded)
{
    const char *conf = begin("source", "[strategy]\nplugin = round_robin\n");
    const char *const watching[] = {"watch", "-c", conf, "-o", "json", NULL};
    struct cli_live *worker = cli_start_run(conf);

    ck_assert_uint_eq(await_assigned(worker), 1);

    static struct cli_live watch;

    cli_start(&watch, watching);
    json_decref(cli_event(&watch, "group", NULL, NULL));
    set_away(true);
    cli_has(CLI_EXPECT(1, "refresh", "-c", conf)->err, "the far end is away");
    await_degraded(worker, "PARTI-E500", "the far end is away");
    await_degraded(&watch, "PARTI-E500", "the far end is away");
    check_status(conf, "the far end is away");
    set_away(false);
    await_recovered(worker);
    await_recovered(&watch);
    check_status_good(conf);
    ck_assert_msg(strstr(worker->buffer, "\"revoking\"") == NULL,
                  "the last list must stay:\n%s", worker->buffer);
    ck_assert_int_eq(cli_interrupt(&watch), 0);
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

START_TEST(a_source_that_never_answered_says_why_nothing_is_assigned)
{
    const char *conf = begin("source", "[strategy]\nplugin = round_robin\n");

    set_away(true);

    struct cli_live *worker = cli_start_run(conf);

    await_degraded(worker, "PARTI-E500", "the far end is away");
    set_away(false);
    ck_assert_uint_eq(await_assigned(worker), 1);
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

/* Until it has refused so often: each of these is one listing. */
static void await_refusals(off_t n)
{
    uint64_t until_ms = clock_boot_ms() + CLI_RIG_MS;
    struct stat st;

    while (stat(away, &st) != 0 || st.st_size < n) {
        ck_assert_msg(clock_boot_ms() < until_ms, "the source is not asked again");
        (void)poll(NULL, 0, 10);
    }
}

static int count(const char *text, const char *part)
{
    int n = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

START_TEST(a_failure_of_a_source_is_told_once_however_often_it_is_asked)
{
    static char log[CLI_RIG_OUT];
    const char *conf = begin("source", "[strategy]\nplugin = round_robin\n");

    set_away(true);

    struct cli_live *worker = cli_start_run(conf);

    await_degraded(worker, "PARTI-E500", "the far end is away");
    await_refusals(4);
    set_away(false);
    ck_assert_uint_eq(await_assigned(worker), 1);
    ck_assert_int_eq(count(worker->buffer, "\"event\":\"error\""), 1);
    cli_log(worker, log);
    ck_assert_msg(count(log, " PARTI-E500 ") == 1, "told more than once:\n%s", log);
    cli_has(log, "error PARTI-E500 source evil_retry could not list its partitions: the "
                 "far end is away\n");
    cli_has(log, "source evil_retry lists its partitions again\n");
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

/* ---- messages that cannot be read */

#define CONSUME_BY(subject)                            \
    "[source]\nplugin = static\npartitions = p/0..7\n" \
    "[consume]\nplugin = jetstream\nstream = S\nsubject = " subject "\n"
#define CONSUME CONSUME_BY("p.{2}")
/* Gives back when asked. */
#define COMMAND                                                               \
    "while read -r l; do case $l in *'\"revoking\"'*) e=${l#*'\"epoch\":'}; " \
    "echo \"{\\\"released\\\": ${e%%,*}}\";; esac; done"

static struct cli_live *start_consuming(const char *conf)
{
    const char *const words[] = {"run", "-c", conf, "--events", "-",
                                 "--",  "sh", "-c", COMMAND,    NULL};
    struct cli_live *live = calloc(1, sizeof *live);

    ck_assert_ptr_nonnull(live);
    cli_start(live, words);
    return live;
}

static void make_stream(const char *subjects)
{
    natsConnection *nc = NULL;
    natsMsg *answer = NULL;
    char body[256];

    (void)snprintf(body, sizeof body, "{\"name\":\"S\",\"subjects\":[%s]}", subjects);
    ck_assert_int_eq(natsConnection_ConnectTo(&nc, server.url), NATS_OK);
    ck_assert_int_eq(
        natsConnection_RequestString(&answer, nc, "$JS.API.STREAM.CREATE.S", body, 5000),
        NATS_OK);
    cli_lacks(natsMsg_GetData(answer), "error");
    natsMsg_Destroy(answer);
    natsConnection_Destroy(nc);
}

/* All is said to be well, but for that. */
static void check_unread(json_t *o, int partitions)
{
    ck_assert_int_eq(json_integer_value(json_object_get(o, "partitions")), partitions);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "workers")), 1);
    ck_assert_str_eq(cli_text(o, "worker"), "worker-0");
    cli_has(cli_text(o, "reason"), "PARTI-E706 partition p/");
    cli_has(cli_text(o, "reason"), ": there is no stream S on nats:");
    cli_lacks(cli_text(o, "reason"), "goes on trying"); /* there is little room */
}

START_TEST(partitions_that_cannot_be_read_show_until_they_can)
{
    static struct cli_live watch;
    const char *conf = begin("strategy", CONSUME);
    const char *const watching[] = {"watch", "-c", conf, "-o", "json", NULL};
    struct cli_live *worker = start_consuming(conf);

    ck_assert_uint_eq(await_assigned(worker), 8);
    cli_start(&watch, watching);
    json_t *o = cli_event(&watch, "unread", NULL, NULL);
    check_unread(o, 8);
    json_decref(o);
    o = cli_json(CLI_EXPECT(0, "status", "-c", conf, "-o", "json"));
    ck_assert_str_ne(cli_text(o, "state"), "Degraded");
    check_unread(json_object_get(o, "unread"), 8);
    json_decref(o);
    cli_has(CLI_EXPECT(0, "status", "-c", conf)->out,
            "\nunread      8 partition(s) of 1 worker(s); worker-0: PARTI-E706 ");
    make_stream("\"p.*\"");
    do {
        o = cli_event(&watch, "unread", NULL, NULL);
        json_int_t left = json_integer_value(json_object_get(o, "partitions"));

        json_decref(o);
        if (left == 0)
            break;
    } while (true);
    cli_lacks(CLI_EXPECT(0, "status", "-c", conf)->out, "unread");
    ck_assert_int_eq(cli_interrupt(&watch), 0);
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

/* They are never begun: the reader refuses them. */
START_TEST(partitions_whose_keys_do_not_fit_show_as_well)
{
    static struct cli_live watch;
    const char *conf = begin("strategy", CONSUME_BY("p.{3}"));
    const char *const watching[] = {"watch", "-c", conf, "-o", "json", NULL};

    make_stream("\"p.*\"");

    struct cli_live *worker = start_consuming(conf);

    ck_assert_uint_eq(await_assigned(worker), 8);
    cli_start(&watch, watching);
    json_t *o = cli_event(&watch, "unread", NULL, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "partitions")), 8);
    cli_has(cli_text(o, "reason"), "PARTI-E706 partition p/");
    json_decref(o);
    ck_assert_int_eq(cli_interrupt(&watch), 0);
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

CLI_MAIN("cli_degraded", partitions_that_cannot_be_read_show_until_they_can,
         partitions_whose_keys_do_not_fit_show_as_well,
         a_strategy_that_answers_retry_makes_every_worker_degraded,
         the_strategy_is_asked_again_and_its_plan_is_carried_out,
         a_source_that_answers_retry_makes_the_group_degraded,
         a_source_that_never_answered_says_why_nothing_is_assigned,
         a_failure_of_a_source_is_told_once_however_often_it_is_asked)
