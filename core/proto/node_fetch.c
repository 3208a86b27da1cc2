/* The worker's way to a head that it has heard of: the head, then its own record. */
#include "proto/node_state.h"

#include "base/hash.h"
#include "base/status.h"

#include <string.h>

static bool same_record(const struct own_ref *a, const struct own_ref *b)
{
    return a->slot == b->slot && a->epoch == b->epoch && a->hash == b->hash;
}

/* Asks for the next chunk of our own record.  Heads that come in a burst each begin
 * anew; what they leave behind is bounded, the last of them waits its turn. */
static void ask_chunk(struct node *n, const struct head_member *mine)
{
    struct fetch *f = &n->fetch;
    uint32_t at = 0;

    while (at < READS_MAX && f->asked[at] != 0)
        at++;
    f->is_reading = at < READS_MAX;
    f->retry_ms = f->is_reading ? 0 : n->now_ms + RETRY_MS;
    if (!f->is_reading)
        return;
    struct action *a = emit(n->out, ACT_LOG_READ);

    a->log.op = f->op = f->asked[at] = ++n->op;
    a->log.timeout_ms = log_patience_ms(n->conf.timing.leader_renew_interval, f->tries);
    own_key(a->log.key, mine->id, mine->own.slot, f->chunk);
}

/* What the record is too large for stays too large: it is said once, and asked for no
 * more until a later head names another. */
static void refuse_record(struct node *n)
{
    n->fetch.is_reading = false;
    n->fetch.retry_ms = 0;
    node_error(n, ERR_RECORD_SIZE,
               "this worker's list of partitions is longer than it can take; the worker "
               "holds nothing until it is given less: start more workers");
}

/* Applies n->next, or reads our own record first if that is another one. */
static void try_next(struct node *n)
{
    const struct head_member *mine = head_find(&n->next, n->me.session);
    struct fetch *f = &n->fetch;

    if (mine == NULL || same_record(&mine->own, &n->own)) {
        work_apply(n, mine);
        return;
    }
    if (mine->own.slot == OWN_SLOT_NONE) {
        (void)hold_load(&n->hold, NULL, 0);
        work_apply(n, mine);
        return;
    }
    if (mine->own.size > n->conf.record_max) {
        refuse_record(n);
        return;
    }
    f->chunk = 0;
    f->n = 0;
    ask_chunk(n, mine);
}

static void read_failed(struct node *n)
{
    n->fetch.is_reading = false;
    n->fetch.retry_ms = n->now_ms + RETRY_MS;
}

/* A chunk of our own record has come. */
static void on_chunk(struct node *n, const struct event *ev)
{
    struct fetch *f = &n->fetch;
    const struct head_member *mine = head_find(&n->next, n->me.session);

    f->op = 0;
    if (mine == NULL || ev->log.status != STATUS_OK ||
        ev->log.n > n->conf.record_max - f->n) {
        read_failed(n);
        return;
    }
    memcpy(n->own_bytes + f->n, ev->log.data, ev->log.n);
    f->n += ev->log.n;
    if (++f->chunk < mine->own.chunks) {
        ask_chunk(n, mine);
        return;
    }
    /* A slot that was overwritten for a later plan does not hash to what the head says.
     */
    if (f->n != mine->own.size || hash_bytes(n->own_bytes, f->n) != mine->own.hash) {
        read_failed(n);
        return;
    }
    switch (hold_load(&n->hold, n->own_bytes, f->n)) {
    case STATUS_OK:
        f->is_reading = false;
        work_apply(n, mine);
        break;
    case STATUS_LIMIT: refuse_record(n); break;
    default:
        /* It is what the leader wrote, and nobody can read it: another version's. */
        f->is_reading = false;
        f->retry_ms = 0;
        node_error(n, ERR_LOG_FORKED, "this worker's record does not decode");
        break;
    }
}

/* A head with more members than there is room for: said once for each. */
static void refuse_head(struct node *n, const void *data, size_t size)
{
    uint64_t print = hash_bytes(data, size);

    n->fetch.ask_ms = n->fetch.ask_ms != 0 ? n->now_ms + REFUSED_MS : 0;
    if (n->fetch.refused == print)
        return;
    n->fetch.refused = print;
    node_error(n, ERR_RECORD_SIZE,
               "the group has more members than this worker has room for; give it the "
               "id_max of the others");
}

void fetch_hear_head(struct node *n, const void *data, size_t size, uint64_t seq)
{
    struct head *h = &n->scratch;

    int status = head_decode(h, n->conf.members_max, data, size);

    if (status == STATUS_LIMIT)
        refuse_head(n, data, size);
    if (status < 0)
        return;
    h->seq = seq;
    if (stamp_compare(h->stamp, n->me.seen) > 0)
        n->me.seen = h->stamp;
    int order = stamp_compare(h->stamp, n->applied.stamp);

    /* I4: one content per epoch; W4: reported, not applied. */
    if (order == 0 && h->hash != n->applied.hash)
        node_error(n, ERR_LOG_FORKED,
                   "two heads have the same epoch: the log was forked");
    if (order <= 0)
        return;
    /* Of two heads of one epoch, after a log went back, the later term's is in force. */
    order = n->fetch.has_next ? stamp_compare(h->stamp, n->next.stamp) : 1;
    if (order < 0 || (order == 0 && h->term <= n->next.term))
        return;
    head_copy(&n->next, h);
    n->fetch.has_next = true;
    n->fetch.is_reading = false;
    n->fetch.op = 0;
    try_next(n);
}

/* A beacon told of a head that has not come by itself: ask the leader, who has it, and
 * after that the log, in turns. */
static void ask_head(struct node *n)
{
    struct fetch *f = &n->fetch;

    f->ask_ms = n->now_ms + n->conf.timing.heartbeat_interval;
    if (!n->is_up || f->head_op != 0)
        return;
    if (!f->asked_leader && !session_is_none(n->term.leader)) {
        n->message = (struct message){.type = MSG_ASK, .ask = {n->conf.addr, "head"}};
        node_send(n, n->term.leader_addr);
    } else {
        struct action *a = emit(n->out, ACT_LOG_READ);

        a->log.op = f->head_op = ++n->op;
        a->log.timeout_ms =
            log_patience_ms(n->conf.timing.leader_renew_interval, f->tries);
        (void)memcpy(a->log.key, "head", sizeof "head");
    }
    f->asked_leader = !f->asked_leader;
}

void fetch_answer(struct node *n, const struct event *ev)
{
    struct fetch *f = &n->fetch;

    if (ev->type != EV_LOG_READ)
        return;
    for (uint32_t i = 0; i < READS_MAX; i++)
        if (f->asked[i] == ev->log.op)
            f->asked[i] = 0;
    if (ev->log.op == f->op || ev->log.op == f->head_op)
        f->tries = ev->log.status == STATUS_TIMEOUT ? f->tries + 1 : 0;
    if (f->is_reading && ev->log.op == f->op) {
        on_chunk(n, ev);
    } else if (ev->log.op == f->head_op && f->head_op != 0) {
        f->head_op = 0;
        if (ev->log.status == STATUS_OK)
            fetch_hear_head(n, ev->log.data, ev->log.n, ev->log.seq);
    }
}

/* ---- in every step
 * ---------------------------------------------------------------------- */

void fetch_run(struct node *n)
{
    const struct member *m = &n->me;
    struct fetch *f = &n->fetch;

    if (f->has_next && !f->is_reading && f->retry_ms != 0 && n->now_ms >= f->retry_ms)
        try_next(n);
    if (f->ask_ms != 0 && n->now_ms >= f->ask_ms) {
        if (stamp_compare(m->seen, n->applied.stamp) <= 0 ||
            (f->has_next && stamp_compare(n->next.stamp, m->seen) >= 0))
            f->ask_ms = 0;
        else
            ask_head(n);
    }
}
