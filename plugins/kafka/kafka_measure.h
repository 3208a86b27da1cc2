/* How many messages each partition of a list holds, or how many of them a group has not
 * handled yet.
 *
 * Offsets are asked for in batches; what is not learnt keeps the measure that it has. The
 * link must be open, with the group as its group.id where lag is measured.
 */
#ifndef PARTI_PLUGINS_KAFKA_MEASURE_H
#define PARTI_PLUGINS_KAFKA_MEASURE_H

#include "kafka_list.h"

enum {
    KAFKA_MEASURE_NONE = 0, /* all weigh the same */
    KAFKA_MEASURE_SIZE = 1, /* messages from the first that is kept to the last */
    KAFKA_MEASURE_LAG = 2   /* from the group's position to the last; all, without one */
};

/* 'ret_failed' counts the partitions that were asked for in vain, and why[] says why in
 * the words of the last of them; 0: all are known.  PARTI_OK, PARTI_CANCELED,
 * PARTI_NOMEM. */
int32_t kafka_measure(struct kafka_list *list, int32_t kind, struct kafka_link *link,
                      uint64_t deadline_ms, size_t *ret_failed, char why[KAFKA_WHY_ROOM]);

#endif
