/* What a holder began behind a message that was not done: judge.h, at its head. */
#include "config.h"

#include "judge.h"

#include "row.h"

#include <inttypes.h>

/* One holder's attempts of one partition, in the order of their time. */
struct stretch {
    struct handling *at;
    size_t n;
    const struct judge_options *o;
    struct verdict *v;
};

static bool is_slow(const struct stretch *s, const struct handling *h)
{
    return h->kind == LEDGER_HANDLED && s->o->timeout_ns > 0 &&
           h->end_ns - h->begin_ns >= s->o->timeout_ns / 2;
}

/* It comes again before anything behind it is given. */
static bool is_hard(const struct handling *h)
{
    return h->kind == LEDGER_NAKED || h->kind == LEDGER_SILENT;
}

/* May this attempt have the handler go back to that number? */
static bool leads_to(const struct stretch *s, const struct handling *h, uint32_t number)
{
    switch ((enum ledger_kind)h->kind) {
    case LEDGER_NAKED:
    case LEDGER_SILENT: return number == h->number;
    case LEDGER_TERMED: return number == h->number + 1;
    case LEDGER_HOPELESS: return number == h->number || number == h->number + 1;
    case LEDGER_HANDLED: return number == h->number && is_slow(s, h);
    case LEDGER_NONE:
    case LEDGER_BORN:
    case LEDGER_LATE:
    case LEDGER_REFUSED:
    case LEDGER_SETTLED:
    case LEDGER_ASSIGNED:
    case LEDGER_RELEASED:
    case LEDGER_FENCED: break;
    }
    return false;
}

/* Of those from 'from' to 'to' the one for which the holder went back to that number;
 * else 'to'.  It is the first such one of the last stretch; where stretches are not
 * known, the last that it may be. */
static size_t cause(const struct stretch *s, size_t from, size_t to, uint32_t number)
{
    size_t found = to;

    for (size_t i = from; i < to; i++) {
        const struct handling *h = &s->at[i];
        bool is_it =
            h->stretch == 0 || (found == to && h->stretch == s->at[to - 1].stretch);

        if (is_it && leads_to(s, h, number))
            found = i;
        if (is_hard(h))
            break;
    }
    return found;
}

/* What comes behind attempt 'bad', up to 'to', is void; too many of them are a fault, and
 * are counted, so that what is lost is seen for itself. */
static void set_void(const struct stretch *s, size_t bad, size_t to)
{
    const struct handling *b = &s->at[bad];

    for (size_t i = bad + 1; i < to; i++) {
        struct handling *h = &s->at[i];
        bool is_other = h->stretch != 0 && b->stretch != 0 && h->stretch != b->stretch;

        if (i - bad < s->o->deliver_max) {
            h->is_void = true;
            s->v->voided += h->kind == LEDGER_HANDLED;
        }
        if (i - bad == s->o->deliver_max || (is_other && i - bad < s->o->deliver_max))
            judge_fault(&s->v->ahead, "ahead of what was not done", h, b);
    }
}

/* The holder goes back, or jumps, at 'i'; 'from' is where it did so before. */
static void go_back(const struct stretch *s, size_t from, size_t i)
{
    size_t bad = cause(s, from, i, s->at[i].number);

    if (bad == i) {
        judge_fault(&s->v->out_of_holder, "not the next of its holder", &s->at[i],
                    &s->at[i - 1]);
        return;
    }
    if (s->at[bad].kind == LEDGER_HANDLED) {
        s->at[bad].is_void = true;
        s->v->slow++;
    }
    set_void(s, bad, i);
}

/* The holder's last attempts, which nothing came behind. */
static void end(const struct stretch *s, size_t from)
{
    size_t soft = s->n;

    for (size_t i = from; i < s->n; i++) {
        if (is_hard(&s->at[i])) {
            set_void(s, i, s->n);
            return;
        }
        if (soft == s->n && s->n - i <= s->o->deliver_max &&
            (s->at[i].kind == LEDGER_TERMED || s->at[i].kind == LEDGER_HOPELESS))
            soft = i;
    }
    for (size_t i = soft + 1; i < s->n; i++) {
        struct handling *h = &s->at[i];

        if (h->stretch == 0)
            h->is_unsure = true;
        else if (h->stretch == s->at[soft].stretch)
            h->is_void = true;
        s->v->voided += h->is_void && h->kind == LEDGER_HANDLED;
    }
}

/* Where the stretch is known, all of it behind such a message is void. */
static void look_at_stretch(const struct stretch *s, size_t bad)
{
    const struct handling *b = &s->at[bad];

    for (size_t i = bad + 1; i < s->n && s->at[i].stretch == b->stretch; i++)
        if (!s->at[i].is_void)
            judge_fault(&s->v->ahead, "counted, behind what was not done", &s->at[i], b);
}

static void look_at_holder(const struct stretch *s)
{
    size_t from = 0;

    for (size_t i = 1; i < s->n; i++)
        if (s->at[i].number != s->at[i - 1].number + 1) {
            go_back(s, from, i);
            from = i;
        }
    end(s, from);
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].kind != LEDGER_HANDLED && s->at[i].stretch != 0)
            look_at_stretch(s, i);
}

void judge_stretches(struct ledger *l, const struct judge_options *o, struct verdict *v,
                     size_t from, size_t to)
{
    while (from < to) {
        struct stretch s = {.at = &l->handling[from], .n = 1, .o = o, .v = v};

        while (from + s.n < to && judge_is_same_holder(s.at, &s.at[s.n]))
            s.n++;
        look_at_holder(&s);
        from += s.n;
    }
}
