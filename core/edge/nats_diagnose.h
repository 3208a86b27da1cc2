/* Words for what nats.c reports about a connection.  For nats_session.c. */
#ifndef PARTI_EDGE_NATS_DIAGNOSE_H
#define PARTI_EDGE_NATS_DIAGNOSE_H

#include "edge/nats_error.h"
#include "edge/nats_url.h"

#include <nats/nats.h>

/* Why connecting failed; may probe the server itself, so it can block. */
void nats_diagnose_connect(struct nats_error *e, const struct nats_url *url, natsStatus s,
                           const char *library_text);

/* Why a standing connection ended. */
void nats_diagnose_lost(struct nats_error *e, const char *server, natsStatus s,
                        const char *library_text);

/* The server refused one subject.  The subject is copied into subject[room]. */
void nats_diagnose_denied(struct nats_error *e, const char *server,
                          const char *library_text, char *subject, size_t room);

#endif
