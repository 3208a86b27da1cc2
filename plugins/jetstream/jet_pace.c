#include "plugins/jetstream/jet_pace.h"

uint32_t jet_pace_most(const struct jet_pace *p)
{
    return p->most > 0 ? p->most : (uint32_t)JET_PACE_FIRST;
}

static uint64_t within(uint64_t ms)
{
    if (ms < JET_PACE_WAIT_MS)
        return JET_PACE_WAIT_MS;
    return ms < JET_PACE_WAIT_MAX_MS ? ms : (uint64_t)JET_PACE_WAIT_MAX_MS;
}

uint64_t jet_pace_wait_ms(const struct jet_pace *p, uint32_t failures)
{
    uint64_t ms = JET_PACE_WAIT_MS;

    for (uint32_t i = 0; i < failures && ms < JET_PACE_WAIT_MAX_MS; i++)
        ms *= 2;
    return within(ms > p->wait_ms ? ms : p->wait_ms);
}

void jet_pace_answered(struct jet_pace *p, uint64_t ms)
{
    uint32_t most = jet_pace_most(p);

    if (ms >= JET_PACE_SLOW_MS)
        most -= most / 2;
    else if (ms < JET_PACE_QUICK_MS && most < JET_PACE_MAX)
        most++;
    p->most = most;
    p->wait_ms = within(JET_PACE_WAIT_TIMES * ms);
}

void jet_pace_unanswered(struct jet_pace *p, uint64_t ms)
{
    p->most = 1;
    if (2 * ms > p->wait_ms)
        p->wait_ms = within(2 * ms);
}
