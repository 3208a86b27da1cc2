#include "run.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_US = 250 * SIM_MS, SETTLE_US = 60 * SIM_S, QUIET_US = 20 * SIM_S };

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
}

/* I14: until there were so many rebalances, each of which may leave something behind. */
static void run_form(struct run *r, const struct run_order *o, struct run_result *res)
{
    struct sim *s = &r->sim;

    r->scenario = (struct sim_scenario){.profile = "default", .settle_us = SETTLE_US};
    sim_form_begin(s, o->form);
    do
        sim_run(s, s->now_us + LOOK_US);
    while (!s->is_failed &&
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
