#include "proto/writer.h"

#include "base/must.h"
#include "base/status.h"
#include "proto/emit.h"
#include "proto/head.h"

#include <string.h>

enum { TRIES_MAX = 8 };

uint64_t log_patience_ms(uint64_t first_ms, uint32_t tries)
{
    uint64_t ms = first_ms > PATIENCE_LEAST_MS ? first_ms : PATIENCE_LEAST_MS;

    if (first_ms == 0)
        return 0;
    for (uint32_t i = 0; i < tries && ms < PATIENCE_MOST_MS; i++)
        ms += ms / 2;
    return ms < PATIENCE_MOST_MS ? ms : PATIENCE_MOST_MS;
}

static void ask(struct writer *w, enum writer_state state, enum action_type type,
                const char *key, uint64_t now_ms, uint64_t *op, struct actions *out)
{
    struct action *a = emit(out, type);

    w->asked_ms = now_ms;
    a->log.timeout_ms = log_patience_ms(w->timeout_ms, w->tries);

    w->state = state;
    w->op = ++*op;
    a->log.op = w->op;
    (void)memcpy(a->log.key, key, strlen(key) + 1);
    a->log.expect_seq = w->expect_seq;
    a->log.has_key_seq = w->has_key_seq;
    a->log.expect_key_seq = w->expect_key_seq;
    a->log.data = w->data;
    a->log.n = w->n;
}

/* PROTOCOL.md, "What no lease can prevent": within an authority the sequence is the
 * fence, after it nobody may rest on it alone. */
static void try_write(struct writer *w, uint64_t now_ms, uint64_t *op,
                      struct actions *out)
{
    if (w->doubt_ms != 0 && now_ms >= w->doubt_ms)
        ask(w, WRITER_READING_FIRST, ACT_LOG_READ, "lease", now_ms, op, out);
    else
        ask(w, WRITER_WRITING, ACT_LOG_WRITE, w->key, now_ms, op, out);
}

void writer_start(struct writer *w, uint64_t now_ms, uint64_t *op, struct actions *out)
{
    must(w->state == WRITER_IDLE);
    w->sent_ms = now_ms;
    w->spurious = 0;
    w->is_unknown = w->is_read_again = false;
    try_write(w, now_ms, op, out);
}

static enum writer_result acked(struct writer *w, uint64_t seq)
{
    w->state = WRITER_IDLE;
    w->seq = seq;
    return WRITER_ACKED;
}

static enum writer_result wait(struct writer *w, uint64_t now_ms)
{
    w->state = WRITER_WAITING;
    w->retry_ms = now_ms + WRITER_RETRY_MS;
    return WRITER_NOTHING;
}

static enum writer_result on_written(struct writer *w, const struct event *ev,
                                     uint64_t *op, struct actions *out)
{
    if (ev->log.status == STATUS_OK)
        return acked(w, ev->log.seq);
    w->was_rejected = ev->log.status == STATUS_CONFLICT;
    w->is_unknown |= ev->log.status == STATUS_TIMEOUT;
    bool is_given_up_soon = ev->log.status == STATUS_TIMEOUT && w->timeout_ms > 0 &&
                            w->asked_ms == w->sent_ms;

    if (!w->was_rejected && !is_given_up_soon)
        w->errors++;
    if (w->was_rejected || ev->log.status == STATUS_TIMEOUT) {
        ask(w, WRITER_READING_KEY, ACT_LOG_READ, w->key, ev->now_ms, op, out);
        return WRITER_NOTHING;
    }
    return wait(w, ev->now_ms); /* it did not happen: offline, no space, ... */
}

static enum writer_result on_key(struct writer *w, const struct event *ev, uint64_t *op,
                                 struct actions *out)
{
    bool is_there = ev->log.status == STATUS_OK && ev->log.seq == w->expect_seq + 1 &&
                    ev->log.n == w->n && memcmp(ev->log.data, w->data, w->n) == 0;

    if (is_there && strcmp(w->key, "lease") == 0)
        return acked(w, ev->log.seq);
    if (is_there) {
        w->seq = ev->log.seq;
        ask(w, WRITER_CHECKING_LEASE, ACT_LOG_READ, "lease", ev->now_ms, op, out);
        return WRITER_NOTHING;
    }
    if (ev->log.status != STATUS_OK && ev->log.status != STATUS_NOTFOUND) {
        w->errors++;
        return wait(w, ev->now_ms);
    }
    if (!w->was_rejected)
        return wait(w, ev->now_ms); /* unknown and not there: the same again is safe */
    w->is_key_right =
        !w->has_key_seq ||
        (ev->log.status == STATUS_OK ? ev->log.seq : 0) == w->expect_key_seq;
    /* Who takes over expects a lease that is not its own. */
    if (w->is_key_right && w->has_key_seq && strcmp(w->key, "lease") == 0)
        ask(w, WRITER_READING_INFO, ACT_LOG_INFO, "", ev->now_ms, op, out);
    else
        ask(w, WRITER_READING_LEASE, ACT_LOG_READ, "lease", ev->now_ms, op, out);
    return WRITER_NOTHING;
}

static enum writer_result on_lease(struct writer *w, const struct event *ev, uint64_t *op,
                                   struct actions *out)
{
    struct lease_record lease;

    if (ev->log.status == STATUS_NOTFOUND)
        return WRITER_DEPOSED;
    if (ev->log.status != STATUS_OK) {
        w->errors++;
        return wait(w, ev->now_ms);
    }
    if (lease_decode(&lease, ev->log.data, ev->log.n) < 0 ||
        !session_equal(lease.session, w->session) || lease.term != w->term)
        return WRITER_DEPOSED;
    if (w->state == WRITER_CHECKING_LEASE)
        return acked(w, w->seq);
    if (w->state == WRITER_READING_FIRST) {
        ask(w, WRITER_WRITING, ACT_LOG_WRITE, w->key, ev->now_ms, op, out);
        return WRITER_NOTHING;
    }
    ask(w, WRITER_READING_INFO, ACT_LOG_INFO, "", ev->now_ms, op, out);
    return WRITER_NOTHING;
}

/* nats-server 2.15 rejects at once what expects the same as a write under way, and until
 * that is stored every read shows the log as it was before. */
static bool is_under_way(const struct writer *w, uint64_t now_ms)
{
    return w->is_unknown && w->is_key_right && now_ms - w->sent_ms < WRITER_UNKNOWN_MS;
}

static enum writer_result on_info(struct writer *w, const struct event *ev, uint64_t *op,
                                  struct actions *out)
{
    if (ev->log.status != STATUS_OK) {
        w->errors++;
        return wait(w, ev->now_ms);
    }
    if (ev->log.seq == w->expect_seq + 1 && w->is_unknown && !w->is_read_again) {
        w->is_read_again = true; /* it may be ours, stored since the key was read */
        ask(w, WRITER_READING_KEY, ACT_LOG_READ, w->key, ev->now_ms, op, out);
        return WRITER_NOTHING;
    }
    if (ev->log.seq != w->expect_seq)
        return WRITER_DEPOSED;
    if (is_under_way(w, ev->now_ms))
        return wait(w, ev->now_ms);
    /* A replicated log may reject a right condition under load (nats-server#7281). */
    return ++w->spurious < WRITER_SPURIOUS_MAX ? wait(w, ev->now_ms) : WRITER_DEPOSED;
}

enum writer_result writer_answer(struct writer *w, const struct event *ev, uint64_t *op,
                                 struct actions *out)
{
    enum writer_result result = WRITER_NOTHING;

    if (ev->log.op != w->op)
        return WRITER_NOTHING;
    if (ev->log.status == STATUS_TIMEOUT)
        w->tries += w->tries < TRIES_MAX ? 1 : 0;
    else if (w->state == WRITER_WRITING && ev->log.status == STATUS_OK &&
             ev->now_ms - w->asked_ms < log_patience_ms(w->timeout_ms, 0))
        w->tries = 0; /* what was given up had been lost, writes are not slow */
    switch (w->state) {
    case WRITER_WRITING: result = on_written(w, ev, op, out); break;
    case WRITER_READING_KEY: result = on_key(w, ev, op, out); break;
    case WRITER_READING_FIRST:
    case WRITER_CHECKING_LEASE:
    case WRITER_READING_LEASE: result = on_lease(w, ev, op, out); break;
    case WRITER_READING_INFO: result = on_info(w, ev, op, out); break;
    case WRITER_IDLE:
    case WRITER_WAITING: break;
    }
    if (result == WRITER_DEPOSED)
        writer_reset(w);
    return result;
}

void writer_time(struct writer *w, uint64_t now_ms, uint64_t *op, struct actions *out)
{
    if (w->state == WRITER_WAITING && now_ms >= w->retry_ms)
        try_write(w, now_ms, op, out);
}

void writer_reset(struct writer *w)
{
    w->state = WRITER_IDLE;
    w->op = 0;
}
