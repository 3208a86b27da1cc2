/* The public states of a worker: legal moves as a table.  An illegal move asserts.
 *
 *   Init -> ClaimingID -> Election -> WaitingAssignment -> Stable
 *   Stable -> Scaling | Rebalancing | Emergency;  Scaling -> Rebalancing | Stable
 *   Stable, Scaling, Rebalancing -> Emergency -> Stable;  Rebalancing -> Stable
 *   any of those <-> Degraded;  a lost session starts again at ClaimingID
 *   any -> Shutdown, which is the end
 */
#ifndef PARTI_PROTO_LIFE_H
#define PARTI_PROTO_LIFE_H

#include "proto/types.h"

bool life_is_legal(enum life_state from, enum life_state to);

/* The next state on the way: 'to' itself if that is legal, else a state from which it
 * is (group phases may be missed by a worker who hears of them late). */
enum life_state life_towards(enum life_state from, enum life_state to);

const char *life_name(enum life_state state);
const char *phase_name(enum phase phase);
const char *cause_name(enum cause cause);
const char *member_state_name(enum member_state state);

#endif
