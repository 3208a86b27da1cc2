/* The position records of one group: the stream KV_parti_pos_<group> in the layout of a
 * NATS KV bucket, one key a partition, so that ordinary tools read it.
 *
 * A record is written on condition of the key's own last sequence, its version.  That is
 * exclusive on one server of any age, and with replicas from server 2.10 on; an older
 * server with replicas is refused when the bucket is opened (ERR_NATS_FEATURE).  Every
 * read is answered by the stream's leader.
 *
 * Calls, answers, time-outs and errors are those of edge/nats_log.h, whose machinery this
 * is; answers come as INBOX_LOG_ANSWER with this store's tag:
 *
 *   answer to  status OK            else
 *   open       -                    code and data: what is wrong and what to do
 *   read       seq: version, data   NOTFOUND (seq: 0, or the version that a deletion
 *                                   left behind), TIMEOUT, OFFLINE, ...
 *   write      seq: new version     CONFLICT: another version is there; TIMEOUT: it may
 * be written or not; anything else: not written
 *
 * The key of a partition is its keys joined by '.', each byte of a key that is no letter,
 * digit, '-', '_' or '/' as =XX.
 *
 * All functions are for the inbox's reader only.
 */
#ifndef PARTI_EDGE_NATS_POSITIONS_H
#define PARTI_EDGE_NATS_POSITIONS_H

#include "base/bytes.h"
#include "base/partid.h"
#include "edge/inbox.h"
#include "edge/nats_link.h"

enum {
    NATS_POSITIONS_OPS_MAX = 1024, /* unanswered operations of one store */
    NATS_POSITIONS_KEY_MAX = 3 * PARTID_BYTES_MAX,
    NATS_POSITIONS_KEY_ROOM = NATS_POSITIONS_KEY_MAX + 1
};

struct nats_positions_options {
    const char *group;
    int replicas; /* wished; 0 means 1 */
    int tag;      /* of every item of this store */
};

struct nats_positions;

/* STATUS_INVALID: a group name that cannot be part of a stream's name. */
int nats_positions_create(struct nats_positions **ret, struct nats_link *link,
                          struct inbox *inbox,
                          const struct nats_positions_options *options);

/* Unanswered operations are forgotten.  Accepts NULL. */
void nats_positions_destroy(struct nats_positions *p);

/* Binds to the bucket and makes it if there is none.  Repeat it until it is answered
 * with OK. */
int nats_positions_open(struct nats_positions *p, uint64_t op, uint64_t timeout_ms);

/* The same for those who only look: makes nothing; NOTFOUND: there is no bucket. */
int nats_positions_bind(struct nats_positions *p, uint64_t op, uint64_t timeout_ms);

/* 'id': the partition's keys joined by NUL, a sound id (partid.h). */
int nats_positions_read(struct nats_positions *p, uint64_t op, struct bytes id,
                        uint64_t timeout_ms);

/* 'version': the one that must be there, 0 for none at all.  'data' is copied. */
int nats_positions_write(struct nats_positions *p, uint64_t op, struct bytes id,
                         uint64_t version, const void *data, size_t n,
                         uint64_t timeout_ms);

/* As nats_log_feed(), nats_log_tick() and nats_log_deadline_ns(). */
bool nats_positions_feed(struct nats_positions *p, const struct inbox_item *item);
void nats_positions_tick(struct nats_positions *p, uint64_t now_ns);
uint64_t nats_positions_deadline_ns(const struct nats_positions *p);

/* "KV_parti_pos_<group>", for texts. */
const char *nats_positions_stream(const struct nats_positions *p);

/* The key of a partition, ended with NUL.  Any thread. */
void nats_positions_key(struct bytes id, char to[NATS_POSITIONS_KEY_ROOM]);

#endif
