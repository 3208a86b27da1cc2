#include "order.h"

#include <string.h>

static void sift(uint32_t *list, uint32_t at, uint32_t end, order_before before,
                 const void *context)
{
    for (uint32_t child; (child = 2 * at + 1) < end; at = child) {
        if (child + 1 < end && before(context, list[child], list[child + 1]))
            child++;
        if (!before(context, list[at], list[child]))
            return;
        uint32_t moved = list[at];

        list[at] = list[child];
        list[child] = moved;
    }
}

void order_sort(uint32_t *list, uint32_t n, order_before before, const void *context)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sift(list, i, n, before, context);
    for (uint32_t end = n; end > 1;) {
        uint32_t top = list[0];

        list[0] = list[--end];
        list[end] = top;
        sift(list, 0, end, before, context);
    }
}

static bool above(const struct heap *h, uint32_t a, uint32_t b)
{
    return h->key[a] != h->key[b] ? h->key[a] > h->key[b] : a < b;
}

static void put(struct heap *h, uint32_t at, uint32_t index)
{
    h->item[at] = index;
    h->place[index] = at;
}

static void sink(struct heap *h, uint32_t at)
{
    uint32_t index = h->item[at];

    for (uint32_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && above(h, h->item[child + 1], h->item[child]))
            child++;
        if (!above(h, h->item[child], index))
            break;
        put(h, at, h->item[child]);
    }
    put(h, at, index);
}

void heap_build(struct heap *h)
{
    for (uint32_t i = 0; i < h->n; i++)
        h->place[h->item[i]] = i;
    for (uint32_t i = h->n / 2; i-- > 0;)
        sink(h, i);
}

void heap_fix(struct heap *h, uint32_t index)
{
    uint32_t at = h->place[index];

    for (uint32_t up; at > 0; at = up) {
        up = (at - 1) / 2;
        if (!above(h, index, h->item[up]))
            break;
        put(h, at, h->item[up]);
    }
    put(h, at, index);
    sink(h, at);
}

/* Radix from the lowest byte of the weight; a byte that all share costs nothing. */
uint64_t *items_sort(uint64_t *item, uint64_t *spare, uint64_t n)
{
    uint32_t count[4][256];

    memset(count, 0, sizeof count);
    for (uint64_t i = 0; i < n; i++)
        for (int k = 0; k < 4; k++)
            count[k][item[i] >> (32 + 8 * k) & 255]++;
    for (int k = 0; k < 4 && n > 0; k++) {
        uint32_t sum = 0;

        if (count[k][item[0] >> (32 + 8 * k) & 255] == n)
            continue;
        for (int digit = 0; digit < 256; digit++) {
            uint32_t here = count[k][digit];

            count[k][digit] = sum;
            sum += here;
        }
        for (uint64_t i = 0; i < n; i++)
            spare[count[k][item[i] >> (32 + 8 * k) & 255]++] = item[i];

        uint64_t *other = item;

        item = spare;
        spare = other;
    }
    return item;
}
