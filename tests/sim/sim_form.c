#include "sim_form.h"

#include "sim_mood.h"

#include <stdio.h>
#include <string.h>

enum { SLOTS = 8, LOST_PPM = 10000, SLOW_PPM = 100000, CHANGE_US = 4 * SIM_S };

int sim_form_find(const char *name)
{
    static const char *const names[] = {"faults", "answers", "rebalances", "slow"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

static void start(struct sim *s, uint32_t slot)
{
    char name[16];

    snprintf(name, sizeof name, "p%u.%u", (unsigned)slot,
             (unsigned)(s->proc[slot].life + 1));
    sim_tell(s, name, "starts");
    proc_start(s, slot, slot, name);
}

static uint32_t live(const struct sim *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < SLOTS; i++)
        n += proc_is_live(&s->proc[i]) && !s->proc[i].is_leaving ? 1 : 0;
    return n;
}

static void change_list(struct sim *s)
{
    for (uint32_t c = rand_below(&s->fault, 8) + 1; c > 0; c--) {
        uint32_t i = (uint32_t)rand_below(&s->fault, SIM_PARTS_MAX);
        s->part_present[i] = !s->part_present[i];
        s->part_weight[i] = 1 + (uint32_t)rand_below(&s->fault, 200);
    }
    for (uint32_t i = 0; i < SLOTS; i++)
        if (proc_is_live(&s->proc[i]))
            sim_push(s, &s->proc[i], s->now_us, (struct sim_event){.kind = SIM_LISTED});
}

static void change(struct sim *s)
{
    uint32_t slot = (uint32_t)rand_below(&s->fault, SLOTS);
    struct proc *p = &s->proc[slot];
    uint64_t kind = rand_below(&s->fault, 4);

    if (kind == 0)
        change_list(s);
    else if (!proc_is_live(p))
        start(s, slot);
    else if (live(s) == 1 || p->is_leaving)
        change_list(s);
    else if (kind == 1)
        proc_crash(s, p);
    else
        proc_stop(s, p, kind == 2);
}

static void later(struct sim *s)
{
    struct sim_event ev = {.at_us = s->now_us + 1 + rand_below(&s->fault, CHANGE_US),
                           .kind = SIM_SCRIPT};

    sim_heap_push(&s->heap, &ev);
}

static void script(struct sim *s, uint64_t a, uint64_t b)
{
    (void)a;
    (void)b;
    if (s->script_data == NULL)
        return;
    change(s);
    later(s);
}

void sim_form_begin(struct sim *s, enum sim_form form)
{
    sim_mood_timing(&s->timing, "default");
    s->timing.cold_start_window = 1000;
    s->timing.planned_scale_window = 500;
    s->timing.min_rebalance_interval = 500;
    s->timing.restart_grace = 3000;
    s->timing.worker_id_ttl = 3000;
    s->knobs = (struct sim_knobs){.delay_us = 500,
                                  .jitter_us = 500,
                                  .log_delay_us = 1000,
                                  .log_jitter_us = 1000,
                                  .log_timeout_us = SIM_S,
                                  .drain_us = 20 * SIM_MS,
                                  .list_us = 2 * SIM_MS,
                                  .plan_us = 2 * SIM_MS,
                                  .wake_late_us = 1000,
                                  .clock_spread_us = UINT64_C(3600) * SIM_S};
    for (uint32_t i = 0; i < SIM_PARTS_MAX / 2; i++)
        s->part_present[sim_part_numbered(i)] = true;
    for (uint32_t i = 0; i < SLOTS / 2; i++)
        start(s, i);
    s->script = script;
    s->script_data = NULL;
    if (form == FORM_ANSWERS) {
        s->knobs.lost_ppm = LOST_PPM;
    } else if (form == FORM_SLOW) {
        s->knobs.commit_ppm = SLOW_PPM;
        s->knobs.commit_least_us = 300 * SIM_MS;
        s->knobs.commit_most_us = 700 * SIM_MS;
    } else {
        s->script_data = s; /* goes on until it is cleared */
        later(s);
    }
}

void sim_form_stop(struct sim *s)
{
    s->script_data = NULL;
    s->knobs.lost_ppm = s->knobs.commit_ppm = 0;
    for (uint32_t i = 0; i < SLOTS && live(s) == 0; i++)
        if (!proc_is_live(&s->proc[i]))
            start(s, i);
}
