/* parti.h - libparti: be a worker of a group, in C
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A worker joins the group that its INI file names, is given partitions, and gives them
 * up when told.  At any instant at most one worker of the group holds a partition
 * (ownership = strict).  What is held is held until a deadline that moves on as long as
 * the group's leader is reached; parti_holds() says whether it has passed.
 *
 *     static void assigned(void *ctx, uint64_t epoch, const struct parti_partition *p,
 *                          size_t n) { ... start to work ... }
 *     static void revoking(void *ctx, uint64_t epoch, const struct parti_partition *p,
 *                          size_t n, uint64_t deadline_ms)
 *     { ... stop, flush, commit ...; parti_released(worker, epoch); }
 *
 * With a section [consume] in its file the worker also gets the messages of what it
 * holds, by the callback 'message', and answers each with parti_ack() or its kin.
 *
 * THREADS  Callbacks come one at a time from a thread of libparti; they may block, the
 *          worker keeps its lease meanwhile.  They may call everything here but
 *          parti_destroy().  'message' has threads of its own, and so has 'lease'.  All
 *          other functions: any thread, unless said otherwise.
 * KEEPING UP  65,536 events (or 512 MB of them) may wait behind a callback that does not
 *          return.  A revoke that cannot be told would be held for ever, so when one more
 *          event of the group does not fit, the worker gives everything up: from that
 *          instant parti_holds() is false for all of it, the waiting events are dropped,
 *          fenced() is the next callback and stopped() with code 607 the last.
 * MEMORY   What a callback is given is borrowed until it returns; struct parti_hold may
 *          be copied and kept for ever.  Texts of functions live until parti_destroy().
 * ERRORS   0 or a negative code; texts go to the caller's buffer.
 * RESIDUAL A thread that is frozen between its check and its side effect can act late.
 *          No lease prevents that: put the token on what you write and let the resource
 *          refuse a lower one.
 */
#ifndef PARTI_H
#define PARTI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PARTI_API __attribute__((visibility("default")))
#else
#define PARTI_API
#endif

struct parti_worker;

/* A right to one partition, to be checked before each side effect. */
struct parti_hold {
    uint32_t slot;
    uint32_t serial;
};

/* Fencing token of one grant: tokens of successive holders of a partition only grow.
 * Compare gen first, then since. */
struct parti_token {
    uint64_t gen;
    uint64_t since;
};

struct parti_partition {
    const char *id;  /* for people: keys joined by '/', percent-encoded, ends with NUL */
    const char *key; /* the keys themselves, joined by NUL, key_n bytes */
    size_t key_n;
    uint32_t weight;
    uint32_t reserved;
    struct parti_token token;
    struct parti_hold hold;
};

enum parti_state {
    PARTI_INIT,
    PARTI_CLAIMING_ID,
    PARTI_ELECTION,
    PARTI_WAITING_ASSIGNMENT,
    PARTI_STABLE,
    PARTI_SCALING,
    PARTI_REBALANCING,
    PARTI_EMERGENCY,
    PARTI_DEGRADED,
    PARTI_SHUTDOWN
};

/* Results; also in negative numbers not named here. */
enum {
    PARTI_ERR_MEMORY = -1,
    PARTI_ERR_CONFIG = -2,  /* the INI file or a plugin; the text says all */
    PARTI_ERR_TIMEOUT = -6, /* not in the time given */
    PARTI_ERR_OFFLINE = -7  /* the server cannot be reached */
};

struct parti_header {
    const char *name, *value; /* each ends with NUL, which does not count */
    size_t name_n, value_n;
};

/* What an answer names: one attempt at one message.  May be copied and kept for ever; an
 * answer to an attempt that is over is passed over. */
struct parti_ticket {
    struct parti_hold hold; /* of the partition */
    uint64_t position;
    uint32_t attempt;
    uint32_t run; /* of the reading of the partition */
    uint32_t stretch;
    uint32_t reserved;
};

/* Borrowed until the callback returns, all but the ticket. */
struct parti_message {
    size_t size; /* of this struct as libparti knows it */
    const struct parti_partition *partition;
    struct parti_ticket ticket;
    uint64_t position; /* ascends along the partition, with gaps */
    uint32_t attempt;  /* 1: the first */
    uint32_t header_n;
    int64_t time_ms;     /* when the broker took it, Unix time; 0: not known */
    const char *subject; /* subject or topic */
    const char *key;     /* of Kafka; NULL: none; key_n bytes */
    size_t key_n;
    const char *data; /* data_n bytes */
    size_t data_n;
    const struct parti_header *header; /* header_n of them; a name may stand twice */
};

/* Any may be NULL.  'size' is sizeof(struct parti_callbacks) at compile time. */
struct parti_callbacks {
    size_t size;
    void *ctx; /* handed to each */
    /* New grants only. */
    void (*assigned)(void *ctx, uint64_t epoch, const struct parti_partition *partition,
                     size_t n);
    /* Stop working on these, then call parti_released(worker, epoch), from here or later.
     * Until then they are held, and nobody else is given them.  deadline_ms: how long
     * [worker] revoke_timeout allows; nothing ends by itself when it passes. */
    void (*revoking)(void *ctx, uint64_t epoch, const struct parti_partition *partition,
                     size_t n, uint64_t deadline_ms);
    void (*released)(void *ctx, uint64_t epoch, const struct parti_partition *partition,
                     size_t n);
    /* Everything is lost at deadline_ns of CLOCK_BOOTTIME, which a running worker is told
     * the fence margin early; it has passed if the application did not keep up.  Nothing
     * need be answered. */
    void (*fenced)(void *ctx, const char *reason, uint64_t deadline_ns);
    void (*state)(void *ctx, enum parti_state from, enum parti_state to,
                  const char *reason);
    void (*leader)(void *ctx, uint64_t term, const char *leader);
    /* The worker's id is given; "" when it is lost. */
    void (*id)(void *ctx, const char *id);
    /* code: the number after PARTI-E, see parti-errors(7).  The worker goes on. */
    void (*error)(void *ctx, int code, const char *text);
    /* The worker has left, or could not go on (code as in error(), not 0); nothing comes
     * after it. */
    void (*stopped)(void *ctx, int code, const char *text);
    /* The deadline of everything that is held moved to deadline_ns of CLOCK_BOOTTIME;
     * several times a second, from the engine's own thread: must return at once. */
    void (*lease)(void *ctx, uint64_t deadline_ns);
    /* A message, when the file has [consume]: needed then.  Called on one of [consume]
     * handlers threads, one call at a time for each partition, in the order of positions,
     * after 'assigned' has returned for the partition.  Answer it from here or later,
     * from any thread: no answer within handle_timeout counts as parti_nak().  After a
     * revoke no further message comes, and the partition is not released before those
     * that were given are answered, or revoke_timeout has passed. */
    void (*message)(void *ctx, const struct parti_message *message);
    /* Every message of the partition below 'next' is done, and no crash undoes that. */
    void (*settled)(void *ctx, const struct parti_partition *partition, uint64_t next);
};

struct parti_options {
    size_t size;            /* sizeof(struct parti_options) at compile time */
    const char *config;     /* path of the INI file */
    const char *server;     /* NULL, or a URL that goes before the file's */
    const char *plugin_dir; /* NULL, or a directory that goes before the file's */
    const struct parti_callbacks *callbacks; /* copied */
};

/* Reads the configuration, loads the plugins, starts to connect and returns; everything
 * else comes through the callbacks.  On failure text[room] says what to do (several
 * lines if the file has several mistakes) and *ret_worker is untouched. */
PARTI_API int parti_create(struct parti_worker **ret_worker,
                           const struct parti_options *options, char *text, size_t room);

/* Is this partition ours at this instant?  No lock, no system call. */
PARTI_API int parti_holds(const struct parti_worker *worker, struct parti_hold hold);

/* Everything that was revoked at or before this epoch has stopped. */
PARTI_API void parti_released(struct parti_worker *worker, uint64_t epoch);

/* The answers to a message.  None of them blocks.
 * ack: it is done, and so is everything of the partition that was given before it. */
PARTI_API void parti_ack(struct parti_worker *worker, struct parti_ticket ticket);

/* Give it again, after delay_ms or, if that is 0, the pause that [consume] retry_first
 * and retry_max give; after attempts_max it goes to dead_letter.  Whatever was given
 * behind it comes again, too. */
PARTI_API void parti_nak(struct parti_worker *worker, struct parti_ticket ticket,
                         uint64_t delay_ms);

/* Never again: to dead_letter with it. */
PARTI_API void parti_term(struct parti_worker *worker, struct parti_ticket ticket);

/* Still at it: handle_timeout starts anew. */
PARTI_API void parti_progress(struct parti_worker *worker, struct parti_ticket ticket);

/* It was never looked at: give it again; the attempt does not count. */
PARTI_API void parti_return(struct parti_worker *worker, struct parti_ticket ticket);

/* Inside a callback: when the thing happened that it tells of, in ns of CLOCK_BOOTTIME
 * (the callback itself may come later).  Ascends from callback to callback. */
PARTI_API uint64_t parti_event_ns(const struct parti_worker *worker);

/* The worker's id, "" while it has none; its state. */
PARTI_API const char *parti_id(const struct parti_worker *worker);
PARTI_API enum parti_state parti_state(const struct parti_worker *worker);
PARTI_API const char *parti_state_name(enum parti_state state);

/* Blocks until the state is reached, PARTI_ERR_TIMEOUT after timeout_ms. */
PARTI_API int parti_wait(struct parti_worker *worker, enum parti_state state,
                         uint64_t timeout_ms);

/* Asks the leader to list the sources again now; it does so if it can. */
PARTI_API void parti_refresh(struct parti_worker *worker);

/* Begins to leave: everything is revoked, given to others, and the place is given up.
 * With restart != 0 the place is kept for [worker] restart_grace: whoever comes back
 * under the same id finds everything as it was.  parti_wait(worker, PARTI_SHUTDOWN, ...)
 * tells when it is done. */
PARTI_API void parti_stop(struct parti_worker *worker, int restart);

/* Ends at once, gracefully left or not, waits for the callbacks that run, and frees.
 * Accepts NULL.  Not from a callback. */
PARTI_API void parti_destroy(struct parti_worker *worker);

#ifdef __cplusplus
}
#endif
#endif
