/* Room for messages, and the credit that promises it (C12).
 *
 * What a lane has taken is what is queued plus the credit that the plugin has not used.
 * One place is each lane's own, so that none starves; the rest is shared alike by the
 * lanes that are held.  Where more of them come, what was given before is not taken back;
 * it goes to the others as it is used.
 */
#include "consume/state.h"

#include "base/must.h"

static uint32_t taken(const struct lane *l)
{
    return l->queued + l->credit;
}

static uint32_t beyond_own(uint32_t n)
{
    return n > 1 ? n - 1 : 0;
}

/* After what the lane has taken was 'before'. */
static void account(struct consume *c, const struct lane *l, uint32_t before)
{
    c->over = c->over - beyond_own(before) + beyond_own(taken(l));
    must(c->over <= c->over_max);
}

void pool_init(struct consume *c)
{
    uint32_t n = c->options.lanes_max + c->over_max;

    for (uint32_t i = 0; i < n; i++)
        c->entry[i].next = i + 1 < n ? i + 1 : NOBODY;
    c->entry_free = 0;
    c->hungry = (struct row){NOBODY, NOBODY};
    pool_held(c, 0);
}

void pool_held(struct consume *c, int change)
{
    uint32_t part;

    c->held = (uint32_t)((int64_t)c->held + change);
    part = c->held > 0 ? c->over_max / c->held : c->over_max;
    c->quota = part < c->options.lane_max ? 1 + part : c->options.lane_max;
}

void forget(struct consume *c, const struct lane *l, void *message)
{
    struct consume_action a = {
        .type = DO_FORGET, .lane = lane_number(c, l), .message = message};

    c->perform(c->ctx, &a);
}

uint32_t pool_push(struct consume *c, struct lane *l, uint64_t position, void *message)
{
    uint32_t i = c->entry_free;
    struct entry *e = &c->entry[i];

    must(l->credit > 0 && i != NOBODY);
    c->entry_free = e->next;
    *e = (struct entry){.position = position, .message = message, .next = NOBODY};
    if (l->queued == 0)
        l->first = i;
    else
        c->entry[l->last].next = i;
    l->last = i;
    if (l->give == NOBODY)
        l->give = i;
    l->credit--;
    l->queued++;
    return i;
}

/* Takes the first entry out; the caller accounts for it. */
static void pop(struct consume *c, struct lane *l)
{
    uint32_t i = l->first;
    struct entry *e = &c->entry[i];

    forget(c, l, e->message);
    if (l->give == i)
        l->give = e->next;
    l->first = e->next;
    l->queued--;
    if (l->queued == 0)
        l->first = l->last = NOBODY;
    e->next = c->entry_free;
    c->entry_free = i;
}

void pool_pop(struct consume *c, struct lane *l)
{
    uint32_t before = taken(l);

    must(l->queued > 0);
    pop(c, l);
    account(c, l, before);
}

void pool_skip(struct consume *c, struct lane *l)
{
    uint32_t before = taken(l);

    must(l->credit > 0);
    l->credit--;
    account(c, l, before);
}

void pool_drop(struct consume *c, struct lane *l)
{
    uint32_t before = taken(l);

    while (l->queued > 0)
        pop(c, l);
    l->given = 0;
    l->give = NOBODY;
    account(c, l, before);
}

void pool_drop_credit(struct consume *c, struct lane *l)
{
    uint32_t before = taken(l);

    l->credit = 0;
    account(c, l, before);
}

void pool_feed(struct consume *c, struct lane *l)
{
    uint32_t before = taken(l);
    uint32_t want = c->quota > before ? c->quota - before : 0, room, n;

    /* In halves of its part, so that not every message costs an action.  What is queued
     * is done some time without more credit, so the half is always reached. */
    if (want == 0 || (uint64_t)want * 2 < c->quota || l->phase != PHASE_READING ||
        !l->is_running)
        return;
    room = c->over_max - c->over + (before == 0 ? 1 : 0);
    n = want < room ? want : room;
    if (n < want && !l->is_hungry) {
        uint32_t number = lane_number(c, l);

        l->is_hungry = true;
        l->hungry_next = NOBODY;
        if (c->hungry.first == NOBODY)
            c->hungry.first = number;
        else
            c->lane[c->hungry.last].hungry_next = number;
        c->hungry.last = number;
    }
    if (n > 0) {
        struct consume_action a = {
            .type = DO_CREDIT, .lane = lane_number(c, l), .run = l->run, .n = n};

        l->credit += n;
        account(c, l, before);
        c->perform(c->ctx, &a);
    }
}

void pool_serve(struct consume *c)
{
    while (c->hungry.first != NOBODY && c->over < c->over_max) {
        struct lane *l = &c->lane[c->hungry.first];

        c->hungry.first = l->hungry_next;
        l->is_hungry = false;
        pool_feed(c, l);
    }
}
