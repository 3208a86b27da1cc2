/* Deliveries of one lane that wait for their turn: a ring that grows as needed.
 *
 * For consumer_hands.c, under its lock.  All zero is an empty one.
 */
#ifndef PARTI_HOST_HAND_QUEUE_H
#define PARTI_HOST_HAND_QUEUE_H

#include "host/consumer_message.h"

struct hand_queue {
    struct hands_delivery *at;
    uint32_t first, n, room; /* the room is a power of two, or 0 */
};

/* The k-th from the front, k < n. */
static inline struct hands_delivery *hand_queue_nth(const struct hand_queue *q,
                                                    uint32_t k)
{
    return &q->at[(q->first + k) & (q->room - 1)];
}

/* At the end.  No memory: the process ends, for what is not handed over would never be
 * answered. */
void hand_queue_push(struct hand_queue *q, const struct hands_delivery *d);

/* Takes out the front, which is there. */
struct hands_delivery hand_queue_shift(struct hand_queue *q);

/* Empty again; the references of what lies in it are the caller's. */
void hand_queue_finish(struct hand_queue *q);

#endif
