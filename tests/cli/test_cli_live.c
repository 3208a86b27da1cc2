/* parti status, watch, refresh and plan against real servers and workers. */
#include "config.h"

#include "cli_rig.h"
#include "rig.h"

#include "proto/wire.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- the bench: a server, its configuration */

static struct server server;

static const char *begin(int i, const char *more)
{
    cli_rig_setup();
    server_start(&server, &(struct server_options){.program = rig_program(i)});
    return cli_conf("a.ini", server.url, more);
}

static void end(void)
{
    server_finish(&server);
    cli_rig_teardown();
}

static json_t *status_of(const char *conf)
{
    return cli_json(CLI_EXPECT(0, "status", "-c", conf, "-o", "json"));
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    ck_assert_msg(text != NULL, "there is no text '%s'", key);
    return text;
}

static size_t parts_of(const json_t *status, size_t worker)
{
    const json_t *workers = json_object_get(status, "workers");

    return json_array_size(
        json_object_get(json_array_get(workers, worker), "partitions"));
}

/* ---- lines of watch */

struct want {
    const char *event;
    const char *key, *text; /* or NULL */
    const char *number_key; /* or NULL */
    json_int_t number;
};

static bool is_wanted(const char *line, void *ctx)
{
    const struct want *w = ctx;
    json_t *o = json_loads(line, 0, NULL);

    ck_assert_msg(o != NULL, "this is no JSON: %s", line);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "format_version")), 1);
    const json_t *text = w->key != NULL ? json_object_get(o, w->key) : NULL;
    const json_t *number =
        w->number_key != NULL ? json_object_get(o, w->number_key) : NULL;
    bool is_it =
        strcmp(text_of(o, "event"), w->event) == 0 && strlen(text_of(o, "time")) == 24 &&
        (w->key == NULL ||
         (json_is_string(text) && strcmp(json_string_value(text), w->text) == 0)) &&
        (w->number_key == NULL ||
         (json_is_integer(number) && json_integer_value(number) == w->number));

    json_decref(o);
    return is_it;
}

static void await(struct cli_live *watch, struct want want)
{
    cli_line(watch, is_wanted, &want);
}

static void start_watch(struct cli_live *watch, const char *conf)
{
    const char *const words[] = {"watch", "-c", conf, "-o", "json", NULL};

    cli_start(watch, words);
}

/* Until worker-NUMBER has been given so many. */
static void await_parts(struct cli_live *watch, const char *worker, json_int_t n)
{
    await(watch, (struct want){"partitions", "worker", worker, "partitions", n});
}

static bool is_stable(const char *line, void *ctx)
{
    (void)ctx;
    return strstr(line, "\"state\":\"Stable\"") != NULL ||
           strstr(line, "\"to\":\"Stable\"") != NULL;
}

/* Until the leader says that nothing is under way. */
static void await_stable(const char *conf)
{
    struct cli_live *watch = calloc(1, sizeof *watch);

    ck_assert_ptr_nonnull(watch);
    start_watch(watch, conf);
    cli_line(watch, is_stable, NULL);
    ck_assert_int_eq(cli_interrupt(watch), 0);
    free(watch);
}

/* ---- tests */

START_TEST(status_of_a_server_without_the_group)
{
    const char *conf = begin(_i, "");

    cli_has(CLI_EXPECT(1, "status", "-c", conf)->err,
            "parti: there is no group 'g' on nats://127.0.0.1:");
    cli_has(CLI_EXPECT(1, "refresh", "-c", conf)->err, "there is no group 'g'");
    /* Looking makes nothing. */
    cli_has(CLI_EXPECT(1, "status", "-c", conf)->err, "there is no group 'g'");
    end();
}
END_TEST

START_TEST(status_of_a_server_without_jetstream)
{
    cli_rig_setup();
    server_start(&server, &(struct server_options){.program = rig_program(_i),
                                                   .no_jetstream = true});
    const char *conf = cli_conf("a.ini", server.url, "");

    cli_has(CLI_EXPECT(4, "status", "-c", conf)->err, "PARTI-E102 ");
    end();
}
END_TEST

START_TEST(status_of_one_worker)
{
    const char *conf = begin(_i, "");
    struct cli_worker *worker = cli_worker(conf);

    cli_settle(worker, 32);
    await_stable(conf);
    json_t *o = status_of(conf);
    static const char *const keys[] = {"format_version", "group",   "leader",
                                       "term",           "epoch",   "state",
                                       "strategy",       "workers", "pending"};

    ck_assert_uint_eq(json_object_size(o), sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        ck_assert_msg(json_object_get(o, keys[i]) != NULL, "%s is missing", keys[i]);
    ck_assert_str_eq(text_of(o, "group"), "g");
    ck_assert_str_eq(text_of(o, "leader"), "worker-0");
    ck_assert_str_eq(text_of(o, "state"), "Stable");
    ck_assert_str_eq(text_of(o, "strategy"), "round_robin");
    ck_assert_int_eq(json_integer_value(json_object_get(o, "term")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "workers")), 1);
    ck_assert_uint_eq(parts_of(o, 0), 32);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "pending")), 0);
    json_decref(o);

    const struct cli_run *run = CLI_EXPECT(0, "status", "-c", conf);

    cli_has(run->out, "state       Stable\nleader      worker-0, term 1\n");
    cli_has(run->out, "partitions  32, 0 pending, 0 unowned\n");
    cli_has(run->out, "#####");  /* 80 columns leave room for a bar */
    cli_lacks(run->out, "\033"); /* it is no terminal */
    cli_leave(worker);
    end();
}
END_TEST

START_TEST(status_without_a_leader_tells_what_the_log_says)
{
    const char *conf = begin(_i, "");
    struct cli_worker *worker = cli_worker(conf);

    cli_settle(worker, 32);
    cli_drop(worker); /* at once: nothing is handed over */
    json_t *o = status_of(conf);

    ck_assert(json_is_null(json_object_get(o, "leader")));
    ck_assert_str_eq(text_of(o, "state"), "Election");
    ck_assert_uint_eq(parts_of(o, 0), 32);
    json_decref(o);
    cli_has(CLI_EXPECT(0, "status", "-c", conf)->out, "leader      none, term 1\n");
    end();
}
END_TEST

START_TEST(server_of_the_environment_and_of_the_option)
{
    const char *conf = begin(_i, "");
    const char *other = cli_conf("b.ini", "nats://127.0.0.1:1", "");
    struct cli_worker *worker = cli_worker(conf);

    cli_settle(worker, 32);
    (void)CLI_EXPECT(4, "status", "-c", other);
    (void)CLI_EXPECT(0, "status", "-c", other, "--server", server.url);
    (void)CLI_EXPECT(0, "--server", server.url, "status", "-c", other);
    cli_leave(worker);
    end();
}
END_TEST

START_TEST(watch_tells_what_happens)
{
    const char *conf = begin(_i, "");
    struct cli_live *watch = calloc(1, sizeof *watch);

    ck_assert_ptr_nonnull(watch);
    start_watch(watch, conf);
    await(watch, (struct want){.event = "error"}); /* no group yet */
    struct cli_worker *first = cli_worker(conf);

    await(watch, (struct want){"leader", "leader", "worker-0", "term", 1});
    cli_settle(first, 32);
    struct cli_worker *second = cli_worker(conf);

    await(watch, (struct want){.event = "epoch", .key = "cause", .text = "join"});
    await(watch, (struct want){.event = "worker", .key = "change", .text = "joined"});
    await_parts(watch, "worker-1", 16);
    await(watch, (struct want){.event = "settled"});
    cli_leave(second);
    await(watch, (struct want){.event = "worker", .key = "change", .text = "left"});
    cli_drop(first);
    await(watch, (struct want){.event = "leader", .number_key = "term", .number = 1});
    await(watch, (struct want){"state", "to", "Election", NULL, 0});
    ck_assert_int_eq(cli_interrupt(watch), 0);
    free(watch);
    end();
}
END_TEST

START_TEST(watch_sees_the_server_go_and_come_back)
{
    const char *conf = begin(_i, "");
    struct cli_live *watch = calloc(1, sizeof *watch);
    struct cli_worker *worker = cli_worker(conf);

    ck_assert_ptr_nonnull(watch);
    cli_settle(worker, 32);
    start_watch(watch, conf);
    await(watch, (struct want){"group", "group", "g", "partitions", 32});
    server_kill(&server);
    await(watch, (struct want){.event = "server"});
    server_restart(&server);
    await(watch, (struct want){.event = "server"});
    ck_assert_int_eq(cli_interrupt(watch), 0);
    cli_drop(worker);
    free(watch);
    end();
}
END_TEST

START_TEST(plan_says_what_then_happens)
{
    const char *conf = begin(_i, "");
    struct cli_live *watch = calloc(1, sizeof *watch);
    struct cli_worker *worker[3];

    ck_assert_ptr_nonnull(watch);
    start_watch(watch, conf);
    worker[0] = cli_worker(conf);
    cli_settle(worker[0], 32);
    worker[1] = cli_worker(conf);
    await_parts(watch, "worker-1", 16);
    json_t *plan = cli_json(CLI_EXPECT(2, "plan", "-c", conf, "--add", "worker-2",
                                       "--detailed-exitcode", "-o", "json"));
    json_t *planned = json_object_get(json_object_get(plan, "after"), "workers");

    worker[2] = cli_worker(conf);
    await(watch, (struct want){.event = "worker", .key = "worker", .text = "worker-2"});
    await(watch, (struct want){.event = "settled"});
    json_t *status = status_of(conf);
    json_t *present = json_object_get(status, "workers");

    ck_assert_uint_eq(json_array_size(planned), 3);
    ck_assert_uint_eq(json_array_size(present), 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert(json_equal(json_object_get(json_array_get(planned, i), "partitions"),
                             json_object_get(json_array_get(present, i), "partitions")));
    ck_assert_int_eq(cli_interrupt(watch), 0);
    json_decref(plan);
    json_decref(status);
    for (size_t i = 0; i < 3; i++)
        cli_drop(worker[i]);
    free(watch);
    end();
}
END_TEST

START_TEST(status_is_what_plan_reads)
{
    const char *conf = begin(_i, "");
    struct cli_worker *worker = cli_worker(conf);

    cli_settle(worker, 32);
    const char *from =
        cli_file("s.json", CLI_EXPECT(0, "status", "-c", conf, "-o", "json")->out);

    cli_leave(worker);
    server_stop(&server);
    (void)CLI_EXPECT(0, "plan", "-c", conf, "--from", from, "--detailed-exitcode");
    cli_has(CLI_EXPECT(2, "plan", "-c", conf, "--from", from, "--add", "worker-1",
                       "--detailed-exitcode")
                ->out,
            "Moves 16 of 32 (a plan as even moves 16 at least).");
    end();
}
END_TEST

START_TEST(plan_of_a_group_that_nobody_has_made_lists_the_sources)
{
    const char *conf = begin(_i, "");
    const struct cli_run *run =
        CLI_EXPECT(0, "plan", "-c", conf, "--add", "a", "--add", "b,capacity=300");

    cli_has(run->err, "there is no group 'g'");
    cli_has(run->out, "+  b            0  ->     24  new, capacity 300\n");
    (void)CLI_EXPECT(1, "plan", "-c", conf);
    end();
}
END_TEST

START_TEST(refresh_brings_new_partitions)
{
    char more[512], partitions[300];

    cli_rig_setup();
    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    (void)snprintf(partitions, sizeof partitions, "%s", cli_file("list", "q/0\nq/1\n"));
    format(more, sizeof more, "[source:file]\nplugin = static\nfile = %s\n", partitions);
    const char *conf = cli_conf("a.ini", server.url, more);
    struct cli_worker *worker = cli_worker(conf);
    struct cli_live *watch = calloc(1, sizeof *watch);

    ck_assert_ptr_nonnull(watch);
    cli_settle(worker, 34);
    start_watch(watch, conf);
    await(watch, (struct want){"group", "group", "g", "partitions", 34});
    (void)cli_file("list", "q/0\nq/1\nq/2\n");
    const struct cli_run *run = CLI_EXPECT(0, "refresh", "-c", conf);

    cli_has(run->err, "the leader has listed the sources of 'g'");
    ck_assert_str_eq(run->out, "");
    await_parts(watch, "worker-0", 35);
    ck_assert_int_eq(cli_interrupt(watch), 0);
    cli_leave(worker);
    free(watch);
    end();
}
END_TEST

START_TEST(refresh_that_fails_tells_the_source_and_ends_with_1)
{
    char more[512], list[300];

    cli_rig_setup();
    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    (void)snprintf(list, sizeof list, "%s", cli_file("list", "q/0\n"));
    format(more, sizeof more, "[source:file]\nplugin = static\nfile = %s\n", list);
    const char *conf = cli_conf("a.ini", server.url, more);
    struct cli_worker *worker = cli_worker(conf);

    cli_settle(worker, 33);
    ck_assert_int_eq(remove(list), 0);
    cli_has(CLI_EXPECT(1, "refresh", "-c", conf)->err, "PARTI-E500 ");
    cli_leave(worker);
    end();
}
END_TEST

START_TEST(refresh_without_a_leader_ends_with_3)
{
    const char *conf = begin(_i, "operation_timeout = 500 ms\n");
    struct cli_worker *worker = cli_worker(conf);

    cli_settle(worker, 32);
    cli_drop(worker);
    cli_has(CLI_EXPECT(3, "refresh", "-c", conf)->err, "no leader of the group 'g'");
    end();
}
END_TEST

/* A leader that lives, but is deaf: beacons from a thread until told to stop. */
struct deaf {
    struct rig rig;
    pthread_t thread;
    int stop_fd;
};

static void *say_beacons(void *arg)
{
    struct deaf *deaf = arg;
    struct message m = {.type = MSG_BEACON};
    struct pollfd stop = {.fd = deaf->stop_fd, .events = POLLIN};
    char buffer[2048];

    m.beacon.gen = m.beacon.term = m.beacon.leader.lo = 1;
    m.beacon.allowance_ms = 1000;
    (void)snprintf(m.beacon.id, sizeof m.beacon.id, "worker-7");
    size_t n = wire_encode(&m, buffer, sizeof buffer);

    do {
        (void)nats_link_publish(deaf->rig.link, "parti.g.beacon", NULL, buffer, n);
    } while (poll(&stop, 1, 50) == 0);
    return NULL;
}

START_TEST(refresh_that_takes_too_long_ends_with_124)
{
    const char *conf = begin(_i, "operation_timeout = 1 s\n");
    const uint64_t one = 1;
    struct deaf deaf = {.stop_fd = eventfd(0, EFD_CLOEXEC)};

    rig_init(&deaf.rig, server.url);
    rig_log(&deaf.rig, "g", 1);
    ck_assert_int_eq(nats_link_subscribe(deaf.rig.link, "parti.g.ctl", INBOX_MESSAGE, 77),
                     0);
    ck_assert_int_eq(pthread_create(&deaf.thread, NULL, say_beacons, &deaf), 0);
    cli_has(CLI_EXPECT(124, "refresh", "-c", conf)->err,
            "the leader worker-7 has not listed the sources");
    /* Such a group has a leader, but nothing is assigned yet. */
    cli_has(CLI_EXPECT(1, "status", "-c", conf)->err, "has no assignment yet");
    ck_assert_int_eq(write(deaf.stop_fd, &one, sizeof one), sizeof one);
    ck_assert_int_eq(pthread_join(deaf.thread, NULL), 0);
    (void)close(deaf.stop_fd);
    rig_finish(&deaf.rig);
    end();
}
END_TEST

START_TEST(an_embedded_server_is_found)
{
    char text[1024];

    cli_rig_setup();
    format(text, sizeof text, "embedded\nstore_dir = %s", cli_path("state"));
    const char *conf = cli_conf("a.ini", text, "");

    (void)_i;
    (void)CLI_EXPECT(4, "status", "-c", conf);
    struct cli_worker *worker = cli_worker(conf);

    cli_settle(worker, 32);
    json_t *o = status_of(conf);

    ck_assert_uint_eq(parts_of(o, 0), 32);
    json_decref(o);
    cli_leave(worker);
    (void)CLI_EXPECT(4, "status", "-c", conf);
    cli_rig_teardown();
}
END_TEST

RIG_MAIN("cli_live", status_of_a_server_without_the_group,
         status_of_a_server_without_jetstream, status_of_one_worker,
         status_without_a_leader_tells_what_the_log_says,
         server_of_the_environment_and_of_the_option, watch_tells_what_happens,
         watch_sees_the_server_go_and_come_back, plan_says_what_then_happens,
         status_is_what_plan_reads,
         plan_of_a_group_that_nobody_has_made_lists_the_sources,
         refresh_brings_new_partitions,
         refresh_that_fails_tells_the_source_and_ends_with_1,
         refresh_without_a_leader_ends_with_3, refresh_that_takes_too_long_ends_with_124,
         an_embedded_server_is_found)
