#include "proto/life.h"

#include "base/must.h"

#define BIT(state) (1u << (state))

/* Row: from; bits: to. */
static const uint32_t legal[] = {
    [LIFE_INIT] = BIT(LIFE_CLAIMING_ID) | BIT(LIFE_SHUTDOWN),
    [LIFE_CLAIMING_ID] = BIT(LIFE_ELECTION) | BIT(LIFE_DEGRADED) | BIT(LIFE_SHUTDOWN),
    [LIFE_ELECTION] =
        BIT(LIFE_WAITING_ASSIGNMENT) | BIT(LIFE_DEGRADED) | BIT(LIFE_SHUTDOWN),
    [LIFE_WAITING_ASSIGNMENT] =
        BIT(LIFE_STABLE) | BIT(LIFE_ELECTION) | BIT(LIFE_DEGRADED) | BIT(LIFE_SHUTDOWN),
    [LIFE_STABLE] = BIT(LIFE_SCALING) | BIT(LIFE_REBALANCING) | BIT(LIFE_EMERGENCY) |
                    BIT(LIFE_CLAIMING_ID) | BIT(LIFE_DEGRADED) | BIT(LIFE_SHUTDOWN),
    [LIFE_SCALING] = BIT(LIFE_REBALANCING) | BIT(LIFE_STABLE) | BIT(LIFE_EMERGENCY) |
                     BIT(LIFE_CLAIMING_ID) | BIT(LIFE_DEGRADED) | BIT(LIFE_SHUTDOWN),
    [LIFE_REBALANCING] = BIT(LIFE_STABLE) | BIT(LIFE_EMERGENCY) | BIT(LIFE_CLAIMING_ID) |
                         BIT(LIFE_DEGRADED) | BIT(LIFE_SHUTDOWN),
    [LIFE_EMERGENCY] = BIT(LIFE_STABLE) | BIT(LIFE_CLAIMING_ID) | BIT(LIFE_DEGRADED) |
                       BIT(LIFE_SHUTDOWN),
    [LIFE_DEGRADED] = BIT(LIFE_CLAIMING_ID) | BIT(LIFE_ELECTION) |
                      BIT(LIFE_WAITING_ASSIGNMENT) | BIT(LIFE_STABLE) |
                      BIT(LIFE_SCALING) | BIT(LIFE_REBALANCING) | BIT(LIFE_EMERGENCY) |
                      BIT(LIFE_SHUTDOWN),
    [LIFE_SHUTDOWN] = 0,
};

bool life_is_legal(enum life_state from, enum life_state to)
{
    return (legal[from] & BIT(to)) != 0;
}

enum life_state life_towards(enum life_state from, enum life_state to)
{
    if (life_is_legal(from, to))
        return to;

    /* At most one stop between: everything that runs can reach Stable, and the way in
     * is a chain. */
    switch (from) {
    case LIFE_INIT: return LIFE_CLAIMING_ID;
    case LIFE_CLAIMING_ID: return LIFE_ELECTION;
    case LIFE_ELECTION: return LIFE_WAITING_ASSIGNMENT;
    case LIFE_WAITING_ASSIGNMENT:
    case LIFE_SCALING:
    case LIFE_REBALANCING:
    case LIFE_EMERGENCY: return LIFE_STABLE;
    case LIFE_STABLE: return LIFE_CLAIMING_ID; /* the way to Election leads through it */
    case LIFE_DEGRADED:
    case LIFE_SHUTDOWN: break;
    }
    must(!"a legal way exists");
    return from;
}

const char *life_name(enum life_state state)
{
    switch (state) {
    case LIFE_INIT: return "Init";
    case LIFE_CLAIMING_ID: return "ClaimingID";
    case LIFE_ELECTION: return "Election";
    case LIFE_WAITING_ASSIGNMENT: return "WaitingAssignment";
    case LIFE_STABLE: return "Stable";
    case LIFE_SCALING: return "Scaling";
    case LIFE_REBALANCING: return "Rebalancing";
    case LIFE_EMERGENCY: return "Emergency";
    case LIFE_DEGRADED: return "Degraded";
    case LIFE_SHUTDOWN: return "Shutdown";
    }
    return "?";
}

const char *phase_name(enum phase phase)
{
    switch (phase) {
    case PHASE_STABLE: return "stable";
    case PHASE_SCALING: return "scaling";
    case PHASE_REBALANCING: return "rebalancing";
    case PHASE_EMERGENCY: return "emergency";
    }
    return "?";
}

const char *cause_name(enum cause cause)
{
    switch (cause) {
    case CAUSE_COLD_START: return "cold_start";
    case CAUSE_SCALE: return "scale";
    case CAUSE_LEAVE: return "leave";
    case CAUSE_EMERGENCY: return "emergency";
    case CAUSE_RESTART: return "restart";
    case CAUSE_REFRESH: return "refresh";
    case CAUSE_JOIN: return "join";
    case CAUSE_RELEASE: return "release";
    case CAUSE_DROP: return "drop";
    }
    return "?";
}

const char *member_state_name(enum member_state state)
{
    switch (state) {
    case MEMBER_ACTIVE: return "active";
    case MEMBER_DRAINING: return "draining";
    case MEMBER_AWAY: return "away";
    }
    return "?";
}
