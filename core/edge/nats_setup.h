/* The options of a link as every session of it needs them: copied, checked.  For
 * nats_link.c and nats_session.c; `parti config check` asks it about the files.
 */
#ifndef PARTI_EDGE_NATS_SETUP_H
#define PARTI_EDGE_NATS_SETUP_H

#include "edge/inbox.h"
#include "edge/nats_link.h"

#include <pthread.h>

/* Owned by the link, together with the lock that it shares with its sessions. */
struct nats_setup {
    struct inbox *inbox;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    char *user, *password, *creds, *nkey, *nkey_public;
    char *tls_ca, *tls_cert, *tls_key, *name;
};

/* On zeroed memory.  The condition is made for CLOCK_MONOTONIC. */
void nats_setup_init(struct nats_setup *setup, struct inbox *inbox,
                     const struct nats_link_options *options);

/* Wipes what is secret. */
void nats_setup_finish(struct nats_setup *setup);

/* STATUS_INVALID with a sentence in text[room]: a file that cannot be read, half of a
 * pair, an nkey file without a seed.
 */
int nats_setup_check(struct nats_setup *setup, char *text, size_t room);

#endif
