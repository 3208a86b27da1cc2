/* The witness of the ledger test: reads what the server keeps.
 *
 *     witness --url U --folder F --partitions N           the position records of group
 *             "ledger" as they come, until SIGTERM: rows SETTLED in F/witness.rows
 *     witness --url U --folder F --partitions N --dead    what stream LEDGERDEAD has:
 * F/dead
 *
 * A record comes from the stream of the bucket, where only those are that the server took
 * on their condition, and the row's time is read when it has come: what is below its
 * 'next' was durably done by then.
 */
#include "config.h"

#include "ledger_io.h"
#include "produce.h"

#include <jansson.h>
#include <nats/nats.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 200, DEAD_MS = 30000, URLS_MAX = 8 };

static struct produce_options options;
static volatile sig_atomic_t is_over;

static _Noreturn void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "witness: %s: %s\n", what, why);
    exit(1);
}

static void on_term(int number)
{
    (void)number;
    is_over = 1;
}

static natsConnection *connect_server(void)
{
    natsConnection *nc = NULL;
    natsOptions *opts = NULL;
    const char *urls[URLS_MAX];
    static char text[512];
    char *rest = text;
    int n = 0;

    (void)snprintf(text, sizeof text, "%s", options.url);
    while (rest != NULL && n < URLS_MAX)
        urls[n++] = strsep(&rest, ",");
    if (natsOptions_Create(&opts) != NATS_OK)
        fail("options", "none");
    (void)natsOptions_SetServers(opts, urls, n);
    (void)natsOptions_SetMaxReconnect(opts, 1000);
    (void)natsOptions_SetReconnectWait(opts, 50);
    natsStatus s = natsConnection_Connect(&nc, opts);
    if (s != NATS_OK)
        fail(options.url, natsStatus_GetText(s));
    natsOptions_Destroy(opts);
    return nc;
}

/* All of a stream from its beginning, in order. */
static natsStatus subscribe(natsSubscription **ret, jsCtx *js, const char *stream,
                            const char *subject)
{
    jsSubOptions o;

    (void)jsSubOptions_Init(&o);
    o.Ordered = true;
    o.Stream = stream;
    return js_SubscribeSync(ret, js, subject, NULL, &o, NULL);
}

/* A deletion has no data. */
static void note_record(const struct ledger_io *io, natsMsg *msg)
{
    struct ledger_row row = {.kind = LEDGER_SETTLED, .end_ns = ledger_now_ns()};
    json_t *o =
        json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg), 0, NULL);
    const char *id = json_string_value(json_object_get(o, "partition"));

    if (id != NULL) {
        row.partition = ledger_partition(id);
        row.position = (uint64_t)json_integer_value(json_object_get(o, "next"));
        row.gen = (uint32_t)json_integer_value(json_object_get(o, "gen"));
        row.since = (uint32_t)json_integer_value(json_object_get(o, "since"));
        ledger_put(io, &row);
    }
    json_decref(o);
}

/* The first worker makes the bucket. */
static void watch(jsCtx *js)
{
    natsSubscription *sub = NULL;
    struct ledger_io io;
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/witness.rows", options.folder);
    if (!ledger_open(&io, path, 0))
        fail(path, "cannot be written");
    while (!is_over) {
        natsMsg *msg = NULL;
        natsStatus s = sub == NULL ? subscribe(&sub, js, "KV_parti_pos_ledger",
                                               "$KV.parti_pos_ledger.>")
                                   : natsSubscription_NextMsg(&msg, sub, WAIT_MS);

        if (sub == NULL) {
            nats_Sleep(50);
        } else if (s == NATS_OK && msg != NULL) {
            note_record(&io, msg);
            natsMsg_Destroy(msg);
        } else if (s != NATS_OK && s != NATS_TIMEOUT) {
            fail("position records", natsStatus_GetText(s));
        }
    }
    natsSubscription_Destroy(sub);
}

static void read_dead(jsCtx *js)
{
    FILE *to = produce_open(&options, "dead");
    natsSubscription *sub = NULL;
    jsStreamInfo *info = NULL;
    natsStatus s = js_GetStreamInfo(&info, js, "LEDGERDEAD", NULL, NULL);

    if (to == NULL || s != NATS_OK)
        fail("dead letters", to == NULL ? "no file" : natsStatus_GetText(s));
    uint64_t n = info->State.Msgs;
    jsStreamInfo_Destroy(info);
    s = subscribe(&sub, js, "LEDGERDEAD", "dead.ledger");
    for (; n > 0 && s == NATS_OK; n--) {
        const char *partition = NULL;
        natsMsg *msg = NULL;

        s = natsSubscription_NextMsg(&msg, sub, DEAD_MS);
        if (s != NATS_OK)
            break;
        (void)natsMsgHeader_Get(msg, "Parti-Partition", &partition);
        if (!produce_write_dead(to, partition, natsMsg_GetData(msg),
                                (size_t)natsMsg_GetDataLength(msg)))
            fail("dead letters", "one is not of the ledger");
        natsMsg_Destroy(msg);
    }
    natsSubscription_Destroy(sub);
    if (s != NATS_OK || fclose(to) != 0)
        fail("dead letters", natsStatus_GetText(s));
}

int main(int argc, char **argv)
{
    const struct sigaction term = {.sa_handler = on_term};
    jsCtx *js = NULL;

    if (!produce_options(&options, argc, argv) || sigaction(SIGTERM, &term, NULL) != 0)
        return 2;
    natsConnection *nc = connect_server();
    if (natsConnection_JetStream(&js, nc, NULL) != NATS_OK)
        fail("jetstream", "no context");
    if (options.is_reading_dead)
        read_dead(js);
    else
        watch(js);
    jsCtx_Destroy(js);
    natsConnection_Destroy(nc);
    nats_Close();
    return 0;
}
