/* What a new leader reads: the own records that the head names.  And what it does when
 * they are not what the head says, or anything else speaks for a lost log (L8).
 */
#include "proto/node_state.h"

#include "base/hash.h"
#include "base/status.h"

#include <string.h>

static void load_done(struct node *n)
{
    struct lead *l = &n->lead;

    if (transfer_load_end(&n->transfer) < 0) {
        load_suspect(n, n->me.seen, "a partition stands in two own records");
        return;
    }
    l->is_loaded = true;
    transfer_sweep(&n->transfer, &l->head);
    l->set_hash = transfer_set_hash(&n->transfer);
    node_tell(n, "loaded %u partitions", n->transfer.now.n);
}

/* Addressed by number: heads that add members may be written while records are read. */
static const struct head_member *next_to_load(const struct lead *l)
{
    for (uint32_t i = 0; i < l->head.n; i++)
        if (l->head.member[i].num >= l->load_num &&
            l->head.member[i].own.slot != OWN_SLOT_NONE)
            return &l->head.member[i];
    return NULL;
}

void load_run(struct node *n)
{
    struct lead *l = &n->lead;

    if (!l->is_proven || l->is_loaded || l->is_lost || l->suspicion != NULL ||
        l->load_op != 0 || n->now_ms < l->load_retry_ms)
        return;
    const struct head_member *m = next_to_load(l);

    if (m == NULL) {
        load_done(n);
        return;
    }
    l->load_num = m->num;
    struct action *a = emit(n->out, ACT_LOG_READ);

    a->log.op = l->load_op = ++n->op;
    a->log.timeout_ms =
        log_patience_ms(n->conf.timing.leader_renew_interval, l->load_tries);
    own_key(a->log.key, m->id, m->own.slot, l->load_chunk);
}

/* The record is not there, or not the one that the head names: a stale read, or damage.
 */
static void missed(struct node *n, const char *why)
{
    struct lead *l = &n->lead;

    if (++l->load_misses == MISSES_MAX) {
        load_suspect(n, n->me.seen, why);
        return;
    }
    l->load_chunk = 0;
    l->load_n = 0;
    l->load_retry_ms = n->now_ms + RETRY_MS;
}

void load_answer(struct node *n, const struct event *ev)
{
    struct lead *l = &n->lead;
    const struct head_member *m = next_to_load(l);

    l->load_op = 0;
    must(m != NULL && m->num == l->load_num); /* nobody is dropped before all is read */
    if (ev->log.status != STATUS_OK && ev->log.status != STATUS_NOTFOUND) {
        l->load_tries += ev->log.status == STATUS_TIMEOUT ? 1 : 0;
        l->load_retry_ms = n->now_ms + RETRY_MS;
        return;
    }
    l->load_tries = 0;
    if (ev->log.status == STATUS_NOTFOUND || ev->log.n > n->conf.record_max - l->load_n) {
        missed(n, "an own record is missing");
        return;
    }
    memcpy(n->record_bytes + l->load_n, ev->log.data, ev->log.n);
    l->load_n += ev->log.n;
    if (++l->load_chunk < m->own.chunks) {
        load_run(n);
        return;
    }
    if (l->load_n != m->own.size ||
        hash_bytes(n->record_bytes, l->load_n) != m->own.hash) {
        missed(n, "an own record is not the one that the head names");
        return;
    }
    if (transfer_load(&n->transfer, m->num, n->record_bytes, l->load_n) < 0) {
        load_suspect(n, n->me.seen, "an own record does not decode");
        return;
    }
    l->load_misses = 0;
    l->load_num++;
    l->load_chunk = 0;
    l->load_n = 0;
    load_run(n);
}

/* L8: something does not fit.  Nobody gets a bit while that is so. */
void load_suspect(struct node *n, struct stamp seen, const char *why)
{
    struct lead *l = &n->lead;

    if (stamp_compare(seen, l->seen) > 0)
        l->seen = seen;
    if (l->is_lost || l->suspicion != NULL)
        return;
    node_tell(n, "suspicion: %s", why);
    l->suspicion = why;
    l->is_suspicion_written = false;
}

/* L8, the part that keeps it safe: the log went back, or does not fit together.  Nobody
 * gets a bit any more; when every lease has surely ended, a new generation begins with
 * nothing but joins.  (Work going on under live leases meanwhile comes with L8 itself.)
 */
void load_start_over(struct node *n)
{
    struct lead *l = &n->lead;
    uint64_t lease =
        n->now_ms + roster_stretch(n->conf.timing.heartbeat_ttl, &n->conf.timing);

    node_error(n, ERR_LOG_LOST, l->suspicion);
    l->suspicion = NULL;
    l->is_lost = true;
    l->load_op = 0;
    l->start_over_ms = lease > n->term.barrier_end_ms ? lease : n->term.barrier_end_ms;
    for (uint32_t num = 0; num < n->roster.n; num++)
        n->roster.mate[num].is_expired = n->roster.mate[num].is_member;
    n->plan.state = PLAN_NONE;
    transfer_clear(&n->transfer);
}
