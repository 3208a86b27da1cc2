#include "proto/window.h"

void window_init(struct window *w, bool is_cold, uint32_t members)
{
    *w = (struct window){.is_cold = is_cold, .members = members};
}

/* More than restart_ratio of the workers went within one cold-start window: whoever
 * comes now is most likely coming back. */
static bool looks_like_restart(const struct window *w, const struct node_timing *t,
                               uint64_t now_ms)
{
    return w->lost > 0 && now_ms < w->lost_ms + t->cold_start_window &&
           w->lost * 1000000 > (w->members + w->lost) * t->restart_ratio_ppm;
}

static void open_window(struct window *w, enum cause cause, uint64_t ends_ms)
{
    w->is_open = true;
    w->cause = cause;
    w->ends_ms = ends_ms;
}

void window_joined(struct window *w, const struct node_timing *t, uint64_t now_ms)
{
    if (w->is_open || w->is_cold)
        return;
    if (looks_like_restart(w, t, now_ms))
        open_window(w, CAUSE_RESTART, now_ms + t->cold_start_window);
    else
        open_window(w, CAUSE_SCALE, now_ms + t->planned_scale_window);
}

void window_left(struct window *w)
{
    if (!w->wants_now)
        w->now_cause = CAUSE_LEAVE;
    w->wants_now = true;
}

void window_lost(struct window *w, const struct node_timing *t, uint64_t now_ms)
{
    if (w->lost == 0 || now_ms >= w->lost_ms + t->cold_start_window) {
        w->lost = 0; /* one of long ago is no part of a restart */
        w->lost_ms = now_ms;
    }
    w->lost++;
    w->wants_now = true;
    w->now_cause = CAUSE_EMERGENCY;
}

void window_set_changed(struct window *w, bool is_commanded)
{
    w->wants_set = true;
    w->is_commanded = w->is_commanded || is_commanded;
}

void window_nothing_changed(struct window *w)
{
    if (w->cause == CAUSE_SCALE || w->cause == CAUSE_RESTART)
        w->is_open = false;
}

/* min_rebalance_interval: never delays what is lost or commanded. */
static uint64_t rate_ms(const struct window *w, const struct node_timing *t)
{
    return w->planned_ms == 0 ? 0 : w->planned_ms + t->min_rebalance_interval;
}

bool window_is_due(const struct window *w, const struct node_timing *t, uint64_t now_ms,
                   uint32_t active, enum cause *ret_cause)
{
    if (w->wants_now) {
        *ret_cause = w->now_cause;
        return true;
    }
    if (w->is_cold) {
        *ret_cause = CAUSE_COLD_START;
        return active > 0;
    }
    if (w->wants_set && (w->is_commanded || now_ms >= rate_ms(w, t))) {
        *ret_cause = CAUSE_REFRESH;
        return active > 0;
    }
    if (w->is_open && now_ms >= w->ends_ms && now_ms >= rate_ms(w, t)) {
        *ret_cause = w->cause;
        return active > 0;
    }
    return false;
}

void window_planned(struct window *w, const struct node_timing *t, uint64_t now_ms,
                    uint32_t active)
{
    bool was_cold = w->is_cold;

    if (now_ms >= w->lost_ms + t->cold_start_window)
        w->lost = 0;
    w->is_cold = false;
    w->is_open = false;
    w->wants_now = false;
    w->wants_set = false;
    w->is_commanded = false;
    w->planned_ms = now_ms;
    w->members = active;
    if (was_cold)
        open_window(w, CAUSE_COLD_START, now_ms + t->cold_start_window);
}

uint64_t window_wake_ms(const struct window *w, const struct node_timing *t)
{
    uint64_t wake = UINT64_MAX, rate = rate_ms(w, t);

    if (w->is_open)
        wake = w->ends_ms > rate ? w->ends_ms : rate;
    if (w->wants_set && rate < wake)
        wake = rate;
    return wake;
}
