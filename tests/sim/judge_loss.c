/* When the log goes back: what stays judged, and what the loss itself makes doubtful.
 * L8, and what is concluded from the log's answers: I14, I15.
 */
#include "judge.h"

#include "base/errors.h"

#include <string.h>

enum { OPS_FAIR = 12 /* a fetch's reads, a head, a write, a question of the leader */ };

static unsigned long long ull(uint64_t x)
{
    return (unsigned long long)x;
}

bool judge_is_doubtful(const struct judge *j, struct stamp st)
{
    return j->went_back && st.gen <= j->lost_gen && stamp_compare(st, j->back_to) > 0;
}

void judge_log_back(struct sim *s, const struct log_record *head)
{
    struct judge *j = s->judge;
    struct stamp newest;

    if (j == NULL)
        return;
    newest = j->now.head.stamp;
    j->now = (struct judge_head){0};
    if (head != NULL)
        judge_reread(s, head);
    j->now.head.member = j->now.member;
    j->back_last = j->now.head.stamp;
    if (!j->went_back || stamp_compare(j->now.head.stamp, j->back_to) < 0)
        j->back_to = j->now.head.stamp;
    if (newest.gen > j->lost_gen)
        j->lost_gen = newest.gen;
    j->went_back = true;
    j->ids_until_us =
        s->now_us + 2 * SIM_MS * (s->timing.leader_authority + s->timing.heartbeat_ttl);
}

void judge_error(struct sim *s, struct proc *p, int code)
{
    struct judge *j = s->judge;

    if (j == NULL || code != ERR_LOG_LOST)
        return;
    if (!j->went_back)
        sim_fail(s, "L8", "%s takes the log for lost, and it is not", p->name);
    j->proc[p->slot].lost_gen = p->view.head.gen;
    j->proc[p->slot].has_lost = true;
}

/* L8: who has noticed gives no bit before a generation that was never used. */
void judge_bits_after_loss(struct sim *s, struct proc *p, const struct beacon *b)
{
    const struct judge_proc *jp = &s->judge->proc[p->slot];

    if (jp->has_lost && p->view.is_leading && b->head.gen <= jp->lost_gen)
        sim_fail(s, "L8", "%s gives bits by generation %llu after it had found it lost",
                 p->name, ull(b->head.gen));
}

void judge_written(struct sim *s, struct proc *writer, uint64_t sent_ms)
{
    /* A lease, a head and two slots a number; here no record has more than one chunk. */
    if (s->log.n > 2 + 2 * (s->id_max + 1))
        sim_fail(s, "I14", "the log has %u records", (unsigned)s->log.n);
    if (writer == NULL)
        return;
    struct judge_proc *jp = &s->judge->proc[writer->slot];

    if (sent_ms > jp->written_ms)
        jp->written_ms = sent_ms;
}

/* The log is asked for the lease, and answers: is it this process's own just then? */
void judge_lease_read(struct sim *s, struct proc *p)
{
    const struct log_record *rec = sim_log_find(s, "lease");
    struct lease_record lease;

    if (s->judge != NULL && rec != NULL &&
        lease_decode(&lease, rec->now->data, rec->now->n) == 0 &&
        lease.addr == p->conf.addr && lease.term == p->view.term)
        s->judge->proc[p->slot].owned_ms = proc_local_ms(p, s->now_us);
}

/* A write of before the log went back may come late and find the very sequence that it
 * expects; if it puts the same head back that a new leader proves just then, that one
 * takes it for its own.  No harm is done as long as the lease was its own when the log
 * said so, after the write was sent; until the answer is there the next one may win. */
static bool is_excused(const struct sim *s, const struct proc *p)
{
    const struct judge_proc *jp = &s->judge->proc[p->slot];

    return s->judge->went_back &&
           jp->owned_ms >= p->view.auth_end_ms - s->timing.leader_authority;
}

/* I15: the log has taken what the leader goes by.  I14: it asks no more and more. */
void judge_conclusions(struct sim *s, struct proc *p)
{
    struct judge_proc *jp = &s->judge->proc[p->slot];
    const struct node_view *v = &p->view;

    if (p->op_n > OPS_FAIR)
        sim_fail(s, "I14", "%s has %u operations of the log under way", p->name,
                 (unsigned)p->op_n);
    if (!v->is_leading) {
        jp->head = (struct stamp){0};
        jp->has_lost = false;
        return;
    }
    if (jp->has_lost && v->head.gen > jp->lost_gen)
        jp->has_lost = false;
    if (v->auth_end_ms > jp->auth_end_ms &&
        v->auth_end_ms - s->timing.leader_authority > jp->written_ms && !is_excused(s, p))
        sim_fail(s, "I15",
                 "%s has authority by a write of %llu ms, the log's newest from it is of "
                 "%llu ms",
                 p->name, ull(v->auth_end_ms - s->timing.leader_authority),
                 ull(jp->written_ms));
    if (stamp_compare(v->head, jp->head) != 0 && v->head.epoch != 0 &&
        !judge_is_written(s->judge, v->head))
        sim_fail(s, "I15", "%s leads by epoch %llu-%llu, which the log never had",
                 p->name, ull(v->head.gen), ull(v->head.epoch));
    jp->head = v->head;
}
