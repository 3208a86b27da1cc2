/* The JSON of JetStream for one group's streams, its log and its positions: what is asked
 * for, what is answered.  For nats_log.c.  No I/O.
 */
#ifndef PARTI_EDGE_NATS_STREAM_H
#define PARTI_EDGE_NATS_STREAM_H

#include "edge/nats_error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    NATS_STREAM_NAME_ROOM = 80,     /* KV_parti_<group>, KV_parti_pos_<group> */
    NATS_STREAM_SUBJECT_ROOM = 224, /* $KV.parti_<group>.<key>, but for positions */

    /* nats-io/nats-server, server/errors.json */
    JS_WRONG_LAST_SEQUENCE = 10071,
    JS_WRONG_LAST_SEQUENCE_CONSTANT = 10164,
    JS_STREAM_NOT_FOUND = 10059,
    JS_MESSAGE_NOT_FOUND = 10037,
    JS_STREAM_NAME_IN_USE = 10058
};

/* What one stream is called. */
struct nats_stream {
    int replicas;                            /* wished */
    char bucket[NATS_STREAM_NAME_ROOM];      /* parti_<group>, parti_pos_<group> */
    char name[NATS_STREAM_NAME_ROOM];        /* KV_<bucket> */
    char subjects[NATS_STREAM_SUBJECT_ROOM]; /* $KV.<bucket>.> */
    bool has_head;                           /* the log: its head is republished */
    char head_record[NATS_STREAM_SUBJECT_ROOM];
    char head_message[NATS_STREAM_SUBJECT_ROOM]; /* parti.<group>.head */
};

/* The group's log, or its positions.  'group' is valid. */
void nats_stream_init(struct nats_stream *stream, const char *group, int replicas);
void nats_stream_init_positions(struct nats_stream *stream, const char *group,
                                int replicas);

/* Text of a new stream's configuration; free() it. */
char *nats_stream_config(const struct nats_stream *stream);

/* The existing configuration with nothing changed but the republish; free() it. */
char *nats_stream_config_fixed(const struct nats_stream *stream, const json_t *config);

enum nats_stream_verdict {
    NATS_STREAM_GOOD,
    NATS_STREAM_FIXABLE, /* lacks the republish only; e says so */
    NATS_STREAM_WRONG    /* e says why */
};

/* Compares what the server says the stream is with what Parti needs. */
enum nats_stream_verdict nats_stream_check(const struct nats_stream *stream,
                                           const json_t *config, const char *server,
                                           struct nats_error *e);

/* The number of replicas in a configuration. */
int nats_stream_replicas(const json_t *config);

/* A reply of JetStream.  'root' is to be json_decref()ed, also after a failure. */
struct nats_stream_reply {
    json_t *root;
    long err_code; /* 0 if it is no error */
    const char *description;
    const json_t *config; /* STREAM.INFO, CREATE, UPDATE; else NULL */
    uint64_t seq;         /* info: last of the stream; record: its own; write: the new */
    const char *stream;   /* write: where it was stored, else "" */
    const char *data;     /* record: base64, "" if empty */
    bool is_record;
    bool is_deleted; /* record: a tool's mark that the key was deleted or purged */
};

/* False: not a reply of JetStream. */
bool nats_stream_parse(struct nats_stream_reply *reply, const char *data, size_t n);

#endif
