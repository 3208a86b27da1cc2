/* A plugin that answers PARTI_RETRY: the group is Degraded, with the plugin's reason in
 * the events of every worker, in `parti status` and in `parti watch`; nobody loses what
 * he has; and it ends when the plugin answers again. */
#include "config.h"

#include "cli_rig.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static struct cli_live *start(const char *const words[])
{
    struct cli_live *live = calloc(1, sizeof *live);

    ck_assert_ptr_nonnull(live);
    cli_start(live, words);
    return live;
}

static struct cli_live *start_run(const char *conf)
{
    const char *const words[] = {"run", "-c", conf, "--events", "-", NULL};

    return start(words);
}

static void finish(struct cli_live *live)
{
    ck_assert_int_eq(cli_interrupt(live), 0);
    free(live);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text != NULL ? text : "";
}

struct want {
    const char *event, *key, *text; /* key and text may be NULL */
    char reason[TEXT_ROOM];         /* of the line that came */
    size_t parts;
};

static bool is_wanted(const char *line, void *ctx)
{
    struct want *w = ctx;
    json_t *o = json_loads(line, 0, NULL);

    ck_assert_msg(o != NULL, "this is no JSON: %s", line);
    bool is_it = strcmp(text_of(o, "event"), w->event) == 0 &&
                 (w->key == NULL || strcmp(text_of(o, w->key), w->text) == 0);

    if (is_it) {
        (void)snprintf(w->reason, sizeof w->reason, "%s", text_of(o, "reason"));
        w->parts = json_array_size(json_object_get(o, "partitions"));
    }
    json_decref(o);
    return is_it;
}

static size_t await_assigned(struct cli_live *live)
{
    struct want w = {.event = "assigned"};

    cli_line(live, is_wanted, &w);
    return w.parts;
}

static void await_degraded(struct cli_live *live, const char *code, const char *reason)
{
    struct want w = {.event = "state", .key = "to", .text = "Degraded"};

    cli_line(live, is_wanted, &w);
    cli_has(w.reason, code);
    cli_has(w.reason, reason);
}

static void await_recovered(struct cli_live *live)
{
    struct want w = {.event = "state", .key = "from", .text = "Degraded"};

    cli_line(live, is_wanted, &w);
}

/* What `parti status` says, for programs and for people. */
static void check_status(const char *conf, const char *reason)
{
    json_t *o = cli_json(CLI_EXPECT(0, "status", "-c", conf, "-o", "json"));
    char row[TEXT_ROOM];

    ck_assert_str_eq(text_of(o, "state"), "Degraded");
    cli_has(text_of(o, "reason"), reason);
    (void)snprintf(row, sizeof row, "reason      %s", text_of(o, "reason"));
    json_decref(o);
    cli_has(CLI_EXPECT(0, "status", "-c", conf)->out, row);
}

static void check_status_good(const char *conf)
{
    json_t *o = cli_json(CLI_EXPECT(0, "status", "-c", conf, "-o", "json"));

    ck_assert_str_ne(text_of(o, "state"), "Degraded");
    ck_assert_ptr_null(json_object_get(o, "reason"));
    json_decref(o);
    cli_lacks(CLI_EXPECT(0, "status", "-c", conf)->out, "reason");
}

/* ---- tests */

START_TEST(a_strategy_that_answers_retry_makes_every_worker_degraded)
{
    const char *conf =
        begin("strategy", "[source]\nplugin = static\npartitions = p/0..7\n");
    struct cli_live *first = start_run(conf);

    ck_assert_uint_eq(await_assigned(first), 8);
    set_away(true);

    struct cli_live *second = start_run(conf); /* it is asked for a plan with two */

    await_degraded(first, "PARTI-E220", "my table is away");
    await_degraded(second, "PARTI-E220", "my table is away");
    check_status(conf, "my table is away");
    ck_assert_msg(strstr(first->buffer, "\"revoking\"") == NULL,
                  "the last good assignment must stay:\n%s", first->buffer);
    set_away(false);
    await_recovered(first);
    await_recovered(second);
    check_status_good(conf);
    finish(second);
    finish(first);
    server_finish(&server);
}
END_TEST

START_TEST(the_strategy_is_asked_again_and_its_plan_is_carried_out)
{
    const char *conf =
        begin("strategy", "[source]\nplugin = static\npartitions = p/0..7\n");
    struct cli_live *first = start_run(conf);

    ck_assert_uint_eq(await_assigned(first), 8);
    set_away(true);

    struct cli_live *second = start_run(conf);

    await_degraded(first, "PARTI-E220", "my table is away");
    set_away(false);
    ck_assert_uint_eq(await_assigned(second), 4);
    finish(second);
    finish(first);
    server_finish(&server);
}
END_TEST

START_TEST(a_source_that_answers_retry_makes_the_group_degraded)
{
    const char *conf = begin("source", "[strategy]\nplugin = round_robin\n");
    const char *const watching[] = {"watch", "-c", conf, "-o", "json", NULL};
    struct cli_live *worker = start_run(conf);

    ck_assert_uint_eq(await_assigned(worker), 1);

    struct cli_live *watch = start(watching);
    struct want group = {.event = "group"};

    cli_line(watch, is_wanted, &group);
    set_away(true);
    cli_has(CLI_EXPECT(1, "refresh", "-c", conf)->err, "the far end is away");
    await_degraded(worker, "PARTI-E500", "the far end is away");
    await_degraded(watch, "PARTI-E500", "the far end is away");
    check_status(conf, "the far end is away");
    set_away(false);
    await_recovered(worker);
    await_recovered(watch);
    check_status_good(conf);
    ck_assert_msg(strstr(worker->buffer, "\"revoking\"") == NULL,
                  "the last list must stay:\n%s", worker->buffer);
    finish(watch);
    finish(worker);
    server_finish(&server);
}
END_TEST

START_TEST(a_source_that_never_answered_says_why_nothing_is_assigned)
{
    const char *conf = begin("source", "[strategy]\nplugin = round_robin\n");

    set_away(true);

    struct cli_live *worker = start_run(conf);

    await_degraded(worker, "PARTI-E500", "the far end is away");
    set_away(false);
    ck_assert_uint_eq(await_assigned(worker), 1);
    finish(worker);
    server_finish(&server);
}
END_TEST

CLI_MAIN("cli_degraded", a_strategy_that_answers_retry_makes_every_worker_degraded,
         the_strategy_is_asked_again_and_its_plan_is_carried_out,
         a_source_that_answers_retry_makes_the_group_degraded,
         a_source_that_never_answered_says_why_nothing_is_assigned)
