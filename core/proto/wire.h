/* Core messages between the workers of a group: binary, versioned, encode and decode.
 * A leaf: plain data.  Little-endian words, varints where numbers are mostly small.
 */
#ifndef PARTI_PROTO_WIRE_H
#define PARTI_PROTO_WIRE_H

#include "proto/types.h"

/* ---- bytes in and out; used by the own records too -------------------------------- */

struct wire_out {
    uint8_t *at;
    size_t n, room;
    bool is_over;
};

struct wire_in {
    const uint8_t *at, *end;
    bool is_bad;
};

void wire_put(struct wire_out *o, const void *bytes, size_t n);
void wire_put_u8(struct wire_out *o, uint8_t value);
void wire_put_u64(struct wire_out *o, uint64_t value);
void wire_put_varint(struct wire_out *o, uint64_t value);
void wire_put_session(struct wire_out *o, struct session session);
void wire_put_text(struct wire_out *o, const char *text);
const uint8_t *wire_get(struct wire_in *in, size_t n); /* NULL at the end */
uint8_t wire_get_u8(struct wire_in *in);
uint64_t wire_get_u64(struct wire_in *in);
uint64_t wire_get_varint(struct wire_in *in);
struct session wire_get_session(struct wire_in *in);
void wire_get_text(struct wire_in *in, char *text, size_t room);

/* ---- messages -----------------------------------------------------------------------
 */

enum message_type {
    MSG_BEACON = 1,    /* leader -> all */
    MSG_HEARTBEAT = 2, /* worker -> leader */
    MSG_JOIN = 3,      /* worker -> leader */
    MSG_DENY = 4,      /* leader -> worker: no id for you */
    MSG_ASK = 5,       /* worker -> leader: send me this record */
    MSG_RECORD = 6,    /* leader -> worker */
    MSG_REFRESH = 7,   /* anybody -> leader, wants a reply */
    MSG_DONE = 8       /* the reply */
};

enum { BEACON_RESIGNS = 1 };
enum { HEARTBEAT_DRAINS = 1, HEARTBEAT_IS_AWAY = 2 };
enum { BITS_MAX = 4096 / 8, BEACON_LAGS = 4 };

struct beacon {
    uint64_t gen, term;
    struct session leader; /* the leader's session in this term */
    uint64_t addr;
    char id[ID_ROOM];
    struct stamp head;
    uint64_t head_hash, head_seq;
    uint64_t k;
    enum phase phase;
    uint64_t allowance_ms; /* 0: no authority */
    uint8_t flags;
    char trouble[TROUBLE_ROOM]; /* why the group is Degraded, "": it is not */
    /* Bit i of bits[d]: the newest heartbeat of the member with number i echoes beacon
     * k - 1 - d.  So an answer may take longer than one interval, and a lost beacon
     * costs nobody a bit. */
    uint32_t bits_n[BEACON_LAGS]; /* bytes */
    uint8_t bits[BEACON_LAGS][BITS_MAX];
    /* Of all members together: as in their heartbeats; the text is that of the one with
     * number unread_num. */
    uint32_t unread, unread_workers, unread_num;
    char unread_why[TROUBLE_ROOM];
};

/* What stands at the end of a beacon and a heartbeat came later: there only where it is
 * not zero, and readers of before pass over it. */
struct heartbeat {
    struct session session;
    uint64_t addr;
    uint32_t num;          /* UINT32_MAX while it has none */
    struct session leader; /* of the beacon that is echoed; none: unasked */
    uint64_t k;
    struct stamp seen; /* highest ever seen */
    struct stamp applied;
    uint64_t applied_hash;
    uint64_t released; /* through this epoch */
    uint8_t flags;
    uint32_t unread; /* partitions held whose messages are not read or not handled */
    char unread_why[TROUBLE_ROOM]; /* of the first of them */
};

struct join {
    struct session session;
    uint64_t addr;
    int64_t wish; /* number, -1 for none */
    char host[HOST_ROOM];
    uint32_t pid;
    uint32_t capacity;
    char zone[ZONE_ROOM];
};

struct deny {
    struct session session;
    char text[128];
};

struct ask {
    uint64_t addr; /* whom to answer */
    char key[KEY_ROOM];
};

struct record {
    char key[KEY_ROOM];
    uint64_t seq;
    struct bytes data; /* borrowed from the message */
};

struct message {
    enum message_type type;
    union {
        struct beacon beacon;
        struct heartbeat heartbeat;
        struct join join;
        struct deny deny;
        struct ask ask;
        struct record record;
        char done[256];
    };
};

/* A head that the server republishes is a JSON object; all else starts with 'P'. */
bool wire_is_head(const void *data, size_t n);

/* Bytes used, 0 if 'room' is too small. */
size_t wire_encode(const struct message *m, void *buffer, size_t room);

/* STATUS_CORRUPT: not one of ours; STATUS_UNSUPPORTED: of a newer version. */
int wire_decode(struct message *m, const void *data, size_t n);

#endif
