/* What goes wrong between a group, its log and its sizes (PARTI-E113, E310 to E314), each
 * provoked for real: the code and the words reach those who run and those who look. */
#include "config.h"

#include "cli_rig.h"
#include "rig.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 100 };

static struct server server;

static void start_server(const char *extra)
{
    server_start(&server,
                 &(struct server_options){.program = rig_program(0), .extra = extra});
}

static void await_error(struct cli_live *live, const char *code, const char *words)
{
    json_t *o = cli_event(live, "error", "code", code);

    cli_has(cli_text(o, "text"), words);
    json_decref(o);
}

static size_t await_assigned(struct cli_live *live)
{
    json_t *o = cli_event(live, "assigned", NULL, NULL);
    size_t n = json_array_size(json_object_get(o, "partitions"));

    json_decref(o);
    return n;
}

/* Somebody else writes into the group's stream: the head with one word for another, or
 * this text.  The leader renews its lease there, so the moment must be met. */
static void overwrite_head(const char *from, const char *to)
{
    struct rig rig;
    char text[RIG_TEXT_ROOM];
    int status = STATUS_CONFLICT;

    rig_init(&rig, server.url);
    rig_log(&rig, "g", 1);
    for (int i = 0; i < TRIES_MAX && status == STATUS_CONFLICT; i++) {
        uint64_t last = rig_info(&rig), seq;

        ck_assert_int_eq(rig_read(&rig, "head", &seq, text), STATUS_OK);
        if (from != NULL) {
            char *at = strstr(text, from);

            ck_assert_msg(at != NULL, "'%s' is not in %s", from, text);
            ck_assert_uint_eq(strlen(from), strlen(to));
            memcpy(at, to, strlen(to));
        } else {
            (void)snprintf(text, sizeof text, "%s", to);
        }
        status = rig_write(&rig, "head", last, text, &seq);
    }
    ck_assert_int_eq(status, STATUS_OK);
    rig_finish(&rig);
}

/* ---- tests */

START_TEST(settings_that_cannot_work_are_e113)
{
    const char *key = cli_path("no.seed");
    char more[512];

    (void)snprintf(more, sizeof more, "[nats]\nurl = nats://127.0.0.1:1\nnkey = %s\n",
                   key);
    const char *conf = cli_path("a.ini");
    FILE *to = fopen(conf, "we");

    ck_assert_ptr_nonnull(to);
    (void)fprintf(to,
                  "[parti]\ngroup = g\nplugin_dir = %s/plugins/.libs\n%s"
                  "[strategy]\nplugin = round_robin\n"
                  "[source]\nplugin = static\npartitions = p/0..3\n",
                  getenv("PARTI_BUILDDIR"), more);
    ck_assert_int_eq(fclose(to), 0);

    const char *err = CLI_EXPECT(2, "status", "-c", conf)->err;

    cli_has(err, "PARTI-E113 [nats] nkey: '");
    cli_has(err, "no.seed' cannot be read: No such file or directory.");
    cli_has(CLI_EXPECT(2, "run", "-c", conf)->err, "PARTI-E113 [nats] nkey: '");
}
END_TEST

START_TEST(one_worker_more_than_there_are_ids_is_e310)
{
    start_server("");
    const char *conf = cli_conf("a.ini", server.url, "[worker]\nid_max = 0\n");
    struct cli_live *first = cli_start_run(conf);

    ck_assert_uint_eq(await_assigned(first), 32);

    struct cli_live *second = cli_start_run(conf);

    await_error(second, "PARTI-E310", "raise [worker] id_max or stop a worker");
    cli_finish(second);
    cli_finish(first);
    server_finish(&server);
}
END_TEST

START_TEST(another_head_of_the_same_epoch_is_e311)
{
    start_server("");
    const char *conf = cli_conf("a.ini", server.url, "");
    struct cli_live *worker = cli_start_run(conf);

    ck_assert_uint_eq(await_assigned(worker), 32);
    overwrite_head("\"strategy\":\"round_robin\"", "\"strategy\":\"round_rabbi\"");
    await_error(worker, "PARTI-E311", "two heads have the same epoch");
    /* Nobody keeps what such a log says: all leases end, a new generation begins. */
    await_error(worker, "PARTI-E312", "");
    ck_assert_uint_eq(await_assigned(worker), 32);
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

START_TEST(a_head_that_does_not_decode_is_e312)
{
    start_server("");
    const char *conf = cli_conf("a.ini", server.url, "");
    struct cli_live *worker = cli_start_run(conf);

    ck_assert_uint_eq(await_assigned(worker), 32);
    cli_finish(worker);
    overwrite_head(NULL, "{\"record\":\"parti.head\",\"version\":1,\"gen\":");

    const char *err = CLI_EXPECT(1, "status", "-c", conf)->err;

    cli_has(err, "PARTI-E312 the record 'head' of the group 'g' on ");
    worker = cli_start_run(conf);
    await_error(worker, "PARTI-E312", "the head does not decode");
    ck_assert_uint_eq(await_assigned(worker), 32);
    CLI_EXPECT(0, "status", "-c", conf);
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

START_TEST(a_head_beyond_half_of_max_payload_is_e313)
{
    start_server("max_payload = 1024\n");
    const char *conf = cli_conf("a.ini", server.url, "");
    struct cli_live *first = cli_start_run(conf);
    struct cli_live *second = cli_start_run(conf);

    await_error(first, "PARTI-E313", "larger than half of the server's max_payload");
    /* Without a head nobody can be seen off: they end all the same. */
    (void)cli_interrupt(second);
    (void)cli_interrupt(first);
    free(second);
    free(first);
    server_finish(&server);
}
END_TEST

START_TEST(more_partitions_than_a_host_takes_is_e314)
{
    start_server("");
    const char *text = "degraded_enter = 2 s\n"
                       "[source:q]\nplugin = static\npartitions = q/0..599999\n"
                       "[source:r]\nplugin = static\npartitions = r/0..599999\n";
    const char *conf = cli_conf("a.ini", server.url, text);
    struct cli_live *worker = cli_start_run(conf);

    await_error(worker, "PARTI-E314", "more partitions than this host was built for");
    json_t *o = cli_event(worker, "state", "to", "Degraded");

    cli_has(cli_text(o, "reason"), "more partitions than this host was built for");
    json_decref(o);
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

static void check_nobody(const char *conf)
{
    const char *text = CLI_EXPECT(0, "status", "-c", conf, "-o", "json")->out;
    const char *from = cli_file("s.json", text);
    json_t *o = json_loads(text, 0, NULL);

    ck_assert(json_is_null(json_object_get(o, "leader")));
    ck_assert_str_eq(cli_text(o, "state"), "Empty");
    ck_assert_str_eq(cli_text(json_array_get(json_object_get(o, "workers"), 0), "state"),
                     "left");
    json_decref(o);
    text = CLI_EXPECT(0, "status", "-c", conf)->out;
    cli_has(text, "state       Empty\n");
    cli_has(text, "workers     0, 1 left\n");
    for (int i = 0; i < 2; i++) {
        const char *const words[] = {"plan",  "-c",       conf,
                                     "--add", "worker-0", i == 0 ? NULL : "--from",
                                     from,    NULL};

        text = cli_expect(0, words)->out;
        cli_has(text, ", 0 workers, 32 partitions");
        cli_has(text, "+  worker-0       0  ->     32  new");
        cli_lacks(text, "draining");
    }
}

/* The last to leave stays in the log, since nobody is there who could take it out. */
START_TEST(a_group_that_all_have_left_is_empty)
{
    static struct cli_live watch;

    start_server("");
    const char *conf = cli_conf("a.ini", server.url, "");
    const char *const watching[] = {"watch", "-c", conf, "-o", "json", NULL};
    struct cli_live *worker = cli_start_run(conf);

    ck_assert_uint_eq(await_assigned(worker), 32);
    cli_start(&watch, watching);
    json_decref(cli_event(&watch, "group", NULL, NULL));
    cli_finish(worker);
    json_decref(cli_event(&watch, "worker", "change", "left"));
    json_decref(cli_event(&watch, "state", "to", "Empty"));
    check_nobody(conf);
    worker = cli_start_run(conf);
    json_decref(cli_event(&watch, "worker", "change", "joined"));
    ck_assert_uint_eq(await_assigned(worker), 32);
    ck_assert_int_eq(cli_interrupt(&watch), 0);
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

START_TEST(an_outage_is_told_once_that_it_is_tried_again_and_that_it_is_over)
{
    start_server("");
    const char *conf = cli_conf("a.ini", server.url, "");
    struct cli_live *worker = cli_start_run(conf);

    ck_assert_uint_eq(await_assigned(worker), 32);
    for (int i = 1; i <= 2; i++) {
        server_stop(&server);
        await_error(worker, "PARTI-E101", "This worker goes on trying.");
        json_decref(cli_event(worker, "fenced", NULL, NULL)); /* many tries later */
        server_restart(&server);
        ck_assert_uint_eq(await_assigned(worker), 32);
        ck_assert_int_eq(cli_logged(worker, "PARTI-E101"), i);
        ck_assert_int_eq(cli_logged(worker, "connected again to nats://127.0.0.1:"), i);
    }
    cli_finish(worker);
    server_finish(&server);
}
END_TEST

CLI_MAIN("cli_group", an_outage_is_told_once_that_it_is_tried_again_and_that_it_is_over,
         a_group_that_all_have_left_is_empty, settings_that_cannot_work_are_e113,
         one_worker_more_than_there_are_ids_is_e310,
         another_head_of_the_same_epoch_is_e311, a_head_that_does_not_decode_is_e312,
         a_head_beyond_half_of_max_payload_is_e313,
         more_partitions_than_a_host_takes_is_e314)
