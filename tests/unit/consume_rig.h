/* An engine of consuming on a table: the test is broker, store and handler, and what the
 * engine does stands in a trace, one word group an action, "; " between.  Lane 0 has no
 * name in it, lane 2 is "2:".
 *
 *   read | write v3 n5 FLAGS aAT*ATTEMPTS | start r1 o7 @5 | credit 4 | deliver 5#1 |
 *   cancel | bury 5#3 attempts | done 6 | stop | stop last | clear | say PARTI-E701
 *
 * FLAGS: B begun, R released, S suspect.  DO_FORGET is counted, not traced.
 */
#ifndef PARTI_TESTS_CONSUME_RIG_H
#define PARTI_TESTS_CONSUME_RIG_H

#include "consume/engine.h"

enum { RIG_LANES = 8, RIG_ORIGIN = 7 };

struct rig {
    struct consume *c;
    void *memory;
    uint64_t now;
    uint64_t op[RIG_LANES], run[RIG_LANES];
    uint64_t credit[RIG_LANES], credit_all; /* given and not used */
    uint64_t stretch;                       /* of the last DO_DELIVER */
    struct consume_record sent;             /* by the last DO_WRITE */
    char trace[4096];
    uint32_t count; /* of the last DO_DELIVER */
    uint32_t here;  /* messages that the engine has */
};

/* Small numbers: lane_max 4, deliver_max 2, attempts 3, commit by 3 or 100 ms, pauses 10
 * to 40 ms, time-out 1000 ms, a place for dead letters. */
extern const struct consume_options rig_options;

void rig_open(struct rig *r, const struct consume_options *o);
void rig_close(struct rig *r); /* every message must have been forgotten once */

/* The trace since the last time. */
void rig_expect(struct rig *r, const char *trace);

void rig_step(struct rig *r, struct consume_event ev); /* at r->now */
/* On to this time, with a tick at each deadline between. */
void rig_wait(struct rig *r, uint64_t ms);

void rig_grant(struct rig *r, uint32_t lane, uint64_t since);
void rig_revoke(struct rig *r, uint32_t lane, uint64_t deadline);
void rig_fence(struct rig *r);
/* Answers to the lane's newest op. */
void rig_read(struct rig *r, uint32_t lane, const struct consume_record *record,
              uint64_t version); /* NULL: none */
void rig_read_fails(struct rig *r, uint32_t lane, int status);
void rig_written(struct rig *r, uint32_t lane, int status, uint64_t version);
void rig_begun(struct rig *r, uint32_t lane, uint64_t origin, uint64_t from);
void rig_message(struct rig *r, uint32_t lane, uint64_t position);
void rig_messages(struct rig *r, uint32_t lane, uint64_t from, uint64_t to);
void rig_say(struct rig *r, uint32_t lane, uint64_t position, uint32_t attempt,
             enum consume_verdict verdict);
void rig_ack(struct rig *r, uint32_t lane, uint64_t position, uint32_t attempt);
void rig_nak(struct rig *r, uint32_t lane, uint64_t position, uint32_t attempt);
void rig_buried(struct rig *r, uint32_t lane, uint64_t position, int status);
void rig_trouble(struct rig *r, uint32_t lane, int status);

/* A lane that reads a new partition from position 1 on, record version 2, token 1:since;
 * the trace is empty. */
void rig_reads(struct rig *r, uint32_t lane, uint64_t since);
/* The same over a record with version 'version'. */
void rig_reads_from(struct rig *r, uint32_t lane, uint64_t since,
                    const struct consume_record *record, uint64_t version);

struct consume_view rig_look(const struct rig *r, uint32_t lane);

#endif
