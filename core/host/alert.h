/* Says louder and louder that the worker is degraded: [timing] alert_info, alert_warn,
 * alert_error, alert_critical after the beginning, then every alert_interval.  Called
 * by the loop's thread.
 */
#ifndef PARTI_HOST_ALERT_H
#define PARTI_HOST_ALERT_H

#include "host/conf.h"

enum alert_level { ALERT_NONE, ALERT_INFO, ALERT_WARN, ALERT_ERROR, ALERT_CRITICAL };

struct alert {
    uint64_t since_ms; /* the beginning that this is about */
    uint64_t told_ms;  /* last told, if level is not ALERT_NONE */
    enum alert_level level;
};

/* How serious it is to be degraded for so long. */
enum alert_level alert_level_of(const struct conf_timing *t, uint64_t degraded_for_ms);

/* Is something to be told now?  Then *ret_level says how loud.  since_ms 0: not
 * degraded; another since_ms than last time: degraded anew. */
bool alert_is_due(struct alert *a, const struct conf_timing *t, uint64_t since_ms,
                  uint64_t now_ms, enum alert_level *ret_level);

/* The same, and tells it to the log. */
void alert_check(struct alert *a, const struct conf_timing *t, uint64_t since_ms,
                 uint64_t now_ms);

#endif
