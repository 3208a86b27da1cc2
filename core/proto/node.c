/* The node: memory, dispatch, public state.  One switch; the parts do the work. */
#include "proto/node_state.h"

#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LEASE_ROOM = 1024, SEND_EXTRA = 8192, ARENA_SLACK = 8192, PROBE_SPREAD_MS = 50 };

static size_t heads_size(const struct node_conf *conf)
{
    return 5 * conf->members_max * sizeof(struct head_member);
}

static size_t plan_size(const struct node_conf *conf)
{
    return conf->members_max * (sizeof(struct plan_worker) + sizeof(struct session) +
                                sizeof(struct own_ref) + 3 * sizeof(uint32_t)) +
           conf->parts_max * sizeof(uint32_t);
}

static size_t bytes_size(const struct node_conf *conf)
{
    return LEASE_ROOM + 3 * conf->chunk_max + SEND_EXTRA + 2 * conf->record_max;
}

size_t node_size(const struct node_conf *conf)
{
    return sizeof(struct node) + heads_size(conf) + plan_size(conf) + bytes_size(conf) +
           hold_size(conf->parts_max) +
           transfer_size(conf->parts_max, conf->members_max) +
           roster_size(conf->members_max) + ARENA_SLACK;
}

static void copy_text(char *to, size_t room, const char *text)
{
    bytes_to_text(bytes_of(text), to, room);
}

static struct head_member *carve_members(struct node *n, struct arena *arena)
{
    return arena_carve(arena, n->conf.members_max * sizeof(struct head_member));
}

static bool carve(struct node *n, struct arena *arena)
{
    const struct node_conf *c = &n->conf;
    struct plan *p = &n->plan;

    n->applied.member = carve_members(n, arena);
    n->next.member = carve_members(n, arena);
    n->scratch.member = carve_members(n, arena);
    n->lead.head.member = carve_members(n, arena);
    n->lead.build.member = carve_members(n, arena);
    p->worker = arena_carve(arena, c->members_max * sizeof *p->worker);
    p->session = arena_carve(arena, c->members_max * sizeof *p->session);
    p->ref = arena_carve(arena, c->members_max * sizeof *p->ref);
    p->prev_to_now = arena_carve(arena, (c->members_max + 1) * sizeof *p->prev_to_now);
    p->load = arena_carve(arena, c->members_max * sizeof *p->load);
    p->owner = arena_carve(arena, c->parts_max * sizeof *p->owner);
    n->lease_bytes = arena_carve(arena, LEASE_ROOM);
    n->head_bytes = arena_carve(arena, c->chunk_max);
    n->build_bytes = arena_carve(arena, c->chunk_max);
    n->record_bytes = arena_carve(arena, c->record_max);
    n->own_bytes = arena_carve(arena, c->record_max);
    n->send_room = c->chunk_max + SEND_EXTRA;
    n->send_bytes = arena_carve(arena, n->send_room);
    return n->send_bytes != NULL && hold_init(&n->hold, arena, c->parts_max) &&
           transfer_init(&n->transfer, arena, c->parts_max, c->members_max) &&
           roster_init(&n->roster, arena, c->members_max);
}

struct node *node_init(void *memory, size_t size, const struct node_conf *conf)
{
    struct arena arena;
    struct node *n;

    must(conf->addr != 0 && conf->members_max == conf->id_max + 1);
    must(conf->members_max <= BITS_MAX * 8);
    arena_init(&arena, memory, size);
    n = arena_carve(&arena, sizeof *n);
    must(n != NULL);
    n->conf = *conf;
    copy_text(n->prefix, sizeof n->prefix, conf->id_prefix);
    copy_text(n->host, sizeof n->host, conf->host);
    copy_text(n->zone, sizeof n->zone, conf->zone);
    copy_text(n->strategy, sizeof n->strategy, conf->strategy);
    must(carve(n, &arena)); /* node_size() counts the same pieces */
    rand_seed_wide(&n->rand, conf->entropy);
    n->life = LIFE_INIT;
    n->own.slot = OWN_SLOT_NONE;
    n->writer.timeout_ms = conf->timing.leader_renew_interval;
    n->me.wish = conf->id_wish;
    member_renew(&n->me, (struct session){rand_next(&n->rand), rand_next(&n->rand)});
    return n;
}

void node_tell(struct node *n, const char *format, ...)
{
    va_list args;
    size_t room = sizeof n->trace - n->trace_n;
    int length;

    if (!n->conf.is_traced || room < 2 || n->out->n == ACTIONS_MAX)
        return;
    va_start(args, format);
    length = vsnprintf(n->trace + n->trace_n, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room)
        return;
    emit(n->out, ACT_TRACE)->trace = n->trace + n->trace_n;
    n->trace_n += (size_t)length + 1;
}

void node_error(struct node *n, int code, const char *text)
{
    struct action *a = emit(n->out, ACT_ERROR);

    a->error.code = code;
    a->error.text = text;
    node_tell(n, "error %d: %s", code, text);
}

void node_send(struct node *n, uint64_t addr)
{
    size_t room = n->send_room - n->send_n;
    size_t size = wire_encode(&n->message, n->send_bytes + n->send_n, room);

    must(size > 0);
    if (!n->is_up)
        return;
    struct action *a = emit(n->out, ACT_SEND);

    a->send.addr = addr;
    a->send.data = n->send_bytes + n->send_n;
    a->send.n = size;
    n->send_n += size;
}

static void on_link(struct node *n, bool up)
{
    if (up == n->is_up)
        return;
    n->is_up = up;
    if (!up) {
        n->down_ms = n->now_ms;
        n->had_outage = n->was_up;
        n->good_ms = UINT64_MAX;
    } else {
        bool is_first = !n->was_up;

        n->was_up = true;
        n->me.join_at_ms = n->now_ms;
        n->me.heartbeat_at_ms = n->now_ms;
        term_wait(&n->term, &n->conf.timing, n->me.is_joined, 0, 1, &n->rand, n->now_ms);
        if (is_first) {
            n->term.is_probe = true;
            n->term.elect_at_ms = n->now_ms + rand_below(&n->rand, PROBE_SPREAD_MS);
        }
    }
    node_tell(n, up ? "link up" : "link down");
}

static void on_message(struct node *n, const struct event *ev)
{
    struct message *m = &n->message;

    if (wire_is_head(ev->message.data, ev->message.n)) {
        fetch_hear_head(n, ev->message.data, ev->message.n, 0);
        return;
    }
    if (wire_decode(m, ev->message.data, ev->message.n) < 0)
        return; /* not ours, or of a version to come: the rest still counts */
    switch (m->type) {
    case MSG_BEACON: {
        struct beacon b = m->beacon; /* answers are built in n->message */

        work_hear_beacon(n, &b);
        break;
    }
    case MSG_DENY: {
        struct deny d = m->deny;

        work_deny(n, &d);
        break;
    }
    case MSG_RECORD:
        if (wire_is_head(m->record.data.at, m->record.data.n))
            fetch_hear_head(n, m->record.data.at, m->record.data.n, m->record.seq);
        break;
    case MSG_HEARTBEAT:
    case MSG_JOIN:
    case MSG_ASK:
    case MSG_REFRESH: {
        struct message copy = *m;

        lead_hear(n, &copy);
        break;
    }
    case MSG_DONE: break;
    }
}

static void dispatch(struct node *n, const struct event *ev)
{
    switch (ev->type) {
    case EV_TIME: break;
    case EV_LINK: on_link(n, ev->link.up); break;
    case EV_MESSAGE: on_message(n, ev); break;
    case EV_LOG_INFO:
    case EV_LOG_READ:
    case EV_LOG_WRITTEN:
        fetch_answer(n, ev);
        lead_answer(n, ev);
        break;
    case EV_LISTED: list_taken(n, ev); break;
    case EV_LIST_FAILED: list_failed(n, ev->list_failed.why); break;
    case EV_PLANNED: plan_answered(n, ev); break;
    case EV_RELEASED: work_released(n, ev->released.epoch); break;
    case EV_STOP: work_stop(n, ev->stop.restart); break;
    case EV_UNREAD:
        n->unread = ev->unread.n;
        bytes_to_text(bytes_of(ev->unread.why), n->unread_why, sizeof n->unread_why);
        break;
    case EV_REFRESH:
        if (lead_is_heading(n)) {
            emit(n->out, ACT_LIST)->list.commanded = true;
        } else if (!session_is_none(n->term.leader)) {
            n->message = (struct message){.type = MSG_REFRESH};
            node_send(n, n->term.leader_addr);
        }
        break;
    }
}

/* Errors of the log while leading, counted within kv_error_window of the first one; too
 * many are over degraded_exit after the last.  What fails while the link is down says
 * nothing of the log: "disconnected" covers that. */
static void count_errors(struct node *n)
{
    const struct node_timing *t = &n->conf.timing;
    uint64_t errors = n->is_up ? n->writer.errors - n->kv_errors_seen : 0;
    bool is_over = n->kv_errors >= t->kv_error_threshold
                       ? n->good_ms != UINT64_MAX &&
                             n->now_ms >= sat_add(n->good_ms, t->degraded_exit)
                       : n->now_ms >= n->kv_errors_ms + t->kv_error_window;

    n->kv_errors_seen = n->writer.errors;
    if (is_over)
        n->kv_errors = 0;
    if (errors == 0)
        return;
    if (n->kv_errors == 0)
        n->kv_errors_ms = n->now_ms;
    n->kv_errors += errors;
    n->good_ms = UINT64_MAX;
    if (n->kv_errors >= t->kv_error_threshold)
        n->had_log_outage = true;
}

/* Why the node is degraded now, or NULL. */
static const char *degraded_by(struct node *n)
{
    const struct node_timing *t = &n->conf.timing;

    count_errors(n);
    if (lead_is_heading(n) && !lead_has_authority(n))
        n->had_log_outage = true;
    if (n->is_up && n->good_ms == UINT64_MAX)
        n->good_ms = n->now_ms;
    if (n->conf.ownership == OWNERSHIP_STRICT && n->me.is_joined &&
        n->me.deadline_ms > 0 && !work_has_lease(n))
        return "fenced: the lease has ended";
    if (lead_is_heading(n) && !lead_has_authority(n))
        return "leader without authority: the log does not answer";
    if (!n->is_up && n->was_up && n->now_ms >= n->down_ms + t->degraded_enter)
        return "disconnected";
    if (n->kv_errors >= t->kv_error_threshold)
        return "errors of the log";
    /* This one, too, ends only after all has been well for a while. */
    if (n->degraded != NULL && strcmp(n->degraded, "disconnected") == 0 &&
        (n->good_ms == UINT64_MAX || n->now_ms < n->good_ms + t->degraded_exit))
        return n->degraded;
    return NULL;
}

static enum life_state life_of_phase(enum phase phase)
{
    switch (phase) {
    case PHASE_STABLE: return LIFE_STABLE;
    case PHASE_SCALING: return LIFE_SCALING;
    case PHASE_REBALANCING: return LIFE_REBALANCING;
    case PHASE_EMERGENCY: return LIFE_EMERGENCY;
    }
    return LIFE_STABLE;
}

static enum life_state wanted_life(const struct node *n)
{
    if (n->me.has_left)
        return LIFE_SHUTDOWN;
    if (!n->was_up)
        return LIFE_INIT;
    if (n->degraded != NULL && n->life != LIFE_INIT)
        return LIFE_DEGRADED;
    /* A plugin in trouble hides the phase: that goes on, with the last good answer. */
    if (n->me.is_joined && work_has_lease(n))
        return n->trouble[0] != '\0' ? LIFE_DEGRADED : life_of_phase(n->phase);
    if (session_is_none(n->term.leader))
        return LIFE_ELECTION;
    return LIFE_WAITING_ASSIGNMENT;
}

static const char *life_reason(const struct node *n, enum life_state to)
{
    switch (to) {
    case LIFE_INIT: return "start";
    case LIFE_CLAIMING_ID: return "an id is asked for";
    case LIFE_ELECTION: return "no leader is known";
    case LIFE_WAITING_ASSIGNMENT: return "a leader is known";
    case LIFE_STABLE: return "all is settled";
    case LIFE_SCALING: return "a window is open";
    case LIFE_REBALANCING: return "partitions move";
    case LIFE_EMERGENCY: return "a worker was lost";
    case LIFE_DEGRADED: return n->degraded != NULL ? n->degraded : n->trouble;
    case LIFE_SHUTDOWN: return "stopped";
    }
    return "";
}

static void move_life(struct node *n, enum life_state next)
{
    struct action *a = emit(n->out, ACT_STATE);

    must(life_is_legal(n->life, next));
    a->state.from = n->life;
    a->state.to = next;
    a->state.reason = life_reason(n, next);
    node_tell(n, "state %s -> %s%s%s", life_name(n->life), life_name(next),
              next == LIFE_DEGRADED ? ": " : "",
              next == LIFE_DEGRADED ? a->state.reason : "");
    n->life = next;
}

static void run_life(struct node *n)
{
    n->degraded = degraded_by(n);
    if (n->is_reborn && life_is_legal(n->life, LIFE_CLAIMING_ID))
        move_life(n, LIFE_CLAIMING_ID);
    n->is_reborn = false;

    enum life_state want = wanted_life(n);

    while (n->life != want)
        move_life(n, life_towards(n->life, want));
}

void node_step(struct node *n, const struct event *ev, struct actions *out)
{
    must(ev->now_ms >= n->now_ms);
    out->n = 0;
    n->out = out;
    n->now_ms = ev->now_ms;
    n->wall_s = ev->wall_s > n->wall_s ? ev->wall_s : n->wall_s;
    n->send_n = 0;
    n->trace_n = 0;
    hold_begin_step(&n->hold);
    if (n->is_stopped)
        return;
    /* Time first: a deadline that has passed is seen before anything else happens. */
    work_run(n);
    dispatch(n, ev);
    lead_run(n);
    work_run(n);
    run_life(n);
    if (n->me.has_left && !n->is_stopped) {
        lead_resign(n);
        emit(n->out, ACT_STOPPED);
        n->is_stopped = true;
    }
}

uint64_t node_deadline_ms(const struct node *n)
{
    uint64_t work = work_wake_ms(n), lead = lead_wake_ms(n);
    uint64_t wake = work < lead ? work : lead;

    if (n->is_stopped)
        return UINT64_MAX;
    if (!n->is_up && n->was_up && n->degraded == NULL) {
        uint64_t down = n->down_ms + n->conf.timing.degraded_enter;

        wake = down < wake ? down : wake;
    }
    if (n->degraded != NULL && n->good_ms != UINT64_MAX) {
        uint64_t good = n->good_ms + n->conf.timing.degraded_exit;

        if (good > n->now_ms && good < wake)
            wake = good;
    }
    return wake > n->now_ms ? wake : n->now_ms;
}

void node_look(const struct node *n, struct node_view *v)
{
    *v = (struct node_view){
        .state = n->life,
        .session = n->me.session,
        .id = n->me.id,
        .deadline_ms = n->me.deadline_ms,
        .applied = n->applied.stamp,
        .applied_hash = n->applied.hash,
        .released_through = hold_released_through(&n->hold, n->applied.stamp.epoch),
        .held = n->hold.held,
        .is_leading = lead_is_heading(n),
        .term = n->term.seen,
        .phase = n->phase,
    };
    if (!v->is_leading)
        return;
    v->term = n->term.mine;
    v->auth_end_ms = term_auth_end_ms(&n->term, &n->conf.timing);
    v->barrier_end_ms = n->term.barrier_end_ms;
    v->head = n->lead.head.stamp;
    v->members = n->lead.head.n;
    v->pending = n->transfer.pending;
    v->unowned = n->transfer.unowned;
    v->rebalances = n->lead.rebalances;
    v->moves = n->lead.moves;
}
