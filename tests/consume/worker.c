/* A worker: drives its engine, and is its plugin and its handler. */
#include "sim.h"

#include "base/must.h"
#include "base/status.h"

#include <stdlib.h>

static struct sim *world; /* of the step that is being made */

#define ull(x) ((unsigned long long)(x))

static struct event event_of(const struct worker *w, enum what what, uint32_t part)
{
    return (struct event){.what = what,
                          .worker = w->number,
                          .life = w->life,
                          .part = part,
                          .ev = {.lane = part, .run = w->lane[part].run}};
}

/* ---- the plugin */

void pump_soon(struct sim *s, struct worker *w, uint32_t part)
{
    struct lane_sim *l = &w->lane[part];
    struct event e = event_of(w, EV_PUMP, part);

    if (!w->is_up || !l->is_running || !l->has_begun || l->is_pumping || l->credit == 0)
        return;
    l->is_pumping = true;
    push(s, pick(s, 12), &e);
}

static struct msg *next_message(struct sim *s, struct lane_sim *l, uint32_t part)
{
    struct part *p = &s->part[part];

    if (l->origin != p->origin)
        return NULL;
    for (uint32_t i = 0; i < p->n; i++)
        if (!p->msg[i]->is_gone && p->msg[i]->position >= l->cursor)
            return p->msg[i];
    return NULL;
}

void worker_pump(struct sim *s, struct worker *w, uint32_t part, uint64_t run)
{
    struct lane_sim *l = &w->lane[part];
    uint64_t n = 1 + pick(s, 6);

    l->is_pumping = false;
    for (; n > 0 && l->is_running && l->run == run && l->has_begun && l->credit > 0;
         n--) {
        struct msg *m = next_message(s, l, part);

        if (m == NULL)
            return;
        l->cursor = m->position + 1;
        l->credit--;
        w->credit--;
        w->held_messages++;
        worker_step(s, w,
                    (struct consume_event){.type = CONSUME_MESSAGE,
                                           .lane = part,
                                           .run = run,
                                           .position = m->position,
                                           .message = m});
    }
    pump_soon(s, w, part);
}

static void start(struct sim *s, struct worker *w, const struct consume_action *a)
{
    struct lane_sim *l = &w->lane[a->lane];
    struct part *p = &s->part[a->lane];
    struct event e;
    uint64_t from = a->position, first = UINT64_MAX;

    judge_start(s, w, a);
    must(!l->is_running && a->run > l->run);
    l->is_running = true;
    l->has_begun = l->is_pumping = false;
    l->run = a->run;
    l->origin = p->origin;
    e = event_of(w, EV_BEGUN, a->lane);
    for (uint32_t i = p->n; i-- > 0;)
        if (!p->msg[i]->is_gone)
            first = p->msg[i]->position;
    if (p->n > 0 && first > from && p->msg[0]->is_gone)
        from = first == UINT64_MAX ? p->last_position + 1 : first;
    if (a->origin == 0 || from == 0)
        from = 1;
    if (a->origin == 0 && s->is_latest && !l->knows_void)
        from = p->last_position + 1;
    l->asked = a->origin;
    if (from < a->position)
        from = a->position;
    e.ev.type = CONSUME_BEGUN;
    e.ev.origin = p->origin;
    e.ev.position = from;
    /* A reader that is shared starts lower. */
    l->cursor = chance(s, 30) && from > 3 ? from - 3 : from;
    push(s, pick(s, 30), &e);
}

static void stop(struct sim *s, struct worker *w, uint32_t part)
{
    struct lane_sim *l = &w->lane[part];

    must(l->is_running);
    l->is_running = false;
    w->credit -= l->credit;
    l->credit = 0;
    if (l->burying != NULL)
        l->quiet_at = s->now;
    if (l->burying != NULL && chance(s, 50)) {
        l->burying = NULL; /* the host does not hear what comes after its stop */
    } else if (l->burying != NULL) {
        struct event e = event_of(w, EV_BURIED, part);

        e.n = 1; /* not done */
        e.ev.type = CONSUME_BURIED;
        e.ev.status = STATUS_CANCELED;
        e.ev.position = l->burying->position;
        l->burying = NULL;
        push(s, pick(s, 3), &e);
    }
}

static void bury(struct sim *s, struct worker *w, const struct consume_action *a)
{
    struct lane_sim *l = &w->lane[a->lane];
    struct event e = event_of(w, EV_BURIED, a->lane);

    if (!l->is_stale)
        judge_bury(s, a->lane, a->message);
    l->burying = a->message;
    e.ev.type = CONSUME_BURIED;
    e.ev.position = a->position;
    e.ev.status = chance(s, 2 * s->fault_percent) ? STATUS_IO : STATUS_OK;
    if (chance(s, 80)) {
        push(s, pick(s, 50), &e);
        return;
    }
    push(s, pick(s, 3000), &e);
    if (s->now < FAULTS_MS && chance(s, 30)) { /* one cause of both */
        e.what = EV_TROUBLE;
        e.ev.type = CONSUME_TROUBLE;
        e.ev.status = STATUS_DENIED;
        push(s, pick(s, 50), &e);
    }
}

void worker_bury(struct sim *s, struct worker *w, const struct event *e)
{
    struct lane_sim *l = &w->lane[e->part];

    if (e->n == 0) {
        if (l->burying == NULL || l->run != e->ev.run)
            return; /* answered when the run ended */
        if (e->ev.status == STATUS_OK) {
            l->burying->has_letter = true;
            if (l->is_stale)
                l->burying->stale_since = l->token.since;
            else
                l->burying->is_buried = true;
            s->dead++;
        }
        l->burying = NULL;
        l->quiet_at = s->now;
    }
    worker_step(s, w, e->ev);
}

/* ---- the handler: one message after the other */

static void begin(struct sim *s, struct worker *w, uint32_t part)
{
    struct lane_sim *l = &w->lane[part];
    struct event e = event_of(w, EV_HANDLED, part);
    struct msg *m;

    if (l->is_busy || l->queued == 0)
        return;
    m = l->queue[0].msg;
    l->is_busy = true;
    e.n = l->work = ++s->work;
    tell(s, "p%u: w%u begins %llu#%u", part, w->number, ull(m->position),
         l->queue[0].attempt);
    if (!l->is_stale)
        judge_begin(s, w, m);
    s->handled++;
    if (m->kind == HANGING && m->naks_left > 0) {
        m->naks_left--;
        return; /* until it is cancelled */
    }
    push(s, pick(s, 100) < 95 ? pick(s, 20) : pick(s, 600), &e);
}

static void shift(struct lane_sim *l)
{
    l->queued--;
    for (uint32_t i = 0; i < l->queued; i++)
        l->queue[i] = l->queue[i + 1];
}

static void answer(struct sim *s, struct worker *w, uint32_t part,
                   const struct delivery *d, enum consume_verdict verdict, uint64_t after)
{
    struct event e = event_of(w, EV_VERDICT, part);

    e.ev.type = CONSUME_VERDICT;
    e.ev.run = d->run;
    e.ev.position = d->msg->position;
    e.ev.attempt = d->attempt;
    e.ev.verdict = verdict;
    e.ev.delay_ms = verdict == VERDICT_NAK && chance(s, 20) ? 1 + pick(s, 200) : 0;
    push(s, after, &e);
}

static enum consume_verdict outcome(struct msg *m)
{
    switch (m->kind) {
    case PLAIN:
    case HANGING:
    case KILLER: return VERDICT_ACK;
    case FLAKY:
        if (m->naks_left == 0)
            return VERDICT_ACK;
        m->naks_left--;
        return VERDICT_NAK;
    case POISON: return VERDICT_NAK;
    case TERMED: return VERDICT_TERM;
    }
    return VERDICT_ACK;
}

void worker_handled(struct sim *s, struct worker *w, uint32_t part, uint64_t work)
{
    struct lane_sim *l = &w->lane[part];
    struct delivery d = l->queue[0];
    enum consume_verdict verdict;

    if (!l->is_busy || l->work != work)
        return;          /* cancelled */
    if (chance(s, 10)) { /* it takes longer, and says so */
        struct event e = event_of(w, EV_HANDLED, part);

        e.n = work;
        answer(s, w, part, &d, VERDICT_PROGRESS, 0);
        push(s, 1 + pick(s, 300), &e);
        return;
    }
    if (d.msg->kind == KILLER) {
        d.msg->kills++;
        tell(s, "p%u: %llu kills w%u", part, ull(d.msg->position), w->number);
        crash(s, w);
        return;
    }
    if (l->queued > 1 && chance(s, 15)) { /* what it has not looked at goes back */
        answer(s, w, part, &l->queue[1], VERDICT_RETURN, pick(s, 8));
        l->refused = l->queue[1].stretch;
        l->queued = 1;
    }
    verdict = outcome(d.msg);
    if (!l->is_stale)
        judge_end(s, w, d.msg);
    l->is_busy = false;
    l->quiet_at = s->now;
    shift(l);
    if (verdict == VERDICT_ACK) {
        if (l->is_stale)
            d.msg->stale_since = l->token.since;
        else
            d.msg->is_done = true;
        /* Now and then one ack for two. */
        if (l->queued == 0 || chance(s, 60))
            answer(s, w, part, &d, verdict, pick(s, 8));
        begin(s, w, part);
        return;
    }
    d.msg->unhappy++;
    d.msg->was_refused = d.msg->was_refused || verdict == VERDICT_TERM;
    l->queued = 0;
    l->refused = d.stretch;
    answer(s, w, part, &d, verdict, pick(s, 8));
}

static void cancel(struct sim *s, struct worker *w, uint32_t part)
{
    struct lane_sim *l = &w->lane[part];
    struct part *p = &s->part[part];
    struct consume_view view;

    /* A time-out counts against the first that the engine has no answer for. */
    consume_look(w->c, part, &view);
    for (uint32_t i = 0; i < p->n && !w->is_fencing; i++)
        if (p->msg[i]->position >= view.next &&
            p->msg[i]->given_since == l->token.since && p->msg[i]->given_run == l->run) {
            p->msg[i]->unhappy++;
            break;
        }
    if (l->is_busy) {
        l->cut_step = s->steps;
        if (!l->is_stale)
            judge_end(s, w, l->queue[0].msg);
        if (chance(s, 40)) /* somebody still answers for it */
            answer(s, w, part, &l->queue[0], VERDICT_ACK, pick(s, 2000));
    }
    l->is_busy = false;
    l->quiet_at = s->now;
    l->queued = 0;
    l->refused = l->stretch;
}

static void deliver(struct sim *s, struct worker *w, const struct consume_action *a)
{
    struct lane_sim *l = &w->lane[a->lane];
    struct msg *m = a->message;

    l->stretch = a->stretch;
    m->given_since = l->token.since;
    m->given_run = a->run;
    if (a->stretch <= l->refused)
        return;
    if (l->queued >= s->options.deliver_max &&
        (s->options.deliver_max > 1 || l->queued >= s->options.ahead_max)) {
        fail(s, "stretch: w%u: p%u has more than it may", w->number, a->lane);
        return;
    }
    l->queue[l->queued++] = (struct delivery){m, a->run, a->stretch, a->attempt};
    begin(s, w, a->lane);
}

/* ---- the engine */

static void perform(void *ctx, const struct consume_action *a)
{
    struct sim *s = world;
    struct worker *w = ctx;
    struct lane_sim *l = &w->lane[a->lane];

    switch (a->type) {
    case DO_READ:
    case DO_WRITE:
        if (!l->is_granted)
            fail(s, "fence: w%u writes or reads p%u, which it does not hold", w->number,
                 a->lane);
        store_request(s, w, a);
        break;
    case DO_START: start(s, w, a); break;
    case DO_CREDIT:
        must(l->is_running && a->run == l->run);
        l->credit += a->n;
        w->credit += a->n;
        judge_room(s, w);
        pump_soon(s, w, a->lane);
        break;
    case DO_DELIVER: deliver(s, w, a); break;
    case DO_CANCEL: cancel(s, w, a->lane); break;
    case DO_BURY: bury(s, w, a); break;
    case DO_DONE:
        if (!l->is_stale && s->part[a->lane].record.next < a->position &&
            s->part[a->lane].record.origin == l->origin && !l->is_void)
            fail(s, "done: p%u: %llu is not durable", a->lane, ull(a->position));
        break;
    case DO_STOP: stop(s, w, a->lane); break;
    case DO_FORGET: w->held_messages--; break;
    case DO_CLEAR:
        if (!l->is_stale)
            judge_clear(s, w, a->lane);
        l->is_granted = l->is_revoked = false;
        if (s->part[a->lane].holder == w->number &&
            s->part[a->lane].holder_life == w->life)
            free_part(s, a->lane, pick(s, 20));
        break;
    case DO_SAY:
        tell(s, "p%u: w%u says %d: %s", a->lane, w->number, a->code, a->text);
        break;
    }
}

void worker_start(struct sim *s, struct worker *w)
{
    size_t size = consume_size(&s->options);

    w->memory = calloc(1, size);
    must(w->memory != NULL);
    must(consume_init(&w->c, w->memory, size, &s->options, perform, w) == STATUS_OK);
    w->is_up = true;
    w->must_fence = w->is_late = false;
    w->asleep_until = 0;
    w->tick_at = UINT64_MAX;
    w->life++;
    for (uint32_t i = 0; i < PARTS_MAX; i++)
        w->lane[i] = (struct lane_sim){.credit = 0};
    w->credit = 0;
}

void worker_stop(struct sim *s, struct worker *w)
{
    world = s;
    for (uint32_t i = 0; i < PARTS_MAX; i++)
        if (w->lane[i].is_busy && !w->lane[i].is_stale)
            judge_end(s, w, w->lane[i].queue[0].msg);
    consume_finish(w->c);
    if (w->held_messages != 0)
        fail(s, "forget: w%u keeps %u messages", w->number, w->held_messages);
    free(w->memory);
    w->memory = NULL;
    w->is_up = false;
}

void worker_step(struct sim *s, struct worker *w, struct consume_event ev)
{
    uint64_t deadline;

    world = s;
    s->steps++;
    ev.now_ms = s->now;
    consume_step(w->c, &ev);
    judge_deadline(s, w);
    deadline = consume_deadline_ms(w->c);
    if (deadline < w->tick_at) {
        struct event e = event_of(w, EV_TICK, 0);

        w->tick_at = deadline < s->now ? s->now : deadline;
        e.n = ++w->tick_n;
        push(s, w->tick_at - s->now, &e);
    }
}

void worker_fence(struct sim *s, struct worker *w)
{
    tell(s, "w%u is fenced", w->number);
    s->fences++;
    w->must_fence = w->is_late = false;
    w->is_fencing = true;
    worker_step(s, w, (struct consume_event){.type = CONSUME_FENCE});
    w->is_fencing = false;
    for (uint32_t i = 0; i < s->parts; i++) {
        struct lane_sim *l = &w->lane[i];

        if (l->is_busy || l->is_running)
            fail(s, "fence: w%u goes on with p%u", w->number, i);
        l->is_granted = l->is_revoked = l->is_stale = false;
        if (s->part[i].is_held && s->part[i].holder == w->number &&
            s->part[i].holder_life == w->life)
            free_part(s, i, 1 + pick(s, 20));
    }
}
