/* Partition ids and how people see them.
 *
 * Inside, an id is its keys joined by one NUL byte, no key empty.  The display id joins
 * them with '/'; in a key '/', '%', control bytes and bytes that are not UTF-8 stand as
 * %XX, so a display id is always printable UTF-8 and leads back to the same keys.
 * Any thread; nothing is allocated.
 */
#ifndef PARTI_BASE_PARTID_H
#define PARTI_BASE_PARTID_H

#include "base/bytes.h"

enum {
    PARTID_BYTES_MAX = 512,                     /* of an id, NULs between keys included */
    PARTID_TEXT_ROOM = 3 * PARTID_BYTES_MAX + 1 /* holds every display id and its end */
};

/* NULL when 'id' is a sound id, else what is wrong as a phrase ("it has an empty key").
 * The phrase is static. */
const char *partid_fault(struct bytes id);

/* The display id of 'id' into to[room], ended with NUL; at most room - 1 bytes, cut at
 * a whole character when the room is too small (PARTID_TEXT_ROOM never is for a sound
 * id).  Returns the length.  room > 0. */
size_t partid_encode(struct bytes id, char *to, size_t room);

/* The id that a display id stands for, into to[room] without an end.  0 and *ret_n;
 * STATUS_INVALID: an empty key, a '%' without two hexadecimal digits, or %00;
 * STATUS_LIMIT: longer than PARTID_BYTES_MAX or the room. */
int partid_decode(struct bytes text, char *to, size_t room, size_t *ret_n);

/* Walks the keys: start with *rest = the id; false when there is none left. */
bool partid_key(struct bytes *rest, struct bytes *ret_key);

#endif
