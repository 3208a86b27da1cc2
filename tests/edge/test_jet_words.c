/* The consumer role of jetstream and what is said to it: words in its inbox that no
 * server should send, and what a server does not permit. */
#include "config.h"

#include "jet_bench.h"
#include "jet_host.h"

#include <stdio.h>
#include <string.h>

static struct jet_bench b;
static struct jet_host one;

static void make_stream(void)
{
    jet_api(&b, "$JS.API.STREAM.CREATE.S",
            "{\"name\":\"S\",\"subjects\":[\"p.>\"],\"storage\":\"memory\"}");
}

static void produce(int first, int n)
{
    char text[32];

    for (int i = first; i < first + n; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        jet_api(&b, "p.0", text);
    }
}

/* Where the reader awaits its messages: the subject of the answers to its request. */
static void await_inbox(natsSubscription *requests, char *to, size_t room)
{
    natsMsg *msg = NULL;

    ck_assert_int_eq(natsSubscription_NextMsg(&msg, requests, RIG_WAIT_MS), NATS_OK);
    ck_assert_ptr_nonnull(natsMsg_GetReply(msg));
    (void)snprintf(to, room, "%s", natsMsg_GetReply(msg));
    natsMsg_Destroy(msg);
}

static void send(const char *subject, const char *name, const char *value)
{
    natsMsg *msg = NULL;

    ck_assert_int_eq(natsMsg_Create(&msg, subject, NULL, "x", 1), NATS_OK);
    if (name != NULL)
        ck_assert_int_eq(natsMsgHeader_Set(msg, name, value), NATS_OK);
    ck_assert_int_eq(natsConnection_PublishMsg(b.nc, msg), NATS_OK);
    natsMsg_Destroy(msg);
}

START_TEST(a_word_without_a_description_ends_no_more_than_the_reader)
{
    static const char *const words[][2] = {
        {"Status", "503"}, {"Status", "409"}, {"Other", "x"}, {NULL, NULL}};
    const char *pairs[] = {"url", b.url, "stream", "S", "subject", "p.{1}", NULL};

    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        natsSubscription *requests = NULL;
        char inbox[256];

        make_stream();
        ck_assert_int_eq(natsConnection_SubscribeSync(&requests, b.nc,
                                                      "$JS.API.CONSUMER.MSG.NEXT.S.*"),
                         NATS_OK);
        host_start(&one, pairs);
        ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 1000), PARTI_OK);
        await_inbox(requests, inbox, sizeof inbox);
        send(inbox, words[i][0], words[i][1]);
        await_inbox(requests, inbox, sizeof inbox); /* it is made anew */
        produce(0, 10);
        host_await(&one, 0, 10);
        host_expect(&one, 0, 10, 0);
        host_finish(&one);
        natsSubscription_Destroy(requests);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

/* What is asked for in the next request for a reader: its first position, 0 for all. */
static json_int_t await_request(natsSubscription *requests)
{
    natsMsg *msg = NULL;

    ck_assert_int_eq(natsSubscription_NextMsg(&msg, requests, RIG_WAIT_MS), NATS_OK);
    json_t *o =
        json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg), 0, NULL);
    ck_assert_ptr_nonnull(o);
    json_int_t from = json_integer_value(
        json_object_get(json_object_get(o, "config"), "opt_start_seq"));
    json_decref(o);
    natsMsg_Destroy(msg);
    return from;
}

START_TEST(a_reader_asked_for_in_a_former_life_of_the_stream_gives_nothing)
{
    const char *pairs[] = {"url", b.url, "stream", "S", "subject", "p.{1}", NULL};
    natsSubscription *requests = NULL;

    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    make_stream();
    host_start(&one, pairs);
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 1000), PARTI_OK);
    produce(0, 5);
    host_await(&one, 0, 5);
    uint64_t origin = one.lane[0].origin;
    host_stop(&one, 0, 1);
    jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    make_stream();
    produce(5, 8);
    ck_assert_int_eq(
        natsConnection_SubscribeSync(&requests, b.nc, "$JS.API.CONSUMER.CREATE.S.>"),
        NATS_OK);
    ck_assert_int_eq(natsConnection_Flush(b.nc), NATS_OK);
    /* The record and what the plugin knows are of the life before. */
    ck_assert_int_eq(host_run(&one, 0, "0", 2, origin, 6, 1000), PARTI_OK);
    host_await(&one, 0, 13);
    host_expect(&one, 0, 13, 0);
    ck_assert_uint_ne(one.lane[0].origin, origin);
    ck_assert_uint_eq(one.lane[0].from, 1);
    ck_assert_int_eq(await_request(requests), 6);
    ck_assert_int_eq(await_request(requests), 0);
    natsSubscription_Destroy(requests);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

RIG_MAIN("jet_words", a_word_without_a_description_ends_no_more_than_the_reader,
         a_reader_asked_for_in_a_former_life_of_the_stream_gives_nothing)
