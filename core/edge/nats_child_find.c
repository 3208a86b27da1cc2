/* Finds an embedded server that runs already: for commands that only look. */
#include "edge/nats_child.h"

#include "base/status.h"
#include "edge/nats_endpoint.h"
#include "edge/nats_probe.h"

#include <stdio.h>
#include <string.h>

enum { FIND_PROBE_MS = 500 };

int nats_child_find(const char *state_dir, char url[NATS_CHILD_URL_ROOM], char *text,
                    size_t room)
{
    struct nats_url at = {.host = "127.0.0.1"};
    struct nats_endpoint endpoint = {0};
    struct nats_error e = {0};
    int status = STATUS_INVALID;

    if (strlen(state_dir) <= NATS_ENDPOINT_PATH_ROOM - 64)
        status = nats_endpoint_load(state_dir, &endpoint);
    at.port = endpoint.port;
    /* A process that was killed leaves its file behind: only a greeting counts. */
    if (status == STATUS_OK && endpoint.is_ready && endpoint.port > 0 &&
        nats_probe(&at, FIND_PROBE_MS, NULL, &e) == STATUS_OK) {
        nats_endpoint_url(&endpoint, url, NATS_CHILD_URL_ROOM);
        explicit_bzero(&endpoint, sizeof endpoint);
        return STATUS_OK;
    }
    explicit_bzero(&endpoint, sizeof endpoint);
    (void)snprintf(text, room,
                   "no embedded nats-server runs in '%s'. The first worker of this user "
                   "starts one: 'parti run -c FILE'.",
                   state_dir);
    return STATUS_OFFLINE;
}
