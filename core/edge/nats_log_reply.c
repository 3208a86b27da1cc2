/* What the server answers to the log's requests, understood and handed to the loop. */
#include "edge/nats_log_impl.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers */

static void answer_with(struct nats_log *log, struct log_op *op, int status, int code,
                        uint64_t seq, const void *data, size_t n)
{
    struct inbox_item *item = inbox_item_create(INBOX_LOG_ANSWER, op->key, NULL, data, n);

    must(item != NULL); /* an answer must not be lost */
    item->tag = log->tag;
    item->op = op->op;
    item->status = status;
    item->code = code;
    item->seq = seq;
    log_end(log, op);
    (void)inbox_put(log->inbox, item);
}

static void answer(struct nats_log *log, struct log_op *op, int status, uint64_t seq)
{
    answer_with(log, op, status, 0, seq, NULL, 0);
}

void log_answer_error(struct nats_log *log, struct log_op *op, const struct nats_error *e)
{
    answer_with(log, op, e->status, e->code, 0, e->text, strlen(e->text));
}

/* A full disk: 2.9.10 locks the stream up and freezes whoever writes to it, 2.15.1 goes
 * on telling about the stream, and neither answers a write.  Without replicas nothing
 * else looks like that, since a server that is gone or frozen takes no connection.
 */
void log_answer_late(struct nats_log *log, struct log_op *op, const struct nats_error *e)
{
    char server[NATS_URL_TEXT_ROOM];
    struct nats_error full;

    if (op->step != STEP_WRITE || ++log->unanswered < UNANSWERED_MAX) {
        log_answer_error(log, op, e);
        return;
    }
    nats_link_server(log->link, server, sizeof server);
    nats_error_set(
        &full, STATUS_TIMEOUT, log->replicas == 1 ? ERR_NATS_STORAGE : ERR_NATS_TIMEOUT,
        "%s has answered none of the last %d records for the stream %s. "
        "%sits disk is full: then its log says 'no space left on device'. "
        "Free space and restart it.",
        server, log->unanswered, log->stream.name,
        log->replicas == 1 ? "Most likely " : "The stream is without a leader, or ");
    log_answer_error(log, op, &full);
}

static void note(struct nats_log *log, const struct log_op *op,
                 const struct nats_error *e)
{
    struct inbox_item *item =
        inbox_item_create(INBOX_LOG_NOTE, NULL, NULL, e->text, strlen(e->text));

    if (item != NULL) {
        item->tag = log->tag;
        item->op = op->op;
        item->status = e->status;
        item->code = e->code;
    }
    (void)inbox_put(log->inbox, item);
}

/* ---- replies */

static void server_name(struct nats_log *log, char to[NATS_URL_TEXT_ROOM])
{
    nats_link_server(log->link, to, NATS_URL_TEXT_ROOM);
}

/* What the person at the keyboard was after. */
static void name_what(const struct nats_log *log, const struct log_op *op, char *to,
                      size_t room)
{
    const char *verb = op->step == STEP_WRITE         ? "the record"
                       : op->step == STEP_READ        ? "to read"
                       : op->step == STEP_OPEN_CREATE ? "to make the stream"
                       : op->step == STEP_OPEN_UPDATE ? "to update the stream"
                                                      : "to tell about the stream";

    (void)snprintf(to, room, "%s %s%s%s", verb, log->stream.name,
                   op->key[0] != '\0' ? ", key " : "", op->key);
}

static void refused(struct nats_log *log, struct log_op *op,
                    const struct nats_stream_reply *reply)
{
    char server[NATS_URL_TEXT_ROOM], what[256];
    struct nats_error e;

    server_name(log, server);
    name_what(log, op, what, sizeof what);
    nats_error_from_jetstream(&e, server, what, reply->err_code, reply->description);
    /* JetStream's answer to a write is definite; TIMEOUT would mean "who knows". */
    if (op->step == STEP_WRITE && e.status == STATUS_TIMEOUT)
        e.status = STATUS_OFFLINE;
    log_answer_error(log, op, &e);
}

/* The next request of an open, or its failure. */
static void hop(struct nats_log *log, struct log_op *op, enum log_step step,
                const char *verb, const char *body)
{
    char server[NATS_URL_TEXT_ROOM];
    struct nats_error e;

    op->step = step;
    if (++op->hops < HOPS_MAX && log_send_api(log, op, verb, body) == STATUS_OK)
        return;
    server_name(log, server);
    nats_error_set(&e, STATUS_OFFLINE, ERR_NATS_FAILED,
                   "the connection to %s was lost while opening the stream %s.", server,
                   log->stream.name);
    log_answer_error(log, op, &e);
}

static void opened(struct nats_log *log, struct log_op *op,
                   const struct nats_stream_reply *reply)
{
    int replicas = nats_stream_replicas(reply->config);
    struct nats_error e;

    log->replicas = replicas;
    if (replicas < log->stream.replicas) {
        nats_error_set(&e, STATUS_LIMIT, ERR_NATS_REPLICAS,
                       "the stream %s has %d of the %d replicas wished. Raise them with "
                       "'nats stream edit %s --replicas %d'.",
                       log->stream.name, replicas, log->stream.replicas, log->stream.name,
                       log->stream.replicas);
        note(log, op, &e);
    }
    answer(log, op, STATUS_OK, reply->seq);
}

static void on_open_config(struct nats_log *log, struct log_op *op,
                           const struct nats_stream_reply *reply)
{
    char server[NATS_URL_TEXT_ROOM];
    struct nats_error e;

    server_name(log, server);
    enum nats_stream_verdict verdict =
        nats_stream_check(&log->stream, reply->config, server, &e);
    if (verdict == NATS_STREAM_GOOD) {
        opened(log, op, reply);
    } else if (verdict == NATS_STREAM_FIXABLE && op->step == STEP_OPEN_INFO) {
        char *body = nats_stream_config_fixed(&log->stream, reply->config);
        hop(log, op, STEP_OPEN_UPDATE, "UPDATE", body);
        free(body);
    } else {
        /* Fail closed: an old server drops silently what it does not know. */
        log_answer_error(log, op, &e);
    }
}

static void on_open_error(struct nats_log *log, struct log_op *op,
                          const struct nats_stream_reply *reply)
{
    char server[NATS_URL_TEXT_ROOM];
    struct nats_error e;

    if (op->step == STEP_OPEN_INFO && reply->err_code == JS_STREAM_NOT_FOUND) {
        char *body = nats_stream_config(&log->stream);
        hop(log, op, STEP_OPEN_CREATE, "CREATE", body);
        free(body);
    } else if (op->step == STEP_OPEN_CREATE && reply->err_code == JS_STREAM_NAME_IN_USE) {
        hop(log, op, STEP_OPEN_INFO, "INFO", ""); /* somebody else was faster */
    } else if (op->step == STEP_OPEN_UPDATE) {
        server_name(log, server);
        nats_error_set(&e, STATUS_UNSUPPORTED, ERR_NATS_FEATURE,
                       "the stream %s on %s does not republish '%s', and the server "
                       "refuses to add that: %s (%ld). Stop the group's workers and "
                       "remove the stream; it is made anew.",
                       log->stream.name, server, log->stream.head_record,
                       reply->description, reply->err_code);
        log_answer_error(log, op, &e);
    } else {
        refused(log, op, reply);
    }
}

static void corrupt(struct nats_log *log, struct log_op *op)
{
    char server[NATS_URL_TEXT_ROOM];
    struct nats_error e;

    server_name(log, server);
    /* Of a write nothing is known then. */
    nats_error_set(&e, op->step == STEP_WRITE ? STATUS_TIMEOUT : STATUS_CORRUPT,
                   ERR_NATS_FAILED, "%s answers for the stream %s what is no answer.",
                   server, log->stream.name);
    log_answer_error(log, op, &e);
}

static void on_record(struct nats_log *log, struct log_op *op,
                      const struct nats_stream_reply *reply)
{
    size_t text_n = strlen(reply->data), n = 0;

    if (reply->is_deleted) {
        answer(log, op, STATUS_NOTFOUND, reply->seq);
        return;
    }
    char *data = malloc(text_n + 1);
    must(data != NULL);
    if (base64_decode(reply->data, text_n, data, text_n, &n))
        answer_with(log, op, STATUS_OK, 0, reply->seq, data, n);
    else
        corrupt(log, op);
    free(data);
}

static void on_write_error(struct nats_log *log, struct log_op *op,
                           const struct nats_stream_reply *reply)
{
    if (reply->err_code == JS_WRONG_LAST_SEQUENCE ||
        reply->err_code == JS_WRONG_LAST_SEQUENCE_CONSTANT)
        answer(log, op, STATUS_CONFLICT, 0);
    else
        refused(log, op, reply);
}

static void on_bind(struct nats_log *log, struct log_op *op,
                    const struct nats_stream_reply *reply)
{
    char server[NATS_URL_TEXT_ROOM];
    struct nats_error e;

    if (reply->err_code == JS_STREAM_NOT_FOUND) {
        answer(log, op, STATUS_NOTFOUND, 0);
    } else if (reply->err_code != 0) {
        refused(log, op, reply);
    } else if (reply->config == NULL) {
        corrupt(log, op);
    } else {
        server_name(log, server);
        if (nats_stream_check(&log->stream, reply->config, server, &e) ==
            NATS_STREAM_WRONG)
            log_answer_error(log, op, &e);
        else
            answer(log, op, STATUS_OK, reply->seq);
    }
}

static void on_reply(struct nats_log *log, struct log_op *op,
                     const struct nats_stream_reply *reply)
{
    bool failed = reply->err_code != 0;

    switch (op->step) {
    case STEP_OPEN_INFO:
    case STEP_OPEN_CREATE:
    case STEP_OPEN_UPDATE:
        if (failed)
            on_open_error(log, op, reply);
        else if (reply->config != NULL)
            on_open_config(log, op, reply);
        else
            corrupt(log, op);
        break;
    case STEP_BIND: on_bind(log, op, reply); break;
    case STEP_INFO:
        if (failed)
            refused(log, op, reply);
        else if (reply->config != NULL)
            answer(log, op, STATUS_OK, reply->seq);
        else
            corrupt(log, op);
        break;
    case STEP_READ:
        if (failed && reply->err_code == JS_MESSAGE_NOT_FOUND)
            answer(log, op, STATUS_NOTFOUND, 0);
        else if (failed)
            refused(log, op, reply);
        else if (reply->is_record)
            on_record(log, op, reply);
        else
            corrupt(log, op);
        break;
    case STEP_WRITE:
        if (failed)
            on_write_error(log, op, reply);
        else if (strcmp(reply->stream, log->stream.name) == 0)
            answer(log, op, STATUS_OK, reply->seq);
        else
            corrupt(log, op);
        break;
    case STEP_FREE: must(!"a free operation has no reply");
    }
}

/* "No responders": nobody has subscribed to the subject of the request. */
static void on_nobody(struct nats_log *log, struct log_op *op)
{
    char server[NATS_URL_TEXT_ROOM];
    struct nats_error e;

    server_name(log, server);
    if (op->step == STEP_WRITE)
        nats_error_set(&e, STATUS_OFFLINE, ERR_NATS_TIMEOUT,
                       "nobody takes records for the stream %s behind %s: it has no "
                       "leader at the moment, was removed, or JetStream went off.",
                       log->stream.name, server);
    else
        nats_error_no_jetstream(&e, server);
    log_answer_error(log, op, &e);
}

void log_on_reply(struct nats_log *log, struct log_op *op, const struct inbox_item *item)
{
    struct nats_stream_reply reply;

    if (op->step == STEP_WRITE)
        log->unanswered = 0;
    if (item->status == STATUS_NOTFOUND) {
        on_nobody(log, op);
        return;
    }
    if (nats_stream_parse(&reply, item->data, item->n))
        on_reply(log, op, &reply);
    else
        corrupt(log, op);
    json_decref(reply.root);
}
