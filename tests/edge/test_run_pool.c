/* core/cli/run_pool: messages to a real command. */
#include "config.h"

#include "base/errors.h"
#include "cli/run_pool.h"
#include "edge/clock.h"
#include "edge/sig.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000, QUEUE_MAX = 1024 * 1024, DATA_MAX = 200 * 1024 };

static struct run_pool pool;
static struct event_line line;
static char out[1024];
static size_t out_n;
static int problems, last_code, answers;
static enum run_answer answered[8];
static uint64_t position[8];

static void on_released(void *ctx, uint64_t epoch)
{
    (void)ctx;
    (void)epoch;
}

static void on_output(void *ctx, const char *at, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n && out_n < sizeof out - 1; i++)
        out[out_n++] = at[i];
}

static void on_problem(void *ctx, int code, const char *text)
{
    (void)ctx;
    ck_assert_msg(strstr(text, "position 10 ") != NULL, "%s", text);
    problems++;
    last_code = code;
}

static void on_gave_up(void *ctx)
{
    (void)ctx;
}

static bool may_begin(void *ctx, const struct parti_ticket *ticket)
{
    (void)ctx;
    (void)ticket;
    return true;
}

static void on_answer(void *ctx, struct parti_ticket ticket, enum run_answer answer,
                      uint64_t delay_ms)
{
    (void)ctx;
    (void)delay_ms;
    if (answer == RUN_ANSWER_PROGRESS)
        return;
    ck_assert_int_lt(answers, 8);
    position[answers] = ticket.position;
    answered[answers++] = answer;
}

static const struct parti_partition part = {
    .id = "a", .key = "a", .key_n = 1, .weight = 1, .token = {9, 1}, .hold = {0, 1}};

static void add(uint64_t at, const char *data, size_t n)
{
    struct run_letter *l = calloc(1, sizeof *l);

    ck_assert_ptr_nonnull(l);
    l->kept.message = (struct parti_message){.partition = &part,
                                             .position = at,
                                             .attempt = 1,
                                             .subject = "s",
                                             .data = data,
                                             .data_n = n,
                                             .ticket = {.hold = part.hold,
                                                        .position = at,
                                                        .attempt = 1,
                                                        .stretch = (uint32_t)(at / 10)}};
    run_pool_message(&pool, l);
}

static void begin(const char *script)
{
    static char sh[] = "sh", c[] = "-c", text[512];
    static char *argv[] = {sh, c, text, NULL};
    const struct run_pool_options options = {.keeper = {.argv = argv,
                                                        .queue_max = QUEUE_MAX,
                                                        .released = on_released,
                                                        .output = on_output,
                                                        .problem = on_problem,
                                                        .gave_up = on_gave_up},
                                             .children = 1,
                                             .speak_ms = 1000,
                                             .may_begin = may_begin,
                                             .answer = on_answer};
    struct event_stamp stamp;
    char why[256];
    int fd;

    ck_assert_int_eq(sig_open(&fd), 0);
    (void)snprintf(text, sizeof text, "%s", script);
    ck_assert_int_eq(run_pool_init(&pool, &options), 0);
    run_pool_lease(&pool, clock_boot_ns() + 60 * CLOCK_NS_PER_S);
    ck_assert_msg(run_pool_start(&pool, why, sizeof why) == 0, "%s", why);
    event_stamp_now(&stamp, "worker-7");
    ck_assert_int_eq(event_line_assigned(&line, &stamp, 1, &part, 1), 0);
    run_pool_assigned(&pool, &stamp, 1, &part, 1, &line);
}

static void turn(void)
{
    struct pollfd fds[RUN_POOL_FDS];
    size_t n = run_pool_fds(&pool, fds, false);

    (void)poll(fds, n, 100);
    run_pool_ready(&pool, fds);
}

static void until_answers(int n)
{
    uint64_t until_ms = clock_boot_ms() + WAIT_MS;

    while (answers < n) {
        turn();
        ck_assert_msg(clock_boot_ms() < until_ms, "%d answers; output: %s", answers, out);
    }
}

START_TEST(a_line_that_no_command_can_be_given_is_refused_for_good_and_said)
{
    static char data[DATA_MAX]; /* of bytes that JSON makes six of */

    memset(data, 1, sizeof data);
    begin("while read -r line; do case $line in\n"
          "*'\"position\":20,'*) echo '{\"ack\":1}';;\n"
          "esac; done");
    add(10, data, sizeof data);
    until_answers(1);
    ck_assert_uint_eq(position[0], 10);
    ck_assert_int_eq((int)answered[0], (int)RUN_ANSWER_TERM);
    add(20, "b", 1); /* the command lives */
    until_answers(2);
    ck_assert_uint_eq(position[1], 20);
    ck_assert_int_eq((int)answered[1], (int)RUN_ANSWER_ACK);
    ck_assert_int_eq(problems, 1);
    ck_assert_int_eq(last_code, ERR_MESSAGE_SPENT);
    run_pool_finish(&pool);
    event_line_finish(&line);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {
        a_line_that_no_command_can_be_given_is_refused_for_good_and_said};

    if (argc > 1 && strcmp(argv[1], "guardian") == 0)
        return child_guardian(argc - 1, argv + 1);
    return unit_run("run_pool", tests, sizeof tests / sizeof *tests);
}
