/* The producer of the ledger on JetStream: stream LEDGER, subjects ledger.PARTITION.
 *
 *     --make           makes the stream, and no more
 *     --await-readers  first waits until every partition has its reader: a stream that
 *                      keeps by interest has nothing from before
 *     --look           prints how many messages the stream still has, once it has none
 *                      or does not change for 20 s
 *
 * --make also makes the stream LEDGERDEAD, for the dead letters.
 */
#include "config.h"

#include "ledger_io.h"
#include "produce.h"

#include <inttypes.h>
#include <jansson.h>
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASK_MS = 10000,
    AGAIN_S = 5,
    READERS_S = 60,
    LOOK_S = 20,
    MAKE_S = 30,
    MAKE_MS = 1000
};

struct sent {
    uint64_t next;  /* number of the one under way, or to be sent */
    uint64_t at_ns; /* 0: none is under way */
};

static struct produce_options options;
static natsConnection *nc;
static struct sent *sent;
static uint64_t acked, begun, repeats;

static _Noreturn void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "produce: %s: %s\n", what, why);
    exit(1);
}

static json_t *ask(const char *subject, const char *body)
{
    natsMsg *msg = NULL;
    natsStatus s = natsConnection_RequestString(&msg, nc, subject, body, ASK_MS);

    if (s != NATS_OK)
        fail(subject, natsStatus_GetText(s));
    json_t *o =
        json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg), 0, NULL);
    natsMsg_Destroy(msg);
    const char *error =
        json_string_value(json_object_get(json_object_get(o, "error"), "description"));
    if (o == NULL || error != NULL)
        fail(subject, error != NULL ? error : "no JSON");
    return o;
}

static uint64_t state_of(const char *field)
{
    json_t *o = ask("$JS.API.STREAM.INFO.LEDGER", "");
    uint64_t n =
        (uint64_t)json_integer_value(json_object_get(json_object_get(o, "state"), field));

    json_decref(o);
    return n;
}

static bool try_make(const char *subject, const char *body)
{
    natsMsg *msg = NULL;
    bool is_made = false;

    if (natsConnection_RequestString(&msg, nc, subject, body, MAKE_MS) == NATS_OK) {
        is_made = memmem(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
                         "\"error\"", 7) == NULL;
        if (!is_made)
            (void)fprintf(stderr, "%.*s\n", natsMsg_GetDataLength(msg),
                          natsMsg_GetData(msg));
        natsMsg_Destroy(msg);
    }
    if (!is_made)
        nats_Sleep(100);
    return is_made;
}

static void make(void)
{
    uint64_t until = ledger_now_ns() + UINT64_C(1000000000) * MAKE_S;
    char body[512];

    (void)snprintf(
        body, sizeof body,
        "{\"name\":\"LEDGER\",\"subjects\":[\"ledger.*\"],\"retention\":\"%s\","
        "\"storage\":\"file\",\"num_replicas\":%" PRIu32
        ",\"duplicate_window\":60000000000,\"max_consumers\":%" PRIu32 "}",
        options.retention, options.servers, 4 * options.partitions + 100);
    /* A young cluster has no leader, or does not know its members yet; to make the same
       stream twice is no error. */
    while (!try_make("$JS.API.STREAM.CREATE.LEDGER", body))
        if (ledger_now_ns() > until)
            fail("the stream", "cannot be made");
    (void)snprintf(body, sizeof body,
                   "{\"name\":\"LEDGERDEAD\",\"subjects\":[\"dead.ledger\"],"
                   "\"storage\":\"file\",\"num_replicas\":%" PRIu32 "}",
                   options.servers);
    while (!try_make("$JS.API.STREAM.CREATE.LEDGERDEAD", body))
        if (ledger_now_ns() > until)
            fail("the stream of dead letters", "cannot be made");
}

static void await_readers(void)
{
    uint64_t until = ledger_now_ns() + UINT64_C(1000000000) * READERS_S;

    while (state_of("consumer_count") < options.partitions) {
        if (ledger_now_ns() > until)
            fail("readers", "not every partition has one");
        nats_Sleep(50);
    }
}

static void look(void)
{
    uint64_t left = UINT64_MAX, since = 0;

    while (left > 0) {
        uint64_t n = state_of("messages"), now = ledger_now_ns();

        if (n != left)
            since = now;
        else if (now - since > UINT64_C(1000000000) * LOOK_S)
            break;
        left = n;
        if (left > 0)
            nats_Sleep(50);
    }
    (void)printf("%" PRIu64 "\n", left);
}

static void send_next(const char *inbox, uint32_t p)
{
    char subject[32], reply[128], id[64], data[PRODUCE_SIZE];
    natsMsg *msg = NULL;

    (void)snprintf(subject, sizeof subject, "ledger.%" PRIu32, p);
    (void)snprintf(reply, sizeof reply, "%s.%" PRIu32, inbox, p);
    (void)snprintf(id, sizeof id, "%" PRIu32 "-%" PRIu64, p, sent[p].next);
    produce_payload(data, sent[p].next);
    if (natsMsg_Create(&msg, subject, reply, data, sizeof data) != NATS_OK ||
        natsMsgHeader_Set(msg, "Nats-Msg-Id", id) != NATS_OK)
        fail("a message", "no memory");
    natsStatus s = natsConnection_PublishMsg(nc, msg);
    natsMsg_Destroy(msg);
    if (s != NATS_OK)
        fail("a message", natsStatus_GetText(s));
    if (sent[p].at_ns == 0)
        begun++;
    sent[p].at_ns = ledger_now_ns();
}

/* An answer that is no ack is as none: what it was for is sent again. */
static void on_ack(natsMsg *msg)
{
    const char *dot = strrchr(natsMsg_GetSubject(msg), '.');
    uint32_t p = (uint32_t)strtoul(dot + 1, NULL, 10);
    const char *data = natsMsg_GetData(msg);
    size_t n = (size_t)natsMsg_GetDataLength(msg);

    if (n > 0 && memmem(data, n, "\"seq\"", 5) != NULL && p < options.partitions &&
        sent[p].at_ns != 0) {
        sent[p].at_ns = 0;
        sent[p].next++;
        acked++;
    }
    natsMsg_Destroy(msg);
}

static void send_due(const char *inbox, uint64_t begun_ns)
{
    static uint32_t from;
    uint64_t now = ledger_now_ns();

    for (uint32_t i = 0; i < options.partitions; i++) {
        uint32_t p = (from + i) % options.partitions;

        if (sent[p].at_ns != 0 && now - sent[p].at_ns > UINT64_C(1000000000) * AGAIN_S) {
            repeats++;
            send_next(inbox, p);
        } else if (sent[p].at_ns == 0 && sent[p].next < produce_quota(&options, p) &&
                   begun < produce_allowed(&options, begun_ns)) {
            send_next(inbox, p);
        }
    }
    from++;
}

static void produce(void)
{
    natsInbox *inbox = NULL;
    natsSubscription *sub = NULL;
    char all[128];
    uint64_t begun_ns = ledger_now_ns();

    if (natsInbox_Create(&inbox) != NATS_OK)
        fail("inbox", "none");
    (void)snprintf(all, sizeof all, "%s.*", inbox);
    if (natsConnection_SubscribeSync(&sub, nc, all) != NATS_OK)
        fail("inbox", "no subscription");
    sent = calloc(options.partitions, sizeof *sent);
    if (sent == NULL)
        fail("memory", "none");
    while (acked < options.messages) {
        natsMsg *msg = NULL;
        uint64_t queued = 0;

        send_due(inbox, begun_ns);
        natsStatus s = natsSubscription_NextMsg(&msg, sub, 5);
        if (s == NATS_TIMEOUT)
            continue;
        if (s != NATS_OK)
            fail("acks", natsStatus_GetText(s));
        do {
            on_ack(msg);
            if (natsSubscription_QueuedMsgs(sub, &queued) != NATS_OK || queued == 0)
                break;
        } while (natsSubscription_NextMsg(&msg, sub, 1) == NATS_OK);
    }
    natsSubscription_Destroy(sub);
    natsInbox_Destroy(inbox);
    (void)fprintf(stderr,
                  "produce: %" PRIu64 " messages are in, %" PRIu64 " sent again\n", acked,
                  repeats);
    if (!produce_write_counts(&options))
        fail("counts", "cannot be written");
}

int main(int argc, char **argv)
{
    natsOptions *opts = NULL;

    if (!produce_options(&options, argc, argv))
        return 2;
    if (natsOptions_Create(&opts) != NATS_OK)
        return 1;
    const char *urls[8];
    static char text[512];
    int n = 0;
    char *rest = text;
    (void)snprintf(text, sizeof text, "%s", options.url);
    while (rest != NULL && n < 8)
        urls[n++] = strsep(&rest, ",");
    (void)natsOptions_SetServers(opts, urls, n);
    (void)natsOptions_SetMaxReconnect(opts, 1000);
    (void)natsOptions_SetReconnectWait(opts, 50);
    natsStatus s = natsConnection_Connect(&nc, opts);
    if (s != NATS_OK)
        fail(options.url, natsStatus_GetText(s));
    if (options.is_making)
        make();
    else if (options.is_looking)
        look();
    else {
        if (options.is_awaiting_readers)
            await_readers();
        produce();
    }
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    nats_Close();
    return 0;
}
