/* Slices: pointer and length, borrowed.  Compare, copy, print.  Any thread. */
#ifndef PARTI_BASE_BYTES_H
#define PARTI_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const char *at; /* borrowed; may be NULL when n is 0 */
    size_t n;
};

/* The bytes of a C string without its end. */
struct bytes bytes_of(const char *text);

/* Bytewise order, a shorter prefix first: the order of every sorted table here. */
int bytes_compare(struct bytes a, struct bytes b);

bool bytes_equal(struct bytes a, struct bytes b);

/* Copies into to[room] and ends it with NUL; cuts what does not fit.  room > 0. */
void bytes_to_text(struct bytes b, char *to, size_t room);

/* Times in ms or ns: sums that stop at the end instead of wrapping around. */
static inline uint64_t sat_add(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

static inline uint64_t sat_sub(uint64_t a, uint64_t b)
{
    return a < b ? 0 : a - b;
}

#endif
