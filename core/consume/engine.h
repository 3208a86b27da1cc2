/* The rules by which messages follow their partition; core/CONSUMING.md says them in
 * words.  Pure: fed events that carry the time, writes actions; no clock, no thread, no
 * allocator: all memory is given at init.  One thread at a time.  Who drives it:
 * core/host/consumer.c, tests/consume.
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
 *   C1  Nothing is read before our claim is in the record, and nothing goes to the
 *       handler before the record says where the partition, or its new life, begins.
 *   C2  A record is written on condition of the version read or written last.  After a
 *       conflict or an unknown outcome it is read: if somebody with a greater token has
 *       it, the lane ends, nothing else; if it is ours (an answer was lost) the lane goes
 *       on; if our claim is gone (somebody put a position there by hand) the lane waits
 *       for its handler and claims anew.
 *   C3  A claim whose record holds a greater token than ours is not made.
 *   C4  'next' in the record moves only over positions the handler has acknowledged, or
 *       whose dead letter is safe, or that the broker no longer has.
 *   C5  The handler has one unbroken stretch of a lane, in order, at most 'deliver_max'
 *       of it; after anything but an ack the stretch begins again at that message.
 *   C6  What the handler does not answer in 'handle_timeout_ms' counts as a nak.  An
 *       answer to an attempt that is over is passed over; where the handler has ended
 *       the stretch by it, the next begins.
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
 *       room for; and what was done since the last durable record never exceeds twice
 *       'commit_messages': then nothing more is given to the handler.
 *   C13 A record of another origin than the broker's is void: the lane starts at the
 *       first position there is, and says so.  Until it has begun there the record keeps
 *       the void origin, with 'next' 0, so that a next holder does the same and does not
 *       take the partition for one that never had a position.
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

/* The position record of a partition as the store holds it; record.h has its bytes.
 *
 * Positions have gaps, so "the message at 'next'" is the first one from 'next' on; 'at'
 * says which one was meant when attempts were counted.  A claim over a record that was
 * not released is suspect; a claim over a suspect one of those goes carefully: until as
 * many messages are done as the dead holders may have been given, each is written down
 * as begun before it is given.  So two workers more than 'attempts_max' meet a message
 * that kills them (and those that die of something else), and no other message pays. */
struct consume_record {
    struct consume_token token;
    uint64_t origin, next;
    uint64_t at;       /* the position that attempts and is_begun speak of */
    uint32_t attempts; /* that ended without an ack; CONSUME_TERMED: never again */
    bool is_begun;     /* one more was begun */
    bool is_released;  /* the last writer gave the partition up in order */
    bool is_suspect;   /* was claimed unreleased, and nothing was done since */
};

#define CONSUME_TERMED UINT32_MAX

struct consume_options {
    uint32_t lanes_max;    /* slots of partitions */
    uint32_t messages_max; /* of all lanes: waiting or with the handler; room for one of
                              each lane is there in any case */
    uint32_t lane_max;     /* of one lane */
    uint32_t deliver_max;  /* of one lane with the handler; 1: one after the other */
    uint32_t ahead_max;    /* where deliver_max is 1: so many of a lane may be given at
                              once, since the driver holds them back and begins each
                              when the one before it has its ack; 0: one */
    uint32_t attempts_max; /* 0: no limit */
    bool has_dead_letter;
    uint64_t handle_timeout_ms; /* of the first that the handler has; 0: for ever */
    uint64_t retry_first_ms, retry_max_ms;
    uint64_t commit_interval_ms; /* between two records of a lane */
    uint32_t commit_messages;    /* or as soon as so many are done */
    uint32_t writes_max;         /* unanswered reads and writes of records */
};

/* How long the engine waits for the answer to DO_READ or DO_WRITE before it takes the
 * outcome as unknown; the driver may say STATUS_TIMEOUT earlier. */
enum { CONSUME_STORE_TIMEOUT_MS = 10000 };

/* ---- events ------------------------------------------------------------------------ */

enum consume_event_type {
    CONSUME_GRANT,   /* lane, token; ids are the driver's */
    CONSUME_REVOKE,  /* lane, deadline_ms (UINT64_MAX: none); answered by DO_CLEAR unless
                        a fence comes first */
    CONSUME_FENCE,   /* all lanes */
    CONSUME_READ,    /* lane, op, status, record, version: the answer to DO_READ;
                        NOTFOUND: no record, version 0 or that of its deletion */
    CONSUME_WRITTEN, /* lane, op, status, version: the answer to DO_WRITE; CONFLICT:
                        surely not written; any other failure: perhaps written, also later
                      */
    CONSUME_BEGUN,   /* lane, run, origin, position */
    CONSUME_MESSAGE, /* lane, run, position, message */
    CONSUME_VERDICT, /* lane, run, stretch (those of DO_DELIVER; 0: not told; of the
                        stretch 32 bits will do), position, attempt, verdict, delay_ms */
    CONSUME_BURIED,  /* lane, run, position, status */
    CONSUME_TROUBLE, /* lane, run, status: OK; INVALID, DENIED, UNSUPPORTED or CORRUPT:
                        not without help, tried again with growing pauses; any other: the
                        plugin goes on trying */
    CONSUME_TICK
};

enum consume_verdict {
    VERDICT_ACK,      /* this one and all of the stretch before it */
    VERDICT_NAK,      /* this one again; delay_ms, or 0 for the rule's */
    VERDICT_TERM,     /* this one never again */
    VERDICT_PROGRESS, /* still at it: the time-out starts anew */
    VERDICT_RETURN    /* this one and all behind it were never looked at: given again when
                         those before it are answered, and the attempt does not count */
};

struct consume_event {
    enum consume_event_type type;
    uint64_t now_ms;
    uint32_t lane;
    int status; /* STATUS_*: OK, NOTFOUND (READ: no record), CONFLICT, TIMEOUT, ... */
    uint64_t run, stretch, op, version;
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
    DO_CREDIT,  /* lane, run, n */
    DO_DELIVER, /* lane, run, stretch, position, attempt, message, token: to the handler,
                   in order; each giving of a message has an attempt of its own, also when
                   it is given again only because one before it failed.  After a verdict
                   of NAK, TERM or RETURN, and after DO_CANCEL, the handler begins nothing
                   more of that stretch, neither what waits nor what is still to come of
                   it: it comes again in a later one.  'count' is for people: what was
                   given ahead or returned and never begun does not count in it */
    DO_CANCEL, /* lane: the handler should give up what it has not begun, of every stretch
                  so far (fence, time-out, or a verdict at an earlier stretch than its
                  newest); answers to what it has begun are taken as they come */
    DO_BURY,   /* lane, run, position, attempt, count, message, reason, text */
    DO_DONE,   /* lane, run, position: 'next' is durable */
    DO_STOP,   /* lane, run, is_last: after a revoke; else (fence, conflict, new run) what
                  the broker holds is left as it is, for it may be another's by now */
    DO_FORGET, /* lane, message: the engine does not look at it any more; a handler whose
                  attempt timed out may */
    DO_CLEAR,  /* lane: a revoke is fulfilled */
    DO_SAY     /* lane, code (errors.def), text: for people, without a full stop; status:
                  the cause, where nobody knows a better one; OK: the text has it */
};

enum consume_reason {
    REASON_NONE,
    REASON_ATTEMPTS, /* 'attempts_max' attempts failed */
    REASON_TERM      /* the handler's word */
};

struct consume_action {
    enum consume_action_type type;
    uint32_t lane;
    uint64_t run, op, version, position, origin, n, stretch;
    uint32_t attempt;
    uint32_t count; /* DO_DELIVER, DO_BURY: the how manieth time a handler has it */
    bool is_last;
    struct consume_token token;
    struct consume_record record;
    void *message;
    int code, status;
    enum consume_reason reason;
    const char *text; /* until the next call */
};

typedef void (*consume_perform)(void *ctx, const struct consume_action *action);

/* Bytes that consume_init() needs; 0: options that it refuses.  Big, mostly untouched:
 * take it from calloc(). */
size_t consume_size(const struct consume_options *options);

/* 'memory' is zeroed and aligned for any type; the engine lives in it until the caller
 * frees it after consume_finish().  STATUS_INVALID: a limit of 0, or too large;
 * STATUS_NOMEM: 'size' is too small. */
int consume_init(struct consume **ret, void *memory, size_t size,
                 const struct consume_options *options, consume_perform perform,
                 void *ctx);

void consume_finish(struct consume *c); /* forgets all messages; accepts NULL */

/* 'perform' is called from inside, never for another consume, and may not call back.
 * now_ms never falls. */
void consume_step(struct consume *c, const struct consume_event *event);

/* When CONSUME_TICK is next needed; UINT64_MAX: never.  May be early, never late. */
uint64_t consume_deadline_ms(const struct consume *c);

/* ---- to look at ----------------------------------------------------------------------
 */

/* STUCK: it cannot be claimed or read, or a message of it has no place to go to. */
enum consume_state { LANE_IDLE, LANE_CLAIMING, LANE_READING, LANE_DRAINING, LANE_STUCK };

struct consume_view {
    enum consume_state state;
    struct consume_token token;
    uint64_t run, origin, next;
    uint64_t durable;  /* 'next' in the record, as far as we know */
    uint32_t queued;   /* messages here, those with the handler included */
    uint32_t given;    /* with the handler */
    uint32_t credit;   /* given to the plugin and not yet used */
    uint32_t attempts; /* of the first message, ended without an ack */
    bool is_careful;   /* C9 */
};

void consume_look(const struct consume *c, uint32_t lane, struct consume_view *ret);

/* ---- on the heap, for the host: core/host/consume_create.c
 * ----------------------------- */

/* Takes all memory.  As consume_init(). */
int consume_create(struct consume **ret, const struct consume_options *options,
                   consume_perform perform, void *ctx);
void consume_destroy(struct consume *c); /* consume_finish(), and frees; accepts NULL */

#endif
