/* The words of the source 'static': one item of text, ranges spelled out, to the sink.
 *
 *     orders/7              one partition of two keys, weight 100
 *     orders/7 250          the same with a weight, 0 .. 4294967295
 *     orders/0..31          32 partitions; a range is a whole key, both ends count
 *     orders/00..31         the same as 00, 01, ... 31
 *     a/0..3/b/0..1         8 partitions
 *
 * %XX stands for any byte but NUL: %2F for '/', %25 for '%', %20 for a blank, %2C for a
 * comma, %2E.  for two dots that are no range.  For static.c only; one user at a time.
 */
#ifndef PARTI_PLUGINS_STATIC_ROWS_H
#define PARTI_PLUGINS_STATIC_ROWS_H

#include "parti_plugin.h"

enum {
    STATIC_PARTS_MAX = 1000000, /* partitions of one source */
    STATIC_ID_MAX = 512,        /* bytes of one id; the host's own limit */
    STATIC_KEYS_MAX = 64,       /* keys of one id */
    STATIC_WEIGHT = 100,        /* of an item without one */
    STATIC_BATCH_ROWS = 1024,
    STATIC_BATCH_BYTES = 64 * 1024,
    STATIC_WHY_ROOM = 200
};

struct static_rows {
    struct parti_sink *sink; /* NULL: only check and count */
    uint64_t total;          /* partitions so far */
    uint32_t n;              /* rows waiting in the columns below */
    uint32_t weight[STATIC_BATCH_ROWS];
    uint64_t end[STATIC_BATCH_ROWS];
    char bytes[STATIC_BATCH_BYTES];
};

/* Big: take it from the heap.  NULL when there is no memory. */
struct static_rows *static_rows_create(struct parti_sink *sink);
void static_rows_destroy(struct static_rows *rows);

/* One item without blanks around it.  PARTI_OK; PARTI_BADCONF with the reason in
 * why[STATIC_WHY_ROOM]; or what the sink answered. */
int32_t static_rows_item(struct static_rows *rows, const char *at, size_t n, char *why);

/* Hands the last rows to the sink. */
int32_t static_rows_flush(struct static_rows *rows);

#endif
