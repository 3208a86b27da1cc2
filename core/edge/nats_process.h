/* One process of nats-server: found, configured, started, awaited, stopped.  For
 * nats_child.c and the thread that supervises there: PR_SET_PDEATHSIG fires when the
 * *thread* that forked ends, so one thread does all of this and outlives the process.
 */
#ifndef PARTI_EDGE_NATS_PROCESS_H
#define PARTI_EDGE_NATS_PROCESS_H

#include "edge/nats_endpoint.h"
#include "edge/nats_error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    NATS_PROCESS_TAIL = 2048,          /* bytes of its log that are kept for messages */
    NATS_PROCESS_LOG_MAX = 1024 * 1024 /* then its log file begins anew */
};

struct nats_process {
    pid_t pid; /* 0: none */
    int out;   /* its standard output and error; at their end it has ended too */
    int log;   /* the file they are copied to */
    size_t log_n;
    size_t tail_n;
    char tail[NATS_PROCESS_TAIL];
};

struct nats_process_plan {
    const char *program; /* or NULL: looked for */
    const char *dir;
    uint64_t store_max;
    uint64_t start_ms;
    int lock_fd; /* inherited, so the lock holds as long as the server runs */
    int stop_fd; /* readable: give up */
};

/* Starts the server and waits until it greets: by events, up to the deadline, no longer
 * than until stop_fd is readable (STATUS_CANCELED).  Port and password come from the
 * endpoint; the port is filled in.  On failure nothing is left running.
 */
int nats_process_start(struct nats_process *process, const struct nats_process_plan *plan,
                       struct nats_endpoint *endpoint, struct nats_error *e);

/* Copies what it printed; call when 'out' is readable.  False: the process has ended. */
bool nats_process_drain(struct nats_process *process);

/* SIGTERM, then SIGKILL after stop_ms; 0 kills at once.  Collects it and closes all. */
void nats_process_stop(struct nats_process *process, uint64_t stop_ms);

#endif
