/* One supervised command on a bench: what it wrote, answered and how it ended.  The test
 * program itself is the guardian: its main() hands "guardian" to child_guardian(). */
#ifndef PARTI_TESTS_EDGE_BENCH_H
#define PARTI_TESTS_EDGE_BENCH_H

#include "edge/child.h"
#include "edge/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BENCH_OUT_MAX = 1 << 20, BENCH_WAIT_MS = 20000, BENCH_LATE_MS = 50 };

struct bench {
    struct child_guard *guard;
    struct child *child;
    char out[BENCH_OUT_MAX + 1]; /* the first of what passed through, ended with NUL */
    size_t out_n;                /* all of it */
    uint64_t released;           /* the last epoch answered */
    int answers;
    bool has_ended;
    enum child_end how;
    int number;
    uint64_t ended_ns;
};

/* Runs `sh -c script`; fails the test if it does not start.  queue_max as child.h. */
void bench_start(struct bench *bench, const char *script, size_t queue_max);

/* Ends what is left. */
void bench_finish(struct bench *bench);

/* Tells the command a line (with its newline). */
void bench_tell(struct bench *bench, const char *line);

/* Works until it holds; fails the test after BENCH_WAIT_MS. */
void bench_until_ended(struct bench *bench);
void bench_until_answers(struct bench *bench, int n);
void bench_until_output(struct bench *bench, const char *text);

/* One turn: waits at most this long. */
void bench_turn(struct bench *bench, bool is_full, int timeout_ms);

/* Works until so many numbers stand alone on lines of the output. */
void bench_until_numbers(struct bench *bench, int n);

/* The nth number (from 0) that stands alone on a line of the output. */
pid_t bench_number(const struct bench *bench, int nth);

/* Is there no such process any more (zombies count as gone)? */
bool bench_is_gone(pid_t pid);

/* When the process ends, in ns of CLOCK_BOOTTIME; fails the test after BENCH_WAIT_MS. */
uint64_t bench_end_of(int pidfd);

/* The parent of the command. */
pid_t bench_guardian(const struct bench *bench);

#endif
