/* What beacons promise: I5, I6, I16. */
#include "judge.h"

#include "proto/wire.h"

static unsigned long long ull(uint64_t x)
{
    return (unsigned long long)x;
}

/* A bit for this session leaves now: its lease may last until then in true time. */
static void reckon(struct sim *s, struct session session, uint64_t lease_ms)
{
    /* The longest that so many milliseconds of another clock can take, one for
     * rounding; the second order of the drift is below that. */
    uint64_t us = lease_ms * SIM_MS;
    uint64_t until_us =
        s->now_us + us + us * s->timing.clock_drift_ppm / 1000000 + SIM_MS;

    for (uint32_t k = 0; k < PROCS_MAX; k++) {
        struct judge_proc *jp = &s->judge->proc[k];
        if (session_equal(jp->session, session) && until_us > jp->reckoned_us)
            jp->reckoned_us = until_us;
    }
}

/* A bit for whoever has this number in that head; after a log went back there may be two
 * heads of one epoch. */
static void reckon_seat(struct sim *s, struct stamp head, uint32_t num, uint64_t lease_ms)
{
    const struct judge *j = s->judge;

    for (uint32_t k = 0; k < JUDGE_HEADS && k < j->seats_n; k++) {
        const struct judge_seats *seats = &j->seats[k];
        bool is_it = stamp_compare(seats->stamp, head) == 0;
        for (uint32_t i = 0; is_it && i < seats->n; i++)
            if (seats->num[i] == num)
                reckon(s, seats->session[i], lease_ms);
    }
}

void judge_beacon(struct sim *s, struct proc *p, const void *data, size_t n)
{
    struct message m;
    uint64_t now_ms = proc_local_ms(p, s->now_us);

    if (wire_decode(&m, data, n) != 0 || m.type != MSG_BEACON) {
        sim_fail(s, "I12", "%s sends to all what is no beacon", p->name);
        return;
    }
    const struct beacon *b = &m.beacon;
    bool has_bits = false;
    uint64_t lease_ms = b->allowance_ms < s->timing.heartbeat_ttl
                            ? b->allowance_ms
                            : s->timing.heartbeat_ttl;

    for (uint32_t lag = 0; lag < BEACON_LAGS; lag++)
        for (uint32_t num = 0; num < 8 * b->bits_n[lag]; num++) {
            if ((b->bits[lag][num / 8] >> (num % 8) & 1) == 0)
                continue;
            has_bits = true;
            reckon_seat(s, b->head, num, lease_ms);
        }
    if (has_bits)
        judge_bits_after_loss(s, p, b);
    /* L1, I5: bits only before the end of the authority, and never worth more.  A leader
     * that resigns in this very step had its authority before it. */
    const struct judge_proc *jp = &s->judge->proc[p->slot];
    uint64_t end_ms =
        jp->auth_end_ms > jp->auth_end_was_ms ? jp->auth_end_ms : jp->auth_end_was_ms;
    if (has_bits && s->ownership == OWNERSHIP_STRICT && now_ms + b->allowance_ms > end_ms)
        sim_fail(s, "I5",
                 "%s gives bits worth %llu ms at %llu, its authority ends at %llu",
                 p->name, ull(b->allowance_ms), ull(now_ms), ull(end_ms));
}

void judge_authority(struct sim *s, struct proc *p)
{
    struct judge_term *t = &s->judge->term[p->view.term % JUDGE_TERMS];
    uint64_t until_us = proc_true_us(p, p->view.auth_end_ms);

    if (t->term != p->view.term)
        *t = (struct judge_term){.term = p->view.term};
    if (until_us > t->until_us)
        t->until_us = until_us;
}

void judge_extended(struct sim *s, struct proc *p, const struct event *ev)
{
    const struct judge_proc *jp = &s->judge->proc[p->slot];
    const struct node_view *v = &p->view;
    struct message m;

    /* I6: never beyond what the leaders' bits allow. */
    if (proc_true_us(p, v->deadline_ms) > jp->reckoned_us)
        sim_fail(s, "I6",
                 "%s has a lease until %llu ms, the leaders' reckoning ends at %llu ms",
                 p->name, ull(proc_true_us(p, v->deadline_ms) / SIM_MS),
                 ull(jp->reckoned_us / SIM_MS));
    /* I16: not while the applied epoch is behind the beacon's. */
    if (ev->type == EV_MESSAGE && wire_decode(&m, ev->message.data, ev->message.n) == 0 &&
        m.type == MSG_BEACON && stamp_compare(v->applied, m.beacon.head) < 0)
        sim_fail(s, "I16", "%s extends its lease at epoch %llu, the beacon is at %llu",
                 p->name, ull(v->applied.epoch), ull(m.beacon.head.epoch));
}
