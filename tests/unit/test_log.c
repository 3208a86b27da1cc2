/* core/host/log.c: one line a message, whoever writes it. */
#include "host/log.h"

#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file instead of standard error; what() reads it back. */
static int sink = -1;

static void start(enum log_level least)
{
    char path[] = "/tmp/parti-log-XXXXXX";

    if (sink >= 0)
        (void)close(sink);
    sink = mkstemp(path);
    ck_assert_int_ge(sink, 0);
    ck_assert_int_eq(unlink(path), 0);
    log_init(sink, least);
}

static char *what(void)
{
    static char text[1 << 20];
    ssize_t n = pread(sink, text, sizeof text - 1, 0);

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    return text;
}

static bool matches(const char *text, const char *pattern)
{
    regex_t r;
    int found;

    ck_assert_int_eq(regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB), 0);
    found = regexec(&r, text, 0, NULL, 0);
    regfree(&r);
    return found == 0;
}

#define TIME "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"

START_TEST(a_line_is_time_level_and_text)
{
    start(LOG_LEVEL_INFO);
    log_warn("%d of %s", 3, "four");
    ck_assert_msg(matches(what(), "^" TIME " warn  3 of four\n$"), "%s", what());
}
END_TEST

START_TEST(levels_below_the_least_are_silent)
{
    start(LOG_LEVEL_WARN);
    log_debug("a");
    log_info("b");
    log_write(LOG_LEVEL_INFO, NULL, "c", 1);
    ck_assert_str_eq(what(), "");
    ck_assert(!log_on(LOG_LEVEL_INFO) && log_on(LOG_LEVEL_WARN));
    log_level_set(LOG_LEVEL_DEBUG);
    log_debug("d");
    log_error("e");
    ck_assert_msg(matches(what(), "^" TIME " debug d\n" TIME " error e\n$"), "%s",
                  what());
}
END_TEST

START_TEST(a_plugin_speaks_under_its_name_and_in_one_line)
{
    static const char text[] = "one\ntwo\x1b[31m\0three\n";

    start(LOG_LEVEL_INFO);
    log_write(LOG_LEVEL_INFO, "source:a", text, sizeof text - 1);
    ck_assert_msg(matches(what(), "^" TIME " info  source:a: "
                                  "one\\\\x0atwo\\\\x1b\\[31m\\\\x00three\n$"),
                  "%s", what());
}
END_TEST

START_TEST(long_texts_are_cut_and_say_so)
{
    static char text[LOG_TEXT_MAX + 1];

    memset(text, 'x', sizeof text);
    start(LOG_LEVEL_INFO);
    log_write(LOG_LEVEL_INFO, NULL, text, LOG_TEXT_MAX);
    ck_assert(!matches(what(), "\\.\\.\\.\n$"));
    start(LOG_LEVEL_INFO);
    log_write(LOG_LEVEL_INFO, NULL, text, sizeof text);
    ck_assert(matches(what(), "x\\.\\.\\.\n$"));
    ck_assert_uint_lt(strlen(what()), LOG_TEXT_MAX + 64);
    start(LOG_LEVEL_INFO);
    log_info("%*d", LOG_TEXT_MAX + 100, 1);
    ck_assert(matches(what(), " \\.\\.\\.\n$"));
    memset(text, '\n', sizeof text - 1);
    text[LOG_TEXT_MAX] = 'x';
    start(LOG_LEVEL_INFO);
    log_write(LOG_LEVEL_INFO, text, text, sizeof text);
    ck_assert(matches(what(), "\\.\\.\\.\n$"));
}
END_TEST

START_TEST(the_journal_gets_priorities_and_no_time)
{
    struct stat st;
    char stream[64];

    start(LOG_LEVEL_DEBUG);
    ck_assert_int_eq(fstat(sink, &st), 0);
    (void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino);
    ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
    log_init(sink, LOG_LEVEL_DEBUG);
    log_debug("a");
    log_info("b");
    log_warn("c");
    log_error("d");
    ck_assert_str_eq(what(), "<7>a\n<6>b\n<4>c\n<3>d\n");
    ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
    start(LOG_LEVEL_DEBUG);
    log_info("elsewhere");
    ck_assert(matches(what(), "^" TIME " info  elsewhere\n$"));
    ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
}
END_TEST

enum { THREADS = 4, LINES = 500 };

static void *chatter(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_info("thread %d line %d end", *(int *)arg, i);
    return NULL;
}

START_TEST(threads_do_not_mix_their_lines)
{
    pthread_t thread[THREADS];
    int number[THREADS], lines = 0;

    start(LOG_LEVEL_INFO);
    (void)fcntl(sink, F_SETFL, O_APPEND);
    for (int i = 0; i < THREADS; i++) {
        number[i] = i;
        ck_assert_int_eq(pthread_create(&thread[i], NULL, chatter, &number[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    for (char *at = what(), *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        *end = '\0';
        ck_assert_msg(matches(at, "^" TIME " info  thread [0-3] line [0-9]+ end$"), "%s",
                      at);
        lines++;
    }
    ck_assert_int_eq(lines, THREADS * LINES);
}
END_TEST

START_TEST(a_limit_passes_a_burst_and_counts_the_rest)
{
    struct log_limit limit = LOG_LIMIT(2, 1000);
    uint32_t held = 9;

    ck_assert(log_limit_pass(&limit, 5, &held));
    ck_assert_uint_eq(held, 0);
    ck_assert(log_limit_pass(&limit, 6, &held));
    ck_assert(!log_limit_pass(&limit, 7, &held));
    ck_assert(!log_limit_pass(&limit, 1004, &held));
    ck_assert(log_limit_pass(&limit, 1005, &held));
    ck_assert_uint_eq(held, 2);
    ck_assert(log_limit_pass(&limit, 1006, &held));
    ck_assert_uint_eq(held, 0);
}
END_TEST

START_TEST(levels_have_names)
{
    enum log_level level = LOG_LEVEL_DEBUG;

    ck_assert_int_eq(log_level_parse("warn", &level), 0);
    ck_assert_int_eq(level, LOG_LEVEL_WARN);
    ck_assert_int_ne(log_level_parse("loud", &level), 0);
    ck_assert_int_eq(level, LOG_LEVEL_WARN);
}
END_TEST

UNIT_MAIN("log", a_line_is_time_level_and_text, levels_below_the_least_are_silent,
          a_plugin_speaks_under_its_name_and_in_one_line, long_texts_are_cut_and_say_so,
          the_journal_gets_priorities_and_no_time, threads_do_not_mix_their_lines,
          a_limit_passes_a_burst_and_counts_the_rest, levels_have_names)
