/* The rules of the move model, each with the mutant that takes it away. Included by move.pml
   alone. */
/* W1: a bit counts only for a worker that has applied the epoch of the beacon that carries it. */
#ifdef BUG_W1
#define W1_EPOCH(w, r) true
#else
#define W1_EPOCH(w, r) (worker[w].applied >= reign[r].epoch)
#endif
/* W2: what is listed is held only when its `from` is released or no member any more. */
#ifdef BUG_NO_FROM
#define W2_FROM true
#else
#define W2_FROM (!FROM_IN_FORCE)
#endif
/* W2: a session that is no member any more bars nothing. */
#ifdef BUG_FROM_FOREVER
#define STILL_BARS(s) true
#else
#define STILL_BARS(s) HAS(members, s)
#endif
/* W2: a stop under way ends with the lease; no later bit brings back what was being given up. */
#ifdef BUG_REVIVE
#define W2_DEADLINE(w) skip
#else
#define W2_DEADLINE(w) \
    if \
    :: worker[w].p == STOPPING && worker[w].lease == 0 -> \
        worker[w].p = IDLE; fires(stop_ended_by_the_deadline) \
    :: else \
    fi
#endif
/* Away: who has left for a restart takes nothing more (PROMISE), and whom the head calls away
   holds nothing (HOLDS: neither). */
#if defined(BUG_AWAY_HOLDS) || defined(BUG_AWAY_PROMISE)
#define TAKES(w) true
#else
#define TAKES(w) (!worker[w].leaving)
#endif
#ifdef BUG_AWAY_HOLDS
#define NOT_AWAY(w) true
#else
#define NOT_AWAY(w) (!HAS(away, w))
#endif
/* Away: the head says so once the session has reported everything released. */
#ifdef BUG_AWAY_EARLY
#define HAS_LEFT(w) worker[w].leaving
#else
#define HAS_LEFT(w) (worker[w].leaving && worker[w].p == IDLE)
#endif
/* Own records go into the slot that the newest head does not name. */
#ifdef BUG_SAME_SLOT
#define FREE_SLOT(id) (slot[id] == 1 -> 1 : 0)
#else
#define FREE_SLOT(id) (slot[id] == 0 -> 1 : 0)
#endif
/* A release report counts from the epoch that `from` names, when the stop is done ... */
#ifdef BUG_ANY_RELEASE
#define REPORTED(s, since_epoch) true
#else
#define REPORTED(s, since_epoch) (worker[s].applied >= (since_epoch) && worker[s].p != STOPPING)
#endif
/* ... and from the session that `from` names, not from an earlier one of the same id. */
#ifdef BUG_OLD_REPORT
#define RELEASE_REPORTED (REPORTED(from_s, from_e) || \
    TWIN(from_s) != NOBODY && REPORTED(TWIN(from_s), from_e))
#else
#define RELEASE_REPORTED REPORTED(from_s, from_e)
#endif
/* A move in flight that is sent elsewhere keeps its first owner in `from`. */
#ifdef BUG_RETARGET
#define RETARGETED_FROM to_s = owner; to_e = head + 1
#else
#define RETARGETED_FROM to_s = from_s; to_e = from_e
#endif
/* A member is added with `released` = the epoch that adds it, so no old `from` opens again. */
#ifdef BUG_BORN_ZERO
#define BORN_RELEASED 0
#else
#define BORN_RELEASED (head + 1)
#endif
/* A partition without a target stays listed, parked, in its owner's record. */
#ifdef BUG_PARK
#define PARK unlist()
#else
#define PARK parked = head + 1
#endif
/* Unlist: once the parking owner has released through the epoch that parked it ... */
#ifdef BUG_UNLIST
#define UNLIST_RELEASED true
#else
#define UNLIST_RELEASED REPORTED(owner, parked)
#endif
/* ... and `from` is released or no member any more. */
#if defined(BUG_UNLIST) || defined(BUG_UNLIST_FROM)
#define UNLIST_FROM true
#else
#define UNLIST_FROM (!FROM_IN_FORCE)
#endif
/* A member whose record lists p pending is dropped only in a head that lists p elsewhere. */
#ifdef BUG_DROP_TARGET
#define MAY_UNLIST_WITH(s) true
#else
#define MAY_UNLIST_WITH(s) (!((s) == owner && FROM_IN_FORCE))
#endif
/* L3: grants and expiries wait until the authority of the predecessors is over. */
#ifdef BUG_NO_BARRIER
#define BARRIER_OVER true
#else
#define BARRIER_OVER (barrier == 0)
#endif
/* L5: every drop waits out the last bit and the barrier. */
#ifdef BUG_NO_WAIT
#define LAST_BIT_OVER(s) true
#else
#define LAST_BIT_OVER(s) (last_bit[s] == 0)
#endif
#define MAY_DROP(s) (LAST_BIT_OVER(s) && BARRIER_OVER)
/* L5: taking the place of a session is a drop like any other. */
#ifdef BUG_REPLACE_NOW
#define MAY_REPLACE(s) true
#else
#ifdef AWAY_NOWAIT      /* a variant, not the protocol: who is away is replaced without that wait */
#define MAY_REPLACE(s) (HAS(away, s) || MAY_DROP(s))
#else
#define MAY_REPLACE(s) MAY_DROP(s)
#endif
#endif

