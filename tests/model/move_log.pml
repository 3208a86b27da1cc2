/* The log of the move model: how own records and heads are written, and what a head says.
   Included by move.pml alone. */

#ifdef BUG_NO_HASH      /* so the records themselves are kept, and what a head says of `from` */
byte record[2 * SESSIONS];  /* 0: does not list p; else 1 + session + 4 * from_s + 16 * from_e */
byte members_of[E + 1], from_of[E + 1], released_of[E + 1];
#define RECORD(id, which) record[2 * (id) + (which)]
inline write_record(id, content) { RECORD(id, FREE_SLOT(id)) = content }
inline remember_head() {
    members_of[head] = members; from_of[head] = from_s; released_of[head] = released
}
inline read_head(w, k) {
    x = SAYS_WHAT(w, k);
    if
    :: x != NO_MEMBER && SAYS_SLOT(w, k) != NO_SLOT ->
        j = RECORD(ID(w), SAYS_SLOT(w, k));
        if
        :: j == 0 || ((j - 1) & 3) != w -> x = NOT_YOURS
        :: else ->
            to_s = ((j - 1) >> 2) & 3; to_e = (j - 1) >> 4;
            x = (to_s == NOBODY || !HAS(members_of[k], to_s) ||
                from_of[k] == to_s && released_of[k] >= to_e -> YOURS : NOT_YOURS)
        fi
    :: else
    fi
}
#else
inline write_record(id, content) {          /* older heads that name this slot become unreadable */
    i = 0;
    do
    :: i < SESSIONS && ID(i) == id ->
        j = 1;
        do
        :: j <= head && SAYS_WHAT(i, j) != NO_MEMBER && SAYS_SLOT(i, j) == FREE_SLOT(id) ->
            violated_if(j == head, newest_unreadable);
            SAYS(i, j) = UNREADABLE + 4 * FREE_SLOT(id);
            fires(old_head_made_unreadable);
            j++
        :: j <= head && !(SAYS_WHAT(i, j) != NO_MEMBER && SAYS_SLOT(i, j) == FREE_SLOT(id)) -> j++
        :: j > head -> break
        od;
        i++
    :: i < SESSIONS && ID(i) != id -> i++
    :: i >= SESSIONS -> break
    od
}
#define remember_head() skip
#define read_head(w, k) x = SAYS_WHAT(w, k)
#endif

inline what_head_says(s) {                  /* W2 without the deadline -> x */
    if
    :: !HAS(members, s) -> x = NO_MEMBER
    :: HAS(members, s) && s == owner && !parked && W2_FROM && NOT_AWAY(s) -> x = YOURS
    :: else -> x = NOT_YOURS
    fi
}
inline hear() { reign[0].epoch = head; reign[0].members = members }
inline write_head() {
    head++;
    i = 0;
    do
    :: i < SESSIONS ->
        what_head_says(i);
        SAYS(i, head) = (x == NO_MEMBER -> 0 : x + 4 * slot[ID(i)]);
        i++
    :: else -> break
    od;
    remember_head();
    TOKEN_WRITTEN;
#ifdef BUG_PIPELINE
    ghost_drop = NOBODY; ghost_plan = 0; ghost_next = 0;
#endif
#ifdef NO_LAG
    hear();
#endif
    check(0); check(1); check(2);
    tidy()
}

inline new_from(target) {                   /* -> to_s, to_e */
    if
    :: owner == NOBODY -> to_s = NOBODY; to_e = 0
    :: owner != NOBODY && FROM_IN_FORCE && target != from_s ->
        RETARGETED_FROM; fires(move_in_flight_sent_elsewhere)
    :: owner != NOBODY && FROM_IN_FORCE && target == from_s ->      /* nobody else can have had p */
        to_s = NOBODY; to_e = 0; fires(back_home)
    :: owner != NOBODY && !FROM_IN_FORCE && target == owner ->
        to_s = NOBODY; to_e = 0; fires(parked_no_more)
    :: owner != NOBODY && !FROM_IN_FORCE && target != owner -> to_s = owner; to_e = head + 1
    fi
}
inline list_at(target) {                    /* slots are the caller's business */
    new_from(target);
    if :: to_s != from_s || to_e != from_e -> released = 0 :: else fi;
    owner = target; from_s = to_s; from_e = to_e;
    TOKEN_NEW
}
inline unlist() { owner = NOBODY; parked = 0; from_s = NOBODY; from_e = 0; released = 0 }
inline flip(id) { slot[id] = FREE_SLOT(id) }    /* the head names the record just written */

inline write_records(what) {                    /* the step before a head */
    plan = what;
    if
    :: plan <= SESSIONS ->
        new_from(plan - 1);
        x = 1 + (plan - 1) + 4 * to_s + 16 * to_e;
        write_record(ID(plan - 1), x);
        if :: owner != NOBODY && owner != plan - 1 -> write_record(ID(owner), 0) :: else fi
    :: plan == PARKING || plan == UNLISTING -> write_record(ID(owner), 0)
    :: plan >= REPLACING(0) ->
        to_s = NOBODY;
        new_from(plan - REPLACING(0));
        x = (owner == TWIN(plan - REPLACING(0)) && !parked ->
            1 + (plan - REPLACING(0)) + 4 * to_s + 16 * to_e : 0);
        write_record(ID(plan - REPLACING(0)), x)
    fi;
    tidy()
}
inline drop(s) {
    members = WITHOUT(members, s); away = WITHOUT(away, s);
    reign[0].members = WITHOUT(reign[0].members, s);        /* L5: no bit for it any more */
    slot[ID(s)] = NO_SLOT;
#ifdef BUG_BIT_BY_ID
    if :: last_bit[s] > stray_bit -> stray_bit = last_bit[s]; stray_id = ID(s) :: else fi;
#endif
    last_bit[s] = 0;
    if :: s == from_s -> released = 0 :: else fi
}
inline add(s) {
    members = WITH(members, s);
    if :: s == from_s -> released = BORN_RELEASED :: else fi
}
inline carry_out() {                            /* what the head of this plan says */
    if
    :: plan <= SESSIONS ->
        if :: owner != NOBODY && owner != plan - 1 -> flip(ID(owner)) :: else fi;
        flip(ID(plan - 1));
        list_at(plan - 1);
        parked = 0
    :: plan == PARKING -> flip(ID(owner)); PARK
    :: plan == UNLISTING -> flip(ID(owner)); unlist()
    :: plan >= REPLACING(0) ->                  /* `from` is the twin, which goes in this head */
        x = plan - REPLACING(0);
        i = FREE_SLOT(ID(x));
        if
        :: owner == TWIN(x) -> list_at(x); if :: parked -> parked = head + 1 :: else fi
        :: else
        fi;
        drop(TWIN(x));
        add(x);
        slot[ID(x)] = i
    fi;
    plan = 0
}

