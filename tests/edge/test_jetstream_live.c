/* The source jetstream notices what changes, and lives through its server's absence. */
#include "config.h"

#include "jet_bench.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

static struct jet_bench b;

static const char stream_o[] =
    "{\"name\":\"O\",\"subjects\":[\"orders.>\"],\"storage\":\"file\"}";

static void begin(int i)
{
    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
}

static void begin_stream(int i)
{
    begin(i);
    jet_api(&b, "$JS.API.STREAM.CREATE.O", stream_o);
    jet_publish(&b, "orders.1", 1);
}

/* ---- changes -------------------------------------------------------------------- */

START_TEST(a_new_subject_is_noticed_by_looking)
{
    begin_stream(_i);
    JET_SECTION(&b, "stream", "O", "poll_interval", "100 ms");
    jet_listen(&b, 5000);
    uint32_t n = jet_await(&b, 0, 0, "orders/1:100");
    jet_publish(&b, "orders.2", 1);
    n = jet_await(&b, n, 0, "orders/1:100 orders/2:100");
    jet_api(&b, "$JS.API.STREAM.PURGE.O", "{\"filter\":\"orders.1\"}");
    n = jet_await(&b, n, 0, "orders/2:100");
    ck_assert_str_eq(b.shown[n - 1], "orders/2:100");
    jet_finish(&b);
}
END_TEST

START_TEST(messages_to_known_subjects_are_no_change)
{
    begin_stream(_i);
    JET_SECTION(&b, "stream", "O", "poll_interval", "100 ms");
    jet_listen(&b, 5000);
    uint32_t n = jet_await(&b, 0, 0, "orders/1:100");
    /* Until a later look has seen the new subject, earlier looks saw the messages. */
    for (int i = 0; i < 5; i++)
        jet_publish(&b, "orders.1", 100);
    jet_publish(&b, "orders.2", 1);
    ck_assert_uint_eq(jet_await(&b, n, 0, "orders/2:100"), n + 1);
    jet_finish(&b);
}
END_TEST

START_TEST(a_stream_made_anew_is_noticed_by_advisory)
{
    begin_stream(_i);
    JET_SECTION(&b, "stream", "O", "poll_interval", "0");
    jet_listen(&b, 5000);
    uint32_t n = jet_await(&b, 0, 0, "orders/1:100");
    jet_api(&b, "$JS.API.STREAM.DELETE.O", "");
    n = jet_await(&b, n, STATUS_NOTFOUND, "there is no stream O on nats://127.0.0.1:");
    jet_api(&b, "$JS.API.STREAM.CREATE.O", stream_o);
    (void)jet_await(&b, n, 0, "");
    jet_publish(&b, "orders.9", 1);
    n = jet_refresh(&b);
    ck_assert_str_eq(b.shown[n], "orders/9:100");
    jet_finish(&b);
}
END_TEST

START_TEST(consumers_that_come_and_go_are_noticed_by_advisory)
{
    begin_stream(_i);
    JET_SECTION(&b, "stream", "O", "from", "consumers", "poll_interval", "0");
    jet_listen(&b, 5000);
    uint32_t n = jet_await(&b, 0, 0, "");
    for (int i = 1; i <= 2; i++) {
        char subject[128], body[256];

        (void)snprintf(subject, sizeof subject, "$JS.API.CONSUMER.DURABLE.CREATE.O.c%d",
                       i);
        (void)snprintf(body, sizeof body,
                       "{\"stream_name\":\"O\",\"config\":{\"durable_name\":\"c%d\","
                       "\"ack_policy\":\"explicit\"}}",
                       i);
        jet_api(&b, subject, body);
        n = jet_await(&b, n, 0, i == 1 ? "c1:100" : "c1:100 c2:100");
    }
    jet_api(&b, "$JS.API.CONSUMER.DELETE.O.c1", "");
    n = jet_await(&b, n, 0, "c2:100");
    ck_assert_str_eq(b.shown[n - 1], "c2:100");
    jet_finish(&b);
}
END_TEST

START_TEST(keys_put_and_deleted_are_noticed)
{
    begin(_i);
    jet_api(&b, "$JS.API.STREAM.CREATE.KV_b",
            "{\"name\":\"KV_b\",\"subjects\":[\"$KV.b.>\"],\"max_msgs_per_subject\":1}");
    jet_publish(&b, "$KV.b.a", 1);
    JET_SECTION(&b, "bucket", "b", "from", "keys", "poll_interval", "100 ms");
    jet_listen(&b, 5000);
    uint32_t n = jet_await(&b, 0, 0, "a:100");
    jet_publish(&b, "$KV.b.c", 1);
    n = jet_await(&b, n, 0, "a:100 c:100");
    jet_mark(&b, "$KV.b.a", "KV-Operation", "DEL"); /* as many subjects as before */
    n = jet_await(&b, n, 0, "c:100");
    ck_assert_str_eq(b.shown[n - 1], "c:100");
    jet_finish(&b);
}
END_TEST

START_TEST(noise_in_the_counts_moves_no_weight_and_a_real_change_does)
{
    begin_stream(_i);
    jet_publish(&b, "orders.1", 999);
    jet_publish(&b, "orders.2", 1000);
    JET_SECTION(&b, "stream", "O", "weight", "messages", "weight_half_life", "0",
                "poll_interval", "0");
    jet_listen(&b, 5000);
    uint32_t n = jet_await(&b, 0, 0, "orders/1:100 orders/2:100");
    for (int i = 0; i < 5; i++) {
        jet_publish(&b, "orders.1", 60);
        n = jet_refresh(&b);
        ck_assert_str_eq(b.shown[n], "orders/1:100 orders/2:100");
    }
    jet_publish(&b, "orders.1", 3000);
    n = jet_refresh(&b);
    ck_assert_str_eq(b.shown[n], "orders/1:150 orders/2:37");
    jet_finish(&b);
}
END_TEST

/* Does anybody hear the advisories?  Asking is one that says nothing. */
static natsStatus advise(void)
{
    natsMsg *msg = NULL;
    natsStatus s = natsConnection_RequestString(
        &msg, b.nc, "$JS.EVENT.ADVISORY.STREAM.UPDATED.O", "", 250);

    natsMsg_Destroy(msg);
    return s;
}

START_TEST(where_nobody_listens_the_connection_is_given_up_until_the_next_listing)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;

    begin_stream(_i);
    JET_SECTION(&b, "stream", "O", "poll_interval", "100 ms");
    jet_listen(&b, 5000);
    (void)jet_await(&b, 0, 0, "orders/1:100");
    ck_assert_int_eq(advise(), NATS_TIMEOUT);
    sources_watch(b.sources, false); /* this worker leads no longer */
    while (advise() != NATS_NO_RESPONDERS)
        ck_assert_uint_lt(threads_now_ms(), deadline);
    jet_publish(&b, "orders.2", 1);
    sources_watch(b.sources, true);
    uint32_t n = jet_refresh(&b);
    ck_assert_str_eq(b.shown[n], "orders/1:100 orders/2:100");
    ck_assert_int_eq(advise(), NATS_TIMEOUT);
    jet_finish(&b);
}
END_TEST

/* ---- the server goes away ------------------------------------------------------- */

START_TEST(the_last_list_stays_while_the_server_is_down)
{
    begin_stream(_i);
    JET_SECTION(&b, "stream", "O", "poll_interval", "100 ms");
    jet_listen(&b, 5000);
    uint32_t n = jet_await(&b, 0, 0, "orders/1:100");
    server_stop(&b.server);
    /* Unasked: the next look fails, and so does the listing that it leads to. */
    n = jet_await(&b, n, STATUS_IO, "start the server, or correct url");
    ck_assert_says(b.shown[n - 1], "PARTI-E500 source jetstream could not list");
    ck_assert_says(b.shown[n - 1], "nothing answers at nats://127.0.0.1:");
    jet_restart(&b);
    jet_publish(&b, "orders.2", 1);
    (void)jet_await(&b, n, 0, "orders/1:100 orders/2:100");
    jet_finish(&b);
}
END_TEST

/* A meta leader that was just chosen does not know of all the others yet. */
static void create_replicated(void)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    json_t *error = NULL;

    do {
        json_decref(error);
        ck_assert_uint_lt(threads_now_ms(), deadline);
        json_t *o =
            jet_ask(&b, "$JS.API.STREAM.CREATE.O",
                    "{\"name\":\"O\",\"subjects\":[\"orders.>\"],\"num_replicas\":3}");
        error = json_incref(json_object_get(o, "error"));
        json_decref(o);
    } while (error != NULL);
}

START_TEST(a_cluster_is_followed_when_the_server_we_use_dies)
{
    struct cluster cluster;

    if (_i > 0)
        return; /* 2.9.10 alone: three servers take long to agree */
    memset(&b, 0, sizeof b);
    ck_assert_int_eq(gate_init(&b.gate), 0);
    cluster_start(&cluster, rig_program(_i));
    (void)snprintf(b.url, sizeof b.url, "%s", cluster.url);
    ck_assert_int_eq(natsConnection_ConnectTo(&b.nc, cluster.member[2].url), NATS_OK);
    create_replicated();
    jet_publish(&b, "orders.1", 1);
    JET_SECTION(&b, "stream", "O", "poll_interval", "100 ms");
    jet_listen(&b, 5000);
    uint32_t n = jet_await(&b, 0, 0, "orders/1:100");
    server_kill(&cluster.member[0]); /* the first of the list */
    /* The stream may need a new leader before it takes a message. */
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    natsMsg *msg = NULL;
    while (natsConnection_RequestString(&msg, b.nc, "orders.2", "", 500) != NATS_OK)
        ck_assert_uint_lt(threads_now_ms(), deadline);
    natsMsg_Destroy(msg);
    (void)jet_await(&b, n, 0, "orders/1:100 orders/2:100");
    sources_destroy(b.sources);
    section_finish(&b.section);
    natsConnection_Destroy(b.nc);
    gate_finish(&b.gate);
    cluster_finish(&cluster);
}
END_TEST

START_TEST(a_server_that_stands_still_is_told_and_the_call_ends_in_time)
{
    begin_stream(_i);
    JET_SECTION(&b, "stream", "O", "poll_interval", "0");
    jet_listen(&b, 1500);
    uint32_t n = jet_await(&b, 0, 0, "orders/1:100");
    server_freeze(&b.server);
    uint64_t begun = threads_now_ms();
    n = jet_refresh(&b);
    ck_assert_int_eq(b.status[n], STATUS_TIMEOUT);
    ck_assert_says(b.shown[n], "PARTI-E501");
    ck_assert_says(b.shown[n], "does not answer");
    ck_assert_says(b.shown[n], "in time; it is stopped or overloaded");
    ck_assert_uint_lt(threads_now_ms() - begun, 1500);
    server_thaw(&b.server);
    n = jet_refresh(&b);
    ck_assert_str_eq(b.shown[n], "orders/1:100");
    jet_finish(&b);
}
END_TEST

START_TEST(the_end_does_not_wait_for_a_server_that_stands_still)
{
    begin_stream(_i);
    JET_SECTION(&b, "stream", "O", "poll_interval", "100 ms");
    jet_listen(&b, 60000);
    (void)jet_await(&b, 0, 0, "orders/1:100");
    server_freeze(&b.server);
    sources_ask(b.sources, true);
    uint64_t begun = threads_now_ms();
    sources_destroy(b.sources);
    b.sources = NULL;
    ck_assert_uint_lt(threads_now_ms() - begun, 1000);
    server_thaw(&b.server);
    jet_finish(&b);
}
END_TEST

RIG_MAIN("jetstream live", a_new_subject_is_noticed_by_looking,
         messages_to_known_subjects_are_no_change,
         a_stream_made_anew_is_noticed_by_advisory,
         consumers_that_come_and_go_are_noticed_by_advisory,
         keys_put_and_deleted_are_noticed,
         noise_in_the_counts_moves_no_weight_and_a_real_change_does,
         where_nobody_listens_the_connection_is_given_up_until_the_next_listing,
         the_last_list_stays_while_the_server_is_down,
         a_cluster_is_followed_when_the_server_we_use_dies,
         a_server_that_stands_still_is_told_and_the_call_ends_in_time,
         the_end_does_not_wait_for_a_server_that_stands_still)
