/* The demo's worker processes: started as `parti run --events -`, heard through pipes.
 * One thread.
 */
#ifndef PARTI_CLI_DEMO_FLEET_H
#define PARTI_CLI_DEMO_FLEET_H

#include "cli/demo_ledger.h"

#include <stdio.h>
#include <sys/types.h>

enum { FLEET_MAX = 16, FLEET_LINE_MAX = 1 << 20 };

struct fleet_worker {
    pid_t pid; /* 0: ended */
    int fd;    /* its events */
    char id[64];
    char state[32];
    char *buffer;
    size_t n;
    uint64_t started_ns;
    uint64_t first_ns; /* first assignment */
};

struct fleet {
    const char *program; /* this binary */
    const char *folder;
    const char *status_file; /* what the workers' children count */
    const char *plugin_dir;  /* or NULL */
    const struct demo_input *input;
    struct ledger ledger;
    struct fleet_worker worker[FLEET_MAX];
    uint32_t n;
    char leader[64];
    char trouble[256]; /* the last error event, "" for none */
};

/* Starts a worker with this INI file; its children's results go to FOLDER/count.K.
 * *ret is its number.  STATUS_LIMIT, STATUS_IO. */
int fleet_start(struct fleet *f, const char *ini, uint32_t *ret);

/* Signals one; buries it when it has been waited for. */
void fleet_signal(struct fleet *f, uint32_t k, int signal);
/* SIGKILL and wait; *ret_ns is the instant before. */
void fleet_kill(struct fleet *f, uint32_t k, uint64_t *ret_ns);

/* Takes events until done(f, ctx) or the deadline: 0 or STATUS_TIMEOUT. */
int fleet_wait(struct fleet *f, bool (*done)(struct fleet *f, const void *ctx),
               const void *ctx, uint64_t timeout_ms);

/* Every section is held and every living worker is Stable. */
bool fleet_is_settled(struct fleet *f, const void *unused);

/* Number of sections, or packages in them, that a worker holds. */
uint32_t fleet_sections(const struct fleet *f, uint32_t k);
uint64_t fleet_packages(const struct fleet *f, uint32_t k);

/* The end of what each worker said on its standard error. */
void fleet_print_logs(const struct fleet *f, FILE *to);

/* Ends all that still live. */
void fleet_finish(struct fleet *f);

#endif
