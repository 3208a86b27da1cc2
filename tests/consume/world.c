/* What happens to the workers: grants, revokes, crashes, pauses; what is published. */
#include "sim.h"

#include "base/must.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

uint64_t pick(struct sim *s, uint64_t below)
{
    return rand_below(&s->rand, below);
}

bool chance(struct sim *s, uint32_t percent)
{
    return pick(s, 100) < percent;
}

void tell(struct sim *s, const char *format, ...)
{
    va_list list;

    if (!s->is_told)
        return;
    va_start(list, format);
    (void)printf("%8llu ", (unsigned long long)s->now);
    (void)vprintf(format, list);
    (void)printf("\n");
    va_end(list);
}

/* ---- the heap of events: by time, then as they were pushed */

static bool before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void push(struct sim *s, uint64_t after_ms, const struct event *e)
{
    uint32_t at = s->heap_n++;
    struct event mine = *e;

    must(s->heap_n <= HEAP_MAX);
    mine.at = s->now + after_ms;
    mine.seq = s->seq++;
    while (at > 0 && before(&mine, &s->heap[(at - 1) / 2])) {
        s->heap[at] = s->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    s->heap[at] = mine;
}

bool pop(struct sim *s, struct event *ret)
{
    uint32_t at = 0;
    struct event last;

    if (s->heap_n == 0)
        return false;
    *ret = s->heap[0];
    last = s->heap[--s->heap_n];
    for (;;) {
        uint32_t down = 2 * at + 1;

        if (down >= s->heap_n)
            break;
        if (down + 1 < s->heap_n && before(&s->heap[down + 1], &s->heap[down]))
            down++;
        if (!before(&s->heap[down], &last))
            break;
        s->heap[at] = s->heap[down];
        at = down;
    }
    s->heap[at] = last;
    return true;
}

/* ---- the broker */

static enum kind kind_of(struct sim *s)
{
    uint64_t x = pick(s, 1000);
    bool has_limit = s->options.attempts_max > 0 && s->options.has_dead_letter;

    if (x < 30)
        return FLAKY;
    if (x < 40)
        return HANGING;
    if (x < 50 && s->options.has_dead_letter)
        return TERMED;
    if (x < 62 && has_limit)
        return POISON;
    return x < 66 && has_limit ? KILLER : PLAIN;
}

void publish(struct sim *s, uint32_t part)
{
    struct part *p = &s->part[part];
    struct msg *m;

    if (p->n == MESSAGES_MAX || p->to_publish == 0 ||
        s->all_n == sizeof s->all / sizeof *s->all) {
        p->to_publish = 0;
        return;
    }
    m = calloc(1, sizeof *m);
    must(m != NULL);
    p->to_publish--;
    p->last_position += 1 + (chance(s, 30) ? pick(s, 5) : 0); /* gaps */
    *m = (struct msg){.position = p->last_position,
                      .origin = p->origin,
                      .part = part,
                      .kind = kind_of(s),
                      .naks_left = 1 + (uint32_t)pick(s, 2)};
    p->msg[p->n++] = m;
    s->all[s->all_n++] = m;
    tell(s, "p%u: %llu is published, kind %d", part, (unsigned long long)m->position,
         (int)m->kind);
    for (uint32_t i = 0; i < WORKERS; i++)
        pump_soon(s, &s->worker[i], part);
}

/* The oldest messages fall to a limit. */
static void remove_oldest(struct sim *s, uint32_t part)
{
    struct part *p = &s->part[part];
    uint64_t n = 1 + pick(s, 5);

    for (uint32_t i = 0; i < p->n && n > 0; i++)
        if (!p->msg[i]->is_gone) {
            p->msg[i]->is_gone = true;
            n--;
        }
    tell(s, "p%u: the oldest are removed", part);
}

/* Deleted and made again: another life, other messages. */
static void recreate(struct sim *s, uint32_t part)
{
    struct part *p = &s->part[part];

    if (s->recreated++ >= 3)
        return;
    tell(s, "p%u: is made anew", part);
    p->origin = ++s->origins;
    p->n = 0;
    p->last_position = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct worker *w = &s->worker[i];
        struct lane_sim *l = &w->lane[part];
        struct event e = {.what = EV_BEGUN, .worker = i, .life = w->life, .part = part};

        l->is_void = true;
        if (!w->is_up || !l->is_running)
            continue;
        l->has_begun = false;
        l->origin = p->origin;
        l->cursor = 1;
        e.ev = (struct consume_event){.type = CONSUME_BEGUN,
                                      .lane = part,
                                      .run = l->run,
                                      .origin = p->origin,
                                      .position = 1};
        push(s, 1 + pick(s, 30), &e);
    }
}

/* ---- the authority */

void free_part(struct sim *s, uint32_t part, uint64_t after_ms)
{
    struct event e = {.what = EV_FREE,
                      .part = part,
                      .worker = s->part[part].holder,
                      .life = s->part[part].holder_life};

    push(s, after_ms, &e);
}

static void give_out(struct sim *s, const struct event *e)
{
    struct part *p = &s->part[e->part];
    struct worker *old = &s->worker[p->holder], *w;
    uint32_t first = (uint32_t)pick(s, WORKERS);

    if (p->holder != e->worker || p->holder_life != e->life)
        return; /* was given out meanwhile */
    if (p->is_held && old->is_up && old->life == p->holder_life) {
        struct lane_sim *l = &old->lane[e->part];

        if (l->is_granted && !l->is_stale) { /* it sleeps beyond its lease */
            l->is_stale = true;
            if (l->is_busy)
                judge_end(s, old, l->queue[0].msg);
        }
    }
    p->is_held = false;
    for (uint32_t i = 0; i < WORKERS; i++) {
        w = &s->worker[(first + i) % WORKERS];
        if (!w->is_up || w->must_fence || w->is_late || w->asleep_until > s->now ||
            w->lane[e->part].is_granted)
            continue;
        p->is_held = true;
        p->is_revoking = false;
        p->holder = w->number;
        p->holder_life = w->life;
        p->token = (struct consume_token){1, ++s->since};
        s->grants++;
        tell(s, "p%u: granted to w%u, since %llu", e->part, w->number,
             (unsigned long long)p->token.since);
        w->lane[e->part].is_granted = true;
        w->lane[e->part].is_revoked = w->lane[e->part].is_stale = false;
        w->lane[e->part].is_void = w->lane[e->part].has_begun = false;
        w->lane[e->part].token = p->token;
        worker_step(s, w,
                    (struct consume_event){
                        .type = CONSUME_GRANT, .lane = e->part, .token = p->token});
        return;
    }
    free_part(s, e->part, 300);
}

static void move(struct sim *s, uint32_t part)
{
    struct part *p = &s->part[part];
    struct worker *w = &s->worker[p->holder];
    struct lane_sim *l = &w->lane[part];

    if (!p->is_held || p->is_revoking || !l->is_granted || !w->is_up ||
        w->life != p->holder_life || w->asleep_until > s->now || w->must_fence ||
        w->is_late)
        return;
    p->is_revoking = true;
    l->is_revoked = true;
    l->quiet_at = s->now;
    l->deadline = s->now + (chance(s, 20) ? pick(s, 50) : 200 + pick(s, 1500));
    tell(s, "p%u: revoked from w%u", part, w->number);
    worker_step(s, w,
                (struct consume_event){
                    .type = CONSUME_REVOKE, .lane = part, .deadline_ms = l->deadline});
}

/* ---- faults */

void crash(struct sim *s, struct worker *w)
{
    struct event e = {.what = EV_RESTART, .worker = w->number, .life = w->life};

    tell(s, "w%u crashes", w->number);
    s->crashes++;
    worker_stop(s, w);
    for (uint32_t i = 0; i < s->parts; i++)
        if (s->part[i].is_held && s->part[i].holder == w->number &&
            s->part[i].holder_life == w->life)
            free_part(s, i, LEASE_MS);
    push(s, 100 + pick(s, 2000), &e);
}

static void sleep_long(struct sim *s, struct worker *w)
{
    struct event e = {.what = EV_FENCE, .worker = w->number, .life = w->life};

    w->asleep_until = s->now + LEASE_MS + 100 + pick(s, 4000);
    w->is_late = s->may_wake_late && chance(s, 50);
    w->must_fence = !w->is_late;
    tell(s, "w%u sleeps until %llu%s", w->number, (unsigned long long)w->asleep_until,
         w->is_late ? " and will be late" : "");
    for (uint32_t i = 0; i < s->parts; i++)
        if (s->part[i].is_held && s->part[i].holder == w->number &&
            s->part[i].holder_life == w->life)
            free_part(s, i, LEASE_MS);
    push(s, w->asleep_until - s->now + (w->is_late ? pick(s, 1500) : 0), &e);
}

static void fault(struct sim *s)
{
    struct worker *w = &s->worker[pick(s, WORKERS)];
    uint32_t part = (uint32_t)pick(s, s->parts);
    struct event e = {.what = EV_FAULT};
    uint64_t x = pick(s, 100);

    if (s->now >= FAULTS_MS) {
        s->fault_percent = 0;
        return;
    }
    push(s, 200 + pick(s, 2500), &e);
    if (s->may_remove && x >= 90) {
        remove_oldest(s, part);
    } else if (s->may_recreate && x >= 85) {
        recreate(s, part);
    } else if (!w->is_up || w->asleep_until > s->now || w->is_late) {
        return;
    } else if (x < 25) {
        crash(s, w);
    } else if (x < 40) {
        worker_fence(s, w);
    } else if (x < 50) {
        w->asleep_until = s->now + pick(s, LEASE_MS - 100);
    } else if (x < 72) {
        sleep_long(s, w);
    } else if (w->lane[part].is_running) {
        e = (struct event){.what = EV_TROUBLE,
                           .worker = w->number,
                           .life = w->life,
                           .part = part,
                           .ev = {.type = CONSUME_TROUBLE,
                                  .lane = part,
                                  .run = w->lane[part].run,
                                  .status = STATUS_DENIED}};
        push(s, 0, &e);
        e.ev.status = STATUS_OK;
        if (chance(s, 50))
            push(s, pick(s, 2000), &e);
    }
}

/* ---- the loop */

static void options(struct sim *s)
{
    static const uint64_t interval[] = {0, 20, 100, 500};

    s->options = (struct consume_options){
        .lanes_max = PARTS_MAX,
        .messages_max = 4 + (uint32_t)pick(s, 40),
        .lane_max = 1 + (uint32_t)pick(s, 8),
        .deliver_max = 1 + (uint32_t)pick(s, 3),
        .ahead_max = (uint32_t)pick(s, 8),
        .attempts_max = chance(s, 15) ? 0 : 3 + (uint32_t)pick(s, 3),
        .has_dead_letter = chance(s, 85),
        .handle_timeout_ms = 400,
        .retry_first_ms = pick(s, 20),
        .retry_max_ms = 100,
        .commit_interval_ms = interval[pick(s, 4)],
        .commit_messages = 1 + (uint32_t)pick(s, 10),
        .writes_max = 1 + (uint32_t)pick(s, 6)};
    s->parts = 2 + (uint32_t)pick(s, PARTS_MAX - 1);
    s->messages_each = 20 + (uint32_t)pick(s, 60);
    s->fault_percent = chance(s, 30) ? 0 : (uint32_t)pick(s, 25);
    s->is_store_sound = s->fault_percent == 0;
    s->may_remove = chance(s, 20);
    s->may_recreate = chance(s, 20);
    s->may_wake_late = chance(s, 50);
    s->is_latest = chance(s, 40);
}

static void prepare(struct sim *s)
{
    struct event e = {.what = EV_FAULT};

    push(s, 1000, &e);
    for (uint32_t i = 0; i < WORKERS; i++) {
        s->worker[i].number = i;
        worker_start(s, &s->worker[i]);
    }
    for (uint32_t i = 0; i < s->parts; i++) {
        s->part[i].origin = ++s->origins;
        s->part[i].to_publish = s->messages_each;
        s->part[i].holder = NOWHERE;
        free_part(s, i, pick(s, 50));
        e = (struct event){.what = EV_PUBLISH, .part = i};
        push(s, pick(s, 100), &e);
        e.what = EV_MOVE;
        push(s, 500 + pick(s, 4000), &e);
    }
}

/* Of the world; false: it is for a worker. */
static bool happen(struct sim *s, struct event *e)
{
    switch (e->what) {
    case EV_PUBLISH:
        publish(s, e->part);
        if (s->part[e->part].to_publish > 0)
            push(s, chance(s, 50) ? 0 : pick(s, 4 * FAULTS_MS / s->messages_each / 2), e);
        return true;
    case EV_MOVE:
        move(s, e->part);
        if (s->now < FAULTS_MS)
            push(s, 300 + pick(s, 4000), e);
        return true;
    case EV_FAULT: fault(s); return true;
    case EV_FREE: give_out(s, e); return true;
    case EV_RESTART: worker_start(s, &s->worker[e->worker]); return true;
    case EV_REQUEST: store_arrive(s, e); return true;
    case EV_FENCE:
    case EV_TICK:
    case EV_ANSWER:
    case EV_BEGUN:
    case EV_PUMP:
    case EV_BURIED:
    case EV_TROUBLE:
    case EV_HANDLED:
    case EV_VERDICT: return false;
    }
    return true;
}

/* A plugin that finds the record void remembers that until the run without a position. */
static void begins(struct lane_sim *l, uint64_t origin)
{
    l->has_begun = true;
    l->knows_void = l->asked != 0 && l->asked != origin;
    l->asked = origin;
}

static void to_worker(struct sim *s, const struct event *e)
{
    struct worker *w = &s->worker[e->worker];

    if (!w->is_up || w->life != e->life)
        return;
    if (w->asleep_until > s->now) {
        push(s, w->asleep_until - s->now, e);
        return;
    }
    if (w->must_fence)
        worker_fence(s, w); /* the first thing that it does when it wakes */
    if (e->what == EV_FENCE) {
        if (w->is_late)
            worker_fence(s, w);
    } else if (e->what == EV_TICK) {
        if (e->n != w->tick_n)
            return; /* another was set since */
        w->tick_at = UINT64_MAX;
        worker_step(s, w, (struct consume_event){.type = CONSUME_TICK});
    } else if (e->what == EV_PUMP) {
        worker_pump(s, w, e->part, e->ev.run);
    } else if (e->what == EV_HANDLED) {
        worker_handled(s, w, e->part, e->n);
    } else if (e->what == EV_BURIED) {
        worker_bury(s, w, e);
    } else {
        if (e->what == EV_BEGUN && w->lane[e->part].is_running &&
            w->lane[e->part].run == e->ev.run) {
            if (e->ev.origin != s->part[e->part].origin)
                return; /* the next word about this is on its way */
            begins(&w->lane[e->part], e->ev.origin);
        }
        worker_step(s, w, e->ev);
        if (e->what == EV_BEGUN)
            pump_soon(s, w, e->part);
    }
}

void sim_run(struct sim *s, uint64_t seed, bool is_told)
{
    struct event e;

    memset(s, 0, sizeof *s);
    s->seed = seed;
    s->is_told = is_told;
    rand_seed(&s->rand, seed);
    options(s);
    prepare(s);
    while (s->failure[0] == '\0' && pop(s, &e) && e.at < END_MS) {
        s->now = e.at;
        if (!happen(s, &e))
            to_worker(s, &e);
        if (s->now > FAULTS_MS && judge_is_all_done(s))
            break;
    }
    if (s->failure[0] == '\0')
        judge_last(s);
    for (uint32_t i = 0; i < WORKERS; i++)
        if (s->worker[i].is_up)
            worker_stop(s, &s->worker[i]);
    for (uint32_t i = 0; i < s->all_n; i++)
        free(s->all[i]);
}
