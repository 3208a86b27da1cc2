#include "run.h"

#include "proto/roster.h"

#include <stdio.h>
#include <string.h>

enum {
    LOOK_US = 250 * SIM_MS,
    SETTLE_US = 60 * SIM_S,
    QUIET_US = 20 * SIM_S,
    BEGUN_US = 10 * SIM_S,
    BLIP_SLACK_MS = 1500
};

void run_init(struct run *r)
{
    sim_init(&r->sim);
}

void run_finish(struct run *r)
{
    sim_finish(&r->sim);
}

static void tell_stdout(void *data, const char *line)
{
    (void)data;
    puts(line);
}

/* I11 and I13: looks now and then whether the group has come to rest for good. */
static void settle(struct run *r, struct run_result *res)
{
    struct sim *s = &r->sim;
    uint64_t start_us = s->now_us;
    const char *what = "";

    while (!s->is_failed && s->now_us < start_us + r->scenario.settle_us) {
        sim_run(s, s->now_us + LOOK_US);
        if (s->is_failed)
            return;
        const char *was = what;
        what = judge_unsettled(s);
        if (what != NULL)
            res->settled_us = s->now_us - start_us;
        if (was != NULL && what == NULL)
            sim_tell(s, "judge", "the group has come to rest");
    }
    if (!s->is_failed && what != NULL)
        sim_fail(s, "I11", "%u s after the last fault %s",
                 (unsigned)(r->scenario.settle_us / SIM_S), what);
}

static void rest(struct run *r, uint64_t quiet_us)
{
    struct sim *s = &r->sim;

    if (s->is_failed)
        return;
    r->judge.is_quiet = true;
    sim_run(s, s->now_us + quiet_us);
    const char *what = s->is_failed ? NULL : judge_unsettled(s);
    if (what != NULL)
        sim_fail(s, "I9", "in quiet times %s", what);
}

/* ---- I11 after an outage that all share: whoever was heard since gets no grace */

static void link_all(struct sim *s, bool is_up)
{
    for (uint32_t i = 0; i < PROCS_MAX; i++)
        if (proc_is_live(&s->proc[i]))
            proc_link(s, &s->proc[i], is_up);
}

/* Somebody who does not lead and has something to lose; NULL: there is none. */
static struct proc *a_holder(struct sim *s)
{
    struct proc *holder[PROCS_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < PROCS_MAX; i++) {
        struct proc *p = &s->proc[i];
        if (proc_is_live(p) && !p->view.is_leading && sim_app_held(s, p) > 0)
            holder[n++] = p;
    }
    return n > 0 ? holder[rand_below(&s->fault, n)] : NULL;
}

static uint32_t count_unheld(const struct sim *s, const struct proc *but)
{
    uint32_t unheld = 0;

    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++) {
        bool is_held = !s->part_present[i];
        for (uint32_t k = 0; k < PROCS_MAX && !is_held; k++)
            is_held = &s->proc[k] != but && proc_is_live(&s->proc[k]) &&
                      sim_app_holds(s, &s->proc[k], i);
        unheld += is_held ? 0 : 1;
    }
    return unheld;
}

/* The server is away from everybody for a while.  They must all be back without any
 * window or grace, and then a worker that dies or leaves is acted on as on any day. */
static void blip(struct run *r)
{
    struct sim *s = &r->sim;
    const struct node_timing *t = &s->timing;
    uint64_t away_us = sim_between(&s->fault, 100 * SIM_MS, 4 * SIM_S);
    uint64_t moved_ms = 3 * s->knobs.drain_us / SIM_MS + BLIP_SLACK_MS;
    struct proc *p;

    if (s->is_failed)
        return;
    r->judge.is_quiet = false;
    s->knobs.drain_long_ppm = 0;
    sim_tell(s, "net", "is away from all for %u ms", (unsigned)(away_us / SIM_MS));
    link_all(s, false);
    sim_run(s, s->now_us + away_us);
    link_all(s, true);
    sim_run(s, s->now_us + sim_fault_back_ms(s) * SIM_MS);
    const char *what = s->is_failed ? NULL : judge_unsettled(s);
    if (what != NULL)
        sim_fail(s, "I11", "after the server was away for %u ms %s",
                 (unsigned)(away_us / SIM_MS), what);
    if (s->is_failed || (p = a_holder(s)) == NULL)
        return;
    bool leaves = sim_chance(&s->fault, 500000);
    if (!leaves)
        moved_ms += roster_stretch(t->heartbeat_ttl, t) +
                    SUSPECT_BEATS * t->heartbeat_interval + t->emergency_grace;
    sim_tell(s, p->name, leaves ? "leaves" : "dies");
    if (leaves)
        proc_stop(s, p, false);
    else
        proc_crash(s, p);
    sim_run(s, s->now_us + moved_ms * SIM_MS);
    uint32_t unheld = s->is_failed ? 0 : count_unheld(s, p);
    if (unheld > 0)
        sim_fail(s, "I11", "%u ms after %s %s, the server back, %u have no other holder",
                 (unsigned)moved_ms, p->name, leaves ? "left" : "died", (unsigned)unheld);
}

static void run_faults(struct run *r, const struct run_order *o, struct run_result *res)
{
    struct sim *s = &r->sim;

    sim_fault_begin(s, &r->scenario, o->length_us);
    sim_run(s, r->scenario.end_us);
    if (!s->is_failed) {
        sim_fault_stop(s);
        settle(r, res);
    }
    rest(r, r->scenario.quiet_us);
    blip(r);
}

/* I11: who leads once the group has begun leads to the end, for no process fails. */
static void check_term(struct sim *s, uint64_t *term)
{
    for (uint32_t i = 0; i < PROCS_MAX; i++) {
        const struct proc *p = &s->proc[i];
        if (!proc_is_live(p) || !p->view.is_leading)
            continue;
        if (*term == 0 && s->now_us >= BEGUN_US)
            *term = p->view.term;
        if (*term != 0 && p->view.term != *term)
            sim_fail(s, "I11", "%s leads term %llu, nothing has befallen that of %llu",
                     p->name, (unsigned long long)p->view.term,
                     (unsigned long long)*term);
    }
}

/* I14: until there were so many rebalances, each of which may leave something behind. */
static void run_form(struct run *r, const struct run_order *o, struct run_result *res)
{
    struct sim *s = &r->sim;
    uint64_t term = 0;

    r->scenario = (struct sim_scenario){.profile = "default", .settle_us = SETTLE_US};
    sim_form_begin(s, o->form);
    do {
        sim_run(s, s->now_us + LOOK_US);
        if (o->form == FORM_SLOW)
            check_term(s, &term);
    } while (!s->is_failed &&
             (o->form == FORM_REBALANCES ? r->judge.rebalances < o->rebalances
                                         : s->now_us < o->length_us));
    if (!s->is_failed) {
        sim_form_stop(s);
        settle(r, res);
    }
    rest(r, QUIET_US);
}

void run_seed(struct run *r, uint64_t seed, const struct run_order *order,
              struct run_result *ret_result)
{
    struct sim *s = &r->sim;
    struct run_result res = {.seed = seed};

    sim_begin(s, seed);
    judge_begin(&r->judge);
    s->judge = &r->judge;
    s->tell = order->tells ? tell_stdout : NULL;
    if (order->form == FORM_FAULTS)
        run_faults(r, order, &res);
    else
        run_form(r, order, &res);
    res.steps = s->steps;
    res.sim_us = s->now_us;
    res.trace_hash = s->trace_hash;
    res.writes = s->log.writes;
    res.grants = r->judge.grants;
    res.fences = s->fences;
    res.rebalances = r->judge.rebalances;
    res.faults = r->scenario.faults;
    res.failed_us = s->failed_us;
    memcpy(res.invariant, s->invariant, sizeof res.invariant);
    memcpy(res.failure, s->failure, sizeof res.failure);
    sim_end(s);
    *ret_result = res;
}
