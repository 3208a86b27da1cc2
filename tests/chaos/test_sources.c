/* Sources of a running group: several merge, what is new is found, and one may take the
 * other's place without anything moving. */
#include "config.h"

#include "crew.h"

#include "edge/clock.h"

#include "unit.h"

#include <fcntl.h>
#include <nats/nats.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORKERS = 3, TEXT_ROOM = 1024 };

static struct server server;
static natsConnection *nc;
static struct crew_worker crew[WORKERS];
static char source[TEXT_ROOM];

static void request(const char *subject, const char *body)
{
    natsMsg *msg = NULL;

    ck_assert_int_eq(natsConnection_RequestString(&msg, nc, subject, body, 10000),
                     NATS_OK);
    ck_assert_msg(strstr(natsMsg_GetData(msg), "\"error\"") == NULL, "%s",
                  natsMsg_GetData(msg));
    natsMsg_Destroy(msg);
}

static void set_up(void)
{
    const struct server_program *programs;
    size_t n = server_programs(&programs);

    server_start(&server, &(struct server_options){.program = &programs[n - 1]});
    ck_assert_int_eq(natsConnection_ConnectTo(&nc, server.url), NATS_OK);
    request("$JS.API.STREAM.CREATE.O", "{\"name\":\"O\",\"subjects\":[\"orders.>\"]}");
}

static void tear_down(void)
{
    for (int i = 0; i < WORKERS; i++)
        crew_finish(&crew[i]);
    natsConnection_Destroy(nc);
    server_finish(&server);
}

/* orders.FIRST to orders.LAST, a message each. */
static void publish(int first, int last)
{
    char subject[32];

    for (int i = first; i <= last; i++) {
        (void)snprintf(subject, sizeof subject, "orders.%d", i);
        request(subject, "");
    }
}

/* A source of the stream that looks only when it is asked, and further lines of it. */
static const char *of_stream(const char *more)
{
    (void)snprintf(source, sizeof source,
                   "[source]\nplugin = jetstream\nurl = %s\nstream = O\n"
                   "poll_interval = 0\n%s\n",
                   server.url, more);
    return source;
}

static struct crew_options options(const char *name, const char *sections)
{
    return (struct crew_options){
        .url = server.url, .dir = server.dir, .name = name, .source = sections};
}

static void await_assigned(struct crew_worker *w, size_t n, const char *id)
{
    json_t *event = crew_event(w, "assigned");

    ck_assert_uint_eq(crew_partitions(event), n);
    ck_assert(crew_lists(event, id));
    json_decref(event);
}

/* ---- several -------------------------------------------------------------------- */

START_TEST(several_sources_are_one_list)
{
    char sections[2 * TEXT_ROOM];

    set_up();
    publish(0, 1);
    request("$JS.API.STREAM.CREATE.KV_b",
            "{\"name\":\"KV_b\",\"subjects\":[\"$KV.b.>\"]}");
    request("$KV.b.tenant", "");
    (void)snprintf(sections, sizeof sections,
                   "[source:written]\nplugin = static\npartitions = returns/0..2\n"
                   "[source:stream]\nplugin = jetstream\nurl = %s\nstream = O\n"
                   "poll_interval = 100 ms\nrefresh_interval = 0\n"
                   "[source:bucket]\nplugin = jetstream\nurl = %s\nbucket = b\n"
                   "from = keys\nkeys = tenants/{1}\nrefresh_interval = 0\n",
                   server.url, server.url);
    struct crew_options o = options("a", sections);
    crew_start(&crew[0], &o);
    json_t *event = crew_event(&crew[0], "assigned");
    static const char *const ids[] = {"orders/0",  "orders/1",  "returns/0",
                                      "returns/1", "returns/2", "tenants/tenant"};
    ck_assert_uint_eq(crew_partitions(event), 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_msg(crew_lists(event, ids[i]), "%s is missing", ids[i]);
    json_decref(event);
    publish(2, 2); /* one of them changes: the plugin notices, the others stay */
    await_assigned(&crew[0], 1, "orders/2");
    request("$KV.b.other", "");
    await_assigned(&crew[0], 1, "tenants/other");
    tear_down();
}
END_TEST

/* ---- again ---------------------------------------------------------------------- */

START_TEST(a_signal_has_the_source_listed_again)
{
    set_up();
    publish(0, 3);
    struct crew_options o = options("a", of_stream("refresh_interval = 0"));
    crew_start(&crew[0], &o);
    await_assigned(&crew[0], 4, "orders/0");
    publish(4, 4);
    ck_assert_int_eq(kill(crew[0].pid, SIGHUP), 0);
    await_assigned(&crew[0], 1, "orders/4");
    tear_down();
}
END_TEST

START_TEST(a_command_has_the_source_listed_again)
{
    char text[4096];

    set_up();
    publish(0, 3);
    struct crew_options o = options("a", of_stream("refresh_interval = 0"));
    crew_start(&crew[0], &o);
    await_assigned(&crew[0], 4, "orders/0");
    publish(4, 4);
    const char *const words[] = {"refresh", "-c", crew[0].ini, NULL};
    int code = crew_parti(text, sizeof text, words);
    ck_assert_msg(code == 0, "%d: %s", code, text);
    await_assigned(&crew[0], 1, "orders/4");
    tear_down();
}
END_TEST

START_TEST(the_interval_has_the_source_listed_again)
{
    set_up();
    publish(0, 3);
    struct crew_options o = options("a", of_stream("refresh_interval = 300 ms"));
    crew_start(&crew[0], &o);
    await_assigned(&crew[0], 4, "orders/0");
    publish(4, 4);
    await_assigned(&crew[0], 1, "orders/4");
    tear_down();
}
END_TEST

/* ---- the file of the static source ---------------------------------------------- */

enum { LIST_N = 12 }; /* "orders/0..N\n" */

/* The first worker lists a file with orders/0 to orders/3, and holds them.  The file is
 * returned in memory: what is written there changes the file, and inotify does not tell
 * (inotify(7), Limitations), so a new listing comes of what the test asks for alone. */
static char *start_with_file(char path[CREW_PATH_ROOM])
{
    (void)snprintf(path, CREW_PATH_ROOM, "%s/list", server.dir);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "orders/0..3\n", LIST_N), LIST_N);
    char *text = mmap(NULL, LIST_N, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(text, MAP_FAILED);
    (void)close(fd); /* the mapping keeps it open: no close is told either */
    (void)snprintf(source, sizeof source,
                   "[source]\nplugin = static\nfile = %s\nrefresh_interval = 0\n", path);
    struct crew_options o = options("a", source);
    crew_start(&crew[0], &o);
    await_assigned(&crew[0], 4, "orders/0");
    return text;
}

START_TEST(a_signal_has_the_file_read_again)
{
    char path[CREW_PATH_ROOM];

    set_up();
    char *text = start_with_file(path);
    memcpy(text, "orders/0..4", LIST_N - 1);
    ck_assert_int_eq(kill(crew[0].pid, SIGHUP), 0);
    await_assigned(&crew[0], 1, "orders/4");
    ck_assert_int_eq(munmap(text, LIST_N), 0);
    tear_down();
}
END_TEST

START_TEST(a_command_has_the_file_read_again)
{
    char path[CREW_PATH_ROOM], said[4096];

    set_up();
    char *text = start_with_file(path);
    memcpy(text, "orders/0..5", LIST_N - 1);
    const char *const words[] = {"refresh", "-c", crew[0].ini, NULL};
    int code = crew_parti(said, sizeof said, words);
    ck_assert_msg(code == 0, "%d: %s", code, said);
    await_assigned(&crew[0], 2, "orders/5");
    ck_assert_int_eq(munmap(text, LIST_N), 0);
    tear_down();
}
END_TEST

START_TEST(a_file_that_is_written_is_read_again_unasked)
{
    char path[CREW_PATH_ROOM];

    set_up();
    char *text = start_with_file(path);
    FILE *f = fopen(path, "ae");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs("orders/9\n", f), 0);
    ck_assert_int_eq(fclose(f), 0);
    await_assigned(&crew[0], 1, "orders/9");
    ck_assert_int_eq(munmap(text, LIST_N), 0);
    tear_down();
}
END_TEST

/* ---- the example --------------------------------------------------------------------
 */

/* The shipped file with this server's port and this build's plugins in it. */
static const char *example(char path[CREW_PATH_ROOM])
{
    char text[8192], from[CREW_PATH_ROOM];
    const char *dir = getenv("PARTI_SRCDIR");
    size_t n;

    ck_assert_ptr_nonnull(dir);
    (void)snprintf(from, sizeof from, "%s/conf/telemetry-jetstream.ini", dir);
    FILE *f = fopen(from, "re");
    ck_assert_ptr_nonnull(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    (void)snprintf(path, CREW_PATH_ROOM, "%s/telemetry.ini", server.dir);
    f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    static const char usual[] = "nats://127.0.0.1:4222", group[] = "[parti]\n";
    const char *at = strstr(text, group);
    ck_assert_ptr_nonnull(at);
    at += sizeof group - 1;
    (void)fprintf(f, "%.*splugin_dir = %s\n", (int)(at - text), text,
                  getenv("PARTI_PLUGIN_DIR"));
    for (const char *found; (found = strstr(at, usual)) != NULL;
         at = found + sizeof usual - 1)
        (void)fprintf(f, "%.*s%s", (int)(found - at), at, server.url);
    (void)fprintf(f, "%s", at);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

START_TEST(the_example_runs_as_it_is)
{
    char path[CREW_PATH_ROOM], text[4096];

    set_up();
    const char *const check[] = {"config", "check", example(path), NULL};
    ck_assert_int_ne(crew_parti(text, sizeof text, check), 0);
    ck_assert_msg(strstr(text, "there is no stream TELEMETRY on nats://") != NULL, "%s",
                  text);
    request("$JS.API.STREAM.CREATE.TELEMETRY",
            "{\"name\":\"TELEMETRY\",\"subjects\":[\"telemetry.>\"]}");
    request("telemetry.eu.7.temperature", "21");
    request("telemetry.eu.7.pressure", "1013");
    request("telemetry.us.1.temperature", "19");
    ck_assert_int_eq(crew_parti(text, sizeof text, check), 0);
    struct crew_options o = options("a", NULL);
    o.ini = path;
    o.script = "exec sh \"$PARTI_SRCDIR/conf/examples/messages.sh\"";
    crew_start(&crew[0], &o);
    await_assigned(&crew[0], 2, "telemetry/eu/7");
    request("telemetry.us.2.temperature", "17"); /* noticed by itself */
    await_assigned(&crew[0], 1, "telemetry/us/2");
    (void)crew_line(&crew[0], "handled telemetry/us/2 4 ");
    tear_down();
}
END_TEST

/* ---- one in the place of the other ---------------------------------------------- */

static void start_one(int i, const char *sections)
{
    static const char *const names[WORKERS] = {"w0", "w1", "w2"};
    struct crew_options o = options(names[i], sections);
    char worker[128];

    (void)snprintf(worker, sizeof worker,
                   "id = worker-%d\non_term = restart\nrestart_grace = 30 s", i);
    o.worker = worker;
    crew_start(&crew[i], &o);
}

START_TEST(a_stream_takes_the_place_of_a_written_list_and_nothing_moves)
{
    set_up();
    publish(0, 23);
    for (int i = 0; i < WORKERS; i++)
        start_one(i, "[source]\nplugin = static\npartitions = orders/0..23");
    for (int i = 0; i < WORKERS; i++)
        json_decref(crew_event(&crew[i], "assigned"));
    json_t *before = crew_await_settled(&crew[0], WORKERS, 24);
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(kill(crew[i].pid, SIGTERM), 0);
        ck_assert_int_eq(crew_exit(&crew[i]), 0);
        crew_finish(&crew[i]);
        start_one(i, of_stream("refresh_interval = 0"));
        json_t *event = crew_event(&crew[i], "assigned");
        ck_assert_uint_eq(crew_partitions(event), 8);
        json_decref(event);
    }
    json_t *after = crew_await_settled(&crew[0], WORKERS, 24);
    ck_assert_msg(json_equal(before, after), "before: %s\nafter: %s",
                  json_dumps(before, 0), json_dumps(after, 0));
    /* It is the stream that is listed now, and what is new is all that is given. */
    publish(24, 24);
    const char *const words[] = {"refresh", "-c", crew[0].ini, NULL};
    char text[4096];
    ck_assert_int_eq(crew_parti(text, sizeof text, words), 0);
    json_t *more = crew_await_settled(&crew[0], WORKERS, 25);
    const char *id;
    json_t *list;
    size_t same = 0;
    json_object_foreach(before, id, list)
    {
        same += json_equal(list, json_object_get(more, id));
    }
    ck_assert_uint_eq(same, WORKERS - 1);
    json_decref(before);
    json_decref(after);
    json_decref(more);
    tear_down();
}
END_TEST

UNIT_MAIN("sources", several_sources_are_one_list, a_signal_has_the_source_listed_again,
          a_command_has_the_source_listed_again, the_interval_has_the_source_listed_again,
          a_signal_has_the_file_read_again, a_command_has_the_file_read_again,
          a_file_that_is_written_is_read_again_unasked, the_example_runs_as_it_is,
          a_stream_takes_the_place_of_a_written_list_and_nothing_moves)
