#include "config.h"

#include "judge.h"

#include "row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of one partition while its handlings are gone through. */
struct walk {
    const struct ledger *l;
    const struct judge_options *o;
    struct verdict *v;
    uint32_t partition;
    uint64_t n; /* produced */
    /* By number, NULL: none: its last attempt; the first and the last one that settles
     * it, void ones left out.  One of what is naked at every attempt may be the first. */
    const struct handling **any, **first, **last;
    const struct handling *prev;
    uint64_t end_ns, token; /* the greatest so far */
    uint32_t first_n;       /* above the greatest number handled for the first time */
    bool has_first;
    size_t settled;   /* mark that is not looked at yet */
    uint64_t durable; /* greatest position said to be durable before this handling */
    uint64_t repeats; /* of the present holder */
};

void judge_fault(uint64_t *count, const char *what, const struct handling *h,
                 const struct handling *prev)
{
    if (++*count > SHOWN_MAX)
        return;
    (void)fprintf(stderr,
                  "  %s: p/%" PRIu32 " number %" PRIu32 " by w%" PRIu32 " hold %" PRIu32
                  " token %" PRIu64 "-%" PRIu64 " position %" PRIu64
                  " begin %.6f end %.6f\n",
                  what, h->partition, h->number, h->worker, h->hold, h->token >> 32,
                  h->token & UINT32_MAX, h->position, (double)h->begin_ns / 1e9,
                  (double)h->end_ns / 1e9);
    if (prev != NULL)
        (void)fprintf(stderr,
                      "      behind number %" PRIu32 " by w%" PRIu32 " hold %" PRIu32
                      " token %" PRIu64 "-%" PRIu64 " begin %.6f end %.6f\n",
                      prev->number, prev->worker, prev->hold, prev->token >> 32,
                      prev->token & UINT32_MAX, (double)prev->begin_ns / 1e9,
                      (double)prev->end_ns / 1e9);
}

static void fault(const struct walk *w, uint64_t *count, const char *what,
                  const struct handling *h)
{
    judge_fault(count, what, h, w->prev);
}

bool judge_is_same_holder(const struct handling *a, const struct handling *b)
{
    return a != NULL && a->worker == b->worker && a->hold == b->hold &&
           a->token == b->token;
}

static void look_at_time(struct walk *w, const struct handling *h)
{
    const struct marks *m = &w->l->settled;

    if (h->begin_ns < w->end_ns)
        fault(w, &w->v->overlaps, "overlap", h);
    if (h->token < w->token)
        fault(w, &w->v->stale, "lower token", h);
    w->end_ns = h->end_ns > w->end_ns ? h->end_ns : w->end_ns;
    w->token = h->token > w->token ? h->token : w->token;
    for (; w->settled < m->n && m->at[w->settled].partition == w->partition &&
           m->at[w->settled].at_ns < h->begin_ns;
         w->settled++)
        if (m->at[w->settled].a > w->durable)
            w->durable = m->at[w->settled].a;
}

bool judge_was_released(const struct ledger *l, const struct handling *old,
                        uint64_t before_ns)
{
    const struct marks *m = &l->released;

    for (size_t i = marks_find(m, old->partition);
         i < m->n && m->at[i].partition == old->partition && m->at[i].at_ns < before_ns;
         i++)
        if (m->at[i].worker == old->worker && m->at[i].hold == old->hold &&
            m->at[i].a == old->token)
            return true;
    return false;
}

static void look_at_repeat(struct walk *w, const struct handling *h)
{
    const struct handling *old = w->last[h->number];

    if (h->position < w->durable)
        return; /* said already */
    if (!old->is_unsure && judge_was_released(w->l, old, h->begin_ns))
        fault(w, &w->v->after_release, "again after an orderly release", h);
    else
        w->v->before_ack++;
    w->repeats++;
    if (w->repeats > w->v->before_ack_most)
        w->v->before_ack_most = w->repeats;
    if (w->repeats == w->o->repeats_max + 1)
        fault(w, &w->v->too_many, "more repeats than a crash may cost", h);
}

static void count_kind(struct verdict *v, const struct handling *h)
{
    v->handled += h->kind == LEDGER_HANDLED;
    v->naked += h->kind == LEDGER_NAKED;
    v->hopeless += h->kind == LEDGER_HOPELESS;
    v->termed += h->kind == LEDGER_TERMED;
    v->silent += h->kind == LEDGER_SILENT;
}

static void count_silence(struct verdict *v, uint64_t ms)
{
    v->silent_most_ms = ms > v->silent_most_ms ? ms : v->silent_most_ms;
}

/* Nothing more is to come of this number. */
static bool is_settling(const struct handling *h)
{
    return !h->is_void && (h->kind == LEDGER_HANDLED || h->kind == LEDGER_TERMED);
}

static void look(struct walk *w, const struct handling *h)
{
    count_kind(w->v, h);
    look_at_time(w, h);
    if (h->number >= w->n || h->end_ns < h->begin_ns) {
        fault(w, &w->v->strange, "not produced", h);
        return;
    }
    if (!judge_is_same_holder(w->prev, h))
        w->repeats = 0;
    else if (w->prev->kind == LEDGER_SILENT && w->prev->number == h->number)
        count_silence(w->v, (h->begin_ns - w->prev->end_ns) / 1000000);
    if (w->any[h->number] != NULL && w->any[h->number]->position != h->position)
        fault(w, &w->v->strange, "at another position", h);
    if (h->position < w->durable)
        fault(w, &w->v->after_ack, "again after its ack was durable", h);
    if (w->last[h->number] != NULL) {
        look_at_repeat(w, h);
    } else if (h->number < w->first_n && w->first[h->number] == NULL) {
        fault(w, &w->v->out_of_order, "out of order", h);
    } else if (is_settling(h)) {
        w->first_n = h->number + 1 > w->first_n ? h->number + 1 : w->first_n;
    }
    w->any[h->number] = h;
    if (is_settling(h)) {
        w->last[h->number] = h;
        if (w->first[h->number] == NULL)
            w->first[h->number] = h;
    } else if (h->kind == LEDGER_HOPELESS && w->first[h->number] == NULL) {
        w->first[h->number] = h;
    }
    w->prev = h;
}

static void look_for_lost(struct walk *w)
{
    for (uint64_t i = 0; i < w->n; i++)
        if (w->last[i] == NULL && !judge_is_dead(w->l, w->partition, (uint32_t)i) &&
            ++w->v->lost <= SHOWN_MAX)
            (void)fprintf(stderr, "  lost: p/%" PRIu32 " number %" PRIu64 "\n",
                          w->partition, i);
}

/* Was that worker stopped at some time between the two? */
static bool is_explained(const struct ledger *l, const struct mark *late)
{
    const unsigned both = 1U << CHANGE_STOP | 1U << CHANGE_CONT;
    const struct change_done *c = change_before(l, late->worker, both, 0, late->b);

    return (c != NULL && c->kind == CHANGE_STOP) ||
           change_before(l, late->worker, 1U << CHANGE_STOP, late->b, late->at_ns) !=
               NULL;
}

static void look_at_late(struct walk *w, const struct handling *h, size_t n)
{
    const struct marks *m = &w->l->late;

    for (size_t i = marks_find(m, w->partition);
         i < m->n && m->at[i].partition == w->partition; i++) {
        const struct mark *late = &m->at[i];
        bool is_among = false;

        for (size_t k = 0; k < n && !is_among; k++)
            is_among = h[k].worker != late->worker && h[k].begin_ns > late->b &&
                       h[k].begin_ns < late->at_ns;
        if (!is_among)
            continue;
        if (is_explained(w->l, late)) {
            w->v->late++;
        } else if (++w->v->late_unexplained <= SHOWN_MAX) {
            (void)fprintf(stderr,
                          "  a late append that no stop explains: p/%" PRIu32
                          " number %" PRIu64 " by w%" PRIu32 " at %.6f, checked %.6f\n",
                          w->partition, late->a, late->worker, (double)late->at_ns / 1e9,
                          (double)late->b / 1e9);
        }
    }
}

static const struct handling **by_number(uint64_t n)
{
    const struct handling **all = calloc(n + 1, sizeof(struct handling *));

    if (all == NULL) {
        (void)fprintf(stderr, "judge: no memory\n");
        exit(2);
    }
    return all;
}

static void walk(struct ledger *l, const struct judge_options *o, struct verdict *v,
                 uint32_t partition, size_t from, size_t to)
{
    struct walk w = {.l = l, .o = o, .v = v, .partition = partition};

    w.n = l->produced[partition];
    w.any = by_number(w.n);
    w.first = by_number(w.n);
    w.last = by_number(w.n);
    judge_stretches(l, o, v, from, to);
    w.settled = marks_find(&l->settled, partition);
    for (size_t i = from; i < to; i++)
        look(&w, &l->handling[i]);
    look_for_lost(&w);
    look_at_late(&w, &l->handling[from], to - from);
    judge_settled(l, v, partition, w.first);
    judge_dead(l, v, partition, from, to);
    free((void *)w.any);
    free((void *)w.first);
    free((void *)w.last);
}

void judge_rows(struct ledger *l, const struct judge_options *o, struct verdict *v)
{
    uint64_t first = UINT64_MAX, last = 0;
    size_t from = 0;

    v->refused = l->refused;
    v->fenced = l->fenced;
    for (size_t i = 0; i < l->changes; i++)
        v->change[l->change[i].kind]++;
    for (size_t i = 0; i < l->n; i++) {
        first = l->handling[i].begin_ns < first ? l->handling[i].begin_ns : first;
        last = l->handling[i].end_ns > last ? l->handling[i].end_ns : last;
    }
    v->wall_ms = last > first ? (last - first) / 1000000 : 0;
    for (uint32_t p = 0; p < l->partitions; p++) {
        size_t to = from;

        while (to < l->n && l->handling[to].partition == p)
            to++;
        v->produced += l->produced[p];
        walk(l, o, v, p, from, to);
        from = to;
    }
}

bool verdict_holds(const struct verdict *v)
{
    return v->produced > 0 && v->handled + v->dead >= v->produced &&
           v->lost + v->out_of_order + v->out_of_holder + v->overlaps + v->stale +
                   v->after_ack + v->after_release + v->late_unexplained + v->too_many +
                   v->strange + v->ahead + v->unearned + v->unburied + v->dead_wrongly +
                   v->dead_again ==
               0;
}
