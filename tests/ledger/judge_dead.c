/* What was said to be done, in records and dead letters, against what was done. */
#include "config.h"

#include "judge.h"

#include "row.h"

#include <inttypes.h>
#include <stdio.h>

static size_t letters_find(const struct ledger *l, uint32_t partition, uint32_t number)
{
    size_t low = 0, high = l->letters;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct letter *at = &l->letter[middle];

        if (at->partition < partition ||
            (at->partition == partition && at->number < number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t copies(const struct ledger *l, size_t i)
{
    size_t n = 1;

    while (i + n < l->letters && l->letter[i + n].partition == l->letter[i].partition &&
           l->letter[i + n].number == l->letter[i].number)
        n++;
    return n;
}

bool judge_is_dead(const struct ledger *l, uint32_t partition, uint32_t number)
{
    size_t i = letters_find(l, partition, number);

    return i < l->letters && l->letter[i].partition == partition &&
           l->letter[i].number == number;
}

static bool is_for_dead(const struct handling *h)
{
    return h->kind == LEDGER_HOPELESS || (h->kind == LEDGER_TERMED && !h->is_void);
}

/* Has a holder that made a dead letter of this number ended without giving it up? */
static bool is_by_abrupt_end(const struct ledger *l, size_t from, size_t to,
                             uint32_t number)
{
    const struct handling *h = l->handling;

    for (size_t i = from; i < to; i++)
        if (h[i].number == number && is_for_dead(&h[i]) &&
            !judge_is_same_holder(&h[i], &h[to - 1]) &&
            !judge_was_released(l, &h[i], UINT64_MAX))
            return true;
    return false;
}

static bool may_be_dead(const struct ledger *l, size_t from, size_t to, uint32_t number)
{
    bool may = false;

    for (size_t i = from; i < to; i++) {
        const struct handling *h = &l->handling[i];

        if (h->number == number && h->kind == LEDGER_HANDLED && !h->is_void)
            return false;
        may = may || (h->number == number && is_for_dead(h));
    }
    return may;
}

static void say_letter(uint64_t *count, const char *what, const struct letter *letter)
{
    if (++*count <= SHOWN_MAX)
        (void)fprintf(stderr, "  %s: p/%" PRIu32 " number %" PRIu32 "\n", what,
                      letter->partition, letter->number);
}

void judge_dead(const struct ledger *l, struct verdict *v, uint32_t partition,
                size_t from, size_t to)
{
    size_t n;

    for (size_t i = from; i < to; i++)
        if (is_for_dead(&l->handling[i]) &&
            !judge_is_dead(l, partition, l->handling[i].number))
            judge_fault(&v->unburied, "no dead letter", &l->handling[i], NULL);
    for (size_t i = letters_find(l, partition, 0);
         i < l->letters && l->letter[i].partition == partition; i += n) {
        const struct letter *letter = &l->letter[i];

        n = copies(l, i);
        v->dead++;
        if (!may_be_dead(l, from, to, letter->number))
            say_letter(&v->dead_wrongly, "a dead letter of what is not dead", letter);
        else if (n > 1 && !is_by_abrupt_end(l, from, to, letter->number))
            say_letter(&v->dead_again, "two dead letters", letter);
    }
}

void judge_settled(const struct ledger *l, struct verdict *v, uint32_t partition,
                   const struct handling *const *first)
{
    const struct marks *m = &l->settled;
    uint64_t n = 0;

    for (size_t i = marks_find(m, partition); i < m->n && m->at[i].partition == partition;
         i++)
        for (; n < l->produced[partition] &&
               (first[n] == NULL || first[n]->position < m->at[i].a);
             n++)
            if (first[n] != NULL && first[n]->end_ns > m->at[i].at_ns)
                judge_fault(&v->unearned, "in a record before it was done", first[n],
                            NULL);
}
