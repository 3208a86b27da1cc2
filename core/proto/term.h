/* Leadership: what is known of the leader, when to become a candidate, authority.
 * Pure bookkeeping; node_lead.c acts.  Called only from node*.c.
 */
#ifndef PARTI_PROTO_TERM_H
#define PARTI_PROTO_TERM_H

#include "base/rand.h"
#include "proto/node.h"
#include "proto/wire.h"

enum role {
    ROLE_FOLLOWER,
    ROLE_ASKING_INFO,   /* candidate: last sequence of the log */
    ROLE_READING_LEASE, /* candidate: highest term so far */
    ROLE_WRITING_LEASE, /* candidate: the conditional write that decides */
    ROLE_READING_HEAD,  /* won; nothing may be said before the head is known */
    ROLE_LEADING
};

struct term {
    enum role role;
    uint64_t seen;         /* highest term seen */
    struct session leader; /* of that term; none: not known */
    uint64_t leader_addr;
    char leader_id[ID_ROOM];
    uint64_t told_term;   /* the term that leader_id was told with */
    uint64_t heard_ms;    /* newest beacon with authority */
    uint64_t elect_at_ms; /* candidate then, if nothing is heard */
    uint64_t op;          /* of the question under way */
    uint32_t tries;       /* of it that were not answered in time */
    uint64_t info_seq;
    uint64_t lease_seq; /* of the lease that was read, 0: there was none */
    bool is_probe;      /* just started: stand up only if the log has no lease at all */
    /* leading */
    uint64_t mine;    /* our term */
    uint64_t t_kv_ms; /* send time of the last conditional write that succeeded */
    uint64_t barrier_end_ms;
    uint64_t beacon_at_ms;
    uint64_t k;     /* number of the newest beacon */
    uint32_t quick; /* so many beacons follow at a fifth of the interval */
};

enum heard {
    HEARD_STALE, /* W4: of a lower term, or of a second leader of this term */
    HEARD_KNOWN,
    HEARD_NEW /* a leader not known before */
};

/* W4.  Takes up a beacon. */
enum heard term_hear(struct term *t, const struct beacon *b, uint64_t now_ms);

/* Sets elect_at_ms: E after the newest beacon, later by rank, so that one stands up
 * first.  'rank' of 'members'; a worker who is no member comes after all of them. */
void term_wait(struct term *t, const struct node_timing *timing, bool is_member,
               uint32_t rank, uint32_t members, struct rand_state *rand,
               uint64_t from_ms);

/* L1: the end of our authority (KV authority alone; the quorum part joins here). */
uint64_t term_auth_end_ms(const struct term *t, const struct node_timing *timing);

bool term_is_candidate(const struct term *t);

#endif
