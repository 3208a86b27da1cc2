/* Own records: what one worker is to hold.  A leaf: encode and decode, streaming.
 *
 *   'P' 'O' version | gen | epoch | session | items until the end
 *   item: bytes shared with the id before, further bytes, weight, age (epoch - since),
 *         demand: 0 none, 1 a new (session, epoch) pair, 2.. one of the last 16 pairs;
 *         all that times two, plus one if parked
 *
 * The chunks of a record are its bytes cut at chunk_max, nothing more.
 */
#ifndef PARTI_PROTO_OWN_H
#define PARTI_PROTO_OWN_H

#include "proto/wire.h"

struct own_from {
    struct session session; /* none: no demand */
    uint64_t epoch;
};

struct own_item {
    struct bytes id; /* reading: borrowed until the next item */
    uint32_t weight;
    uint64_t since;       /* epoch of the grant */
    struct own_from from; /* must be released first */
    bool is_parked;       /* listed, but not to be held */
};

enum { OWN_FROM_KEPT = 16 };

struct own_coder {
    struct wire_out out;
    struct wire_in in;
    struct stamp stamp;
    struct session session;
    struct own_from kept[OWN_FROM_KEPT];
    uint32_t kept_next;
    char prev[PART_ID_MAX];
    size_t prev_n;
};

void own_write_begin(struct own_coder *c, void *buffer, size_t room, struct stamp stamp,
                     struct session session);
/* Ids must ascend. */
void own_write(struct own_coder *c, const struct own_item *item);
/* Bytes used, 0 if 'room' was too small. */
size_t own_write_end(struct own_coder *c);

/* STATUS_CORRUPT, STATUS_UNSUPPORTED; sets c->stamp and c->session. */
int own_read_begin(struct own_coder *c, const void *data, size_t n);
/* 1: *ret_item is the next; 0: the end; STATUS_CORRUPT. */
int own_read(struct own_coder *c, struct own_item *ret_item);

#endif
