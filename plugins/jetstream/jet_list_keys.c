/* The keys of a bucket, without those that are deleted.
 *
 * A bucket is a stream, a key a subject; a deleted key is one whose last message is a
 * marker (header KV-Operation).  The list of subjects does not tell them apart, and
 * asking for the last message of each key would be a request a key.  So the server is
 * asked to send the last message of every key without its value: one consumer that lives
 * for one listing, one message of some 200 bytes for each key, deleted ones among them.
 */
#include "plugins/jetstream/jet_source.h"

enum { HEARTBEAT_NS = 1000000000 };

struct scan {
    struct jet_source *s;
    struct parti_error *error;
    uint64_t taken; /* messages, markers among them */
    int32_t code;
};

/* What the reply subject of a message says: $JS.ACK.STREAM.CONSUMER.DELIVERED.SEQ.
 * NUMBER.TIME.PENDING, in newer servers with two tokens more in front. */
static int32_t read_reply(const char *reply, uint64_t *ret_number, uint64_t *ret_pending)
{
    const char *token[16] = {reply};
    size_t n = 1;

    for (const char *dot = strchr(reply, '.'); dot != NULL && n < 16; n++) {
        token[n] = dot + 1;
        dot = strchr(dot + 1, '.');
    }
    if (n < 9)
        return 0;
    size_t shift = n > 9 ? 2 : 0;
    *ret_number = strtoull(token[6 + shift], NULL, 10);
    *ret_pending = strtoull(token[8 + shift], NULL, 10);
    return 1;
}

static int32_t give_up(struct scan *scan, int32_t code)
{
    scan->code = code;
    return JET_TAKE_DONE;
}

static int32_t take_key(void *ctx, natsMsg *msg)
{
    struct scan *scan = ctx;
    struct jet_source *s = scan->s;
    const char *subject = natsMsg_GetSubject(msg), *reply = natsMsg_GetReply(msg);
    const char *mark = NULL;
    uint64_t number = 0, pending = 0;

    if (reply != NULL && strncmp(reply, "$JS.FC.", 7) == 0) {
        jet_inbox_answer(s->link, reply); /* or the server stops sending */
        return 0;
    }
    if (reply == NULL || strncmp(reply, "$JS.ACK.", 8) != 0)
        return 0; /* a heartbeat */
    if (!read_reply(reply, &number, &pending) || number != ++scan->taken)
        return give_up(scan, parti_fail(scan->error, PARTI_RETRY,
                                        "messages of %.100s were lost on the way here",
                                        s->api.shown));
    int32_t is_deleted = natsMsgHeader_Get(msg, "KV-Operation", &mark) == NATS_OK &&
                         (strcmp(mark, "DEL") == 0 || strcmp(mark, "PURGE") == 0);
    /* A server's own marker, where a key's time was over (2.11). */
    is_deleted |= natsMsgHeader_Get(msg, "Nats-Marker-Reason", &mark) == NATS_OK;
    size_t n = strlen(subject);
    if (!is_deleted && n > s->skip) {
        int32_t code = jet_list_add(s, subject + s->skip, n - s->skip, 0, scan->error);
        if (code != PARTI_OK)
            return give_up(scan, code);
    }
    return pending == 0 ? JET_TAKE_DONE : 0;
}

static json_t *consumer_of(const struct jet_source *s, const char *inbox)
{
    return json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I}}", "stream_name",
                     s->api.stream, "config", "deliver_subject", inbox, "deliver_policy",
                     "last_per_subject", "ack_policy", "none", "replay_policy", "instant",
                     "filter_subject", s->filter, "headers_only", 1, "flow_control", 1,
                     "idle_heartbeat", (json_int_t)HEARTBEAT_NS);
}

/* With the inbox open. */
static int32_t receive(struct scan *scan, struct jet_inbox *inbox, struct jet_task *task)
{
    struct jet_source *s = scan->s;
    json_t *made = NULL;
    int32_t code = jet_api_ask(&s->api, "CONSUMER.CREATE", NULL,
                               consumer_of(s, inbox->subject), task, &made, scan->error);
    char subject[1024];

    if (code != PARTI_OK)
        return code;
    /* Both as they were before the first message was sent. */
    if (jet_api_number(made, "num_pending") > 0)
        code = jet_inbox_wait(s->link, inbox, task, scan->error);
    const char *name = json_string_value(json_object_get(made, "name"));
    (void)snprintf(subject, sizeof subject, "%s.CONSUMER.DELETE.%s.%s", s->api.prefix,
                   s->api.stream, name != NULL ? name : "");
    /* Nobody waits for the answer: without our interest it goes by itself, only later. */
    struct parti_error ignored = {.size = sizeof ignored};
    (void)jet_inbox_send(s->link, inbox, subject, "", &ignored);
    json_decref(made);
    return code != PARTI_OK ? code : scan->code;
}

int32_t jet_list_keys(struct jet_source *s, struct jet_task *task,
                      struct parti_error *error)
{
    struct scan scan = {.s = s, .error = error};
    struct jet_inbox inbox = {.take = take_key, .ctx = &scan, .is_feed = 1};
    int32_t code = jet_list_state(s, task, &s->state, error);

    if (code == PARTI_OK)
        code = weigh_begin(s->weigh);
    memset(&s->skipped, 0, sizeof s->skipped);
    if (code == PARTI_OK)
        code = jet_inbox_open(s->link, &inbox, error);
    if (code != PARTI_OK)
        return code;
    code = receive(&scan, &inbox, task);
    jet_inbox_close(s->link, &inbox);
    return code;
}
