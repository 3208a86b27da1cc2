/* The partitions that the sources list: immutable columns, shared by reference.
 *
 * Made by source_merge(); from then on never changed, so any thread may read one that it
 * holds a reference to.
 */
#ifndef PARTI_HOST_WORLD_H
#define PARTI_HOST_WORLD_H

#include "base/bytes.h"

#include <stdatomic.h>

struct listing {
    atomic_uint refs;
    uint32_t n;
    const struct bytes *id; /* keys joined by NUL; ascend bytewise, none twice */
    const uint32_t *weight; /* one a row */
    size_t bytes_n;         /* of all ids together */
};

/* Columns to be filled by the maker, who holds the one reference: row i's id is to be
 * written to bytes[] and pointed to by id[i].  0 or STATUS_NOMEM. */
int listing_create(uint32_t n, size_t bytes_n, struct listing **ret,
                   struct bytes **ret_id, uint32_t **ret_weight, char **ret_bytes);

/* One more reference; returns 'l'. */
struct listing *listing_ref(struct listing *l);

/* One less; the last frees.  Accepts NULL. */
void listing_unref(struct listing *l);

/* The same ids with the same weights?  Two NULLs are equal. */
bool listing_equal(const struct listing *a, const struct listing *b);

#endif
