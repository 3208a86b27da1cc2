/* How many new readers a server is asked for at a time: as many as it makes without
 * keeping others waiting; and how long an answer is waited for.
 *
 * WHY  Servers before 2.10 do what a connection asks of JetStream in the thread that
 * reads that connection, one after the other, and hear nothing from it meanwhile, not
 * even a ping.  In a stream in memory a new reader of one subject has all messages
 * counted: 0.3 s with 2,000,000 of them (2.9.10).  Asked for too many at a time the
 * server is silent for so long that its answers come too late, or the connection is taken
 * for dead, and with the next one all would begin anew.  And one that takes longer for a
 * single reader than its answer is waited for would make it again and again, for nobody:
 * so after each wait in vain the next one is twice as long.
 *
 * Numbers of the caller's, no input or output; with the caller's lock.
 */
#ifndef PARTI_PLUGINS_JET_PACE_H
#define PARTI_PLUGINS_JET_PACE_H

#include <stdint.h>

enum {
    JET_PACE_MAX = 16,
    JET_PACE_FIRST = 4,
    JET_PACE_QUICK_MS = 500, /* answered in that time: one more, */
    JET_PACE_SLOW_MS = 2000, /* not in this: half as many */
    JET_PACE_WAIT_MS = 4000, /* for an answer, or so many times what the last one took, */
    JET_PACE_WAIT_TIMES = 4,
    JET_PACE_WAIT_MAX_MS = 60000 /* but no longer than that */
};

/* Zero at first. */
struct jet_pace {
    uint32_t most;    /* 0: nothing is known yet */
    uint64_t wait_ms; /* 0: likewise */
};

uint32_t jet_pace_most(const struct jet_pace *p);

/* How long the answer is waited for where so many requests in a row were in vain. */
uint64_t jet_pace_wait_ms(const struct jet_pace *p, uint32_t failures);

/* An answer came, so long after it was asked for. */
void jet_pace_answered(struct jet_pace *p, uint64_t ms);

/* None came in so long a time, or the connection was lost by then. */
void jet_pace_unanswered(struct jet_pace *p, uint64_t ms);

#endif
