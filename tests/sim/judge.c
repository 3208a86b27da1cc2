#include "judge.h"

#include "base/must.h"

#include <stdio.h>
#include <string.h>

void judge_begin(struct judge *j)
{
    memset(j, 0, sizeof *j);
}

static unsigned long long ull(uint64_t x)
{
    return (unsigned long long)x;
}

/* ---- I1: nobody else may hold what this process starts, or starts again, to hold */

/* The log went back, and who takes over in it has heard of nothing that was lost: it
 * gives bits at once (L3) by the old head, while a lease by a lost one runs out
 * (PROTOCOL.md, "What no lease can prevent"). */
static bool is_from_before(const struct sim *s, const struct app_part *mine,
                           const struct app_part *theirs)
{
    const struct judge *j = s->judge;
    struct stamp old = {mine->gen, mine->since}, lost = {theirs->gen, theirs->since};

    return j->went_back && s->now_us < j->ids_until_us &&
           stamp_compare(old, j->back_last) <= 0 &&
           stamp_compare(lost, j->back_last) > 0 && lost.gen <= j->lost_gen;
}

static void check_alone(struct sim *s, struct proc *p, uint32_t i)
{
    uint32_t others = s->judge->holders[i] & ~(UINT32_C(1) << p->slot);

    for (uint32_t slot = 0; others != 0; slot++, others >>= 1) {
        const struct proc *other = &s->proc[slot];
        if ((others & 1) == 0 || !sim_app_holds(s, other, i))
            continue;
        const struct app_part *theirs = &other->app.part[i];
        const struct app_part *mine = &p->app.part[i];
        /* available: only one owner per token.  Without leases nobody who is cut off
         * stops, so a log that went back and grows again hands out a token twice. */
        struct stamp token = {mine->gen, mine->since};
        if (s->ownership == OWNERSHIP_AVAILABLE &&
            (theirs->gen != mine->gen || theirs->since != mine->since ||
             judge_is_doubtful(s->judge, token)))
            continue;
        if (is_from_before(s, mine, theirs) || is_from_before(s, theirs, mine))
            continue;
        sim_fail(s, "I1",
                 "%s holds partition %u by token %llu-%llu while %s holds it by "
                 "%llu-%llu until %llu ms of its clock, now %llu",
                 p->name, (unsigned)i, ull(mine->gen), ull(mine->since), other->name,
                 ull(theirs->gen), ull(theirs->since), ull(other->app.until_ms),
                 ull(proc_local_ms(other, s->now_us)));
    }
}

/* ---- I3: tokens of successive owners grow */

static void check_token(struct sim *s, struct proc *p, uint32_t i,
                        const struct part_view *v)
{
    struct judge_token *t = &s->judge->token[i];
    struct stamp old = {t->gen, t->since};
    struct stamp new = {v->gen, v->since};
    int order = judge_is_doubtful(s->judge, old) ? 1 : stamp_compare(new, old);
    bool is_same = t->slot == p->slot && t->life == p->life;

    if (t->is_given && (order < 0 || (order == 0 && !is_same)) &&
        (s->ownership == OWNERSHIP_STRICT || order == 0))
        sim_fail(s, "I3",
                 "%s is granted partition %u with token %llu-%llu after p%u.%u had it "
                 "with %llu-%llu",
                 p->name, (unsigned)i, ull(v->gen), ull(v->since), (unsigned)t->slot,
                 (unsigned)t->life, ull(t->gen), ull(t->since));
    if (!t->is_given || order > 0)
        *t = (struct judge_token){v->gen, v->since, p->slot, p->life, true};
}

void judge_granted(struct sim *s, struct proc *p, uint32_t i, const struct part_view *v)
{
    struct judge *j = s->judge;
    struct app_part *mine = &p->app.part[i];

    if (j == NULL)
        return;
    if (j->is_quiet)
        sim_fail(s, "I9", "%s is granted partition %u in quiet times", p->name,
                 (unsigned)i);
    if (mine->is_held && mine->fence_ms == UINT64_MAX)
        sim_fail(s, "I10", "%s is granted partition %u that it %s", p->name, (unsigned)i,
                 mine->is_stopping ? "is still stopping" : "has already");
    check_token(s, p, i, v);
    j->grants++;
    j->holders[i] |= UINT32_C(1) << p->slot;
    /* The application believes it from here on. */
    struct app_part before = *mine;
    *mine = (struct app_part){
        .is_held = true, .gen = v->gen, .since = v->since, .fence_ms = UINT64_MAX};
    if (sim_app_holds(s, p, i))
        check_alone(s, p, i);
    *mine = before;
}

void judge_revoking(struct sim *s, struct proc *p, uint32_t i)
{
    const struct app_part *mine = &p->app.part[i];

    if (s->judge == NULL)
        return;
    if (s->judge->is_quiet)
        sim_fail(s, "I9", "%s must stop partition %u in quiet times", p->name,
                 (unsigned)i);
    if (!mine->is_held)
        sim_fail(s, "I2", "%s must stop partition %u that it was never granted", p->name,
                 (unsigned)i);
    else if (mine->is_stopping)
        sim_fail(s, "I2", "%s must stop partition %u twice", p->name, (unsigned)i);
}

void judge_stopped(struct sim *s, struct proc *p, uint32_t i)
{
    if (s->judge != NULL)
        s->judge->holders[i] &= ~(UINT32_C(1) << p->slot);
}

void judge_released(struct sim *s, struct proc *p, uint32_t i)
{
    if (s->judge != NULL && i < SIM_PARTS_MAX && sim_app_holds(s, p, i))
        sim_fail(s, "I10", "%s tells partition %u as released while it works on it",
                 p->name, (unsigned)i);
}

void judge_hold(struct sim *s, struct proc *p, uint64_t until_ms)
{
    uint64_t now_ms = proc_local_ms(p, s->now_us);
    uint64_t old_ms = p->app.until_ms;

    if (s->judge == NULL || now_ms < old_ms || until_ms <= now_ms)
        return;
    p->app.until_ms = until_ms;
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        if (p->app.part[i].is_held && sim_app_holds(s, p, i))
            check_alone(s, p, i);
    p->app.until_ms = old_ms;
}

void judge_gone(struct sim *s, struct proc *p)
{
    if (s->judge == NULL)
        return;
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        s->judge->holders[i] &= ~(UINT32_C(1) << p->slot);
    s->judge->proc[p->slot] = (struct judge_proc){0};
}

/* ---- I4: one content per epoch, whoever shows it */

static void check_content(struct sim *s, struct proc *p, struct stamp st, uint64_t hash)
{
    /* Direct: an epoch makes room for one JUDGE_STAMPS later. */
    struct judge_stamp *known = &s->judge->stamp[(st.epoch + st.gen * 31) % JUDGE_STAMPS];
    int order = known->is_used ? stamp_compare(st, known->stamp) : 1;

    if (judge_is_doubtful(s->judge, st))
        return;
    if (order > 0)
        *known = (struct judge_stamp){st, hash, true};
    else if (order == 0 && known->hash != hash)
        sim_fail(s, "I4", "%s has another content for epoch %llu-%llu than others",
                 p->name, ull(st.gen), ull(st.epoch));
}

static bool lease_is_live(const struct sim *s, const struct proc *p)
{
    return proc_is_live(p) && proc_local_ms(p, s->now_us) < p->view.deadline_ms;
}

/* ---- I7: id and session one-to-one while a lease of it lives */

static void check_id(struct sim *s, struct proc *p)
{
    /* Without self-fencing nobody waits for the end of a lease. */
    if (s->ownership == OWNERSHIP_AVAILABLE)
        return;
    /* Who begins an empty log knows nothing of the ids of before; their leases end. */
    if (s->judge->went_back && s->now_us < s->judge->ids_until_us)
        return;
    if (p->view.id[0] == '\0' || !lease_is_live(s, p))
        return;
    for (uint32_t k = 0; k < PROCS_MAX; k++) {
        const struct proc *other = &s->proc[k];
        if (other == p || !lease_is_live(s, other) ||
            strcmp(s->judge->proc[k].id, p->view.id) != 0)
            continue;
        sim_fail(s, "I7", "%s and %s both live as %s", p->name, other->name, p->view.id);
    }
}

void judge_step(struct sim *s, struct proc *p, const struct event *ev,
                const struct actions *out)
{
    struct judge *j = s->judge;

    if (j == NULL)
        return;
    struct judge_proc *last = &j->proc[p->slot];
    const struct node_view *v = &p->view;
    must(out->n <= ACTIONS_MAX);
    int order = stamp_compare(v->applied, last->applied);
    if (order < 0)
        sim_fail(s, "I3", "%s falls back from epoch %llu-%llu to %llu-%llu", p->name,
                 ull(last->applied.gen), ull(last->applied.epoch), ull(v->applied.gen),
                 ull(v->applied.epoch));
    if (order != 0) {
        check_content(s, p, v->applied, v->applied_hash);
        last->applied = v->applied;
        last->hash = v->applied_hash;
    } else if (v->applied_hash != last->hash) {
        sim_fail(s, "I4", "%s changes the content of epoch %llu-%llu", p->name,
                 ull(v->applied.gen), ull(v->applied.epoch));
    }
    if (v->term < last->term)
        sim_fail(s, "W4", "%s falls back from term %llu to %llu", p->name,
                 ull(last->term), ull(v->term));
    last->term = v->term;
    last->auth_end_was_ms = last->auth_end_ms;
    judge_conclusions(s, p);
    if (v->is_leading && v->auth_end_ms != last->auth_end_ms)
        judge_authority(s, p);
    last->auth_end_ms = v->auth_end_ms;
    if (!session_equal(last->session, v->session)) {
        last->session = v->session;
        last->reckoned_us = 0;
    }
    if (v->deadline_ms > last->deadline_ms)
        judge_extended(s, p, ev);
    bool is_new_id = strcmp(last->id, v->id) != 0;
    if (is_new_id)
        memcpy(last->id, v->id, strlen(v->id) + 1);
    if (is_new_id || v->deadline_ms > last->deadline_ms)
        check_id(s, p);
    last->deadline_ms = v->deadline_ms;
}

void judge_send(struct sim *s, struct proc *p, const struct action *a)
{
    if (s->judge == NULL)
        return;
    if (a->send.n > p->conf.chunk_max)
        sim_fail(s, "I12", "%s sends %zu bytes in one message", p->name, a->send.n);
    if (a->send.addr == 0)
        judge_beacon(s, p, a->send.data, a->send.n);
}

void judge_write(struct sim *s, struct proc *p, const struct action *a)
{
    if (s->judge != NULL && a->log.n > p->conf.chunk_max)
        sim_fail(s, "I12", "%s writes %zu bytes to %s", p->name, a->log.n, a->log.key);
}

void judge_log(struct sim *s, struct proc *writer, const struct log_record *rec,
               uint64_t sent_ms)
{
    if (s->judge == NULL)
        return;
    judge_written(s, writer, sent_ms);
    if (strcmp(rec->key, "head") == 0)
        judge_head(s, rec);
}

/* ---- I8, I11, I13: what must hold at rest */

static const char *unsettled_procs(struct sim *s, const struct proc *leader)
{
    static char text[200];

    for (uint32_t k = 0; k < PROCS_MAX; k++) {
        const struct proc *p = &s->proc[k];
        if (!proc_is_live(p))
            continue;
        const struct node_view *v = &p->view;
        const char *what =
            p->is_leaving                                       ? "has not left"
            : v->state != LIFE_STABLE                           ? "is not Stable"
            : v->id[0] == '\0'                                  ? "has no id"
            : !lease_is_live(s, p)                              ? "has no lease"
            : stamp_compare(v->applied, leader->view.head) != 0 ? "lags behind the log"
            : v->applied_hash != leader->view.applied_hash      ? "has another head"
            : v->term != leader->view.term                      ? "is in another term"
            : p != leader && v->is_leading                      ? "leads, too"
                                                                : NULL;
        if (what == NULL)
            continue;
        snprintf(text, sizeof text, "%s %s (state %d, epoch %llu-%llu of %llu-%llu)",
                 p->name, what, (int)v->state, ull(v->applied.gen), ull(v->applied.epoch),
                 ull(leader->view.head.gen), ull(leader->view.head.epoch));
        return text;
    }
    return NULL;
}

static const char *unsettled_parts(struct sim *s)
{
    static char text[100];

    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < PROCS_MAX; k++)
            n += sim_app_holds(s, &s->proc[k], i) ? 1 : 0;
        bool is_listed = s->judge->now.part[i].is_listed;
        if (n == (s->part_present[i] ? 1 : 0) && is_listed == s->part_present[i])
            continue;
        snprintf(text, sizeof text, "partition %u is %s, held by %u and %s the records",
                 (unsigned)i, s->part_present[i] ? "wanted" : "not wanted", (unsigned)n,
                 is_listed ? "in" : "not in");
        return text;
    }
    return NULL;
}

void judge_planned(struct sim *s, bool keeps)
{
    if (s->judge != NULL)
        s->judge->is_kept = keeps;
}

static const char *unsettled_balance(struct sim *s)
{
    uint32_t most = 0, least = UINT32_MAX;

    if (s->judge->is_kept)
        return NULL;
    for (uint32_t k = 0; k < PROCS_MAX; k++) {
        if (!proc_is_live(&s->proc[k]))
            continue;
        uint32_t n = sim_app_held(s, &s->proc[k]);
        most = n > most ? n : most;
        least = n < least ? n : least;
    }
    return most - least > 1 ? "the partitions are not dealt out evenly" : NULL;
}

const char *judge_unsettled(struct sim *s)
{
    static char text[200];
    const struct proc *leader = NULL;
    uint32_t live = 0;
    const char *what;

    for (uint32_t k = 0; k < PROCS_MAX; k++) {
        const struct proc *p = &s->proc[k];
        if (!proc_is_live(p))
            continue;
        live++;
        if (p->view.is_leading && (leader == NULL || p->view.term > leader->view.term))
            leader = p;
    }
    if (live == 0)
        return "nobody lives";
    if (leader == NULL)
        return "nobody leads";
    const struct node_view *v = &leader->view;
    if (v->pending != 0 || v->unowned != 0 || v->phase != PHASE_STABLE ||
        v->members != live) {
        snprintf(text, sizeof text,
                 "%s leads %u members of %u processes, phase %d, pending %u, unowned %u",
                 leader->name, (unsigned)v->members, (unsigned)live, (int)v->phase,
                 (unsigned)v->pending, (unsigned)v->unowned);
        return text;
    }
    what = unsettled_procs(s, leader);
    if (what == NULL)
        what = unsettled_parts(s);
    if (what == NULL)
        what = unsettled_balance(s);
    return what;
}
