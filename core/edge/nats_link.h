/* The connection to NATS: connects, stays connected for ever, carries core messages.
 *
 * One thread of its own (the keeper) resolves, connects, finds out why that fails, and
 * connects again 50 to 100 ms after a loss, to the next server of the list, for ever
 * (a second after refused credentials).  nats.c's own reconnect is not used: it holds
 * the connection's lock while it connects, so that a publish would block, and it
 * buffers what is published meanwhile, so that stale heartbeats would go out later.
 * Here a publish without a connection fails at once with STATUS_OFFLINE.
 *
 * All that happens arrives in the inbox: INBOX_LINK_UP (every subscription made before
 * stands at the server), LINK_DOWN, LINK_ERROR, LINK_DENIED, and each message under
 * the kind and tag of its subscription.  A frozen server is noticed after 500-750 ms.
 *
 * The functions here are for one thread at a time (the loop) unless said otherwise.
 */
#ifndef PARTI_EDGE_NATS_LINK_H
#define PARTI_EDGE_NATS_LINK_H

#include "edge/inbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NATS_LINK_SERVERS_MAX = 16,
    NATS_LINK_SUBSCRIPTIONS_MAX = 64,
    NATS_LINK_SUBJECT_MAX = 255,     /* of a subscription */
    NATS_LINK_PUBLISH_MAX = 2047,    /* of a subject that is published to */
    NATS_LINK_PING_MS = 250,         /* a frozen server is given up after the second */
    NATS_LINK_CONNECT_MS = 1000,     /* one attempt at one server, */
    NATS_LINK_CONNECT_TLS_MS = 2000, /* the same with TLS, */
    NATS_LINK_PROBE_MS = 500,        /* and finding out why it failed */
    NATS_LINK_RETRY_MIN_MS = 50,     /* between attempts; jitter up to the maximum */
    NATS_LINK_RETRY_MAX_MS = 100, /* so that a fleet does not come back in one instant */
    NATS_LINK_RETRY_AUTH_MS = 1000, /* after refused credentials */
    NATS_LINK_WRITE_MS = 500        /* longest time one publish may block */
};

/* All texts are copied; NULL or "" is not given. */
struct nats_link_options {
    const char *url; /* nats://user:password@host:4222,tls://[::1]:4223, ... */
    const char *user, *password;
    const char *creds;                       /* credentials file (JWT and seed) */
    const char *nkey;                        /* file with the user's nkey seed */
    const char *tls_ca, *tls_cert, *tls_key; /* PEM files; any of them asks for TLS */
    const char *name;                        /* shown by the server's monitoring */
};

struct nats_link;

/* Starts to connect and returns at once.  STATUS_INVALID with a full sentence in
 * 'text' (room bytes, code ERR_NATS_OPTIONS) if the options cannot work whatever the
 * servers do: URL that does not parse, file that cannot be read.
 */
int nats_link_create(struct nats_link **ret_link, struct inbox *inbox,
                     const struct nats_link_options *options, char *text, size_t room);

/* Closes, waits for library threads to leave our callbacks, frees.  Accepts NULL. */
void nats_link_destroy(struct nats_link *link);

/* Another list of servers (the embedded server came back elsewhere).  Takes effect at
 * the next connect; a standing connection is left alone.  STATUS_INVALID as above.
 */
int nats_link_set_url(struct nats_link *link, const char *url, char *text, size_t room);

/* Messages to 'subject' (wildcards allowed) arrive as items of this kind with this tag,
 * now and after every reconnect.  May be called before the first connect.
 * STATUS_LIMIT: too many; STATUS_INVALID: subject too long, empty, or with a blank.
 */
int nats_link_subscribe(struct nats_link *link, const char *subject, int kind, int tag);

/* No further item of this subject and tag is put in; those in the inbox stay there. */
void nats_link_unsubscribe(struct nats_link *link, const char *subject, int tag);

/* STATUS_OK: handed to the connection, which says nothing about arrival.
 * STATUS_OFFLINE: not connected, nothing is sent, now or later.  STATUS_TIMEOUT: the
 * connection broke while sending, so it may have gone out or not.  STATUS_LIMIT: larger
 * than the server's max_payload.  STATUS_INVALID: no subject, one too long, or a blank in
 * it.  'reply' may be NULL. Any thread.
 */
int nats_link_publish(struct nats_link *link, const char *subject, const char *reply,
                      const void *data, size_t n);

/* The same with headers. */
struct nats_link_header {
    const char *name, *value;
};
int nats_link_publish_headers(struct nats_link *link, const char *subject,
                              const char *reply, const struct nats_link_header *headers,
                              size_t headers_n, const void *data, size_t n);

/* Gives the present connection up (two beacons missing) and takes the next server. */
void nats_link_force_reconnect(struct nats_link *link);

/* As of the last connect.  Any thread. */
bool nats_link_is_up(struct nats_link *link);

/* Largest message that the connected server takes, in bytes; 0 before the first
 * connect.  Any thread.
 */
size_t nats_link_max_payload(struct nats_link *link);

/* Connects made so far, for metrics: 1 after the first.  Any thread. */
uint64_t nats_link_connects(struct nats_link *link);

/* The server's URL without credentials, for texts: the connected one, else the first
 * of the list.  Copied into to[room].  Any thread.
 */
void nats_link_server(struct nats_link *link, char *to, size_t room);

#endif
