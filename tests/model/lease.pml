/* Leases: may a worker hold partition p, and when may a leader give p to another one?
   Two workers, one partition, one fenced log, one leader in charge and up to OLD predecessors
   that do not know yet. Heartbeats and beacons are lost or late without bound, and each party
   goes by what reached it. README.md beside this file says what each mutant takes away, what is
   folded, and the figures.

   RUN     spin -a lease.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m1000000
   MUTANT  spin -DBUG_<NAME> -a lease.pml; each name stands at the rule that it takes away.
   BOUNDS  EPOCHS that the log may reach, OLD leaders, L (lease) and A (a leader's authority) in
           ticks. Takeovers, bits and time are not bounded: every moment of the protocol stands
           here as the ticks left until it. */
#ifndef EPOCHS
#define EPOCHS 4
#endif
#ifndef OLD
#define OLD 1
#endif
#ifndef L
#define L 2
#endif
#ifndef A
#define A 2
#endif

/* ---------------------------------------- the rules, each with its mutant */
/* W1: a bit counts only for a worker that has applied the epoch of the beacon that carries it. */
#ifdef BUG_W1
#define W1_EPOCH(w, beacon_epoch) true
#else
#define W1_EPOCH(w, beacon_epoch) (worker[w].applied >= (beacon_epoch))
#endif
/* W1: the lease is counted from the worker's own sending of the heartbeat that is answered. */
#ifdef BUG_ANCHOR
#define W1_SPENT(w) 0
#define W1_ON_THE_WAY(left) skip
#else
#define W1_SPENT(w) (L - worker[w].heartbeat)
#define W1_ON_THE_WAY(left) run_down(left)
#endif
/* W4: nothing is taken from a lower term than the highest seen. */
#ifdef BUG_W4
#define W4_TERM(w, r) true
#define W4_SEEN(w, r) skip
#else
#define W4_TERM(w, r) ((r) <= worker[w].seen)
#define W4_SEEN(w, r) worker[w].seen = (r)
#endif
/* L1: bits only while the authority lasts, and none worth more than what is left of it. */
#ifdef BUG_NO_AUTHORITY
#define L1_MAY(r) true
#define L1_ALLOWANCE(r) (reign[r].authority > 0 -> MIN(L, reign[r].authority) : L)
#else
#define L1_MAY(r) (reign[r].authority > 0)
#ifdef BUG_NO_CAP
#define L1_ALLOWANCE(r) L
#else
#define L1_ALLOWANCE(r) MIN(L, reign[r].authority)
#endif
#endif
/* L2: a new leader gives bits only when a head of its own is in the log. That head is conditional
   on the head it read being the newest, so it is the proof of it: a read may be stale. (The proof
   is no epoch of its own here: it changes nothing but its number, and a bit of a higher epoch
   asks more of a worker, not less.) */
#ifdef BUG_UNPROVEN
#define L2_PROVEN(r) true
#else
#define L2_PROVEN(r) reign[r].proven
#endif
/* L3: a new leader's first grant or expiry waits until the authority of its predecessors is
   surely over. */
#ifdef BUG_NO_BARRIER
#define L3_BARRIER 0
#else
#define L3_BARRIER A
#endif
/* L5: no bit for a session once its expiry is decided, also while that head is on its way. */
#ifdef BUG_LATE_BIT
#define L5_STOP_BITS(w) skip
#else
#define L5_STOP_BITS(w) reign[0].members = WITHOUT(reign[0].members, w)
#endif
/* L5: an expiry waits out the last bit given. */
#ifdef BUG_NO_WAIT
#define L5_LAPSED(w) true
#else
#define L5_LAPSED(w) (last_bit[w] == 0)
#endif

/* ---------------------------------------- the log (the head, and that it is conditional)
   Only the leader in charge can write: the takeover moved the sequence that the others expect. */
byte log_epoch = 1;
byte log_members = 3;       /* sessions, a bit each */
byte log_members_was = 3;   /* in the head before, which a stale read brings */
byte log_owner = 0;         /* whose own record lists p */
bit  log_pending = 0;       /* its `from`: the other worker, at epoch log_since, not released yet */
byte log_since = 1;

/* ---------------------------------------- the parties */
typedef worker_state {
    byte applied;           /* epoch of the head it goes by */
    bit  listed;            /* that head lets it hold p, its lease left out */
    byte lease;             /* ticks until its deadline */
    byte seen;              /* newest reign heard of (W4) */
    byte heartbeat;         /* ticks until the last one it sent is worth nothing any more */
};
/* Reigns are counted back from the present one: 0 leads, 1 was deposed by it, and so on. So a
   higher number is a lower term. */
typedef reign_state {
    byte epoch, members;    /* as it knows them: behind the log until it hears of its own write */
    byte authority;         /* ticks until auth_end */
    bit  proven;            /* the head it read was the newest (L2) */
};
typedef beacon_state {      /* the newest beacon with a bit on its way from a reign to a worker */
    byte left;              /* ticks of lease that it brings if it arrives now; 0: there is none */
    byte epoch;
};
worker_state worker[2];
reign_state reign[OLD + 1];
beacon_state beacon[2 * (OLD + 1)];
byte barrier;               /* of reign 0: ticks until it may grant and expire */
byte last_bit[2];           /* of reign 0: ticks until every lease it may have given is over */

/* With -DFIRES, pan prints the first time each of these happens: what never happens, nothing was
   shown about. */
#ifdef FIRES
#define fires(what) c_code { static int n_times; if (n_times++ == 0) printf("fires: %s\n", #what); }
#else
#define fires(what) skip
#endif

#define OTHER(w) (1 - (w))
#define MIN(x, y) ((x) < (y) -> (x) : (y))
#define HAS(set, w) (((set) >> (w)) & 1)
#define WITH(set, w) ((set) | (1 << (w)))
#define WITHOUT(set, w) ((set) & (3 - (1 << (w))))
#define BEACON(r, w) beacon[2 * (r) + (w)]
inline run_down(ticks) { if :: ticks > 0 -> ticks-- :: else fi }
byte n;                     /* scratch, 0 between steps */

/* ---------------------------------------- THE PROPERTIES, by the names that pan prints */
bit two_hold_p;             /* at one instant */
bit past_reckoning;         /* I6, with -DRECKON: a deadline later than the leader reckons. Mutants
                               are judged without, so that each really makes two holders. */
inline violated_if(what, property) { if :: what -> property = 1 :: else fi; assert(!property) }

#define HOLDS(w) (worker[w].listed && worker[w].lease > 0)
inline check() { violated_if(HOLDS(0) && HOLDS(1), two_hold_p) }
#ifdef RECKON
#define RECKONED(w) \
    violated_if(worker[w].lease > last_bit[w] && worker[w].lease > barrier, past_reckoning)
#else
#define RECKONED(w) skip
#endif

/* ---------------------------------------- time
   The leader in charge has full authority, for it could have renewed its lease just now; a
   deposed one lives on what it had. */
proctype clock() {
    do
    :: d_step {
        run_down(barrier);
        run_down(last_bit[0]); run_down(last_bit[1]);
        run_down(worker[0].lease); run_down(worker[1].lease);
        run_down(worker[0].heartbeat); run_down(worker[1].heartbeat);
        n = 1;
        do
        :: n <= OLD ->
            run_down(reign[n].authority);
            if
            :: !L1_MAY(n) ->
                reign[n].epoch = 0; reign[n].members = 0; reign[n].proven = 0
            :: else
            fi;
            n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < 2 * (OLD + 1) ->
            W1_ON_THE_WAY(beacon[n].left);
            if :: beacon[n].left == 0 -> beacon[n].epoch = 0 :: else fi;
            n++
        :: else -> break
        od;
        n = 0 }
    od
}

/* ---------------------------------------- bits of reign r for worker w */
#define WORTH(r, w) (L1_ALLOWANCE(r) - W1_SPENT(w))    /* if it answers the last heartbeat now */
inline answer(r, w) {
    BEACON(r, w).left = WORTH(r, w);
    BEACON(r, w).epoch = reign[r].epoch;
    if
    :: r == 0 -> last_bit[w] = L
    :: else -> fires(bit_of_a_deposed_leader)
    fi
}
inline arrive(r, w) {
    if
    :: !W4_TERM(w, r) -> fires(lower_term_refused)
    :: W4_TERM(w, r) ->
        W4_SEEN(w, r);
        if
        :: !W1_EPOCH(w, BEACON(r, w).epoch) -> fires(bit_of_a_later_epoch_refused)
        :: W1_EPOCH(w, BEACON(r, w).epoch) && BEACON(r, w).left > worker[w].lease ->
            worker[w].lease = BEACON(r, w).left
        :: else
        fi
    fi;
    BEACON(r, w).left = 0; BEACON(r, w).epoch = 0;
    RECKONED(w);
    check()
}
proctype bits(byte r; byte w) {
    do
    :: d_step { HAS(reign[r].members, w) && L1_MAY(r) && L2_PROVEN(r) &&
        worker[w].heartbeat > 0 && WORTH(r, w) > 0 -> answer(r, w) }
    :: d_step { BEACON(r, w).left > 0 -> arrive(r, w) }     /* one that is lost runs out instead */
    od
}

/* ---------------------------------------- a worker */
proctype worker_steps(byte w) {
    do
    :: d_step { worker[w].heartbeat < L -> worker[w].heartbeat = L }
    :: d_step { worker[w].applied < log_epoch ->    /* W2, W3: the newest head, however late */
        worker[w].applied = log_epoch;
        worker[w].listed = (HAS(log_members, w) && log_owner == w && !log_pending);
        check() }
    od
}

/* ---------------------------------------- the leader, about worker w
   What it knew when it sent a head stays true until the head is in the log, or the head is
   refused: so sending and writing are one step. It hears of it later (`hear` below); until then
   it writes nothing more. */
#define MAY_WRITE (reign[0].proven && reign[0].epoch == log_epoch && log_epoch < EPOCHS)
#define MAY_GRANT (MAY_WRITE && barrier == 0)

inline next_epoch() { log_epoch++; log_members_was = log_members }
inline revoke(w) {
    next_epoch(); log_owner = OTHER(w); log_pending = 1; log_since = log_epoch; fires(revoke)
}
inline grant_on_release() {
    next_epoch(); log_pending = 0; log_since = 0; fires(grant_on_release)
}
inline expire(w) {                  /* dropped, and the other one has p, in one head */
    next_epoch(); log_members = WITHOUT(log_members, w);
    log_owner = OTHER(w); log_pending = 0; log_since = 0;
    L5_STOP_BITS(w);
    fires(expiry)
}
inline join(w) {                    /* again: it may be a late copy of its old join */
    next_epoch(); log_members = WITH(log_members, w); fires(join_of_a_dropped_session)
}
proctype deciding(byte w) {
    do
    :: d_step { MAY_WRITE && log_members == 3 && log_owner == w && !log_pending -> revoke(w) }
    :: d_step { MAY_GRANT && log_pending && log_owner == OTHER(w) &&                    /* L4 */
        worker[w].applied >= log_since -> grant_on_release() }
    :: d_step { MAY_GRANT && log_members == 3 && L5_LAPSED(w) -> expire(w) }            /* L5 */
    :: d_step { MAY_WRITE && !HAS(log_members, w) -> join(w) }
    od
}

/* ---------------------------------------- takeovers */
inline hear() { reign[0].epoch = log_epoch; reign[0].members = log_members }

inline step_aside() {               /* it lives on without knowing, with all its authority left */
    n = OLD;
    do
    :: n > 0 ->
        reign[n].epoch = reign[n - 1].epoch;
        reign[n].members = reign[n - 1].members;
        reign[n].authority = reign[n - 1].authority;
        reign[n].proven = reign[n - 1].proven;
        BEACON(n, 0).left = BEACON(n - 1, 0).left; BEACON(n, 0).epoch = BEACON(n - 1, 0).epoch;
        BEACON(n, 1).left = BEACON(n - 1, 1).left; BEACON(n, 1).epoch = BEACON(n - 1, 1).epoch;
        n--
    :: else -> break
    od;
    worker[0].seen = MIN(OLD, worker[0].seen + 1);
    worker[1].seen = MIN(OLD, worker[1].seen + 1)
}
inline take_over() {
    BEACON(0, 0).left = 0; BEACON(0, 0).epoch = 0;
    BEACON(0, 1).left = 0; BEACON(0, 1).epoch = 0;
    last_bit[0] = 0; last_bit[1] = 0;
    barrier = L3_BARRIER;
    reign[0].proven = 0;
    hear()
}
inline read_stale() { reign[0].epoch = log_epoch - 1; reign[0].members = log_members_was }

/* L2: a takeover can come at any time, for the suspicion may be false. */
proctype leading() {
    do
    :: d_step { reign[0].proven && reign[0].epoch < log_epoch -> hear() }
    :: d_step { !reign[0].proven && reign[0].epoch == log_epoch -> reign[0].proven = 1 }
    :: d_step { !reign[0].proven && reign[0].epoch == log_epoch && log_epoch > 1 ->
        read_stale();
        fires(stale_head_read) }
    :: d_step { true -> step_aside(); take_over(); fires(takeover) }
    :: d_step { BEACON(0, 0).left == 0 && BEACON(0, 1).left == 0 ->     /* from a dead leader */
        take_over();
        fires(takeover_from_the_dead) }
    od
}

init {
    d_step {
        worker[0].applied = 1; worker[0].listed = 1; worker[0].lease = MIN(L, A);
        worker[1].applied = 1;
        reign[0].authority = A; reign[0].proven = 1;
        hear();
        last_bit[0] = L }
    atomic {
        run clock();
        n = 0;
        do
        :: n <= OLD -> run bits(n, 0); run bits(n, 1); n++
        :: else -> break
        od;
        n = 0;
        run worker_steps(0); run worker_steps(1);
        run deciding(0); run deciding(1);
        run leading() }
}
