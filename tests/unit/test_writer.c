/* core/proto/writer: every way through the diagram of writer.h. */
#include "proto/writer.h"

#include "base/status.h"
#include "proto/head.h"

#include "writer_frame.h"

#include <string.h>

START_TEST(asked_then_acked)
{
    start();
    asked_to_write();
    ck_assert_int_eq(answer(STATUS_OK, 41), WRITER_ACKED);
    ck_assert_uint_eq(w.seq, 41);
    ck_assert_uint_eq(w.sent_ms, START_MS);
    ck_assert_uint_eq(w.errors, 0);
    is_idle();
}
END_TEST

START_TEST(unknown_then_there_with_a_new_sequence_is_acked)
{
    start();
    ck_assert_int_eq(answer(STATUS_TIMEOUT, 0), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "head");
    found_and_ours(2000);
    ck_assert_uint_eq(w.sent_ms, START_MS);
    ck_assert_uint_eq(w.errors, 1);
    is_idle();
}
END_TEST

START_TEST(unknown_then_not_there_is_written_again)
{
    static const struct {
        int status;
        uint64_t seq;
        const char *data;
        size_t n;
    } row[] = {
        {STATUS_NOTFOUND, 0, NULL, 0},
        {STATUS_OK, EXPECT, "bytes", 5}, /* the same bytes, of an earlier write */
        {STATUS_OK, 42, "bytes", 5},     /* of one that came after another's write */
        {STATUS_OK, 41, "bytez", 5},     /* other bytes */
        {STATUS_OK, 41, "bytes", 4},     /* other length */
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        start();
        (void)answer(STATUS_TIMEOUT, 0);
        ck_assert_int_eq(
            answer_with(row[i].status, row[i].seq, row[i].data, row[i].n, 2000),
            WRITER_NOTHING);
        writes_again_after_a_pause(2000);
        ck_assert_uint_eq(w.sent_ms, START_MS); /* authority: from the first try */
        ck_assert_int_eq(answer(STATUS_OK, 41), WRITER_ACKED);
        ck_assert_uint_eq(w.sent_ms, START_MS);
    }
}
END_TEST

START_TEST(unknown_and_unreadable_is_written_again)
{
    start();
    (void)answer(STATUS_TIMEOUT, 0);
    ck_assert_int_eq(answer(STATUS_OFFLINE, 0), WRITER_NOTHING);
    ck_assert_uint_eq(w.errors, 2);
    writes_again_after_a_pause(2000);
}
END_TEST

START_TEST(the_second_try_may_find_that_the_first_one_succeeded)
{
    start();
    (void)answer(STATUS_TIMEOUT, 0);
    (void)answer(STATUS_NOTFOUND, 0);
    writes_again_after_a_pause(2000);
    ck_assert_int_eq(answer(STATUS_CONFLICT, 0), WRITER_NOTHING);
    found_and_ours(3000);
    ck_assert_uint_eq(w.sent_ms, START_MS);
}
END_TEST

START_TEST(what_did_not_happen_is_tried_again)
{
    static const int status[] = {STATUS_OFFLINE, STATUS_DENIED, STATUS_IO, STATUS_LIMIT};

    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        start();
        ck_assert_int_eq(answer(status[i], 0), WRITER_NOTHING);
        ck_assert_uint_eq(w.errors, 1);
        writes_again_after_a_pause(2000);
    }
}
END_TEST

START_TEST(rejected_and_ours_is_acked)
{
    start();
    ck_assert_int_eq(answer(STATUS_CONFLICT, 0), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "head");
    found_and_ours(2000);
    ck_assert_uint_eq(w.errors, 0); /* a rejection is no error of the log */
    is_idle();
}
END_TEST

/* It put the same head back, or made the same own record. */
START_TEST(the_same_bytes_under_another_lease_depose)
{
    start();
    (void)answer(STATUS_TIMEOUT, 0);
    (void)answer_with(STATUS_OK, 41, "bytes", 5, 2000);
    ck_assert_int_eq(answer_lease(other, TERM + 1), WRITER_DEPOSED);
    is_idle();
    start();
    (void)answer(STATUS_CONFLICT, 0);
    (void)answer_with(STATUS_OK, 41, "bytes", 5, 2000);
    ck_assert_int_eq(answer(STATUS_NOTFOUND, 0), WRITER_DEPOSED);
    start();
    (void)answer(STATUS_TIMEOUT, 0);
    (void)answer_with(STATUS_OK, 41, "bytes", 5, 2000);
    ck_assert_int_eq(answer(STATUS_TIMEOUT, 0), WRITER_NOTHING); /* nobody knows */
    writes_again_after_a_pause(2000);
}
END_TEST

/* Its nonce is in it. */
START_TEST(a_lease_that_is_there_is_ours)
{
    start();
    (void)memcpy(w.key, "lease", sizeof "lease");
    (void)answer(STATUS_TIMEOUT, 0);
    ck_assert_int_eq(answer_with(STATUS_OK, 41, "bytes", 5, 2000), WRITER_ACKED);
}
END_TEST

/* 300 ms, then longer, up to a second: a lost answer is found out soon, a slow log still
 * gets its time; and giving up soon is no error of the log. */
START_TEST(patience_is_short_at_first_and_grows_while_the_log_is_slow)
{
    ck_assert_uint_eq(log_patience_ms(300, 0), 300);
    ck_assert_uint_eq(log_patience_ms(300, 1), 450);
    ck_assert_uint_eq(log_patience_ms(300, 9), PATIENCE_MOST_MS);
    ck_assert_uint_eq(log_patience_ms(10, 0), PATIENCE_LEAST_MS);
    ck_assert_uint_eq(log_patience_ms(0, 3), 0); /* as long as is usual */
    start();
    w.timeout_ms = 300;
    ck_assert_int_eq(answer_with(STATUS_TIMEOUT, 0, NULL, 0, 1300), WRITER_NOTHING);
    ck_assert_uint_eq(asked(ACT_LOG_READ, "head")->log.timeout_ms, 450);
    ck_assert_uint_eq(w.errors, 0);
    (void)answer_with(STATUS_OK, 41, "bytes", 5, 1700); /* slow, but in time */
    ck_assert_uint_eq(asked(ACT_LOG_READ, "lease")->log.timeout_ms, 450);
    ck_assert_int_eq(answer_lease(self, TERM), WRITER_ACKED);
    ck_assert_uint_eq(w.tries, 1);
    out.n = 0;
    writer_start(&w, 2100, &op, &out);
    ck_assert_uint_eq(asked(ACT_LOG_WRITE, "head")->log.timeout_ms, 450);
    ck_assert_int_eq(answer_with(STATUS_OK, 42, NULL, 0, 2101), WRITER_ACKED);
    ck_assert_uint_eq(w.tries, 0); /* quick again */
}
END_TEST

START_TEST(rejected_and_the_lease_is_another_one_is_deposed)
{
    start();
    reject();
    ck_assert_int_eq(answer_lease(other, TERM), WRITER_DEPOSED);
    is_idle();
    start();
    reject();
    ck_assert_int_eq(answer_lease(self, TERM + 1), WRITER_DEPOSED);
    start();
    reject();
    ck_assert_int_eq(answer(STATUS_NOTFOUND, 0), WRITER_DEPOSED);
    start();
    reject();
    ck_assert_int_eq(answer_with(STATUS_OK, 12, "{}", 2, 2000), WRITER_DEPOSED);
    is_idle();
}
END_TEST

START_TEST(rejected_and_the_key_is_not_there_reads_the_lease)
{
    start();
    (void)answer(STATUS_CONFLICT, 0);
    ck_assert_int_eq(answer(STATUS_NOTFOUND, 0), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "lease");
}
END_TEST

START_TEST(rejected_and_unreadable_concludes_nothing)
{
    start();
    (void)answer(STATUS_CONFLICT, 0);
    ck_assert_int_eq(answer(STATUS_TIMEOUT, 0), WRITER_NOTHING); /* the key */
    writes_again_after_a_pause(2000);
    reject();
    ck_assert_int_eq(answer(STATUS_TIMEOUT, 0), WRITER_NOTHING); /* the lease */
    writes_again_after_a_pause(2000);
    reject();
    ck_assert_int_eq(answer_lease(self, TERM), WRITER_NOTHING);
    (void)asked(ACT_LOG_INFO, "");
    ck_assert_int_eq(answer(STATUS_OFFLINE, 0), WRITER_NOTHING); /* the last sequence */
    ck_assert_uint_eq(w.errors, 3);
    writes_again_after_a_pause(2000);
}
END_TEST

START_TEST(a_spurious_rejection_is_written_again_twice_and_no_more)
{
    start();
    for (int i = 1; i < WRITER_SPURIOUS_MAX; i++) {
        reject();
        ck_assert_int_eq(answer_lease(self, TERM), WRITER_NOTHING);
        (void)asked(ACT_LOG_INFO, "");
        ck_assert_int_eq(answer(STATUS_OK, EXPECT), WRITER_NOTHING);
        writes_again_after_a_pause(2000);
    }
    reject();
    (void)answer_lease(self, TERM);
    ck_assert_int_eq(answer(STATUS_OK, EXPECT), WRITER_DEPOSED);
    is_idle();
}
END_TEST

START_TEST(each_write_may_be_rejected_spuriously_again)
{
    for (int i = 0; i < 2 * WRITER_SPURIOUS_MAX; i++) {
        if (i == 0) {
            start();
        } else {
            out.n = 0;
            writer_start(&w, START_MS, &op, &out);
        }
        reject();
        (void)answer_lease(self, TERM);
        ck_assert_int_eq(answer(STATUS_OK, EXPECT), WRITER_NOTHING);
        writes_again_after_a_pause(2000);
        ck_assert_int_eq(answer(STATUS_OK, 41), WRITER_ACKED);
    }
}
END_TEST

START_TEST(a_foreign_write_breaks_the_chain_and_deposes)
{
    static const uint64_t last[] = {EXPECT + 1, EXPECT - 1, 0};

    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        start();
        reject();
        (void)answer_lease(self, TERM);
        ck_assert_int_eq(answer(STATUS_OK, last[i]), WRITER_DEPOSED);
        is_idle();
    }
}
END_TEST

START_TEST(answers_to_other_questions_are_ignored)
{
    struct event ev = {.now_ms = 2000, .log = {.status = STATUS_OK, .seq = 41}};

    start();
    out.n = 0;
    ev.log.op = op - 1;
    ck_assert_int_eq(writer_answer(&w, &ev, &op, &out), WRITER_NOTHING);
    ck_assert_int_eq(w.state, WRITER_WRITING);
    ev.log.op = op;
    ck_assert_int_eq(writer_answer(&w, &ev, &op, &out), WRITER_ACKED);
    ck_assert_int_eq(writer_answer(&w, &ev, &op, &out), WRITER_NOTHING); /* once */

    start(); /* waiting: a late answer to the write that failed */
    (void)answer(STATUS_OFFLINE, 0);
    ck_assert_int_eq(answer(STATUS_OK, 41), WRITER_NOTHING);
    ck_assert_int_eq(w.state, WRITER_WAITING);
}
END_TEST

START_TEST(time_alone_does_nothing_but_end_a_pause)
{
    start();
    out.n = 0;
    writer_time(&w, UINT64_MAX, &op, &out);
    nothing_asked();
    (void)answer(STATUS_TIMEOUT, 0);
    out.n = 0;
    writer_time(&w, UINT64_MAX, &op, &out);
    nothing_asked();
}
END_TEST

START_TEST(what_was_reset_is_forgotten)
{
    start();
    writer_reset(&w);
    ck_assert_int_eq(answer(STATUS_OK, 41), WRITER_NOTHING);
    is_idle();
    writer_start(&w, 5000, &op, &out);
    asked_to_write();
    ck_assert_uint_eq(w.sent_ms, 5000);
}
END_TEST

START_TEST(after_the_authority_the_lease_is_read_before_each_try)
{
    start();
    writer_reset(&w);
    w.doubt_ms = 5000;
    out.n = 0;
    writer_start(&w, 4999, &op, &out);
    asked_to_write();

    writer_reset(&w);
    out.n = 0;
    writer_start(&w, 5000, &op, &out);
    (void)asked(ACT_LOG_READ, "lease");
    ck_assert_int_eq(answer_lease(self, TERM), WRITER_NOTHING);
    asked_to_write();
    (void)answer_with(STATUS_OFFLINE, 0, NULL, 0, 6000);
    out.n = 0;
    writer_time(&w, 6000 + WRITER_RETRY_MS, &op, &out);
    (void)asked(ACT_LOG_READ, "lease");
    ck_assert_int_eq(answer_lease(other, TERM), WRITER_DEPOSED);
    is_idle();

    out.n = 0;
    writer_start(&w, 5000, &op, &out);
    ck_assert_int_eq(answer_lease(self, TERM + 1), WRITER_DEPOSED);
    out.n = 0;
    writer_start(&w, 5000, &op, &out);
    ck_assert_int_eq(answer(STATUS_NOTFOUND, 0), WRITER_DEPOSED);
}
END_TEST

UNIT_MAIN("writer", asked_then_acked, unknown_then_there_with_a_new_sequence_is_acked,
          unknown_then_not_there_is_written_again,
          unknown_and_unreadable_is_written_again,
          the_second_try_may_find_that_the_first_one_succeeded,
          what_did_not_happen_is_tried_again, rejected_and_ours_is_acked,
          the_same_bytes_under_another_lease_depose, a_lease_that_is_there_is_ours,
          patience_is_short_at_first_and_grows_while_the_log_is_slow,
          rejected_and_the_lease_is_another_one_is_deposed,
          rejected_and_the_key_is_not_there_reads_the_lease,
          rejected_and_unreadable_concludes_nothing,
          a_spurious_rejection_is_written_again_twice_and_no_more,
          each_write_may_be_rejected_spuriously_again,
          a_foreign_write_breaks_the_chain_and_deposes,
          answers_to_other_questions_are_ignored, time_alone_does_nothing_but_end_a_pause,
          what_was_reset_is_forgotten,
          after_the_authority_the_lease_is_read_before_each_try)
