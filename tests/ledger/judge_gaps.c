#include "config.h"

#include "judge.h"

#include <stdlib.h>

const char *const gap_names[GAPS] = {"move", "drain", "kill", "stop", "fence"};

struct handover {
    enum gap kind;
    uint32_t worker; /* the former holder */
    uint64_t epoch;  /* of its release; 0: none is known */
    uint64_t end_ns, batch_ns, released_ns, assigned_ns, begin_ns;
    bool is_loaded;
};

struct handovers {
    struct handover *at;
    size_t n;
};

static const struct mark *mark_of(const struct marks *m, const struct handling *h)
{
    for (size_t i = marks_find(m, h->partition);
         i < m->n && m->at[i].partition == h->partition; i++)
        if (m->at[i].worker == h->worker && m->at[i].hold == h->hold &&
            m->at[i].a == h->token)
            return &m->at[i];
    return NULL;
}

static enum gap kind_of(const struct ledger *l, const struct handling *old,
                        const struct handling *new, const struct mark *released)
{
    const unsigned drain = 1U << CHANGE_DRAIN;
    const unsigned others = drain | 1U << CHANGE_KILL | 1U << CHANGE_STOP;
    const struct change_done *c;

    if (released != NULL)
        return change_before(l, old->worker, drain, 0, released->at_ns) != NULL
                   ? GAP_DRAIN
                   : GAP_MOVE;
    c = change_before(l, old->worker, others, 0, new->begin_ns);
    if (c == NULL)
        return GAP_FENCE;
    if (c->kind == CHANGE_DRAIN)
        return GAP_DRAIN;
    if (c->kind == CHANGE_KILL)
        return GAP_KILL;
    /* A stop that ended before the last handling began has nothing to do with it. */
    return change_before(l, old->worker, 1U << CHANGE_CONT, c->at_ns, old->begin_ns) ==
                   NULL
               ? GAP_STOP
               : GAP_FENCE;
}

static void add(struct handovers *all, const struct ledger *l, const struct handling *old,
                const struct handling *new)
{
    const struct mark *r = mark_of(&l->released, old);
    const struct mark *a = mark_of(&l->assigned, new);

    all->at[all->n++] = (struct handover){
        .kind = kind_of(l, old, new, r),
        .worker = old->worker,
        .epoch = r != NULL ? r->b : 0,
        .end_ns = old->end_ns,
        .batch_ns = old->end_ns,
        .released_ns = r != NULL && r->at_ns < new->begin_ns ? r->at_ns : 0,
        .assigned_ns = a != NULL ? a->at_ns : 0,
        .begin_ns = new->begin_ns,
        .is_loaded = new->sent_ns < old->end_ns};
}

static int by_batch(const void *x, const void *y)
{
    const struct handover *a = x, *b = y;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->worker != b->worker)
        return a->worker < b->worker ? -1 : 1;
    return a->epoch < b->epoch ? -1 : a->epoch > b->epoch;
}

/* What a worker gives up at once is released when the last message of it is handled. */
static void set_batches(struct handovers *all)
{
    for (size_t from = 0, to; from < all->n; from = to) {
        uint64_t last = 0;

        for (to = from; to < all->n && by_batch(&all->at[from], &all->at[to]) == 0; to++)
            last = all->at[to].end_ns > last ? all->at[to].end_ns : last;
        for (size_t i = from; i < to && all->at[i].epoch != 0; i++)
            all->at[i].batch_ns = last < all->at[i].begin_ns ? last : all->at[i].end_ns;
    }
}

static int by_value(const void *x, const void *y)
{
    const uint64_t *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

/* The smallest value that at least so many percent do not exceed. */
static uint64_t percentile(const uint64_t *sorted, size_t n, size_t percent)
{
    return n == 0 ? 0 : sorted[(n * percent + 99) / 100 - 1];
}

enum step { WHOLE, NET, BATCH, RELEASE, GRANT, BEGIN, STEPS };

static uint64_t step_ns(const struct handover *h, enum step step)
{
    uint64_t from = 0, to = 0;

    switch (step) {
    case WHOLE: from = h->end_ns, to = h->begin_ns; break;
    case NET: from = h->batch_ns, to = h->begin_ns; break;
    case BATCH: from = h->end_ns, to = h->batch_ns; break;
    case RELEASE: from = h->batch_ns, to = h->released_ns; break;
    case GRANT: from = h->released_ns, to = h->assigned_ns; break;
    case BEGIN: from = h->assigned_ns, to = h->begin_ns; break;
    case STEPS: break;
    }
    return from != 0 && to > from ? to - from : 0;
}

static size_t sorted(const struct handovers *all, enum gap kind, enum step step,
                     uint64_t *values)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].kind == kind && all->at[i].is_loaded)
            values[n++] = step_ns(&all->at[i], step) / 1000;
    qsort(values, n, sizeof *values, by_value);
    return n;
}

static uint64_t middle(const struct handovers *all, enum gap kind, enum step step,
                       uint64_t *values)
{
    return percentile(values, sorted(all, kind, step, values), 50);
}

static void figure(const struct handovers *all, enum gap kind, uint64_t *values,
                   struct gap_figures *f)
{
    for (size_t i = 0; i < all->n; i++)
        f->n += all->at[i].kind == kind;
    f->loaded = sorted(all, kind, WHOLE, values);
    if (f->loaded == 0)
        return;
    f->p50_us = percentile(values, f->loaded, 50);
    f->p99_us = percentile(values, f->loaded, 99);
    f->max_us = values[f->loaded - 1];
    (void)sorted(all, kind, NET, values);
    f->net_p50_us = percentile(values, f->loaded, 50);
    f->net_p99_us = percentile(values, f->loaded, 99);
    f->net_max_us = values[f->loaded - 1];
    f->batch_us = middle(all, kind, BATCH, values);
    f->release_us = middle(all, kind, RELEASE, values);
    f->grant_us = middle(all, kind, GRANT, values);
    f->begin_us = middle(all, kind, BEGIN, values);
}

void judge_gaps(const struct ledger *l, struct verdict *v)
{
    struct handovers all = {0};
    uint64_t *values = calloc(l->n + 1, sizeof *values);

    all.at = calloc(l->n + 1, sizeof *all.at);
    if (values != NULL && all.at != NULL) {
        for (size_t i = 1; i < l->n; i++)
            if (l->handling[i].partition == l->handling[i - 1].partition &&
                l->handling[i].worker != l->handling[i - 1].worker)
                add(&all, l, &l->handling[i - 1], &l->handling[i]);
        qsort(all.at, all.n, sizeof *all.at, by_batch);
        set_batches(&all);
        for (int kind = 0; kind < GAPS; kind++)
            figure(&all, (enum gap)kind, values, &v->gap[kind]);
    }
    free(values);
    free(all.at);
}
