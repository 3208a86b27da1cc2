/* Base64 with padding (RFC 4648, section 4), as JetStream writes records.  Any thread. */
#ifndef PARTI_EDGE_BASE64_H
#define PARTI_EDGE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes into to[room]; room >= n / 4 * 3 always suffices.  False if it is malformed. */
bool base64_decode(const char *from, size_t n, char *to, size_t room, size_t *ret_n);

/* Encodes; writes (n + 2) / 3 * 4 bytes without an end and returns their number. */
size_t base64_encode(const char *from, size_t n, char *to);

#endif
