/* The consumer role of jetstream and a server that is late: between the two stands a
 * go-between that hands on what the role asks of JetStream, in a domain of its own. */
#include "config.h"

#include "jet_crowd.h"

#include <stdio.h>
#include <string.h>

/* Longer than a new reader's first answer is waited for, not longer than the second. */
enum { WORK_MS = 4500, LONG_MS = 60000, SILENCE_MS = 7000, CROWD = 12, REST_MS = 2000 };

static const char domain[] = "$JS.late.API";

static struct jet_bench b;
static struct jet_host one;

/* What is between. */
static struct {
    struct gate gate;
    natsSubscription *sub;
    uint64_t work_ms;     /* that a new reader takes, and whoever asks later waits; */
    int created, allowed; /* or until so many are allowed */
    char inbox[64];       /* of whoever asked last: of one connection */
    int is_behind;       /* lanes' readers are made where the last messages are not yet */
    uint64_t created_ms; /* the last one */
    int is_over;
} between;

/* A request for a reader. */
static void work(const char *reply)
{
    gate_lock(&between.gate);
    int number = ++between.created;
    between.created_ms = threads_now_ms();
    (void)snprintf(between.inbox, sizeof between.inbox, "%.*s",
                   (int)strcspn(reply + strlen("_INBOX."), "."),
                   reply + strlen("_INBOX."));
    gate_tell(&between.gate);
    uint64_t until = threads_now_ms() + between.work_ms;
    while (!between.is_over && number > between.allowed && threads_now_ms() < until)
        (void)gate_wait(&between.gate, until);
    gate_unlock(&between.gate);
}

static void allow(int n)
{
    gate_lock(&between.gate);
    between.allowed = n;
    gate_tell(&between.gate);
    gate_unlock(&between.gate);
}

/* Until so many have been asked for; by whom the last. */
static void await_created(int n, char inbox[64])
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;

    gate_lock(&between.gate);
    while (between.created < n && threads_now_ms() < deadline)
        (void)gate_wait(&between.gate, deadline);
    ck_assert_int_ge(between.created, n);
    (void)snprintf(inbox, 64, "%s", between.inbox);
    gate_unlock(&between.gate);
}

/* A reader on a server of the cluster that has not got what the others have: it says that
 * nothing is pending, and brings nothing. */
static void lag(char *body)
{
    static const char all[] = "\"by_start_sequence\"", last[] = "\"new\"";
    static const char from[] = "\"opt_start_seq\":";
    char *at = strstr(body, all);

    gate_lock(&between.gate);
    int is_behind = between.is_behind;
    gate_unlock(&between.gate);
    if (!is_behind || at == NULL)
        return;
    (void)memset(at, ' ', sizeof all - 1);
    (void)memcpy(at, last, sizeof last - 1);
    at = strstr(body, from);
    ck_assert_ptr_nonnull(at);
    (void)memcpy(at, "\"max_waiting\"  :", sizeof from - 1);
}

/* As servers before 2.10 do it for one connection: one after the other. */
static void on_request(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ctx)
{
    const char *rest = natsMsg_GetSubject(msg) + strlen(domain);
    char subject[512], body[2048];

    (void)sub;
    (void)ctx;
    (void)snprintf(body, sizeof body, "%.*s", natsMsg_GetDataLength(msg),
                   natsMsg_GetData(msg));
    (void)snprintf(subject, sizeof subject, "$JS.API%s", rest);
    if (strncmp(rest, ".CONSUMER.CREATE.", 17) == 0) {
        work(natsMsg_GetReply(msg));
        lag(body);
    }
    (void)natsConnection_PublishRequest(nc, subject, natsMsg_GetReply(msg), body,
                                        (int)strlen(body));
    natsMsg_Destroy(msg);
}

static void begin(int i, uint64_t work_ms)
{
    char all[64];

    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
    crowd_stream(&b, "limits", "memory", -1);
    memset(&between, 0, sizeof between);
    between.work_ms = work_ms;
    ck_assert_int_eq(gate_init(&between.gate), 0);
    (void)snprintf(all, sizeof all, "%s.>", domain);
    ck_assert_int_eq(natsConnection_Subscribe(&between.sub, b.nc, all, on_request, NULL),
                     NATS_OK);
    ck_assert_int_eq(natsConnection_Flush(b.nc), NATS_OK);
}

static void join(const char *readers)
{
    const char *const pairs[] = {"url",     b.url,   "stream",   "S",      "subject",
                                 "p.{1}",   "name",  "test",     "domain", "late",
                                 "readers", readers, "overread", "0",      NULL};

    host_start(&one, pairs);
    ck_assert_msg(one.self != NULL, "%s", one.error.text);
}

static void end(void)
{
    host_finish(&one);
    gate_lock(&between.gate);
    between.is_over = 1;
    gate_tell(&between.gate);
    gate_unlock(&between.gate);
    natsSubscription_Destroy(between.sub);
    jet_finish(&b);
}

START_TEST(a_reader_that_the_server_takes_long_to_make_is_made_in_the_end)
{
    begin(_i, WORK_MS);
    crowd_produce_to(&b, 0, 1, 0, 3, "");
    join("16");
    crowd_run(&one, 0, 1, 100);
    host_await(&one, 0, 3);
    crowd_expect(&one, 0, 1, 3);
    ck_assert_int_le(between.created, 2);
    end();
}
END_TEST

/* The whole of its time, whatever comes. */
static void stand_still(uint64_t ms)
{
    uint64_t until = threads_now_ms() + ms;

    server_freeze(&b.server);
    gate_lock(&between.gate);
    while (threads_now_ms() < until)
        (void)gate_wait(&between.gate, until);
    gate_unlock(&between.gate);
    server_thaw(&b.server);
}

START_TEST(a_connection_to_a_server_that_was_silent_for_long_outlives_as_much_again)
{
    char first[64], second[64], last[64];

    begin(_i, LONG_MS);
    crowd_produce_to(&b, 0, 1, 0, 3, "");
    join("16");
    crowd_run(&one, 0, 1, 100);
    await_created(1, first);
    server_freeze(&b.server);
    host_await_trouble(&one, 0, PARTI_RETRY, "does not answer");
    server_thaw(&b.server);
    allow(1);
    await_created(2, second);
    ck_assert_str_ne(first, second);
    stand_still(SILENCE_MS);
    allow(100);
    host_await(&one, 0, 3);
    await_created(2, last);
    ck_assert_str_eq(second, last);
    crowd_expect(&one, 0, 1, 3);
    end();
}
END_TEST

/* Nobody takes turns any more. */
static void await_rest(void)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS, now;

    gate_lock(&between.gate);
    while ((now = threads_now_ms()) < between.created_ms + REST_MS && now < deadline)
        (void)gate_wait(&between.gate, between.created_ms + REST_MS);
    ck_assert_uint_lt(now, deadline);
    gate_unlock(&between.gate);
}

static void set_behind(int is_behind)
{
    gate_lock(&between.gate);
    between.is_behind = is_behind;
    gate_unlock(&between.gate);
}

/* Readers of lanes that stand: they have what came meanwhile, too. */
static void delete_readers(void)
{
    json_t *o = jet_ask(&b, "$JS.API.CONSUMER.NAMES.S", ""), *name;
    char subject[512];
    size_t i;

    json_array_foreach(json_object_get(o, "consumers"), i, name)
    {
        if (strstr(json_string_value(name), "_notice_") != NULL)
            continue;
        (void)snprintf(subject, sizeof subject, "$JS.API.CONSUMER.DELETE.S.%s",
                       json_string_value(name));
        json_decref(jet_ask(&b, subject, ""));
    }
    json_decref(o);
}

START_TEST(what_was_heard_of_and_came_too_late_is_looked_for_again)
{
    begin(_i, 0);
    join("4");
    crowd_produce_to(&b, 0, CROWD, 0, 1, "");
    crowd_run(&one, 0, CROWD, 100);
    crowd_await(&b, &one, 0, CROWD, 1);
    set_behind(1);
    crowd_produce_to(&b, 0, CROWD, 1, 2, "");
    delete_readers(); /* these would have it */
    await_rest();
    set_behind(0);
    delete_readers();
    crowd_await(&b, &one, 0, CROWD, 2);
    crowd_expect(&one, 0, CROWD, 2);
    end();
}
END_TEST

RIG_CREW("jet_late", a_reader_that_the_server_takes_long_to_make_is_made_in_the_end,
         a_connection_to_a_server_that_was_silent_for_long_outlives_as_much_again,
         what_was_heard_of_and_came_too_late_is_looked_for_again)
