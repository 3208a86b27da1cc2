/* What the tests of core/proto/writer share: one writer, its answers, what it asks for.
 */
#ifndef PARTI_TESTS_WRITER_FRAME_H
#define PARTI_TESTS_WRITER_FRAME_H

#include "proto/writer.h"

#include "base/status.h"
#include "proto/head.h"

#include "unit.h"

#include <string.h>

static const struct session self = {1, 2}, other = {3, 4};

enum { EXPECT = 40, TERM = 7, START_MS = 1000 };

static struct writer w;
static uint64_t op;
static struct actions out;
static char lease_bytes[1024];

/* Starts a write and looks at what it asks for. */
static inline void start(void)
{
    w = (struct writer){.key = "head",
                        .data = "bytes",
                        .n = 5,
                        .expect_seq = EXPECT,
                        .has_key_seq = true,
                        .expect_key_seq = 33,
                        .session = self,
                        .term = TERM};
    op = 100;
    out.n = 0;
    writer_start(&w, START_MS, &op, &out);
}

/* The one action of the newest step. */
static const struct action *asked(enum action_type type, const char *key)
{
    ck_assert_uint_eq(out.n, 1);
    ck_assert_int_eq(out.v[0].type, type);
    ck_assert_uint_eq(out.v[0].log.op, op);
    ck_assert_str_eq(out.v[0].log.key, key);
    return &out.v[0];
}

static inline void asked_to_write(void)
{
    const struct action *a = asked(ACT_LOG_WRITE, "head");

    ck_assert_uint_eq(a->log.expect_seq, EXPECT);
    ck_assert(a->log.has_key_seq);
    ck_assert_uint_eq(a->log.expect_key_seq, 33);
    ck_assert_ptr_eq(a->log.data, w.data);
    ck_assert_uint_eq(a->log.n, 5);
}

static inline void nothing_asked(void)
{
    ck_assert_uint_eq(out.n, 0);
}

static inline enum writer_result answer_with(int status, uint64_t seq, const void *data,
                                             size_t n, uint64_t now_ms)
{
    struct event ev = {.now_ms = now_ms, .log = {op, status, seq, data, n}};

    out.n = 0;
    return writer_answer(&w, &ev, &op, &out);
}

static inline enum writer_result answer(int status, uint64_t seq)
{
    return answer_with(status, seq, NULL, 0, 2000);
}

static inline enum writer_result answer_lease(struct session session, uint64_t term)
{
    struct lease_record l = {.term = term, .session = session};
    size_t n = lease_encode(&l, lease_bytes, sizeof lease_bytes);

    return answer_with(STATUS_OK, 12, lease_bytes, n, 2000);
}

/* Now waiting: nothing before the time is up, then the same write again. */
static inline void writes_again_after_a_pause(uint64_t now_ms)
{
    ck_assert_int_eq(w.state, WRITER_WAITING);
    nothing_asked();
    ck_assert_uint_eq(w.retry_ms, now_ms + WRITER_RETRY_MS);
    writer_time(&w, now_ms + WRITER_RETRY_MS - 1, &op, &out);
    nothing_asked();
    writer_time(&w, now_ms + WRITER_RETRY_MS, &op, &out);
    asked_to_write();
    ck_assert_int_eq(w.state, WRITER_WRITING);
}

static inline void is_idle(void)
{
    ck_assert_int_eq(w.state, WRITER_IDLE);
    nothing_asked();
}

/* A rejection, and the key read: not ours.  The lease is read next. */
static inline void reject(void)
{
    ck_assert_int_eq(answer(STATUS_CONFLICT, 0), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "head");
    ck_assert_int_eq(answer_with(STATUS_OK, EXPECT - 7, "other", 5, 2000),
                     WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "lease");
}

/* The bytes are there, with the next sequence: the lease says whose they are. */
static inline void found_and_ours(uint64_t now_ms)
{
    ck_assert_int_eq(answer_with(STATUS_OK, 41, "bytes", 5, now_ms), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "lease");
    ck_assert_int_eq(answer_lease(self, TERM), WRITER_ACKED);
    ck_assert_uint_eq(w.seq, 41);
}

#endif
