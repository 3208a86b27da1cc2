#include "plugins/jetstream/jet_pace.h"

uint32_t jet_pace_most(const struct jet_pace *p)
{
    return p->most > 0 ? p->most : (uint32_t)JET_PACE_FIRST;
}

void jet_pace_answered(struct jet_pace *p, uint64_t ms)
{
    uint32_t most = jet_pace_most(p);

    if (ms >= JET_PACE_SLOW_MS)
        most -= most / 2;
    else if (ms < JET_PACE_QUICK_MS && most < JET_PACE_MAX)
        most++;
    p->most = most;
}

void jet_pace_unanswered(struct jet_pace *p)
{
    p->most = 1;
}
