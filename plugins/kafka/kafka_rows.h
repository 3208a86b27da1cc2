/* The answer of one look at the brokers: partitions and weights as the host will get
 * them.  Immutable once made; counted by kafka_watch.c under its lock.
 */
#ifndef PARTI_PLUGINS_KAFKA_ROWS_H
#define PARTI_PLUGINS_KAFKA_ROWS_H

#include "kafka_list.h"
#include "plugins/weigh.h"

struct kafka_rows {
    uint32_t refs; /* 1 when made */
    uint64_t n;
    uint64_t *end;
    uint32_t *weight;
    char *bytes;
};

/* Weighs every partition of the list, at that time.  PARTI_OK, PARTI_NOMEM,
 * PARTI_BADINPUT. */
int32_t kafka_rows_make(const struct kafka_list *list, struct weigh *weigh,
                        uint64_t now_ms, struct kafka_rows **ret);

/* Accepts NULL; whatever the count. */
void kafka_rows_destroy(struct kafka_rows *rows);

/* The same partitions with the same weights?  NULL is equal to nothing. */
int32_t kafka_rows_equal(const struct kafka_rows *a, const struct kafka_rows *b);

/* All rows to the sink; what it answers. */
int32_t kafka_rows_give(const struct kafka_rows *rows, struct parti_sink *sink);

#endif
