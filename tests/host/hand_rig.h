/* `parti run` over the field with tests/host/hand for its command, and the lines in which
 * that one tells what it handles.  Fails the running Check test when something is not as
 * it must be.
 */
#ifndef PARTI_TESTS_HOST_HAND_RIG_H
#define PARTI_TESTS_HOST_HAND_RIG_H

#include "cli_rig.h"

#include <stdbool.h>
#include <stddef.h>

enum { HANDLED_MAX = 4096 };

/* A line of tests/host/hand.c. */
struct hand_handled {
    int pid, part;
    unsigned long long position, attempt;
    char data[256];
};

struct hand_rig {
    struct hand_handled handled[HANDLED_MAX];
    size_t n;
    struct cli_live live;
};

extern struct hand_rig hand;

/* field_begin() and a folder for the command line; and their end. */
void hand_begin(int program);
void hand_end(void);

/* `parti run` with this configuration, in hand.live. */
void hand_start(const char *conf);

/* SIGTERM: drains, exit code 0. */
void hand_stop(void);

/* False: another line. */
bool hand_read(const char *line, struct hand_handled *ret);

/* Until so many messages were handled; or one with this data at this attempt. */
void hand_await(size_t n);
void hand_await_attempt(const char *data, unsigned long long attempt);

/* The i-th that was handled. */
void hand_is(size_t i, const char *data, unsigned long long attempt);

#endif
