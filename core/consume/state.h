/* What the parts of the engine share.  Seen by its .c files alone.
 *
 * From below: timer (which lane is due), pool (messages and credit), store (reads and
 * writes of records), flow (messages to and from the handler), lane (claim, drain, end),
 * engine (events to the right part).
 */
#ifndef PARTI_CONSUME_STATE_H
#define PARTI_CONSUME_STATE_H

#include "base/bytes.h"
#include "consume/engine.h"

enum { NOBODY = UINT32_MAX };

enum {
    PAUSE_FIRST_MS = 100, /* before a store or a reader is tried again, then doubled */
    PAUSE_MAX_MS = 10000,
    SPENT_AGAIN_MS = 600000, /* before it is said again that a message is spent */
    TEXT_ROOM = 200
};

/* A message of a lane. */
struct entry {
    uint64_t position;
    void *message;
    uint32_t next;    /* of the lane, or in the free list */
    uint32_t tries;   /* times given to a handler */
    uint32_t idle;    /* of those, never begun by one */
    uint32_t fails;   /* attempts that ended without an ack; CONSUME_TERMED */
    uint32_t stretch; /* in which it was given last */
    bool is_dead;     /* C8: to be buried */
};

enum phase {
    PHASE_IDLE,
    PHASE_CLAIMING,
    PHASE_READING,
    PHASE_RESETTING, /* the handler is waited for, then the claim is made anew */
    PHASE_DRAINING
};

struct lane {
    /* what each message touches */
    enum phase phase;
    bool is_running; /* between DO_START and DO_STOP */
    bool has_begun;  /* CONSUME_BEGUN came */
    bool is_stuck;   /* the reader is; restart_ms */
    bool is_dirty;   /* there is something to write since dirty_ms */
    bool is_burying;
    bool waits_for_answers; /* given no more before the handler has nothing */
    uint32_t first, last;   /* its queue; NOBODY */
    uint32_t give;          /* the first entry not with the handler; NOBODY */
    uint32_t queued, given, credit;
    uint32_t undone_n;     /* done since what the durable record says */
    uint32_t unsent_n;     /* done since the record was sent last */
    uint32_t careful_n;    /* C9: so many messages still go carefully */
    uint64_t run, seen_to; /* first position that may come in this run */
    uint64_t stretch;      /* grows with each that is cut short */
    uint64_t next;
    uint64_t answer_ms; /* C6, while given > 0 */
    uint64_t give_ms;   /* C7: not before */
    uint64_t dirty_ms;

    /* the hold */
    struct consume_token token;
    bool has_claimed; /* with this token, in this hold */
    bool is_suspect;
    bool has_said;      /* the store's trouble, once in a row */
    bool has_said_bury; /* as has_said */
    bool is_spent;      /* a message fails for good and has no place to go to */
    bool has_said_late; /* a handler's silence, until it answers with an ack */
    bool spent_by_term; /* what was said last of a message that is spent: why, */
    uint64_t spent_to;  /* behind which position, 0: nothing; and when */
    uint64_t spent_ms;
    uint64_t origin;
    uint64_t void_origin; /* C13: of the record, while it is void; else 0 */
    uint64_t claimed_next;
    uint64_t carry_at; /* C9: attempts of a message that is not here yet */
    uint32_t carry_fails;
    bool is_revoked;
    uint64_t deadline_ms;                  /* of the revoke; UINT64_MAX */
    uint64_t restart_ms, restart_pause_ms; /* of the reader, the last time */
    uint64_t bury_ms, bury_pause_ms;

    /* the record */
    uint64_t op; /* unanswered; 0: none */
    bool has_read;
    bool is_unsure;   /* C2: read before anything is written */
    bool is_awaiting; /* in the row for an op */
    bool is_hungry;   /* in the row for credit */
    uint64_t version;
    uint64_t store_ms, store_pause_ms; /* not before */
    uint32_t await_next, hungry_next;
    struct consume_record durable, sent;

    uint32_t due_at; /* in the heap; NOBODY */
};

/* One unanswered read or write. */
struct op {
    uint64_t op; /* 0: free */
    uint64_t due_ms;
    uint32_t lane;
    bool is_write;
    uint32_t before, after; /* by age; 'after' in the free list as well */
};

struct due {
    uint64_t at_ms;
    uint32_t lane;
};

/* A row of lanes, first come first served; the links are in the lanes. */
struct row {
    uint32_t first, last;
};

struct consume {
    struct consume_options options;
    consume_perform perform;
    void *ctx;
    uint64_t now_ms;
    uint32_t given_max;      /* of a lane, with the handler or ahead of it */
    uint32_t span_max;       /* C12: done and not durable, or with the handler */
    uint32_t held;           /* lanes not idle */
    uint32_t quota;          /* of messages of a lane */
    uint32_t over, over_max; /* messages and credit beyond the one of each lane */
    uint32_t entry_free;
    uint32_t op_free, op_first, op_last;
    uint64_t op_serial;
    struct row hungry, awaiting;
    uint32_t due_n;
    struct lane *lane;
    struct entry *entry;
    struct op *op;
    struct due *due;
    char text[TEXT_ROOM];
};

static inline uint32_t lane_number(const struct consume *c, const struct lane *l)
{
    return (uint32_t)(l - c->lane);
}

static inline int token_compare(struct consume_token a, struct consume_token b)
{
    if (a.gen != b.gen)
        return a.gen < b.gen ? -1 : 1;
    return a.since < b.since ? -1 : a.since > b.since;
}

/* ---- engine.c */

void say(struct consume *c, const struct lane *l, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* With the status that is the cause. */
void say_why(struct consume *c, const struct lane *l, int code, int status,
             const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A pause that doubles up to PAUSE_MAX_MS; *pause is 0 at first.  Returns its end. */
uint64_t pause_end(const struct consume *c, uint64_t *pause);

/* ---- timer.c */

/* The lane is looked at by 'at_ms'; earlier is right, later never. */
void timer_need(struct consume *c, struct lane *l, uint64_t at_ms);
/* The next lane whose time has come, out of the heap; NULL: none. */
struct lane *timer_pop(struct consume *c);

/* ---- pool.c */

void pool_init(struct consume *c);
/* Uses up one of the lane's credit. */
uint32_t pool_push(struct consume *c, struct lane *l, uint64_t position, void *message);
/* Forgets the first message; it is not with the handler any more. */
void pool_pop(struct consume *c, struct lane *l);
/* A message that came was not kept: its credit is to be given again. */
void pool_skip(struct consume *c, struct lane *l);
void pool_drop(struct consume *c, struct lane *l);        /* forgets all messages */
void pool_drop_credit(struct consume *c, struct lane *l); /* the run ended */
void pool_feed(struct consume *c, struct lane *l);        /* gives the credit due to it */
void pool_serve(struct consume *c);                       /* feeds who waits for credit */
void pool_held(struct consume *c, int change);
void forget(struct consume *c, const struct lane *l, void *message);

/* ---- store.c */

void store_init(struct consume *c);
void store_answer(struct consume *c, const struct consume_event *ev);
/* Reads or writes if there is a reason to, and room. */
void store_work(struct consume *c, struct lane *l);
void store_serve(struct consume *c);  /* works for who waits for room */
void store_expire(struct consume *c); /* ops without an answer */
/* When store_work() has something to do; UINT64_MAX: not by itself. */
uint64_t store_due(const struct consume *c, const struct lane *l);
/* There is something to write. */
void store_dirty(struct consume *c, struct lane *l);

/* ---- flow.c */

void flow_begun(struct consume *c, struct lane *l, const struct consume_event *ev);
void flow_message(struct consume *c, struct lane *l, const struct consume_event *ev);
void flow_verdict(struct consume *c, struct lane *l, const struct consume_event *ev);
void flow_buried(struct consume *c, struct lane *l, const struct consume_event *ev);
void flow_timeout(struct consume *c, struct lane *l);
void flow_work(struct consume *c, struct lane *l); /* delivers and buries */
/* Where the lane begins is known, and not yet in the record (C1). */
bool flow_has_new_origin(const struct lane *l);
uint64_t flow_due(const struct consume *c, const struct lane *l);
/* The message at the head waits until the record says that it is begun (C9). */
bool flow_wants_record(const struct consume *c, const struct lane *l);

/* ---- lane.c */

void lane_grant(struct consume *c, struct lane *l, struct consume_token token);
void lane_revoke(struct consume *c, struct lane *l, uint64_t deadline_ms);
void lane_end(struct consume *c, struct lane *l); /* at once, without a word */
void lane_lost(struct consume *c, struct lane *l, const struct consume_record *record);
void lane_trouble(struct consume *c, struct lane *l, int status);
void lane_broken(struct consume *c, struct lane *l, const char *what);
/* The record that a claim writes over what was read. */
void lane_claim(struct consume *c, struct lane *l, const struct consume_record *read,
                bool exists);
void lane_claimed(struct consume *c, struct lane *l);
void lane_reset(struct consume *c, struct lane *l);
void lane_released(struct consume *c, struct lane *l);
/* What follows from the lane's state, after anything happened to it. */
void lane_work(struct consume *c, struct lane *l);
/* The same, after time has passed. */
void lane_tick(struct consume *c, struct lane *l);

#endif
