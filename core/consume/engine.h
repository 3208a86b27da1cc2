/* The rules by which messages follow their partition; core/CONSUMING.md says them in
 * words.  Pure: fed events that carry the time, writes actions; no clock, no thread, no
 * memory of its own after start.  Who drives it: core/host/consumer.c, tests/consume.
 *
 * One lane for each partition of this worker.  A lane:
 *
 *   IDLE      not held
 *   CLAIMING  the position record is read, then written with our token
 *   READING   a run of the plugin delivers; messages go to the handler
 *   DRAINING  revoked: nothing new to the handler; what it has is waited for, then the
 *             last position is written
 *   STUCK     cannot go on without somebody's help; tried again with growing pauses
 *
 *   C1  Nothing is read before our claim is in the record.
 *   C2  A record is written on condition of the version read or written last; a conflict
 *       means that somebody with a greater token has it: the lane ends, nothing else.
 *   C3  A claim whose record holds a greater token than ours is not made.
 *   C4  'next' in the record moves only over positions the handler has acknowledged, or
 *       whose dead letter is safe.
 *   C5  The handler has one unbroken stretch of a lane, in order, at most 'deliver_max'
 *       of it; after anything but an ack the stretch begins again at that message.
 *   C6  What the handler does not answer in 'handle_timeout_ms' counts as a nak.  An
 *       answer to an attempt that is over is passed over.
 *   C7  A nak waits retry_first_ms, doubled each time up to retry_max_ms, or what the
 *       handler asked for; other lanes go on meanwhile.
 *   C8  After 'attempts_max' attempts, or a term, the message becomes a dead letter; with
 *       no place for dead letters it is retried for ever at retry_max_ms and said so.
 *   C9  Attempts are carried in the record, so that a message that kills its worker
 *       meets its limit, too: a claim of a record that was not released counts one
 *       attempt of the message at 'next', if it was given to a handler.
 *   C10 A fence ends every lane at once: no record is written after it.
 *   C11 A lane is clear (may be released) when the handler has nothing of it and its last
 *       record is written, or its deadline (revoke) has passed: then without the record.
 *   C12 The credit given for a lane, and all lanes together, never exceeds what there is
 *       room for.
 *   C13 A record of another origin than the broker's is void: the lane starts at the
 *       first position there is, and says so.
 */
#ifndef PARTI_CONSUME_ENGINE_H
#define PARTI_CONSUME_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct consume;

struct consume_token {
    uint64_t gen, since;
};

/* The position record of a partition as the store holds it. */
struct consume_record {
    struct consume_token token;
    uint64_t origin, next;
    uint32_t attempts;   /* of the message at 'next', begun so far */
    bool is_begun;       /* the message at 'next' was given to a handler */
    bool is_released;    /* the last writer gave the partition up in order */
};

struct consume_options {
    uint32_t lanes_max;    /* slots of partitions */
    uint32_t messages_max; /* of all lanes: waiting or with the handler */
    uint32_t lane_max;     /* of one lane */
    uint32_t deliver_max;  /* of one lane with the handler; 1: one after the other */
    uint32_t attempts_max; /* 0: no limit */
    bool has_dead_letter;
    uint64_t handle_timeout_ms;
    uint64_t retry_first_ms, retry_max_ms;
    uint64_t commit_interval_ms; /* between two records of a lane */
    uint32_t commit_messages;    /* or as soon as so many are done */
    uint32_t writes_max;         /* unanswered reads and writes of records */
};

/* ---- events ------------------------------------------------------------------------ */

enum consume_event_type {
    CONSUME_GRANT,    /* lane, token; ids are the driver's */
    CONSUME_REVOKE,   /* lane, deadline_ms */
    CONSUME_FENCE,    /* all lanes */
    CONSUME_READ,     /* lane, op, status, record, version: the answer to DO_READ.  With
                         NOTFOUND the version may be another than 0: somebody has deleted
                         the record, and a write must expect that version */
    CONSUME_WRITTEN,  /* lane, op, status, version: the answer to DO_WRITE */
    CONSUME_BEGUN,    /* lane, run, origin, position; once a run, before its messages */
    CONSUME_MESSAGE,  /* lane, run, position, message */
    CONSUME_VERDICT,  /* lane, position, attempt, verdict, delay_ms */
    CONSUME_BURIED,   /* lane, run, position, status */
    CONSUME_TROUBLE,  /* lane, run, status: OK (reads again), INVALID (needs help: stop,
                         start later), BUG (the plugin is shut off: as INVALID), any
                         other (the plugin goes on trying) */
    CONSUME_TICK
};

enum consume_verdict {
    VERDICT_ACK,      /* this one and all of the stretch before it */
    VERDICT_NAK,      /* this one again; delay_ms, or 0 for the rule's */
    VERDICT_TERM,     /* this one never again */
    VERDICT_PROGRESS, /* still at it: the time-out starts anew */
    VERDICT_RETURN    /* this one and all behind it were never looked at: given again as
                         soon as they may be, and the attempt does not count */
};

struct consume_event {
    enum consume_event_type type;
    uint64_t now_ms;
    uint32_t lane;
    int status; /* STATUS_*: OK, NOTFOUND (READ: no record), CONFLICT, TIMEOUT, ... */
    uint64_t run, op, version;
    uint64_t position, origin;
    uint64_t deadline_ms, delay_ms;
    uint32_t attempt;
    enum consume_verdict verdict;
    struct consume_token token;
    struct consume_record record;
    void *message; /* the driver's; given back by DO_FORGET exactly once */
};

/* ---- actions ----------------------------------------------------------------------- */

enum consume_action_type {
    DO_READ,    /* lane, op: read its record */
    DO_WRITE,   /* lane, op, record, version (expected; 0: there is none) */
    DO_START,   /* lane, run, token, origin, position: a run from 'next' on */
    DO_CREDIT,  /* lane, n */
    DO_DELIVER, /* lane, position, attempt, message, token: to the handler, in order */
    DO_CANCEL,  /* lane: the handler should give up what it has (fence, time-out) */
    DO_BURY,    /* lane, position, attempt, message, reason */
    DO_DONE,    /* lane, position: 'next' is durable */
    DO_STOP,    /* lane, is_last */
    DO_FORGET,  /* message: nobody looks at it any more */
    DO_CLEAR,   /* lane: a revoke is fulfilled */
    DO_SAY      /* lane, code (errors.def), text: for people */
};

struct consume_action {
    enum consume_action_type type;
    uint32_t lane;
    uint64_t run, op, version, position, origin, n;
    uint32_t attempt;
    bool is_last;
    struct consume_token token;
    struct consume_record record;
    void *message;
    int code;
    const char *text; /* until the next call */
};

typedef void (*consume_perform)(void *ctx, const struct consume_action *action);

/* All memory is taken here.  STATUS_NOMEM, STATUS_INVALID (a limit of 0). */
int consume_create(struct consume **ret, const struct consume_options *options,
                   consume_perform perform, void *ctx);
void consume_destroy(struct consume *c); /* forgets all messages; accepts NULL */

/* 'perform' is called from inside, never for another consume, and may not call back. */
void consume_step(struct consume *c, const struct consume_event *event);

/* When CONSUME_TICK is next needed; UINT64_MAX: never. */
uint64_t consume_deadline_ms(const struct consume *c);

#endif
