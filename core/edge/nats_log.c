#include "edge/nats_log_impl.h"

#include "base/bytes.h"
#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- requests */

/* A free place with the caller's number in it; NULL if too much is under way. */
static struct log_op *begin(struct nats_log *log, enum log_step step, uint64_t number,
                            uint64_t timeout_ms)
{
    for (int i = 0; i < NATS_LOG_OPS_MAX; i++) {
        struct log_op *op = &log->ops[i];
        if (op->step != STEP_FREE)
            continue;
        *op = (struct log_op){.step = step, .op = number};
        op->timeout_ms = timeout_ms > 0 ? timeout_ms : NATS_LOG_TIMEOUT_MS;
        op->deadline_ns = sat_add(clock_boot_ns(), op->timeout_ms * CLOCK_NS_PER_MS);
        return op;
    }
    return NULL;
}

/* STATUS_OK also if it is uncertain whether the request went out: the deadline, or the
 * link's end, then answers it; and if the reply could not be heard: nothing is sent then.
 */
static int send(struct nats_log *log, struct log_op *op,
                const struct nats_link_header *headers, size_t headers_n,
                const void *data, size_t n)
{
    char reply[REPLY_ROOM];

    if (log->deaf.code != 0) {
        log_answer_error(log, op, &log->deaf);
        return STATUS_OK;
    }
    op->serial = ++log->serial;
    op->sent_ns = clock_boot_ns();
    (void)snprintf(reply, sizeof reply, "%s%" PRIu64, log->replies, op->serial);
    int status = nats_link_publish_headers(log->link, op->subject, reply, headers,
                                           headers_n, data, n);
    return status == STATUS_TIMEOUT ? STATUS_OK : status;
}

int log_send_api(struct nats_log *log, struct log_op *op, const char *verb,
                 const char *body)
{
    (void)snprintf(op->subject, sizeof op->subject, "$JS.API.STREAM.%s.%s", verb,
                   log->stream.name);
    return send(log, op, NULL, 0, body, strlen(body));
}

/* For the first request of a call: what cannot be sent is not answered but returned. */
static int begun(struct log_op *op, int status)
{
    if (status != STATUS_OK)
        op->step = STEP_FREE;
    return status;
}

int nats_log_open(struct nats_log *log, uint64_t op_number, uint64_t timeout_ms)
{
    struct log_op *op = begin(log, STEP_OPEN_INFO, op_number, timeout_ms);

    return op == NULL ? STATUS_LIMIT : begun(op, log_send_api(log, op, "INFO", ""));
}

int nats_log_bind(struct nats_log *log, uint64_t op_number, uint64_t timeout_ms)
{
    struct log_op *op = begin(log, STEP_BIND, op_number, timeout_ms);

    return op == NULL ? STATUS_LIMIT : begun(op, log_send_api(log, op, "INFO", ""));
}

int nats_log_info(struct nats_log *log, uint64_t op_number, uint64_t timeout_ms)
{
    struct log_op *op = begin(log, STEP_INFO, op_number, timeout_ms);

    return op == NULL ? STATUS_LIMIT : begun(op, log_send_api(log, op, "INFO", ""));
}

/* The characters that KV tools allow in keys (ADR-8), no dot at either end. */
static bool key_is_valid(const char *key)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-/_=.";
    size_t n = strlen(key);

    return n > 0 && n <= NATS_LOG_KEY_MAX && strspn(key, allowed) == n && key[0] != '.' &&
           key[n - 1] != '.' && strstr(key, "..") == NULL;
}

static void set_key(struct nats_log *log, struct log_op *op, const char *key)
{
    (void)snprintf(op->key, sizeof op->key, "%s", key);
    (void)snprintf(op->subject, sizeof op->subject, "$KV.parti_%s.%s", log->stream.group,
                   key);
}

int nats_log_read(struct nats_log *log, uint64_t op_number, const char *key,
                  uint64_t timeout_ms)
{
    char body[NATS_STREAM_SUBJECT_ROOM + 32];

    if (!key_is_valid(key))
        return STATUS_INVALID;
    struct log_op *op = begin(log, STEP_READ, op_number, timeout_ms);
    if (op == NULL)
        return STATUS_LIMIT;
    set_key(log, op, key);
    (void)snprintf(body, sizeof body, "{\"last_by_subj\":\"%s\"}", op->subject);
    return begun(op, log_send_api(log, op, "MSG.GET", body));
}

int nats_log_write(struct nats_log *log, uint64_t op_number,
                   const struct nats_log_write *write, uint64_t timeout_ms)
{
    char seq[24], key_seq[24];
    struct nats_link_header headers[3] = {
        {"Nats-Expected-Stream", log->stream.name},
        {"Nats-Expected-Last-Sequence", seq},
        {"Nats-Expected-Last-Subject-Sequence", key_seq},
    };

    if (!key_is_valid(write->key))
        return STATUS_INVALID;
    struct log_op *op = begin(log, STEP_WRITE, op_number, timeout_ms);
    if (op == NULL)
        return STATUS_LIMIT;
    set_key(log, op, write->key);
    (void)snprintf(seq, sizeof seq, "%" PRIu64, write->expect_seq);
    (void)snprintf(key_seq, sizeof key_seq, "%" PRIu64, write->expect_key_seq);
    return begun(
        op, send(log, op, headers, write->has_key_seq ? 3 : 2, write->data, write->n));
}

/* ---- replies */

static struct log_op *find(struct nats_log *log, uint64_t serial)
{
    for (int i = 0; i < NATS_LOG_OPS_MAX; i++) {
        if (log->ops[i].step != STEP_FREE && log->ops[i].serial == serial)
            return &log->ops[i];
    }
    return NULL;
}

static void on_raw_reply(struct nats_log *log, const struct inbox_item *item)
{
    size_t prefix = strlen(log->replies);
    char *end = NULL;

    if (strncmp(item->subject, log->replies, prefix) != 0)
        return;
    struct log_op *op = find(log, strtoull(item->subject + prefix, &end, 10));
    if (op == NULL || *end != '\0')
        return; /* late: it has been answered with a time-out */
    log_on_reply(log, op, item);
}

/* ---- losses */

/* What was sent over the lost connection cannot be answered any more. */
static void on_link_down(struct nats_log *log, const struct inbox_item *item)
{
    struct nats_error e;

    log->deaf = (struct nats_error){0};
    nats_error_set(&e, STATUS_TIMEOUT, ERR_NATS_TIMEOUT, "%s", item->data);
    for (int i = 0; i < NATS_LOG_OPS_MAX; i++) {
        struct log_op *op = &log->ops[i];
        if (op->step != STEP_FREE && op->sent_ns <= item->when_ns)
            log_answer_late(log, op, &e);
    }
}

static int count_to(const struct nats_log *log, const char *subject)
{
    int n = 0;

    for (int i = 0; i < NATS_LOG_OPS_MAX; i++)
        n += log->ops[i].step != STEP_FREE && strcmp(log->ops[i].subject, subject) == 0;
    return n;
}

static void on_denied(struct nats_log *log, const struct inbox_item *item)
{
    bool deaf = strcmp(item->subject, log->wildcard) == 0;
    bool certain = count_to(log, item->subject) == 1;
    struct nats_error e;

    nats_error_set(&e, STATUS_DENIED, ERR_NATS_DENIED, "%s", item->data);
    if (deaf)
        log->deaf = e;
    for (int i = 0; i < NATS_LOG_OPS_MAX; i++) {
        struct log_op *op = &log->ops[i];
        if (op->step == STEP_FREE || (!deaf && strcmp(op->subject, item->subject) != 0))
            continue;
        struct nats_error own = e;
        /* Two writes to one key: which of them was refused the server does not say.
           And who cannot hear the reply does not know either. */
        if (op->step == STEP_WRITE && (deaf || !certain))
            own.status = STATUS_TIMEOUT;
        log_answer_error(log, op, &own);
    }
}

bool nats_log_feed(struct nats_log *log, const struct inbox_item *item)
{
    switch (item->kind) {
    case INBOX_LOG_REPLY:
        if (item->tag != log->tag)
            return false;
        on_raw_reply(log, item);
        return true;
    case INBOX_LINK_DOWN: on_link_down(log, item); return false;
    case INBOX_LINK_DENIED: on_denied(log, item); return false;
    default: return false;
    }
}

void nats_log_tick(struct nats_log *log, uint64_t now_ns)
{
    char server[NATS_URL_TEXT_ROOM];
    struct nats_error e;

    nats_link_server(log->link, server, sizeof server);
    for (int i = 0; i < NATS_LOG_OPS_MAX; i++) {
        struct log_op *op = &log->ops[i];
        if (op->step == STEP_FREE || op->deadline_ns > now_ns)
            continue;
        nats_error_set(&e, STATUS_TIMEOUT, ERR_NATS_TIMEOUT,
                       "%s has not answered for the stream %s within %" PRIu64
                       " ms. Its JetStream is busy, stopped, or without a leader.",
                       server, log->stream.name, op->timeout_ms);
        log_answer_late(log, op, &e);
    }
}

uint64_t nats_log_deadline_ns(const struct nats_log *log)
{
    uint64_t first = UINT64_MAX;

    for (int i = 0; i < NATS_LOG_OPS_MAX; i++) {
        const struct log_op *op = &log->ops[i];
        if (op->step != STEP_FREE && op->deadline_ns < first)
            first = op->deadline_ns;
    }
    return first;
}

/* ---- making and ending */

static bool group_is_valid(const char *group)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t n = strlen(group);

    return n > 0 && n <= NATS_LOG_GROUP_MAX && strspn(group, allowed) == n;
}

int nats_log_create(struct nats_log **ret_log, struct nats_link *link,
                    struct inbox *inbox, const struct nats_log_options *options)
{
    uint64_t id[2];

    if (!group_is_valid(options->group))
        return STATUS_INVALID;
    struct nats_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return STATUS_NOMEM;
    log->link = link;
    log->inbox = inbox;
    log->tag = options->tag;
    nats_stream_init(&log->stream, options->group, options->replicas);
    must(getrandom(id, sizeof id, 0) == (ssize_t)sizeof id);
    (void)snprintf(log->replies, sizeof log->replies,
                   "_INBOX.%016" PRIx64 "%016" PRIx64 ".", id[0], id[1]);
    (void)snprintf(log->wildcard, sizeof log->wildcard, "%s*", log->replies);
    int status = nats_link_subscribe(link, log->wildcard, INBOX_LOG_REPLY, log->tag);
    if (status != STATUS_OK) {
        free(log);
        return status;
    }
    *ret_log = log;
    return STATUS_OK;
}

void nats_log_destroy(struct nats_log *log)
{
    if (log == NULL)
        return;
    nats_link_unsubscribe(log->link, log->wildcard, log->tag);
    free(log);
}

const char *nats_log_stream(const struct nats_log *log)
{
    return log->stream.name;
}

const char *nats_log_head_subject(const struct nats_log *log)
{
    return log->stream.head_message;
}
