#include "proto/hold.h"

#include "base/must.h"
#include "base/status.h"
#include "proto/emit.h"

#include <string.h>

enum { TEXT_PER_PART = 64 };

/* stop_epoch of what the application was not asked to stop: no answer covers it. */
#define STOP_UNASKED UINT64_MAX

static uint32_t text_room(uint32_t parts_max)
{
    return parts_max * TEXT_PER_PART + PART_ID_MAX;
}

size_t hold_size(uint32_t parts_max)
{
    size_t list = parts_max * sizeof(struct hold_entry) + text_room(parts_max) + 64;

    return 2 * list + parts_max * (3 * sizeof(struct part_view) + sizeof(uint32_t)) + 128;
}

static bool list_init(struct hold_list *l, struct arena *arena, uint32_t parts_max)
{
    l->entry = arena_carve(arena, parts_max * sizeof *l->entry);
    l->text = arena_carve(arena, text_room(parts_max));
    return l->entry != NULL && l->text != NULL;
}

bool hold_init(struct hold *h, struct arena *arena, uint32_t parts_max)
{
    h->entries_max = parts_max;
    h->text_max = text_room(parts_max);
    h->view_max = 3 * parts_max;
    h->view = arena_carve(arena, h->view_max * sizeof *h->view);
    h->slot_free = arena_carve(arena, parts_max * sizeof *h->slot_free);
    return list_init(&h->now, arena, parts_max) &&
           list_init(&h->spare, arena, parts_max) && h->view != NULL &&
           h->slot_free != NULL;
}

static uint32_t take_slot(struct hold *h)
{
    if (h->slot_free_n > 0)
        return h->slot_free[--h->slot_free_n];
    must(h->slot_next < h->entries_max);
    return h->slot_next++;
}

static void give_slot(struct hold *h, uint32_t slot)
{
    must(h->slot_free_n < h->entries_max);
    h->slot_free[h->slot_free_n++] = slot;
}

void hold_begin_step(struct hold *h)
{
    h->view_n = 0;
}

static struct bytes id_of(const struct hold_list *l, const struct hold_entry *e)
{
    return (struct bytes){l->text + e->id_at, e->id_n};
}

/* Appends an entry with this id; NULL when the list is full. */
static struct hold_entry *append(struct hold *h, struct hold_list *l, struct bytes id)
{
    if (l->n == h->entries_max || id.n > h->text_max - l->text_n)
        return NULL;
    struct hold_entry *e = &l->entry[l->n++];

    *e = (struct hold_entry){.id_at = l->text_n, .id_n = (uint16_t)id.n};
    memcpy(l->text + l->text_n, id.at, id.n);
    l->text_n += (uint32_t)id.n;
    return e;
}

/* Carries the part of an old entry that outlives its listing. */
static bool carry(struct hold *h, struct hold_list *to, const struct hold_list *from,
                  const struct hold_entry *old)
{
    if (old->state == HOLD_IDLE)
        return true;
    struct hold_entry *e = append(h, to, id_of(from, old));

    if (e == NULL)
        return false;
    uint32_t id_at = e->id_at;

    *e = *old;
    e->id_at = id_at;
    e->is_listed = false;
    return true;
}

/* Copies one item of the record, with the state of the old entry of that id, if any. */
static bool take_item(struct hold *h, struct hold_list *to, const struct own_item *item,
                      const struct hold_entry *old)
{
    struct hold_entry *e = append(h, to, item->id);

    if (e == NULL)
        return false;
    if (old != NULL) {
        e->state = old->state;
        e->slot = old->slot;
        e->stop_epoch = old->stop_epoch;
        e->before_epoch = old->before_epoch;
    }
    e->is_listed = true;
    e->is_parked = item->is_parked;
    e->weight = item->weight;
    e->from = item->from;
    /* Until it has stopped the application knows it by its old token. */
    e->since = old != NULL && old->state != HOLD_IDLE ? old->since : item->since;
    e->listed_since = item->since;
    return true;
}

int hold_load(struct hold *h, const void *data, size_t n)
{
    struct hold_list *old = &h->now, *list = &h->spare;
    struct own_item item;
    uint32_t i = 0;
    int got = 0;

    list->n = 0;
    list->text_n = 0;
    if (data != NULL) {
        int status = own_read_begin(&h->coder, data, n);

        if (status < 0)
            return status;
    }
    while (data != NULL && (got = own_read(&h->coder, &item)) > 0) {
        while (i < old->n && bytes_compare(id_of(old, &old->entry[i]), item.id) < 0)
            if (!carry(h, list, old, &old->entry[i++]))
                return STATUS_LIMIT;
        bool is_same = i < old->n && bytes_equal(id_of(old, &old->entry[i]), item.id);

        if (!take_item(h, list, &item, is_same ? &old->entry[i] : NULL))
            return STATUS_LIMIT;
        i += is_same ? 1 : 0;
    }
    if (got < 0)
        return got;
    for (; i < old->n; i++)
        if (!carry(h, list, old, &old->entry[i]))
            return STATUS_LIMIT;

    struct hold_list swap = h->now;

    h->now = h->spare;
    h->spare = swap;
    h->gen = data != NULL ? h->coder.stamp.gen : h->gen;
    return 0;
}

static void see(struct hold *h, const struct hold_entry *e)
{
    must(h->view_n < h->view_max);
    h->view[h->view_n++] = (struct part_view){.id = id_of(&h->now, e),
                                              .weight = e->weight,
                                              .since = e->since,
                                              .gen = h->gen,
                                              .slot = e->slot};
}

/* Emits the views since 'first', if there are any. */
static void tell(struct hold *h, enum action_type type, uint64_t epoch, uint32_t first,
                 struct actions *out)
{
    if (h->view_n == first)
        return;
    struct action *a = emit(out, type);

    a->parts.epoch = epoch;
    a->parts.part = h->view + first;
    a->parts.n = h->view_n - first;
}

static void stop(struct hold *h, struct hold_entry *e, uint64_t epoch, uint64_t before)
{
    e->state = HOLD_STOPPING;
    e->stop_epoch = epoch;
    e->before_epoch = before;
    h->held--;
    h->stopping++;
    see(h, e);
}

void hold_judge(struct hold *h, const struct head *now, bool is_away, uint64_t before,
                struct actions *out)
{
    uint32_t first = h->view_n;
    struct own_from last = {0};
    bool last_open = true;

    for (uint32_t i = 0; i < h->now.n; i++) {
        struct hold_entry *e = &h->now.entry[i];

        /* Neighbours mostly share their demand: look each one up once. */
        if (!session_equal(e->from.session, last.session) ||
            e->from.epoch != last.epoch) {
            last = e->from;
            last_open = head_is_open(now, last.session, last.epoch);
        }
        e->may = e->is_listed && !e->is_parked && !is_away && last_open;
        /* A grant of a later epoch: it was taken and given back in heads never seen. */
        if (e->state == HOLD_HELD && (!e->may || e->since != e->listed_since))
            stop(h, e, now->stamp.epoch, before);
    }
    tell(h, ACT_REVOKING, now->stamp.epoch, first, out);
}

void hold_grant(struct hold *h, uint64_t epoch, struct actions *out)
{
    uint32_t first = h->view_n;

    for (uint32_t i = 0; i < h->now.n; i++) {
        struct hold_entry *e = &h->now.entry[i];

        if (e->may && e->state == HOLD_IDLE) {
            e->state = HOLD_HELD;
            e->since = e->listed_since;
            e->slot = take_slot(h);
            h->held++;
            see(h, e);
        }
    }
    tell(h, ACT_GRANTED, epoch, first, out);
}

void hold_stop_all(struct hold *h, uint64_t epoch, struct actions *out)
{
    uint32_t first = h->view_n;

    for (uint32_t i = 0; i < h->now.n; i++)
        if (h->now.entry[i].state == HOLD_HELD)
            stop(h, &h->now.entry[i], epoch, epoch > 0 ? epoch - 1 : 0);
    tell(h, ACT_REVOKING, epoch, first, out);
}

void hold_released(struct hold *h, uint64_t epoch, struct actions *out)
{
    uint32_t first = h->view_n;

    for (uint32_t i = 0; i < h->now.n; i++) {
        struct hold_entry *e = &h->now.entry[i];

        if (e->state == HOLD_STOPPING && e->stop_epoch <= epoch &&
            e->stop_epoch != STOP_UNASKED) {
            e->state = HOLD_IDLE;
            h->stopping--;
            see(h, e);
            give_slot(h, e->slot);
        }
    }
    tell(h, ACT_RELEASED, epoch, first, out);
}

void hold_fence_begin(struct hold *h, uint64_t epoch)
{
    for (uint32_t i = 0; h->held > 0 && i < h->now.n; i++) {
        struct hold_entry *e = &h->now.entry[i];

        if (e->state != HOLD_HELD)
            continue;
        e->state = HOLD_STOPPING;
        e->stop_epoch = STOP_UNASKED;
        e->before_epoch = sat_sub(epoch, 1);
        h->held--;
        h->stopping++;
    }
}

bool hold_fence(struct hold *h)
{
    bool had_any = h->held + h->stopping > 0;

    for (uint32_t i = 0; had_any && i < h->now.n; i++)
        h->now.entry[i].state = HOLD_IDLE;
    h->slot_free_n = 0;
    h->slot_next = 0;
    h->held = 0;
    h->stopping = 0;
    return had_any;
}

uint64_t hold_released_through(const struct hold *h, uint64_t applied)
{
    uint64_t through = applied;

    for (uint32_t i = 0; h->stopping > 0 && i < h->now.n; i++) {
        const struct hold_entry *e = &h->now.entry[i];

        if (e->state == HOLD_STOPPING && e->before_epoch < through)
            through = e->before_epoch;
    }
    return through;
}
