/* What the leader wants: who has come, gone or died, when to plan, and the plan from
 * the question to the strategy to the moment its records are written.
 *
 * L9: desired state is reconciled, not fired once.  plan_watch() looks at everything in
 * every step and asks for a plan as long as something differs.
 */
#include "proto/node_state.h"

#include "base/hash.h"
#include "base/status.h"

#include <string.h>

/* ---- who counts
 * ---------------------------------------------------------------------------- */

static bool is_active(const struct mate *m)
{
    return m->is_member && !m->is_expired && m->head.state == MEMBER_ACTIVE &&
           (m->flags & (HEARTBEAT_DRAINS | HEARTBEAT_IS_AWAY)) == 0;
}

/* Away for a restart: keeps its place. */
static bool is_away(const struct mate *m)
{
    return m->is_member && !m->is_expired &&
           (m->head.state == MEMBER_AWAY || (m->flags & HEARTBEAT_IS_AWAY) != 0);
}

/* Its lease has ended and a new session of the same id waits: it takes over the place. */
static bool is_reborn(const struct mate *m)
{
    return m->is_member && m->is_expired && m->has_joiner;
}

bool plan_is_active(const struct node *n, uint32_t num)
{
    return is_active(&n->roster.mate[num]);
}

bool plan_is_candidate(const struct node *n, uint32_t num)
{
    return is_active(&n->roster.mate[num]) || is_reborn(&n->roster.mate[num]);
}

uint64_t plan_members_print(const struct node *n)
{
    uint64_t print = 0;

    for (uint32_t num = 0; num < n->roster.n; num++)
        if (is_active(&n->roster.mate[num]))
            print +=
                hash_bytes(&n->roster.mate[num].head.session, sizeof(struct session));
    return print;
}

/* L5: the moment from which this member's lease has ended for sure and it may be
 * expired.  A member that answers is not expired for bits that we could not give. */
uint64_t plan_expires_ms(const struct node *n, uint32_t num)
{
    const struct node_timing *t = &n->conf.timing;
    const struct mate *m = &n->roster.mate[num];
    uint64_t silent = SUSPECT_BEATS * t->heartbeat_interval +
                      (m->is_heard ? m->heard_ms : m->seated_ms);
    uint64_t at = silent, other;

    if (n->conf.ownership == OWNERSHIP_STRICT) {
        at = m->seated_ms + roster_stretch(t->heartbeat_ttl, t);
        at = at > silent ? at : silent;
        other = roster_lapse_ms(m, t);
        at = at > other ? at : other;
        other = n->term.barrier_end_ms;
        at = at > other ? at : other;
    }
    if (m->has_joiner)
        return at; /* it is back: nothing is to be waited for but its old lease */
    if (n->had_outage || n->had_log_outage)
        return UINT64_MAX; /* recovery_grace is still to begin */
    /* Who was heard since then is back: its silence is its own. */
    if (n->lead.recovered_ms > 0 &&
        !(m->is_heard && m->heard_ms >= n->lead.recovered_ms)) {
        other = n->lead.recovered_ms + t->recovery_grace;
        at = at > other ? at : other;
    }
    return at + t->emergency_grace;
}

static void expire(struct node *n, struct mate *m)
{
    bool owns = !transfer_is_free(&n->transfer, m->head.num);

    m->is_expired = true;
    node_tell(n, "%s expired%s", m->head.id,
              m->has_joiner ? ", back as a new session" : "");
    if (!owns || m->has_joiner) {
        if (owns)
            window_left(&n->window);
        return;
    }
    if (m->head.state == MEMBER_ACTIVE) {
        window_lost(&n->window, &n->conf.timing, n->now_ms);
        n->lead.is_emergency = true;
    } else {
        window_left(&n->window);
    }
}

static void watch_member(struct node *n, struct mate *m)
{
    uint64_t grace = m->away_ms + n->conf.timing.restart_grace;

    if (m->is_expired)
        return;
    if ((m->flags & HEARTBEAT_DRAINS) != 0 && !m->has_told) {
        m->has_told = true;
        node_tell(n, "%s wants to leave", m->head.id);
        window_left(&n->window);
    }
    if (n->now_ms < plan_expires_ms(n, m->head.num))
        return;
    if (m->head.state == MEMBER_AWAY && !m->has_joiner && n->now_ms < grace)
        return;
    expire(n, m);
}

bool plan_is_possible(const struct node *n)
{
    return n->lead.is_listed || n->transfer.wanted > 0;
}

/* ---- asking
 * ---------------------------------------------------------------------------------- */

static void fill_workers(struct node *n)
{
    struct plan *p = &n->plan;

    p->worker_n = 0;
    for (uint32_t num = 0; num < n->roster.n; num++) {
        struct mate *m = &n->roster.mate[num];
        bool is_candidate = plan_is_candidate(n, num);

        if (!is_candidate && !is_away(m))
            continue;
        p->session[p->worker_n] = is_reborn(m) ? m->joiner.session : m->head.session;
        p->worker[p->worker_n++] = (struct plan_worker){
            .id = m->head.id,
            .num = num,
            .capacity = is_reborn(m) ? m->joiner.capacity : m->head.capacity,
            .zone = is_reborn(m) ? m->joiner.zone : m->head.zone,
            .is_new = !m->was_planned,
            .is_cordoned = !is_candidate};
        m->was_planned = m->was_planned || is_candidate;
    }
}

static uint32_t count_candidates(const struct node *n)
{
    uint32_t candidates = 0;

    for (uint32_t num = 0; num < n->roster.n; num++)
        candidates += plan_is_candidate(n, num) ? 1 : 0;
    return candidates;
}

static void ask_plan(struct node *n, enum cause cause)
{
    struct plan *p = &n->plan;
    struct plan_request *r = &p->request;
    uint32_t active = count_candidates(n);

    fill_workers(n);
    window_planned(&n->window, &n->conf.timing, n->now_ms, active);
    n->lead.planned_set = plan_members_print(n);
    n->lead.review_ms = 0;
    p->number = ++n->op;
    p->asked_ms = n->now_ms;
    p->cause = cause;
    *r = (struct plan_request){.plan = p->number,
                               .cause = cause,
                               .stamp = {n->lead.gen, n->lead.head.stamp.epoch + 1},
                               .worker_n = p->worker_n,
                               .worker = p->worker,
                               .prev_n = n->roster.n,
                               .prev_to_now = p->prev_to_now};
    for (uint32_t num = 0; num <= n->roster.n; num++)
        p->prev_to_now[num] = p->worker_n;
    for (uint32_t i = 0; i < p->worker_n; i++)
        p->prev_to_now[p->worker[i].num] = i;
    transfer_request(&n->transfer, r);
    node_tell(n, "plan (%s): %u partitions, %u workers", cause_name(cause), r->part_n,
              p->worker_n);
    if (active == 0) {
        /* Nobody may be given anything: what the leavers hold is parked with them. */
        for (uint32_t i = 0; i < r->part_n; i++)
            p->owner[i] =
                r->part_prev[i] < n->roster.n && is_away(&n->roster.mate[r->part_prev[i]])
                    ? r->part_prev[i]
                    : NUM_NONE;
        p->state = PLAN_READY;
        return;
    }
    p->state = PLAN_ASKED;
    emit(n->out, ACT_PLAN)->plan = r;
}

/* ---- answers
 * --------------------------------------------------------------------------------- */

/* The plan's cause is to be served again. */
static void want_again(struct node *n)
{
    n->plan.state = PLAN_NONE;
    if (n->plan.cause == CAUSE_EMERGENCY)
        n->lead.is_emergency = true;
    n->window.wants_now = true;
    n->window.now_cause = n->plan.cause;
}

/* Is every worker that was asked about still what it was? */
static bool workers_still_hold(const struct node *n)
{
    for (uint32_t i = 0; i < n->plan.worker_n; i++) {
        const struct plan_worker *w = &n->plan.worker[i];
        const struct mate *m = &n->roster.mate[w->num];
        struct session s = is_reborn(m) ? m->joiner.session : m->head.session;
        bool is_good = w->is_cordoned ? is_away(m) : plan_is_candidate(n, w->num);

        if (!is_good || !session_equal(s, n->plan.session[i]))
            return false;
    }
    return true;
}

/* A plan that we gave up says nothing of the strategy. */
static void note_answer(struct node *n, const struct event *ev)
{
    const char *why = ev->planned.why;

    if (ev->planned.status == STATUS_OK)
        trouble_answered(&n->lead.strategy, n->now_ms);
    else if (ev->planned.status != STATUS_CANCELED || why != NULL)
        trouble_failed(&n->lead.strategy,
                       why != NULL ? why : "the strategy has no answer", n->now_ms);
}

void plan_answered(struct node *n, const struct event *ev)
{
    struct plan *p = &n->plan;

    if (p->state != PLAN_ASKED || ev->planned.plan != p->number)
        return;
    note_answer(n, ev);
    if (ev->planned.status != STATUS_OK || ev->planned.keep || !place_taken(n, ev)) {
        node_tell(n, ev->planned.keep ? "the strategy keeps the present"
                                      : "the strategy has no answer");
        place_by_hand(n);
        if (ev->planned.status != STATUS_OK || !ev->planned.keep)
            window_set_changed(&n->window,
                               false); /* L9: asked again, at the rate limit */
    }
    p->state = PLAN_READY;
}

/* ---- carrying out
 * ------------------------------------------------------------------------------ */

/* Expired members leave with the head to come, all that can: one that lists what is
 * pending on another may go only if that one goes, too. */
static void choose_drops(struct node *n)
{
    bool again = true;

    while (again) {
        again = false;
        for (uint32_t num = 0; num < n->roster.n; num++) {
            struct seat *s = &n->transfer.seat[num];

            if (s->is_dropped && !n->roster.mate[num].has_joiner &&
                transfer_blocks_drop(&n->transfer, num)) {
                s->is_dropped = false;
                again = true;
            }
        }
    }
}

static void fill_seats(struct node *n)
{
    for (uint32_t num = 0; num < n->roster.n; num++) {
        const struct mate *m = &n->roster.mate[num];
        struct seat *s = &n->transfer.seat[num];

        s->session = m->is_member ? m->head.session : (struct session){0};
        s->released = m->head.released;
        s->is_dropped = m->is_member && m->is_expired;
    }
    choose_drops(n);
    for (uint32_t num = 0; num < n->roster.n; num++) {
        const struct mate *m = &n->roster.mate[num];
        struct seat *s = &n->transfer.seat[num];

        s->next_session = s->session;
        if (s->is_dropped)
            s->next_session = m->has_joiner ? m->joiner.session : (struct session){0};
    }
}

static void start_writing(struct node *n)
{
    struct plan *p = &n->plan;

    if (!workers_still_hold(n)) {
        node_tell(n, "the plan is out of date");
        want_again(n);
        return;
    }
    transfer_desire(&n->transfer, p->owner, p->request.part_n);
    fill_seats(n);
    if (!transfer_begin(&n->transfer, n->lead.head.stamp.epoch + 1)) {
        node_tell(n, "nothing moves");
        p->state = PLAN_NONE;
        n->lead.is_emergency = n->lead.is_emergency && n->transfer.pending > 0;
        return;
    }
    p->state = PLAN_WRITING;
    p->seat = 0;
    p->chunk = 0;
    p->record_n = 0;
}

/* A plan that was under way may give to somebody who has expired meanwhile. */
static void watch_expired(struct node *n)
{
    for (uint32_t num = 0; num < n->roster.n && !n->window.wants_now; num++) {
        const struct mate *m = &n->roster.mate[num];

        if (!m->is_member || !m->is_expired || !transfer_is_wanted(&n->transfer, num))
            continue;
        if (m->has_joiner) {
            window_left(&n->window);
        } else {
            window_lost(&n->window, &n->conf.timing, n->now_ms);
            n->lead.is_emergency = true;
        }
    }
}

/* Has an expired member kept something that it could not take along when it expired? */
static bool has_leftovers(const struct node *n)
{
    for (uint32_t num = 0; num < n->roster.n; num++) {
        const struct mate *m = &n->roster.mate[num];

        if (m->is_member && m->is_expired && !transfer_is_free(&n->transfer, num))
            return true;
    }
    return false;
}

/* Parked partitions whose owners are done with them leave the lists. */
static void start_tidying(struct node *n)
{
    n->plan.cause = CAUSE_REFRESH;
    transfer_desire_present(&n->transfer);
    fill_seats(n);
    if (!transfer_begin(&n->transfer, n->lead.head.stamp.epoch + 1))
        return;
    n->plan.state = PLAN_WRITING;
    n->plan.seat = 0;
    n->plan.chunk = 0;
    n->plan.record_n = 0;
}

/* ---- in every step
 * ---------------------------------------------------------------------------------- */

/* Opens or closes the window for those who have come since the newest plan. */
static void watch_joined(struct node *n)
{
    for (uint32_t num = 0; num < n->roster.n; num++) {
        if (is_active(&n->roster.mate[num]) && !n->roster.mate[num].was_planned) {
            window_joined(&n->window, &n->conf.timing, n->now_ms);
            return;
        }
    }
    if (n->window.is_open && plan_members_print(n) == n->lead.planned_set)
        window_nothing_changed(&n->window);
}

void plan_watch(struct node *n)
{
    struct lead *l = &n->lead;
    struct plan *p = &n->plan;
    enum cause cause;

    /* L3: nothing is granted or expired before the barrier; and nothing is decided by one
     * who may have been deposed meanwhile. */
    if (l->is_lost || l->suspicion != NULL || !l->is_loaded ||
        n->now_ms < n->term.barrier_end_ms || !lead_has_authority(n))
        return;
    roster_forget_silent(&n->roster, &n->conf.timing, n->now_ms);
    for (uint32_t num = 0; num < n->roster.n; num++)
        if (n->roster.mate[num].is_member)
            watch_member(n, &n->roster.mate[num]);
    watch_joined(n);
    if (p->state == PLAN_ASKED &&
        n->now_ms >= p->asked_ms + n->conf.timing.operation_timeout) {
        node_tell(n, "the strategy does not answer");
        trouble_failed(&n->lead.strategy, "the strategy does not answer", n->now_ms);
        place_by_hand(n);
        window_set_changed(&n->window, false);
        p->state = PLAN_READY;
    }
    bool is_free = n->writer.state == WRITER_IDLE || strcmp(n->writer.key, "head") != 0;

    if (p->state == PLAN_READY && is_free)
        start_writing(n);
    if (p->state != PLAN_NONE)
        return;
    if (l->wants_list && n->now_ms >= l->list_at_ms) {
        l->wants_list = false;
        emit(n->out, ACT_LIST)->list.commanded = l->is_list_commanded;
        l->is_list_commanded = false;
        return;
    }
    watch_expired(n);
    if (l->is_listed && l->review_ms != 0 && n->now_ms >= l->review_ms)
        window_set_changed(&n->window, false);
    uint32_t active = count_candidates(n);

    if (n->transfer.unowned > 0 && active > 0 && !n->window.wants_set)
        window_set_changed(&n->window, false);
    if (plan_is_possible(n) &&
        window_is_due(&n->window, &n->conf.timing, n->now_ms, active, &cause))
        ask_plan(n, cause);
    else if (is_free && (transfer_wants_tidying(&n->transfer) || has_leftovers(n)))
        start_tidying(n);
}

enum phase plan_phase(const struct node *n)
{
    if (n->lead.is_emergency)
        return PHASE_EMERGENCY;
    if (n->plan.state != PLAN_NONE || n->transfer.pending > 0)
        return PHASE_REBALANCING;
    return n->window.is_open ? PHASE_SCALING : PHASE_STABLE;
}

uint64_t plan_wake_ms(const struct node *n)
{
    uint64_t wake = window_wake_ms(&n->window, &n->conf.timing);

    wake = wake > n->now_ms ? wake : UINT64_MAX;
    if (n->lead.wants_list && n->lead.list_at_ms > n->now_ms && n->lead.list_at_ms < wake)
        wake = n->lead.list_at_ms;
    if (n->lead.review_ms > n->now_ms && n->lead.review_ms < wake)
        wake = n->lead.review_ms;
    for (uint32_t num = 0; num < n->roster.n; num++) {
        const struct mate *m = &n->roster.mate[num];
        uint64_t at;

        if (!m->is_member || m->is_expired)
            continue;
        at = plan_expires_ms(n, num);
        if (m->head.state == MEMBER_AWAY && !m->has_joiner) {
            uint64_t grace = m->away_ms + n->conf.timing.restart_grace;

            at = at > grace ? at : grace;
        }
        if (at > n->now_ms && at < wake)
            wake = at;
    }
    return wake;
}
