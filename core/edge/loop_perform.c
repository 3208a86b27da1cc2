/* The loop's way out: the node's actions become messages and operations of the log. */
#include "edge/loop_private.h"

#include "base/must.h"
#include "base/status.h"
#include "proto/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void loop_problem(struct loop *l, int code, const char *text)
{
    if (code == l->problem_code)
        return;
    l->problem_code = code;
    l->options.problem(l->options.ctx, code, text);
}

static void send_message(struct loop *l, const struct action *a)
{
    char subject[128];

    if (a->send.addr == 0)
        (void)snprintf(subject, sizeof subject, "%s", l->beacon);
    else
        (void)snprintf(subject, sizeof subject, "parti.%s.n.%016" PRIx64,
                       l->options.group, a->send.addr);
    /* Core messages may be lost: the protocol sends again. */
    (void)nats_link_publish(l->link, subject, NULL, a->send.data, a->send.n);
}

/* The log's operations carry the kind of event that answers them in their top bits, so
 * that the loop need not remember them. */
static uint64_t loop_op(const struct action *a)
{
    enum event_type type = a->type == ACT_LOG_INFO   ? EV_LOG_INFO
                           : a->type == ACT_LOG_READ ? EV_LOG_READ
                                                     : EV_LOG_WRITTEN;

    must(a->log.op >> LOOP_OP_BITS == 0);
    return (uint64_t)type << LOOP_OP_BITS | a->log.op;
}

/* An operation that could not even start is answered like any other. */
static void answer_now(struct loop *l, const struct action *a, int status)
{
    struct inbox_item *item =
        inbox_item_create(INBOX_LOG_ANSWER, a->log.key, NULL, NULL, 0);

    if (item != NULL) {
        item->op = loop_op(a);
        item->status = status;
        item->tag = TAG_LOG;
    }
    (void)inbox_put(l->inbox, item);
}

static void log_operation(struct loop *l, const struct action *a)
{
    uint64_t timeout =
        a->log.timeout_ms > 0 ? a->log.timeout_ms : l->options.operation_ms;
    uint64_t op = loop_op(a);
    int status;

    if (a->type == ACT_LOG_INFO) {
        status = nats_log_info(l->log, op, timeout);
    } else if (a->type == ACT_LOG_READ) {
        status = nats_log_read(l->log, op, a->log.key, timeout);
    } else {
        struct nats_log_write write = {.key = a->log.key,
                                       .expect_seq = a->log.expect_seq,
                                       .has_key_seq = a->log.has_key_seq,
                                       .expect_key_seq = a->log.expect_key_seq,
                                       .data = a->log.data,
                                       .n = a->log.n};

        status = nats_log_write(l->log, op, &write, timeout);
    }
    if (status != STATUS_OK)
        answer_now(l, a, status);
}

void loop_answer_refreshers(struct loop *l, const char *text)
{
    struct message m = {.type = MSG_DONE};
    char buffer[512];
    size_t n;

    bytes_to_text(bytes_of(text), m.done, sizeof m.done);
    n = wire_encode(&m, buffer, sizeof buffer);
    must(n > 0);
    for (uint32_t i = 0; i < l->refreshers; i++)
        (void)nats_link_publish(l->link, l->refresher[i], NULL, buffer, n);
    l->refreshers = 0;
}

static void perform_one(struct loop *l, const struct action *a)
{
    switch (a->type) {
    case ACT_SEND: send_message(l, a); break;
    case ACT_LOG_INFO:
    case ACT_LOG_READ:
    case ACT_LOG_WRITE: log_operation(l, a); break;
    case ACT_REFRESHED: loop_answer_refreshers(l, ""); break;
    case ACT_STOPPED: l->is_done = true; break;
    case ACT_LEAD:
    case ACT_LIST:
    case ACT_PLAN:
    case ACT_HOLD:
    case ACT_GRANTED:
    case ACT_REVOKING:
    case ACT_RELEASED:
    case ACT_FENCED:
    case ACT_STATE:
    case ACT_LEADER:
    case ACT_ID:
    case ACT_ERROR:
    case ACT_TRACE: l->options.perform(l->options.ctx, a); break;
    }
}

void loop_perform(struct loop *l)
{
    for (uint32_t i = 0; i < l->actions.n; i++)
        perform_one(l, &l->actions.v[i]);
}
