/* Moves: partition p wanders through the log while workers join, leave, restart and die and leaders change.
   Three sessions, one partition; own records in two slots, `from`, `released`, parked, unlisted, `away`. What each mutant
   takes away, what is folded, bounds and figures: README.md beside this file.

   RUN     spin -DE=4 -a move.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m2000000
   MUTANT  spin -DBUG_<NAME> -a move.pml; each name stands at the rule that it takes away.
   BOUNDS  E: the last epoch that may be written (the start is epoch 1); L (lease), A (authority) in ticks; OLD: deposed
           leaders. Takeovers, bits, plans given up, late applications and time are not bounded.
   SHAPE   -DREJOIN    session 2 bears the id of session 0 (without it: three ids, all members at the start)
   MORE    -DLIVE      from every state: when the faults stop, p is soon held by a worker that lives
           -DTOKENS    tokens of successive holders never fall
   LESS    -DNO_AWAY   nobody leaves for a restart      -DNO_READD  no dropped session comes back by a late copy of its join
           -DNO_PARK   p always wants an owner          -DNO_LAG    a leader hears of its own write at once
           -DNO_UNLIST a parked p stays in the lists    -DNO_TAKEOVER */
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

#include "move_rules.pml"

/* ---------------------------------------------------------------- names */
#define SESSIONS 3
#define NOBODY 3
#define MIN(x, y) ((x) < (y) -> (x) : (y))
#define HAS(set, s) (((set) >> (s)) & 1)
#define WITH(set, s) ((set) | (1 << (s)))
#define WITHOUT(set, s) ((set) & (7 - (1 << (s))))
#ifdef REJOIN
#define ID(s) ((s) == 2 -> 0 : (s))
#define TWIN(s) ((s) == 1 -> NOBODY : 2 - (s))    /* the other session of the same id */
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

/* ---------------------------------------------------------------- the log
   Only the leader in charge can write it: its takeover moved the sequence that the others expect. */
byte head = 1;                              /* epoch */
byte members = FOUNDERS, away = 0;          /* sessions, a bit each; `away` is a state of members */
byte owner = 0;                             /* whose own record lists p; NOBODY: unlisted */
byte parked = 0;                            /* not 0: listed, but not to be held, since this epoch */
byte from_s = NOBODY, from_e = 0;           /* `from` of that record: a session, and the epoch it must release */
byte released = 0;                          /* through what epoch, as the head says of from_s (nobody looks at the others) */
byte slot[SESSIONS];                        /* per id: which of its two slots the head names */
#define NO_SLOT 2
#define FROM_IN_FORCE (from_s != NOBODY && STILL_BARS(from_s) && released < from_e)

/* What each head says to each session, kept until the session applies it: the outcome of W2 with the deadline left out,
   and 4 times the slot that it rests on. Once that slot is overwritten, the hash in the head does not match any more. */
byte says[SESSIONS * (E + 1)];
#define SAYS(s, e) says[(s) * (E + 1) + (e)]
#define SAYS_WHAT(s, e) (SAYS(s, e) & 3)
#define SAYS_SLOT(s, e) (SAYS(s, e) >> 2)
#define NO_MEMBER 0
#define NOT_YOURS 1
#define YOURS 2
#define UNREADABLE 3

/* ---------------------------------------------------------------- workers and leaders */
typedef worker_state {
    byte applied;                           /* epoch of the head it goes by */
    byte p;                                 /* IDLE, HOLDING, or STOPPING, which still counts as holding */
    byte lease;                             /* ticks until its deadline */
    bit  leaving;                           /* told to restart: it gives up everything and takes nothing more */
};
#define IDLE 0
#define HOLDING 1
#define STOPPING 2
worker_state worker[SESSIONS];

typedef reign_state {                       /* counted back: 0 leads, 1 was deposed by it, and so on */
    byte epoch, members;                    /* as this leader knows them: its beacons' epoch, and whom it may give bits */
    byte authority;                         /* ticks until auth_end; the one in charge can always renew, so it has it all */
};
reign_state reign[OLD + 1];
byte barrier;                               /* ticks until the one in charge may grant and expire */
byte last_bit[SESSIONS];                    /* ticks until every lease it may have given is over */
byte plan = 0;                              /* own records are written for a head that is to: */
#define TO(s) ((s) + 1)                     /*   list p at session s */
#define PARKING 4                           /*   park p where it is */
#define UNLISTING 5                         /*   take p off the lists */
#define REPLACING(s) (6 + (s))              /*   add s in the place of its twin */
#define MAY_WRITE (!over && head < E && reign[0].epoch == head)

byte i, j, x, to_s, to_e;                   /* scratch, 0 between steps */
bit over;                                   /* -DLIVE: this run has been judged */

/* With -DFIRES, pan prints the first time each of these happens: what never happens, nothing was shown about. */
#ifdef FIRES
#define fires(what) c_code { static int n_times; if (n_times++ == 0) printf("fires: %s\n", #what); }
#else
#define fires(what) skip
#endif

/* ---------------------------------------------------------------- THE PROPERTIES, by the names that pan prints */
bit two_hold_p;                             /* at one instant; a worker that is stopping p counts until its lease ends */
bit holds_while_away;                       /* whom the newest head calls away */
bit token_fell;                             /* between successive holders (-DTOKENS) */
bit newest_unreadable;                      /* an own record that the newest head names was overwritten */
bit not_recovered;                          /* -DLIVE */
inline violated_if(what, property) { if :: what -> property = 1 :: else fi; assert(!property) }

#define HOLDS(s) (worker[s].p != IDLE && worker[s].lease > 0)
#define AWAY_AND_HOLDS(s) (HAS(away, s) && HOLDS(s))
#ifdef TOKENS
byte since = 1, since_of[E + 1], token[SESSIONS], last_token = 1;
#define TOKEN_GRANTED(w, k) token[w] = since_of[k]
#define TOKEN_WRITTEN since_of[head] = since
#define TOKEN_NEW since = head + 1
inline token_used(w) { if :: HOLDS(w) -> violated_if(token[w] < last_token, token_fell); last_token = token[w] :: else fi }
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

#include "move_log.pml"
#ifdef LIVE
#include "move_live.pml"
#endif

#ifdef BUG_BIT_BY_ID    /* a bit that was on its way to a dropped session is taken for its own by the new one of that id */
byte stray_bit, stray_id;
#endif
#ifdef BUG_PIPELINE     /* a head sent behind another write, with the sequence that this one was expected to get */
byte ghost_plan, ghost_drop = NOBODY;
bit ghost_next;         /* the takeover got that very sequence */
#endif

/* ---------------------------------------------------------------- time */
inline run_down(ticks) { if :: ticks > 0 -> ticks-- :: else fi }

proctype clock() {
    do
    :: d_step {
        run_down(barrier);
        i = 1;
        do
        :: i <= OLD ->
            run_down(reign[i].authority);
            if :: reign[i].authority == 0 -> reign[i].epoch = 0; reign[i].members = 0 :: else fi;
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

/* ---------------------------------------------------------------- the leader in charge, and how it is replaced */
inline step_aside() {                       /* it lives on without knowing, with all its authority left */
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
    hear()
#ifdef BUG_PIPELINE
    ; if :: ghost_drop != NOBODY && !ghost_next -> ghost_next = 1 :: else -> ghost_drop = NOBODY; ghost_plan = 0; ghost_next = 0 fi
#endif
}

proctype leading() {
    do
    :: d_step { !over && reign[0].epoch < head -> hear() }
#ifndef NO_TAKEOVER
    :: d_step { !over -> step_aside(); take_over(); fires(takeover) }      /* L2; the suspicion may be false */
    :: d_step { !over && reign[1].authority > 0 -> take_over(); fires(takeover_from_the_dead) }     /* its predecessor may live */
#endif
    :: d_step { plan > 0 -> plan = 0; fires(plan_given_up) }                                  /* it changes its mind, the slots stay written */

    /* heads that follow own records; one that lists what nobody had is a grant */
    :: d_step { MAY_WRITE && plan > 0 && plan <= SESSIONS && (owner != NOBODY || BARRIER_OVER) ->
        carry_out(); write_head(); fires(move) }
    :: d_step { MAY_WRITE && plan == PARKING -> carry_out(); write_head(); fires(park) }
#ifndef NO_UNLIST
    :: d_step { MAY_WRITE && plan == UNLISTING && UNLIST_RELEASED && UNLIST_FROM -> carry_out(); write_head(); fires(unlist) }
    :: d_step { MAY_WRITE && plan == 0 && parked -> write_records(UNLISTING) }
#endif
#ifndef NO_PARK
    :: d_step { MAY_WRITE && plan == 0 && owner != NOBODY && !parked -> write_records(PARKING) }
#endif

    /* L4: the release is recorded, the next owner may start */
    :: d_step { MAY_WRITE && plan == 0 && FROM_IN_FORCE && BARRIER_OVER && RELEASE_REPORTED ->
        released = from_e; write_head(); fires(release) }
#ifdef BUG_PIPELINE
    :: d_step { ghost_next && !over && head < E ->
        j = ghost_drop; x = ghost_plan;
        step_aside(); take_over();
        plan = x; carry_out(); drop(j); write_head(); hear() }
#endif
    od
}

/* ---------------------------------------------------------------- all that concerns one session w */
#define FULL MIN(L, A)
#define BIT_OF_OLD(r) \
    d_step { HAS(reign[r].members, w) && W1_EPOCH(w, r) && worker[w].lease < MIN(L, reign[r].authority) -> \
        worker[w].lease = MIN(L, reign[r].authority); check(w); fires(bit_of_a_deposed_leader) }
#define APPLY(k) \
    d_step { worker[w].applied < k && k <= head && SAYS_WHAT(w, k) != UNREADABLE && \
        (worker[w].applied > 0 || SAYS_WHAT(w, k) != NO_MEMBER) -> apply(w, k) }

inline apply(w, k) {                        /* W3 */
    read_head(w, k);
    if
    :: x == NO_MEMBER -> worker[w].p = IDLE                             /* W5: its leases are over */
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

proctype session(byte w) {
    do
    /* ---- the worker: heads, however late, then stops; at any time it may be told to restart */
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
#ifndef NO_AWAY
    :: d_step { !over && HAS(members & LEAVERS, w) && !worker[w].leaving ->
        worker[w].leaving = 1;
        if :: worker[w].p == HOLDING -> worker[w].p = STOPPING; W2_DEADLINE(w) :: else fi }
#endif

    /* ---- bits: heartbeat, beacon and lease in one step */
    :: d_step { HAS(reign[0].members, w) && W1_EPOCH(w, 0) && (worker[w].lease < FULL || last_bit[w] < L) ->
        worker[w].lease = (worker[w].lease < FULL -> FULL : worker[w].lease);
        last_bit[w] = L;
        check(w) }
    :: BIT_OF_OLD(1)
#if OLD >= 2
    :: BIT_OF_OLD(2)
#endif
#ifdef BUG_BIT_BY_ID
    :: d_step { stray_bit > worker[w].lease && ID(w) == stray_id && worker[w].applied > 0 -> worker[w].lease = stray_bit; check(w) }
#endif

    /* ---- the leader: own records that list p at w */
    :: d_step { MAY_WRITE && plan == 0 && HAS(members, w) && !HAS(away, w) && (w != owner || parked) -> write_records(TO(w)) }
    /* ---- the head that moves p elsewhere and drops w, which has expired or left */
    :: d_step { MAY_WRITE && plan > 0 && plan <= SESSIONS && plan != TO(w) && HAS(members, w) && MAY_DROP(w) ->
        carry_out(); drop(w); write_head(); fires(move_and_drop) }
    /* ---- the head that only drops w */
    :: d_step { MAY_WRITE && plan == 0 && HAS(members, w) && MAY_UNLIST_WITH(w) && MAY_DROP(w) ->
        if :: w == owner -> unlist() :: else fi;
        drop(w); write_head(); fires(drop) }
    /* ---- w joins, for the first time or by a late copy of its join, under an id that is free */
#ifdef NO_READD
#define MAY_JOIN(w) (worker[w].applied == 0)
#else
#define MAY_JOIN(w) true
#endif
    :: d_step { MAY_WRITE && plan == 0 && !HAS(members, w) && (TWIN(w) == NOBODY || !HAS(members, TWIN(w))) && MAY_JOIN(w) ->
        if :: worker[w].applied > 0 -> fires(join_of_a_dropped_session) :: else -> fires(join) fi;
        add(w); slot[ID(w)] = NO_SLOT; write_head() }
#ifndef NO_AWAY
    /* ---- w has released everything for a restart: it keeps its place and its list */
    :: d_step { MAY_WRITE && plan == 0 && HAS(members, w) && !HAS(away, w) && HAS_LEFT(w) ->
        away = WITH(away, w); write_head(); fires(away) }
#endif
#ifdef REJOIN
    /* ---- w takes the place of its twin, which is away or has expired */
    :: d_step { MAY_WRITE && plan == 0 && !HAS(members, w) && TWIN(w) != NOBODY && HAS(members, TWIN(w)) && MAY_JOIN(w) ->
        write_records(REPLACING(w)) }
    :: d_step { MAY_WRITE && plan == REPLACING(w) && MAY_REPLACE(TWIN(w)) ->
        if :: HAS(away, TWIN(w)) -> fires(place_of_an_away_session_taken) :: else -> fires(place_taken) fi;
        carry_out(); write_head() }
#endif
#ifdef BUG_PIPELINE
    :: d_step { MAY_WRITE && plan > 0 && plan <= SESSIONS && plan != TO(w) && ghost_drop == NOBODY && w == owner && !FROM_IN_FORCE &&
        HAS(members, w) && MAY_DROP(w) ->
        ghost_plan = plan; ghost_drop = w;
        reign[0].members = WITHOUT(reign[0].members, w) }
#endif
#ifdef LIVE
    :: d_step { !over -> judge(1 << w) }    /* only this one lives */
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
        hear()
#ifdef TOKENS
        ; token[0] = 1; since_of[1] = 1
#endif
    }
    atomic { run clock(); run leading(); run session(0); run session(1); run session(2) }
}
