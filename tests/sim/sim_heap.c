#include "sim_heap.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

enum { ARITY = 4 };

void sim_heap_init(struct sim_heap *h)
{
    h->free = SIM_NONE;
}

static bool is_before(const struct sim_heap_entry *a, const struct sim_heap_entry *b)
{
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us;
    return a->seq < b->seq;
}

static int32_t event_take(struct sim_heap *h)
{
    int32_t index = h->free;

    if (index != SIM_NONE) {
        h->free = h->event[index].next;
        return index;
    }
    if (h->event_n == h->event_room) {
        h->event_room = h->event_room > 0 ? 2 * h->event_room : 1024;
        h->event = realloc(h->event, h->event_room * sizeof *h->event);
        must(h->event != NULL);
    }
    return (int32_t)h->event_n++;
}

static void sift_up(struct sim_heap *h, uint32_t at, struct sim_heap_entry moved)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / ARITY;
        if (!is_before(&moved, &h->entry[parent]))
            break;
        h->entry[at] = h->entry[parent];
        at = parent;
    }
    h->entry[at] = moved;
}

static void sift_down(struct sim_heap *h, struct sim_heap_entry moved)
{
    uint32_t at = 0;

    for (;;) {
        uint32_t first = at * ARITY + 1;
        uint32_t least = at;
        const struct sim_heap_entry *best = &moved;
        for (uint32_t c = first; c < first + ARITY && c < h->n; c++)
            if (is_before(&h->entry[c], best)) {
                best = &h->entry[c];
                least = c;
            }
        if (least == at)
            break;
        h->entry[at] = h->entry[least];
        at = least;
    }
    h->entry[at] = moved;
}

void sim_heap_push(struct sim_heap *h, const struct sim_event *ev)
{
    int32_t index = event_take(h);

    h->event[index] = *ev;
    if (h->n == h->room) {
        h->room = h->room > 0 ? 2 * h->room : 1024;
        h->entry = realloc(h->entry, h->room * sizeof *h->entry);
        must(h->entry != NULL);
    }
    h->n++;
    sift_up(h, h->n - 1, (struct sim_heap_entry){ev->at_us, h->seq++, index});
}

int32_t sim_heap_pop(struct sim_heap *h)
{
    must(h->n > 0);
    int32_t index = h->entry[0].index;

    h->n--;
    if (h->n > 0)
        sift_down(h, h->entry[h->n]);
    return index;
}

void sim_heap_free(struct sim_heap *h, int32_t index)
{
    blob_unref(h, h->event[index].blob);
    h->event[index].blob = NULL;
    h->event[index].next = h->free;
    h->free = index;
}

void sim_heap_clear(struct sim_heap *h)
{
    while (h->n > 0)
        sim_heap_free(h, h->entry[--h->n].index);
    h->seq = 0;
}

void sim_heap_finish(struct sim_heap *h)
{
    sim_heap_clear(h);
    for (int c = 0; c < BLOB_CLASSES; c++)
        while (h->blob_free[c] != NULL) {
            struct blob *b = h->blob_free[c];
            h->blob_free[c] = b->next;
            free(b);
        }
    free(h->entry);
    free(h->event);
    *h = (struct sim_heap){.free = SIM_NONE};
}

struct blob *blob_create(struct sim_heap *h, size_t n)
{
    uint32_t class = 0;
    struct blob *b;

    while (((size_t)64 << class) < n)
        class ++;
    must(class < BLOB_CLASSES);
    b = h->blob_free[class];
    if (b != NULL) {
        h->blob_free[class] = b->next;
    } else {
        b = malloc(sizeof *b + ((size_t)64 << class));
        must(b != NULL);
        b->class = class;
    }
    b->next = NULL;
    b->refs = 1;
    b->n = n;
    return b;
}

struct blob *blob_copy(struct sim_heap *h, const void *data, size_t n)
{
    struct blob *b = blob_create(h, n);

    if (n > 0)
        memcpy(b->data, data, n);
    return b;
}

struct blob *blob_ref(struct blob *b)
{
    if (b != NULL)
        b->refs++;
    return b;
}

void blob_unref(struct sim_heap *h, struct blob *b)
{
    if (b == NULL || --b->refs > 0)
        return;
    b->next = h->blob_free[b->class];
    h->blob_free[b->class] = b;
}
