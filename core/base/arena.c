#include "base/arena.h"

#include <stdalign.h>

void arena_init(struct arena *a, void *block, size_t size)
{
    a->base = block;
    a->size = size;
    a->used = 0;
}

void *arena_carve(struct arena *a, size_t n)
{
    const size_t align = alignof(max_align_t);
    size_t start = (a->used + align - 1) & ~(align - 1);

    if (start > a->size || n > a->size - start)
        return NULL;
    a->used = start + n;
    return a->base + start;
}
