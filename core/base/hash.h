/* 64-bit content hash: XXH3, whose output is fixed and documented, so records hash
 * alike on every machine.  Any thread.
 */
#ifndef PARTI_BASE_HASH_H
#define PARTI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t n);

#endif
