#include "edge/nats_error.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

void nats_error_set(struct nats_error *e, int status, int code, const char *format, ...)
{
    va_list args;

    e->status = status;
    e->code = code;
    va_start(args, format);
    must(vsnprintf(e->text, sizeof e->text, format, args) >= 0);
    va_end(args);
}

void nats_error_no_jetstream(struct nats_error *e, const char *server)
{
    nats_error_set(e, STATUS_UNSUPPORTED, ERR_NATS_NO_JETSTREAM,
                   "%s answers, but JetStream is off. Debian's nats-server ships so. Add "
                   "'jetstream {}' to its configuration and restart it, or set [nats] "
                   "url = embedded.",
                   server);
}

/* Numbers of JetStream's own errors, from the server's list of errors
 * (nats-io/nats-server, server/errors.json).
 */
static const struct jetstream_error {
    long err_code;
    int status;
    int code;
    const char *advice;
} jetstream_errors[] = {
    {10002, STATUS_LIMIT, ERR_NATS_STORAGE, "Raise the account's JetStream limits."},
    {10003, STATUS_TIMEOUT, ERR_NATS_TIMEOUT, "This is tried again."},
    {10005, STATUS_LIMIT, ERR_NATS_REPLICAS,
     "Start more servers of the cluster, or set [nats] replicas lower."},
    {10008, STATUS_TIMEOUT, ERR_NATS_TIMEOUT, "This is tried again."},
    {10009, STATUS_TIMEOUT, ERR_NATS_TIMEOUT, "This is tried again."},
    {10023, STATUS_LIMIT, ERR_NATS_STORAGE,
     "Free space where the server stores, or raise max_file_store or the account's "
     "JetStream limits."},
    {10026, STATUS_LIMIT, ERR_NATS_STORAGE, "Raise the account's limit of streams."},
    {10027, STATUS_LIMIT, ERR_NATS_STORAGE, "Raise the account's limit of streams."},
    {10028, STATUS_LIMIT, ERR_NATS_STORAGE,
     "Raise max_memory_store of the server's JetStream."},
    {10047, STATUS_LIMIT, ERR_NATS_STORAGE,
     "Free space where the server stores, or raise max_file_store."},
    {10054, STATUS_INVALID, ERR_NATS_STORAGE, "Raise the server's max_payload."},
    {10060, STATUS_INVALID, ERR_NATS_STREAM,
     "Another stream listens to the group's subjects: remove it."},
    {10065, STATUS_INVALID, ERR_NATS_STREAM,
     "Another stream listens to the group's subjects: remove it, or choose another "
     "group."},
    {10074, STATUS_LIMIT, ERR_NATS_REPLICAS,
     "Set [nats] replicas = 1, or use a cluster of three servers."},
    {10077, STATUS_LIMIT, ERR_NATS_STORAGE,
     "Free space where the server stores, or raise the limits of the stream, the "
     "account or max_file_store."},
};

void nats_error_from_jetstream(struct nats_error *e, const char *server, const char *what,
                               long err_code, const char *description)
{
    /* 10039: not for this account; 10076: not at all. */
    if (err_code == 10039 || err_code == 10076) {
        nats_error_set(e, STATUS_UNSUPPORTED, ERR_NATS_NO_JETSTREAM,
                       "%s answers, but JetStream is off for this account (%s). Enable "
                       "it for the account in the server's configuration, or use "
                       "another account.",
                       server, description);
        return;
    }
    for (size_t i = 0; i < sizeof jetstream_errors / sizeof *jetstream_errors; i++) {
        const struct jetstream_error *known = &jetstream_errors[i];
        if (known->err_code != err_code)
            continue;
        nats_error_set(e, known->status, known->code, "%s refuses %s: %s (%ld). %s",
                       server, what, description, err_code, known->advice);
        return;
    }
    nats_error_set(e, STATUS_INVALID, ERR_NATS_STREAM,
                   "%s refuses %s: %s (%ld). The server's log says more.", server, what,
                   description, err_code);
}
