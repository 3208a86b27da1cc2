#include "proto/transfer.h"

#include "base/hash.h"
#include "base/must.h"
#include "base/status.h"

#include <string.h>

/* What becomes of a partition by the plan that is open. */
struct next {
    uint32_t owner; /* NUM_NONE: leaves the lists, or stays out of them */
    bool is_parked;
    bool is_changed; /* the record of owner, old or new, must be written */
    uint64_t since;
    struct own_from from;
};

static bool is_pending(const struct part *p)
{
    return !session_is_none(p->from.session);
}

static struct bytes id_of(const struct part_list *l, const struct part *p)
{
    return (struct bytes){l->text + p->id_at, p->id_n};
}

/* Is the present owner's session on its way out? */
static bool leaves(const struct transfer *t, uint32_t num)
{
    const struct seat *s = &t->seat[num];

    return s->is_dropped || !session_equal(s->session, s->next_session);
}

static bool is_reborn(const struct transfer *t, uint32_t num)
{
    const struct seat *s = &t->seat[num];

    return leaves(t, num) && !session_is_none(s->next_session) &&
           !session_equal(s->session, s->next_session);
}

static struct next stay(const struct part *p)
{
    return (struct next){p->owner, p->is_parked, false, p->since, p->from};
}

/* The parking owner has reported released through the epoch that parked it, and nobody
 * before it can hold it: it may leave the lists for good. */
static bool can_leave(const struct transfer *t, const struct part *p)
{
    return p->is_parked && !is_pending(p) && t->seat[p->owner].released >= p->since;
}

/* Pending on a session that stays: the demand must stay in the lists.  One that leaves
 * has lapsed, nobody need wait for it any more. */
static bool is_bound(const struct transfer *t, const struct part *p)
{
    return is_pending(p) && !leaves(t, p->from_num);
}

static struct next next_without_target(const struct transfer *t, const struct part *p)
{
    struct next n = stay(p);

    if (p->owner == NUM_NONE)
        return n;
    n.is_changed = true;
    if (!is_bound(t, p) && (leaves(t, p->owner) || (!p->is_wanted && can_leave(t, p)))) {
        n.owner = NUM_NONE;
    } else if (!p->is_parked) {
        n.is_parked = true;
        n.since = t->epoch;
    } else {
        n.is_changed = is_reborn(t, p->owner);
    }
    return n;
}

static struct next next_with_target(const struct transfer *t, const struct part *p)
{
    struct next n = stay(p);
    const struct seat *to = &t->seat[p->desired];
    bool same = p->owner == p->desired && !leaves(t, p->owner);

    if (same && !p->is_parked)
        return n;
    n.owner = p->desired;
    n.is_parked = false;
    n.is_changed = true;
    n.since = t->epoch;
    if (p->owner == NUM_NONE)
        n.from = (struct own_from){0};
    else if (is_pending(p) && session_equal(p->from.session, to->next_session))
        n.from = (struct own_from){0}; /* back home: nobody else can have held it */
    else if (!is_pending(p) && !same)
        n.from = (struct own_from){t->seat[p->owner].session, t->epoch};
    return n; /* pending and aimed elsewhere: the first demand stays */
}

static struct next next_of(const struct transfer *t, const struct part *p)
{
    if (p->is_wanted && p->desired != NUM_NONE)
        return next_with_target(t, p);
    return next_without_target(t, p);
}

static void mark(struct transfer *t, uint32_t num)
{
    if (num != NUM_NONE)
        t->seat[num].is_changed = true;
}

/* Partitions by next owner, so that each record is written in one sweep. */
static void order_by_owner(struct transfer *t)
{
    uint32_t at = 0;

    for (uint32_t num = 0; num < t->seats_max; num++) {
        t->seat[num].start = at;
        at += t->seat[num].count;
        t->seat[num].count = 0;
    }
    for (uint32_t i = 0; i < t->now.n; i++) {
        struct next n = next_of(t, &t->now.part[i]);

        if (n.owner != NUM_NONE)
            t->order[t->seat[n.owner].start + t->seat[n.owner].count++] = i;
    }
}

bool transfer_begin(struct transfer *t, uint64_t epoch)
{
    bool any = false;

    must(!t->is_open);
    t->epoch = epoch;
    t->moved = 0;
    for (uint32_t num = 0; num < t->seats_max; num++) {
        t->seat[num].is_changed = false;
        t->seat[num].count = 0;
    }
    for (uint32_t i = 0; i < t->now.n; i++) {
        const struct part *p = &t->now.part[i];
        struct next n = next_of(t, p);

        if (n.owner != NUM_NONE)
            t->seat[n.owner].count++;
        if (!n.is_changed)
            continue;
        any = true;
        mark(t, n.owner);
        if (p->owner != NUM_NONE && !leaves(t, p->owner))
            mark(t, p->owner);
        if (p->owner != NUM_NONE && n.owner != NUM_NONE && p->owner != n.owner)
            t->moved++;
    }
    if (any)
        order_by_owner(t);
    t->is_open = any;
    return any;
}

size_t transfer_encode(struct transfer *t, uint32_t num, uint64_t gen, void *buffer,
                       size_t room)
{
    const struct seat *s = &t->seat[num];

    must(t->is_open);
    own_write_begin(&t->coder, buffer, room, (struct stamp){gen, t->epoch},
                    s->next_session);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct part *p = &t->now.part[t->order[s->start + i]];
        struct next n = next_of(t, p);
        struct own_item item = {id_of(&t->now, p), p->weight, n.since, n.from,
                                n.is_parked};

        own_write(&t->coder, &item);
    }
    return own_write_end(&t->coder);
}

void transfer_commit(struct transfer *t)
{
    must(t->is_open);
    for (uint32_t i = 0; i < t->now.n; i++) {
        struct part *p = &t->now.part[i];
        struct next n = next_of(t, p);

        p->owner = n.owner;
        p->is_parked = n.is_parked && n.owner != NUM_NONE;
        p->since = n.since;
        p->from = n.owner != NUM_NONE ? n.from : (struct own_from){0};
    }
    t->is_open = false;
}

void transfer_abort(struct transfer *t)
{
    t->is_open = false;
}

/* Somebody waits for this member to release what was taken at 'epoch'. */
static void await(struct transfer *t, uint32_t num, uint64_t epoch)
{
    struct seat *s = &t->seat[num];

    t->awaited++;
    if (s->awaited_min == 0 || epoch < s->awaited_min)
        s->awaited_min = epoch;
    if (epoch > s->awaited_max)
        s->awaited_max = epoch;
}

void transfer_sweep(struct transfer *t, const struct head *head)
{
    struct own_from last = {0};
    const struct head_member *whose = NULL;

    must(!t->is_open);
    t->pending = 0;
    t->unowned = 0;
    t->wanted = 0;
    t->awaited = 0;
    for (uint32_t num = 0; num < t->seats_max; num++)
        t->seat[num].awaited_min = t->seat[num].awaited_max = 0;
    for (uint32_t i = 0; i < head->n; i++)
        t->seat[head->member[i].num].released = head->member[i].released;
    for (uint32_t i = 0; i < t->now.n; i++) {
        struct part *p = &t->now.part[i];

        if (is_pending(p)) {
            if (!session_equal(p->from.session, last.session)) {
                last = p->from;
                whose = head_find(head, last.session);
            }
            if (whose == NULL || whose->released >= p->from.epoch)
                p->from = (struct own_from){0};
            else
                await(t, p->from_num = whose->num, p->from.epoch);
        }
        /* What the source has removed leaves the lists once its owner has released it. */
        if (!p->is_wanted && p->is_parked && !is_pending(p) && !can_leave(t, p))
            await(t, p->owner, p->since);
        t->pending += is_pending(p) ? 1 : 0;
        t->wanted += p->is_wanted ? 1 : 0;
        t->unowned += p->is_wanted && (p->owner == NUM_NONE || p->is_parked) ? 1 : 0;
    }
}

bool transfer_is_free(const struct transfer *t, uint32_t num)
{
    for (uint32_t i = 0; i < t->now.n; i++)
        if (t->now.part[i].owner == num)
            return false;
    return true;
}

bool transfer_is_wanted(const struct transfer *t, uint32_t num)
{
    for (uint32_t i = 0; i < t->now.n; i++)
        if (t->now.part[i].owner == num && t->now.part[i].is_wanted &&
            !t->now.part[i].is_parked)
            return true;
    return false;
}

bool transfer_wants_tidying(const struct transfer *t)
{
    for (uint32_t i = 0; i < t->now.n; i++) {
        const struct part *p = &t->now.part[i];

        if (!p->is_wanted && p->owner != NUM_NONE && can_leave(t, p))
            return true;
    }
    return false;
}

bool transfer_blocks_drop(const struct transfer *t, uint32_t num)
{
    for (uint32_t i = 0; i < t->now.n; i++) {
        const struct part *p = &t->now.part[i];
        bool has_target = p->is_wanted && p->desired != NUM_NONE;

        if (p->owner != num)
            continue;
        if (has_target ? p->desired == num
                       : is_pending(p) && !t->seat[p->from_num].is_dropped)
            return true;
    }
    return false;
}

__extension__ typedef unsigned __int128 wide;

uint64_t transfer_imbalance_ppm(struct transfer *t, const uint32_t *num, uint32_t n)
{
    uint64_t total = 0, most = 0;

    for (uint32_t i = 0; i < t->seats_max; i++)
        t->seat[i].load = 0;
    for (uint32_t i = 0; i < t->now.n; i++)
        if (t->now.part[i].owner != NUM_NONE)
            t->seat[t->now.part[i].owner].load += t->now.part[i].weight;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t load = t->seat[num[i]].load;

        total += load;
        most = load > most ? load : most;
    }
    if (total == 0)
        return 0;
    return sat_sub((uint64_t)((wide)most * n * 1000000 / total), 1000000);
}

uint64_t transfer_set_hash(const struct transfer *t)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < t->now.n; i++) {
        const struct part *p = &t->now.part[i];
        uint64_t word[3];

        if (!p->is_wanted)
            continue;
        word[0] = hash;
        word[1] = hash_bytes(t->now.text + p->id_at, p->id_n);
        word[2] = p->weight;
        hash = hash_bytes(word, sizeof word);
    }
    return hash;
}
