/* The demo's own state, for cmd_demo.c and demo_end.c.  One thread. */
#ifndef PARTI_CLI_DEMO_H
#define PARTI_CLI_DEMO_H

#include "cli/demo_fleet.h"
#include "cli/demo_moves.h"
#include "edge/nats_child.h"

#include <limits.h>

struct demo {
    struct demo_input input;
    struct fleet fleet;
    struct nats_child *server;
    char url[NATS_CHILD_URL_ROOM];
    char folder[256];
    char program[PATH_MAX];
    bool is_fast;
    uint64_t begin_ns;
    /* figures for the summary */
    uint64_t first_ms, cold_ms, join_ms, crash_ms, return_ms, restart_ms, drain_ms;
    uint64_t drain_gap_ms;
    struct demo_moves join, restart;
};

/* Since the beginning. */
double demo_seconds(const struct demo *d);

/* Says what did not hold; CLI_FAILED. */
int demo_failed(const struct demo *d, const char *what);

/* Prints all that was measured; CLI_OK if the counts add up and nothing overlapped. */
int demo_finish(struct demo *d);

#endif
