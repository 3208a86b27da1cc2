/* One connection of nats.c to one server, with its subscriptions: made by the link's
 * keeper, used under the link's mutex, over at the first loss.  For nats_link.c only.
 *
 * Its callbacks run on nats.c's threads.  They copy into the inbox; and when the
 * connection ends or a subscription is done with, they say so under the link's mutex
 * and signal its condition.
 */
#ifndef PARTI_EDGE_NATS_SESSION_H
#define PARTI_EDGE_NATS_SESSION_H

#include "edge/inbox.h"
#include "edge/nats_error.h"
#include "edge/nats_setup.h"
#include "edge/nats_url.h"

#include <nats/nats.h>
#include <stdbool.h>

struct nats_session_sub;

struct nats_session {
    struct nats_setup *setup;
    natsConnection *nc;
    char server[NATS_URL_TEXT_ROOM];
    size_t max_payload;
    struct nats_session_sub *subs; /* newest first; under the mutex */
    bool closed;                   /* by callback: no more callbacks; under the mutex */
    struct nats_error why;         /* it ended; under the mutex */
};

/* Connects to one server; blocks for NATS_LINK_CONNECT_MS and a little, or fills e. */
int nats_session_create(struct nats_session **ret_session, struct nats_setup *setup,
                        const struct nats_url *url, struct nats_error *e);

/* Closes and waits until no callback can run any more.  Not under the mutex.  Accepts
 * NULL.
 */
void nats_session_destroy(struct nats_session *session);

/* Under the mutex.  STATUS_OFFLINE: the connection is lost. */
int nats_session_subscribe(struct nats_session *session, const char *subject, int kind,
                           int tag);
void nats_session_unsubscribe(struct nats_session *session, const char *subject, int tag);

/* Blocks until the server has seen all subscriptions.  Not under the mutex. */
int nats_session_flush(struct nats_session *session, struct nats_error *e);

#endif
