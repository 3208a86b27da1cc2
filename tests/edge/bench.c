#include "config.h"

#include "bench.h"

#include "edge/sig.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int bench_signals = -1;

static void on_output(void *ctx, const char *at, size_t n)
{
    struct bench *bench = ctx;

    for (size_t i = 0; i < n && bench->out_n + i < BENCH_OUT_MAX; i++)
        bench->out[bench->out_n + i] = at[i];
    bench->out_n += n;
}

static void on_released(void *ctx, uint64_t epoch)
{
    struct bench *bench = ctx;

    bench->released = epoch;
    bench->answers++;
}

static void on_ended(void *ctx, enum child_end how, int number)
{
    struct bench *bench = ctx;

    ck_assert(!bench->has_ended);
    bench->has_ended = true;
    bench->how = how;
    bench->number = number;
    bench->ended_ns = clock_boot_ns();
}

void bench_start(struct bench *bench, const char *script, size_t queue_max)
{
    char sh[] = "sh", c[] = "-c", *copy = strdup(script), text[256];
    char *argv[] = {sh, c, copy, NULL};
    struct child_options options = {.argv = argv,
                                    .queue_max = queue_max,
                                    .ctx = bench,
                                    .output = on_output,
                                    .released = on_released,
                                    .ended = on_ended};

    memset(bench, 0, sizeof *bench);
    if (bench_signals < 0)
        ck_assert_int_eq(sig_open(&bench_signals), 0); /* as parti does */
    ck_assert_int_eq(child_guard_create(&bench->guard), 0);
    options.guard = bench->guard;
    int status = child_create(&bench->child, &options, text, sizeof text);
    ck_assert_msg(status == 0, "%s", text);
    free(copy);
}

void bench_finish(struct bench *bench)
{
    child_destroy(bench->child);
    child_guard_destroy(bench->guard);
    bench->child = NULL;
    bench->guard = NULL;
}

void bench_tell(struct bench *bench, const char *line)
{
    ck_assert(child_tell(bench->child, line, strlen(line)));
}

void bench_turn(struct bench *bench, bool is_full, int timeout_ms)
{
    struct pollfd fds[CHILD_FDS];

    child_fds(bench->child, fds, is_full);
    (void)poll(fds, CHILD_FDS, timeout_ms);
    child_ready(bench->child, fds);
}

static int left_ms(uint64_t until_ms)
{
    uint64_t now_ms = clock_boot_ms();

    ck_assert_msg(now_ms < until_ms, "the event did not come in %d ms", BENCH_WAIT_MS);
    return (int)(until_ms - now_ms);
}

void bench_until_ended(struct bench *bench)
{
    uint64_t until_ms = clock_boot_ms() + BENCH_WAIT_MS;

    while (!bench->has_ended)
        bench_turn(bench, false, left_ms(until_ms));
}

void bench_until_answers(struct bench *bench, int n)
{
    uint64_t until_ms = clock_boot_ms() + BENCH_WAIT_MS;

    while (bench->answers < n)
        bench_turn(bench, false, left_ms(until_ms));
}

void bench_until_output(struct bench *bench, const char *text)
{
    uint64_t until_ms = clock_boot_ms() + BENCH_WAIT_MS;

    while (strstr(bench->out, text) == NULL)
        bench_turn(bench, false, left_ms(until_ms));
}

/* 0: there is none. */
static pid_t find_number(const struct bench *bench, int nth)
{
    for (const char *at = bench->out; *at != '\0';) {
        char *end;
        long number = strtol(at, &end, 10);

        if (end != at && *end == '\n' && nth-- == 0)
            return (pid_t)number;
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return 0;
}

void bench_until_numbers(struct bench *bench, int n)
{
    uint64_t until_ms = clock_boot_ms() + BENCH_WAIT_MS;

    while (find_number(bench, n - 1) == 0)
        bench_turn(bench, false, left_ms(until_ms));
}

pid_t bench_number(const struct bench *bench, int nth)
{
    pid_t number = find_number(bench, nth);

    ck_assert_msg(number != 0, "no such number in: %s", bench->out);
    return number;
}

static char stat_of(pid_t pid, pid_t *ret_parent)
{
    char path[64], line[512] = "";
    char state = '\0';
    int parent = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return '\0';
    if (fgets(line, sizeof line, in) != NULL && strrchr(line, ')') != NULL)
        (void)sscanf(strrchr(line, ')') + 1, " %c %d", &state, &parent);
    (void)fclose(in);
    *ret_parent = (pid_t)parent;
    return state;
}

bool bench_is_gone(pid_t pid)
{
    pid_t parent;
    char state = stat_of(pid, &parent);

    return state == '\0' || state == 'Z' || state == 'X';
}

pid_t bench_guardian(const struct bench *bench)
{
    pid_t parent = 0;

    ck_assert_int_ne(stat_of(child_pid(bench->child), &parent), '\0');
    return parent;
}

uint64_t bench_end_of(int pidfd)
{
    struct pollfd fd = {pidfd, POLLIN, 0};

    ck_assert_int_eq(poll(&fd, 1, BENCH_WAIT_MS), 1);
    return clock_boot_ns();
}
