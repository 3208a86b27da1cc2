#include "config.h"

#include "desk.h"

#include <stdlib.h>

bool desk_init(struct desk *d, struct ledger_io *io)
{
    *d = (struct desk){.io = io};
    d->part = calloc(DESK_PARTITIONS_MAX, sizeof *d->part);
    return d->part != NULL;
}

static void begin_batch(struct desk_part *p)
{
    p->begin_ns = ledger_now_ns();
    p->batch_n = 0;
    for (const struct desk_item *i = p->first; i != NULL && p->batch_n < DESK_BATCH_MAX;
         i = i->next)
        p->batch_n++;
}

/* From this position on: those attempts are over. */
static void drop_from(struct desk_part *p, uint64_t position)
{
    struct desk_item **at = &p->first;
    uint32_t kept = 0;

    p->last = NULL;
    while (*at != NULL && (*at)->row.position < position) {
        p->last = *at;
        at = &(*at)->next;
        kept++;
    }
    while (*at != NULL) {
        struct desk_item *old = *at;

        *at = old->next;
        free(old);
    }
    p->batch_n = kept < p->batch_n ? kept : p->batch_n;
}

static bool is_of_hold(const struct ledger_row *a, const struct ledger_row *b)
{
    return a->hold == b->hold && a->gen == b->gen && a->since == b->since;
}

bool desk_add(struct desk *d, const struct desk_item *item)
{
    uint32_t number = item->row.partition;
    struct desk_item *copy = number < DESK_PARTITIONS_MAX ? malloc(sizeof *copy) : NULL;

    if (copy == NULL)
        return false;
    struct desk_part *p = &d->part[number];
    d->parts = number >= d->parts ? number + 1 : d->parts;
    *copy = *item;
    copy->next = NULL;
    if (p->last != NULL && item->row.position <= p->last->row.position)
        drop_from(p, item->row.position);
    d->has_had_several |= p->last != NULL;
    if (p->last != NULL)
        p->last->next = copy;
    else
        p->first = copy;
    p->last = copy;
    if (p->batch_n == 0)
        begin_batch(p);
    return true;
}

/* True: nothing is to be done about it. */
static bool is_hushed(struct desk_part *p, const struct ledger_row *row)
{
    if (p->is_quiet &&
        (!is_of_hold(row, &p->quiet) || row->position <= p->quiet.position))
        p->is_quiet = false;
    return p->is_quiet;
}

static struct desk_item *take_first(struct desk_part *p)
{
    struct desk_item *item = p->first;

    p->first = item->next;
    if (p->first == NULL)
        p->last = NULL;
    return item;
}

/* The row; true: it is to be answered. */
static bool write_row(const struct desk *d, struct desk_part *p, struct desk_item *item,
                      uint64_t begin_ns)
{
    struct ledger_row *row = &item->row;

    row->begin_ns = begin_ns;
    row->end_ns = ledger_now_ns(); /* before the question: row.h says why */
    row->kind = (uint16_t)ledger_fate(d->io, row);
    if (!d->holds(item)) {
        row->kind = LEDGER_REFUSED;
        ledger_put(d->io, row);
        return false;
    }
    ledger_put_handled(d->io, row);
    p->is_quiet = row->kind == LEDGER_SILENT;
    if (p->is_quiet)
        p->quiet = *row;
    return !p->is_quiet;
}

static void finish(struct desk *d, struct desk_part *p)
{
    struct desk_item *done[DESK_BATCH_MAX];
    uint64_t begin_ns = p->begin_ns;
    uint32_t n = 0;

    for (uint32_t left = p->batch_n; left > 0; left--) {
        struct desk_item *item = take_first(p);

        if (!is_hushed(p, &item->row) && write_row(d, p, item, begin_ns))
            done[n++] = item;
        else
            free(item);
        begin_ns = ledger_now_ns();
    }
    for (uint32_t i = 0; i < n; i++) {
        struct desk_item *item = done[d->is_backwards ? n - 1 - i : i];

        d->answer(item);
        free(item);
    }
    d->flush();
    begin_batch(p);
}

static uint64_t due_ns(const struct desk *d, const struct desk_part *p)
{
    return p->batch_n > 0 ? p->begin_ns + p->batch_n * d->io->work_us * 1000 : UINT64_MAX;
}

void desk_finish_due(struct desk *d)
{
    for (uint32_t i = 0; i < d->parts; i++)
        if (d->part[i].batch_n > 0 && due_ns(d, &d->part[i]) <= ledger_now_ns())
            finish(d, &d->part[i]);
}

bool desk_has(const struct desk *d, uint32_t partition)
{
    return partition < d->parts && d->part[partition].first != NULL;
}

uint64_t desk_due_ns(const struct desk *d)
{
    uint64_t due = UINT64_MAX;

    for (uint32_t i = 0; i < d->parts; i++) {
        uint64_t at = due_ns(d, &d->part[i]);

        due = at < due ? at : due;
    }
    return due;
}
