/* What the leader hears: heartbeats, joins, questions; and what they tell of the log. */
#include "proto/node_state.h"

#include "base/status.h"

#include <string.h>

/* Is this (stamp, hash) a head that we know to be in the log? */
static bool is_our_head(const struct node *n, struct stamp stamp, uint64_t hash)
{
    const struct lead *l = &n->lead;

    if (stamp_compare(stamp, l->head.stamp) == 0)
        return hash == l->head.hash;
    for (int i = 0; i < HEADS_KEPT; i++)
        if (stamp_compare(stamp, l->heads[i]) == 0)
            return hash == l->heads_hash[i];
    return false;
}

/* Is a head on its way to the log?  What was built in an earlier term of ours and never
 * stored is still there, and says nothing while something else is written. */
static bool is_writing_head(const struct node *n)
{
    return n->writer.state != WRITER_IDLE && strcmp(n->writer.key, "head") == 0;
}

/* An epoch that we know, with a content that we do not: the log went back, and we wrote
 * over what the worker has. */
static bool is_forked(const struct node *n, struct stamp stamp, uint64_t hash)
{
    const struct lead *l = &n->lead;

    if (stamp.epoch == 0)
        return false;
    if (stamp_compare(stamp, l->head.stamp) == 0)
        return hash != l->head.hash;
    for (int i = 0; i < HEADS_KEPT; i++)
        if (stamp_compare(stamp, l->heads[i]) == 0)
            return hash != l->heads_hash[i];
    return is_writing_head(n) && stamp_compare(stamp, l->build.stamp) == 0 &&
           hash != l->build.hash;
}

/* L8, the part that keeps it safe: a report above everything that we wrote or read
 * means that the log went back. */
void hear_seen(struct node *n, struct stamp seen)
{
    struct lead *l = &n->lead;
    struct stamp newest = l->head.stamp;

    if (stamp_compare(seen, l->seen) > 0)
        l->seen = seen;
    if (is_writing_head(n) && stamp_compare(l->build.stamp, newest) > 0)
        newest = l->build.stamp;
    if (!l->is_proven || stamp_compare(seen, newest) <= 0)
        return;
    load_suspect(n, seen, "a worker has seen a later epoch than the log has");
}

static void on_heartbeat(struct node *n, const struct heartbeat *h)
{
    bool is_echo = session_equal(h->leader, n->term.leader) && h->k <= n->term.k;

    hear_seen(n, h->seen);
    if (n->lead.is_proven && is_forked(n, h->applied, h->applied_hash))
        load_suspect(n, h->seen, "a worker has another head of an epoch of this log");
    (void)roster_heartbeat(&n->roster, h, is_echo,
                           is_our_head(n, h->applied, h->applied_hash), n->now_ms);
}

static void on_join(struct node *n, const struct join *j)
{
    switch (roster_join(&n->roster, j, &n->conf.timing, n->now_ms)) {
    case JOIN_KNOWN: return;
    case JOIN_WAITS: node_tell(n, "join heard from %s", j->host); return;
    case JOIN_REFUSED:
        n->message = (struct message){.type = MSG_DENY};
        n->message.deny.session = j->session;
        node_send(n, j->addr);
        return;
    }
}

void lead_hear(struct node *n, const struct message *m)
{
    if (!lead_is_heading(n))
        return;
    if (m->type == MSG_HEARTBEAT) {
        on_heartbeat(n, &m->heartbeat);
    } else if (m->type == MSG_JOIN) {
        on_join(n, &m->join);
    } else if (m->type == MSG_REFRESH) {
        emit(n->out, ACT_LIST)->list.commanded = true;
    } else if (m->type == MSG_ASK && strcmp(m->ask.key, "head") == 0 &&
               n->lead.is_proven && n->lead.head_n > 0) {
        n->message = (struct message){.type = MSG_RECORD};
        (void)memcpy(n->message.record.key, "head", sizeof "head");
        n->message.record.seq = n->lead.key_seq;
        n->message.record.data = (struct bytes){n->head_bytes, n->lead.head_n};
        node_send(n, m->ask.addr);
    }
}
