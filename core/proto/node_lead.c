/* Candidate and leader: taking over, authority, beacons, what is heard from workers. */
#include "proto/node_state.h"

#include "base/status.h"

#include <string.h>

bool lead_is_heading(const struct node *n)
{
    return n->term.role == ROLE_LEADING;
}

bool lead_has_authority(const struct node *n)
{
    return n->conf.ownership == OWNERSHIP_AVAILABLE ||
           n->now_ms < term_auth_end_ms(&n->term, &n->conf.timing);
}

/* ---- taking over (L2)
 * ------------------------------------------------------------------ */

static void forget_leading(struct node *n)
{
    if (n->term.role == ROLE_LEADING)
        emit(n->out, ACT_LEAD)->lead.is_on = false;
    n->term.role = ROLE_FOLLOWER;
    n->had_log_outage = false; /* it was we and not the log */
    writer_reset(&n->writer);
    transfer_clear(&n->transfer);
    roster_clear(&n->roster);
    n->plan.state = PLAN_NONE;
    n->lead.is_loaded = false;
    n->lead.load_op = 0;
}

void lead_step_down(struct node *n, const char *why)
{
    if (n->term.role == ROLE_FOLLOWER)
        return;
    node_tell(n, "follow: %s", why);
    n->term.is_probe = false;
    n->term.op = 0;
    forget_leading(n);
    term_wait(&n->term, &n->conf.timing, n->me.is_joined, 0, 1, &n->rand, n->now_ms);
}

static void ask(struct node *n, enum role role, enum action_type type, const char *key)
{
    struct action *a = emit(n->out, type);

    n->term.tries = n->term.role == role ? n->term.tries + 1 : 0;
    n->term.role = role;
    a->log.op = n->term.op = ++n->op;
    a->log.timeout_ms =
        log_patience_ms(n->conf.timing.leader_renew_interval, n->term.tries);
    (void)memcpy(a->log.key, key, strlen(key) + 1);
}

/* Was the question lost, or its answer?  Then it is asked again: it changes nothing, and
 * whoever would begin anew would leave the group without a leader for longer. */
static bool asks_again(struct node *n, const struct event *ev)
{
    static const struct {
        enum role role;
        enum action_type type;
        const char *key;
    } question[] = {
        {ROLE_ASKING_INFO, ACT_LOG_INFO, ""},
        {ROLE_READING_LEASE, ACT_LOG_READ, "lease"},
        {ROLE_READING_HEAD, ACT_LOG_READ, "head"},
    };

    if (ev->log.status != STATUS_TIMEOUT || n->term.tries >= QUESTION_TRIES)
        return false;
    for (size_t i = 0; i < sizeof question / sizeof *question; i++)
        if (question[i].role == n->term.role) {
            ask(n, question[i].role, question[i].type, question[i].key);
            return true;
        }
    return false;
}

static void stand_up(struct node *n)
{
    n->lead.gen = 0;
    node_tell(n, "candidate");
    ask(n, ROLE_ASKING_INFO, ACT_LOG_INFO, "");
}

static void start_lease_write(struct node *n, uint64_t expect_seq)
{
    struct writer *w = &n->writer;
    struct lease_record lease = {.gen = n->lead.gen,
                                 .term = n->term.mine,
                                 .pid = n->conf.pid,
                                 .session = n->me.session,
                                 .addr = n->conf.addr,
                                 .nonce = rand_next(&n->rand)};

    bytes_to_text(bytes_of(n->me.id), lease.leader, sizeof lease.leader);
    bytes_to_text(bytes_of(n->host), lease.host, sizeof lease.host);
    if (term_is_candidate(&n->term)) {
        w->session = n->me.session; /* a leader keeps the name it won by */
        w->doubt_ms = 0;
    }
    lease.session = w->session;
    w->term = n->term.mine;
    w->n = lease_encode(&lease, n->lease_bytes, 1024);
    must(w->n > 0);
    w->data = n->lease_bytes;
    w->expect_seq = expect_seq;
    /* Who takes over goes by the lease that it read: a stale read of it, and with that a
     * term that was there before, is refused. */
    w->has_key_seq = n->term.role == ROLE_WRITING_LEASE;
    w->expect_key_seq = n->term.lease_seq;
    (void)memcpy(w->key, "lease", sizeof "lease");
    writer_start(w, n->now_ms, &n->op, n->out);
}

static void on_lease_read(struct node *n, const struct event *ev)
{
    struct lease_record lease = {0};

    if (ev->log.status == STATUS_OK &&
        lease_decode(&lease, ev->log.data, ev->log.n) == 0) {
        if (lease.term > n->term.seen) {
            n->term.seen = lease.term;
            /* The one we knew led an earlier term; this one gets its time to be heard. */
            n->term.leader = (struct session){0};
            n->term.is_probe = true;
        }
        if (n->term.is_probe) {
            lead_step_down(n, "there may be a leader");
            return;
        }
    } else if (ev->log.status != STATUS_NOTFOUND) {
        lead_step_down(n, "the lease cannot be read");
        return;
    }
    n->lead.is_term_lost = lease.term < n->term.seen;
    n->term.lease_seq = ev->log.status == STATUS_OK ? ev->log.seq : 0;
    n->term.mine = n->term.seen + 1;
    n->lead.gen = lease.gen;
    n->term.role = ROLE_WRITING_LEASE;
    start_lease_write(n, n->term.info_seq);
}

static void on_won(struct node *n)
{
    if (n->term.seen > n->term.mine) {
        /* W4: the word of our win was slow, and somebody has won since. */
        lead_step_down(n, "a higher term is heard");
        return;
    }
    node_tell(n, "won term %llu", (unsigned long long)n->term.mine);
    n->term.t_kv_ms = n->writer.sent_ms;
    n->writer.doubt_ms = term_auth_end_ms(&n->term, &n->conf.timing);
    n->term.is_probe = false;
    n->term.seen = n->term.mine;
    n->term.leader = n->writer.session;
    n->term.leader_addr = n->conf.addr;
    n->lead.last_seq = n->writer.seq;
    /* L3: until the old leader's authority, and every lease it may have given, has
     * surely ended, drift included. */
    n->term.barrier_end_ms =
        n->conf.ownership == OWNERSHIP_AVAILABLE
            ? n->now_ms
            : n->now_ms +
                  roster_stretch(n->conf.timing.leader_authority, &n->conf.timing);
    ask(n, ROLE_READING_HEAD, ACT_LOG_READ, "head");
}

static void begin_leading(struct node *n, bool is_first)
{
    struct lead *l = &n->lead;

    n->term.role = ROLE_LEADING;
    emit(n->out, ACT_LEAD)->lead.is_on = true;
    n->term.beacon_at_ms = n->now_ms;
    /* After those are expired who have died with the leader before. */
    l->review_ms = sat_add(n->term.barrier_end_ms, n->conf.timing.heartbeat_ttl);
    n->term.quick = QUICK_BEACONS; /* undisturbed workers get bits before they fence */
    l->is_proven = l->head_n == 0; /* with nothing there is nobody to give a bit to */
    l->is_loaded = false;
    l->is_listed = false;
    l->wants_list = false;
    l->list_at_ms = 0;
    l->is_lost = false;
    l->suspicion = NULL;
    l->is_emergency = false;
    l->source = l->strategy = (struct trouble){0};
    l->release_ms = 0;
    l->heads_next = 0;
    memset(l->heads, 0, sizeof l->heads);
    l->seen = (struct stamp){0};
    l->load_num = 0;
    l->load_chunk = 0;
    l->load_n = 0;
    l->load_retry_ms = 0;
    l->load_tries = 0;
    l->load_misses = 0;
    l->rebalances = 0;
    l->moves = 0;
    roster_clear(&n->roster);
    transfer_clear(&n->transfer);
    n->plan.state = PLAN_NONE;
    window_init(&n->window, l->head.set_count == 0, l->head.n);
    if (!is_first && roster_load(&n->roster, &l->head, n->now_ms) < 0)
        load_suspect(n, n->me.seen, "a number in the head is beyond id_max");
    /* Whoever was given a record counted in the old leader's plans; the others wait. */
    for (uint32_t i = 0; i < l->head.n; i++)
        if (l->head.member[i].num < n->roster.n)
            n->roster.mate[l->head.member[i].num].was_planned =
                l->head.member[i].own.slot != OWN_SLOT_NONE;
    l->planned_set = plan_members_print(n);
    n->me.join_at_ms = n->now_ms;
    emit(n->out, ACT_LIST)->list.commanded = false;
    if (l->is_term_lost)
        load_suspect(n, n->me.seen, "the log has an earlier term than was heard of");
}

void lead_proven(struct node *n)
{
    struct lead *l = &n->lead;

    l->is_proven = true;
    n->term.beacon_at_ms = n->now_ms;
    n->term.quick = QUICK_BEACONS;
    hear_seen(n, n->me.seen);
    hear_seen(n, l->seen);
}

static void on_head_read(struct node *n, const struct event *ev)
{
    struct lead *l = &n->lead;

    n->term.op = 0;
    if (ev->log.status == STATUS_NOTFOUND) {
        l->head = (struct head){.member = l->head.member};
        l->head_n = 0;
        l->key_seq = 0;
        begin_leading(n, true);
        return;
    }
    if (ev->log.status != STATUS_OK || ev->log.n > n->conf.chunk_max) {
        lead_step_down(n, "the head cannot be read");
        return;
    }
    l->key_seq = ev->log.seq;
    if (head_decode(&l->head, n->conf.members_max, ev->log.data, ev->log.n) < 0) {
        l->head = (struct head){.member = l->head.member};
        l->head_n = 0;
        begin_leading(n, true);
        load_suspect(n, n->me.seen, "the head does not decode");
        return;
    }
    memcpy(n->head_bytes, ev->log.data, ev->log.n);
    l->head_n = ev->log.n;
    l->gen = l->head.stamp.gen;
    begin_leading(n, false);
}

/* The log has taken something, and we lead: an outage is over.  Others may need a while
 * to be back, if the server was gone for them, too: recovery_grace begins. */
static void note_recovery(struct node *n)
{
    if (!lead_is_heading(n) || !lead_has_authority(n) || !n->is_up ||
        !(n->had_outage || n->had_log_outage))
        return;
    n->lead.recovered_ms = n->now_ms;
    n->had_outage = n->had_log_outage = false;
}

void lead_answer(struct node *n, const struct event *ev)
{
    struct term *t = &n->term;

    if (ev->log.op == n->lead.load_op && n->lead.load_op != 0) {
        load_answer(n, ev);
        return;
    }
    if (ev->log.op == n->writer.op && n->writer.op != 0) {
        switch (writer_answer(&n->writer, ev, &n->op, n->out)) {
        case WRITER_NOTHING: break;
        case WRITER_DEPOSED: lead_step_down(n, "the log has another writer"); break;
        case WRITER_ACKED:
            if (t->role == ROLE_WRITING_LEASE)
                on_won(n);
            else
                head_acked(n);
            note_recovery(n);
            break;
        }
        return;
    }
    if (ev->log.op != t->op || t->op == 0 || asks_again(n, ev))
        return;
    switch (t->role) {
    case ROLE_ASKING_INFO:
        if (ev->log.status != STATUS_OK) {
            lead_step_down(n, "the log does not answer");
            break;
        }
        t->info_seq = ev->log.seq;
        ask(n, ROLE_READING_LEASE, ACT_LOG_READ, "lease");
        break;
    case ROLE_READING_LEASE: on_lease_read(n, ev); break;
    case ROLE_READING_HEAD: on_head_read(n, ev); break;
    case ROLE_FOLLOWER:
    case ROLE_WRITING_LEASE:
    case ROLE_LEADING: break;
    }
}

/* ---- beacons (L1)
 * ------------------------------------------------------------------------- */

static void send_beacon(struct node *n, uint8_t flags)
{
    struct beacon *b = &n->message.beacon;
    uint64_t end = term_auth_end_ms(&n->term, &n->conf.timing);

    n->message = (struct message){.type = MSG_BEACON};
    b->gen = n->lead.gen;
    b->term = n->term.mine;
    b->leader = n->term.leader;
    b->addr = n->conf.addr;
    bytes_to_text(bytes_of(n->me.id), b->id, sizeof b->id);
    b->head = n->lead.head.stamp;
    b->head_hash = n->lead.head.hash;
    b->head_seq = n->lead.key_seq;
    b->k = ++n->term.k;
    b->phase = plan_phase(n);
    b->flags = flags;
    bytes_to_text(bytes_of(lead_trouble(n)), b->trouble, sizeof b->trouble);
    roster_unread(&n->roster, b);
    /* L1: bits only before the end of authority; the allowance says how long before. */
    if (flags == 0 && lead_has_authority(n) && n->is_up) {
        b->allowance_ms = n->conf.ownership == OWNERSHIP_AVAILABLE
                              ? n->conf.timing.heartbeat_ttl
                              : end - n->now_ms;
        if (n->lead.is_proven && n->lead.suspicion == NULL)
            roster_bits(&n->roster, b);
    }
    node_send(n, 0);
    bool is_quick = n->term.quick > 0;
    n->term.beacon_at_ms =
        n->now_ms + n->conf.timing.heartbeat_interval / (is_quick ? 5 : 1);
    n->term.quick -= is_quick ? 1 : 0;
}

void lead_resign(struct node *n)
{
    if (!lead_is_heading(n))
        return;
    node_tell(n, "resign");
    send_beacon(n, BEACON_RESIGNS);
    forget_leading(n);
}

/* ---- in every step
 * ---------------------------------------------------------------------- */

void lead_renew(struct node *n)
{
    start_lease_write(n, n->lead.last_seq);
}

/* Who leaves stands up after all who stay: only if nobody else does, it leads until the
 * log says that it has left. */
static uint64_t stand_up_ms(const struct node *n)
{
    uint64_t later =
        n->me.leaving != LEAVING_NO ? 2 * n->conf.timing.election_timeout : 0;

    return n->is_up ? sat_add(n->term.elect_at_ms, later) : UINT64_MAX;
}

static void run_follower(struct node *n)
{
    if (n->now_ms < stand_up_ms(n))
        return;
    term_wait(&n->term, &n->conf.timing, n->me.is_joined, 0, 1, &n->rand, n->now_ms);
    stand_up(n);
}

/* The source first: without partitions there is nothing to place. */
const char *lead_trouble(const struct node *n)
{
    const struct lead *l = &n->lead;

    return l->source.is_shown     ? l->source.text
           : l->strategy.is_shown ? l->strategy.text
                                  : "";
}

void lead_run(struct node *n)
{
    if (n->term.role == ROLE_FOLLOWER) {
        run_follower(n);
        return;
    }
    writer_time(&n->writer, n->now_ms, &n->op, n->out);
    if (!lead_is_heading(n))
        return;
    trouble_run(&n->lead.source, &n->conf.timing, n->now_ms);
    trouble_run(&n->lead.strategy, &n->conf.timing, n->now_ms);
    if (n->now_ms >= n->term.beacon_at_ms)
        send_beacon(n, 0);
    load_run(n);
    plan_watch(n);
    if (n->writer.state == WRITER_IDLE)
        head_write(n);
    n->phase = plan_phase(n);
    bytes_to_text(bytes_of(lead_trouble(n)), n->trouble, sizeof n->trouble);
}

uint64_t lead_wake_ms(const struct node *n)
{
    uint64_t wake = UINT64_MAX, at;

    if (n->term.role == ROLE_FOLLOWER)
        return stand_up_ms(n);
    if (n->writer.state == WRITER_WAITING)
        wake = n->writer.retry_ms;
    if (!lead_is_heading(n))
        return wake;
    at = n->term.beacon_at_ms;
    wake = at < wake ? at : wake;
    at = head_wake_ms(n);
    wake = at < wake ? at : wake;
    at = trouble_wake_ms(&n->lead.source, &n->conf.timing);
    wake = at < wake ? at : wake;
    at = trouble_wake_ms(&n->lead.strategy, &n->conf.timing);
    wake = at < wake ? at : wake;
    at = plan_wake_ms(n);
    return at < wake ? at : wake;
}
