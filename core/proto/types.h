/* Words that every part of the protocol uses.  Plain data, no functions with effects.
 *
 * Times are milliseconds of CLOCK_BOOTTIME of the machine that reads them, rounded
 * down; only durations ever cross between machines.
 */
#ifndef PARTI_PROTO_TYPES_H
#define PARTI_PROTO_TYPES_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/* Limits.  Texts end with NUL inside these sizes. */
enum {
    ID_ROOM = 48,       /* PREFIX-N */
    HOST_ROOM = 64,     /* host name of a worker */
    ZONE_ROOM = 72,     /* zone of a worker */
    NAME_ROOM = 64,     /* strategy and its settings in short */
    KEY_ROOM = 64,      /* a key of the log: "own.<id>.<slot>.<chunk>" */
    TROUBLE_ROOM = 256, /* what a plugin cannot do, in words */
    PART_ID_MAX = 512   /* bytes of one partition's keys, joined by NUL */
};

/* 128 random bits: one life of one member.  All zero: none. */
struct session {
    uint64_t hi, lo;
};

static inline bool session_equal(struct session a, struct session b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

static inline bool session_is_none(struct session a)
{
    return a.hi == 0 && a.lo == 0;
}

/* A place in the history of assignments: (gen, epoch), compared as a pair. */
struct stamp {
    uint64_t gen;
    uint64_t epoch;
};

static inline int stamp_compare(struct stamp a, struct stamp b)
{
    if (a.gen != b.gen)
        return a.gen < b.gen ? -1 : 1;
    return (a.epoch > b.epoch) - (a.epoch < b.epoch);
}

/* The public states of a worker (protocol.md, "Public states"). */
enum life_state {
    LIFE_INIT,
    LIFE_CLAIMING_ID,
    LIFE_ELECTION,
    LIFE_WAITING_ASSIGNMENT,
    LIFE_STABLE,
    LIFE_SCALING,
    LIFE_REBALANCING,
    LIFE_EMERGENCY,
    LIFE_DEGRADED,
    LIFE_SHUTDOWN
};

/* The phase of the group, told by the leader in every beacon. */
enum phase { PHASE_STABLE, PHASE_SCALING, PHASE_REBALANCING, PHASE_EMERGENCY };

/* What a member is, as the head tells it. */
enum member_state {
    MEMBER_ACTIVE,   /* may be given partitions */
    MEMBER_DRAINING, /* leaves: ends with nothing */
    MEMBER_AWAY      /* left for a restart: holds nothing, keeps its place */
};

/* Why the leader makes a new plan; goes into the head as its cause. */
enum cause {
    CAUSE_COLD_START,
    CAUSE_SCALE,
    CAUSE_LEAVE,
    CAUSE_EMERGENCY,
    CAUSE_RESTART,
    CAUSE_REFRESH,
    CAUSE_JOIN,    /* a head that only adds members */
    CAUSE_RELEASE, /* a head that only records releases */
    CAUSE_DROP     /* a head that only drops members */
};

enum ownership { OWNERSHIP_STRICT, OWNERSHIP_AVAILABLE };

/* A partition as a worker is told of it. */
struct part_view {
    struct bytes id; /* keys joined by NUL; borrowed until the next step */
    uint32_t weight;
    uint64_t since; /* epoch of the grant: the token is (gen, since) */
    uint64_t gen;
    uint32_t slot; /* of this grant: small, unique among those held or being stopped */
};

#endif
