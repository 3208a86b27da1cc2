/* The inside of nats_log: nats_log.c makes requests and keeps their deadlines,
 * nats_log_reply.c understands what comes back.  nats_positions.c has another stream of
 * the same layout and the same machinery.  For these three only.
 */
#ifndef PARTI_EDGE_NATS_LOG_IMPL_H
#define PARTI_EDGE_NATS_LOG_IMPL_H

#include "edge/nats_error.h"
#include "edge/nats_log.h"
#include "edge/nats_stream.h"
#include "edge/nats_url.h"

enum { INBOX_PREFIX_ROOM = 48, REPLY_ROOM = 80, HOPS_MAX = 6, UNANSWERED_MAX = 3 };
enum { LOG_SUBJECT_MOST = 1800 }; /* room that any stream's subjects need */

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
    int index;       /* of its place */
    uint64_t op;     /* the caller's number */
    uint64_t serial; /* ours: of the request under way, last token of its reply subject */
    uint64_t sent_ns, deadline_ns;
    uint64_t timeout_ms;
    int hops;      /* requests made for an open */
    char *subject; /* the request went there */
    char *key;
};

/* What differs between the log and the positions. */
struct log_shape {
    int ops_max;
    size_t key_max;      /* bytes of a key */
    size_t subject_room; /* at most LOG_SUBJECT_MOST */
};

struct nats_log {
    struct nats_link *link;
    struct inbox *inbox;
    int tag;
    struct log_shape shape;
    struct nats_stream stream;
    char replies[INBOX_PREFIX_ROOM]; /* "_INBOX.<128 bits>." */
    char wildcard[INBOX_PREFIX_ROOM + 1];
    struct nats_error deaf; /* code set: this connection may not hear replies */
    int replicas;           /* of the stream as it is, 0 until it is open */
    int unanswered;         /* writes in a row that nobody answered */
    uint64_t serial;
    uint64_t first_ns; /* no deadline lies before it */
    struct log_op *ops;
    char *text; /* of all ops: subject, key */
    int *free;  /* places, a stack */
    int free_n;
};

/* The rest of nats_log_create(), the stream being named by the caller. */
int log_create(struct nats_log **ret_log, struct nats_link *link, struct inbox *inbox,
               const struct nats_stream *stream, const struct log_shape *shape, int tag);

/* A free place with the caller's number in it; NULL if too much is under way. */
struct log_op *log_begin(struct nats_log *log, enum log_step step, uint64_t number,
                         uint64_t timeout_ms);

/* The operation is over: its place is free. */
void log_end(struct nats_log *log, struct log_op *op);

/* For the first request of a call: what cannot be sent is not answered but returned. */
int log_begun(struct nats_log *log, struct log_op *op, int status);

bool log_key_is_valid(const struct nats_log *log, const char *key);

/* The key of a read or write, and the subject of its records. */
void log_set_key(struct nats_log *log, struct log_op *op, const char *key);

/* STATUS_OK also if it is uncertain whether the request went out: the deadline, or the
 * link's end, then answers it; and if the reply could not be heard: nothing is sent then.
 */
int log_send(struct nats_log *log, struct log_op *op,
             const struct nats_link_header *headers, size_t headers_n, const void *data,
             size_t n);

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
