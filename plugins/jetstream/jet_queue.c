/* The queue for readers: a heap of tickets.  Lanes that leave it stay in it until their
 * turn comes or room is needed. */
#include "plugins/jetstream/jet_consumer.h"

static void sink(struct jet_turns *t, size_t at)
{
    for (;;) {
        size_t least = at;

        for (size_t k = 2 * at + 1; k <= 2 * at + 2 && k < t->queue_n; k++)
            if (t->queue[k].ticket < t->queue[least].ticket)
                least = k;
        if (least == at)
            return;
        struct jet_place place = t->queue[at];
        t->queue[at] = t->queue[least];
        t->queue[least] = place;
        at = least;
    }
}

static struct jet_lane *at_place(const struct jet_consumer *c, struct jet_place place)
{
    struct jet_lane *l = place.lane < c->lane_room ? c->lane[place.lane] : NULL;

    return l != NULL && l->state == JET_READER_WAITING && l->turn.ticket == place.ticket
               ? l
               : NULL;
}

/* Leaves out places of lanes that have gone. */
static void tidy(struct jet_consumer *c)
{
    struct jet_turns *t = &c->turns;
    size_t n = 0;

    for (size_t i = 0; i < t->queue_n; i++)
        if (at_place(c, t->queue[i]) != NULL)
            t->queue[n++] = t->queue[i];
    t->queue_n = n;
    for (size_t i = n / 2; i-- > 0;)
        sink(t, i);
}

int32_t jet_queue_push(struct jet_consumer *c, struct jet_lane *l)
{
    struct jet_turns *t = &c->turns;

    if (t->queue_n == t->queue_room)
        tidy(c);
    if (2 * t->queue_n >= t->queue_room) {
        size_t room = 2 * t->queue_room + 64;
        struct jet_place *more = realloc(t->queue, room * sizeof *more);

        if (more == NULL && t->queue_n == t->queue_room)
            return 0;
        if (more != NULL) {
            t->queue = more;
            t->queue_room = room;
        }
    }
    size_t at = t->queue_n++;
    for (; at > 0 && t->queue[(at - 1) / 2].ticket > l->turn.ticket; at = (at - 1) / 2)
        t->queue[at] = t->queue[(at - 1) / 2];
    t->queue[at] = (struct jet_place){.ticket = l->turn.ticket, .lane = l->index};
    return 1;
}

struct jet_lane *jet_queue_pop(struct jet_consumer *c)
{
    struct jet_turns *t = &c->turns;

    while (t->queue_n > 0) {
        struct jet_lane *l = at_place(c, t->queue[0]);

        t->queue[0] = t->queue[--t->queue_n];
        sink(t, 0);
        if (l != NULL)
            return l;
    }
    return NULL;
}
