/* The position record of a partition, as it lies in the bucket KV_parti_pos_GROUP: a JSON
 * object that people can read.  A leaf: plain data.
 *
 *   {"parti":"position","version":1,"partition":"orders/7","gen":2,"since":81,
 *    "origin":"00000000075bcd15","next":1042,"at":1042,"attempts":1,"flags":1}
 *
 * flags: 1 begun, 2 released, 4 suspect.  Keys that this version does not know are
 * passed over.  Any thread; nothing is allocated.
 */
#ifndef PARTI_CONSUME_RECORD_H
#define PARTI_CONSUME_RECORD_H

#include "base/bytes.h"
#include "consume/engine.h"

enum { RECORD_ROOM = 4096 }; /* holds the record of every sound id */

/* Bytes used, 0 if 'room' is too small. */
size_t record_encode(const struct consume_record *r, struct bytes id, void *buffer,
                     size_t room);

/* The record of the partition 'id'.  STATUS_CORRUPT: not one of ours;
 * STATUS_UNSUPPORTED: of a newer version; STATUS_INVALID: of another partition. */
int record_decode(struct consume_record *ret, struct bytes id, const void *data,
                  size_t n);

#endif
