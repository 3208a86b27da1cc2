/* The mood of a seed: its timing, weather and habits. */
#include "sim_mood.h"

static const struct node_timing default_timing = {
    .heartbeat_interval = 150,
    .heartbeat_ttl = 1200,
    .fence_margin = 150,
    .leader_authority = 1200,
    .leader_renew_interval = 300,
    .election_timeout = 500,
    .clock_drift_ppm = 1000,
    .worker_id_ttl = 30000,
    .restart_grace = 30000,
    .cold_start_window = 30000,
    .planned_scale_window = 10000,
    .emergency_grace = 0,
    .restart_ratio_ppm = 500000,
    .min_rebalance_interval = 10000,
    .min_rebalance_threshold_ppm = 150000,
    .operation_timeout = 10000,
    .degraded_enter = 10000,
    .degraded_exit = 5000,
    .kv_error_threshold = 5,
    .kv_error_window = 30000,
    .recovery_grace = 15000,
};

void sim_mood_timing(struct node_timing *t, const char *profile)
{
    uint64_t times = profile[0] == 'c' ? 6 : profile[0] == 'f' ? 1 : 2;

    /* calm x 3, fast x 1/2 */
    *t = default_timing;
    t->heartbeat_interval = t->heartbeat_interval * times / 2;
    t->heartbeat_ttl = t->heartbeat_ttl * times / 2;
    t->fence_margin = t->fence_margin * times / 2;
    t->leader_authority = t->leader_authority * times / 2;
    t->leader_renew_interval = t->leader_renew_interval * times / 2;
    t->election_timeout = t->election_timeout * times / 2;
}

static void shorten_windows(struct node_timing *t)
{
    t->cold_start_window = 3000;
    t->planned_scale_window = 1000;
    t->min_rebalance_interval = 1000;
    t->restart_grace = 6000;
    t->worker_id_ttl = 6000;
    t->recovery_grace = 2000;
    t->degraded_enter = 2000;
    t->degraded_exit = 1000;
}

static void fair_weather(struct sim *s, struct sim_knobs *k)
{
    *k = (struct sim_knobs){
        .delay_us = sim_between(&s->fault, 50, 2000),
        .jitter_us = sim_between(&s->fault, 0, 3000),
        .log_delay_us = sim_between(&s->fault, 100, 3000),
        .log_jitter_us = sim_between(&s->fault, 0, 5000),
        .log_timeout_us = SIM_S,
        .drain_us = sim_between(&s->fault, 0, 100 * SIM_MS),
        .drain_long_us = 10 * SIM_S,
        .drain_long_ppm = (uint32_t)sim_between(&s->fault, 0, 50000),
        .list_us = sim_between(&s->fault, 0, 50 * SIM_MS),
        .plan_us = sim_between(&s->fault, 0, 50 * SIM_MS),
        .wake_late_us = sim_between(&s->fault, 0, 3000),
        .clock_spread_us = UINT64_C(3600) * SIM_S,
    };
    if (sim_chance(&s->fault, 500000)) {
        k->list_fail_ppm = 100000;
        k->plan_fail_ppm = 100000;
        k->plan_keep_ppm = 20000;
        k->plan_late_ppm = 50000;
    }
}

static void foul_weather(struct sim *s, struct sim_knobs *k)
{
    k->jitter_us = sim_between(&s->fault, 1000, 300 * SIM_MS);
    k->loss_ppm = (uint32_t)sim_between(&s->fault, 0, 300000);
    k->dup_ppm = (uint32_t)sim_between(&s->fault, 0, 100000);
    k->tail_ppm = (uint32_t)sim_between(&s->fault, 0, 50000);
    k->tail_us = sim_between(&s->fault, SIM_S / 10, 5 * SIM_S);
    k->log_jitter_us = sim_between(&s->fault, 1000, 300 * SIM_MS);
    k->lost_ppm = (uint32_t)sim_between(&s->fault, 0, 200000);
    k->late_ppm = (uint32_t)sim_between(&s->fault, 0, 100000);
    k->spurious_ppm = (uint32_t)sim_between(&s->fault, 0, 100000);
    k->slow_ppm = (uint32_t)sim_between(&s->fault, 0, 300000);
    if (sim_chance(&s->fault, 500000)) {
        k->commit_ppm = (uint32_t)sim_between(&s->fault, 0, 500000);
        k->commit_least_us = sim_between(&s->fault, 1000, 600 * SIM_MS);
        k->commit_most_us = 2 * SIM_S;
    }
    k->stale_ppm = (uint32_t)sim_between(&s->fault, 0, 100000);
    k->wake_late_us = sim_between(&s->fault, 0, 50 * SIM_MS);
}

void sim_mood_begin(struct sim *s, struct sim_scenario *sc)
{
    uint64_t kind = rand_below(&s->fault, 10);
    uint32_t listed = 1 + (uint32_t)rand_below(&s->fault, SIM_PARTS_MAX);

    sc->profile = kind == 0 ? "fast" : kind == 1 ? "calm" : "default";
    sim_mood_timing(&s->timing, sc->profile);
    if (sim_chance(&s->fault, 500000))
        shorten_windows(&s->timing);
    if (rand_below(&s->fault, 10) == 0)
        s->timing.clock_drift_ppm = 20000; /* so that a forgotten drift shows */
    if (rand_below(&s->fault, 6) == 0)
        s->timing.leader_authority *= 2; /* leases run to their full length */
    if (rand_below(&s->fault, 12) == 0)
        s->ownership = OWNERSHIP_AVAILABLE;
    fair_weather(s, &sc->fair);
    sc->foul = sc->fair;
    foul_weather(s, &sc->foul);
    /* A few seeds know no fair weather at all. */
    s->knobs = rand_below(&s->fault, 5) == 0 ? sc->foul : sc->fair;
    for (uint32_t i = 0; i < listed; i++)
        s->part_present[rand_below(&s->fault, SIM_PARTS_MAX)] = true;
}
