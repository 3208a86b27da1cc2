#include "cli/run_held.h"

#include "base/bytes.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct run_held_item {
    char *bytes; /* owned: the key, then the text */
    size_t key_n, text_n;
};

void run_held_finish(struct run_held *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->at[i].bytes);
    free(h->at);
    *h = (struct run_held){0};
}

static int compare(const void *a, const void *b)
{
    const struct run_held_item *x = a, *y = b;

    return bytes_compare((struct bytes){x->bytes, x->key_n},
                         (struct bytes){y->bytes, y->key_n});
}

static int compare_key(const void *key, const void *item)
{
    const struct parti_partition *p = key;
    const struct run_held_item *i = item;

    return bytes_compare((struct bytes){p->key, p->key_n},
                         (struct bytes){i->bytes, i->key_n});
}

/* Among the first 'n' items, which are in order. */
static struct run_held_item *find(const struct run_held *h, size_t n,
                                  const struct parti_partition *p)
{
    return n > 0 ? bsearch(p, h->at, n, sizeof *h->at, compare_key) : NULL;
}

static int make_item(struct run_held_item *item, const struct parti_partition *p,
                     struct event_line *text)
{
    event_line_item(text, p);
    if (text->status < 0)
        return text->status;
    item->bytes = malloc(p->key_n + text->n);
    if (item->bytes == NULL)
        return STATUS_NOMEM;
    memcpy(item->bytes, p->key, p->key_n);
    memcpy(item->bytes + p->key_n, text->at, text->n);
    item->key_n = p->key_n;
    item->text_n = text->n;
    return 0;
}

static int reserve(struct run_held *h, size_t n)
{
    struct run_held_item *more;

    if (n <= h->room - h->n)
        return 0;
    more = realloc(h->at, (h->n + n) * 2 * sizeof *more);
    if (more == NULL)
        return STATUS_NOMEM;
    h->at = more;
    h->room = (h->n + n) * 2;
    return 0;
}

int run_held_add(struct run_held *h, const struct parti_partition *partition, size_t n)
{
    struct event_line text = {0};
    size_t before = h->n;
    int status = reserve(h, n);

    for (size_t i = 0; i < n && status == 0; i++) {
        struct run_held_item *old = find(h, before, &partition[i]);
        struct run_held_item item;

        status = make_item(&item, &partition[i], &text);
        if (status < 0)
            break;
        if (old != NULL) {
            free(old->bytes);
            *old = item;
        } else {
            h->at[h->n++] = item;
        }
    }
    if (h->n > before)
        qsort(h->at, h->n, sizeof *h->at, compare);
    event_line_finish(&text);
    return status;
}

void run_held_remove(struct run_held *h, const struct parti_partition *partition,
                     size_t n)
{
    size_t kept = 0;

    /* The order must stand while it is searched, so the keys go last. */
    for (size_t i = 0; i < n; i++) {
        struct run_held_item *item = find(h, h->n, &partition[i]);

        if (item != NULL)
            item->text_n = 0;
    }
    for (size_t i = 0; i < h->n; i++) {
        if (h->at[i].text_n > 0)
            h->at[kept++] = h->at[i];
        else
            free(h->at[i].bytes);
    }
    h->n = kept;
}

int run_held_line(const struct run_held *h, struct event_line *line,
                  const struct event_stamp *stamp, uint64_t epoch)
{
    event_line_begin_assigned(line, stamp, epoch);
    for (size_t i = 0; i < h->n; i++)
        event_line_put_item(line, h->at[i].bytes + h->at[i].key_n, h->at[i].text_n);
    return event_line_end_assigned(line);
}
