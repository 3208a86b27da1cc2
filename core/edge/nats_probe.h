/* Finds out why a server cannot be reached: resolves the name and connects once by
 * itself, because nats.c says "no server available" for everything.  For core/edge.
 * Blocks, within limits of its own except for the resolver's.  Any thread.
 */
#ifndef PARTI_EDGE_NATS_PROBE_H
#define PARTI_EDGE_NATS_PROBE_H

#include "edge/nats_error.h"
#include "edge/nats_url.h"

/* What a server says of itself before anybody logs in. */
struct nats_greeting {
    bool wants_client_certificate;
};

/* STATUS_OK: a NATS server greeted us within timeout_ms
 * (ret_greeting may be NULL).  Otherwise e is filled: name
 * does not resolve, nothing listens, no answer in time, something else listens.
 */
int nats_probe(const struct nats_url *url, int timeout_ms,
               struct nats_greeting *ret_greeting, struct nats_error *e);

#endif
