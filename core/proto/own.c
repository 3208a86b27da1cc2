#include "proto/own.h"

#include "base/must.h"
#include "base/status.h"

#include <string.h>

enum { OWN_VERSION = 1, FROM_NONE = 0, FROM_NEW = 1, FROM_KEPT = 2 };

static void keep_from(struct own_coder *c, const struct own_from *from)
{
    c->kept[c->kept_next % OWN_FROM_KEPT] = *from;
    c->kept_next++;
}

/* The code of a demand; FROM_NEW if it is none of those kept. */
static uint64_t from_code(const struct own_coder *c, const struct own_from *from)
{
    if (session_is_none(from->session))
        return FROM_NONE;
    for (uint32_t i = 0; i < OWN_FROM_KEPT && i < c->kept_next; i++)
        if (session_equal(c->kept[i].session, from->session) &&
            c->kept[i].epoch == from->epoch)
            return FROM_KEPT + i;
    return FROM_NEW;
}

void own_write_begin(struct own_coder *c, void *buffer, size_t room, struct stamp stamp,
                     struct session session)
{
    c->out = (struct wire_out){.at = buffer, .room = room};
    c->stamp = stamp;
    c->session = session;
    c->kept_next = 0;
    c->prev_n = 0;
    wire_put_u8(&c->out, 'P');
    wire_put_u8(&c->out, 'O');
    wire_put_u8(&c->out, OWN_VERSION);
    wire_put_varint(&c->out, stamp.gen);
    wire_put_varint(&c->out, stamp.epoch);
    wire_put_session(&c->out, session);
}

void own_write(struct own_coder *c, const struct own_item *item)
{
    size_t shared = 0;
    uint64_t code = from_code(c, &item->from);

    must(item->id.n <= PART_ID_MAX && item->since <= c->stamp.epoch);
    while (shared < c->prev_n && shared < item->id.n &&
           c->prev[shared] == item->id.at[shared])
        shared++;
    wire_put_varint(&c->out, shared);
    wire_put_varint(&c->out, item->id.n - shared);
    wire_put(&c->out, item->id.at + shared, item->id.n - shared);
    wire_put_varint(&c->out, item->weight);
    wire_put_varint(&c->out, c->stamp.epoch - item->since);
    wire_put_varint(&c->out, code * 2 + (item->is_parked ? 1 : 0));
    if (code == FROM_NEW) {
        wire_put_session(&c->out, item->from.session);
        wire_put_varint(&c->out, item->from.epoch);
        keep_from(c, &item->from);
    }
    memcpy(c->prev, item->id.at, item->id.n);
    c->prev_n = item->id.n;
}

size_t own_write_end(struct own_coder *c)
{
    return c->out.is_over ? 0 : c->out.n;
}

int own_read_begin(struct own_coder *c, const void *data, size_t n)
{
    struct wire_in *in = &c->in;

    *in = (struct wire_in){.at = data, .end = (const uint8_t *)data + n};
    c->kept_next = 0;
    c->prev_n = 0;
    if (wire_get_u8(in) != 'P' || wire_get_u8(in) != 'O')
        return STATUS_CORRUPT;
    if (wire_get_u8(in) != OWN_VERSION)
        return in->is_bad ? STATUS_CORRUPT : STATUS_UNSUPPORTED;
    c->stamp.gen = wire_get_varint(in);
    c->stamp.epoch = wire_get_varint(in);
    c->session = wire_get_session(in);
    return in->is_bad ? STATUS_CORRUPT : 0;
}

static void read_from(struct own_coder *c, uint64_t code, struct own_from *from)
{
    if (code == FROM_NONE) {
        *from = (struct own_from){0};
    } else if (code == FROM_NEW) {
        from->session = wire_get_session(&c->in);
        from->epoch = wire_get_varint(&c->in);
        keep_from(c, from);
    } else if (code - FROM_KEPT < OWN_FROM_KEPT && code - FROM_KEPT < c->kept_next) {
        *from = c->kept[code - FROM_KEPT];
    } else {
        c->in.is_bad = true;
    }
}

int own_read(struct own_coder *c, struct own_item *ret_item)
{
    struct wire_in *in = &c->in;

    if (!in->is_bad && in->at == in->end)
        return 0;
    uint64_t shared = wire_get_varint(in);
    uint64_t further = wire_get_varint(in);

    if (in->is_bad || shared > c->prev_n || further > PART_ID_MAX - shared)
        return STATUS_CORRUPT;
    const uint8_t *bytes = wire_get(in, further);
    struct own_item item = {.id = {c->prev, (size_t)(shared + further)}};
    uint64_t weight = wire_get_varint(in);
    uint64_t age = wire_get_varint(in);
    uint64_t code = wire_get_varint(in);

    read_from(c, code / 2, &item.from);
    if (in->is_bad || weight > UINT32_MAX || age > c->stamp.epoch)
        return STATUS_CORRUPT;
    memcpy(c->prev + shared, bytes, further);
    c->prev_n = item.id.n;
    item.weight = (uint32_t)weight;
    item.since = c->stamp.epoch - age;
    item.is_parked = (code & 1) != 0;
    *ret_item = item;
    return 1;
}
