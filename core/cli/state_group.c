/* The state of a live group, from what its log and its leader say. */
#include "cli/state.h"

#include "base/status.h"
#include "proto/life.h"

const char *state_life(const struct group *g)
{
    if (!g->has_beacon || (g->beacon.flags & BEACON_RESIGNS) != 0)
        return g->is_empty ? STATE_EMPTY : life_name(LIFE_ELECTION);
    if (g->beacon.allowance_ms == 0)
        return life_name(LIFE_DEGRADED);
    if (g->beacon.trouble[0] != '\0')
        return life_name(LIFE_DEGRADED);
    switch (g->beacon.phase) {
    case PHASE_STABLE: return life_name(LIFE_STABLE);
    case PHASE_SCALING: return life_name(LIFE_SCALING);
    case PHASE_REBALANCING: return life_name(LIFE_REBALANCING);
    case PHASE_EMERGENCY: return life_name(LIFE_EMERGENCY);
    }
    return life_name(LIFE_DEGRADED);
}

const char *state_why(const struct group *g)
{
    if (!g->has_beacon || (g->beacon.flags & BEACON_RESIGNS) != 0)
        return "";
    return g->beacon.allowance_ms == 0
               ? "leader without authority: the log does not answer"
               : g->beacon.trouble;
}

static void copy(const char *from, char *to, size_t room)
{
    bytes_to_text(bytes_of(from), to, room);
}

static void take_head(struct state *s, const struct group *g, const struct group_view *v)
{
    const struct head *h = &v->head;

    copy(g->conf->group, s->group, sizeof s->group);
    copy(h->strategy, s->strategy, sizeof s->strategy);
    copy(state_life(g), s->life, sizeof s->life);
    copy(state_why(g), s->why, sizeof s->why);
    s->gen = h->stamp.gen;
    s->epoch = h->stamp.epoch;
    s->cause = h->cause;
    s->term = h->term;
    if (v->has_lease && v->lease.gen >= s->gen && v->lease.term > s->term)
        s->term = v->lease.term;
    s->has_leader = g->has_beacon && (g->beacon.flags & BEACON_RESIGNS) == 0;
    if (s->has_leader) {
        copy(g->beacon.id, s->leader, sizeof s->leader);
        s->term = g->beacon.term;
    }
    for (uint32_t i = 0; i < h->n; i++) {
        const struct head_member *m = &h->member[i];
        struct state_worker *w = state_add_worker(s, m->id);

        copy(m->host, w->host, sizeof w->host);
        copy(m->zone, w->zone, sizeof w->zone);
        w->num = m->num;
        w->pid = m->pid;
        w->capacity = m->capacity;
        w->state = m->state;
        w->has_left = g->is_empty;
    }
}

void state_take_unread(struct state *s, const struct group *g)
{
    const struct beacon *b = &g->beacon;

    s->unread = s->has_leader ? b->unread : 0;
    s->unread_workers = b->unread_workers;
    copy(b->unread_why, s->unread_why, sizeof s->unread_why);
    s->unread_id[0] = '\0';
    for (uint32_t i = 0; i < s->worker_n; i++)
        if (s->worker[i].num == b->unread_num)
            copy(s->worker[i].id, s->unread_id, sizeof s->unread_id);
}

/* W2: what a record lists is held once the demand on another member is met. */
static int take_record(struct state *s, const struct head *h, uint32_t member,
                       const struct group_record *r)
{
    struct own_coder coder;
    struct own_item item;
    int status = own_read_begin(&coder, r->bytes, r->n);

    while (status == STATUS_OK && (status = own_read(&coder, &item)) == 1) {
        struct state_part *p = state_add_part(s, item.id);

        p->weight = item.weight;
        p->owner = item.is_parked ? STATE_NOBODY : member;
        p->is_pending =
            !item.is_parked && !head_is_open(h, item.from.session, item.from.epoch);
        if (p->is_pending)
            p->from = (uint32_t)(head_find(h, item.from.session) - h->member);
        status = STATUS_OK;
    }
    return status;
}

int state_from_group(struct state *s, const struct group *g, const struct group_view *v)
{
    char twice[64];
    int status = STATUS_OK;

    take_head(s, g, v);
    state_take_unread(s, g);
    for (uint32_t i = 0; status == STATUS_OK && i < v->head.n; i++)
        if (v->record[i].bytes != NULL)
            status = take_record(s, &v->head, i, &v->record[i]);
    if (status == STATUS_OK)
        status = state_sort(s, twice, sizeof twice);
    if (status == STATUS_OK && v->head.set_count > s->part_n) {
        s->unlisted = v->head.set_count - s->part_n;
        state_count(s);
    }
    return status == STATUS_CONFLICT ? STATUS_CORRUPT : status;
}
