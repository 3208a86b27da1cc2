/* Orders of 32-bit indices: a sort by a caller's rule, a heap of workers, a sort of
 * weighted items.  For the strategies in this folder only.  Ties go to the lower index,
 * so there is one answer.
 */
#ifndef PARTI_PLUGINS_ORDER_H
#define PARTI_PLUGINS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A strict order without ties: let the index decide. */
typedef bool (*order_before)(const void *context, uint32_t a, uint32_t b);

/* Sorts list[0 .. n) ascending: in place, no recursion, n log n whatever the input. */
void order_sort(uint32_t *list, uint32_t n, order_before before, const void *context);

/* The largest key first.  All arrays are the caller's. */
struct heap {
    const int64_t *key; /* by index; after a change of key[i]: heap_fix(i) */
    uint32_t *item;     /* [n] item[0] has the largest key */
    uint32_t *place;    /* by index: where in item[] */
    uint32_t n;
};

/* item[0 .. n) is set by the caller, in any order. */
void heap_build(struct heap *heap);
void heap_fix(struct heap *heap, uint32_t index);

/* An item of a weight: the weight's complement above its index, so that ascending order
 * is the heaviest first, then the lower index. */
static inline uint64_t item_of(uint32_t weight, uint32_t index)
{
    return (uint64_t)~weight << 32 | index;
}

static inline uint32_t item_weight(uint64_t item)
{
    return ~(uint32_t)(item >> 32);
}

static inline uint32_t item_index(uint64_t item)
{
    return (uint32_t)item;
}

/* Sorts items that stand in ascending order of their index, the heaviest first; spare[]
 * is as long.  Returns whichever of the two arrays has the result. */
uint64_t *items_sort(uint64_t *item, uint64_t *spare, uint64_t n);

#endif
