#include "order.h"

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
