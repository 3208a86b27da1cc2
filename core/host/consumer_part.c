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
