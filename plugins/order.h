/* Sorts and heaps of 32-bit indices by a caller's rule.  For the strategies in this
 * folder only.  The rule must be a strict order without ties (let the index decide), so
 * that there is one answer.
 */
#ifndef PARTI_PLUGINS_ORDER_H
#define PARTI_PLUGINS_ORDER_H

#include <stdbool.h>
#include <stdint.h>

typedef bool (*order_before)(const void *context, uint32_t a, uint32_t b);

/* Sorts list[0 .. n) ascending: in place, no recursion, n log n whatever the input. */
void order_sort(uint32_t *list, uint32_t n, order_before before, const void *context);

#endif
