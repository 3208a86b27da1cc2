/* Damage to encoded bytes: every truncation, every single bit turned over.  Each variant
 * stands in a block of its own of just its size, so that AddressSanitizer and valgrind
 * see the first byte read beyond it.
 */
#ifndef PARTI_TESTS_MANGLE_H
#define PARTI_TESTS_MANGLE_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Reads n bytes as far as they go; the result is the reader's own. */
typedef int mangle_reader(const void *data, size_t n);

static inline int mangle_read(const void *data, size_t n, mangle_reader *reader)
{
    void *copy = malloc(n > 0 ? n : 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, data, n);
    int result = reader(copy, n);

    free(copy);
    return result;
}

/* How many of the n truncations the reader does not answer with 'refused'. */
static inline size_t mangle_truncate(const void *data, size_t n, mangle_reader *reader,
                                     int refused)
{
    size_t taken = 0;

    for (size_t cut = 0; cut < n; cut++)
        taken += mangle_read(data, cut, reader) != refused ? 1 : 0;
    return taken;
}

/* Turns over each bit in turn; returns how many variants the reader refused (< 0). */
static inline size_t mangle_flip(const void *data, size_t n, mangle_reader *reader)
{
    size_t refused = 0;

    ck_assert_uint_gt(n, 0);
    uint8_t *copy = malloc(n);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, data, n);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        copy[bit / 8] = (uint8_t)(copy[bit / 8] ^ 1u << (bit % 8));
        refused += mangle_read(copy, n, reader) < 0 ? 1 : 0;
        copy[bit / 8] = (uint8_t)(copy[bit / 8] ^ 1u << (bit % 8));
    }
    free(copy);
    return refused;
}

#endif
