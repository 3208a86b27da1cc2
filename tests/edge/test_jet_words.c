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

/* The next request for messages: whose, and where it awaits them. */
struct request {
    char subject[256], inbox[256];
};

static void await_request(natsSubscription *requests, struct request *r)
{
    natsMsg *msg = NULL;

    ck_assert_int_eq(natsSubscription_NextMsg(&msg, requests, RIG_WAIT_MS), NATS_OK);
    ck_assert_ptr_nonnull(natsMsg_GetReply(msg));
    (void)snprintf(r->subject, sizeof r->subject, "%s", natsMsg_GetSubject(msg));
    (void)snprintf(r->inbox, sizeof r->inbox, "%s", natsMsg_GetReply(msg));
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
        struct request first, next;

        make_stream();
        ck_assert_int_eq(natsConnection_SubscribeSync(&requests, b.nc,
                                                      "$JS.API.CONSUMER.MSG.NEXT.S.*"),
                         NATS_OK);
        ck_assert_int_eq(natsConnection_Flush(b.nc), NATS_OK);
        host_start(&one, pairs);
        ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 1000), PARTI_OK);
        await_request(requests, &first);
        send(first.inbox, words[i][0], words[i][1]);
        await_request(requests, &next); /* it asks again, or is made anew */
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

/* Where acks remove messages, the first that is left says nothing of who lost some. */
START_TEST(what_acks_have_removed_is_no_loss_of_another_partition)
{
    const char *pairs[] = {"url", b.url, "stream", "S", "subject", "p.{1}", NULL};
    uint64_t deadline = threads_now_ms() + RIG_WAIT_MS;
    json_int_t first = 0;

    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    jet_api(&b, "$JS.API.STREAM.CREATE.S",
            "{\"name\":\"S\",\"subjects\":[\"p.>\"],\"storage\":\"memory\","
            "\"retention\":\"workqueue\"}");
    produce(0, 5);
    host_start(&one, pairs);
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 10), PARTI_OK);
    host_await(&one, 0, 5);
    host_done(&one, 0, 6);
    while (first != 6) {
        json_t *o = jet_ask(&b, "$JS.API.STREAM.INFO.S", "");

        first =
            json_integer_value(json_object_get(json_object_get(o, "state"), "first_seq"));
        json_decref(o);
        ck_assert_uint_lt(threads_now_ms(), deadline);
    }
    host_finish(&one);
    host_start(&one, pairs);
    ck_assert_int_eq(host_run(&one, 0, "0", 2, 0, 0, 10), PARTI_OK);
    host_await_begun(&one, 0, 1);
    ck_assert_int_eq(host_run(&one, 1, "1", 2, one.lane[0].origin, 3, 10), PARTI_OK);
    host_await_begun(&one, 1, 1);
    ck_assert_uint_eq(one.lane[1].from, 3);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

START_TEST(where_nobody_listens_yet_it_asks_again_and_the_reader_stays)
{
    const char *pairs[] = {"url", b.url, "stream", "S", "subject", "p.{1}", NULL};
    natsSubscription *requests = NULL;
    struct request first, next;
    int asked = 0;

    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    make_stream();
    ck_assert_int_eq(
        natsConnection_SubscribeSync(&requests, b.nc, "$JS.API.CONSUMER.MSG.NEXT.S.*"),
        NATS_OK);
    ck_assert_int_eq(natsConnection_Flush(b.nc), NATS_OK);
    host_start(&one, pairs);
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 1000), PARTI_OK);
    await_request(requests, &first);
    /* As often as it takes, but not for ever: then it is made anew. */
    do {
        send(asked == 0 ? first.inbox : next.inbox, "Status", "503");
        await_request(requests, &next);
        asked++;
    } while (strcmp(first.subject, next.subject) == 0);
    ck_assert_int_ge(asked, 5);
    produce(0, 10);
    host_await(&one, 0, 10);
    host_expect(&one, 0, 10, 0);
    host_finish(&one);
    natsSubscription_Destroy(requests);
    jet_finish(&b);
}
END_TEST

/* What is asked for in the next request for a reader: its first position, 0 for all. */
static json_int_t await_reader_request(natsSubscription *requests)
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
    /* Asked for as in the former life, then anew; at once anew where the plugin happens
     * to have looked at the stream in between. */
    json_int_t from = await_reader_request(requests);
    ck_assert(from == 6 || from == 0);
    if (from == 6)
        ck_assert_int_eq(await_reader_request(requests), 0);
    natsSubscription_Destroy(requests);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

START_TEST(more_readers_than_the_stream_allows_are_told_with_what_to_do)
{
    const char *pairs[] = {"url", b.url, "stream", "S", "subject", "p.{1}", NULL};

    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    jet_api(&b, "$JS.API.STREAM.CREATE.S",
            "{\"name\":\"S\",\"subjects\":[\"p.>\"],\"storage\":\"memory\","
            "\"max_consumers\":1}");
    produce(0, 3);
    host_start(&one, pairs);
    ck_assert_int_eq(host_run(&one, 0, "1", 1, 0, 0, 10), PARTI_OK);
    host_await_begun(&one, 0, 1);
    ck_assert_int_eq(host_run(&one, 1, "0", 1, 0, 0, 10), PARTI_OK);
    host_await_trouble(&one, 1, PARTI_RETRY, "set 'max_consumers' of the stream");
    host_stop(&one, 0, 1); /* there is room now, and it goes on trying */
    host_await(&one, 1, 3);
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

static void make_stream_of(const char *retention, const char *more)
{
    char body[256];

    (void)snprintf(body, sizeof body,
                   "{\"name\":\"S\",\"subjects\":[\"p.>\",\"r\"%s],\"storage\":"
                   "\"memory\",\"retention\":\"%s\"}",
                   more, retention);
    jet_api(&b, more[0] != '\0' ? "$JS.API.STREAM.UPDATE.S" : "$JS.API.STREAM.CREATE.S",
            body);
}

/* Old servers refuse such a reader, new ones do not.  Two are well again when the stream
 * takes their subject in. */
START_TEST(a_subject_that_the_stream_does_not_take_in_is_told_until_it_does)
{
    static const char *const retentions[] = {"limits", "workqueue", "interest"};
    const char *pairs[] = {"url",   b.url,  "stream", "S", "subject",
                           "q.{1}", "name", "words",  NULL};

    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    for (size_t i = 0; i < sizeof retentions / sizeof *retentions; i++) {
        make_stream_of(retentions[i], "");
        host_start(&one, pairs);
        for (uint32_t lane = 0; lane < 2; lane++) {
            char id[] = {(char)('0' + lane), '\0'};

            ck_assert_int_eq(host_run(&one, lane, id, 1, 0, 0, 10), PARTI_OK);
        }
        for (uint32_t lane = 0; lane < 2; lane++)
            host_await_trouble(&one, lane, PARTI_RETRY, "correct 'subject' in [consume]");
        make_stream_of(retentions[i], ",\"q.*\"");
        for (uint32_t lane = 0; lane < 2; lane++)
            host_await_trouble(&one, lane, PARTI_OK, "");
        jet_api(&b, "q.1", "7");
        host_await(&one, 1, 1);
        host_expect(&one, 1, 1, 7);
        host_finish(&one);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

/* The list of a stream's subjects does not say what it has from elsewhere, or under other
 * names, and nothing is wrong with a subject that has no message yet. */
START_TEST(a_subject_that_may_have_messages_one_day_is_no_trouble)
{
    static const char *const streams[] = {
        "{\"name\":\"S\",\"subjects\":[\"p.>\"],\"storage\":\"memory\","
        "\"sources\":[{\"name\":\"T\"}]}",
        "{\"name\":\"S\",\"storage\":\"memory\",\"mirror\":{\"name\":\"T\"}}",
        "{\"name\":\"S\",\"subjects\":[\"p.>\"],\"storage\":\"memory\","
        "\"subject_transform\":{\"src\":\"p.*\",\"dest\":\"q.{{wildcard(1)}}\"}}"};
    const char *pairs[] = {"url", b.url, "stream", "S", "subject", "q.{1}", NULL};

    /* A server before 2.10 knows no transform. */
    size_t n = strncmp(rig_program(_i)->version, "2.9.", 4) == 0 ? 2 : 3;

    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    jet_api(&b, "$JS.API.STREAM.CREATE.T",
            "{\"name\":\"T\",\"subjects\":[\"q.>\"],\"storage\":\"memory\"}");
    for (size_t i = 0; i < n; i++) {
        jet_api(&b, "$JS.API.STREAM.CREATE.S", streams[i]);
        host_start(&one, pairs);
        ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 10), PARTI_OK);
        host_await_begun(&one, 0, 1); /* the word of trouble comes before that one */
        ck_assert_int_eq(one.lane[0].trouble, PARTI_OK);
        host_finish(&one);
        jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    }
    jet_finish(&b);
}
END_TEST

/* The template leaves a key out: the two are given the same, and that is told once. */
START_TEST(partitions_that_share_a_subject_are_told_once)
{
    static const char *const ids[] = {"1/a", "0/a", "0/b", "0/c"};
    const char *pairs[] = {"url", b.url, "stream", "S", "subject", "p.{1}", NULL};

    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    make_stream();
    produce(0, 3);
    host_start(&one, pairs);
    for (uint32_t lane = 0; lane < 4; lane++) {
        ck_assert_int_eq(host_run(&one, lane, ids[lane], 1, 0, 0, 10), PARTI_OK);
        host_await_begun(&one, lane, 1);
        ck_assert_int_eq(one.logged, lane < 2 ? 0 : 1);
    }
    host_await(&one, 1, 3);
    host_await(&one, 2, 3);
    host_stop(&one, 1, 1);
    ck_assert_int_eq(host_run(&one, 1, "0/a", 2, 0, 0, 10), PARTI_OK);
    host_await_begun(&one, 1, 1);
    ck_assert_int_eq(one.logged, 1);
    ck_assert_ptr_nonnull(strstr(one.log_line, "the same subject, 'p.0': each is given"));
    ck_assert_ptr_nonnull(strstr(one.log_line, "'subject = p.{1}' in [consume]"));
    host_finish(&one);
    jet_finish(&b);
}
END_TEST

/* ---- permissions ----------------------------------------------------------------- */

#define USER(name, denied)                                                       \
    "    {user: " name ", password: x, permissions: {publish: {deny: [\"" denied \
    "\"]}}}\n"

static const char users[] =
    "authorization {\n"
    "  users: [\n"
    "    {user: boss, password: x}\n" USER("no_info", "$JS.API.STREAM.INFO.>")
        USER("no_create", "$JS.API.CONSUMER.CREATE.>")
            USER("no_next", "$JS.API.CONSUMER.MSG.NEXT.>") USER("no_ack", "$JS.ACK.>")
                USER("no_letter", "dead.>") "  ]\n}\n";

static void begin_as(int i, const char *user, const char *retention)
{
    char body[256];

    jet_start(&b, &(struct server_options){.program = rig_program(i), .extra = users},
              "boss:x@");
    (void)snprintf(body, sizeof body,
                   "{\"name\":\"S\",\"subjects\":[\"p.>\",\"dead.>\"],\"storage\":"
                   "\"memory\",\"retention\":\"%s\"}",
                   retention);
    jet_api(&b, "$JS.API.STREAM.CREATE.S", body);
    produce(0, 3);
    const char *pairs[] = {"url",      b.server.url, "stream", "S",  "subject", "p.{1}",
                           "password", "x",          "user",   user, NULL};
    host_start(&one, pairs);
    ck_assert_msg(one.self != NULL, "%s", one.error.text);
}

static void end(void)
{
    host_finish(&one);
    jet_finish(&b);
}

START_TEST(what_a_user_may_not_do_is_told_at_once_for_every_partition)
{
    static const char *const cases[][2] = {
        {"no_info", "publish to '$JS.API.STREAM.INFO.S'"},
        {"no_create", "publish to '$JS.API.CONSUMER.CREATE.S.parti_"},
        {"no_next", "publish to '$JS.API.CONSUMER.MSG.NEXT.S.parti_"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t begun = threads_now_ms();

        begin_as(_i, cases[i][0], "limits");
        for (uint32_t lane = 0; lane < 4; lane++) {
            char id[2] = {(char)('0' + lane), '\0'};

            ck_assert_int_eq(host_run(&one, lane, id, 1, 0, 0, 10), PARTI_OK);
        }
        for (uint32_t lane = 0; lane < 4; lane++)
            host_await_trouble(&one, lane, PARTI_RETRY, cases[i][1]);
        end();
        ck_assert_uint_lt(threads_now_ms() - begun, 3500); /* before it is silence */
    }
}
END_TEST

START_TEST(an_ack_that_is_not_permitted_is_told_and_work_goes_on)
{
    begin_as(_i, "no_ack", "workqueue");
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 10), PARTI_OK);
    host_await(&one, 0, 3);
    host_done(&one, 0, one.lane[0].position[1] + 1);
    host_await_trouble(&one, 0, PARTI_RETRY, "publish to '$JS.ACK.");
    produce(3, 2);
    host_await(&one, 0, 5);
    end();
}
END_TEST

START_TEST(a_dead_letter_that_is_not_permitted_is_told)
{
    begin_as(_i, "no_letter", "limits");
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 10), PARTI_OK);
    host_await(&one, 0, 3);
    host_bury(&one, 0, one.lane[0].position[0], "dead.letters", "0");
    host_await_buried(&one, 0, 1);
    ck_assert_int_eq(one.lane[0].buried_code, PARTI_RETRY);
    ck_assert_ptr_nonnull(strstr(one.lane[0].buried_text, "publish to 'dead.letters'"));
    end();
}
END_TEST

RIG_MAIN("jet_words", a_word_without_a_description_ends_no_more_than_the_reader,
         what_acks_have_removed_is_no_loss_of_another_partition,
         where_nobody_listens_yet_it_asks_again_and_the_reader_stays,
         more_readers_than_the_stream_allows_are_told_with_what_to_do,
         a_subject_that_the_stream_does_not_take_in_is_told_until_it_does,
         a_subject_that_may_have_messages_one_day_is_no_trouble,
         partitions_that_share_a_subject_are_told_once,
         what_a_user_may_not_do_is_told_at_once_for_every_partition,
         an_ack_that_is_not_permitted_is_told_and_work_goes_on,
         a_dead_letter_that_is_not_permitted_is_told,
         a_reader_asked_for_in_a_former_life_of_the_stream_gives_nothing)
