#include "cli/demo_ledger.h"

#include "base/must.h"
#include "base/status.h"

#include <stdlib.h>

int ledger_init(struct ledger *l)
{
    l->n = 0;
    l->span = calloc(LEDGER_SPANS_MAX, sizeof *l->span);
    return l->span != NULL ? 0 : STATUS_NOMEM;
}

void ledger_finish(struct ledger *l)
{
    free(l->span);
    l->span = NULL;
}

void ledger_begin(struct ledger *l, uint32_t section, uint32_t worker, uint64_t ns)
{
    must(l->n < LEDGER_SPANS_MAX); /* the demo's few steps never come near it */
    l->span[l->n++] = (struct ledger_span){section, worker, ns, LEDGER_HELD};
}

void ledger_end(struct ledger *l, uint32_t section, uint32_t worker, uint64_t ns)
{
    for (size_t i = 0; i < l->n; i++) {
        struct ledger_span *s = &l->span[i];

        if (s->section == section && s->worker == worker && s->to_ns == LEDGER_HELD)
            s->to_ns = ns;
    }
}

void ledger_end_all(struct ledger *l, uint32_t worker, uint64_t ns)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->span[i].worker == worker && l->span[i].to_ns == LEDGER_HELD)
            l->span[i].to_ns = ns;
}

int ledger_holder(const struct ledger *l, uint32_t section)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->span[i].section == section && l->span[i].to_ns == LEDGER_HELD)
            return (int)l->span[i].worker;
    return -1;
}

uint64_t ledger_given_ns(const struct ledger *l, uint32_t section)
{
    uint64_t newest = 0;

    for (size_t i = 0; i < l->n; i++)
        if (l->span[i].section == section && l->span[i].from_ns > newest)
            newest = l->span[i].from_ns;
    return newest;
}

static uint64_t end_of(const struct ledger_span *s)
{
    return s->to_ns != LEDGER_HELD ? s->to_ns : UINT64_MAX;
}

uint32_t ledger_overlaps(const struct ledger *l)
{
    uint32_t found = 0;

    for (size_t i = 0; i < l->n; i++)
        for (size_t k = i + 1; k < l->n; k++) {
            const struct ledger_span *a = &l->span[i], *b = &l->span[k];

            if (a->section == b->section && a->worker != b->worker &&
                a->from_ns < end_of(b) && b->from_ns < end_of(a))
                found++;
        }
    return found;
}

uint64_t ledger_longest_gap_ns(const struct ledger *l, uint64_t since_ns)
{
    uint64_t longest = 0;

    for (size_t i = 0; i < l->n; i++) {
        const struct ledger_span *a = &l->span[i];
        uint64_t next = UINT64_MAX;

        if (a->to_ns == LEDGER_HELD || a->to_ns < since_ns)
            continue;
        for (size_t k = 0; k < l->n; k++) {
            const struct ledger_span *b = &l->span[k];

            if (b->section == a->section && k != i && b->from_ns >= a->from_ns &&
                end_of(b) > a->to_ns && b->from_ns < next)
                next = b->from_ns;
        }
        if (next != UINT64_MAX && next > a->to_ns && next - a->to_ns > longest)
            longest = next - a->to_ns;
    }
    return longest;
}
