/* What the leader writes, one conditional write at a time: lease renewals, own records of
 * a plan, heads.
 *
 * Every write expects a sequence that was acked to this leader, never a predicted one
 * (protocol.md, Storage: the model refutes pipelining).
 */
#include "proto/node_state.h"

#include "base/hash.h"
#include "base/status.h"

#include <string.h>

/* ---- building a head
 * --------------------------------------------------------------------- */

static void seat_joiner(struct node *n, struct head_member *m, const struct mate *mate,
                        uint32_t num, uint64_t epoch)
{
    const struct join *j = &mate->joiner;
    struct json_name {
        char text[ID_ROOM];
    } id;
    char digits[12];
    uint32_t at = sizeof digits - 1, rest = num;

    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    bytes_to_text(bytes_of(n->prefix), id.text, sizeof id.text - sizeof digits - 1);
    size_t used = strlen(id.text);

    id.text[used] = '-';
    memcpy(id.text + used + 1, digits + at, sizeof digits - at);

    *m = (struct head_member){.num = num,
                              .session = j->session,
                              .pid = j->pid,
                              .capacity = j->capacity,
                              .state = MEMBER_ACTIVE,
                              .born = epoch,
                              .released = epoch, /* so that no old demand opens again */
                              .own.slot = OWN_SLOT_NONE};
    memcpy(m->id, id.text, sizeof m->id);
    memcpy(m->host, j->host, sizeof m->host);
    memcpy(m->zone, j->zone, sizeof m->zone);
}

/* Does the session at this number leave with the head to come? */
static bool is_dropped_now(const struct node *n, uint32_t num)
{
    const struct mate *m = &n->roster.mate[num];

    if (!m->is_member || !m->is_expired)
        return false;
    if (n->lead.is_lost)
        return n->now_ms >= n->lead.start_over_ms;
    if (n->plan.state == PLAN_WRITING)
        return n->transfer.seat[num].is_dropped;
    return transfer_is_free(&n->transfer, num);
}

static enum member_state state_now(const struct mate *m)
{
    if ((m->flags & HEARTBEAT_IS_AWAY) != 0)
        return MEMBER_AWAY;
    if ((m->flags & HEARTBEAT_DRAINS) != 0)
        return MEMBER_DRAINING;
    return m->head.state;
}

/* May the joiner of this number be a member of the head to come? */
static bool is_seated_now(const struct node *n, uint32_t num)
{
    const struct mate *m = &n->roster.mate[num];

    if (!m->has_joiner)
        return false;
    if (!m->is_member)
        return n->plan.state != PLAN_WRITING || !n->transfer.seat[num].is_changed;
    return is_dropped_now(n, num);
}

/* L3: it comes before the first grant, release or expiry. */
static bool barrier_is_over(const struct node *n)
{
    return n->lead.is_loaded && n->now_ms >= n->term.barrier_end_ms;
}

static void build_members(struct node *n, uint64_t epoch)
{
    struct head *b = &n->lead.build;

    b->n = 0;
    for (uint32_t num = 0; num < n->roster.n; num++) {
        const struct mate *mate = &n->roster.mate[num];
        struct head_member *m = &b->member[b->n];
        bool is_new = is_seated_now(n, num);

        if (is_new) {
            seat_joiner(n, m, mate, num, epoch);
            n->term.quick = QUICK_BEACONS; /* it needs its first bit */
        } else if (mate->is_member && !is_dropped_now(n, num)) {
            *m = mate->head;
            /* L3: before the barrier a head adds members and says nothing else new. */
            if (barrier_is_over(n)) {
                m->state = state_now(mate);
                if (mate->has_report && mate->reported > m->released)
                    m->released = mate->reported;
            }
        } else {
            continue;
        }
        if (n->plan.state == PLAN_WRITING && n->transfer.seat[num].is_changed)
            m->own = n->plan.ref[num];
        b->n++;
    }
}

static enum cause cause_now(const struct node *n)
{
    bool joins = false, drops = false;

    if (n->plan.state == PLAN_WRITING)
        return n->plan.cause;
    for (uint32_t num = 0; num < n->roster.n; num++) {
        const struct mate *m = &n->roster.mate[num];

        joins = joins || is_seated_now(n, num);
        drops = drops || is_dropped_now(n, num);
        if (m->is_member && barrier_is_over(n) && state_now(m) != m->head.state)
            return CAUSE_LEAVE;
    }
    if (joins)
        return CAUSE_JOIN;
    return drops ? CAUSE_DROP : CAUSE_RELEASE;
}

static void write_head(struct node *n)
{
    struct lead *l = &n->lead;
    struct writer *w = &n->writer;
    struct head *b = &l->build;
    bool is_new_gen = l->head.stamp.epoch == 0 || l->is_lost;

    b->stamp = (struct stamp){l->gen, l->head.stamp.epoch + 1};
    if (is_new_gen) {
        /* A generation that was never used: above all that anybody has seen. */
        uint64_t above =
            l->seen.gen > l->head.stamp.gen ? l->seen.gen : l->head.stamp.gen;

        above = n->me.seen.gen > above ? n->me.seen.gen : above;
        b->stamp.gen = above + 1 > n->wall_s ? above + 1 : n->wall_s;
        b->stamp.epoch =
            (l->seen.epoch > l->head.stamp.epoch ? l->seen.epoch : l->head.stamp.epoch) +
            1;
    }
    b->term = n->term.mine;
    b->prev_hash = is_new_gen ? 0 : l->head.hash;
    b->cause = cause_now(n);
    b->set_hash = l->set_hash;
    b->set_count = n->transfer.wanted;
    bytes_to_text(bytes_of(n->strategy), b->strategy, sizeof b->strategy);
    build_members(n, b->stamp.epoch);
    w->n = head_encode(b, n->build_bytes, n->conf.chunk_max);
    if (w->n == 0) {
        node_error(n, ERR_RECORD_SIZE,
                   "the head is larger than half of the server's max_payload; raise "
                   "max_payload or use fewer workers");
        lead_step_down(n, "the head does not fit");
        return;
    }
    w->data = n->build_bytes;
    w->expect_seq = l->last_seq;
    w->has_key_seq = true; /* a stale read of the head must not become the next head */
    w->expect_key_seq = l->key_seq;
    (void)memcpy(w->key, "head", sizeof "head");
    node_tell(n, "write head %llu (%s)", (unsigned long long)b->stamp.epoch,
              cause_name(b->cause));
    writer_start(w, n->now_ms, &n->op, n->out);
}

/* L2: a read may be stale, a bit by a stale head would bring back to life who has been
 * given up since.  So the head that was read is written once more as it is; that it is
 * the newest one is the condition, and nothing but its sequence changes. */
static void prove_head(struct node *n)
{
    struct writer *w = &n->writer;

    w->data = n->head_bytes;
    w->n = n->lead.head_n;
    w->expect_seq = n->lead.last_seq;
    w->has_key_seq = true;
    w->expect_key_seq = n->lead.key_seq;
    (void)memcpy(w->key, "head", sizeof "head");
    writer_start(w, n->now_ms, &n->op, n->out);
}

/* ---- own records of a plan
 * --------------------------------------------------------------- */

/* Writes the next chunk of the next record; false when all are written. */
static bool write_record(struct node *n)
{
    struct plan *p = &n->plan;
    struct writer *w = &n->writer;
    struct own_ref *ref;

    while (p->seat < n->roster.n && !n->transfer.seat[p->seat].is_changed)
        p->seat++;
    if (p->seat == n->roster.n)
        return false;
    ref = &p->ref[p->seat];
    if (p->record_n == 0) {
        const struct mate *m = &n->roster.mate[p->seat];

        p->record_n = transfer_encode(&n->transfer, p->seat, n->lead.gen, n->record_bytes,
                                      n->conf.record_max);
        if (p->record_n == 0) {
            node_error(n, ERR_RECORD_SIZE,
                       "one worker's list of partitions is too long; "
                       "start more workers");
            lead_step_down(n, "an own record does not fit");
            return true;
        }
        p->chunk = 0;
        /* The slot that the present head does not name. */
        *ref = (struct own_ref){
            .slot = m->is_member && m->head.own.slot == 0 ? 1 : 0,
            .epoch = n->transfer.epoch,
            .hash = hash_bytes(n->record_bytes, p->record_n),
            .count = n->transfer.seat[p->seat].count,
            .size = (uint32_t)p->record_n,
            .chunks = (uint32_t)((p->record_n - 1) / n->conf.chunk_max) + 1};
    }
    size_t from = (size_t)p->chunk * n->conf.chunk_max;
    size_t rest = p->record_n - from;
    struct head_member seated;
    const char *id = n->roster.mate[p->seat].head.id;

    if (!n->roster.mate[p->seat].is_member) {
        seat_joiner(n, &seated, &n->roster.mate[p->seat], p->seat, 0);
        id = seated.id;
    }
    own_key(w->key, id, ref->slot, p->chunk);
    w->data = n->record_bytes + from;
    w->n = rest < n->conf.chunk_max ? rest : n->conf.chunk_max;
    w->expect_seq = n->lead.last_seq;
    w->has_key_seq = false;
    writer_start(w, n->now_ms, &n->op, n->out);
    return true;
}

/* ---- which write is next
 * --------------------------------------------------------------------- */

/* Somebody's report satisfies a demand; they share a head if they come together. */
static bool releases_are_due(struct node *n)
{
    struct lead *l = &n->lead;
    bool any = false, all = true;

    for (uint32_t num = 0; num < n->roster.n && n->transfer.awaited > 0; num++) {
        const struct seat *s = &n->transfer.seat[num];
        const struct mate *m = &n->roster.mate[num];

        if (s->awaited_max == 0)
            continue;
        any = any || (m->has_report && m->reported >= s->awaited_min);
        all = all && m->has_report && m->reported >= s->awaited_max;
    }
    if (!any) {
        l->release_ms = 0;
        return false;
    }
    if (l->release_ms == 0)
        l->release_ms = n->now_ms;
    return all || n->now_ms >= l->release_ms + RELEASE_BATCH_MS;
}

static bool joins_are_due(const struct node *n)
{
    bool any = false;

    if (n->roster.joiners == 0 || n->now_ms < n->roster.first_joiner_ms + JOIN_BATCH_MS)
        return false;
    for (uint32_t num = 0; num < n->roster.n; num++)
        any = any || is_seated_now(n, num);
    return any;
}

/* Does this member's change of state need a head of its own?  One that drains is marked
 * by the head of the plan that empties it, unless there was nothing to plan. */
static bool state_is_due(const struct node *n, const struct mate *m)
{
    enum member_state state = state_now(m);

    if (m->is_expired || state == m->head.state)
        return false;
    return state != MEMBER_DRAINING ||
           (n->plan.state == PLAN_NONE && !(n->window.wants_now && plan_is_possible(n)));
}

/* Drops, changes of state, and what a leaver waits for. */
static bool members_are_due(const struct node *n)
{
    for (uint32_t num = 0; num < n->roster.n; num++) {
        const struct mate *m = &n->roster.mate[num];

        if (!m->is_member)
            continue;
        if (is_dropped_now(n, num) || state_is_due(n, m))
            return true;
        if (m->head.state == MEMBER_DRAINING && m->has_report &&
            m->reported > m->head.released && m->head.own.slot != OWN_SLOT_NONE &&
            m->head.released < m->head.own.epoch && m->reported >= m->head.own.epoch)
            return true;
    }
    return false;
}

static bool head_is_due(struct node *n)
{
    if (n->lead.is_lost)
        return n->now_ms >= n->lead.start_over_ms;
    if (joins_are_due(n))
        return true;
    if (!barrier_is_over(n))
        return false;
    bool releases = releases_are_due(n);

    return releases || members_are_due(n);
}

void head_write(struct node *n)
{
    if (!n->lead.is_proven) {
        prove_head(n);
        return;
    }
    if (n->lead.suspicion != NULL) {
        n->lead.is_suspicion_written = true;
        lead_renew(n);
        return;
    }
    if (n->now_ms >= n->term.t_kv_ms + n->conf.timing.leader_renew_interval) {
        lead_renew(n);
        return;
    }
    if (n->plan.state == PLAN_WRITING) {
        if (!write_record(n))
            write_head(n);
        return;
    }
    if (head_is_due(n))
        write_head(n);
}

/* ---- after the ack
 * --------------------------------------------------------------------------- */

static void on_head_acked(struct node *n)
{
    struct lead *l = &n->lead;
    uint32_t at = l->heads_next++ % HEADS_KEPT;
    /* One that was on its way when the loss was noticed is no new beginning. */
    bool starts_over = l->is_lost && l->build.stamp.gen != l->head.stamp.gen;

    head_copy(&l->head, &l->build);
    l->head.seq = n->writer.seq;
    l->key_seq = n->writer.seq;
    l->gen = l->head.stamp.gen;
    l->heads[at] = l->head.stamp;
    l->heads_hash[at] = l->head.hash;
    l->release_ms = 0;
    memcpy(n->head_bytes, n->build_bytes, n->writer.n);
    l->head_n = n->writer.n;
    if (starts_over) {
        l->is_lost = false;
        l->is_loaded = true;
        window_init(&n->window, true, 0);
        emit(n->out, ACT_LIST)->list.commanded = false;
    }
    must(roster_load(&n->roster, &l->head, n->now_ms) == 0);
    /* A loss that was noticed while this head was on its way: no bits for those whom it
     * added either. */
    for (uint32_t num = 0; l->is_lost && num < n->roster.n; num++)
        n->roster.mate[num].is_expired = n->roster.mate[num].is_member;
    if (n->plan.state == PLAN_WRITING) {
        l->rebalances++;
        l->moves += n->transfer.moved;
        transfer_commit(&n->transfer);
        n->plan.state = PLAN_NONE;
    }
    transfer_sweep(&n->transfer, &l->head);
    node_tell(n, "head %llu acked: %u members, %u pending, %u unowned",
              (unsigned long long)l->head.stamp.epoch, l->head.n, n->transfer.pending,
              n->transfer.unowned);
    if (l->is_emergency && n->transfer.pending + n->transfer.unowned == 0)
        l->is_emergency = false;
    n->term.beacon_at_ms = n->now_ms; /* tell of it at once */
}

void head_acked(struct node *n)
{
    bool was_head = strcmp(n->writer.key, "head") == 0;

    n->lead.last_seq = n->writer.seq;
    n->term.t_kv_ms = n->writer.sent_ms;
    n->writer.doubt_ms = term_auth_end_ms(&n->term, &n->conf.timing);
    if (n->lead.suspicion != NULL && n->lead.is_suspicion_written)
        load_start_over(n);
    if (was_head && !n->lead.is_proven) {
        n->lead.key_seq = n->writer.seq;
        n->lead.head.seq = n->writer.seq;
        lead_proven(n);
    } else if (was_head) {
        on_head_acked(n);
    } else if (strcmp(n->writer.key, "lease") != 0 && n->plan.state == PLAN_WRITING) {
        struct plan *p = &n->plan;

        if (++p->chunk == p->ref[p->seat].chunks) {
            p->seat++;
            p->record_n = 0;
        }
    }
}

uint64_t head_wake_ms(const struct node *n)
{
    const struct lead *l = &n->lead;
    uint64_t wake = n->term.t_kv_ms + n->conf.timing.leader_renew_interval, at;

    if (n->writer.state != WRITER_IDLE)
        wake = UINT64_MAX;
    if (n->roster.joiners > 0 && n->writer.state == WRITER_IDLE) {
        at = n->roster.first_joiner_ms + JOIN_BATCH_MS;
        wake = at > n->now_ms && at < wake ? at : wake;
    }
    if (l->release_ms != 0) {
        at = l->release_ms + RELEASE_BATCH_MS;
        wake = at > n->now_ms && at < wake ? at : wake;
    }
    if (l->is_lost && l->start_over_ms > n->now_ms)
        wake = l->start_over_ms < wake ? l->start_over_ms : wake;
    if (l->is_proven && !l->is_loaded && !l->is_lost && l->suspicion == NULL &&
        l->load_op == 0)
        wake = l->load_retry_ms < wake ? l->load_retry_ms : wake;
    if (n->term.barrier_end_ms > n->now_ms && n->term.barrier_end_ms < wake)
        wake = n->term.barrier_end_ms;
    return wake;
}
