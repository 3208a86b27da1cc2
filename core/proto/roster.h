/* The leader's view of workers: joins, heartbeats, bits, expiry, ids.
 *
 * A seat is a number of an id; seats are addressed by it.  Bits belong to sessions: a
 * seat forgets everything when another session takes it.  Called only from
 * node_lead*.c.
 */
#ifndef PARTI_PROTO_ROSTER_H
#define PARTI_PROTO_ROSTER_H

#include "base/arena.h"
#include "proto/head.h"
#include "proto/node.h"
#include "proto/wire.h"

enum { SUSPECT_BEATS = 5, ROUNDING_MS = 20 };

struct mate {
    /* as in the acked head */
    bool is_member;
    struct head_member head;
    /* heard from this session since we lead */
    bool is_heard;
    uint64_t heard_ms; /* newest heartbeat, when it came in */
    uint64_t echo_k;   /* the newest of our beacons that it has echoed, 0: none */
    uint64_t echo_ms;  /* when that came in */
    bool has_bit;
    uint64_t bit_ms;   /* arrival of the heartbeat for which the last bit was given */
    bool has_report;   /* of the right head */
    uint64_t reported; /* released through */
    uint8_t flags;     /* of its newest heartbeat, like */
    uint32_t unread;   /* partitions whose messages it cannot read, and why */
    char unread_why[TROUBLE_ROOM];
    uint64_t seated_ms; /* when its session came into the head, as we saw it */
    uint64_t away_ms;   /* when it went away */
    bool has_told;      /* its wish to leave has been taken up */
    bool was_planned;   /* the newest plan counted on it */
    /* decisions that the next heads carry out */
    bool is_expired; /* no bit for good; dropped as soon as its partitions have a place */
    /* who wants this number next */
    bool has_joiner;
    struct join joiner;
    uint64_t joiner_ms;       /* first heard */
    uint64_t joiner_heard_ms; /* last heard */
    /* when the number became free */
    bool was_freed;
    uint64_t freed_ms;
};

struct roster {
    struct mate *mate; /* by number */
    uint32_t n;        /* seats: id_max + 1 */
    uint64_t joiners;  /* seats with has_joiner */
    uint64_t first_joiner_ms;
};

size_t roster_size(uint32_t seats);
bool roster_init(struct roster *r, struct arena *arena, uint32_t seats);
void roster_clear(struct roster *r);

/* Takes over the members of a head that was read or acked; what is known of a session
 * that stays is kept.  STATUS_LIMIT: a number is out of range. */
int roster_load(struct roster *r, const struct head *head, uint64_t now_ms);

struct mate *roster_find(struct roster *r, struct session session);

enum join_answer {
    JOIN_KNOWN, /* this session is a member, or waits already */
    JOIN_WAITS, /* it has a number and waits for the next head, or for its holder's end */
    JOIN_REFUSED /* there is no free number */
};

/* L7: the wish if free or about to be, else the lowest free number. */
enum join_answer roster_join(struct roster *r, const struct join *j,
                             const struct node_timing *timing, uint64_t now_ms);

/* A joiner that waits for a member's number and has fallen silent is dead: when the
 * member dies in its turn, nobody is back. */
void roster_forget_silent(struct roster *r, const struct node_timing *timing,
                          uint64_t now_ms);

/* A heartbeat of a member.  'is_echo': it echoes a beacon of ours; 'is_report': its
 * applied head is the one we know.  NULL: not a member. */
struct mate *roster_heartbeat(struct roster *r, const struct heartbeat *h, bool is_echo,
                              bool is_report, uint64_t now_ms);

/* L1: the bits of beacon b->k.  A bit is for one heartbeat and worth the same whenever
 * it is given, so it is repeated as long as the echo is new enough. */
void roster_bits(struct roster *r, struct beacon *b);

/* What its members say of partitions whose messages are not read. */
void roster_unread(const struct roster *r, struct beacon *b);

/* L5: when the lease of this member has ended for sure, by our own clock and with drift
 * on both sides, if we give no further bit.  0: it never had one from us. */
uint64_t roster_lapse_ms(const struct mate *m, const struct node_timing *timing);

/* A duration of another machine's clock, as long as it can take on ours. */
uint64_t roster_stretch(uint64_t duration_ms, const struct node_timing *timing);

/* May this joiner be seated in the next head, the present session being dropped in it
 * if there is one? */
bool roster_seat_is_open(const struct mate *m);

#endif
