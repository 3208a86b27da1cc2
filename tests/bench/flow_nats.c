/* What the benches do with NATS behind Parti's back: fill a stream, read it in a bare
 * loop of nats.c, keep it under load, and see who asks the server for what. */
#include "flow.h"

#include <nats/nats.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASK_MS = 10000,
    DATA_MAX = 1 << 16,
    FETCH_MS = 2000,
    SOON_MS = 20,
    FILTERS_MAX = 4096,
    BODY_ROOM = 1 << 18
};

static void check(natsStatus s, const char *what)
{
    if (s != NATS_OK)
        flow_die("%s: %s (%s)", what, natsStatus_GetText(s), nats_GetLastError(NULL));
}

static natsConnection *connect_to(const char *url)
{
    natsConnection *nc = NULL;
    natsOptions *options = NULL;

    check(natsOptions_Create(&options), "options");
    check(natsOptions_SetURL(options, url), "url");
    check(natsConnection_Connect(&nc, options), "connect");
    natsOptions_Destroy(options);
    return nc;
}

static void ask(natsConnection *nc, const char *subject, const char *body)
{
    natsMsg *msg = NULL;

    check(natsConnection_RequestString(&msg, nc, subject, body, ASK_MS), subject);
    const char *data = natsMsg_GetData(msg);
    if (data != NULL && strstr(data, "\"error\"") != NULL)
        flow_die("%s: %s", subject, data);
    natsMsg_Destroy(msg);
}

/* The subject of a partition is p.GROUP.PARTITION, so that each of several bare loops
 * can have a GROUP for itself. */
static void subject_of(char to[48], uint32_t part, uint32_t parts, uint32_t groups)
{
    (void)snprintf(to, 48, "p.%u.%u", part * groups / parts, part);
}

/* URL PARTS GROUPS MESSAGES SIZE STREAM-JSON */
int flow_fill(int argc, char **argv)
{
    static char data[DATA_MAX];
    char subject[48];

    if (argc != 6)
        flow_die("fill: six arguments");
    natsConnection *nc = connect_to(argv[0]);
    uint32_t parts = (uint32_t)strtoul(argv[1], NULL, 10);
    uint32_t groups = (uint32_t)strtoul(argv[2], NULL, 10);
    uint64_t n = strtoull(argv[3], NULL, 10);
    size_t size = strtoul(argv[4], NULL, 10);
    if (size < FLOW_HEAD || size > sizeof data)
        flow_die("fill: a message has %d to %d bytes", FLOW_HEAD, DATA_MAX);
    memset(data, 'x', size);
    ask(nc, "$JS.API.STREAM.CREATE.FLOW", argv[5]);
    for (uint64_t i = 0; i < n; i++) {
        const struct flow_head head = {
            .part = (uint32_t)(i % parts), .number = i / parts, .published_ns = 0};

        flow_put(data, &head);
        subject_of(subject, head.part, parts, groups);
        if (i % 4096 == 4095 || i + 1 == n) { /* the stream has all before it */
            natsMsg *reply = NULL;

            check(natsConnection_Request(&reply, nc, subject, data, (int)size, ASK_MS),
                  "fill");
            natsMsg_Destroy(reply);
        } else {
            check(natsConnection_Publish(nc, subject, data, (int)size), "fill");
        }
    }
    natsConnection_Destroy(nc);
    nats_Close();
    return 0;
}

struct loop {
    struct flow *flow;
    int index, batch;
    const char *ack;
    natsConnection *nc;
    jsCtx *js;
};

/* 'filter' is a subject, or a list of them: "a","b". */
static natsSubscription *reader(const struct loop *l, const char *name,
                                const char *filter)
{
    static char body[BODY_ROOM];
    char subject[512];
    natsSubscription *sub = NULL;
    jsSubOptions options;
    bool is_list = filter[0] == '"';

    (void)snprintf(subject, sizeof subject, "$JS.API.CONSUMER.CREATE.FLOW.%s%s%s", name,
                   is_list ? "" : ".", is_list ? "" : filter);
    (void)snprintf(body, sizeof body,
                   "{\"stream_name\":\"FLOW\",\"config\":{\"name\":\"%s\","
                   "\"durable_name\":\"%s\",\"%s\":%s%s%s,"
                   "\"ack_policy\":\"%s\"%s}}",
                   name, name, is_list ? "filter_subjects" : "filter_subject",
                   is_list ? "[" : "\"", filter, is_list ? "]" : "\"", l->ack,
                   strcmp(l->ack, "none") == 0 ? "" : ",\"max_ack_pending\":-1");
    ask(l->nc, subject, body);
    check(jsSubOptions_Init(&options), "options");
    options.Stream = "FLOW";
    options.Consumer = name;
    check(js_PullSubscribe(&sub, l->js, is_list ? NULL : filter, name, NULL, &options,
                           NULL),
          "subscribe");
    return sub;
}

static void fetch(const struct loop *l, natsSubscription *sub, int timeout_ms)
{
    natsMsgList list;
    natsStatus s = natsSubscription_Fetch(&list, sub, l->batch, timeout_ms, NULL);

    if (s == NATS_TIMEOUT)
        return;
    check(s, "fetch");
    for (int i = 0; i < list.Count; i++) {
        struct flow_head head;

        if (!flow_get(&head, natsMsg_GetData(list.Msgs[i]),
                      (size_t)natsMsg_GetDataLength(list.Msgs[i])))
            flow_die("a message of somebody else's");
        flow_count(l->flow, l->index, &head);
        if (strcmp(l->ack, "explicit") == 0 ||
            (strcmp(l->ack, "all") == 0 && i + 1 == list.Count))
            check(natsMsg_Ack(list.Msgs[i], NULL), "ack");
    }
    natsMsgList_Destroy(&list);
}

/* URL MAP INDEX ACK(none|explicit|all) BATCH NAME FILTER...: until it is killed; several
 * filters have a consumer each, asked in turn; "a","b" is one with a list. */
int flow_bare(int argc, char **argv)
{
    natsSubscription *sub[FILTERS_MAX];
    int n = argc - 6;
    char name[128];

    if (n < 1 || n > FILTERS_MAX)
        flow_die("bare: seven arguments or more");
    struct loop l = {.flow = flow_map(argv[1]),
                     .index = (int)strtol(argv[2], NULL, 10),
                     .batch = (int)strtol(argv[4], NULL, 10),
                     .ack = argv[3],
                     .nc = connect_to(argv[0])};
    check(natsConnection_JetStream(&l.js, l.nc, NULL), "jetstream");
    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "%s_%d", argv[5], i);
        sub[i] = reader(&l, name, argv[6 + i]);
    }
    atomic_store(&l.flow->place[l.index].is_ready, 1);
    while (atomic_load(&l.flow->go) == 0)
        (void)poll(NULL, 0, 1);
    for (;;) {
        for (int i = 0; i < n; i++)
            fetch(&l, sub[i], n == 1 ? FETCH_MS : SOON_MS);
    }
}

/* URL MAP PARTS GROUPS RATE SIZE: so many messages a second, in turn to each partition,
 * until go is 2. */
int flow_load(int argc, char **argv)
{
    static char data[DATA_MAX];
    char subject[48];
    uint64_t sent = 0;

    if (argc != 6)
        flow_die("load: six arguments");
    natsConnection *nc = connect_to(argv[0]);
    struct flow *flow = flow_map(argv[1]);
    uint32_t parts = (uint32_t)strtoul(argv[2], NULL, 10);
    uint32_t groups = (uint32_t)strtoul(argv[3], NULL, 10);
    uint64_t rate = strtoull(argv[4], NULL, 10);
    size_t size = strtoul(argv[5], NULL, 10);
    memset(data, 'x', size);
    uint64_t begun_ns = flow_now_ns();
    while (atomic_load(&flow->go) != 2) {
        uint64_t due = (flow_now_ns() - begun_ns) * rate / 1000000000u;

        for (; sent < due; sent++) {
            const struct flow_head head = {.part = (uint32_t)(sent % parts),
                                           .number = sent / parts,
                                           .published_ns = flow_now_ns()};

            flow_put(data, &head);
            subject_of(subject, head.part, parts, groups);
            check(natsConnection_Publish(nc, subject, data, (int)size), "load");
        }
        check(natsConnection_Flush(nc), "load");
        (void)poll(NULL, 0, 1);
    }
    natsConnection_Destroy(nc);
    nats_Close();
    (void)printf("%llu\n", (unsigned long long)sent);
    return 0;
}

/* ---- the spy ----------------------------------------------------------------------- */

static void on_seen(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ctx)
{
    const char *data = natsMsg_GetData(msg);
    int n = natsMsg_GetDataLength(msg);
    char head[160];
    int used = 0;

    (void)nc;
    (void)sub;
    for (; used < n && used < (int)sizeof head - 1; used++)
        head[used] = data[used] >= ' ' && data[used] < 127 ? data[used] : '.';
    head[used] = '\0';
    (void)fprintf(ctx, "%llu %s %s\n", (unsigned long long)flow_now_ns(),
                  natsMsg_GetSubject(msg), head);
    natsMsg_Destroy(msg);
}

/* URL MAP FILE SUBJECT...: a line for each message on these subjects, until go is 2. */
int flow_spy(int argc, char **argv)
{
    natsSubscription *sub = NULL;

    if (argc < 4)
        flow_die("spy: four arguments or more");
    natsConnection *nc = connect_to(argv[0]);
    struct flow *flow = flow_map(argv[1]);
    FILE *file = fopen(argv[2], "w");
    if (file == NULL)
        flow_die("cannot write %s", argv[2]);
    for (int i = 3; i < argc; i++)
        check(natsConnection_Subscribe(&sub, nc, argv[i], on_seen, file), "spy");
    check(natsConnection_Flush(nc), "spy");
    atomic_store(&flow->place[FLOW_PROCESSES_MAX - 1].is_ready, 1);
    while (atomic_load(&flow->go) != 2)
        (void)poll(NULL, 0, 10);
    natsConnection_Destroy(nc);
    nats_Close();
    return fclose(file);
}
