/* core/proto/writer: writes that take long, and a log that meanwhile rejects the same. */
#include "writer_frame.h"

/* From the time-out of the first try on: the log rejects the same again at once while the
 * first is under way (nats-server 2.15), though nothing has happened yet. */
static void reject_under_way(uint64_t now_ms)
{
    ck_assert_int_eq(answer_with(STATUS_CONFLICT, 0, NULL, 0, now_ms), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "head");
    ck_assert_int_eq(answer_with(STATUS_OK, 33, "older", 5, now_ms), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "lease");
    ck_assert_int_eq(answer_lease(self, TERM), WRITER_NOTHING);
    (void)asked(ACT_LOG_INFO, "");
}

/* Rejected, and the head has another sequence than expected. */
static void reject_with_another_key(void)
{
    ck_assert_int_eq(answer(STATUS_CONFLICT, 0), WRITER_NOTHING);
    ck_assert_int_eq(answer_with(STATUS_OK, 34, "older", 5, 2000), WRITER_NOTHING);
}

/* The log has gone on by one since the key was read: not by this write. */
static void key_is_read_again_and_still_old(void)
{
    ck_assert_int_eq(answer(STATUS_OK, EXPECT + 1), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "head");
    ck_assert_int_eq(answer_with(STATUS_OK, 33, "older", 5, 2050), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "lease");
    ck_assert_int_eq(answer_lease(self, TERM), WRITER_NOTHING);
    (void)asked(ACT_LOG_INFO, "");
}

START_TEST(a_write_that_lands_between_two_reads_is_found)
{
    start();
    (void)answer_with(STATUS_TIMEOUT, 0, NULL, 0, START_MS + 300);
    (void)answer_with(STATUS_OK, 33, "older", 5, START_MS + 300);
    writes_again_after_a_pause(START_MS + 300);
    reject_under_way(2000);
    ck_assert_int_eq(answer(STATUS_OK, EXPECT + 1), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "head");
    found_and_ours(2000);
}
END_TEST

START_TEST(a_write_under_way_that_has_the_same_rejected_is_waited_for)
{
    uint64_t now = START_MS + 300;

    start();
    (void)answer_with(STATUS_TIMEOUT, 0, NULL, 0, now);
    (void)answer_with(STATUS_OK, 33, "older", 5, now);
    writes_again_after_a_pause(now);
    for (int i = 0; i < 4 * WRITER_SPURIOUS_MAX; i++) {
        now += WRITER_RETRY_MS;
        reject_under_way(now);
        ck_assert_int_eq(answer_with(STATUS_OK, EXPECT, NULL, 0, now), WRITER_NOTHING);
        writes_again_after_a_pause(now);
    }
    ck_assert_int_eq(answer(STATUS_CONFLICT, 0), WRITER_NOTHING);
    found_and_ours(now);
    ck_assert_uint_eq(w.sent_ms, START_MS);
}
END_TEST

START_TEST(a_write_under_way_is_not_waited_for_without_end)
{
    uint64_t now = START_MS + WRITER_UNKNOWN_MS;

    start();
    (void)answer_with(STATUS_TIMEOUT, 0, NULL, 0, now);
    (void)answer_with(STATUS_OK, 33, "older", 5, now);
    writes_again_after_a_pause(now);
    for (int i = 1; i < WRITER_SPURIOUS_MAX; i++) {
        reject_under_way(now);
        ck_assert_int_eq(answer_with(STATUS_OK, EXPECT, NULL, 0, now), WRITER_NOTHING);
        writes_again_after_a_pause(now);
    }
    reject_under_way(now);
    ck_assert_int_eq(answer_with(STATUS_OK, EXPECT, NULL, 0, now), WRITER_DEPOSED);
}
END_TEST

/* Nothing of it can be under way: what it expects of the key is wrong, or the log has
 * gone on; and the next write starts with a known outcome. */
START_TEST(only_what_may_be_under_way_is_waited_for)
{
    start();
    (void)answer_with(STATUS_TIMEOUT, 0, NULL, 0, START_MS + 300);
    (void)answer(STATUS_NOTFOUND, 0);
    writes_again_after_a_pause(2000);
    for (int i = 1; i < WRITER_SPURIOUS_MAX; i++) {
        reject_with_another_key(); /* the key has another sequence than expected */
        (void)answer_lease(self, TERM);
        ck_assert_int_eq(answer(STATUS_OK, EXPECT), WRITER_NOTHING);
        writes_again_after_a_pause(2000);
    }
    reject_with_another_key();
    (void)answer_lease(self, TERM);
    ck_assert_int_eq(answer(STATUS_OK, EXPECT), WRITER_DEPOSED);

    start();
    (void)answer_with(STATUS_TIMEOUT, 0, NULL, 0, START_MS + 300);
    (void)answer(STATUS_NOTFOUND, 0);
    writes_again_after_a_pause(2000);
    reject_under_way(2050);
    key_is_read_again_and_still_old();
    ck_assert_int_eq(answer(STATUS_OK, EXPECT + 1), WRITER_DEPOSED);

    start();
    (void)answer_with(STATUS_TIMEOUT, 0, NULL, 0, START_MS + 300);
    found_and_ours(1350);
    writer_start(&w, 1400, &op, &out);
    for (int i = 1; i < WRITER_SPURIOUS_MAX; i++) {
        reject_under_way(1400);
        ck_assert_int_eq(answer_with(STATUS_OK, EXPECT, NULL, 0, 1400), WRITER_NOTHING);
        writes_again_after_a_pause(1400);
    }
    reject_under_way(1400);
    ck_assert_int_eq(answer_with(STATUS_OK, EXPECT, NULL, 0, 1400), WRITER_DEPOSED);
}
END_TEST

/* Who stands up and has a first try under way; the lease in the log is of 'key_seq'. */
static void stands_up(uint64_t key_seq)
{
    start();
    (void)memcpy(w.key, "lease", sizeof "lease");
    w.expect_key_seq = key_seq;
    ck_assert_int_eq(answer_with(STATUS_TIMEOUT, 0, NULL, 0, 1300), WRITER_NOTHING);
    (void)asked(ACT_LOG_READ, "lease");
}

static void read_lease_of_another(uint64_t seq, uint64_t now_ms)
{
    struct lease_record l = {.term = TERM - 1, .session = other};
    size_t n = lease_encode(&l, lease_bytes, sizeof lease_bytes);

    ck_assert_int_eq(seq == 0 ? answer_with(STATUS_NOTFOUND, 0, NULL, 0, now_ms)
                              : answer_with(STATUS_OK, seq, lease_bytes, n, now_ms),
                     WRITER_NOTHING);
}

START_TEST(a_candidate_waits_while_the_lease_is_the_one_it_takes_over)
{
    static const uint64_t key_seq[] = {33, 0}; /* 0: the group's first lease */

    for (size_t k = 0; k < sizeof key_seq / sizeof *key_seq; k++) {
        uint64_t now = 1300;
        stands_up(key_seq[k]);
        read_lease_of_another(key_seq[k], now);
        for (int i = 0; i < 4 * WRITER_SPURIOUS_MAX; i++) {
            now = w.retry_ms;
            out.n = 0;
            writer_time(&w, now, &op, &out);
            (void)asked(ACT_LOG_WRITE, "lease");
            (void)answer_with(STATUS_CONFLICT, 0, NULL, 0, now);
            (void)asked(ACT_LOG_READ, "lease");
            read_lease_of_another(key_seq[k], now);
            (void)asked(ACT_LOG_INFO, "");
            ck_assert_int_eq(answer_with(STATUS_OK, EXPECT, NULL, 0, now),
                             WRITER_NOTHING);
            ck_assert_int_eq(w.state, WRITER_WAITING);
        }
        out.n = 0;
        writer_time(&w, w.retry_ms, &op, &out);
        (void)answer_with(STATUS_CONFLICT, 0, NULL, 0, now);
        ck_assert_int_eq(answer_with(STATUS_OK, 41, "bytes", 5, now), WRITER_ACKED);
    }
}
END_TEST

START_TEST(a_candidate_yields_to_another_lease_and_to_a_log_that_went_on)
{
    stands_up(33);
    read_lease_of_another(33, 1300);
    writer_time(&w, 3000, &op, &out);
    (void)answer(STATUS_CONFLICT, 0);
    read_lease_of_another(41, 3000);
    (void)asked(ACT_LOG_READ, "lease");
    ck_assert_int_eq(answer_lease(other, TERM), WRITER_DEPOSED);

    stands_up(33);
    read_lease_of_another(33, 1300);
    writer_time(&w, 3000, &op, &out);
    (void)answer(STATUS_CONFLICT, 0);
    read_lease_of_another(33, 3000);
    (void)asked(ACT_LOG_INFO, "");
    ck_assert_int_eq(answer(STATUS_OK, EXPECT + 1), WRITER_NOTHING);
    read_lease_of_another(41, 3000);
    (void)asked(ACT_LOG_READ, "lease");
    ck_assert_int_eq(answer_lease(other, TERM), WRITER_DEPOSED);
}
END_TEST

/* A quick rejection and a quick read say nothing about how long a write takes. */
START_TEST(patience_grows_where_writes_are_slow_and_reads_are_fast)
{
    static const uint64_t patience[] = {300, 450, 675, 1000, 1000};
    uint64_t now = START_MS;

    start();
    w.timeout_ms = 300;
    w.has_key_seq = false;
    for (size_t i = 0; i < sizeof patience / sizeof *patience; i++) {
        if (i > 0) {
            out.n = 0;
            writer_start(&w, now, &op, &out);
            ck_assert_uint_eq(asked(ACT_LOG_WRITE, "head")->log.timeout_ms, patience[i]);
        }
        now += patience[i];
        (void)answer_with(STATUS_TIMEOUT, 0, NULL, 0, now);
        (void)answer_with(STATUS_OK, 33, "older", 5, now + 1);
        out.n = 0;
        writer_time(&w, now + 1 + WRITER_RETRY_MS, &op, &out);
        (void)answer_with(STATUS_CONFLICT, 0, NULL, 0, now += 2 + WRITER_RETRY_MS);
        ck_assert_int_eq(answer_with(STATUS_OK, 41, "bytes", 5, now), WRITER_NOTHING);
        ck_assert_int_eq(answer_lease(self, TERM), WRITER_ACKED);
    }
}
END_TEST

UNIT_MAIN("writer_slow", a_write_that_lands_between_two_reads_is_found,
          a_write_under_way_that_has_the_same_rejected_is_waited_for,
          a_write_under_way_is_not_waited_for_without_end,
          only_what_may_be_under_way_is_waited_for,
          a_candidate_waits_while_the_lease_is_the_one_it_takes_over,
          a_candidate_yields_to_another_lease_and_to_a_log_that_went_on,
          patience_grows_where_writes_are_slow_and_reads_are_fast)
