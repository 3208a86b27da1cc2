/* What the source jetstream lists, from real servers. */
#include "config.h"

#include "jet_bench.h"

#include "edge/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static struct jet_bench b;

static void begin(int i)
{
    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
}

/* A stream in memory of these subjects (a JSON list). */
static void make_stream(const char *name, const char *subjects)
{
    char subject[128], body[512];

    (void)snprintf(subject, sizeof subject, "$JS.API.STREAM.CREATE.%s", name);
    (void)snprintf(body, sizeof body,
                   "{\"name\":\"%s\",\"subjects\":%s,\"storage\":\"memory\","
                   "\"max_consumers\":2000}",
                   name, subjects);
    jet_api(&b, subject, body);
}

static void make_bucket(void)
{
    jet_api(&b, "$JS.API.STREAM.CREATE.KV_b",
            "{\"name\":\"KV_b\",\"subjects\":[\"$KV.b.>\"],\"storage\":\"memory\","
            "\"max_msgs_per_subject\":1,\"allow_rollup_hdrs\":true,\"deny_delete\":true,"
            "\"discard\":\"new\"}");
}

/* ---- subjects ------------------------------------------------------------------- */

START_TEST(subjects_are_partitions_by_tokens_depth_and_template)
{
    begin(_i);
    make_stream("O", "[\"orders.>\",\"other.>\"]");
    jet_publish(&b, "orders.eu.1.new", 3);
    jet_publish(&b, "orders.eu.1.paid", 1);
    jet_publish(&b, "orders.eu.22.new", 1);
    jet_publish(&b, "orders.us.3.new", 1);
    jet_publish(&b, "other.x", 1);

    JET_SECTION(&b, "stream", "O");
    JET_LISTS(&b, "orders/eu/1/new:100 orders/eu/1/paid:100 orders/eu/22/new:100 "
                  "orders/us/3/new:100 other/x:100");
    JET_SECTION(&b, "stream", "O", "subject", "orders.>", "depth", "2");
    JET_LISTS(&b, "orders/eu/1:100 orders/eu/22:100 orders/us/3:100");
    JET_SECTION(&b, "stream", "O", "subject", "orders.eu.*.>", "depth", "1");
    JET_LISTS(&b, "orders/eu/1:100 orders/eu/22:100");
    JET_SECTION(&b, "stream", "O", "subject", "orders.*.*.new", "keys", "no-{3}/{2}");
    JET_LISTS(&b, "no-1/eu:100 no-22/eu:100 no-3/us:100");
    JET_SECTION(&b, "stream", "O", "subject", "orders.>", "keys", "{2>}");
    JET_LISTS(&b, "eu.1.new:100 eu.1.paid:100 eu.22.new:100 us.3.new:100");
    JET_SECTION(&b, "stream", "O", "subject", "nothing.here");
    JET_LISTS(&b, "");
    jet_finish(&b);
}
END_TEST

START_TEST(messages_of_subjects_that_collapse_add_up)
{
    begin(_i);
    make_stream("O", "[\"orders.>\"]");
    jet_publish(&b, "orders.1.a", 300);
    jet_publish(&b, "orders.1.b", 100);
    jet_publish(&b, "orders.2.a", 100);
    JET_SECTION(&b, "stream", "O", "subject", "orders.>", "depth", "1", "weight",
                "messages", "weight_base", "0", "weight_unit", "100");
    JET_LISTS(&b, "orders/1:400 orders/2:100");
    JET_SECTION(&b, "stream", "O", "subject", "orders.>", "depth", "1", "weight", "fixed",
                "weight_fixed", "7");
    JET_LISTS(&b, "orders/1:7 orders/2:7");
    jet_finish(&b);
}
END_TEST

START_TEST(subjects_without_enough_tokens_are_left_out)
{
    begin(_i);
    make_stream("O", "[\"orders.>\"]");
    jet_publish(&b, "orders.1", 1);
    jet_publish(&b, "orders.1.a", 1);
    JET_SECTION(&b, "stream", "O", "keys", "{2}/{3}");
    JET_LISTS(&b, "1/a:100");
    jet_finish(&b);
}
END_TEST

/* Publishes KIND.0 to KIND.n-1, the last one acknowledged. */
static void publish_many(const char *kind, int n)
{
    char subject[64];

    for (int i = 0; i < n; i++) {
        (void)snprintf(subject, sizeof subject, "%s.%d", kind, i);
        if (i + 1 == n)
            jet_publish(&b, subject, 1);
        else
            ck_assert_int_eq(natsConnection_Publish(b.nc, subject, NULL, 0), NATS_OK);
    }
}

static uint64_t timed_refresh(uint32_t *ret_number)
{
    uint64_t begun = clock_boot_ms();

    *ret_number = jet_refresh(&b);
    return clock_boot_ms() - begun;
}

START_TEST(a_hundred_thousand_subjects_and_more_by_pages)
{
    uint32_t number;

    begin(_i);
    make_stream("T", "[\"t.>\"]");
    publish_many("t", 100000);
    JET_SECTION(&b, "stream", "T", "poll_interval", "0");
    jet_listen(&b, 10000);
    (void)jet_await(&b, 0, 0, "t/0:100 ");
    ck_assert_uint_eq(b.count[0], 100000);
    uint64_t one = timed_refresh(&number);
    ck_assert_uint_eq(b.count[number], 100000);
    publish_many("t.more", 30000);
    uint64_t two = timed_refresh(&number);
    ck_assert_uint_eq(b.count[number], 130000);
    (void)printf("  %s: 100000 subjects in %d ms, 130000 (two pages) in %d ms\n",
                 rig_program(_i)->version, (int)one, (int)two);
    jet_finish(&b);
}
END_TEST

/* Subjects in front of all others come and go, by hundreds, until told to stop. */
static void *churn(void *ctx)
{
    atomic_int *is_ending = ctx;
    natsConnection *nc = NULL;
    natsMsg *msg = NULL;

    ck_assert_int_eq(natsConnection_ConnectTo(&nc, b.url), NATS_OK);
    while (!atomic_load(is_ending)) {
        for (int i = 0; i < 300; i++) {
            char subject[32];

            (void)snprintf(subject, sizeof subject, "t.a.%d", i);
            ck_assert_int_eq(natsConnection_Publish(nc, subject, NULL, 0), NATS_OK);
        }
        ck_assert_int_eq(natsConnection_RequestString(&msg, nc, "$JS.API.STREAM.PURGE.T",
                                                      "{\"filter\":\"t.a.>\"}", 30000),
                         NATS_OK);
        natsMsg_Destroy(msg);
    }
    natsConnection_Destroy(nc);
    return NULL;
}

START_TEST(a_subject_that_stands_is_never_missed_while_others_go)
{
    enum { STANDING = 101000, LISTINGS = 4 };
    atomic_int is_ending = 0;
    pthread_t thread;

    begin(_i);
    make_stream("T", "[\"t.>\"]");
    publish_many("t.s", STANDING);
    JET_SECTION(&b, "stream", "T", "poll_interval", "0", "keys", "{2}/{3}");
    b.prefix = "s";
    ck_assert_int_eq(pthread_create(&thread, NULL, churn, &is_ending), 0);
    jet_listen(&b, 20000);
    (void)jet_await(&b, 0, 0, "/");
    for (int i = 0; i < LISTINGS; i++)
        (void)jet_refresh(&b);
    atomic_store(&is_ending, 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    for (uint32_t i = 0; i < b.n; i++) {
        ck_assert_msg(b.status[i] == 0, "%s", b.shown[i]);
        ck_assert_uint_eq(b.with_prefix[i], STANDING);
    }
    jet_finish(&b);
}
END_TEST

/* ---- consumers ------------------------------------------------------------------ */

static void make_consumer(const char *name, const char *filter)
{
    char subject[128], body[512];

    (void)snprintf(subject, sizeof subject, "$JS.API.CONSUMER.DURABLE.CREATE.O.%s", name);
    (void)snprintf(body, sizeof body,
                   "{\"stream_name\":\"O\",\"config\":{\"durable_name\":\"%s\","
                   "\"ack_policy\":\"explicit\",\"filter_subject\":\"%s\"}}",
                   name, filter);
    jet_api(&b, subject, body);
}

START_TEST(consumers_by_name_with_what_is_pending)
{
    begin(_i);
    make_stream("O", "[\"orders.>\"]");
    make_consumer("orders-a", "orders.a");
    make_consumer("orders-b", "orders.b");
    make_consumer("audit", "orders.>");
    jet_api(&b, "$JS.API.CONSUMER.CREATE.O",
            "{\"stream_name\":\"O\",\"config\":{\"ack_policy\":\"explicit\","
            "\"inactive_threshold\":60000000000}}");
    jet_publish(&b, "orders.a", 300);
    jet_publish(&b, "orders.b", 100);

    JET_SECTION(&b, "stream", "O", "from", "consumers");
    JET_LISTS(&b, "audit:100 orders-a:100 orders-b:100");
    JET_SECTION(&b, "stream", "O", "from", "consumers", "consumer", "orders-*", "split",
                "-", "weight", "pending", "weight_base", "0", "weight_unit", "100");
    JET_LISTS(&b, "orders/a:300 orders/b:100");
    JET_SECTION(&b, "stream", "O", "from", "consumers", "ephemeral", "yes");
    const char *all = jet_list(&b);
    ck_assert_says(all, "audit:100");
    ck_assert_uint_eq(strlen(all) - strlen("audit:100 orders-a:100 orders-b:100"),
                      strlen(" abcdefgh:100")); /* a name of the server's making */
    jet_finish(&b);
}
END_TEST

START_TEST(a_thousand_consumers_by_pages)
{
    char name[32];

    begin(_i);
    make_stream("O", "[\"orders.>\"]");
    for (int i = 0; i < 1100; i++) {
        (void)snprintf(name, sizeof name, "c-%d", i);
        make_consumer(name, "orders.>");
    }
    for (int by_name = 0; by_name < 2; by_name++) {
        b.prefix = "c-";
        JET_SECTION(&b, "stream", "O", "from", "consumers", "poll_interval", "0",
                    "ephemeral", by_name ? "yes" : "no");
        jet_listen(&b, 10000);
        uint32_t n = jet_await(&b, 0, 0, "c-0:100 c-1:100 c-10:100 ");
        ck_assert_uint_eq(b.count[n - 1], 1100);
        sources_destroy(b.sources);
        b.sources = NULL;
        b.n = 0;
    }
    jet_finish(&b);
}
END_TEST

/* ---- keys ----------------------------------------------------------------------- */

START_TEST(keys_of_a_bucket_without_the_deleted_ones)
{
    begin(_i);
    make_bucket();
    JET_SECTION(&b, "bucket", "b", "from", "keys");
    JET_LISTS(&b, "");
    jet_publish(&b, "$KV.b.orders.1", 1);
    jet_publish(&b, "$KV.b.orders.2", 1);
    jet_publish(&b, "$KV.b.orders.3", 1);
    jet_publish(&b, "$KV.b.x.y", 1);
    jet_mark(&b, "$KV.b.orders.2", "KV-Operation", "DEL");
    jet_mark(&b, "$KV.b.x.y", "KV-Operation", "PURGE");
    jet_publish(&b, "$KV.b.back", 1);
    jet_mark(&b, "$KV.b.back", "KV-Operation", "DEL");
    jet_publish(&b, "$KV.b.back", 1);
    JET_LISTS(&b, "back:100 orders/1:100 orders/3:100");
    JET_SECTION(&b, "bucket", "b", "from", "keys", "subject", "orders.*", "keys",
                "all/{2}");
    JET_LISTS(&b, "all/1:100 all/3:100");
    JET_SECTION(&b, "bucket", "b", "from", "keys", "subject", "x.>");
    JET_LISTS(&b, "");
    jet_finish(&b);
}
END_TEST

START_TEST(a_hundred_thousand_keys_of_a_bucket)
{
    uint32_t number;

    begin(_i);
    make_bucket();
    publish_many("$KV.b.k", 100000);
    jet_mark(&b, "$KV.b.k.7", "KV-Operation", "DEL");
    JET_SECTION(&b, "bucket", "b", "from", "keys", "poll_interval", "0");
    jet_listen(&b, 10000);
    (void)jet_await(&b, 0, 0, "k/0:100 ");
    ck_assert_uint_eq(b.count[0], 99999);
    uint64_t took = timed_refresh(&number);
    ck_assert_uint_eq(b.count[number], 99999);
    (void)printf("  %s: 100000 keys in %d ms\n", rig_program(_i)->version, (int)took);
    jet_finish(&b);
}
END_TEST

/* ---- the section ---------------------------------------------------------------- */

START_TEST(mistakes_in_the_section_are_told_with_the_line)
{
    static const struct {
        const char *const pairs[9];
        uint32_t line;
        const char *says;
    } cases[] = {
        {{"from", "subjects"}, 13, "subjects and consumers need 'stream = NAME'"},
        {{"from", "keys"}, 13, "from = keys needs 'bucket = NAME'"},
        {{"from", "keys", "stream", "S"}, 14, "stream: from = keys needs 'bucket'"},
        {{"bucket", "b"}, 13, "bucket: it goes with from = keys"},
        {{"stream", "a.b"}, 13, "stream: a name holds no blank"},
        {{"stream", "S", "subject", "a..b"}, 14, "subject: a token is empty"},
        {{"stream", "S", "subject", "a.>.b"}, 14, "subject: nothing may follow '>'"},
        {{"stream", "S", "keys", "a//b"}, 14, "keys: a key is empty"},
        {{"stream", "S", "keys", "{0}"}, 14, "keys: write a token as {N}"},
        {{"stream", "S", "keys", "{1}", "depth", "2"}, 15, "depth: it goes without"},
        {{"stream", "S", "split", "ab"}, 14, "split: it is one character"},
        {{"stream", "S", "weight", "pending"}, 14, "weight: pending goes with"},
        {{"stream", "S", "from", "consumers", "weight", "messages"},
         15,
         "weight: messages goes with"},
        {{"stream", "S", "user", "a", "creds", "/x"}, 15, "creds: give one of"},
        {{"stream", "S", "tls_key", "/x"}, 14, "tls_cert and tls_key go together"},
        {{"stream", "S", "nkey", "/nowhere"}, 14, "nkey: it cannot be read"},
        {{"stream", "S", "domain", "a b"}, 14, "domain: a name holds no blank"},
    };

    if (_i > 0)
        return; /* no server is asked */
    memset(&b, 0, sizeof b);
    (void)snprintf(b.url, sizeof b.url, "nats://127.0.0.1:4222");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sources *sources = NULL;

        jet_section_of(&b, cases[i].pairs);
        struct sources_setup setup = {.source = &b.section.conf,
                                      .source_n = 1,
                                      .plugin_dir = plugins_dir(),
                                      .budget_ms = 5000};
        ck_assert_int_ne(sources_create(&setup, &b.section.errors, &sources), 0);
        section_says(&b.section, cases[i].line, cases[i].says);
    }
    section_finish(&b.section);
}
END_TEST

START_TEST(mistakes_in_the_address_are_told)
{
    static const char *const cases[][2] = {
        {"http://a", "url: it must begin with nats:// or tls://"},
        {"nats://a:0", "url: the port is not a number from 1 to 65535"},
        {"nats://::1", "url: an IPv6 address must stand in [ ]"},
        {"nats://a,nats://", "url: the host name is missing"},
        {"nats://a%4@b", "url: user or password is too long or has a malformed %"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases && _i == 0; i++) {
        memset(&b, 0, sizeof b);
        (void)snprintf(b.url, sizeof b.url, "%s", cases[i][0]);
        JET_SECTION(&b, "stream", "S");
        ck_assert_says(jet_list(&b), cases[i][1]);
        section_finish(&b.section);
    }
}
END_TEST

RIG_MAIN("jetstream", subjects_are_partitions_by_tokens_depth_and_template,
         messages_of_subjects_that_collapse_add_up,
         subjects_without_enough_tokens_are_left_out,
         a_hundred_thousand_subjects_and_more_by_pages,
         a_subject_that_stands_is_never_missed_while_others_go,
         consumers_by_name_with_what_is_pending, a_thousand_consumers_by_pages,
         keys_of_a_bucket_without_the_deleted_ones, a_hundred_thousand_keys_of_a_bucket,
         mistakes_in_the_section_are_told_with_the_line, mistakes_in_the_address_are_told)
