#include "host/world.h"

#include "base/must.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

int listing_create(uint32_t n, size_t bytes_n, struct listing **ret,
                   struct bytes **ret_id, uint32_t **ret_weight, char **ret_bytes)
{
    size_t ids = n * sizeof(struct bytes), weights = n * sizeof(uint32_t);
    struct listing *l = malloc(sizeof *l + ids + weights + bytes_n);

    if (l == NULL)
        return STATUS_NOMEM;
    struct bytes *id = (struct bytes *)(l + 1);
    uint32_t *weight = (uint32_t *)(id + n);

    atomic_init(&l->refs, 1);
    l->n = n;
    l->id = id;
    l->weight = weight;
    l->bytes_n = bytes_n;
    *ret = l;
    *ret_id = id;
    *ret_weight = weight;
    *ret_bytes = (char *)(weight + n);
    return STATUS_OK;
}

struct listing *listing_ref(struct listing *l)
{
    must(atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed) > 0);
    return l;
}

void listing_unref(struct listing *l)
{
    /* Whoever frees has seen all that the others read. */
    if (l != NULL && atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) == 1)
        free(l);
}

bool listing_equal(const struct listing *a, const struct listing *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->n != b->n || a->bytes_n != b->bytes_n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->weight[i] != b->weight[i] || !bytes_equal(a->id[i], b->id[i]))
            return false;
    return true;
}
