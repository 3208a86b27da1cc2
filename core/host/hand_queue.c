#include "host/hand_queue.h"

#include "base/must.h"

#include <stdlib.h>

enum { ROOM_FIRST = 8 };

void hand_queue_push(struct hand_queue *q, const struct hands_delivery *d)
{
    if (q->n == q->room) {
        uint32_t room = q->room > 0 ? 2 * q->room : ROOM_FIRST;
        struct hands_delivery *at = malloc(room * sizeof *at);

        must(at != NULL);
        for (uint32_t k = 0; k < q->n; k++)
            at[k] = *hand_queue_nth(q, k);
        free(q->at);
        *q = (struct hand_queue){.at = at, .n = q->n, .room = room};
    }
    q->n++;
    *hand_queue_nth(q, q->n - 1) = *d;
}

struct hands_delivery hand_queue_shift(struct hand_queue *q)
{
    must(q->n > 0);
    struct hands_delivery d = *hand_queue_nth(q, 0);

    q->first++;
    q->n--;
    return d;
}

void hand_queue_finish(struct hand_queue *q)
{
    free(q->at);
    *q = (struct hand_queue){0};
}
