#include "proto/member.h"

void member_renew(struct member *m, struct session session)
{
    m->session = session;
    m->is_joined = false;
    m->id[0] = '\0';
    m->born = 0;
    m->deadline_ms = 0;
    m->join_at_ms = 0;
    m->sent_next = 0;
    m->echoed = (struct session){0}; /* echoes belong to a session, too */
    for (int i = 0; i < SENT_KEPT; i++)
        m->sent[i] = (struct sent){0};
}

bool member_may_echo(const struct member *m, struct session leader, uint64_t k)
{
    return !session_equal(leader, m->echoed) || k > m->echoed_k;
}

void member_sent(struct member *m, struct session leader, uint64_t k, uint64_t now_ms)
{
    m->sent[m->sent_next++ % SENT_KEPT] = (struct sent){leader, k, now_ms};
    m->echoed = leader;
    m->echoed_k = k;
}

/* The number of the beacon for whose echo we have a bit, 0: for none. */
static uint64_t echo_with_bit(const struct beacon *b, uint32_t num)
{
    for (uint64_t lag = 0; lag < BEACON_LAGS && lag + 1 < b->k; lag++)
        if (num / 8 < b->bits_n[lag] && (b->bits[lag][num / 8] >> (num % 8) & 1) != 0)
            return b->k - 1 - lag;
    return 0;
}

bool member_extend(struct member *m, const struct beacon *b, struct stamp applied,
                   uint64_t applied_hash, uint64_t lease_ms)
{
    uint64_t echo_k = echo_with_bit(b, m->num);

    if (!m->is_joined || b->allowance_ms == 0 || echo_k == 0)
        return false;
    /* I16: no lease while the applied head is behind the beacon's.  L5: a bit of an
     * epoch before our birth was given to somebody else under our number. */
    if (stamp_compare(applied, b->head) < 0 || b->head.gen != applied.gen ||
        b->head.epoch < m->born)
        return false;
    /* I4: a head of this epoch with another content is another history: after a log went
     * back, its leader speaks of a plan that is not ours. */
    if (b->head.epoch == applied.epoch && b->head_hash != applied_hash)
        return false;
    for (int i = 0; i < SENT_KEPT; i++) {
        const struct sent *s = &m->sent[i];

        if (s->k != echo_k || !session_equal(s->leader, b->leader) || s->at_ms == 0)
            continue;
        /* W1: anchored at our own send time, so any delay only shortens it. */
        uint64_t good = b->allowance_ms < lease_ms ? b->allowance_ms : lease_ms;
        uint64_t deadline = sat_add(s->at_ms, good);

        if (deadline <= m->deadline_ms)
            return false;
        m->deadline_ms = deadline;
        return true;
    }
    return false;
}

bool member_may_take(const struct member *m, uint64_t now_ms, enum ownership ownership,
                     uint64_t margin_ms)
{
    if (!m->is_joined || m->leaving == LEAVING_RESTART)
        return false;
    if (ownership == OWNERSHIP_AVAILABLE)
        return true;
    /* What would be fenced at once is not taken up. */
    return now_ms >= m->fenced_until_ms && sat_add(now_ms, margin_ms) < m->deadline_ms;
}
