/* core/host/alert: when a degraded worker speaks up, and how loud. */
#include "host/alert.h"

#include "host/log.h"

#include "unit.h"

#include <string.h>
#include <unistd.h>

enum { BEGAN = 1000000 };

/* The defaults of [timing]: 30 s, 2 min, 5 min, 10 min, then every minute. */
static const struct conf_timing timing = {.alert_info_ms = 30000,
                                          .alert_warn_ms = 120000,
                                          .alert_error_ms = 300000,
                                          .alert_critical_ms = 600000,
                                          .alert_interval_ms = 60000};

static struct alert alert;

static void setup(void)
{
    alert = (struct alert){0};
}

/* What is told so long after the beginning; ALERT_NONE: nothing. */
static enum alert_level at(uint64_t degraded_for_ms)
{
    enum alert_level level = ALERT_NONE;
    bool is_due = alert_is_due(&alert, &timing, BEGAN, BEGAN + degraded_for_ms, &level);

    ck_assert(is_due == (level != ALERT_NONE));
    return level;
}

START_TEST(each_level_begins_on_the_dot)
{
    static const struct {
        uint64_t ms;
        enum alert_level level;
    } step[] = {{0, ALERT_NONE},          {29999, ALERT_NONE},
                {30000, ALERT_INFO},      {119999, ALERT_INFO},
                {120000, ALERT_WARN},     {299999, ALERT_WARN},
                {300000, ALERT_ERROR},    {599999, ALERT_ERROR},
                {600000, ALERT_CRITICAL}, {UINT64_MAX, ALERT_CRITICAL}};

    for (size_t i = 0; i < sizeof step / sizeof *step; i++)
        ck_assert_int_eq(alert_level_of(&timing, step[i].ms), step[i].level);
}
END_TEST

START_TEST(nothing_is_told_before_the_first_level)
{
    for (uint64_t ms = 0; ms < 30000; ms += 999)
        ck_assert_int_eq(at(ms), ALERT_NONE);
}
END_TEST

START_TEST(a_level_is_told_once_an_interval)
{
    ck_assert_int_eq(at(30000), ALERT_INFO);
    ck_assert_int_eq(at(30001), ALERT_NONE);
    ck_assert_int_eq(at(89999), ALERT_NONE);
    ck_assert_int_eq(at(90000), ALERT_INFO);
    ck_assert_int_eq(at(119999), ALERT_NONE);
}
END_TEST

START_TEST(a_higher_level_does_not_wait_for_the_interval)
{
    ck_assert_int_eq(at(119999), ALERT_INFO);
    ck_assert_int_eq(at(120000), ALERT_WARN);
    ck_assert_int_eq(at(120001), ALERT_NONE);
    ck_assert_int_eq(at(300000), ALERT_ERROR);
    ck_assert_int_eq(at(600000), ALERT_CRITICAL);
    ck_assert_int_eq(at(659999), ALERT_NONE);
    ck_assert_int_eq(at(660000), ALERT_CRITICAL); /* and so for ever */
}
END_TEST

/* Looked at every 100 ms for 11 minutes. */
START_TEST(ten_minutes_make_so_many_lines)
{
    unsigned told[ALERT_CRITICAL + 1] = {0};

    for (uint64_t ms = 0; ms <= 660000; ms += 100)
        told[at(ms)]++;
    ck_assert_uint_eq(told[ALERT_INFO], 2);     /* 30 s, 90 s */
    ck_assert_uint_eq(told[ALERT_WARN], 3);     /* 2, 3, 4 min */
    ck_assert_uint_eq(told[ALERT_ERROR], 5);    /* 5 to 9 min */
    ck_assert_uint_eq(told[ALERT_CRITICAL], 2); /* 10, 11 min */
}
END_TEST

START_TEST(who_has_recovered_begins_anew)
{
    enum alert_level level = ALERT_NONE;

    ck_assert_int_eq(at(600000), ALERT_CRITICAL);
    ck_assert(!alert_is_due(&alert, &timing, 0, BEGAN + 600100, &level));
    ck_assert_int_eq(level, ALERT_NONE);
    ck_assert_int_eq(at(600200), ALERT_CRITICAL);
}
END_TEST

START_TEST(a_recovery_between_two_looks_begins_anew_too)
{
    const uint64_t again = BEGAN + 31000;
    enum alert_level level = ALERT_NONE;

    ck_assert_int_eq(at(30000), ALERT_INFO);
    /* Its first level comes 31 s after the last one was told: less than the interval. */
    ck_assert(!alert_is_due(&alert, &timing, again, again + 29999, &level));
    ck_assert(alert_is_due(&alert, &timing, again, again + 30000, &level));
    ck_assert_int_eq(level, ALERT_INFO);
}
END_TEST

START_TEST(a_beginning_that_lies_ahead_tells_nothing)
{
    enum alert_level level = ALERT_NONE;

    ck_assert(!alert_is_due(&alert, &timing, BEGAN, BEGAN - 1, &level));
    ck_assert_int_eq(level, ALERT_NONE);
}
END_TEST

START_TEST(the_longest_interval_is_for_ever)
{
    struct conf_timing once = timing;
    enum alert_level level;

    once.alert_interval_ms = UINT64_MAX;
    ck_assert(alert_is_due(&alert, &once, BEGAN, BEGAN + 600000, &level));
    ck_assert(!alert_is_due(&alert, &once, BEGAN, BEGAN + 600001, &level));
    ck_assert(!alert_is_due(&alert, &once, BEGAN, UINT64_MAX, &level));
}
END_TEST

START_TEST(the_log_says_how_long_in_a_line_of_that_level)
{
    static const struct {
        uint64_t ms;
        const char *line;
    } step[] = {{29000, ""},
                {30000, " info  degraded for 30 s\n"},
                {31000, ""},
                {125999, " warn  degraded for 125 s\n"},
                {300000, " error degraded for 300 s\n"},
                {600000, " error critical: degraded for 600 s\n"}};
    char path[] = "/tmp/parti-alert-XXXXXX", text[512];
    int fd = mkstemp(path);
    off_t end = 0;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    log_init(fd, LOG_LEVEL_INFO);
    for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
        alert_check(&alert, &timing, BEGAN, BEGAN + step[i].ms);
        ssize_t n = pread(fd, text, sizeof text - 1, end);

        ck_assert_int_ge(n, 0);
        text[n] = '\0';
        end += n;
        if (*step[i].line == '\0')
            ck_assert_str_eq(text, "");
        else
            ck_assert_str_eq(strchr(text, ' '), step[i].line);
    }
    (void)close(fd);
}
END_TEST

UNIT_MAIN_WITH("alert", setup, NULL, each_level_begins_on_the_dot,
               nothing_is_told_before_the_first_level, a_level_is_told_once_an_interval,
               a_higher_level_does_not_wait_for_the_interval,
               ten_minutes_make_so_many_lines, who_has_recovered_begins_anew,
               a_recovery_between_two_looks_begins_anew_too,
               a_beginning_that_lies_ahead_tells_nothing,
               the_longest_interval_is_for_ever,
               the_log_says_how_long_in_a_line_of_that_level)
