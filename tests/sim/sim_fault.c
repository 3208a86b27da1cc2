#include "sim_fault.h"

#include "sim_mood.h"

#include "base/must.h"

#include <stdio.h>

enum { YOUNG_SEQ = 64 };

enum fault_kind {
    FAULT_START,
    FAULT_STOP,
    FAULT_RESTART,
    FAULT_CRASH,
    FAULT_CRASH_BACK,
    FAULT_PAUSE,
    FAULT_STALL,
    FAULT_CUT,
    FAULT_UNPLUG,
    FAULT_SPLIT,
    FAULT_LOG_DOWN,
    FAULT_WEATHER,
    FAULT_LIST,
    FAULT_REFRESH,
    FAULT_MASS_CRASH,
    FAULT_MASS_START,
    FAULT_LOG_BACK,
    FAULT_LOG_LOST,
    FAULT_KINDS
};

/* What a SIM_SCRIPT event means: a. */
enum script {
    SCRIPT_FAULT, /* time for the next one */
    SCRIPT_START, /* b: slot and wish */
    SCRIPT_HEAL,  /* b: slot and life: cuts end */
    SCRIPT_PLUG,  /* b: slot and life: the connection is back */
    SCRIPT_UNSPLIT,
    SCRIPT_LOG_UP,
    SCRIPT_LOG_BACK,
    SCRIPT_FAIR /* the weather clears */
};

static struct sim_scenario *scenario(struct sim *s)
{
    return s->script_data;
}

static void later(struct sim *s, uint64_t in_us, enum script what, uint64_t b)
{
    struct sim_event ev = {
        .at_us = s->now_us + in_us, .kind = SIM_SCRIPT, .a = what, .b = b};

    sim_heap_push(&s->heap, &ev);
}

static uint64_t who(const struct proc *p)
{
    return p->slot | (uint64_t)p->life << 8;
}

static struct proc *proc_of(struct sim *s, uint64_t b)
{
    struct proc *p = &s->proc[b & 0xff];

    return proc_is_live(p) && p->life == b >> 8 ? p : NULL;
}

/* Many short ones, few long ones: each power of two is as likely as the next. */
static uint64_t spread(struct sim *s, uint64_t low_us, uint64_t high_us)
{
    uint64_t top = low_us;
    uint32_t doublings = 0;

    while (top * 2 < high_us) {
        top *= 2;
        doublings++;
    }
    uint64_t base = low_us << rand_below(&s->fault, doublings + 1);
    uint64_t us = base + rand_below(&s->fault, base);
    return us < high_us ? us : high_us;
}

static struct proc *victim(struct sim *s)
{
    struct proc *live[PROCS_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < PROCS_MAX; i++)
        if (proc_is_live(&s->proc[i])) {
            if (scenario(s)->is_leader_aimed && s->proc[i].view.is_leading &&
                sim_chance(&s->fault, 500000))
                return &s->proc[i];
            live[n++] = &s->proc[i];
        }
    return n > 0 ? live[rand_below(&s->fault, n)] : NULL;
}

static void start(struct sim *s, uint32_t slot, int64_t wish)
{
    char name[16];

    if (proc_is_live(&s->proc[slot]))
        return;
    snprintf(name, sizeof name, "p%u.%u", (unsigned)slot,
             (unsigned)(s->proc[slot].life + 1));
    sim_tell(s, name, "starts, wishes for %d", (int)wish);
    proc_start(s, slot, wish, name);
}

static int64_t wish_of(struct sim *s, uint32_t slot)
{
    switch (rand_below(&s->fault, 3)) {
    case 0: return -1;
    case 1: return slot;
    default: return (int64_t)rand_below(&s->fault, PROCS_MAX);
    }
}

static void start_any(struct sim *s)
{
    uint32_t slots = scenario(s)->slots;
    uint32_t first = (uint32_t)rand_below(&s->fault, slots);

    for (uint32_t i = 0; i < slots; i++) {
        uint32_t slot = (first + i) % slots;
        if (!proc_is_live(&s->proc[slot])) {
            start(s, slot, wish_of(s, slot));
            return;
        }
    }
}

/* The number in a process's id, to come back under; else its wish. */
static int64_t number_of(const struct proc *p)
{
    int64_t n = 0;
    const char *at = p->view.id;

    while (*at != '\0' && *at != '-')
        at++;
    if (*at == '\0')
        return p->conf.id_wish;
    for (at++; *at != '\0'; at++)
        n = 10 * n + (*at - '0');
    return n;
}

static void start_later(struct sim *s, const struct proc *p, uint64_t in_us)
{
    later(s, in_us, SCRIPT_START, p->slot | (uint64_t)(number_of(p) + 1) << 8);
}

static void crash(struct sim *s, struct proc *p)
{
    sim_tell(s, p->name, "crashes");
    proc_crash(s, p);
}

static void pause_one(struct sim *s, struct proc *p, bool in_step)
{
    uint64_t us = spread(s, 100 * SIM_MS, 60 * (uint64_t)SIM_S);

    if (us > scenario(s)->end_us - s->now_us)
        us = scenario(s)->end_us - s->now_us;
    sim_tell(s, p->name, "pauses for %u ms%s", (unsigned)(us / SIM_MS),
             in_step ? " in mid-step" : "");
    proc_pause(s, p, us, in_step);
}

static void cut(struct sim *s, struct proc *p)
{
    uint64_t which = rand_below(&s->fault, 3);
    uint64_t us = spread(s, 100 * SIM_MS, 30 * (uint64_t)SIM_S);

    p->cut_in = which != 0;
    p->cut_out = which != 1;
    sim_tell(s, p->name, "is cut off for %u ms (%s)", (unsigned)(us / SIM_MS),
             which == 0   ? "out"
             : which == 1 ? "in"
                          : "both ways");
    later(s, us, SCRIPT_HEAL, who(p));
}

static void unplug(struct sim *s, struct proc *p)
{
    uint64_t us = spread(s, 50 * SIM_MS, 30 * (uint64_t)SIM_S);

    sim_tell(s, p->name, "is disconnected for %u ms", (unsigned)(us / SIM_MS));
    proc_link(s, p, false);
    later(s, us, SCRIPT_PLUG, who(p));
}

static void split(struct sim *s)
{
    uint64_t us = spread(s, 500 * SIM_MS, 20 * (uint64_t)SIM_S);

    s->is_split = true;
    for (uint32_t i = 0; i < PROCS_MAX; i++)
        s->proc[i].side = (uint32_t)rand_below(&s->fault, 2);
    sim_tell(s, "net", "is split for %u ms", (unsigned)(us / SIM_MS));
    later(s, us, SCRIPT_UNSPLIT, 0);
}

static void log_down(struct sim *s)
{
    uint64_t us = spread(s, 200 * SIM_MS, 15 * (uint64_t)SIM_S);

    s->log.is_down = true;
    sim_tell(s, "log", "is down for %u ms", (unsigned)(us / SIM_MS));
    later(s, us, SCRIPT_LOG_UP, 0);
}

/* Everything is gone.  Not from a log so young that a new one, begun by a process that
 * knows of nobody, comes to the very sequence that the leader of the old one expects
 * while that still has authority: nothing in the log tells those two apart (PROTOCOL.md,
 * "What no lease can prevent"). */
static void log_lost(struct sim *s)
{
    if (s->log.last_seq < YOUNG_SEQ)
        return;
    sim_tell(s, "log", "is lost");
    sim_log_lose(s);
}

/* The store of a while ago is put back. */
static void log_back(struct sim *s)
{
    sim_tell(s, "log", "is copied");
    sim_log_keep(s);
    later(s, spread(s, 50 * SIM_MS, 20 * (uint64_t)SIM_S), SCRIPT_LOG_BACK, 0);
}

static void change_list(struct sim *s)
{
    uint32_t changes = 1 + (uint32_t)rand_below(&s->fault, 8);
    uint32_t listed = 0;

    for (uint32_t c = 0; c < changes; c++) {
        uint32_t i = (uint32_t)rand_below(&s->fault, SIM_PARTS_MAX);
        s->part_present[i] = !s->part_present[i];
        s->part_weight[i] = 1 + (uint32_t)rand_below(&s->fault, 200);
    }
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        listed += s->part_present[i] ? 1 : 0;
    sim_tell(s, "source", "lists %u partitions", (unsigned)listed);
    for (uint32_t i = 0; i < PROCS_MAX; i++)
        if (proc_is_live(&s->proc[i]))
            sim_push(s, &s->proc[i], s->now_us + rand_below(&s->fault, SIM_S),
                     (struct sim_event){.kind = SIM_LISTED});
}

static void refresh(struct sim *s)
{
    for (uint32_t i = 0; i < PROCS_MAX; i++)
        if (proc_is_live(&s->proc[i]))
            sim_push(s, &s->proc[i], s->now_us, (struct sim_event){.kind = SIM_REFRESH});
}

static void mass_crash(struct sim *s)
{
    bool comes_back = sim_chance(&s->fault, 500000);

    for (uint32_t i = 0; i < PROCS_MAX; i++) {
        struct proc *p = &s->proc[i];
        if (!proc_is_live(p) || sim_chance(&s->fault, 300000))
            continue;
        if (comes_back)
            start_later(s, p, spread(s, 100 * SIM_MS, 5 * (uint64_t)SIM_S));
        crash(s, p);
    }
}

static void strike(struct sim *s, enum fault_kind kind)
{
    struct proc *p = victim(s);

    scenario(s)->faults++;
    if (p == NULL)
        kind = FAULT_START;
    switch (kind) {
    case FAULT_START: start_any(s); break;
    case FAULT_STOP:
        sim_tell(s, p->name, "is asked to leave");
        proc_stop(s, p, false);
        break;
    case FAULT_RESTART:
        sim_tell(s, p->name, "is asked to restart");
        start_later(s, p, spread(s, 200 * SIM_MS, 40 * (uint64_t)SIM_S));
        proc_stop(s, p, true);
        break;
    case FAULT_CRASH: crash(s, p); break;
    case FAULT_CRASH_BACK:
        start_later(s, p, spread(s, 10 * SIM_MS, 3 * (uint64_t)SIM_S));
        crash(s, p);
        break;
    case FAULT_PAUSE: pause_one(s, p, false); break;
    case FAULT_STALL: pause_one(s, p, true); break;
    case FAULT_CUT: cut(s, p); break;
    case FAULT_UNPLUG: unplug(s, p); break;
    case FAULT_SPLIT: split(s); break;
    case FAULT_LOG_DOWN: log_down(s); break;
    case FAULT_WEATHER:
        sim_tell(s, "net", "turns foul");
        s->knobs = scenario(s)->foul;
        later(s, spread(s, SIM_S, 30 * (uint64_t)SIM_S), SCRIPT_FAIR, 0);
        break;
    case FAULT_LIST: change_list(s); break;
    case FAULT_REFRESH: refresh(s); break;
    case FAULT_MASS_CRASH: mass_crash(s); break;
    case FAULT_MASS_START:
        for (uint32_t i = 0; i < scenario(s)->slots; i++)
            start(s, i, wish_of(s, i));
        break;
    case FAULT_LOG_BACK: log_back(s); break;
    case FAULT_LOG_LOST: log_lost(s); break;
    case FAULT_KINDS: break;
    }
}

static enum fault_kind pick(struct sim *s)
{
    const struct sim_scenario *sc = scenario(s);
    enum fault_kind kind;

    do
        kind = (enum fault_kind)rand_below(&s->fault, FAULT_KINDS);
    while ((sc->kinds >> kind & 1) == 0);
    /* The strong ones are rare. */
    if ((kind == FAULT_MASS_CRASH || kind == FAULT_MASS_START || kind == FAULT_SPLIT) &&
        sim_chance(&s->fault, 600000))
        kind = FAULT_START;
    return kind;
}

static void script(struct sim *s, uint64_t a, uint64_t b)
{
    const struct sim_scenario *sc = scenario(s);
    struct proc *p;

    if (s->now_us >= sc->end_us)
        return;
    switch ((enum script)a) {
    case SCRIPT_FAULT:
        strike(s, pick(s));
        later(s, 1 + rand_below(&s->fault, 2 * sc->gap_us), SCRIPT_FAULT, 0);
        break;
    case SCRIPT_START: start(s, b & 0xff, (int64_t)(b >> 8) - 1); break;
    case SCRIPT_HEAL:
        if ((p = proc_of(s, b)) != NULL)
            p->cut_in = p->cut_out = false;
        break;
    case SCRIPT_PLUG:
        if ((p = proc_of(s, b)) != NULL)
            proc_link(s, p, true);
        break;
    case SCRIPT_UNSPLIT: s->is_split = false; break;
    case SCRIPT_LOG_BACK:
        sim_tell(s, "log", "goes back");
        sim_log_back(s);
        break;
    case SCRIPT_LOG_UP: s->log.is_down = false; break;
    case SCRIPT_FAIR: s->knobs = sc->fair; break;
    }
}

static uint64_t barrier_ms(const struct node_timing *t)
{
    uint64_t a = t->leader_authority;

    return a + a * 2 * t->clock_drift_ppm / 1000000 + 20;
}

uint64_t sim_fault_back_ms(const struct sim *s)
{
    const struct node_timing *t = &s->timing;
    uint64_t e_ms = t->election_timeout + t->election_timeout * 4 / 10;

    return 2 * (e_ms + barrier_ms(t)) + t->heartbeat_ttl;
}

/* I11: back, drained, and every window that may be open. */
static uint64_t settle_ms(const struct sim *s)
{
    const struct node_timing *t = &s->timing;

    return sim_fault_back_ms(s) + (s->knobs.drain_us + s->knobs.drain_long_us) / SIM_MS +
           t->cold_start_window + t->planned_scale_window + t->min_rebalance_interval +
           t->restart_grace + t->recovery_grace + t->operation_timeout + t->degraded_exit;
}

void sim_fault_begin(struct sim *s, struct sim_scenario *sc, uint64_t length_us)
{
    uint32_t first;

    s->script = script;
    s->script_data = sc;
    *sc = (struct sim_scenario){0};
    sim_mood_begin(s, sc);
    sc->quiet_us = 20 * (uint64_t)SIM_S;
    sc->settle_us = settle_ms(s) * SIM_MS;
    must(length_us > sc->settle_us + sc->quiet_us + 10 * (uint64_t)SIM_S);
    sc->end_us = length_us - sc->settle_us - sc->quiet_us;
    sc->kinds =
        (uint32_t)rand_below(&s->fault, UINT32_C(1) << FAULT_KINDS) | 1u << FAULT_START;
    if (rand_below(&s->fault, 8) != 0) /* the log loses what it has acked in few seeds */
        sc->kinds &= ~(1u << FAULT_LOG_BACK | 1u << FAULT_LOG_LOST);
    sc->gap_us = spread(s, SIM_S, 30 * (uint64_t)SIM_S);
    sc->is_leader_aimed = sim_chance(&s->fault, 500000);
    sc->slots = 1 + (uint32_t)rand_below(&s->fault, 12);
    first = 1 + (uint32_t)rand_below(&s->fault, sc->slots);
    for (uint32_t i = 0; i < first; i++)
        later(s, rand_below(&s->fault, 2 * SIM_S), SCRIPT_START,
              i | (uint64_t)(wish_of(s, i) + 1) << 8);
    later(s, spread(s, 100 * SIM_MS, 60 * (uint64_t)SIM_S), SCRIPT_FAULT, 0);
}

void sim_fault_stop(struct sim *s)
{
    struct sim_scenario *sc = scenario(s);
    bool is_alive = false;

    sim_tell(s, "net", "is healed, the faults are over");
    s->knobs = sc->fair;
    s->knobs.loss_ppm = s->knobs.dup_ppm = s->knobs.tail_ppm = 0;
    s->knobs.lost_ppm = s->knobs.late_ppm = s->knobs.spurious_ppm = 0;
    s->knobs.slow_ppm = s->knobs.stale_ppm = s->knobs.commit_ppm = 0;
    s->knobs.list_fail_ppm = s->knobs.plan_fail_ppm = 0;
    s->knobs.plan_keep_ppm = s->knobs.plan_late_ppm = 0;
    s->is_split = false;
    s->log.is_down = false;
    for (uint32_t i = 0; i < PROCS_MAX; i++) {
        struct proc *p = &s->proc[i];
        if (!proc_is_live(p))
            continue;
        p->cut_in = p->cut_out = false;
        if (!p->link_up)
            proc_link(s, p, true);
        is_alive |= proc_is_live(p) && !p->is_leaving;
    }
    for (uint32_t i = 0; !is_alive && i < PROCS_MAX; i++)
        if (!proc_is_live(&s->proc[i])) {
            start(s, i, -1);
            is_alive = true;
        }
}
