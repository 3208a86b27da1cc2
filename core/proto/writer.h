/* One conditional write at a time, until its outcome is known.
 *
 *   asked -> acked
 *         -> unknown (time-out) -> read the key: there with the next sequence, and the
 *                                  lease still ours = acked; else write the same again
 *         -> rejected -> read the key: there, and the lease ours = acked; else read the
 *                        lease: not ours = deposed (who takes over expects another's:
 *                        as long as that one is there, go on); then ask for the last
 *                        sequence: as expected = an earlier try is still under way, or
 *                        the rejection was spurious: write again; one more, and an
 *                        earlier try unknown = read the key once more; else the chain
 *                        is broken
 *
 * While a write is under way nats-server 2.15 rejects the same at once, and reads show
 * what was there before: neither done nor not done.  So a try that timed out is waited
 * for, up to WRITER_UNKNOWN_MS, and what it meets is not counted as spurious.
 *
 * From doubt_ms on the lease is read before each try, and a try follows only if it is
 * ours: a sequence alone may be right by chance in a log that went back and has grown
 * again, and whoever has had no authority for long has not noticed.
 *
 * The same bytes may be another leader's: it may put the same head back, or make the same
 * own record.  Only a lease, with its nonce, speaks for itself.
 *
 * "A rejected condition means 'read again', never by itself 'lost'" (protocol.md,
 * Storage).  I15: nothing is concluded from an unknown outcome.  Called only from
 * node*.c.
 */
#ifndef PARTI_PROTO_WRITER_H
#define PARTI_PROTO_WRITER_H

#include "proto/action.h"
#include "proto/event.h"

enum {
    WRITER_SPURIOUS_MAX = 3,
    WRITER_RETRY_MS = 50,
    WRITER_UNKNOWN_MS = 10000, /* since the first try: then no write is under way */
    PATIENCE_LEAST_MS = 100,
    PATIENCE_MOST_MS = 1000
};

enum writer_state {
    WRITER_IDLE,
    WRITER_READING_FIRST, /* in doubt: is the lease still ours? */
    WRITER_WRITING,
    WRITER_READING_KEY,
    WRITER_CHECKING_LEASE, /* the bytes are there: are they ours? */
    WRITER_READING_LEASE,
    WRITER_READING_INFO,
    WRITER_WAITING /* before another try */
};

enum writer_result {
    WRITER_NOTHING, /* not yet */
    WRITER_ACKED,   /* seq and sent_ms are good */
    WRITER_DEPOSED  /* somebody else writes to this log: stop leading */
};

struct writer {
    enum writer_state state;
    uint64_t op;
    char key[KEY_ROOM];
    uint64_t timeout_ms; /* of a first try: see log_patience_ms() */
    uint32_t tries;      /* answers that did not come in time since a write was quick */
    uint64_t asked_ms;   /* when the operation under way was asked for */
    const void *data;    /* the caller keeps it unchanged until the result */
    size_t n;
    uint64_t expect_seq;
    bool has_key_seq;
    uint64_t expect_key_seq;
    struct session session; /* whose lease must stand in the log */
    uint64_t term;
    uint64_t doubt_ms; /* the end of the authority; 0: there is none yet to lose */
    uint64_t sent_ms;  /* first try: what an authority may be counted from */
    uint64_t retry_ms;
    uint32_t spurious;
    bool was_rejected;
    bool is_unknown;    /* a try of this write has timed out: it may still be under way */
    bool is_key_right;  /* rejected: the key's sequence is as expected */
    bool is_read_again; /* the key, because the log has gone on by one */
    uint64_t seq;       /* WRITER_ACKED; or of the bytes that are there */
    uint64_t errors;    /* outcomes other than acked and rejected, ever; giving up a first
                           try soon is none */
};

/* How long to wait for an answer of the log.  One lost answer must cost less than an
 * authority lasts, so the first try is given up soon (what became of it is then read);
 * a log that is slow all the time gets longer. */
uint64_t log_patience_ms(uint64_t first_ms, uint32_t tries);

/* Starts a write; the writer must be idle.  '*op' numbers operations. */
void writer_start(struct writer *w, uint64_t now_ms, uint64_t *op, struct actions *out);

/* Takes the answer that carries the operation's number; others are ignored. */
enum writer_result writer_answer(struct writer *w, const struct event *ev, uint64_t *op,
                                 struct actions *out);

/* Tries again when it is time. */
void writer_time(struct writer *w, uint64_t now_ms, uint64_t *op, struct actions *out);

/* Forgets what is under way (after being deposed). */
void writer_reset(struct writer *w);

#endif
