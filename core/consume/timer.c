/* When a lane is to be looked at: a heap with at most one place for each lane.
 *
 * A place may be earlier than needed and is then put right when its time comes; so a
 * time-out that moves on with every message costs nothing until then.
 */
#include "consume/state.h"

static void put(struct consume *c, uint32_t at, struct due due)
{
    c->due[at] = due;
    c->lane[due.lane].due_at = at;
}

static void rise(struct consume *c, uint32_t at, struct due due)
{
    while (at > 0) {
        uint32_t up = (at - 1) / 2;

        if (c->due[up].at_ms <= due.at_ms)
            break;
        put(c, at, c->due[up]);
        at = up;
    }
    put(c, at, due);
}

static void fall(struct consume *c, uint32_t at, struct due due)
{
    for (;;) {
        uint32_t down = 2 * at + 1;

        if (down >= c->due_n)
            break;
        if (down + 1 < c->due_n && c->due[down + 1].at_ms < c->due[down].at_ms)
            down++;
        if (due.at_ms <= c->due[down].at_ms)
            break;
        put(c, at, c->due[down]);
        at = down;
    }
    put(c, at, due);
}

void timer_need(struct consume *c, struct lane *l, uint64_t at_ms)
{
    struct due due = {at_ms, lane_number(c, l)};

    if (at_ms == UINT64_MAX)
        return;
    if (l->due_at == NOBODY)
        rise(c, c->due_n++, due);
    else if (at_ms < c->due[l->due_at].at_ms)
        rise(c, l->due_at, due);
}

struct lane *timer_pop(struct consume *c)
{
    struct lane *l;

    if (c->due_n == 0 || c->due[0].at_ms > c->now_ms)
        return NULL;
    l = &c->lane[c->due[0].lane];
    l->due_at = NOBODY;
    if (--c->due_n > 0)
        fall(c, 0, c->due[c->due_n]);
    return l;
}
