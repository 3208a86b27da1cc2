/* Bump memory with a limit: carve, never free; the owner frees the block.
 * One user at a time.
 */
#ifndef PARTI_BASE_ARENA_H
#define PARTI_BASE_ARENA_H

#include <stddef.h>

struct arena {
    char *base;
    size_t size;
    size_t used;
};

/* Keeps 'block' (zeroed by its owner) until the owner frees it. */
void arena_init(struct arena *a, void *block, size_t size);

/* 'n' bytes aligned for any type; NULL when the block is used up. */
void *arena_carve(struct arena *a, size_t n);

#endif
