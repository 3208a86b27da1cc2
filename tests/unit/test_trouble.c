/* core/proto/trouble: when a plugin's trouble shows, and when it ends. */
#include "proto/trouble.h"

#include "unit.h"

#include <string.h>

static const struct node_timing timing = {.degraded_enter = 1000, .degraded_exit = 500};

static bool is_shown_at(struct trouble *t, uint64_t now_ms)
{
    trouble_run(t, &timing, now_ms);
    return t->is_shown;
}

START_TEST(trouble_shows_when_it_has_lasted)
{
    struct trouble t = {0};

    ck_assert_uint_eq(trouble_wake_ms(&t, &timing), UINT64_MAX);
    trouble_failed(&t, "first", 100);
    ck_assert_uint_eq(trouble_wake_ms(&t, &timing), 1100);
    ck_assert(!is_shown_at(&t, 1099));
    trouble_failed(&t, "second", 1099); /* does not begin anew */
    ck_assert(is_shown_at(&t, 1100));
    ck_assert_str_eq(t.text, "second");
    ck_assert_uint_eq(trouble_wake_ms(&t, &timing), UINT64_MAX);
}
END_TEST

START_TEST(a_good_answer_in_time_ends_it_unseen)
{
    struct trouble t = {0};

    trouble_failed(&t, "why", 100);
    trouble_answered(&t, 1000);
    ck_assert(!is_shown_at(&t, 5000));
    trouble_failed(&t, "why", 5000);
    ck_assert(!is_shown_at(&t, 5999));
    ck_assert(is_shown_at(&t, 6000));
}
END_TEST

START_TEST(it_ends_when_all_has_been_well_for_long)
{
    struct trouble t = {0};

    trouble_failed(&t, "why", 100);
    ck_assert(is_shown_at(&t, 2000));
    trouble_answered(&t, 3000);
    trouble_answered(&t, 3200); /* does not begin anew */
    ck_assert_uint_eq(trouble_wake_ms(&t, &timing), 3500);
    ck_assert(is_shown_at(&t, 3499));
    ck_assert(!is_shown_at(&t, 3500));
    ck_assert_str_eq(t.text, "");
}
END_TEST

START_TEST(a_failure_in_between_keeps_it)
{
    struct trouble t = {0};

    trouble_failed(&t, "why", 100);
    ck_assert(is_shown_at(&t, 2000));
    trouble_answered(&t, 3000);
    trouble_failed(&t, "again", 3400);
    ck_assert(is_shown_at(&t, 9000));
    ck_assert_str_eq(t.text, "again");
    trouble_answered(&t, 9000);
    ck_assert(is_shown_at(&t, 9499));
    ck_assert(!is_shown_at(&t, 9500));
}
END_TEST

START_TEST(a_long_text_is_cut_between_characters)
{
    static const char euro[] = "\xe2\x82\xac";
    char text[2 * TROUBLE_ROOM] = "";
    struct trouble t = {0};

    for (int lead = 0; lead < 3; lead++) {
        memset(text, 'x', sizeof text - 1);
        for (size_t i = (size_t)lead; i + 3 < sizeof text; i += 3)
            memcpy(text + i, euro, 3);
        trouble_failed(&t, text, 0);
        size_t n = strlen(t.text);
        ck_assert_uint_eq((n - (size_t)lead) % 3, 0);
        ck_assert_uint_gt(n, TROUBLE_ROOM - 4);
        ck_assert_uint_lt(n, TROUBLE_ROOM);
        ck_assert_int_eq(memcmp(t.text, text, n), 0);
    }
}
END_TEST

UNIT_MAIN("trouble", trouble_shows_when_it_has_lasted,
          a_good_answer_in_time_ends_it_unseen, it_ends_when_all_has_been_well_for_long,
          a_failure_in_between_keeps_it, a_long_text_is_cut_between_characters)
