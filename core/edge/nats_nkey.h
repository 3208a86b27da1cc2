/* The public key of an nkey seed: nats.c 3.4.1 signs with a seed file but wants to be
 * told the public key as well.  For core/edge.  Any thread.
 *
 * A seed is base32 of two prefix bytes, 32 bytes of Ed25519 seed and a CRC-16; a public
 * key base32 of one prefix byte, 32 bytes and a CRC-16 (NATS nkeys, README).
 */
#ifndef PARTI_EDGE_NATS_NKEY_H
#define PARTI_EDGE_NATS_NKEY_H

#include <stddef.h>

/* "U" and 55 more characters. */
enum { NATS_NKEY_PUBLIC_ROOM = 57 };

/* Reads the user's seed from the first line of the file that begins with "SU".
 * STATUS_IO: not readable; STATUS_CORRUPT: no user seed in it; STATUS_UNSUPPORTED: this
 * Parti was built without libcrypto.  No copy of the seed is left in memory.
 */
int nats_nkey_public(const char *path, char to[NATS_NKEY_PUBLIC_ROOM]);

#endif
