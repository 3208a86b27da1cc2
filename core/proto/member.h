/* The worker's side of the lease: session, heartbeats, deadline, fencing.  Pure
 * bookkeeping; node_work.c sends and applies.  Called only from node*.c.
 */
#ifndef PARTI_PROTO_MEMBER_H
#define PARTI_PROTO_MEMBER_H

#include "proto/node.h"
#include "proto/wire.h"

enum { SENT_KEPT = 8, FENCE_NONE_MS = 0 };

enum leaving { LEAVING_NO, LEAVING_DRAIN, LEAVING_RESTART };

/* When the heartbeat that echoes beacon k of this leader left. */
struct sent {
    struct session leader;
    uint64_t k;
    uint64_t at_ms;
};

struct member {
    struct session session;
    bool is_joined;           /* the applied head has our session */
    uint32_t num;             /* of the id; valid while joined */
    char id[ID_ROOM];         /* "" while not joined */
    int64_t wish;             /* number to ask for when joining */
    uint64_t born;            /* epoch that added our session */
    uint64_t deadline_ms;     /* W1; 0: no lease */
    uint64_t fenced_until_ms; /* told of a fence: nothing is granted before this time */
    uint64_t shown_ms;        /* last ACT_HOLD */
    struct stamp seen;        /* highest (gen, epoch) ever seen */
    struct sent sent[SENT_KEPT];
    uint32_t sent_next;
    struct session heard; /* the leader of the newest beacon */
    uint64_t heard_k;
    struct session echoed; /* the leader whose beacon was echoed last */
    uint64_t echoed_k;
    uint64_t heartbeat_at_ms; /* next one without a beacon */
    uint64_t join_at_ms;
    enum leaving leaving;
    bool has_left; /* leaving and everything is done */
};

/* W5: a new life. */
void member_renew(struct member *m, struct session session);

/* Is this beacon newer than the one echoed last?  Only then it is answered: a second
 * heartbeat for an old k would move the anchor of a bit that was given for the first. */
bool member_may_echo(const struct member *m, struct session leader, uint64_t k);

/* Remembers the send time of the heartbeat that echoes (leader, k). */
void member_sent(struct member *m, struct session leader, uint64_t k, uint64_t now_ms);

/* W1: what a beacon is worth to us.  'applied' is the head we have applied.  True if
 * the deadline moved. */
bool member_extend(struct member *m, const struct beacon *b, struct stamp applied,
                   uint64_t applied_hash, uint64_t lease_ms);

/* Is the lease good for longer than the fence margin, and no fence under way? */
bool member_may_take(const struct member *m, uint64_t now_ms, enum ownership ownership,
                     uint64_t margin_ms);

#endif
