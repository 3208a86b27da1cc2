/* The two JSON records of the log: `lease` (who leads) and `head` (the assignment's
 * root), and what may be asked of a head.  A leaf: plain data, encode and decode.
 */
#ifndef PARTI_PROTO_HEAD_H
#define PARTI_PROTO_HEAD_H

#include "proto/types.h"

enum { OWN_SLOT_NONE = 2 };

/* Where a member's own record is: key own.<id>.<slot>.<chunk>, chunks 0 .. chunks-1. */
struct own_ref {
    uint8_t slot;   /* 0, 1 or OWN_SLOT_NONE */
    uint64_t epoch; /* of the head that first named it */
    uint64_t hash;  /* XXH3-64 of all its bytes */
    uint32_t count; /* partitions listed */
    uint32_t size;  /* bytes, all chunks together */
    uint32_t chunks;
};

struct head_member {
    uint32_t num; /* the number in its id */
    char id[ID_ROOM];
    struct session session;
    char host[HOST_ROOM];
    uint32_t pid;
    uint32_t capacity;
    char zone[ZONE_ROOM];
    enum member_state state;
    uint64_t born; /* epoch of the head that added the session */
    struct own_ref own;
    uint64_t released; /* it holds nothing that was taken from it up to this epoch */
};

struct head {
    struct stamp stamp;
    uint64_t term;
    uint64_t prev_hash; /* of the previous head's bytes; 0 for the first of a gen */
    enum cause cause;
    uint64_t set_hash; /* of all partition ids and weights */
    uint32_t set_count;
    char strategy[NAME_ROOM];
    uint32_t n;
    struct head_member *member; /* ascending by num; room for members_max */
    /* Not in the bytes: */
    uint64_t hash; /* XXH3-64 of them */
    uint64_t seq;  /* in the log, 0 if not known */
};

struct lease_record {
    uint64_t gen;
    uint64_t term;
    char leader[ID_ROOM]; /* "" while it has no id */
    char host[HOST_ROOM];
    uint32_t pid;
    struct session session;
    uint64_t addr;
    uint64_t nonce; /* another one for each write */
};

/* Bytes used, 0 if 'room' is too small.  head_encode also sets h->hash. */
size_t head_encode(struct head *h, void *buffer, size_t room);
size_t lease_encode(const struct lease_record *l, void *buffer, size_t room);

/* STATUS_CORRUPT or STATUS_LIMIT; then *h is worthless.  h->member and members_max give
 * the room.  Unknown keys are skipped: a newer version may have written them. */
int head_decode(struct head *h, uint32_t members_max, const void *data, size_t n);
int lease_decode(struct lease_record *l, const void *data, size_t n);

/* Copies everything, members too, into the room that to->member has. */
void head_copy(struct head *to, const struct head *from);

const struct head_member *head_find(const struct head *h, struct session session);

/* W2: may a partition be held whose record asks that 'session' has released 'epoch'?
 * Yes if there is no such demand, it has, or it is no member any more. */
bool head_is_open(const struct head *h, struct session session, uint64_t epoch);

/* The key of a chunk of an own record. */
void own_key(char key[KEY_ROOM], const char *id, uint8_t slot, uint32_t chunk);

#endif
