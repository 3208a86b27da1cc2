/* How many new readers are asked for at a time, of servers that make one after the other
 * and of servers that make all at once; how long answers are waited for. */
#include "plugins/jetstream/jet_pace.h"

#include "unit.h"

enum { LANES = 128, TRIES_MAX = 4 * LANES };

struct outcome {
    uint64_t ms;         /* until all were made */
    uint64_t longest_ms; /* that one was waited for */
};

/* Each takes 'cost' ms of the server, or of its own where they are made side by side; the
 * oldest is answered first. */
static struct outcome make_all(uint64_t cost, int side_by_side)
{
    struct jet_pace p = {0};
    struct outcome o = {0};
    uint64_t asked_ms[JET_PACE_MAX], now = 0;
    uint32_t under_way = 0, made = 0, asked = 0;

    for (int tries = 0; made < LANES; tries++) {
        ck_assert_int_lt(tries, TRIES_MAX);
        ck_assert_uint_ge(jet_pace_most(&p), 1);
        ck_assert_uint_le(jet_pace_most(&p), JET_PACE_MAX);
        while (under_way < jet_pace_most(&p) && asked < LANES) {
            asked_ms[under_way++] = now;
            asked++;
        }
        if (!side_by_side)
            now += cost;
        else if (asked_ms[0] + cost > now)
            now = asked_ms[0] + cost;
        uint64_t ms = now - asked_ms[0];
        o.longest_ms = ms > o.longest_ms ? ms : o.longest_ms;
        under_way--;
        made++;
        for (uint32_t i = 0; i < under_way; i++)
            asked_ms[i] = asked_ms[i + 1];
        jet_pace_answered(&p, ms);
    }
    o.ms = now;
    return o;
}

START_TEST(a_server_that_makes_one_after_the_other_answers_all_in_time)
{
    const uint64_t costs[] = {0, 1, 10, 25, 50, 100, 200, 300, 500, 700, 900};

    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        struct outcome o = make_all(costs[i], 0);

        ck_assert_uint_eq(o.ms, LANES * costs[i]);
        ck_assert_uint_lt(o.longest_ms, JET_PACE_WAIT_MS);
    }
}
END_TEST

START_TEST(one_that_makes_all_at_once_is_soon_asked_for_as_many_as_may_be)
{
    /* 4, 8 and then 16 at a time: 128 in 10 times what one takes. */
    ck_assert_uint_le(make_all(5, 1).ms, 10 * 5);
    ck_assert_uint_le(make_all(400, 1).ms, 10 * 400);
}
END_TEST

START_TEST(after_silence_there_is_one_at_a_time_until_answers_are_quick)
{
    struct jet_pace p = {0};

    ck_assert_uint_eq(jet_pace_most(&p), JET_PACE_FIRST);
    jet_pace_unanswered(&p, JET_PACE_WAIT_MS);
    ck_assert_uint_eq(jet_pace_most(&p), 1);
    jet_pace_answered(&p, JET_PACE_SLOW_MS);
    jet_pace_answered(&p, JET_PACE_QUICK_MS);
    ck_assert_uint_eq(jet_pace_most(&p), 1);
    for (uint32_t i = 0; i < 2 * JET_PACE_MAX; i++)
        jet_pace_answered(&p, JET_PACE_QUICK_MS - 1);
    ck_assert_uint_eq(jet_pace_most(&p), JET_PACE_MAX);
    jet_pace_answered(&p, JET_PACE_SLOW_MS);
    ck_assert_uint_eq(jet_pace_most(&p), JET_PACE_MAX / 2);
}
END_TEST

START_TEST(after_each_wait_in_vain_the_next_is_twice_as_long_up_to_a_minute)
{
    struct jet_pace p = {0};
    uint64_t expected = JET_PACE_WAIT_MS;

    for (uint32_t failures = 0; failures < 100; failures++) {
        ck_assert_uint_eq(jet_pace_wait_ms(&p, failures), expected);
        expected = 2 * expected < JET_PACE_WAIT_MAX_MS ? 2 * expected
                                                       : (uint64_t)JET_PACE_WAIT_MAX_MS;
    }
    /* What one lane has found out the others need not. */
    jet_pace_unanswered(&p, 4000);
    ck_assert_uint_eq(jet_pace_wait_ms(&p, 0), 8000);
    ck_assert_uint_eq(jet_pace_wait_ms(&p, 2), 16000);
    jet_pace_unanswered(&p, 4000); /* another one of the same time */
    ck_assert_uint_eq(jet_pace_wait_ms(&p, 0), 8000);
    jet_pace_unanswered(&p, 50000);
    ck_assert_uint_eq(jet_pace_wait_ms(&p, 0), JET_PACE_WAIT_MAX_MS);
}
END_TEST

START_TEST(an_answer_says_how_long_the_next_may_take)
{
    struct jet_pace p = {0};

    jet_pace_answered(&p, 3000);
    ck_assert_uint_eq(jet_pace_wait_ms(&p, 0), 12000);
    jet_pace_answered(&p, 40000);
    ck_assert_uint_eq(jet_pace_wait_ms(&p, 0), JET_PACE_WAIT_MAX_MS);
    jet_pace_answered(&p, 3);
    ck_assert_uint_eq(jet_pace_wait_ms(&p, 0), JET_PACE_WAIT_MS);
}
END_TEST

UNIT_MAIN("jet_pace", a_server_that_makes_one_after_the_other_answers_all_in_time,
          one_that_makes_all_at_once_is_soon_asked_for_as_many_as_may_be,
          after_silence_there_is_one_at_a_time_until_answers_are_quick,
          after_each_wait_in_vain_the_next_is_twice_as_long_up_to_a_minute,
          an_answer_says_how_long_the_next_may_take)
