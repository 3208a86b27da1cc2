/* The public key that belongs to an nkey seed: nats.c 3.4.1 signs with a seed file but
 * must be told the public key.  For jet_link.c.  Any thread.
 *
 * Both are base32: a seed of two bytes that say "seed of a user", 32 bytes of Ed25519 and
 * a CRC-16, low byte first; a public key of one byte "user", 32 bytes and a CRC-16.
 */
#ifndef PARTI_PLUGINS_JET_NKEY_H
#define PARTI_PLUGINS_JET_NKEY_H

enum { JET_NKEY_ROOM = 57 };

/* Reads the first line that begins with "SU".  NULL, or why not: static storage. */
const char *jet_nkey_public(const char *path, char to[JET_NKEY_ROOM]);

#endif
