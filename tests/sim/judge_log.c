/* What the log says: every head is decoded with all records that it names, and compared
 * with the one before: I3, I4, I8, I10, I12 and L5.
 */
#include "judge.h"

#include "base/hash.h"
#include "base/must.h"
#include "proto/own.h"

#include <stdio.h>
#include <string.h>

static unsigned long long ull(uint64_t x)
{
    return (unsigned long long)x;
}

/* ---- reading */

/* Puts the chunks of a member's record together; false if they do not fit the head. */
static bool gather(struct sim *s, const struct head_member *m)
{
    struct judge *j = s->judge;
    size_t n = 0;

    for (uint32_t c = 0; c < m->own.chunks; c++) {
        char key[KEY_ROOM];
        own_key(key, m->id, m->own.slot, c);
        const struct log_record *rec = sim_log_find(s, key);
        if (rec == NULL || rec->now->n > sizeof j->record_room - n)
            return false;
        memcpy(j->record_room + n, rec->now->data, rec->now->n);
        n += rec->now->n;
    }
    j->record = (struct bytes){j->record_room, n};
    return n == m->own.size && hash_bytes(j->record_room, n) == m->own.hash;
}

static void read_item(struct sim *s, const struct head_member *m,
                      const struct own_item *item)
{
    struct judge_head *next = &s->judge->next;
    uint32_t i = sim_part_find(item->id);

    if (i == SIM_PARTS_MAX) {
        sim_fail(s, "I8", "the record of %s lists a partition that never was", m->id);
        return;
    }
    struct judge_part *part = &next->part[i];
    if (part->is_listed)
        sim_fail(s, "I8", "epoch %llu lists partition %u twice, the second time for %s",
                 ull(next->head.stamp.epoch), (unsigned)i, m->id);
    if (item->since > next->head.stamp.epoch)
        sim_fail(s, "I3", "partition %u is granted since epoch %llu, in the future",
                 (unsigned)i, ull(item->since));
    *part = (struct judge_part){.is_listed = true,
                                .is_parked = item->is_parked,
                                .owner = m->session,
                                .since = item->since,
                                .from = item->from.session,
                                .from_epoch = item->from.epoch};
}

static void keep_parts(struct judge *j, struct session owner)
{
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        if (j->now.part[i].is_listed && session_equal(j->now.part[i].owner, owner) &&
            !j->next.part[i].is_listed)
            j->next.part[i] = j->now.part[i];
}

static void read_own(struct sim *s, const struct head_member *m)
{
    struct own_coder c;
    struct own_item item;
    uint32_t n = 0;
    int got;

    if (m->own.slot == OWN_SLOT_NONE)
        return;
    if (!gather(s, m)) {
        /* A write of before the log went back may find the sequence that it expects, and
         * spoil a slot that is in use, or name one that was lost.  A leader has to find
         * it out (L8); until then the worker goes by what it has. */
        if (s->judge->went_back) {
            keep_parts(s->judge, m->session);
            return;
        }
        sim_fail(s, "I13", "the record of %s is not what the head names", m->id);
        return;
    }
    if (own_read_begin(&c, s->judge->record.at, s->judge->record.n) != 0 ||
        !session_equal(c.session, m->session)) {
        sim_fail(s, "I13", "the record of %s does not decode or is another's", m->id);
        return;
    }
    while ((got = own_read(&c, &item)) > 0 && !s->is_failed) {
        read_item(s, m, &item);
        n++;
    }
    if (got < 0 || n != m->own.count)
        sim_fail(s, "I13", "the record of %s lists %u partitions, the head says %u",
                 m->id, (unsigned)n, (unsigned)m->own.count);
}

static bool read_head(struct sim *s, const struct log_record *rec)
{
    struct judge_head *next = &s->judge->next;

    memset(next->part, 0, sizeof next->part);
    next->head.member = next->member;
    if (head_decode(&next->head, JUDGE_MEMBERS, rec->now->data, rec->now->n) != 0) {
        sim_fail(s, "I4", "a head does not decode");
        return false;
    }
    for (uint32_t k = 0; k < next->head.n && !s->is_failed; k++)
        read_own(s, &next->member[k]);
    return !s->is_failed;
}

/* ---- comparing */

/* I4, I3: one chain. */
static void check_chain(struct sim *s, const struct head *old, const struct head *new)
{
    bool is_first = old->stamp.epoch == 0;

    if (!is_first && new->stamp.gen == old->stamp.gen &&
        (new->prev_hash != old->hash || new->stamp.epoch != old->stamp.epoch + 1))
        sim_fail(s, "I4", "epoch %llu does not follow epoch %llu", ull(new->stamp.epoch),
                 ull(old->stamp.epoch));
    if (!is_first &&
        (stamp_compare(new->stamp, old->stamp) <= 0 || new->term < old->term))
        sim_fail(s, "I3",
                 "head %llu-%llu of term %llu comes after %llu-%llu of term %llu",
                 ull(new->stamp.gen), ull(new->stamp.epoch), ull(new->term),
                 ull(old->stamp.gen), ull(old->stamp.epoch), ull(old->term));
}

/* L3, I5: no grant and no expiry while the leader of another term may give leases. */
static void check_barrier(struct sim *s, const char *what)
{
    const struct head *new = &s->judge->next.head;

    for (uint32_t i = 0; i < JUDGE_TERMS && s->ownership == OWNERSHIP_STRICT; i++) {
        const struct judge_term *t = &s->judge->term[i];
        /* Terms fall only with the log; whoever led in it then is waited for, too. */
        if (t->term != new->term && t->until_us > s->now_us)
            sim_fail(s, "I5",
                     "epoch %llu of term %llu %s while the leader of term %llu has "
                     "authority until %llu ms",
                     ull(new->stamp.epoch), ull(new->term), what, ull(t->term),
                     ull(t->until_us / SIM_MS));
    }
}

/* L5: nobody is dropped while its lease may live; I7: no number or session twice. */
static void check_members(struct sim *s, const struct head *old, const struct head *new)
{
    for (uint32_t i = 0; i < new->n; i++)
        for (uint32_t k = i + 1; k < new->n; k++)
            if (new->member[i].num == new->member[k].num ||
                session_equal(new->member[i].session, new->member[k].session))
                sim_fail(s, "I7", "two members with one id or session");
    for (uint32_t i = 0; i < old->n; i++) {
        struct session session = old->member[i].session;
        if (head_find(new, session) != NULL || s->ownership == OWNERSHIP_AVAILABLE)
            continue;
        check_barrier(s, "drops a session");
        for (uint32_t k = 0; k < PROCS_MAX; k++) {
            const struct proc *p = &s->proc[k];
            if (proc_is_live(p) && session_equal(p->view.session, session) &&
                proc_local_ms(p, s->now_us) < p->view.deadline_ms)
                sim_fail(s, "L5", "epoch %llu drops %s while %s has a lease of it",
                         ull(new->stamp.epoch), old->member[i].id, p->name);
        }
    }
    for (uint32_t i = 0; i < new->n; i++) {
        const struct head_member *m = &new->member[i];
        const struct head_member *was = head_find(old, m->session);
        if (was == NULL && (m->born != new->stamp.epoch || m->released < m->born))
            sim_fail(s, "I10", "%s is born at epoch %llu of %llu, released %llu", m->id,
                     ull(m->born), ull(new->stamp.epoch), ull(m->released));
        if (was != NULL && m->released < was->released)
            sim_fail(s, "I10", "%s has released less than before", m->id);
        if (m->released > new->stamp.epoch)
            sim_fail(s, "I10", "%s has released an epoch to come", m->id);
    }
}

/* May its owner hold it under this head, as W2 says? */
static bool is_granted(const struct head *h, const struct judge_part *part)
{
    return part->is_listed && !part->is_parked &&
           head_is_open(h, part->from, part->from_epoch);
}

/* I10, I3, I8: follows one partition from head to head. */
static void check_part(struct sim *s, uint32_t i)
{
    struct judge *j = s->judge;
    const struct head *new = &j->next.head;
    const struct judge_part *was = &j->now.part[i];
    struct judge_part *part = &j->next.part[i];
    const struct head_member *holder;

    part->holder = was->holder;
    part->taken = was->taken;
    holder = head_find(new, was->holder);
    bool is_bound = !session_is_none(was->holder) && holder != NULL &&
                    (was->taken == 0 || holder->released < was->taken);
    bool granted = is_granted(new, part);
    if (granted &&
        (!is_granted(&j->now.head, was) || !session_equal(part->owner, was->owner)))
        check_barrier(s, "grants a partition");
    if (!is_bound) {
        part->holder = granted ? part->owner : (struct session){0};
        part->taken = 0;
    } else if (granted && session_equal(part->owner, was->holder)) {
        part->taken = 0;
    } else {
        part->taken = was->taken == 0 ? new->stamp.epoch : was->taken;
        if (granted && s->ownership == OWNERSHIP_STRICT)
            sim_fail(s, "I10",
                     "epoch %llu grants partition %u away from %s, which has released "
                     "%llu and not %llu",
                     ull(new->stamp.epoch), (unsigned)i, holder->id,
                     ull(holder->released), ull(part->taken));
        if (!part->is_listed)
            sim_fail(s, "I8", "epoch %llu drops partition %u while %s may hold it",
                     ull(new->stamp.epoch), (unsigned)i, holder->id);
    }
    if (was->is_listed && part->is_listed && part->since < was->since &&
        new->stamp.gen == j->now.head.stamp.gen)
        sim_fail(s, "I3", "epoch %llu sets the token of partition %u back",
                 ull(new->stamp.epoch), (unsigned)i);
}

static void keep_seats(struct judge *j, const struct head *h)
{
    struct judge_seats *seats = &j->seats[j->seats_n++ % JUDGE_HEADS];

    seats->stamp = h->stamp;
    seats->n = h->n;
    for (uint32_t i = 0; i < h->n; i++) {
        seats->num[i] = h->member[i].num;
        seats->session[i] = h->member[i].session;
    }
}

bool judge_is_written(const struct judge *j, struct stamp st)
{
    for (uint32_t i = 0; i < JUDGE_HEADS && i < j->seats_n; i++)
        if (stamp_compare(j->seats[i].stamp, st) == 0)
            return true;
    return false;
}

void judge_reread(struct sim *s, const struct log_record *rec)
{
    struct judge *j = s->judge;

    if (!read_head(s, rec))
        return;
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        if (is_granted(&j->next.head, &j->next.part[i]))
            j->next.part[i].holder = j->next.part[i].owner;
    j->now = j->next;
}

void judge_head(struct sim *s, const struct log_record *rec)
{
    struct judge *j = s->judge;

    if (!read_head(s, rec))
        return;
    j->now.head.member = j->now.member;
    if (j->next.head.hash == j->now.head.hash)
        return; /* a new leader has put it back as it was (L2) */
    check_chain(s, &j->now.head, &j->next.head);
    check_members(s, &j->now.head, &j->next.head);
    for (uint32_t i = 0; i < SIM_PARTS_MAX && !s->is_failed; i++)
        check_part(s, i);
    keep_seats(j, &j->next.head);
    j->rebalances += j->next.head.cause <= CAUSE_REFRESH ? 1 : 0;
    j->now = j->next;
    j->now.head.member = j->now.member;
}
