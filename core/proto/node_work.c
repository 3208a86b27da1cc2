/* The worker's side of a node: join, heartbeats, heads, lease, leaving. */
#include "proto/node_state.h"

#include <string.h>

bool work_has_lease(const struct node *n)
{
    return n->me.is_joined &&
           (n->conf.ownership == OWNERSHIP_AVAILABLE || n->now_ms < n->me.deadline_ms);
}

static bool is_strict(const struct node *n)
{
    return n->conf.ownership == OWNERSHIP_STRICT;
}

/* ---- what goes out ------------------------------------------------------------------
 */

static void send_heartbeat(struct node *n, struct session leader, uint64_t k)
{
    struct member *m = &n->me;
    uint8_t flags = 0;

    if (session_is_none(n->term.leader) || !n->is_up)
        return;
    if (m->leaving == LEAVING_DRAIN)
        flags = HEARTBEAT_DRAINS;
    else if (m->leaving == LEAVING_RESTART && n->hold.held + n->hold.stopping == 0)
        flags = HEARTBEAT_IS_AWAY;
    n->message = (struct message){.type = MSG_HEARTBEAT};
    n->message.heartbeat = (struct heartbeat){
        .session = m->session,
        .addr = n->conf.addr,
        .num = m->is_joined ? m->num : UINT32_MAX,
        .leader = leader,
        .k = k,
        .seen = m->seen,
        .applied = n->applied.stamp,
        .applied_hash = n->applied.hash,
        .released = hold_released_through(&n->hold, n->applied.stamp.epoch),
        .flags = flags,
        .unread = n->unread,
    };
    bytes_to_text(bytes_of(n->unread_why), n->message.heartbeat.unread_why, TROUBLE_ROOM);
    node_send(n, n->term.leader_addr);
    if (!session_is_none(leader))
        member_sent(m, leader, k, n->now_ms);
    m->heartbeat_at_ms = n->now_ms + n->conf.timing.heartbeat_interval;
}

static void send_join(struct node *n)
{
    struct join *j = &n->message.join;

    if (session_is_none(n->term.leader) || !n->is_up || n->me.leaving != LEAVING_NO)
        return;
    n->message = (struct message){.type = MSG_JOIN};
    j->session = n->me.session;
    j->addr = n->conf.addr;
    j->wish = n->me.wish;
    j->pid = n->conf.pid;
    j->capacity = n->conf.capacity;
    bytes_to_text(bytes_of(n->host), j->host, sizeof j->host);
    bytes_to_text(bytes_of(n->zone), j->zone, sizeof j->zone);
    node_send(n, n->term.leader_addr);
    n->me.join_at_ms = n->now_ms + 2 * n->conf.timing.heartbeat_interval;
}

/* ---- the lease ------------------------------------------------------------------------
 */

/* Shows the application how long it may hold, and takes up what the head allows. */
static void take_up(struct node *n)
{
    struct member *m = &n->me;

    if (!member_may_take(m, n->now_ms, n->conf.ownership, n->conf.timing.fence_margin))
        return;
    uint64_t until = is_strict(n) ? m->deadline_ms : UINT64_MAX;

    if (m->shown_ms != until) {
        emit(n->out, ACT_HOLD)->hold.until_ms = until;
        m->shown_ms = until;
    }
    hold_grant(&n->hold, n->applied.stamp.epoch, n->out);
}

static void tell_fence(struct node *n, const char *reason, uint64_t at_ms)
{
    struct action *a = emit(n->out, ACT_FENCED);

    a->fenced.reason = reason;
    a->fenced.at_ms = at_ms;
    node_tell(n, "fenced at %llu: %s", (unsigned long long)at_ms, reason);
}

/* W2: at deadline - S the application is told; at the deadline everything ends, a stop
 * that was under way too, and no later bit brings it back. */
static void run_fence(struct node *n)
{
    struct member *m = &n->me;

    if (!is_strict(n))
        return;
    if (m->fenced_until_ms != FENCE_NONE_MS) {
        if (n->now_ms < m->fenced_until_ms)
            return;
        (void)hold_fence(&n->hold);
        m->fenced_until_ms = FENCE_NONE_MS;
        return;
    }
    if (n->hold.held + n->hold.stopping == 0 ||
        sat_add(n->now_ms, n->conf.timing.fence_margin) < m->deadline_ms)
        return;
    tell_fence(n, "the lease was not renewed", m->deadline_ms);
    hold_fence_begin(&n->hold, n->applied.stamp.epoch);
    m->fenced_until_ms = m->deadline_ms;
    if (n->now_ms >= m->fenced_until_ms)
        run_fence(n);
}

/* W5: drop all, new session, join again; the old number is asked for. */
static void lose_session(struct node *n, const char *reason)
{
    struct member *m = &n->me;

    node_tell(n, "session lost: %s", reason);
    if (hold_fence(&n->hold) && m->fenced_until_ms == FENCE_NONE_MS)
        tell_fence(n, reason, n->now_ms);
    m->fenced_until_ms = FENCE_NONE_MS;
    emit(n->out, ACT_HOLD)->hold.until_ms = n->now_ms;
    m->shown_ms = n->now_ms;
    emit(n->out, ACT_ID)->id.id = "";
    m->wish = (int64_t)m->num;
    member_renew(m, (struct session){rand_next(&n->rand), rand_next(&n->rand)});
    (void)hold_load(&n->hold, NULL, 0);
    n->own = (struct own_ref){.slot = OWN_SLOT_NONE};
    if (m->leaving != LEAVING_NO)
        m->has_left = true;
    else
        n->is_reborn = true;
}

/* ---- heads --------------------------------------------------------------------------
 */

/* W3: n->next takes the place of n->applied; revokes first, grants after. */
void work_apply(struct node *n, const struct head_member *mine)
{
    struct member *m = &n->me;
    uint64_t before = n->applied.stamp.epoch;
    bool is_first = mine != NULL && !m->is_joined;

    n->fetch.has_next = false;
    n->fetch.retry_ms = 0;
    n->fetch.ask_ms = 0;
    head_copy(&n->applied, &n->next);
    node_tell(n, "apply epoch %llu (%s)", (unsigned long long)n->applied.stamp.epoch,
              cause_name(n->applied.cause));
    if (mine == NULL) {
        if (m->is_joined)
            lose_session(n, "the head has no such session any more");
        return;
    }
    m->is_joined = true;
    m->num = mine->num;
    m->born = mine->born;
    n->own = mine->own;
    if (is_first) {
        bytes_to_text(bytes_of(mine->id), m->id, sizeof m->id);
        emit(n->out, ACT_ID)->id.id = m->id;
        node_tell(n, "id %s", m->id);
    }
    hold_judge(&n->hold, &n->applied, mine->state == MEMBER_AWAY, before, n->out);
    take_up(n);
    if (is_first && !session_is_none(m->heard) &&
        member_may_echo(m, m->heard, m->heard_k))
        send_heartbeat(n, m->heard, m->heard_k); /* so that the next beacon has our bit */
    else
        send_heartbeat(n, (struct session){0}, 0);
}

/* ---- what comes in
 * --------------------------------------------------------------------- */

static void on_new_leader(struct node *n, const struct beacon *b)
{
    node_tell(n, "leader %s, term %llu", b->id, (unsigned long long)b->term);
    n->me.join_at_ms = n->now_ms;
    if (b->id[0] == '\0')
        return; /* it has no id yet; it will be told when it has */
    struct action *a = emit(n->out, ACT_LEADER);

    a->leader.term = b->term;
    a->leader.id = n->term.leader_id;
}

/* Our place among the members: who stands up first when the leader is gone. */
static void wait_for_leader(struct node *n, uint64_t from_ms)
{
    uint32_t rank = 0;

    for (uint32_t i = 0; i < n->applied.n; i++)
        rank += n->applied.member[i].num < n->me.num ? 1 : 0;
    term_wait(&n->term, &n->conf.timing, n->me.is_joined, rank, n->applied.n, &n->rand,
              from_ms);
}

void work_hear_beacon(struct node *n, const struct beacon *b)
{
    struct member *m = &n->me;

    switch (term_hear(&n->term, b, n->now_ms)) {
    case HEARD_STALE: return;
    case HEARD_NEW: on_new_leader(n, b); break;
    case HEARD_KNOWN: break;
    }
    n->term.is_probe = false; /* whatever the log may hold, there was a leader */
    if (b->addr != n->conf.addr) {
        if ((n->term.role == ROLE_LEADING || n->term.role == ROLE_READING_HEAD) &&
            b->term > n->term.mine)
            lead_step_down(n, "a higher term is heard");
        /* The server is there for others, and somebody waits for those who are not back:
         * we need not, if we lead again. */
        if (b->allowance_ms > 0) {
            n->had_outage = n->had_log_outage = false;
            n->lead.recovered_ms = 0;
        }
        /* A lease that is being written decides by itself. */
        if (n->term.role != ROLE_WRITING_LEASE && term_is_candidate(&n->term) &&
            b->allowance_ms > 0)
            lead_step_down(n, "the leader lives");
    }
    n->phase = b->phase;
    bytes_to_text(bytes_of(b->trouble), n->trouble, sizeof n->trouble);
    m->heard = b->leader;
    m->heard_k = b->k;
    if ((b->flags & BEACON_RESIGNS) != 0)
        wait_for_leader(n, sat_sub(n->now_ms, n->conf.timing.election_timeout));
    else if (b->allowance_ms > 0)
        wait_for_leader(n, n->now_ms);
    if (stamp_compare(b->head, m->seen) > 0)
        m->seen = b->head;
    if (stamp_compare(b->head, n->applied.stamp) > 0 && n->fetch.ask_ms == 0 &&
        !(n->fetch.has_next && stamp_compare(n->next.stamp, b->head) >= 0))
        n->fetch.ask_ms = n->now_ms + HEAD_LATE_MS;
    if (member_extend(m, b, n->applied.stamp, n->applied.hash,
                      n->conf.timing.heartbeat_ttl))
        take_up(n);
    if (m->is_joined && member_may_echo(m, b->leader, b->k))
        send_heartbeat(n, b->leader, b->k);
}

void work_deny(struct node *n, const struct deny *d)
{
    if (session_equal(d->session, n->me.session))
        node_error(n, ERR_ID_NONE_FREE,
                   "no worker id is free; raise [worker] id_max or stop a worker");
}

void work_released(struct node *n, uint64_t epoch)
{
    hold_released(&n->hold, epoch, n->out);
    take_up(n);
    /* The leader waits for this: it need not wait for the next beacon. */
    if (n->me.is_joined)
        send_heartbeat(n, (struct session){0}, 0);
}

void work_stop(struct node *n, bool is_restart)
{
    struct member *m = &n->me;

    if (m->leaving != LEAVING_NO)
        return;
    node_tell(n, is_restart ? "stop, to come back" : "stop");
    m->leaving = is_restart ? LEAVING_RESTART : LEAVING_DRAIN;
    if (!m->is_joined) {
        m->has_left = true;
        return;
    }
    if (is_restart)
        hold_stop_all(&n->hold, n->applied.stamp.epoch, n->out);
    send_heartbeat(n, (struct session){0}, 0);
}

/* Leaving is done when the head says so and nobody waits for us. */
static bool has_left(const struct node *n)
{
    const struct head_member *mine;

    if (n->me.leaving == LEAVING_NO || n->hold.held + n->hold.stopping > 0)
        return false;
    mine = head_find(&n->applied, n->me.session);
    if (mine == NULL)
        return true;
    if (n->me.leaving == LEAVING_RESTART)
        return mine->state == MEMBER_AWAY;
    for (uint32_t i = 0; i < n->hold.now.n; i++)
        if (n->hold.now.entry[i].is_listed && !n->hold.now.entry[i].is_parked)
            return false;
    return mine->state == MEMBER_DRAINING &&
           (mine->own.slot == OWN_SLOT_NONE || mine->released >= mine->own.epoch);
}

void work_run(struct node *n)
{
    struct member *m = &n->me;

    run_fence(n);
    take_up(n);
    fetch_run(n);
    if (n->is_up && m->is_joined && n->now_ms >= m->heartbeat_at_ms)
        send_heartbeat(n, (struct session){0}, 0);
    if (n->is_up && !m->is_joined && n->now_ms >= m->join_at_ms)
        send_join(n);
    if (has_left(n))
        m->has_left = true;
}

uint64_t work_wake_ms(const struct node *n)
{
    const struct member *m = &n->me;
    uint64_t wake = UINT64_MAX;
    uint64_t at[6] = {UINT64_MAX, UINT64_MAX, UINT64_MAX,
                      UINT64_MAX, UINT64_MAX, UINT64_MAX};

    if (n->is_up && !session_is_none(n->term.leader))
        at[0] = m->is_joined ? m->heartbeat_at_ms : m->join_at_ms;
    if (is_strict(n) && m->fenced_until_ms != FENCE_NONE_MS)
        at[1] = m->fenced_until_ms;
    else if (is_strict(n) && n->hold.held + n->hold.stopping > 0)
        at[1] = sat_sub(m->deadline_ms, n->conf.timing.fence_margin);
    if (n->fetch.has_next && !n->fetch.is_reading && n->fetch.retry_ms != 0)
        at[2] = n->fetch.retry_ms;
    if (n->fetch.ask_ms != 0)
        at[3] = n->fetch.ask_ms;
    if (is_strict(n) && m->is_joined && m->deadline_ms > n->now_ms)
        at[4] = m->deadline_ms;
    for (int i = 0; i < 6; i++)
        wake = at[i] < wake ? at[i] : wake;
    return wake;
}
