/* core/host/source: when a source is listed without being asked, and what is told. */
#include "source_frame.h"

START_TEST(an_interval_lists_again_while_watching)
{
    struct fixture f;

    fixture_init(&f);
    fixture_add(&f, "source", "count", NULL)->conf.refresh_interval_ms = 20;
    fixture_create(&f);
    sources_watch(f.sources, true);
    lists(ask(&f, false), "call-0");
    lists(await(&f, 2), "call-1");
    lists(await(&f, 3), "call-2");
    ck_assert(!f.box.result[2].asked && !f.box.result[2].commanded);
    fixture_finish(&f);
}
END_TEST

START_TEST(a_list_that_is_the_same_is_not_told_again)
{
    struct fixture f;

    fixture_init(&f);
    fixture_add(&f, "source", "well", "a")->conf.refresh_interval_ms = 5;
    fixture_add(&f, "source:two", "count", NULL)->conf.refresh_interval_ms = 200;
    fixture_create(&f);
    sources_watch(f.sources, true);
    lists(ask(&f, false), "a call-0");
    /* Some 40 equal lists of the first source have passed by then. */
    lists(await(&f, 2), "a call-1");
    fixture_finish(&f);
}
END_TEST

START_TEST(a_storm_of_changes_is_one_listing)
{
    struct fixture f;
    uint64_t start;

    fixture_init(&f);
    section_set(fixture_add(&f, "source", "count", NULL), "changes", "20000");
    fixture_create(&f);
    sources_watch(f.sources, true);
    start = threads_now_ms();
    lists(ask(&f, false), "call-0"); /* this call starts the storm */
    lists(await(&f, 2), "call-1");
    ck_assert_uint_ge(threads_now_ms() - start, SOURCE_GAP_MS - 1);
    /* One listing a gap at most, however loud the plugin cries. */
    ck_assert_int_eq(ask(&f, true)->status, STATUS_OK);
    uint64_t took = threads_now_ms() - start;
    ck_assert_uint_le(f.box.n, 3 + took / SOURCE_GAP_MS);
    fixture_finish(&f);
}
END_TEST

START_TEST(a_failed_listing_is_tried_again_after_a_pause)
{
    struct fixture f;
    uint64_t start;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "retry_twice", "a");
    fixture_create(&f);
    sources_watch(f.sources, true);
    start = threads_now_ms();
    ck_assert_int_eq(ask(&f, false)->status, STATUS_IO);
    /* The second failure says the same and is no news; then the list comes unasked. */
    lists(await(&f, 2), "a");
    ck_assert(!f.box.result[1].asked);
    ck_assert_uint_ge(threads_now_ms() - start,
                      SOURCE_RETRY_MIN_MS / 2 + SOURCE_RETRY_MIN_MS - 2);
    fixture_finish(&f);
}
END_TEST

START_TEST(a_command_does_not_wait_for_the_pause)
{
    struct fixture f;
    uint64_t start;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "retry", "a");
    fixture_create(&f);
    /* Six failures in a row: the pause is at its longest. */
    start = threads_now_ms();
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(ask(&f, true)->status, STATUS_IO);
    ck_assert_uint_lt(threads_now_ms() - start, SOURCE_RETRY_MAX_MS / 2);
    start = threads_now_ms(); /* before the failure that the pause counts from */
    ck_assert_int_eq(ask(&f, true)->status, STATUS_IO);
    ck_assert_int_eq(ask(&f, false)->status, STATUS_IO);
    ck_assert_uint_ge(threads_now_ms() - start, SOURCE_RETRY_MAX_MS / 2 - 1);
    fixture_finish(&f);
}
END_TEST

START_TEST(a_failure_is_news_once_and_to_whoever_commands)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "retry", "a");
    fixture_create(&f);
    ck_assert(ask(&f, false)->is_news);
    ck_assert(!ask(&f, false)->is_news);
    ck_assert(ask(&f, true)->is_news);
    ck_assert(!ask(&f, false)->is_news);
    fixture_finish(&f);
}
END_TEST

START_TEST(a_partition_listed_twice_is_news_once)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "well", "a");
    (void)fixture_add(&f, "source:two", "well", "a");
    fixture_create(&f);
    ck_assert_int_eq(ask(&f, false)->code, ERR_SOURCE_TWICE);
    ck_assert(f.box.result[0].is_news);
    ck_assert(!ask(&f, false)->is_news);
    fixture_finish(&f);
}
END_TEST

/* Eight failures in a row: the pause has been doubled beyond the shorter limit. */
START_TEST(the_pause_grows_up_to_the_interval)
{
    struct fixture f;
    uint64_t start;

    fixture_init(&f);
    fixture_add(&f, "source", "retry", "a")->conf.refresh_interval_ms =
        2 * SOURCE_RETRY_MAX_MS;
    fixture_create(&f);
    for (int i = 0; i < 8; i++) {
        start = threads_now_ms();
        ck_assert_int_eq(ask(&f, true)->status, STATUS_IO);
    }
    ck_assert_int_eq(ask(&f, false)->status, STATUS_IO);
    ck_assert_uint_ge(threads_now_ms() - start, SOURCE_RETRY_MAX_MS - 1);
    fixture_finish(&f);
}
END_TEST

START_TEST(nothing_is_told_unasked_while_nobody_watches)
{
    struct fixture f;

    fixture_init(&f);
    fixture_add(&f, "source", "count", NULL)->conf.refresh_interval_ms = 1;
    fixture_create(&f);
    lists(ask(&f, false), "call-0");
    lists(ask(&f, false), "call-1"); /* no call in between */
    sources_watch(f.sources, true);
    lists(await(&f, 3), "call-2");
    sources_watch(f.sources, false);
    fixture_finish(&f);
}
END_TEST

UNIT_MAIN("source_time", an_interval_lists_again_while_watching,
          a_list_that_is_the_same_is_not_told_again, a_storm_of_changes_is_one_listing,
          a_failed_listing_is_tried_again_after_a_pause,
          a_command_does_not_wait_for_the_pause,
          a_failure_is_news_once_and_to_whoever_commands,
          a_partition_listed_twice_is_news_once, the_pause_grows_up_to_the_interval,
          nothing_is_told_unasked_while_nobody_watches)
