/* The ledger of the simulation and what it must never show. */
#include "sim.h"

#include <stdarg.h>
#include <string.h>

enum { SOON_MS = 150 }; /* what takes no longer than a few answers of the store */

#define ull(x) ((unsigned long long)(x))

void fail(struct sim *s, const char *format, ...)
{
    va_list list;

    if (s->failure[0] != '\0')
        return;
    va_start(list, format);
    (void)vsnprintf(s->failure, sizeof s->failure, format, list);
    va_end(list);
    s->failed_at = s->now;
    tell(s, "WRONG: %s", s->failure);
}

static bool is_finished(const struct msg *m)
{
    return m->is_done || m->is_buried || m->is_gone || m->is_before;
}

void judge_begin(struct sim *s, struct worker *w, struct msg *m)
{
    struct part *p = &s->part[m->part];

    if (p->handled != NULL)
        fail(s, "overlap: p%u: %llu begins at w%u while %llu is handled at w%u", m->part,
             ull(m->position), w->number, ull(p->handled->position), p->handler);
    p->handled = m;
    p->handler = w->number;
    if (m->origin != p->origin)
        return; /* of a life that is over */
    if (!p->exists || p->record.origin != m->origin)
        fail(s, "begin: p%u: %llu begins before the record says where", m->part,
             ull(m->position));
    if (p->exists && p->record.origin == m->origin && p->record.next > m->position)
        fail(s, "again: p%u: %llu is handled again after its ack was durable", m->part,
             ull(m->position));
    for (uint32_t i = 0; i < p->n && p->msg[i]->position < m->position; i++)
        if (!is_finished(p->msg[i]))
            fail(s, "order: p%u: %llu begins before %llu is done", m->part,
                 ull(m->position), ull(p->msg[i]->position));
    if (m->is_done)
        s->again++;
}

void judge_end(struct sim *s, struct worker *w, struct msg *m)
{
    struct part *p = &s->part[m->part];

    if (p->handled == m && p->handler == w->number)
        p->handled = NULL;
}

/* Called before the store takes it over. */
void judge_write(struct sim *s, uint32_t part, const struct consume_record *r)
{
    struct part *p = &s->part[part];
    const struct consume_record *old = &p->record;

    if (p->exists &&
        (r->token.gen < old->token.gen ||
         (r->token.gen == old->token.gen && r->token.since < old->token.since)))
        fail(s, "stale: p%u: token %llu writes over %llu", part, ull(r->token.since),
             ull(old->token.since));
    if (p->exists && r->origin == old->origin && r->origin == p->origin &&
        r->next < old->next)
        fail(s, "back: p%u: from %llu to %llu", part, ull(old->next), ull(r->next));
    if (r->origin == p->origin) {
        for (uint32_t i = 0; i < p->n && p->msg[i]->position < r->next; i++)
            if (s->is_latest && !p->has_begun)
                p->msg[i]->is_before = true;
            else if (p->msg[i]->stale_since == r->token.since)
                p->msg[i]->is_done = true; /* nobody had claimed it yet */
            else if (!is_finished(p->msg[i]))
                fail(s, "lost: p%u: the position moves to %llu over %llu", part,
                     ull(r->next), ull(p->msg[i]->position));
    }
    p->has_begun = p->has_begun || r->origin != 0;
    /* C9: this claim counts an attempt against the message that was begun. */
    if (p->exists && old->is_begun && !old->is_released &&
        r->token.since != old->token.since)
        for (uint32_t i = 0; i < p->n; i++)
            if (p->msg[i]->position == old->at)
                p->msg[i]->unhappy++;
}

void judge_bury(struct sim *s, uint32_t part, const struct msg *m)
{
    const struct part *p = &s->part[part];

    if (m->origin != p->origin)
        return;
    if (!s->options.has_dead_letter)
        fail(s, "dead: p%u: %llu without a place", part, ull(m->position));
    if (!m->was_refused &&
        (s->options.attempts_max == 0 || m->unhappy < s->options.attempts_max))
        fail(s, "dead: p%u: %llu after %u of %u attempts", part, ull(m->position),
             m->unhappy, s->options.attempts_max);
    if (p->exists && p->record.origin == m->origin && p->record.next > m->position)
        fail(s, "dead: p%u: %llu is done for good", part, ull(m->position));
}

void judge_start(struct sim *s, struct worker *w, const struct consume_action *a)
{
    const struct part *p = &s->part[a->lane];

    if (!w->lane[a->lane].is_granted)
        fail(s, "empty: w%u reads p%u, which it does not hold", w->number, a->lane);
    if (!p->exists || p->record.token.since < a->token.since)
        fail(s, "claim: w%u reads p%u before its claim is in the record", w->number,
             a->lane);
}

/* Before the deadline, with nothing more to wait for. */
static bool had_time(const struct sim *s, const struct worker *w,
                     const struct lane_sim *l)
{
    uint64_t since = l->quiet_at > w->asleep_until ? l->quiet_at : w->asleep_until;

    return s->is_store_sound && !l->is_busy && l->queued == 0 && l->burying == NULL &&
           s->now > since + SOON_MS;
}

void judge_clear(struct sim *s, struct worker *w, uint32_t part)
{
    struct lane_sim *l = &w->lane[part];
    const struct part *p = &s->part[part];

    if (l->is_busy)
        fail(s, "clear: w%u: p%u while its handler works", w->number, part);
    if (s->now < l->deadline && l->cut_step == s->steps && !l->is_void)
        fail(s, "clear: w%u: p%u cuts its handler off", w->number, part);
    if (!l->is_revoked)
        fail(s, "clear: w%u: p%u unasked", w->number, part);
    if ((s->now < l->deadline || had_time(s, w, l)) && !l->is_void && l->has_begun &&
        p->record.origin == p->origin && p->exists &&
        p->record.token.since <= l->token.since && !p->record.is_released)
        fail(s, "clear: w%u: p%u before its record is written", w->number, part);
}

void judge_deadline(struct sim *s, const struct worker *w)
{
    for (uint32_t i = 0; i < s->parts && !w->is_fencing; i++)
        if (w->lane[i].is_revoked && w->lane[i].is_granted &&
            s->now > w->lane[i].deadline)
            fail(s, "deadline: w%u: p%u is not given back", w->number, i);
}

void judge_room(struct sim *s, const struct worker *w)
{
    uint64_t room =
        s->options.messages_max > PARTS_MAX ? s->options.messages_max : PARTS_MAX;

    if (w->credit + w->held_messages > room)
        fail(s, "room: w%u: %llu of credit and %u messages", w->number, ull(w->credit),
             w->held_messages);
    for (uint32_t i = 0; i < s->parts; i++)
        if (w->lane[i].credit > s->options.lane_max)
            fail(s, "room: w%u: %llu of credit for p%u", w->number,
                 ull(w->lane[i].credit), i);
}

bool judge_is_all_done(const struct sim *s)
{
    for (uint32_t i = 0; i < s->parts; i++) {
        const struct part *p = &s->part[i];
        uint32_t n = p->n;

        while (n > 0 && p->msg[n - 1]->is_gone)
            n--; /* nothing moves over those until one comes behind them */
        if (p->to_publish > 0 || (n > 0 && !p->exists))
            return false;
        if (n > 0 &&
            (p->record.origin != p->origin || p->record.next <= p->msg[n - 1]->position))
            return false;
    }
    return true;
}

void judge_last(struct sim *s)
{
    if (!judge_is_all_done(s)) {
        for (uint32_t i = 0; i < s->parts; i++)
            tell(s, "p%u: %u messages, record at %llu", i, s->part[i].n,
                 ull(s->part[i].record.next));
        fail(s, "stuck: not everything is done");
    }
    for (uint32_t i = 0; i < s->all_n; i++) {
        const struct msg *m = s->all[i];

        if (m->origin != s->part[m->part].origin || m->is_gone || m->is_before)
            continue;
        if (!m->is_done && !m->is_buried)
            fail(s, "lost: p%u: %llu was never done", m->part, ull(m->position));
        if ((m->kind == POISON || m->kind == TERMED || m->kind == KILLER) &&
            !m->has_letter)
            fail(s, "dead: p%u: %llu should be a dead letter", m->part, ull(m->position));
        if (m->kills > s->kills_max)
            s->kills_max = m->kills;
    }
}
