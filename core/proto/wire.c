#include "proto/wire.h"

#include "base/must.h"
#include "base/status.h"

#include <string.h>

enum { WIRE_MAGIC = 'P', WIRE_VERSION = 1 };

void wire_put(struct wire_out *o, const void *bytes, size_t n)
{
    if (o->is_over || n > o->room - o->n) {
        o->is_over = true;
        return;
    }
    if (n > 0)
        memcpy(o->at + o->n, bytes, n);
    o->n += n;
}

void wire_put_u8(struct wire_out *o, uint8_t value)
{
    wire_put(o, &value, 1);
}

void wire_put_u64(struct wire_out *o, uint64_t value)
{
    uint8_t b[8];

    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)(value >> (8 * i));
    wire_put(o, b, sizeof b);
}

void wire_put_varint(struct wire_out *o, uint64_t value)
{
    uint8_t b[10];
    size_t n = 0;

    while (value >= 0x80) {
        b[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    b[n++] = (uint8_t)value;
    wire_put(o, b, n);
}

void wire_put_session(struct wire_out *o, struct session session)
{
    wire_put_u64(o, session.hi);
    wire_put_u64(o, session.lo);
}

void wire_put_text(struct wire_out *o, const char *text)
{
    size_t n = strlen(text);

    wire_put_varint(o, n);
    wire_put(o, text, n);
}

const uint8_t *wire_get(struct wire_in *in, size_t n)
{
    if (in->is_bad || n > (size_t)(in->end - in->at)) {
        in->is_bad = true;
        return NULL;
    }
    const uint8_t *at = in->at;

    in->at += n;
    return at;
}

uint8_t wire_get_u8(struct wire_in *in)
{
    const uint8_t *b = wire_get(in, 1);

    return b != NULL ? *b : 0;
}

uint64_t wire_get_u64(struct wire_in *in)
{
    const uint8_t *b = wire_get(in, 8);
    uint64_t value = 0;

    for (int i = 7; b != NULL && i >= 0; i--)
        value = value << 8 | b[i];
    return value;
}

uint64_t wire_get_varint(struct wire_in *in)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = wire_get_u8(in);

        if (shift == 63 && b > 1)
            break; /* more than 64 bits */
        value |= (uint64_t)(b & 0x7f) << shift;
        if ((b & 0x80) == 0)
            return value;
    }
    in->is_bad = true;
    return 0;
}

struct session wire_get_session(struct wire_in *in)
{
    struct session s;

    s.hi = wire_get_u64(in);
    s.lo = wire_get_u64(in);
    return s;
}

void wire_get_text(struct wire_in *in, char *text, size_t room)
{
    uint64_t n = wire_get_varint(in);
    const uint8_t *b;

    must(room > 0);
    text[0] = '\0';
    if (n >= room) {
        in->is_bad = true;
        return;
    }
    b = wire_get(in, n);
    if (b != NULL && memchr(b, '\0', n) == NULL) {
        memcpy(text, b, n);
        text[n] = '\0';
    } else {
        in->is_bad = true;
    }
}

static void put_stamp(struct wire_out *o, struct stamp stamp)
{
    wire_put_varint(o, stamp.gen);
    wire_put_varint(o, stamp.epoch);
}

static uint32_t get_u32(struct wire_in *in)
{
    uint64_t value = wire_get_varint(in);

    if (value > UINT32_MAX)
        in->is_bad = true;
    return (uint32_t)value;
}

static struct stamp get_stamp(struct wire_in *in)
{
    struct stamp s;

    s.gen = wire_get_varint(in);
    s.epoch = wire_get_varint(in);
    return s;
}

static void put_beacon(struct wire_out *o, const struct beacon *b)
{
    wire_put_varint(o, b->gen);
    wire_put_varint(o, b->term);
    wire_put_session(o, b->leader);
    wire_put_u64(o, b->addr);
    wire_put_text(o, b->id);
    put_stamp(o, b->head);
    wire_put_u64(o, b->head_hash);
    wire_put_varint(o, b->head_seq);
    wire_put_varint(o, b->k);
    wire_put_u8(o, (uint8_t)b->phase);
    wire_put_varint(o, b->allowance_ms);
    wire_put_u8(o, b->flags);
    wire_put_text(o, b->trouble);
    for (int lag = 0; lag < BEACON_LAGS; lag++) {
        wire_put_varint(o, b->bits_n[lag]);
        wire_put(o, b->bits[lag], b->bits_n[lag]);
    }
    if (b->unread == 0)
        return;
    wire_put_varint(o, b->unread);
    wire_put_varint(o, b->unread_workers);
    wire_put_varint(o, b->unread_num);
    wire_put_text(o, b->unread_why);
}

/* Is there what newer ones put at the end? */
static bool has_more(const struct wire_in *in)
{
    return !in->is_bad && in->at < in->end;
}

static uint32_t get_bits(struct wire_in *in, uint8_t *bits)
{
    uint64_t n = wire_get_varint(in);
    const uint8_t *from = n <= BITS_MAX ? wire_get(in, n) : NULL;

    if (from == NULL) {
        in->is_bad = true;
        return 0;
    }
    memcpy(bits, from, n);
    return (uint32_t)n;
}

static void get_beacon(struct wire_in *in, struct beacon *b)
{
    uint8_t phase;

    b->gen = wire_get_varint(in);
    b->term = wire_get_varint(in);
    b->leader = wire_get_session(in);
    b->addr = wire_get_u64(in);
    wire_get_text(in, b->id, sizeof b->id);
    b->head = get_stamp(in);
    b->head_hash = wire_get_u64(in);
    b->head_seq = wire_get_varint(in);
    b->k = wire_get_varint(in);
    phase = wire_get_u8(in);
    b->allowance_ms = wire_get_varint(in);
    b->flags = wire_get_u8(in);
    wire_get_text(in, b->trouble, sizeof b->trouble);
    if (phase > PHASE_EMERGENCY) {
        in->is_bad = true;
        return;
    }
    b->phase = (enum phase)phase;
    for (int lag = 0; lag < BEACON_LAGS; lag++)
        b->bits_n[lag] = get_bits(in, b->bits[lag]);
    b->unread = has_more(in) ? get_u32(in) : 0;
    b->unread_workers = has_more(in) ? get_u32(in) : 0;
    b->unread_num = has_more(in) ? get_u32(in) : 0;
    b->unread_why[0] = '\0';
    if (has_more(in))
        wire_get_text(in, b->unread_why, sizeof b->unread_why);
}

static void put_heartbeat(struct wire_out *o, const struct heartbeat *h)
{
    wire_put_session(o, h->session);
    wire_put_u64(o, h->addr);
    wire_put_varint(o, h->num);
    wire_put_session(o, h->leader);
    wire_put_varint(o, h->k);
    put_stamp(o, h->seen);
    put_stamp(o, h->applied);
    wire_put_u64(o, h->applied_hash);
    wire_put_varint(o, h->released);
    wire_put_u8(o, h->flags);
    if (h->unread == 0)
        return;
    wire_put_varint(o, h->unread);
    wire_put_text(o, h->unread_why);
}

static void get_heartbeat(struct wire_in *in, struct heartbeat *h)
{
    h->session = wire_get_session(in);
    h->addr = wire_get_u64(in);
    h->num = get_u32(in);
    h->leader = wire_get_session(in);
    h->k = wire_get_varint(in);
    h->seen = get_stamp(in);
    h->applied = get_stamp(in);
    h->applied_hash = wire_get_u64(in);
    h->released = wire_get_varint(in);
    h->flags = wire_get_u8(in);
    h->unread = has_more(in) ? get_u32(in) : 0;
    h->unread_why[0] = '\0';
    if (has_more(in))
        wire_get_text(in, h->unread_why, sizeof h->unread_why);
}

static void put_join(struct wire_out *o, const struct join *j)
{
    wire_put_session(o, j->session);
    wire_put_u64(o, j->addr);
    wire_put_varint(o, (uint64_t)(j->wish + 1));
    wire_put_text(o, j->host);
    wire_put_varint(o, j->pid);
    wire_put_varint(o, j->capacity);
    wire_put_text(o, j->zone);
}

static void get_join(struct wire_in *in, struct join *j)
{
    j->session = wire_get_session(in);
    j->addr = wire_get_u64(in);
    j->wish = (int64_t)(wire_get_varint(in) & INT64_MAX) - 1;
    wire_get_text(in, j->host, sizeof j->host);
    j->pid = get_u32(in);
    j->capacity = get_u32(in);
    wire_get_text(in, j->zone, sizeof j->zone);
    if (session_is_none(j->session))
        in->is_bad = true;
}

bool wire_is_head(const void *data, size_t n)
{
    return n > 0 && *(const char *)data == '{';
}

size_t wire_encode(const struct message *m, void *buffer, size_t room)
{
    struct wire_out o = {.at = buffer, .room = room};

    wire_put_u8(&o, WIRE_MAGIC);
    wire_put_u8(&o, WIRE_VERSION);
    wire_put_u8(&o, (uint8_t)m->type);
    switch (m->type) {
    case MSG_BEACON: put_beacon(&o, &m->beacon); break;
    case MSG_HEARTBEAT: put_heartbeat(&o, &m->heartbeat); break;
    case MSG_JOIN: put_join(&o, &m->join); break;
    case MSG_DENY:
        wire_put_session(&o, m->deny.session);
        wire_put_text(&o, m->deny.text);
        break;
    case MSG_ASK:
        wire_put_u64(&o, m->ask.addr);
        wire_put_text(&o, m->ask.key);
        break;
    case MSG_RECORD:
        wire_put_text(&o, m->record.key);
        wire_put_varint(&o, m->record.seq);
        wire_put(&o, m->record.data.at, m->record.data.n);
        break;
    case MSG_REFRESH: break;
    case MSG_DONE: wire_put_text(&o, m->done); break;
    }
    return o.is_over ? 0 : o.n;
}

int wire_decode(struct message *m, const void *data, size_t n)
{
    struct wire_in in = {.at = data, .end = (const uint8_t *)data + n};

    if (wire_get_u8(&in) != WIRE_MAGIC)
        return STATUS_CORRUPT;
    if (wire_get_u8(&in) != WIRE_VERSION)
        return in.is_bad ? STATUS_CORRUPT : STATUS_UNSUPPORTED;
    uint8_t type = wire_get_u8(&in);

    if (type < MSG_BEACON || type > MSG_DONE)
        return in.is_bad ? STATUS_CORRUPT : STATUS_UNSUPPORTED;
    m->type = (enum message_type)type;
    switch (m->type) {
    case MSG_BEACON: get_beacon(&in, &m->beacon); break;
    case MSG_HEARTBEAT: get_heartbeat(&in, &m->heartbeat); break;
    case MSG_JOIN: get_join(&in, &m->join); break;
    case MSG_DENY:
        m->deny.session = wire_get_session(&in);
        wire_get_text(&in, m->deny.text, sizeof m->deny.text);
        break;
    case MSG_ASK:
        m->ask.addr = wire_get_u64(&in);
        wire_get_text(&in, m->ask.key, sizeof m->ask.key);
        break;
    case MSG_RECORD:
        wire_get_text(&in, m->record.key, sizeof m->record.key);
        m->record.seq = wire_get_varint(&in);
        m->record.data.at = (const char *)in.at;
        m->record.data.n = (size_t)(in.end - in.at);
        break;
    case MSG_REFRESH: break;
    case MSG_DONE: wire_get_text(&in, m->done, sizeof m->done); break;
    }
    return in.is_bad ? STATUS_CORRUPT : 0;
}
