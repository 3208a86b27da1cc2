/* A simulated process: its clock, its node, and the carrying out of what that asks. */
#include "sim.h"

#include "base/hash.h"
#include "base/must.h"
#include "base/status.h"

#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPIN_MAX = 5000,       /* steps of one process within one of its milliseconds */
    LEAVE_US = 15 * SIM_S, /* then it is killed */
    RECORD_MAX = 16 * 1024
};

static uint64_t local_us(const struct sim_clock *c, uint64_t true_us)
{
    int64_t skew = (int64_t)true_us * c->rate_ppm / 1000000;

    return c->off_us + true_us + (uint64_t)skew;
}

uint64_t proc_local_ms(const struct proc *p, uint64_t true_us)
{
    return local_us(&p->clock, true_us) / SIM_MS;
}

uint64_t proc_true_us(const struct proc *p, uint64_t local_ms)
{
    const struct sim_clock *c = &p->clock;

    if (local_ms > UINT64_MAX / 4 / SIM_MS)
        return UINT64_MAX;
    uint64_t want = local_ms * SIM_MS;
    if (want <= c->off_us)
        return 0;
    int64_t since = (int64_t)(want - c->off_us);
    uint64_t t = (uint64_t)(since * 1000000 / (1000000 + c->rate_ppm));
    while (t > 0 && local_us(c, t) >= want)
        t--;
    while (local_us(c, t) < want)
        t++;
    return t;
}

static void arm(struct sim *s, struct proc *p)
{
    uint64_t deadline_ms = node_deadline_ms(p->node);
    uint64_t us = deadline_ms == UINT64_MAX ? UINT64_MAX : proc_true_us(p, deadline_ms);

    if (us == UINT64_MAX) {
        p->wake_us = UINT64_MAX;
        return;
    }
    if (us < s->now_us)
        us = s->now_us;
    if (s->knobs.wake_late_us > 0)
        us += rand_below(&s->rand, s->knobs.wake_late_us);
    p->wake_us = us;
}

static void mix(struct sim *s, uint64_t x)
{
    s->trace_hash = (s->trace_hash ^ x) * UINT64_C(0x9e3779b97f4a7c15);
    s->trace_hash ^= s->trace_hash >> 29;
}

static void mix_action(struct sim *s, const struct action *a)
{
    mix(s, a->type);
    if (a->type == ACT_SEND)
        mix(s, a->send.addr ^ hash_bytes(a->send.data, a->send.n));
    else if (a->type == ACT_LOG_WRITE)
        mix(s, a->log.expect_seq ^ hash_bytes(a->log.data, a->log.n));
    else if (a->type == ACT_HOLD)
        mix(s, a->hold.until_ms);
}

static void perform(struct sim *s, struct proc *p, const struct action *a)
{
    switch (a->type) {
    case ACT_SEND:
        judge_send(s, p, a);
        sim_net_send(s, p, a->send.addr, a->send.data, a->send.n);
        break;
    case ACT_LOG_INFO:
    case ACT_LOG_READ: sim_log_ask(s, p, a); break;
    case ACT_LOG_WRITE:
        judge_write(s, p, a);
        sim_log_ask(s, p, a);
        break;
    case ACT_TRACE: sim_tell(s, p->name, "%s", a->trace); break;
    case ACT_STOPPED: proc_crash(s, p); break;
    case ACT_LIST:
    case ACT_PLAN:
    case ACT_HOLD:
    case ACT_GRANTED:
    case ACT_REVOKING:
    case ACT_RELEASED:
    case ACT_FENCED: sim_app_perform(s, p, a); break;
    case ACT_STATE:
    case ACT_LEAD:
    case ACT_LEADER:
    case ACT_ID:
    case ACT_REFRESHED: break;
    case ACT_ERROR: judge_error(s, p, a->error.code); break;
    }
}

void proc_feed(struct sim *s, struct proc *p, struct event *ev)
{
    ev->now_ms = proc_local_ms(p, s->now_us);
    ev->wall_s = s->wall_s + s->now_us / SIM_S;
    if (ev->now_ms != p->spin_ms) {
        p->spin_ms = ev->now_ms;
        p->spin_n = 0;
    } else if (++p->spin_n > SPIN_MAX) {
        sim_fail(s, "SPIN", "%s takes more than %d steps within a millisecond", p->name,
                 SPIN_MAX);
        return;
    }
    node_step(p->node, ev, &s->out);
    s->steps++;
    node_look(p->node, &p->view);
    mix(s, ev->now_ms << 20 | (uint64_t)p->slot << 8 | ev->type);
    judge_step(s, p, ev, &s->out);
    for (uint32_t i = 0; i < s->out.n && !s->is_failed; i++) {
        mix_action(s, &s->out.v[i]);
        perform(s, p, &s->out.v[i]);
        if (!proc_is_live(p))
            return;
    }
    if (p->stall_us > 0) {
        proc_pause(s, p, p->stall_us, false);
        p->stall_us = 0;
    }
    if (p->state == PROC_RUNNING)
        arm(s, p);
}

static void first_steps(struct sim *s, struct proc *p)
{
    struct event ev = {.type = EV_TIME};

    proc_feed(s, p, &ev);
    sim_push(s, p, s->now_us + s->knobs.delay_us,
             (struct sim_event){.kind = SIM_LINK, .a = 1});
}

void proc_start(struct sim *s, uint32_t slot, int64_t wish, const char *name)
{
    struct proc *p = &s->proc[slot];
    uint32_t life = p->life + 1;
    struct rand_state *r = &s->rand;

    must(p->state == PROC_NONE);
    *p = (struct proc){.state = PROC_RUNNING,
                       .slot = slot,
                       .life = life,
                       .born_us = s->now_us,
                       .wake_us = UINT64_MAX,
                       .parked_first = SIM_NONE,
                       .parked_last = SIM_NONE};
    must((size_t)snprintf(p->name, sizeof p->name, "%s", name) < sizeof p->name);
    s->lives++;
    /* Two clocks differ in rate by at most the drift: each by half of it. */
    int64_t half = (int64_t)s->timing.clock_drift_ppm / 2;
    bool is_extreme = half > 0 && sim_chance(r, 500000);
    p->clock.rate_ppm = (int64_t)(is_extreme ? 2 * (uint64_t)half * rand_below(r, 2)
                                             : sim_between(r, 0, 2 * (uint64_t)half)) -
                        half;
    p->clock.off_us = sim_between(r, 0, s->knobs.clock_spread_us);
    uint32_t id_max = s->id_room[slot] > 0 ? s->id_room[slot] - 1 : s->id_max;
    uint32_t parts_max = s->part_room[slot] > 0 ? s->part_room[slot] : SIM_PARTS_MAX;
    p->conf = (struct node_conf){
        .timing = s->timing,
        .ownership = s->ownership,
        .id_prefix = "worker",
        .id_max = id_max,
        .id_wish = wish,
        .host = "host",
        .pid = s->lives,
        .capacity = 100,
        .zone = "",
        .strategy = "sim",
        .addr = s->lives,
        .entropy = {rand_next(r), rand_next(r), rand_next(r), rand_next(r)},
        .members_max = id_max + 1,
        .parts_max = parts_max,
        .record_max = RECORD_MAX,
        .chunk_max = RECORD_MAX,
        .is_traced = s->tell != NULL,
    };
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        p->app.part[i].fence_ms = UINT64_MAX;
    p->memory_n = node_size(&p->conf);
    p->memory = calloc(1, p->memory_n);
    must(p->memory != NULL);
    p->node = node_init(p->memory, p->memory_n, &p->conf);
    first_steps(s, p);
}

static void drop_parked(struct sim *s, struct proc *p)
{
    while (p->parked_first != SIM_NONE) {
        int32_t index = p->parked_first;
        p->parked_first = s->heap.event[index].next;
        sim_heap_free(&s->heap, index);
    }
    p->parked_last = SIM_NONE;
    p->parked_n = 0;
}

void proc_crash(struct sim *s, struct proc *p)
{
    if (p->state == PROC_NONE)
        return;
    judge_gone(s, p);
    drop_parked(s, p);
    free(p->memory);
    p->memory = NULL;
    p->node = NULL;
    p->state = PROC_NONE;
    p->wake_us = UINT64_MAX;
    p->stall_us = 0;
    p->op_n = 0;
}

void proc_pause(struct sim *s, struct proc *p, uint64_t for_us, bool in_step)
{
    if (p->state != PROC_RUNNING)
        return;
    if (in_step) {
        p->stall_us = for_us;
        return;
    }
    p->state = PROC_PAUSED;
    p->wake_us = UINT64_MAX;
    sim_push(s, p, s->now_us + for_us, (struct sim_event){.kind = SIM_RESUME});
}

void proc_stop(struct sim *s, struct proc *p, bool restart)
{
    if (!proc_is_live(p) || p->is_leaving)
        return;
    p->is_leaving = true;
    sim_push(s, p, s->now_us, (struct sim_event){.kind = SIM_STOP, .a = restart});
    sim_push(s, p, s->now_us + LEAVE_US, (struct sim_event){.kind = SIM_KILL});
}

void proc_link(struct sim *s, struct proc *p, bool is_up)
{
    if (proc_is_live(p))
        sim_push(s, p, s->now_us, (struct sim_event){.kind = SIM_LINK, .a = is_up});
}
