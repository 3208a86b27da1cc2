#include "host/alert.h"

#include "host/log.h"

enum alert_level alert_level_of(const struct conf_timing *t, uint64_t degraded_for_ms)
{
    if (degraded_for_ms >= t->alert_critical_ms)
        return ALERT_CRITICAL;
    if (degraded_for_ms >= t->alert_error_ms)
        return ALERT_ERROR;
    if (degraded_for_ms >= t->alert_warn_ms)
        return ALERT_WARN;
    return degraded_for_ms >= t->alert_info_ms ? ALERT_INFO : ALERT_NONE;
}

bool alert_is_due(struct alert *a, const struct conf_timing *t, uint64_t since_ms,
                  uint64_t now_ms, enum alert_level *ret_level)
{
    if (since_ms != a->since_ms)
        *a = (struct alert){.since_ms = since_ms};
    if (since_ms == 0 || now_ms < since_ms)
        return false;
    enum alert_level level = alert_level_of(t, now_ms - since_ms);

    if (level == ALERT_NONE ||
        (level == a->level && now_ms - a->told_ms < t->alert_interval_ms))
        return false;
    a->level = level;
    a->told_ms = now_ms;
    *ret_level = level;
    return true;
}

void alert_check(struct alert *a, const struct conf_timing *t, uint64_t since_ms,
                 uint64_t now_ms)
{
    enum alert_level level;

    if (!alert_is_due(a, t, since_ms, now_ms, &level))
        return;
    unsigned long long seconds = (unsigned long long)(now_ms - since_ms) / 1000;

    switch (level) {
    case ALERT_NONE: break;
    case ALERT_INFO: log_info("degraded for %llu s", seconds); break;
    case ALERT_WARN: log_warn("degraded for %llu s", seconds); break;
    case ALERT_ERROR: log_error("degraded for %llu s", seconds); break;
    case ALERT_CRITICAL: log_error("critical: degraded for %llu s", seconds); break;
    }
}
