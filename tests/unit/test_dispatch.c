/* core/host/dispatch: what the loop puts in, the application hears, in order, whatever
 * its callbacks do. */
#include "host/dispatch.h"

#include "base/status.h"
#include "edge/clock.h"

#include "unit.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { LINE_ROOM = 256, LINES_MAX = 64, WAIT_MS = 30000, TIMEOUT_MS = 7000 };

/* What the callbacks said, a line each. */
static char line[LINES_MAX][LINE_ROOM];
static size_t lines; /* further ones are only counted */
static uint64_t event_ns;
static bool is_shut; /* callbacks do not return */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct dispatch *d;

static void said(void *ctx, const char *text)
{
    ck_assert_ptr_eq(ctx, &lines);
    (void)pthread_mutex_lock(&lock);
    ck_assert_uint_ge(dispatch_event_ns(d), event_ns);
    ck_assert_uint_le(dispatch_event_ns(d), clock_boot_ns());
    event_ns = dispatch_event_ns(d);
    if (lines < LINES_MAX)
        (void)snprintf(line[lines], LINE_ROOM, "%s", text);
    lines++;
    (void)pthread_cond_broadcast(&changed);
    while (is_shut)
        (void)pthread_cond_wait(&changed, &lock);
    (void)pthread_mutex_unlock(&lock);
}

static void said_parts(void *ctx, const char *what, uint64_t epoch,
                       const struct parti_partition *p, size_t n)
{
    char text[LINE_ROOM];
    size_t at = (size_t)snprintf(text, sizeof text, "%s %d", what, (int)epoch);

    for (size_t i = 0; i < n && at < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, " %s:%u:%d-%d:%u.%u", p[i].id,
                               p[i].weight, (int)p[i].token.gen, (int)p[i].token.since,
                               p[i].hold.slot, p[i].hold.serial);
    said(ctx, text);
}

static void on_assigned(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    said_parts(ctx, "assigned", epoch, p, n);
}

static void on_revoking(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n, uint64_t deadline_ms)
{
    ck_assert_uint_eq(deadline_ms, TIMEOUT_MS);
    said_parts(ctx, "revoking", epoch, p, n);
}

static void on_released(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    said_parts(ctx, "released", epoch, p, n);
}

static void on_fenced(void *ctx, const char *reason, uint64_t deadline_ns)
{
    char text[LINE_ROOM];

    (void)snprintf(text, sizeof text, "fenced %s %llu", reason,
                   (unsigned long long)deadline_ns);
    said(ctx, text);
}

static void on_state(void *ctx, enum parti_state from, enum parti_state to,
                     const char *reason)
{
    char text[LINE_ROOM];

    (void)snprintf(text, sizeof text, "state %d %d %s", (int)from, (int)to, reason);
    said(ctx, text);
}

static void on_leader(void *ctx, uint64_t term, const char *leader)
{
    char text[LINE_ROOM];

    (void)snprintf(text, sizeof text, "leader %d %s", (int)term, leader);
    said(ctx, text);
}

static void on_id(void *ctx, const char *id)
{
    char text[LINE_ROOM];

    (void)snprintf(text, sizeof text, "id %s", id);
    said(ctx, text);
}

static void on_error(void *ctx, int code, const char *what)
{
    char text[LINE_ROOM];

    (void)snprintf(text, sizeof text, "error %d %.200s", code, what);
    said(ctx, text);
}

static void on_stopped(void *ctx, int code, const char *what)
{
    char text[LINE_ROOM * 2];

    (void)snprintf(text, sizeof text, "stopped %d %s", code, what);
    said(ctx, text);
}

static const struct parti_callbacks all = {.size = sizeof all,
                                           .ctx = &lines,
                                           .assigned = on_assigned,
                                           .revoking = on_revoking,
                                           .released = on_released,
                                           .fenced = on_fenced,
                                           .state = on_state,
                                           .leader = on_leader,
                                           .id = on_id,
                                           .error = on_error,
                                           .stopped = on_stopped};

static void setup(void)
{
    lines = 0;
    event_ns = 0;
    is_shut = false;
    ck_assert_int_eq(dispatch_create(&d, &all, TIMEOUT_MS), 0);
}

/* Everything that was put has been heard after this. */
static void end(void)
{
    dispatch_destroy(d);
    d = NULL;
}

static void wait_lines(size_t n)
{
    struct timespec until;
    int late = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_MS / 1000;
    (void)pthread_mutex_lock(&lock);
    while (lines < n && late == 0)
        late = pthread_cond_timedwait(&changed, &lock, &until);
    ck_assert_uint_ge(lines, n);
    (void)pthread_mutex_unlock(&lock);
}

static void shut(bool shut)
{
    (void)pthread_mutex_lock(&lock);
    is_shut = shut;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

static int put_leader(uint64_t term)
{
    struct action a = {.type = ACT_LEADER, .leader = {term, "worker-1"}};

    return dispatch_put(d, &a, NULL);
}

/* Puts two partitions; the slots are the node's, the rights the worker's. */
static int put_parts(enum action_type type, uint64_t epoch)
{
    const struct part_view part[] = {
        {.id = {"a\0b", 3}, .weight = 100, .since = 4, .gen = 9, .slot = 1},
        {.id = {"50%", 3}, .weight = 7, .since = 5, .gen = 9, .slot = 2}};
    const struct parti_hold hold[] = {{1, 11}, {2, 12}};
    struct action a = {.type = type, .parts = {epoch, part, 2}};

    return dispatch_put(d, &a, hold);
}

START_TEST(each_kind_reaches_its_callback_whole)
{
    struct action fenced = {.type = ACT_FENCED, .fenced = {"no beacon", 12345}};
    struct action state = {.type = ACT_STATE,
                           .state = {LIFE_STABLE, LIFE_SCALING, "a join"}};
    struct action id = {.type = ACT_ID, .id = {"worker-3"}};
    struct action error = {.type = ACT_ERROR, .error = {310, "no id"}};

    dispatch_begin(d);
    ck_assert_int_eq(put_parts(ACT_GRANTED, 10), 0);
    ck_assert_int_eq(put_parts(ACT_REVOKING, 11), 0);
    ck_assert_int_eq(put_parts(ACT_RELEASED, 12), 0);
    ck_assert_int_eq(dispatch_put(d, &fenced, NULL), 0);
    ck_assert_int_eq(dispatch_put(d, &state, NULL), 0);
    ck_assert_int_eq(put_leader(3), 0);
    ck_assert_int_eq(dispatch_put(d, &id, NULL), 0);
    ck_assert_int_eq(dispatch_put(d, &error, NULL), 0);
    ck_assert_int_eq(dispatch_error(d, 500, "a source"), 0);
    dispatch_stopped(d, 0, "");
    end();
    ck_assert_uint_eq(lines, 10);
    ck_assert_str_eq(line[0], "assigned 10 a/b:100:9-4:1.11 50%25:7:9-5:2.12");
    ck_assert_str_eq(line[1], "revoking 11 a/b:100:9-4:1.11 50%25:7:9-5:2.12");
    ck_assert_str_eq(line[2], "released 12 a/b:100:9-4:1.11 50%25:7:9-5:2.12");
    ck_assert_str_eq(line[3], "fenced no beacon 12345000000");
    ck_assert_str_eq(line[4], "state 4 5 a join");
    ck_assert_str_eq(line[5], "leader 3 worker-1");
    ck_assert_str_eq(line[6], "id worker-3");
    ck_assert_str_eq(line[7], "error 310 no id");
    ck_assert_str_eq(line[8], "error 500 a source");
    ck_assert_str_eq(line[9], "stopped 0 ");
}
END_TEST

START_TEST(nothing_is_heard_before_the_beginning)
{
    ck_assert_int_eq(put_leader(1), 0);
    ck_assert_int_eq(put_leader(2), 0);
    ck_assert_uint_eq(lines, 0);
    dispatch_begin(d);
    wait_lines(2);
    end();
    ck_assert_uint_eq(lines, 2);
    ck_assert_str_eq(line[0], "leader 1 worker-1");
}
END_TEST

START_TEST(the_end_delivers_what_waits)
{
    for (uint64_t i = 0; i < 50; i++)
        ck_assert_int_eq(put_leader(i), 0);
    end(); /* not even begun */
    ck_assert_uint_eq(lines, 50);
    ck_assert_str_eq(line[49], "leader 49 worker-1");
    dispatch_destroy(NULL);
}
END_TEST

START_TEST(callbacks_that_are_not_there_are_passed_over)
{
    struct parti_callbacks few = {
        .size = offsetof(struct parti_callbacks, error), .ctx = &lines, .id = on_id};

    end();
    ck_assert_int_eq(dispatch_create(&d, &few, TIMEOUT_MS), 0);
    ck_assert_int_eq(put_parts(ACT_GRANTED, 10), 0);
    ck_assert_int_eq(dispatch_error(d, 500, "a source"), 0); /* beyond its size */
    struct action id = {.type = ACT_ID, .id = {"worker-3"}};
    ck_assert_int_eq(dispatch_put(d, &id, NULL), 0);
    dispatch_stopped(d, 0, "");
    end();
    ck_assert_uint_eq(lines, 1);
    ck_assert_int_eq(dispatch_create(&d, NULL, TIMEOUT_MS), 0);
    ck_assert_int_eq(put_leader(1), 0);
    end();
    ck_assert_uint_eq(lines, 1);
}
END_TEST

START_TEST(nothing_comes_after_the_stop)
{
    dispatch_stopped(d, 607, "no");
    ck_assert_int_eq(put_leader(1), 0);
    ck_assert_int_eq(dispatch_error(d, 500, "late"), 0);
    dispatch_cut(d, "late", 1);
    dispatch_stopped(d, 0, "again");
    end();
    ck_assert_uint_eq(lines, 1);
    ck_assert_str_eq(line[0], "stopped 607 no");
}
END_TEST

/* Puts events until one is refused, behind a callback that does not return. */
static size_t fill(void)
{
    size_t n = 0;

    is_shut = true;
    dispatch_begin(d);
    ck_assert_int_eq(put_leader(0), 0);
    wait_lines(1);
    while (put_leader(n + 1) == 0)
        n++;
    return n;
}

START_TEST(so_many_wait_and_no_more)
{
    ck_assert_uint_eq(fill(), DISPATCH_NOTES_MAX);
    ck_assert_int_eq(put_leader(1), STATUS_LIMIT);
    ck_assert_int_eq(put_parts(ACT_REVOKING, 11), STATUS_LIMIT);
    ck_assert_int_eq(dispatch_error(d, 500, "no room"), STATUS_LIMIT);
    shut(false);
    end();
    ck_assert_uint_eq(lines, 1 + DISPATCH_NOTES_MAX);
}
END_TEST

START_TEST(there_is_room_again_when_some_were_heard)
{
    ck_assert_uint_eq(fill(), DISPATCH_NOTES_MAX);
    shut(false);
    wait_lines(1 + DISPATCH_NOTES_MAX);
    ck_assert_int_eq(put_leader(1), 0);
    end();
    ck_assert_uint_eq(lines, 2 + DISPATCH_NOTES_MAX);
}
END_TEST

START_TEST(bytes_have_a_limit_too)
{
    enum { PARTS = 4000, ID = 250 };
    static struct part_view part[PARTS];
    static char id[ID];
    struct action a = {.type = ACT_GRANTED, .parts = {1, part, PARTS}};
    size_t n = 0;

    memset(id, 'x', sizeof id);
    for (size_t i = 0; i < PARTS; i++)
        part[i] = (struct part_view){.id = {id, sizeof id}};
    while (dispatch_put(d, &a, NULL) == 0)
        n++;
    ck_assert_uint_gt(n, 100);
    ck_assert_uint_le(n, DISPATCH_BYTES_MAX / (PARTS * 4 * ID));
    ck_assert_int_eq(put_leader(1), 0); /* a small one still fits */
    end();
    ck_assert_uint_eq(lines, n + 1);
}
END_TEST

START_TEST(a_cut_is_told_next_then_the_stop_and_nothing_else)
{
    ck_assert_uint_eq(fill(), DISPATCH_NOTES_MAX);
    dispatch_cut(d, "too slow", 12345);
    dispatch_cut(d, "again", 99999);
    ck_assert_int_eq(put_parts(ACT_GRANTED, 11), 0); /* speaks of nothing any more */
    ck_assert_int_eq(dispatch_error(d, 500, "late"), 0);
    dispatch_stopped(d, 607, "gave up");
    shut(false);
    end();
    ck_assert_uint_eq(lines, 3);
    ck_assert_str_eq(line[0], "leader 0 worker-1");
    ck_assert_str_eq(line[1], "fenced too slow 12345");
    ck_assert_str_eq(line[2], "stopped 607 gave up");
}
END_TEST

START_TEST(a_long_text_is_cut_in_what_is_reserved)
{
    char text[1000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    dispatch_stopped(d, 1, text);
    end();
    ck_assert_uint_eq(lines, 1);
    ck_assert_uint_eq(strlen(line[0]), LINE_ROOM - 1);
    ck_assert_int_eq(strncmp(line[0], "stopped 1 xxx", 13), 0);
}
END_TEST

static void *complain(void *arg)
{
    for (int i = 0; i < 5000; i++)
        ck_assert_int_eq(dispatch_error(d, *(const int *)arg, ""), 0);
    return NULL;
}

START_TEST(errors_of_many_threads_all_arrive)
{
    static const int code[] = {1, 2, 3};
    pthread_t thread[3];

    dispatch_begin(d);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(
            pthread_create(&thread[i], NULL, complain, (void *)(uintptr_t)&code[i]), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    end();
    ck_assert_uint_eq(lines, 15000);
}
END_TEST

UNIT_MAIN_WITH("dispatch", setup, NULL, each_kind_reaches_its_callback_whole,
               nothing_is_heard_before_the_beginning, the_end_delivers_what_waits,
               callbacks_that_are_not_there_are_passed_over, nothing_comes_after_the_stop,
               so_many_wait_and_no_more, there_is_room_again_when_some_were_heard,
               bytes_have_a_limit_too, a_cut_is_told_next_then_the_stop_and_nothing_else,
               a_long_text_is_cut_in_what_is_reserved, errors_of_many_threads_all_arrive)
