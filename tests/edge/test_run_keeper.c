/* core/cli/run_keeper: the hand-shake, the restarts, the fence; real commands. */
#include "config.h"

#include "base/errors.h"
#include "base/status.h"
#include "cli/run_keeper.h"
#include "edge/clock.h"
#include "edge/sig.h"

#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MS CLOCK_NS_PER_MS

enum { WAIT_MS = 20000, PROBLEMS_MAX = 16, OUT_MAX = 1 << 16 };

/* Says what it is told; gives back, or breaks, when asked to by name. */
#define WORKER                                                              \
    "echo up $$\n"                                                          \
    "while read -r line; do echo \"told $line\"; case $line in\n"           \
    "*'\"revoking\"'*) e=${line#*'\"epoch\":'}; echo \"{\\\"released\\\": " \
    "${e%%,*}}\";;\n"                                                       \
    "*crash*) exit 3;; *finish*) exit 0;;\n"                                \
    "esac; done; echo eof"

/* The same, but it never gives back. */
#define SILENT "echo up $$; while read -r line; do echo \"told $line\"; done"

static struct run_keeper keeper;
static struct run_keeper_options options;
static char script[4096], out[OUT_MAX + 1];
static size_t out_n;
static uint64_t released;
static int releases, problems, give_ups, code[PROBLEMS_MAX];
static uint64_t problem_ns[PROBLEMS_MAX];
static bool still_holds = true;

static void on_released(void *ctx, uint64_t epoch)
{
    (void)ctx;
    released = epoch;
    releases++;
}

static void on_output(void *ctx, const char *at, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n && out_n < OUT_MAX; i++)
        out[out_n++] = at[i];
}

static void on_problem(void *ctx, int number, const char *text)
{
    (void)ctx;
    ck_assert_int_lt(problems, PROBLEMS_MAX);
    ck_assert_ptr_nonnull(strchr(text, '\''));
    problem_ns[problems] = clock_boot_ns();
    code[problems++] = number;
}

static void on_gave_up(void *ctx)
{
    (void)ctx;
    give_ups++;
}

static bool on_holds(void *ctx, const struct parti_partition *partition, size_t n)
{
    (void)ctx, (void)partition, (void)n;
    return still_holds;
}

static void run(const char *command)
{
    static char sh[] = "sh", c[] = "-c";
    static char *argv[] = {sh, c, script, NULL};
    char text[256];
    int fd;

    ck_assert_int_eq(sig_open(&fd), 0);
    (void)snprintf(script, sizeof script, "%s", command);
    options.argv = argv;
    options.released = on_released;
    options.output = on_output;
    options.problem = on_problem;
    options.gave_up = on_gave_up;
    options.holds = on_holds;
    ck_assert_int_eq(run_keeper_init(&keeper, &options), 0);
    run_keeper_lease(&keeper, clock_boot_ns() + 60 * CLOCK_NS_PER_S);
    run_keeper_worker(&keeper, "worker-7");
    ck_assert_msg(run_keeper_start(&keeper, text, sizeof text) == 0, "%s", text);
}

static void turn(void)
{
    struct pollfd fds[CHILD_FDS];
    uint64_t due_ns = run_keeper_due_ns(&keeper), now_ns = clock_boot_ns();
    uint64_t left_ms = due_ns <= now_ns ? 0 : (due_ns - now_ns) / MS + 1;

    run_keeper_fds(&keeper, fds, false);
    (void)poll(fds, CHILD_FDS, left_ms < 1000 ? (int)left_ms : 1000);
    run_keeper_ready(&keeper, fds);
}

#define UNTIL(condition)                                                                \
    for (uint64_t until_ms = clock_boot_ms() + WAIT_MS; !(condition); turn())           \
    ck_assert_msg(clock_boot_ms() < until_ms, "not in %d ms: %s\noutput:\n%s", WAIT_MS, \
                  #condition, out)

static int count(const char *text)
{
    int n = 0;

    for (const char *at = out; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static struct event_line line;

static void tell(const char *text)
{
    struct event_stamp stamp;

    event_stamp_now(&stamp, "worker-7");
    ck_assert_int_eq(event_line_state(&line, &stamp, "Stable", "Stable", text), 0);
    run_keeper_tell(&keeper, &line);
}

static const struct parti_partition parts[] = {
    {.id = "b", .key = "b", .key_n = 1, .weight = 1, .token = {9, 1}},
    {.id = "a", .key = "a", .key_n = 1, .weight = 1, .token = {9, 1}},
    {.id = "c", .key = "c", .key_n = 1, .weight = 1, .token = {9, 1}},
};

static void assign(uint64_t epoch, size_t from, size_t n)
{
    struct event_stamp stamp;

    event_stamp_now(&stamp, "worker-7");
    ck_assert_int_eq(event_line_assigned(&line, &stamp, epoch, parts + from, n), 0);
    run_keeper_assigned(&keeper, epoch, parts + from, n, &line);
}

static void take_back(uint64_t epoch, size_t from, size_t n, uint64_t deadline_ms)
{
    struct event_stamp stamp;

    event_stamp_now(&stamp, "worker-7");
    ck_assert_int_eq(
        event_line_revoking(&line, &stamp, epoch, parts + from, n, deadline_ms), 0);
    run_keeper_revoking(&keeper, epoch, parts + from, n, deadline_ms, &line);
}

static void fence(uint64_t deadline_ns)
{
    struct event_stamp stamp;

    event_stamp_now(&stamp, "worker-7");
    ck_assert_int_eq(event_line_fenced(&line, &stamp, deadline_ns, "no beacon"), 0);
    run_keeper_fenced(&keeper, deadline_ns, &line);
}

static void finish(void)
{
    run_keeper_finish(&keeper);
    event_line_finish(&line);
}

/* ---- the hand-shake --------------------------------------------------------------- */

START_TEST(a_revoke_is_released_by_the_commands_word)
{
    options.restarts_max = 5;
    run(WORKER);
    assign(3, 0, 3);
    take_back(4, 0, 1, 10000);
    ck_assert_int_eq(releases, 0);
    UNTIL(releases == 1);
    ck_assert_uint_eq(released, 4);
    ck_assert_int_eq(problems, 0);
    ck_assert_int_eq(count("\"released\""), 0); /* the answer is not passed on */
    finish();
}
END_TEST

START_TEST(answers_that_nobody_asked_for_are_no_release)
{
    run("echo '{\"released\": 99}'; " WORKER);
    UNTIL(count("up ") == 1);
    assign(3, 0, 1);
    tell("mark");
    UNTIL(count("mark") == 1);
    ck_assert_int_eq(releases, 0);
    finish();
}
END_TEST

START_TEST(one_answer_settles_all_earlier_revokes)
{
    run("n=0; while read -r line; do case $line in *'\"revoking\"'*) n=$((n + 1));;\n"
        "esac; [ $n = 3 ] && echo '{\"released\": 8}'; done");
    assign(3, 0, 3);
    take_back(5, 0, 1, 10000);
    take_back(6, 1, 1, 10000);
    take_back(9, 2, 1, 10000);
    UNTIL(releases > 0);
    ck_assert_uint_eq(released, 6); /* what was asked for, not what was answered */
    ck_assert_uint_eq(keeper.revokes, 1);
    finish();
}
END_TEST

START_TEST(a_command_that_ignores_a_revoke_is_killed_and_that_releases)
{
    options.restarts_max = 5;
    run(SILENT);
    assign(3, 0, 3);
    UNTIL(count("told ") == 1);
    pid_t pid = child_pid(keeper.child);
    uint64_t asked_ns = clock_boot_ns();
    take_back(4, 0, 2, 300);
    UNTIL(releases == 1);
    ck_assert_uint_eq(released, 4);
    ck_assert_uint_ge(clock_boot_ns() - asked_ns, 300 * MS);
    ck_assert_int_eq(kill(pid, 0), -1); /* before the release it was gone */
    ck_assert_int_eq(problems, 1);
    ck_assert_int_eq(code[0], ERR_COMMAND_SILENT);
    /* The next run is told of what is left, in one line. */
    UNTIL(count("up ") == 2 && count("\"id\":\"c\"") == 2);
    ck_assert_int_eq(
        count("\"event\":\"assigned\",\"epoch\":3,\"partitions\":[{\"id\":\"c\""), 1);
    finish();
}
END_TEST

START_TEST(with_wait_it_is_waited_for)
{
    options.waits = true;
    run("trap '' TERM; while read -r line; do case $line in\n"
        "*mark*) echo '{\"released\": 4}';; esac; done");
    assign(3, 0, 3);
    take_back(4, 0, 2, 100);
    UNTIL(problems == 1);
    ck_assert_int_eq(code[0], ERR_COMMAND_SILENT);
    ck_assert_int_eq(releases, 0);
    ck_assert_uint_eq(run_keeper_due_ns(&keeper), UINT64_MAX); /* said once */
    tell("mark");
    UNTIL(releases == 1);
    ck_assert_uint_eq(released, 4);
    finish();
}
END_TEST

START_TEST(without_a_running_command_a_revoke_is_released_at_once)
{
    options.restarts_max = 5;
    run("exit 1");
    assign(3, 0, 2);
    UNTIL(!run_keeper_is_running(&keeper));
    take_back(4, 0, 1, 10000);
    ck_assert_int_eq(releases, 1);
    ck_assert_uint_eq(released, 4);
    finish();
}
END_TEST

START_TEST(a_command_that_never_reads_is_killed)
{
    options.queue_max = 100000;
    options.restarts_max = 5;
    run("echo up $$; exec tail -f /dev/null");
    UNTIL(count("up ") == 1);
    for (int i = 0; problems == 0; i++) {
        ck_assert_int_lt(i, 10000);
        tell("more");
    }
    ck_assert_int_eq(code[0], ERR_COMMAND_DEAF);
    UNTIL(count("up ") == 2);
    ck_assert_int_eq(problems, 1);
    finish();
}
END_TEST

/* ---- restarts --------------------------------------------------------------------- */

START_TEST(a_crash_releases_what_was_being_revoked_and_keeps_the_rest)
{
    options.restarts_max = 5;
    run("echo up $$; while read -r line; do case $line in *'\"revoking\"'*) exit 3;; "
        "esac;"
        " echo \"told $line\"; done");
    assign(3, 0, 3);
    take_back(4, 1, 1, 10000);
    UNTIL(releases == 1);
    ck_assert_uint_eq(released, 4);
    ck_assert_int_eq(code[0], ERR_COMMAND_ENDED);
    UNTIL(count("up ") == 2 && count("told ") == 2);
    /* In the order of their keys. */
    ck_assert_ptr_nonnull(
        strstr(out, "\"worker\":\"worker-7\",\"event\":\"assigned\",\"epoch\":3,"
                    "\"partitions\":[{\"id\":\"b\",\"keys\":[\"b\"],"
                    "\"weight\":1,\"token\":\"9-1\"},{\"id\":\"c\","));
    ck_assert_int_eq(problems, 1);
    finish();
}
END_TEST

START_TEST(an_exit_with_success_is_unasked_too)
{
    options.restarts_max = 5;
    run(WORKER);
    tell("finish");
    UNTIL(count("up ") == 2);
    ck_assert_int_eq(problems, 1);
    ck_assert_int_eq(code[0], ERR_COMMAND_ENDED);
    finish();
}
END_TEST

START_TEST(the_pause_doubles_and_the_limit_ends_it)
{
    options.restarts_max = 3;
    run("exit 1");
    UNTIL(give_ups == 1);
    ck_assert_int_eq(problems, 5);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(code[i], ERR_COMMAND_ENDED);
    ck_assert_int_eq(code[4], ERR_COMMAND_FAILING);
    ck_assert_uint_ge(problem_ns[1] - problem_ns[0], 100 * MS);
    ck_assert_uint_ge(problem_ns[2] - problem_ns[1], 200 * MS);
    ck_assert_uint_ge(problem_ns[3] - problem_ns[2], 400 * MS);
    ck_assert_uint_eq(run_keeper_due_ns(&keeper), UINT64_MAX);
    ck_assert(!run_keeper_is_running(&keeper));
    finish();
}
END_TEST

START_TEST(with_no_restarts_the_first_failure_ends_it)
{
    options.restarts_max = 0;
    run("exit 1");
    UNTIL(give_ups == 1);
    ck_assert_int_eq(problems, 2);
    finish();
}
END_TEST

START_TEST(kills_of_ours_are_no_failures)
{
    options.restarts_max = 0;
    run(SILENT);
    for (uint64_t epoch = 1; epoch <= 3; epoch++) {
        assign(2 * epoch, 0, 1);
        take_back(2 * epoch + 1, 0, 1, 20);
        UNTIL(releases == (int)epoch && run_keeper_is_running(&keeper));
    }
    ck_assert_int_eq(give_ups, 0);
    finish();
}
END_TEST

START_TEST(draining_starts_nothing_again_and_hanging_up_is_the_end_of_file)
{
    options.restarts_max = 5;
    run(WORKER);
    assign(3, 0, 3);
    run_keeper_drain(&keeper);
    take_back(4, 0, 3, 10000);
    UNTIL(releases == 1);
    run_keeper_hang_up(&keeper);
    UNTIL(!run_keeper_is_running(&keeper));
    ck_assert_ptr_nonnull(strstr(out, "eof\n"));
    ck_assert_uint_eq(run_keeper_due_ns(&keeper), UINT64_MAX);
    ck_assert_int_eq(problems, 0);
    finish();
}
END_TEST

/* ---- the lease -------------------------------------------------------------------- */

START_TEST(a_fence_is_told_and_kills_at_the_deadline)
{
    options.restarts_max = 0;
    run(WORKER);
    assign(3, 0, 3);
    take_back(4, 0, 1, 10000);
    UNTIL(releases == 1);
    uint64_t deadline_ns = clock_boot_ns() + 200 * MS;
    run_keeper_lease(&keeper, deadline_ns);
    fence(deadline_ns);
    UNTIL(count("\"fenced\"") == 1);
    ck_assert_uint_lt(clock_boot_ns(), deadline_ns);
    /* A new lease and a new grant are the next run's. */
    run_keeper_lease(&keeper, deadline_ns + 60 * CLOCK_NS_PER_S);
    assign(6, 2, 1);
    UNTIL(problems == 1);
    ck_assert_int_eq(code[0], ERR_COMMAND_EXPIRED);
    ck_assert_uint_ge(problem_ns[0], deadline_ns);
    ck_assert_uint_le(problem_ns[0], deadline_ns + 50 * MS);
    UNTIL(count("up ") == 2 && count("\"assigned\"") == 2);
    ck_assert_ptr_nonnull(strstr(out, "\"epoch\":6,\"partitions\":[{\"id\":\"c\","));
    ck_assert_int_eq(give_ups, 0);
    finish();
}
END_TEST

START_TEST(who_ends_when_fenced_ends_as_asked)
{
    options.restarts_max = 0;
    run("echo up; while read -r line; do case $line in *fenced*) exit 1; esac; done");
    assign(3, 0, 3);
    fence(clock_boot_ns() + 60 * CLOCK_NS_PER_S);
    UNTIL(count("up") == 2);
    ck_assert_int_eq(problems + give_ups, 0);
    finish();
}
END_TEST

START_TEST(a_fence_leaves_a_command_alone_that_holds_nothing)
{
    run(WORKER);
    assign(3, 0, 3);
    take_back(4, 0, 3, 10000);
    UNTIL(releases == 1);
    pid_t pid = child_pid(keeper.child);
    uint64_t deadline_ns = clock_boot_ns() + 100 * MS;
    run_keeper_lease(&keeper, deadline_ns);
    fence(deadline_ns);
    while (clock_boot_ns() < deadline_ns + 100 * MS)
        turn();
    tell("mark");
    UNTIL(count("mark") == 1);
    ck_assert_int_eq(child_pid(keeper.child), pid);
    finish();
}
END_TEST

START_TEST(a_grant_that_is_lost_by_now_is_not_told)
{
    run(WORKER);
    still_holds = false;
    assign(3, 0, 3);
    still_holds = true;
    tell("mark");
    UNTIL(count("mark") == 1);
    ck_assert_int_eq(count("\"assigned\""), 0);
    ck_assert_uint_eq(keeper.held.n, 0);
    finish();
}
END_TEST

START_TEST(a_new_run_is_not_told_of_what_an_ended_lease_held)
{
    options.restarts_max = 5;
    run(WORKER);
    assign(3, 0, 3);
    run_keeper_lease(&keeper, clock_boot_ns() + 20 * MS);
    UNTIL(problems == 1);
    ck_assert_int_eq(code[0], ERR_COMMAND_EXPIRED);
    UNTIL(run_keeper_is_running(&keeper));
    fence(clock_boot_ns());
    ck_assert_uint_eq(keeper.held.n, 0);
    UNTIL(run_keeper_is_running(&keeper) && count("up ") >= 2);
    ck_assert_int_eq(count("\"assigned\""), 1);
    finish();
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {
        a_revoke_is_released_by_the_commands_word,
        answers_that_nobody_asked_for_are_no_release,
        one_answer_settles_all_earlier_revokes,
        a_command_that_ignores_a_revoke_is_killed_and_that_releases,
        with_wait_it_is_waited_for,
        without_a_running_command_a_revoke_is_released_at_once,
        a_command_that_never_reads_is_killed,
        a_crash_releases_what_was_being_revoked_and_keeps_the_rest,
        an_exit_with_success_is_unasked_too,
        the_pause_doubles_and_the_limit_ends_it,
        with_no_restarts_the_first_failure_ends_it,
        kills_of_ours_are_no_failures,
        draining_starts_nothing_again_and_hanging_up_is_the_end_of_file,
        a_fence_is_told_and_kills_at_the_deadline,
        who_ends_when_fenced_ends_as_asked,
        a_fence_leaves_a_command_alone_that_holds_nothing,
        a_grant_that_is_lost_by_now_is_not_told,
        a_new_run_is_not_told_of_what_an_ended_lease_held,
    };

    if (argc > 1 && strcmp(argv[1], "guardian") == 0)
        return child_guardian(argc - 1, argv + 1);
    return unit_run("run_keeper", tests, sizeof tests / sizeof *tests);
}
