/* The liveness check of the move model. Included by move.pml under -DLIVE.
   The faults stop: those in `alive` live and answer, everyone else is dead, leases lapse, the
   barrier ends. A leader that does the first sensible thing, one head a round, must get p held
   by somebody who lives within ROUNDS heads. */
#define ROUNDS 8
byte alive, t, round;

inline applied_by_the_living() {
    i = 0;
    do
    :: i < SESSIONS && HAS(alive, i) ->
        what_head_says(i);
        worker[i].p = (x == YOURS -> HOLDING : IDLE);
        worker[i].applied = head;
        i++
    :: i < SESSIONS && !HAS(alive, i) -> i++
    :: i >= SESSIONS -> break
    od
}
inline some_living(among) {                    /* -> t */
    t = NOBODY;
    i = 0;
    do
    :: i < SESSIONS -> if :: HAS(alive & (among), i) -> t = i :: else fi; i++
    :: else -> break
    od
}
#define ALL_IS_WELL (owner != NOBODY && HAS(alive, owner) && !parked)
inline first_sensible_thing() {
    some_living(members);
    if
    :: FROM_IN_FORCE && HAS(alive, from_s) -> released = from_e
    :: FROM_IN_FORCE && !HAS(alive, from_s) -> drop(from_s)
    :: !FROM_IN_FORCE && ALL_IS_WELL -> skip
    :: !FROM_IN_FORCE && !ALL_IS_WELL && t != NOBODY ->
        j = owner;
        plan = TO(t);
        carry_out();
        if :: j != NOBODY && j != t && !HAS(alive, j) -> drop(j) :: else fi
    :: !FROM_IN_FORCE && !ALL_IS_WELL && t == NOBODY ->
        some_living(7);
        if
        :: TWIN(t) != NOBODY && HAS(members, TWIN(t)) -> plan = REPLACING(t); carry_out()
        :: else -> add(t); slot[ID(t)] = NO_SLOT
        fi
    fi
}
inline forget_everything() {                /* one end for all runs */
    head = 0; members = 0; away = 0; owner = 0; parked = 0; from_s = 0; from_e = 0; released = 0;
    barrier = 0; plan = 0; alive = 0; t = 0; round = 0; over = 1;
    i = 0;
    do
    :: i < SESSIONS ->
        slot[i] = 0; last_bit[i] = 0;
        worker[i].applied = 0; worker[i].p = IDLE; worker[i].lease = 0; worker[i].leaving = 0;
        i++
    :: else -> break
    od;
    i = 0;
    do
    :: i <= OLD -> reign[i].epoch = 0; reign[i].members = 0; reign[i].authority = 0; i++
    :: else -> break
    od;
    i = 0;
    do :: i < SESSIONS * (E + 1) -> says[i] = 0; i++ :: else -> break od;
    tidy()
}
inline judge(who) {
    alive = who;
    i = 0;
    do
    :: i < SESSIONS ->
        if :: worker[i].leaving -> alive = WITHOUT(alive, i) :: else fi;
        violated_if(HAS(alive & members, i) && worker[i].applied < head &&
            SAYS_WHAT(i, head) == UNREADABLE, newest_unreadable);
        worker[i].lease = 0;
        i++
    :: else -> break
    od;
    if
    :: alive != 0 ->
        plan = 0;
        round = 0;
        applied_by_the_living();
        do
        :: round < ROUNDS -> first_sensible_thing(); head++; applied_by_the_living(); round++
        :: else -> break
        od;
        violated_if(owner == NOBODY || !HAS(alive & members, owner) ||
            worker[owner].p != HOLDING, not_recovered)
    :: else
    fi;
    forget_everything()
}
