/* What stands around a node in its process: the application, the source, the strategy.
 *
 * The application believes what a real one may believe: it works on what it was
 * granted, while its own clock is before the last ACT_HOLD, until it has been told to
 * stop and has stopped.
 */
#include "sim.h"

#include "base/must.h"
#include "base/status.h"

#include "judge.h"

#include <stdio.h>
#include <string.h>

bool sim_app_holds(const struct sim *s, const struct proc *p, uint32_t i)
{
    const struct app_part *part = &p->app.part[i];

    if (!proc_is_live(p) || !part->is_held)
        return false;
    uint64_t now_ms = proc_local_ms(p, s->now_us);
    return now_ms < p->app.until_ms && now_ms < part->fence_ms;
}

uint32_t sim_app_held(const struct sim *s, const struct proc *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        n += sim_app_holds(s, p, i) ? 1 : 0;
    return n;
}

/* "app: WHAT 0 1 7 (epoch 5)": the numbers of the partitions. */
static void tell_parts(struct sim *s, const struct proc *p, const char *what,
                       const struct action *a)
{
    char text[300] = "";
    size_t used = 0;

    if (s->tell == NULL)
        return;
    for (uint32_t k = 0; k < a->parts.n && used < sizeof text - 16; k++) {
        struct bytes id = a->parts.part[k].id;
        size_t prefix = sizeof "orders"; /* the name and the NUL behind it */
        used += (size_t)snprintf(text + used, sizeof text - used, " %.*s",
                                 (int)(id.n - prefix), id.at + prefix);
    }
    sim_tell(s, p->name, "app: %s%s (epoch %llu)", what, text,
             (unsigned long long)a->parts.epoch);
}

static void granted(struct sim *s, struct proc *p, const struct action *a)
{
    tell_parts(s, p, "takes", a);
    for (uint32_t k = 0; k < a->parts.n; k++) {
        const struct part_view *v = &a->parts.part[k];
        uint32_t i = sim_part_find(v->id);
        if (i == SIM_PARTS_MAX) {
            sim_fail(s, "I2", "%s was granted a partition that nobody listed", p->name);
            return;
        }
        judge_granted(s, p, i, v);
        p->app.part[i] = (struct app_part){
            .is_held = true, .gen = v->gen, .since = v->since, .fence_ms = UINT64_MAX};
    }
}

static uint64_t drain_us(struct sim *s, const struct proc *p)
{
    const struct sim_knobs *k = &s->knobs;

    if (p->app.drain_us > 0)
        return p->app.drain_us;
    if (sim_chance(&s->rand, k->drain_long_ppm))
        return rand_below(&s->rand, k->drain_long_us + 1);
    return k->drain_us > 0 ? rand_below(&s->rand, k->drain_us) : 0;
}

static void revoking(struct sim *s, struct proc *p, const struct action *a)
{
    tell_parts(s, p, "must stop", a);
    for (uint32_t k = 0; k < a->parts.n; k++) {
        uint32_t i = sim_part_find(a->parts.part[k].id);
        must(i < SIM_PARTS_MAX);
        judge_revoking(s, p, i);
        p->app.part[i].is_stopping = true;
        p->app.part[i].revoke_epoch = a->parts.epoch;
    }
    /* What was revoked earlier has stopped, too, when this one's end is told. */
    uint64_t done_us = s->now_us + drain_us(s, p);
    if (done_us < p->app.drain_until_us)
        done_us = p->app.drain_until_us;
    p->app.drain_until_us = done_us;
    sim_push(s, p, done_us,
             (struct sim_event){.kind = SIM_RELEASED, .a = a->parts.epoch});
}

void sim_app_released(struct sim *s, struct proc *p, uint64_t epoch)
{
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++) {
        struct app_part *part = &p->app.part[i];
        if (part->is_stopping && part->revoke_epoch <= epoch) {
            judge_stopped(s, p, i);
            *part = (struct app_part){.fence_ms = UINT64_MAX};
        }
    }
}

static void fenced(struct proc *p, uint64_t at_ms)
{
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++) {
        struct app_part *part = &p->app.part[i];
        if (part->is_held && at_ms < part->fence_ms)
            part->fence_ms = at_ms;
    }
}

static void list(struct sim *s, struct proc *p, bool is_commanded)
{
    bool fails = sim_chance(&s->rand, s->knobs.list_fail_ppm);
    uint64_t us = s->knobs.list_us;

    if (us > 0)
        us += rand_below(&s->rand, us);
    sim_push(s, p, s->now_us + us,
             (struct sim_event){.kind = SIM_LISTED,
                                .a = is_commanded,
                                .status = fails ? STATUS_IO : STATUS_OK});
}

/* The answer is computed now, for the question is borrowed, and told later. */
static void plan(struct sim *s, struct proc *p, const struct plan_request *r)
{
    const struct sim_knobs *k = &s->knobs;
    struct blob *b = blob_create(&s->heap, r->part_n * sizeof(uint32_t));
    uint64_t us = k->plan_us;
    struct sim_event ev = {.kind = SIM_PLANNED, .a = r->plan, .blob = b};

    sim_plan_make(r, (uint32_t *)b->data);
    if (us > 0)
        us += rand_below(&s->rand, us);
    if (sim_chance(&s->rand, k->plan_late_ppm))
        us += rand_below(&s->rand, 15 * SIM_S);
    if (sim_chance(&s->rand, k->plan_fail_ppm))
        ev.status = STATUS_TIMEOUT;
    else if (sim_chance(&s->rand, k->plan_keep_ppm))
        ev.b = 1;
    judge_planned(s, ev.b != 0);
    sim_push(s, p, s->now_us + us, ev);
}

void sim_app_perform(struct sim *s, struct proc *p, const struct action *a)
{
    switch (a->type) {
    case ACT_LIST: list(s, p, a->list.commanded); break;
    case ACT_PLAN: plan(s, p, a->plan); break;
    case ACT_HOLD:
        judge_hold(s, p, a->hold.until_ms);
        p->app.until_ms = a->hold.until_ms;
        if (s->tells_leases)
            sim_tell(s, p->name, "app: may hold until %llu",
                     (unsigned long long)a->hold.until_ms);
        break;
    case ACT_GRANTED: granted(s, p, a); break;
    case ACT_REVOKING: revoking(s, p, a); break;
    case ACT_RELEASED:
        tell_parts(s, p, "has stopped", a);
        for (uint32_t k = 0; k < a->parts.n; k++)
            judge_released(s, p, sim_part_find(a->parts.part[k].id));
        break;
    case ACT_FENCED:
        fenced(p, a->fenced.at_ms);
        s->fences++;
        break;
    case ACT_SEND:
    case ACT_LOG_INFO:
    case ACT_LOG_READ:
    case ACT_LOG_WRITE:
    case ACT_STATE:
    case ACT_LEAD:
    case ACT_LEADER:
    case ACT_ID:
    case ACT_REFRESHED:
    case ACT_ERROR:
    case ACT_STOPPED:
    case ACT_TRACE: break;
    }
}
