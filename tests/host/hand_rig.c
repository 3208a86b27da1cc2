#include "config.h"

#include "hand_rig.h"

#include "field.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct hand_rig hand;

void hand_begin(int program)
{
    field_begin(program);
    cli_rig_setup();
    hand.n = 0;
}

void hand_end(void)
{
    field_end();
    cli_rig_teardown();
}

void hand_start(const char *conf)
{
    static char program[512], wake[512];
    const char *const words[] = {"run", "-c", conf, "--", program, wake, NULL};

    format(program, sizeof program, "%s/tests/host/hand", getenv("PARTI_BUILDDIR"));
    format(wake, sizeof wake, "%s/wake", field.dir);
    cli_start(&hand.live, words);
}

void hand_stop(void)
{
    int status = 0;

    ck_assert_int_eq(kill(hand.live.pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(hand.live.pid, &status, 0), hand.live.pid);
    (void)close(hand.live.out);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

bool hand_read(const char *line, struct hand_handled *ret)
{
    return sscanf(line, "handled %d p/%d %llu %llu %255s", &ret->pid, &ret->part,
                  &ret->position, &ret->attempt, ret->data) == 5;
}

static bool take(const char *line, void *ctx)
{
    const size_t *wanted = ctx;

    ck_assert_uint_lt(hand.n, HANDLED_MAX);
    if (hand_read(line, &hand.handled[hand.n]))
        hand.n++;
    return hand.n >= *wanted;
}

void hand_await(size_t n)
{
    if (hand.n < n)
        cli_line(&hand.live, take, &n);
}

void hand_await_attempt(const char *data, unsigned long long attempt)
{
    for (size_t i = 0;; i++) {
        hand_await(i + 1);
        if (hand.handled[i].attempt == attempt && strcmp(hand.handled[i].data, data) == 0)
            return;
    }
}

void hand_is(size_t i, const char *data, unsigned long long attempt)
{
    ck_assert_uint_lt(i, hand.n);
    ck_assert_str_eq(hand.handled[i].data, data);
    ck_assert_uint_eq(hand.handled[i].attempt, attempt);
}
