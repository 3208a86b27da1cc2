/* The embedded server: a nats-server of our own for one host.
 *
 * The first process of a user that asks for it starts it; the others find it by its
 * state directory.  It listens on loopback only, at a port that the kernel chooses,
 * keeps its store, its configuration (0600, random credentials) and its log under the
 * state directory, and is killed by the kernel when the process that started it ends.
 * Then one of the others starts it again, at the same port if that is still free.
 *
 * One thread of its own forks and watches: PR_SET_PDEATHSIG fires when the *thread*
 * that forked ends, so that thread lives as long as the server.  What happens arrives
 * in the inbox as INBOX_SERVER_UP (data: URL with credentials), SERVER_DOWN and
 * SERVER_ERROR.  A new URL in a later SERVER_UP goes to nats_link_set_url().
 */
#ifndef PARTI_EDGE_NATS_CHILD_H
#define PARTI_EDGE_NATS_CHILD_H

#include "edge/inbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    NATS_CHILD_URL_ROOM = 256,
    NATS_CHILD_START_MS = 10000,     /* default start-up deadline */
    NATS_CHILD_STOP_MS = 3000,       /* from SIGTERM to SIGKILL */
    NATS_CHILD_BACKOFF_MIN_MS = 100, /* doubled with each failed start */
    NATS_CHILD_BACKOFF_MAX_MS = 5000,
    NATS_CHILD_CHECK_MS = 250 /* how often a finder looks whether to take over */
};

struct nats_child_options {
    const char *program;   /* path, or NULL: nats-server in PATH and the usual places */
    const char *state_dir; /* absolute; created (0700) if missing */
    uint64_t store_max;    /* bytes of JetStream file storage; 0: 1 GiB */
    uint64_t start_ms;     /* deadline for each start; 0: NATS_CHILD_START_MS */
};

struct nats_child;

/* Starts or finds the server and returns at once.  The inbox may be NULL for those who
 * only use nats_child_wait().  STATUS_INVALID with a sentence in text[room] if the
 * options cannot work, STATUS_NOMEM, STATUS_IO.
 */
int nats_child_create(struct nats_child **ret_child, struct inbox *inbox,
                      const struct nats_child_options *options, char *text, size_t room);

/* Stops the server if this process started it: SIGTERM, after NATS_CHILD_STOP_MS
 * SIGKILL.  Blocks until it is gone.  Accepts NULL.
 */
void nats_child_destroy(struct nats_child *child);

/* Blocks until the server is ready (STATUS_OK, URL with credentials in url), or cannot
 * be had (*ret_code of errors.h and a sentence in text[room]); bounded by the start-up
 * deadline and a little.  Any thread.
 */
int nats_child_wait(struct nats_child *child, char url[NATS_CHILD_URL_ROOM],
                    int *ret_code, char *text, size_t room);

/* Looks once for the server that somebody else has started with this state directory, and
 * starts none: its URL with credentials in url.  STATUS_OFFLINE with a sentence in
 * text[room] (code ERR_NATS_REFUSED) if none runs there.  Blocks for half a second at
 * most.  Any thread.
 */
int nats_child_find(const char *state_dir, char url[NATS_CHILD_URL_ROOM], char *text,
                    size_t room);

/* The server's process if this process started it and it runs, else 0.  Any thread. */
pid_t nats_child_pid(struct nats_child *child);

#endif
