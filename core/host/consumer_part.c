/* A granted partition, shared by whoever still looks at it. */
#include "host/consumer_hands.h"

#include "base/partid.h"

#include <stdlib.h>
#include <string.h>

struct hands_part *hands_part_create(struct bytes id, uint32_t weight,
                                     struct parti_token token, struct parti_hold hold)
{
    size_t room = 3 * id.n + 1; /* every byte as %XX, and the end */
    struct hands_part *p = malloc(sizeof *p + room + id.n);

    if (p == NULL)
        return NULL;
    char *text = (char *)(p + 1);
    atomic_init(&p->refs, 1);
    (void)partid_encode(id, text, room);
    memcpy(text + room, id.at, id.n);
    p->partition = (struct parti_partition){.id = text,
                                            .key = text + room,
                                            .key_n = id.n,
                                            .weight = weight,
                                            .token = token,
                                            .hold = hold};
    return p;
}

void hands_part_ref(struct hands_part *p)
{
    (void)atomic_fetch_add(&p->refs, 1);
}

void hands_part_unref(struct hands_part *p)
{
    if (p != NULL && atomic_fetch_sub(&p->refs, 1) == 1)
        free(p);
}

bool hands_part_is_same(const struct hands_part *a, const struct hands_part *b)
{
    return a->partition.key_n == b->partition.key_n &&
           memcmp(a->partition.key, b->partition.key, a->partition.key_n) == 0;
}

struct parti_ticket hands_ticket(const struct hands_part *part,
                                 const struct hands_delivery *d)
{
    return (struct parti_ticket){.hold = part->partition.hold,
                                 .position = d->position,
                                 .attempt = d->attempt,
                                 .run = d->run,
                                 .stretch = d->stretch};
}

void hands_call_make(struct hands_call *ret, struct message_pool *pool,
                     struct hands_part *part, const struct hands_delivery *d)
{
    struct message *m = d->message;

    *ret = (struct hands_call){.message = {.size = sizeof ret->message,
                                           .partition = &part->partition,
                                           .ticket = hands_ticket(part, d),
                                           .position = d->position,
                                           .attempt = d->count,
                                           .header_n = (uint32_t)m->given.header_name.n,
                                           .time_ms = m->given.time_ms,
                                           .subject = m->given.subject,
                                           .key = m->given.key,
                                           .key_n = m->given.key_n,
                                           .data = m->given.data,
                                           .data_n = m->given.data_n,
                                           .header = m->header},
                               .pool = pool,
                               .block = m,
                               .part = part};
}

void hands_keep(struct hands_call *ret, const struct parti_message *message)
{
    *ret = *(const struct hands_call *)(const void *)message; /* the first in it */
    message_ref(ret->block, 1);
    hands_part_ref(ret->part);
}

void hands_unkeep(struct hands_call *kept)
{
    if (kept->block != NULL)
        message_unref(kept->pool, kept->block->batch, 1);
    hands_part_unref(kept->part);
    kept->block = NULL;
    kept->part = NULL;
}
