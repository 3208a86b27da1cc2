#include "sim.h"

#include "base/must.h"
#include "base/status.h"

#include "judge.h"

#include <stdio.h>
#include <string.h>

void sim_init(struct sim *s)
{
    sim_heap_init(&s->heap);
}

void sim_finish(struct sim *s)
{
    sim_end(s);
    sim_heap_finish(&s->heap);
}

void sim_begin(struct sim *s, uint64_t seed)
{
    s->seed = seed;
    s->now_us = 0;
    s->wall_s = 1700000000;
    rand_seed(&s->rand, seed * 2);
    rand_seed(&s->fault, seed * 2 + 1);
    s->knobs = (struct sim_knobs){.log_timeout_us = SIM_S};
    s->ownership = OWNERSHIP_STRICT;
    s->id_max = 31;
    s->is_split = false;
    s->lives = 0;
    s->script = NULL;
    s->script_data = NULL;
    s->steps = 0;
    s->fences = 0;
    s->trace_hash = 0;
    s->is_failed = false;
    s->failed_us = 0;
    s->invariant[0] = '\0';
    s->failure[0] = '\0';
    for (uint32_t i = 0; i < PROCS_MAX; i++) {
        s->proc[i] = (struct proc){.slot = i, .wake_us = UINT64_MAX};
        s->id_room[i] = s->part_room[i] = 0;
    }
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++) {
        s->part_present[i] = false;
        s->part_weight[i] = 100;
    }
}

void sim_end(struct sim *s)
{
    for (uint32_t i = 0; i < PROCS_MAX; i++)
        proc_crash(s, &s->proc[i]);
    sim_heap_clear(&s->heap);
    sim_log_clear(s);
}

void sim_fail(struct sim *s, const char *invariant, const char *format, ...)
{
    va_list args;

    if (s->is_failed)
        return;
    s->is_failed = true;
    s->failed_us = s->now_us;
    snprintf(s->invariant, sizeof s->invariant, "%s", invariant);
    va_start(args, format);
    vsnprintf(s->failure, sizeof s->failure, format, args);
    va_end(args);
    sim_tell(s, "judge", "%s is broken: %s", invariant, s->failure);
}

void sim_tell(struct sim *s, const char *name, const char *format, ...)
{
    char text[600];
    char line[700];
    va_list args;

    if (s->tell == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(line, sizeof line, "[%6llu] %s > %s", (unsigned long long)sim_now_ms(s),
             name, text);
    s->tell(s->tell_data, line);
}

void sim_push(struct sim *s, struct proc *p, uint64_t at_us, struct sim_event ev)
{
    ev.at_us = at_us;
    ev.slot = p->slot;
    ev.life = p->life;
    sim_heap_push(&s->heap, &ev);
}

/* ---- handing events to nodes */

static void feed_message(struct sim *s, struct proc *p, const struct sim_event *ev)
{
    struct event in = {.type = EV_MESSAGE};

    if (!sim_net_may_arrive(s, p, (uint32_t)ev->a))
        return;
    in.message.data = ev->blob->data;
    in.message.n = ev->blob->n;
    proc_feed(s, p, &in);
}

static void feed_log(struct sim *s, struct proc *p, const struct sim_event *ev)
{
    uint64_t op = ev->a & ((UINT64_C(1) << 56) - 1);
    struct event in = {.type = (enum event_type)(ev->a >> 56)};
    bool is_refused = ev->status == STATUS_LIMIT || ev->status == STATUS_OFFLINE;

    if (ev->status != STATUS_TIMEOUT && !is_refused && !p->link_up)
        return;
    if (!is_refused && !sim_log_settle(p, op))
        return;
    in.log.op = op;
    in.log.status = ev->status;
    in.log.seq = ev->b;
    if (ev->blob != NULL) {
        in.log.data = ev->blob->data;
        in.log.n = ev->blob->n;
    }
    proc_feed(s, p, &in);
}

static void feed_listed(struct sim *s, struct proc *p, const struct sim_event *ev)
{
    struct bytes id[SIM_PARTS_MAX];
    uint32_t weight[SIM_PARTS_MAX];
    struct event in = {.type = EV_LISTED};
    uint32_t n = 0;

    if (ev->status != STATUS_OK) {
        in.type = EV_LIST_FAILED;
        proc_feed(s, p, &in);
        return;
    }
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        if (s->part_present[i]) {
            id[n] = sim_part_id(i);
            weight[n++] = s->part_weight[i];
        }
    in.listed.n = n;
    in.listed.id = id;
    in.listed.weight = weight;
    in.listed.commanded = ev->a != 0;
    proc_feed(s, p, &in);
}

static void feed_planned(struct sim *s, struct proc *p, const struct sim_event *ev)
{
    struct event in = {.type = EV_PLANNED};

    in.planned.plan = ev->a;
    in.planned.status = ev->status;
    in.planned.keep = ev->b != 0;
    if (ev->status == STATUS_OK && ev->b == 0) {
        in.planned.owner = (const uint32_t *)ev->blob->data;
        in.planned.n = (uint32_t)(ev->blob->n / sizeof(uint32_t));
    }
    proc_feed(s, p, &in);
}

static void feed_link(struct sim *s, struct proc *p, bool is_up)
{
    struct event in = {.type = EV_LINK};

    in.link.up = is_up;
    proc_feed(s, p, &in);
}

static void feed_small(struct sim *s, struct proc *p, const struct sim_event *ev)
{
    struct event in = {.type = EV_REFRESH};

    if (ev->kind == SIM_RELEASED) {
        in.type = EV_RELEASED;
        in.released.epoch = ev->a;
        sim_app_released(s, p, ev->a);
    } else if (ev->kind == SIM_STOP) {
        in.type = EV_STOP;
        in.stop.restart = ev->a != 0;
    }
    proc_feed(s, p, &in);
}

static void feed(struct sim *s, struct proc *p, const struct sim_event *ev)
{
    switch (ev->kind) {
    case SIM_DELIVER: feed_message(s, p, ev); break;
    case SIM_LOG_ANSWER: feed_log(s, p, ev); break;
    case SIM_LISTED: feed_listed(s, p, ev); break;
    case SIM_PLANNED: feed_planned(s, p, ev); break;
    case SIM_LINK: feed_link(s, p, ev->a != 0); break;
    case SIM_RELEASED:
    case SIM_STOP:
    case SIM_REFRESH: feed_small(s, p, ev); break;
    case SIM_LOG_REQUEST:
    case SIM_RESUME:
    case SIM_KILL:
    case SIM_SCRIPT: must(!"an event for a node"); break;
    }
}

static void park(struct sim *s, struct proc *p, int32_t index)
{
    struct sim_event *event = s->heap.event;

    if (event[index].kind == SIM_DELIVER && p->parked_n >= PARKED_MAX) {
        sim_heap_free(&s->heap, index);
        return;
    }
    event[index].next = SIM_NONE;
    if (p->parked_last == SIM_NONE)
        p->parked_first = index;
    else
        event[p->parked_last].next = index;
    p->parked_last = index;
    p->parked_n++;
}

static void wake(struct sim *s, struct proc *p)
{
    struct event in = {.type = EV_TIME};

    p->wake_us = UINT64_MAX;
    proc_feed(s, p, &in);
}

/* A process that goes on finds its timer and its inbox full, in either order. */
static void resume(struct sim *s, struct proc *p)
{
    uint32_t life = p->life;

    if (p->state != PROC_PAUSED)
        return;
    p->state = PROC_RUNNING;
    if (sim_chance(&s->rand, 500000))
        wake(s, p);
    while (p->state == PROC_RUNNING && p->life == life && p->parked_first != SIM_NONE &&
           !s->is_failed) {
        int32_t index = p->parked_first;
        struct sim_event ev = s->heap.event[index];
        p->parked_first = ev.next;
        if (p->parked_first == SIM_NONE)
            p->parked_last = SIM_NONE;
        p->parked_n--;
        feed(s, p, &ev);
        sim_heap_free(&s->heap, index);
    }
    if (p->state == PROC_RUNNING && p->life == life)
        wake(s, p);
}

static void dispatch(struct sim *s, int32_t index)
{
    struct sim_event ev = s->heap.event[index]; /* a copy: the slab may move */
    struct proc *p = &s->proc[ev.slot];

    if (ev.kind == SIM_LOG_REQUEST) {
        sim_log_arrive(s, &ev);
    } else if (ev.kind == SIM_SCRIPT) {
        s->script(s, ev.a, ev.b);
    } else if (!proc_is_live(p) || p->life != ev.life) {
        ; /* its process is gone */
    } else if (ev.kind == SIM_RESUME) {
        resume(s, p);
    } else if (ev.kind == SIM_KILL) {
        proc_crash(s, p);
    } else {
        if (ev.kind == SIM_LINK)
            p->link_up = ev.a != 0;
        if (p->state == PROC_PAUSED) {
            park(s, p, index);
            return;
        }
        feed(s, p, &ev);
    }
    sim_heap_free(&s->heap, index);
}

void sim_run(struct sim *s, uint64_t until_us)
{
    while (!s->is_failed) {
        uint64_t next_us = sim_heap_next_us(&s->heap);
        struct proc *first = NULL;
        for (uint32_t i = 0; i < PROCS_MAX; i++)
            if (s->proc[i].wake_us < next_us) {
                next_us = s->proc[i].wake_us;
                first = &s->proc[i];
            }
        if (next_us > until_us)
            break;
        must(next_us >= s->now_us);
        s->now_us = next_us;
        if (first != NULL)
            wake(s, first);
        else
            dispatch(s, sim_heap_pop(&s->heap));
    }
    if (!s->is_failed)
        s->now_us = until_us;
}
