#include "proto/head.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/must.h"
#include "base/status.h"
#include "proto/life.h"

#include <stdio.h>
#include <string.h>

enum { RECORD_VERSION = 1 };

static void put_member(struct json_out *o, const struct head_member *m)
{
    json_open(o, NULL, '{');
    json_put_u64(o, "num", m->num);
    json_put_text(o, "id", m->id);
    json_put_hex(o, "session", m->session.hi, m->session.lo, true);
    json_put_text(o, "host", m->host);
    json_put_u64(o, "pid", m->pid);
    json_put_u64(o, "capacity", m->capacity);
    if (m->zone[0] != '\0')
        json_put_text(o, "zone", m->zone);
    json_put_text(o, "state", member_state_name(m->state));
    json_put_u64(o, "born", m->born);
    json_put_u64(o, "released", m->released);
    if (m->own.slot != OWN_SLOT_NONE) {
        json_open(o, "own", '{');
        json_put_u64(o, "slot", m->own.slot);
        json_put_u64(o, "epoch", m->own.epoch);
        json_put_hex(o, "hash", 0, m->own.hash, false);
        json_put_u64(o, "count", m->own.count);
        json_put_u64(o, "size", m->own.size);
        json_put_u64(o, "chunks", m->own.chunks);
        json_close(o, '}');
    }
    json_close(o, '}');
}

size_t head_encode(struct head *h, void *buffer, size_t room)
{
    struct json_out o;

    json_out_init(&o, buffer, room);
    json_open(&o, NULL, '{');
    json_put_text(&o, "record", "parti.head");
    json_put_u64(&o, "version", RECORD_VERSION);
    json_put_u64(&o, "gen", h->stamp.gen);
    json_put_u64(&o, "epoch", h->stamp.epoch);
    json_put_u64(&o, "term", h->term);
    json_put_hex(&o, "prev", 0, h->prev_hash, false);
    json_put_text(&o, "cause", cause_name(h->cause));
    json_put_hex(&o, "set", 0, h->set_hash, false);
    json_put_u64(&o, "partitions", h->set_count);
    json_put_text(&o, "strategy", h->strategy);
    json_open(&o, "members", '[');
    for (uint32_t i = 0; i < h->n; i++)
        put_member(&o, &h->member[i]);
    json_close(&o, ']');
    json_close(&o, '}');
    if (o.is_over)
        return 0;
    h->hash = hash_bytes(buffer, o.n);
    return o.n;
}

size_t lease_encode(const struct lease_record *l, void *buffer, size_t room)
{
    struct json_out o;

    json_out_init(&o, buffer, room);
    json_open(&o, NULL, '{');
    json_put_text(&o, "record", "parti.lease");
    json_put_u64(&o, "version", RECORD_VERSION);
    json_put_u64(&o, "gen", l->gen);
    json_put_u64(&o, "term", l->term);
    json_put_text(&o, "leader", l->leader);
    json_put_text(&o, "host", l->host);
    json_put_u64(&o, "pid", l->pid);
    json_put_hex(&o, "session", l->session.hi, l->session.lo, true);
    json_put_hex(&o, "addr", 0, l->addr, false);
    json_put_hex(&o, "nonce", 0, l->nonce, false);
    json_close(&o, '}');
    return o.is_over ? 0 : o.n;
}

static bool is(struct bytes key, const char *name)
{
    return bytes_equal(key, bytes_of(name));
}

static uint32_t get_u32(struct json_in *in)
{
    uint64_t value = json_get_u64(in);

    if (value > UINT32_MAX)
        in->is_bad = true;
    return (uint32_t)value;
}

static uint64_t get_hex64(struct json_in *in)
{
    uint64_t hi, lo;

    json_get_hex(in, &hi, &lo);
    return lo;
}

/* One of the names of an enum, in its order. */
static uint32_t get_name(struct json_in *in, const char *(*name_of)(int), int last)
{
    char text[NAME_ROOM];

    json_get_text(in, text, sizeof text);
    for (int i = 0; i <= last; i++)
        if (strcmp(text, name_of(i)) == 0)
            return (uint32_t)i;
    in->is_bad = true;
    return 0;
}

static const char *name_of_state(int i)
{
    return member_state_name((enum member_state)i);
}

static const char *name_of_cause(int i)
{
    return cause_name((enum cause)i);
}

static void get_own(struct json_in *in, struct own_ref *own)
{
    struct bytes key;

    json_enter(in, '{');
    while (json_next_key(in, &key)) {
        if (is(key, "slot"))
            own->slot = (uint8_t)(json_get_u64(in) & 1);
        else if (is(key, "epoch"))
            own->epoch = json_get_u64(in);
        else if (is(key, "hash"))
            own->hash = get_hex64(in);
        else if (is(key, "count"))
            own->count = get_u32(in);
        else if (is(key, "size"))
            own->size = get_u32(in);
        else if (is(key, "chunks"))
            own->chunks = get_u32(in);
        else
            json_skip(in);
    }
}

static void get_member(struct json_in *in, struct head_member *m)
{
    struct bytes key;

    *m = (struct head_member){.own.slot = OWN_SLOT_NONE};
    json_enter(in, '{');
    while (json_next_key(in, &key)) {
        if (is(key, "num"))
            m->num = get_u32(in);
        else if (is(key, "id"))
            json_get_text(in, m->id, sizeof m->id);
        else if (is(key, "session"))
            json_get_hex(in, &m->session.hi, &m->session.lo);
        else if (is(key, "host"))
            json_get_text(in, m->host, sizeof m->host);
        else if (is(key, "pid"))
            m->pid = get_u32(in);
        else if (is(key, "capacity"))
            m->capacity = get_u32(in);
        else if (is(key, "zone"))
            json_get_text(in, m->zone, sizeof m->zone);
        else if (is(key, "state"))
            m->state = (enum member_state)get_name(in, name_of_state, MEMBER_AWAY);
        else if (is(key, "born"))
            m->born = json_get_u64(in);
        else if (is(key, "released"))
            m->released = json_get_u64(in);
        else if (is(key, "own"))
            get_own(in, &m->own);
        else
            json_skip(in);
    }
    if (session_is_none(m->session) || m->id[0] == '\0')
        in->is_bad = true;
}

enum { HAS_KIND = 1, HAS_VERSION = 2, HAS_BOTH = 3 };

/* Is the record of this kind and of a version that we read?  It must say both. */
static bool get_kind(struct json_in *in, struct bytes key, const char *kind,
                     uint32_t *has)
{
    char text[NAME_ROOM];

    if (is(key, "record")) {
        json_get_text(in, text, sizeof text);
        in->is_bad = in->is_bad || strcmp(text, kind) != 0;
        *has |= HAS_KIND;
        return true;
    }
    if (is(key, "version")) {
        in->is_bad = json_get_u64(in) != RECORD_VERSION || in->is_bad;
        *has |= HAS_VERSION;
        return true;
    }
    return false;
}

static int get_members(struct json_in *in, struct head *h, uint32_t members_max)
{
    json_enter(in, '[');
    while (json_next_item(in)) {
        if (h->n == members_max)
            return STATUS_LIMIT;
        struct head_member *m = &h->member[h->n];

        get_member(in, m);
        if (h->n > 0 && m->num <= m[-1].num)
            in->is_bad = true;
        h->n++;
    }
    return 0;
}

int head_decode(struct head *h, uint32_t members_max, const void *data, size_t n)
{
    struct json_in in;
    struct bytes key;
    uint32_t has = 0;
    int status = 0;

    *h = (struct head){.member = h->member};
    json_in_init(&in, data, n);
    json_enter(&in, '{');
    while (status == 0 && json_next_key(&in, &key)) {
        if (get_kind(&in, key, "parti.head", &has))
            continue;
        if (is(key, "gen"))
            h->stamp.gen = json_get_u64(&in);
        else if (is(key, "epoch"))
            h->stamp.epoch = json_get_u64(&in);
        else if (is(key, "term"))
            h->term = json_get_u64(&in);
        else if (is(key, "prev"))
            h->prev_hash = get_hex64(&in);
        else if (is(key, "cause"))
            h->cause = (enum cause)get_name(&in, name_of_cause, CAUSE_DROP);
        else if (is(key, "set"))
            h->set_hash = get_hex64(&in);
        else if (is(key, "partitions"))
            h->set_count = get_u32(&in);
        else if (is(key, "strategy"))
            json_get_text(&in, h->strategy, sizeof h->strategy);
        else if (is(key, "members"))
            status = get_members(&in, h, members_max);
        else
            json_skip(&in);
    }
    if (status < 0)
        return status;
    if (in.is_bad || has != HAS_BOTH || h->stamp.epoch == 0)
        return STATUS_CORRUPT;
    h->hash = hash_bytes(data, n);
    return 0;
}

int lease_decode(struct lease_record *l, const void *data, size_t n)
{
    struct json_in in;
    struct bytes key;
    uint32_t has = 0;

    *l = (struct lease_record){0};
    json_in_init(&in, data, n);
    json_enter(&in, '{');
    while (json_next_key(&in, &key)) {
        if (get_kind(&in, key, "parti.lease", &has))
            continue;
        if (is(key, "gen"))
            l->gen = json_get_u64(&in);
        else if (is(key, "term"))
            l->term = json_get_u64(&in);
        else if (is(key, "leader"))
            json_get_text(&in, l->leader, sizeof l->leader);
        else if (is(key, "host"))
            json_get_text(&in, l->host, sizeof l->host);
        else if (is(key, "pid"))
            l->pid = get_u32(&in);
        else if (is(key, "session"))
            json_get_hex(&in, &l->session.hi, &l->session.lo);
        else if (is(key, "addr"))
            l->addr = get_hex64(&in);
        else if (is(key, "nonce"))
            l->nonce = get_hex64(&in);
        else
            json_skip(&in);
    }
    if (in.is_bad || has != HAS_BOTH || session_is_none(l->session))
        return STATUS_CORRUPT;
    return 0;
}

void head_copy(struct head *to, const struct head *from)
{
    struct head_member *room = to->member;

    memcpy(room, from->member, from->n * sizeof *room);
    *to = *from;
    to->member = room;
}

const struct head_member *head_find(const struct head *h, struct session session)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (session_equal(h->member[i].session, session))
            return &h->member[i];
    return NULL;
}

bool head_is_open(const struct head *h, struct session session, uint64_t epoch)
{
    if (session_is_none(session))
        return true;
    const struct head_member *m = head_find(h, session);

    return m == NULL || m->released >= epoch;
}

void own_key(char key[KEY_ROOM], const char *id, uint8_t slot, uint32_t chunk)
{
    int n = snprintf(key, KEY_ROOM, "own.%s.%u.%u", id, slot, chunk);

    must(n > 0 && n < KEY_ROOM);
}
