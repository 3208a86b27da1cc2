/* The inside of nats_log: nats_log.c makes requests and keeps their deadlines,
 * nats_log_reply.c understands what comes back.  For these two only.
 */
#ifndef PARTI_EDGE_NATS_LOG_IMPL_H
#define PARTI_EDGE_NATS_LOG_IMPL_H

#include "edge/nats_error.h"
#include "edge/nats_log.h"
#include "edge/nats_stream.h"
#include "edge/nats_url.h"

enum { INBOX_PREFIX_ROOM = 48, REPLY_ROOM = 80, HOPS_MAX = 6, UNANSWERED_MAX = 3 };

enum log_step {
    STEP_FREE,
    STEP_OPEN_INFO,
    STEP_OPEN_CREATE,
    STEP_OPEN_UPDATE,
    STEP_BIND,
    STEP_INFO,
    STEP_READ,
    STEP_WRITE
};

struct log_op {
    enum log_step step;
    uint64_t op;     /* the caller's number */
    uint64_t serial; /* ours: of the request under way, last token of its reply subject */
    uint64_t sent_ns, deadline_ns;
    uint64_t timeout_ms;
    int hops;                               /* requests made for an open */
    char subject[NATS_STREAM_SUBJECT_ROOM]; /* the request went there */
    char key[NATS_LOG_KEY_MAX + 1];
};

struct nats_log {
    struct nats_link *link;
    struct inbox *inbox;
    int tag;
    struct nats_stream stream;
    char replies[INBOX_PREFIX_ROOM]; /* "_INBOX.<128 bits>." */
    char wildcard[INBOX_PREFIX_ROOM + 1];
    struct nats_error deaf; /* code set: this connection may not hear replies */
    int replicas;           /* of the stream as it is, 0 until it is open */
    int unanswered;         /* writes in a row that nobody answered */
    uint64_t serial;
    struct log_op ops[NATS_LOG_OPS_MAX];
};

/* Sends a request of JetStream's API with an empty or JSON body. */
int log_send_api(struct nats_log *log, struct log_op *op, const char *verb,
                 const char *body);

/* Answers the operation, which is over then. */
void log_answer_error(struct nats_log *log, struct log_op *op,
                      const struct nats_error *e);

/* Answers with STATUS_TIMEOUT and says what is likely. */
void log_answer_late(struct nats_log *log, struct log_op *op, const struct nats_error *e);

/* The reply to the operation's present request. */
void log_on_reply(struct nats_log *log, struct log_op *op, const struct inbox_item *item);

#endif
