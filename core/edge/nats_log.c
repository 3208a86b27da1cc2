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

struct log_op *log_begin(struct nats_log *log, enum log_step step, uint64_t number,
                         uint64_t timeout_ms)
{
    if (log->free_n == 0)
        return NULL;
    struct log_op *op = &log->ops[log->free[--log->free_n]];
    op->step = step;
    op->op = number;
    op->hops = 0;
    op->key[0] = op->subject[0] = '\0';
    op->timeout_ms = timeout_ms > 0 ? timeout_ms : NATS_LOG_TIMEOUT_MS;
    op->deadline_ns = sat_add(clock_boot_ns(), op->timeout_ms * CLOCK_NS_PER_MS);
    if (op->deadline_ns < log->first_ns)
        log->first_ns = op->deadline_ns;
    return op;
}

void log_end(struct nats_log *log, struct log_op *op)
{
    op->step = STEP_FREE;
    log->free[log->free_n++] = op->index;
}

int log_send(struct nats_log *log, struct log_op *op,
             const struct nats_link_header *headers, size_t headers_n, const void *data,
             size_t n)
{
    char reply[REPLY_ROOM];

    if (log->deaf.code != 0) {
        log_answer_error(log, op, &log->deaf);
        return STATUS_OK;
    }
    /* The place is part of the number, so that a reply finds it at once. */
    op->serial = ++log->serial * (uint64_t)log->shape.ops_max + (uint64_t)op->index;
    op->sent_ns = clock_boot_ns();
    (void)snprintf(reply, sizeof reply, "%s%" PRIu64, log->replies, op->serial);
    int status = nats_link_publish_headers(log->link, op->subject, reply, headers,
                                           headers_n, data, n);
    return status == STATUS_TIMEOUT ? STATUS_OK : status;
}

int log_send_api(struct nats_log *log, struct log_op *op, const char *verb,
                 const char *body)
{
    (void)snprintf(op->subject, log->shape.subject_room, "$JS.API.STREAM.%s.%s", verb,
                   log->stream.name);
    return log_send(log, op, NULL, 0, body, strlen(body));
}

int log_begun(struct nats_log *log, struct log_op *op, int status)
{
    if (status != STATUS_OK)
        log_end(log, op);
    return status;
}

int nats_log_open(struct nats_log *log, uint64_t op_number, uint64_t timeout_ms)
{
    struct log_op *op = log_begin(log, STEP_OPEN_INFO, op_number, timeout_ms);

    return op == NULL ? STATUS_LIMIT
                      : log_begun(log, op, log_send_api(log, op, "INFO", ""));
}

int nats_log_bind(struct nats_log *log, uint64_t op_number, uint64_t timeout_ms)
{
    struct log_op *op = log_begin(log, STEP_BIND, op_number, timeout_ms);

    return op == NULL ? STATUS_LIMIT
                      : log_begun(log, op, log_send_api(log, op, "INFO", ""));
}

int nats_log_info(struct nats_log *log, uint64_t op_number, uint64_t timeout_ms)
{
    struct log_op *op = log_begin(log, STEP_INFO, op_number, timeout_ms);

    return op == NULL ? STATUS_LIMIT
                      : log_begun(log, op, log_send_api(log, op, "INFO", ""));
}

/* The characters that KV tools allow in keys (ADR-8), no dot at either end. */
bool log_key_is_valid(const struct nats_log *log, const char *key)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-/_=.";
    size_t n = strlen(key);

    return n > 0 && n <= log->shape.key_max && strspn(key, allowed) == n &&
           key[0] != '.' && key[n - 1] != '.' && strstr(key, "..") == NULL;
}

void log_set_key(struct nats_log *log, struct log_op *op, const char *key)
{
    (void)snprintf(op->key, log->shape.key_max + 1, "%s", key);
    (void)snprintf(op->subject, log->shape.subject_room, "$KV.%s.%s", log->stream.bucket,
                   key);
}

int nats_log_read(struct nats_log *log, uint64_t op_number, const char *key,
                  uint64_t timeout_ms)
{
    char body[LOG_SUBJECT_MOST + 32];

    if (!log_key_is_valid(log, key))
        return STATUS_INVALID;
    struct log_op *op = log_begin(log, STEP_READ, op_number, timeout_ms);
    if (op == NULL)
        return STATUS_LIMIT;
    log_set_key(log, op, key);
    (void)snprintf(body, sizeof body, "{\"last_by_subj\":\"%s\"}", op->subject);
    return log_begun(log, op, log_send_api(log, op, "MSG.GET", body));
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

    if (!log_key_is_valid(log, write->key))
        return STATUS_INVALID;
    struct log_op *op = log_begin(log, STEP_WRITE, op_number, timeout_ms);
    if (op == NULL)
        return STATUS_LIMIT;
    log_set_key(log, op, write->key);
    (void)snprintf(seq, sizeof seq, "%" PRIu64, write->expect_seq);
    (void)snprintf(key_seq, sizeof key_seq, "%" PRIu64, write->expect_key_seq);
    return log_begun(
        log, op,
        log_send(log, op, headers, write->has_key_seq ? 3 : 2, write->data, write->n));
}

/* ---- replies */

static struct log_op *find(struct nats_log *log, uint64_t serial)
{
    struct log_op *op = &log->ops[serial % (uint64_t)log->shape.ops_max];

    return op->step != STEP_FREE && op->serial == serial ? op : NULL;
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
    for (int i = 0; i < log->shape.ops_max; i++) {
        struct log_op *op = &log->ops[i];
        if (op->step != STEP_FREE && op->sent_ns <= item->when_ns)
            log_answer_late(log, op, &e);
    }
}

static int count_to(const struct nats_log *log, const char *subject)
{
    int n = 0;

    for (int i = 0; i < log->shape.ops_max; i++)
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
    for (int i = 0; i < log->shape.ops_max; i++) {
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

    if (now_ns < log->first_ns)
        return;
    nats_link_server(log->link, server, sizeof server);
    log->first_ns = UINT64_MAX;
    for (int i = 0; i < log->shape.ops_max; i++) {
        struct log_op *op = &log->ops[i];
        if (op->step == STEP_FREE)
            continue;
        if (op->deadline_ns > now_ns) {
            if (op->deadline_ns < log->first_ns)
                log->first_ns = op->deadline_ns;
            continue;
        }
        nats_error_set(&e, STATUS_TIMEOUT, ERR_NATS_TIMEOUT,
                       "%s has not answered for the stream %s within %" PRIu64
                       " ms. Its JetStream is busy, stopped, or without a leader.",
                       server, log->stream.name, op->timeout_ms);
        log_answer_late(log, op, &e);
    }
}

/* May lie before the first deadline, when that operation has been answered. */
uint64_t nats_log_deadline_ns(const struct nats_log *log)
{
    return log->free_n < log->shape.ops_max ? log->first_ns : UINT64_MAX;
}

/* ---- making and ending */

bool nats_log_group_is_valid(const char *group)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t n = strlen(group);

    return n > 0 && n <= NATS_LOG_GROUP_MAX && strspn(group, allowed) == n;
}

static bool take_memory(struct nats_log *log)
{
    const struct log_shape *shape = &log->shape;
    size_t n = (size_t)shape->ops_max, room = shape->subject_room + shape->key_max + 1;

    log->ops = calloc(n, sizeof *log->ops);
    log->free = calloc(n, sizeof *log->free);
    log->text = calloc(n, room);
    if (log->ops == NULL || log->free == NULL || log->text == NULL)
        return false;
    for (int i = shape->ops_max - 1; i >= 0; i--) {
        log->ops[i].index = i;
        log->ops[i].subject = log->text + (size_t)i * room;
        log->ops[i].key = log->ops[i].subject + shape->subject_room;
        log->free[log->free_n++] = i;
    }
    return true;
}

static void give_memory(struct nats_log *log)
{
    free(log->ops);
    free(log->free);
    free(log->text);
    free(log);
}

int log_create(struct nats_log **ret_log, struct nats_link *link, struct inbox *inbox,
               const struct nats_stream *stream, const struct log_shape *shape, int tag)
{
    uint64_t id[2];

    struct nats_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return STATUS_NOMEM;
    log->link = link;
    log->inbox = inbox;
    log->tag = tag;
    log->stream = *stream;
    log->shape = *shape;
    log->first_ns = UINT64_MAX;
    if (!take_memory(log)) {
        give_memory(log);
        return STATUS_NOMEM;
    }
    must(getrandom(id, sizeof id, 0) == (ssize_t)sizeof id);
    (void)snprintf(log->replies, sizeof log->replies,
                   "_INBOX.%016" PRIx64 "%016" PRIx64 ".", id[0], id[1]);
    (void)snprintf(log->wildcard, sizeof log->wildcard, "%s*", log->replies);
    int status = nats_link_subscribe(link, log->wildcard, INBOX_LOG_REPLY, log->tag);
    if (status != STATUS_OK) {
        give_memory(log);
        return status;
    }
    *ret_log = log;
    return STATUS_OK;
}

int nats_log_create(struct nats_log **ret_log, struct nats_link *link,
                    struct inbox *inbox, const struct nats_log_options *options)
{
    static const struct log_shape shape = {NATS_LOG_OPS_MAX, NATS_LOG_KEY_MAX,
                                           NATS_STREAM_SUBJECT_ROOM};
    struct nats_stream stream;

    if (!nats_log_group_is_valid(options->group))
        return STATUS_INVALID;
    nats_stream_init(&stream, options->group, options->replicas);
    return log_create(ret_log, link, inbox, &stream, &shape, options->tag);
}

void nats_log_destroy(struct nats_log *log)
{
    if (log == NULL)
        return;
    nats_link_unsubscribe(log->link, log->wildcard, log->tag);
    give_memory(log);
}

const char *nats_log_stream(const struct nats_log *log)
{
    return log->stream.name;
}

const char *nats_log_head_subject(const struct nats_log *log)
{
    return log->stream.head_message;
}
