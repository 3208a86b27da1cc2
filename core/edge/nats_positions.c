#include "edge/nats_positions.h"

#include "base/must.h"
#include "base/status.h"
#include "edge/nats_log_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nats_positions {
    struct nats_log *log;
};

int nats_positions_create(struct nats_positions **ret, struct nats_link *link,
                          struct inbox *inbox,
                          const struct nats_positions_options *options)
{
    static const struct log_shape shape = {NATS_POSITIONS_OPS_MAX, NATS_POSITIONS_KEY_MAX,
                                           LOG_SUBJECT_MOST};
    struct nats_stream stream;

    if (!nats_log_group_is_valid(options->group))
        return STATUS_INVALID;
    struct nats_positions *p = calloc(1, sizeof *p);
    if (p == NULL)
        return STATUS_NOMEM;
    nats_stream_init_positions(&stream, options->group, options->replicas);
    int status = log_create(&p->log, link, inbox, &stream, &shape, options->tag);
    if (status != STATUS_OK) {
        free(p);
        return status;
    }
    *ret = p;
    return STATUS_OK;
}

void nats_positions_destroy(struct nats_positions *p)
{
    if (p == NULL)
        return;
    nats_log_destroy(p->log);
    free(p);
}

int nats_positions_open(struct nats_positions *p, uint64_t op, uint64_t timeout_ms)
{
    return nats_log_open(p->log, op, timeout_ms);
}

int nats_positions_bind(struct nats_positions *p, uint64_t op, uint64_t timeout_ms)
{
    return nats_log_bind(p->log, op, timeout_ms);
}

static bool stands_for_itself(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '/';
}

void nats_positions_key(struct bytes id, char to[NATS_POSITIONS_KEY_ROOM])
{
    static const char hex[] = "0123456789ABCDEF";
    char *at = to;

    must(id.n <= PARTID_BYTES_MAX);
    for (size_t i = 0; i < id.n; i++) {
        unsigned char c = (unsigned char)id.at[i];

        if (c == '\0') {
            *at++ = '.';
        } else if (stands_for_itself(c)) {
            *at++ = (char)c;
        } else {
            *at++ = '=';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        }
    }
    *at = '\0';
}

int nats_positions_read(struct nats_positions *p, uint64_t op, struct bytes id,
                        uint64_t timeout_ms)
{
    char key[NATS_POSITIONS_KEY_ROOM];

    nats_positions_key(id, key);
    return nats_log_read(p->log, op, key, timeout_ms);
}

int nats_positions_write(struct nats_positions *p, uint64_t number, struct bytes id,
                         uint64_t version, const void *data, size_t n,
                         uint64_t timeout_ms)
{
    char key[NATS_POSITIONS_KEY_ROOM], seq[24];
    const struct nats_link_header headers[] = {
        {"Nats-Expected-Stream", p->log->stream.name},
        {"Nats-Expected-Last-Subject-Sequence", seq},
    };

    nats_positions_key(id, key);
    if (!log_key_is_valid(p->log, key))
        return STATUS_INVALID;
    struct log_op *op = log_begin(p->log, STEP_WRITE, number, timeout_ms);
    if (op == NULL)
        return STATUS_LIMIT;
    log_set_key(p->log, op, key);
    (void)snprintf(seq, sizeof seq, "%" PRIu64, version);
    return log_begun(p->log, op, log_send(p->log, op, headers, 2, data, n));
}

bool nats_positions_feed(struct nats_positions *p, const struct inbox_item *item)
{
    return nats_log_feed(p->log, item);
}

void nats_positions_tick(struct nats_positions *p, uint64_t now_ns)
{
    nats_log_tick(p->log, now_ns);
}

uint64_t nats_positions_deadline_ns(const struct nats_positions *p)
{
    return nats_log_deadline_ns(p->log);
}

const char *nats_positions_stream(const struct nats_positions *p)
{
    return nats_log_stream(p->log);
}
