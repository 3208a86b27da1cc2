/* Moves: partition p wanders through the log while workers join, leave, restart and die and
   leaders change. Three sessions, one partition; own records in two slots, `from`, `released`,
   parked, unlisted, `away`. README.md beside this file says what each mutant takes away, what is
   folded, and the figures. move_rules.pml has the rules with their mutants, move_log.pml how the
   log is written, move_live.pml the liveness check.

   RUN     spin -DE=4 -a move.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m1000000
   MUTANT  spin -DBUG_<NAME> -a move.pml; each name stands at the rule that it takes away.
   BOUNDS  E: the last epoch that may be written (the start is epoch 1); L (lease), A (authority)
           in ticks; OLD: deposed leaders. Takeovers, bits, plans given up, late applications and
           time are not bounded.
   SHAPE   -DREJOIN    session 2 bears the id of session 0 (else: three ids, all members at first)
           -DLEAVERS=m sessions that may leave for a restart, a bit each
   MORE    -DLIVE      from every state: when the faults stop, p is soon held by who lives
           -DTOKENS    tokens of successive holders never fall
   LESS    -DNO_AWAY   nobody leaves for a restart
           -DNO_UNLIST a parked p stays in the lists
           -DNO_PARK   p always wants an owner
           -DNO_READD  no dropped session comes back by a late copy of its join
           -DNO_LAG    a leader hears of its own write at once
           -DNO_TAKEOVER */
#ifndef E
#define E 4
#endif
#ifndef L
#define L 2
#endif
#ifndef A
#define A 2
#endif
#ifndef OLD
#define OLD 1
#endif

#define SESSIONS 3
#define NOBODY 3
#ifdef REJOIN
#define ID(s) ((s) == 2 -> 0 : (s))
#define TWIN(s) ((s) == 1 -> NOBODY : 2 - (s))      /* the other session of the same id */
#define FOUNDERS 3
#define LEAVERS 1
#else
#define ID(s) (s)
#define TWIN(s) NOBODY
#define FOUNDERS 7
#ifndef LEAVERS
#define LEAVERS 7
#endif
#endif
#define MIN(x, y) ((x) < (y) -> (x) : (y))
#define HAS(set, s) (((set) >> (s)) & 1)
#define WITH(set, s) ((set) | (1 << (s)))
#define WITHOUT(set, s) ((set) & (7 - (1 << (s))))

#include "move_rules.pml"

/* ---------------------------------------- the log
   Only the leader in charge can write it: its takeover moved the sequence the others expect. */
byte head = 1;                          /* epoch */
byte members = FOUNDERS, away = 0;      /* sessions, a bit each; `away` is a state of members */
byte owner = 0;                         /* whose own record lists p; NOBODY: unlisted */
byte parked = 0;                        /* not 0: listed, not to be held, since this epoch */
byte from_s = NOBODY, from_e = 0;       /* `from`: a session, and the epoch it must release */
byte released = 0;                      /* through what epoch has from_s; nobody asks the others */
byte slot[SESSIONS];                    /* per id: which of its two slots the head names */
#define NO_SLOT 2
#define FROM_IN_FORCE (from_s != NOBODY && STILL_BARS(from_s) && released < from_e)

/* What each head says to each session, kept until the session applies it: the outcome of W2 with
   the deadline left out, and 4 times the slot that it rests on. Once that slot is overwritten,
   the hash in the head does not match any more. */
byte says[SESSIONS * (E + 1)];
#define SAYS(s, e) says[(s) * (E + 1) + (e)]
#define SAYS_WHAT(s, e) (SAYS(s, e) & 3)
#define SAYS_SLOT(s, e) (SAYS(s, e) >> 2)
#define NO_MEMBER 0
#define NOT_YOURS 1
#define YOURS 2
#define UNREADABLE 3

/* ---------------------------------------- workers and leaders */
typedef worker_state {
    byte applied;                       /* epoch of the head it goes by */
    byte p;                             /* IDLE, HOLDING, or STOPPING, which still counts */
    byte lease;                         /* ticks until its deadline */
    bit  leaving;                       /* told to restart: gives up all, takes nothing more */
};
#define IDLE 0
#define HOLDING 1
#define STOPPING 2
worker_state worker[SESSIONS];

typedef reign_state {                   /* counted back: 0 leads, 1 was deposed by it, ... */
    byte epoch, members;                /* its beacons' epoch, and whom it may give bits */
    byte authority;                     /* ticks until auth_end; who leads can renew: all of it */
};
reign_state reign[OLD + 1];
byte barrier;                           /* ticks until who leads may grant and expire */
byte last_bit[SESSIONS];                /* ticks until every lease it may have given is over */
byte plan = 0;                          /* own records are written for a head that is to: */
#define TO(s) ((s) + 1)                 /*   list p at session s */
#define PARKING 4                       /*   park p where it is */
#define UNLISTING 5                     /*   take p off the lists */
#define REPLACING(s) (6 + (s))          /*   add s in the place of its twin */

bit over;                               /* -DLIVE: this run has been judged */
#define MAY_WRITE (!over && head < E && reign[0].epoch == head)
#define MAY_PLAN (MAY_WRITE && plan == 0)
#define MOVE_PLANNED (MAY_WRITE && plan > 0 && plan <= SESSIONS)

byte i, j, x, to_s, to_e;               /* scratch, 0 between steps */
inline tidy() { i = 0; j = 0; x = 0; to_s = 0; to_e = 0 }

/* With -DFIRES, pan prints the first time each of these happens: what never happens, nothing was
   shown about. */
#ifdef FIRES
#define fires(what) c_code { \
    static int n_times; if (n_times++ == 0) printf("fires: %s\n", #what); }
#else
#define fires(what) skip
#endif

/* ---------------------------------------- THE PROPERTIES, by the names that pan prints */
bit two_hold_p;                         /* at one instant; who is stopping p counts */
bit holds_while_away;                   /* whom the newest head calls away */
bit token_fell;                         /* between successive holders (-DTOKENS) */
bit newest_unreadable;                  /* the newest head names an overwritten own record */
bit not_recovered;                      /* -DLIVE */
inline violated_if(what, property) { if :: what -> property = 1 :: else fi; assert(!property) }

#define HOLDS(s) (worker[s].p != IDLE && worker[s].lease > 0)
#define AWAY_AND_HOLDS(s) (HAS(away, s) && HOLDS(s))
#ifdef TOKENS
byte since = 1, since_of[E + 1], token[SESSIONS], last_token = 1;
#define TOKEN_GRANTED(w, k) token[w] = since_of[k]
#define TOKEN_WRITTEN since_of[head] = since
#define TOKEN_NEW since = head + 1
inline token_used(w) {
    if
    :: HOLDS(w) -> violated_if(token[w] < last_token, token_fell); last_token = token[w]
    :: else
    fi
}
#else
#define TOKEN_GRANTED(w, k) skip
#define TOKEN_WRITTEN skip
#define TOKEN_NEW skip
#define token_used(w) skip
#endif
inline check(w) {
    violated_if(HOLDS(0) && HOLDS(1) || HOLDS(0) && HOLDS(2) || HOLDS(1) && HOLDS(2), two_hold_p);
#ifndef AWAY_UNJUDGED
    violated_if(AWAY_AND_HOLDS(0) || AWAY_AND_HOLDS(1) || AWAY_AND_HOLDS(2), holds_while_away);
#endif
    token_used(w)
}

#ifdef BUG_BIT_BY_ID    /* a bit under way to a dropped session: the new one of that id takes it */
byte stray_bit, stray_id;
#endif
#ifdef BUG_PIPELINE     /* a head sent behind another write, with the sequence that was foreseen */
byte ghost_plan, ghost_drop = NOBODY;
bit ghost_next;         /* the takeover got that very sequence */
#endif

#include "move_log.pml"
#ifdef LIVE
#include "move_live.pml"
#endif

/* ---------------------------------------- time */
inline run_down(ticks) { if :: ticks > 0 -> ticks-- :: else fi }

proctype clock() {
    do
    :: d_step {
        run_down(barrier);
        i = 1;
        do
        :: i <= OLD ->
            run_down(reign[i].authority);
            if
            :: reign[i].authority == 0 -> reign[i].epoch = 0; reign[i].members = 0
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < SESSIONS ->
            run_down(last_bit[i]);
            run_down(worker[i].lease);
            W2_DEADLINE(i);
            i++
        :: else -> break
        od;
#ifdef BUG_BIT_BY_ID
        run_down(stray_bit);
#endif
        i = 0 }
    od
}

/* ---------------------------------------- the leader, and how it is replaced */
inline step_aside() {                   /* it lives on without knowing, with all its authority */
    i = OLD;
    do
    :: i > 0 ->
        reign[i].epoch = reign[i - 1].epoch;
        reign[i].members = reign[i - 1].members;
        reign[i].authority = (i == 1 -> A : reign[i - 1].authority);
        i--
    :: else -> break
    od
}
inline take_over() {
    last_bit[0] = 0; last_bit[1] = 0; last_bit[2] = 0;
    barrier = A;
    plan = 0;
#ifdef BUG_PIPELINE
    if
    :: ghost_drop != NOBODY && !ghost_next -> ghost_next = 1
    :: else -> ghost_drop = NOBODY; ghost_plan = 0; ghost_next = 0
    fi;
#endif
    hear()
}

proctype leading() {
    do
    :: d_step { !over && reign[0].epoch < head -> hear() }
#ifndef NO_TAKEOVER                     /* L2: at any time, for the suspicion may be false */
    :: d_step { !over -> step_aside(); take_over(); fires(takeover) }
    :: d_step { !over && reign[1].authority > 0 ->      /* it is dead; its predecessor lives */
        take_over(); fires(takeover_from_the_dead) }
#endif
    :: d_step { plan > 0 -> plan = 0; fires(plan_given_up) }    /* the slots stay written */

    /* p to another session; listing what nobody had is a grant */
    :: d_step { MOVE_PLANNED && (owner != NOBODY || BARRIER_OVER) ->
        carry_out(); write_head(); fires(move) }
    /* the same, or p parked, and the release that its `from` asks for recorded as well */
    :: d_step { (MOVE_PLANNED && plan != TO(from_s) || MAY_WRITE && plan == PARKING) &&
        FROM_IN_FORCE && BARRIER_OVER && RELEASE_REPORTED ->
        carry_out(); released = from_e; write_head(); fires(move_with_a_release) }
    /* L4: the release is recorded, the next owner may start */
    :: d_step { MAY_PLAN && FROM_IN_FORCE && BARRIER_OVER && RELEASE_REPORTED ->
        released = from_e; write_head(); fires(release) }
#ifndef NO_PARK
    :: d_step { MAY_PLAN && owner != NOBODY && !parked -> write_records(PARKING) }
    :: d_step { MAY_WRITE && plan == PARKING -> carry_out(); write_head(); fires(park) }
#endif
#ifndef NO_UNLIST
    :: d_step { MAY_PLAN && parked -> write_records(UNLISTING) }
    :: d_step { MAY_WRITE && plan == UNLISTING && UNLIST_RELEASED && UNLIST_FROM ->
        carry_out(); write_head(); fires(unlist) }
#endif
#ifdef BUG_PIPELINE
    :: d_step { ghost_next && !over && head < E ->
        j = ghost_drop; x = ghost_plan;
        step_aside(); take_over();
        plan = x; carry_out(); drop(j); write_head(); hear() }
#endif
    od
}

/* ---------------------------------------- all that concerns one session w: its worker */
inline apply(w, k) {                    /* W3 */
    read_head(w, k);
    if
    :: x == NO_MEMBER -> worker[w].p = IDLE             /* W5: its leases are over */
    :: x == NOT_YOURS && worker[w].p == HOLDING -> worker[w].p = STOPPING; W2_DEADLINE(w)
    :: x == YOURS && TAKES(w) -> worker[w].p = HOLDING; TOKEN_GRANTED(w, k)
    :: else -> if :: x == YOURS -> fires(grant_refused_by_who_leaves) :: else fi
    fi;
    worker[w].applied = k;
    if :: k < head -> fires(old_head_applied) :: else fi;
    i = 1;
    do :: i <= k -> SAYS(w, i) = 0; i++ :: else -> break od;
    check(w);
    tidy()
}
#define READABLE(w, k) (SAYS_WHAT(w, k) != UNREADABLE && \
    (worker[w].applied > 0 || SAYS_WHAT(w, k) != NO_MEMBER))
#define APPLY(k) \
    d_step { worker[w].applied < k && k <= head && READABLE(w, k) -> apply(w, k) }

inline leave(w) {
    worker[w].leaving = 1;
    if :: worker[w].p == HOLDING -> worker[w].p = STOPPING; W2_DEADLINE(w) :: else fi
}

/* bits: heartbeat, beacon and lease in one step */
#define FULL MIN(L, A)
#define REST(r) MIN(L, reign[r].authority)
inline bit_of_leader(w) {
    worker[w].lease = (worker[w].lease < FULL -> FULL : worker[w].lease);
    last_bit[w] = L;
    check(w)
}
#define BIT_OF_DEPOSED(r) \
    d_step { HAS(reign[r].members, w) && W1_EPOCH(w, r) && worker[w].lease < REST(r) -> \
        worker[w].lease = REST(r); check(w); fires(bit_of_a_deposed_leader) }

/* ---------------------------------------- all that concerns one session w: the leader about it */
#define ID_IS_FREE(w) (TWIN(w) == NOBODY || !HAS(members, TWIN(w)))
#ifdef NO_READD
#define MAY_JOIN(w) (!HAS(members, w) && worker[w].applied == 0)
#else
#define MAY_JOIN(w) (!HAS(members, w))
#endif
inline join(w) {
    if
    :: worker[w].applied > 0 -> fires(join_of_a_dropped_session)
    :: else -> fires(join)
    fi;
    add(w);
    slot[ID(w)] = NO_SLOT;
    write_head()
}
inline take_place(w) {
    if
    :: HAS(away, TWIN(w)) -> fires(place_of_an_away_session_taken)
    :: else -> fires(place_taken)
    fi;
    carry_out();
    write_head()
}

proctype session(byte w) {
    do
    /* the worker applies any newer head that it can read, however late, and stops when told */
    :: APPLY(2)
    :: APPLY(3)
#if E >= 4
    :: APPLY(4)
#endif
#if E >= 5
    :: APPLY(5)
#endif
#if E >= 6
    :: APPLY(6)
#endif
#if E >= 7
    :: APPLY(7)
#endif
#if E >= 8
    :: APPLY(8)
#endif
    :: d_step { worker[w].p == STOPPING -> worker[w].p = IDLE }

    /* bits */
    :: d_step { HAS(reign[0].members, w) && W1_EPOCH(w, 0) &&
        (worker[w].lease < FULL || last_bit[w] < L) -> bit_of_leader(w) }
    :: BIT_OF_DEPOSED(1)
#if OLD >= 2
    :: BIT_OF_DEPOSED(2)
#endif
#ifdef BUG_BIT_BY_ID
    :: d_step { stray_bit > worker[w].lease && ID(w) == stray_id && worker[w].applied > 0 ->
        worker[w].lease = stray_bit; check(w) }
#endif

    /* own records that list p at w, for a head to come */
    :: d_step { MAY_PLAN && HAS(members, w) && !HAS(away, w) && (w != owner || parked) ->
        write_records(TO(w)) }
    /* w has expired or left: it is dropped, and what it had goes elsewhere in the same head */
    :: d_step { MOVE_PLANNED && plan != TO(w) && HAS(members, w) && MAY_DROP(w) ->
        carry_out(); drop(w); write_head(); fires(move_and_drop) }
    /* or it is only dropped */
    :: d_step { MAY_PLAN && HAS(members, w) && MAY_UNLIST_WITH(w) && MAY_DROP(w) ->
        if :: w == owner -> unlist() :: else fi;
        drop(w); write_head(); fires(drop) }
    /* it joins, for the first time or by a late copy of its join */
    :: d_step { MAY_PLAN && MAY_JOIN(w) && ID_IS_FREE(w) -> join(w) }
#ifndef NO_AWAY
    /* it is told to restart; when it has released everything it keeps its place and its list */
    :: d_step { !over && HAS(members & LEAVERS, w) && !worker[w].leaving -> leave(w) }
    :: d_step { MAY_PLAN && HAS(members, w) && !HAS(away, w) && HAS_LEFT(w) ->
        away = WITH(away, w); write_head(); fires(away) }
#endif
#ifdef REJOIN
    /* it takes the place of its twin, which is away or has expired */
    :: d_step { MAY_PLAN && MAY_JOIN(w) && !ID_IS_FREE(w) -> write_records(REPLACING(w)) }
    :: d_step { MAY_WRITE && plan == REPLACING(w) && MAY_REPLACE(TWIN(w)) -> take_place(w) }
#endif
#ifdef BUG_PIPELINE
    :: d_step { MOVE_PLANNED && plan != TO(w) && ghost_drop == NOBODY &&
        w == owner && !FROM_IN_FORCE && MAY_DROP(w) ->
        ghost_plan = plan; ghost_drop = w;
        reign[0].members = WITHOUT(reign[0].members, w) }
#endif
#ifdef LIVE
    :: d_step { !over -> judge(1 << w) }            /* only this one lives, or all of them do */
    :: d_step { !over && w == 0 -> judge(7) }
#endif
    od
}

init {
    d_step {
        worker[0].applied = 1; worker[0].p = HOLDING; worker[0].lease = FULL;
        worker[1].applied = 1;
        if :: HAS(FOUNDERS, 2) -> worker[2].applied = 1 :: else fi;
        last_bit[0] = L;
#ifdef TOKENS
        token[0] = 1; since_of[1] = 1;
#endif
        hear() }
    atomic { run clock(); run leading(); run session(0); run session(1); run session(2) }
}
