/* The fenced log of one group: the stream KV_parti_<group> in the layout of a NATS KV
 * bucket, so that ordinary tools read it.
 *
 * Every write is conditional on the last sequence of the *whole stream*: the only
 * condition besides create that is sound on replicated streams of servers before
 * 2.9.21 (protocol.md, "Storage").  Every read is answered by the stream's leader.
 *
 * All calls return at once.  A call that returned STATUS_OK is answered by exactly one
 * INBOX_LOG_ANSWER with its op and this log's tag, at its time-out at the latest
 * (provided that nats_log_tick() is called when nats_log_deadline_ns() says so); a
 * call that returned anything else did nothing and is not answered.
 *
 *   answer to  status OK       else
 *   open       seq: last one   code and data: what is wrong and what to do
 *   bind       seq: last one   NOTFOUND: there is no stream; else as open
 *   info       seq: last one   TIMEOUT, OFFLINE, ...
 *   read       seq, data       NOTFOUND, TIMEOUT, OFFLINE, ...
 *   write      seq: the new    CONFLICT: not written, somebody else wrote; TIMEOUT: it
 *                              may be written or not; anything else: not written
 *
 * An answer's subject is the key.  On every status but OK, NOTFOUND and CONFLICT the
 * data is a sentence for people and the code, if not 0, one of errors.h.
 *
 * All functions are for the inbox's reader only.
 */
#ifndef PARTI_EDGE_NATS_LOG_H
#define PARTI_EDGE_NATS_LOG_H

#include "edge/inbox.h"
#include "edge/nats_link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NATS_LOG_GROUP_MAX = 64,   /* letters, digits, - and _ */
    NATS_LOG_KEY_MAX = 96,     /* letters, digits and - / _ = . */
    NATS_LOG_OPS_MAX = 128,    /* unanswered operations of one log */
    NATS_LOG_TIMEOUT_MS = 1000 /* what 0 as time-out means */
};

struct nats_log_options {
    const char *group;
    int replicas; /* wished; 0 means 1 */
    int tag;      /* of every item of this log */
};

struct nats_log;

/* May the name be part of a stream's name? */
bool nats_log_group_is_valid(const char *group);

/* STATUS_INVALID: a group name that cannot. */
int nats_log_create(struct nats_log **ret_log, struct nats_link *link,
                    struct inbox *inbox, const struct nats_log_options *options);

/* Unanswered operations are forgotten.  Accepts NULL. */
void nats_log_destroy(struct nats_log *log);

/* Binds to the group's stream, makes it if there is none, and refuses one that is not
 * as Parti needs it.  Repeat it until it is answered with OK.  A stream with fewer
 * replicas than wished is taken, with an INBOX_LOG_NOTE.
 */
int nats_log_open(struct nats_log *log, uint64_t op, uint64_t timeout_ms);

/* The same for those who only look: makes and changes nothing.  A stream that does not
 * republish heads is good enough.
 */
int nats_log_bind(struct nats_log *log, uint64_t op, uint64_t timeout_ms);

/* The last sequence of the stream. */
int nats_log_info(struct nats_log *log, uint64_t op, uint64_t timeout_ms);

/* The newest record of a key. */
int nats_log_read(struct nats_log *log, uint64_t op, const char *key,
                  uint64_t timeout_ms);

struct nats_log_write {
    const char *key;
    uint64_t expect_seq;     /* last sequence of the whole stream */
    bool has_key_seq;        /* also: */
    uint64_t expect_key_seq; /* last sequence of this key, 0 for none */
    const void *data;        /* copied before the call returns */
    size_t n;
};

/* A refusal for lack of room (LIMIT, E105) is definite, with one flaw of old servers:
 * where it is the *account's* limit, 2.9.10 stores the record and takes it away again, so
 * that a sequence is used up and the key's earlier record is gone (measured; 2.15.1 does
 * neither).  The next write is then answered with CONFLICT, and the key is NOTFOUND.
 *
 * A server whose disk is full answers no write at all; the third write in a row without
 * an answer is therefore told with ERR_NATS_STORAGE.
 *
 * Of several writes that expect one sequence exactly one succeeds, also of the first
 * ones, which expect 0 (measured on servers 2.9.10 and 2.15.1, one and three replicas).
 */
int nats_log_write(struct nats_log *log, uint64_t op, const struct nats_log_write *write,
                   uint64_t timeout_ms);

/* Shows the log an item of the inbox.  True: it was for the log alone; free it. */
bool nats_log_feed(struct nats_log *log, const struct inbox_item *item);

/* Answers what is overdue at now_ns (CLOCK_BOOTTIME). */
void nats_log_tick(struct nats_log *log, uint64_t now_ns);

/* When nats_log_tick() is next needed; UINT64_MAX for never. */
uint64_t nats_log_deadline_ns(const struct nats_log *log);

/* "KV_parti_<group>", for texts. */
const char *nats_log_stream(const struct nats_log *log);

/* "parti.<group>.head": every new head arrives there as a message whose seq is set. */
const char *nats_log_head_subject(const struct nats_log *log);

#endif
