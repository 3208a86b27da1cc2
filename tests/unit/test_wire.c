/* core/proto/wire: every message there and back, and nothing that is none of ours. */
#include "proto/wire.h"

#include "base/status.h"

#include "mangle.h"
#include "unit.h"

#include <stdio.h>

enum { ROOM = 8192 };

static struct message beacon(void)
{
    struct message m = {.type = MSG_BEACON};
    struct beacon *b = &m.beacon;

    *b = (struct beacon){.gen = UINT64_MAX,
                         .term = 300,
                         .leader = {1, UINT64_MAX},
                         .addr = 0x8000000000000000,
                         .id = "worker-0",
                         .head = {127, 128},
                         .head_hash = 0x0123456789abcdef,
                         .head_seq = 16384,
                         .k = 1,
                         .phase = PHASE_EMERGENCY,
                         .allowance_ms = 1200,
                         .flags = BEACON_RESIGNS};
    memset(b->trouble, 't', sizeof b->trouble - 1);
    for (uint32_t lag = 0; lag < BEACON_LAGS; lag++) {
        b->bits_n[lag] = lag * (BITS_MAX / (BEACON_LAGS - 1));
        memset(b->bits[lag], (int)(0xa0 + lag), b->bits_n[lag]);
    }
    b->bits_n[BEACON_LAGS - 1] = BITS_MAX;
    memset(b->bits[BEACON_LAGS - 1], 0xff, BITS_MAX);
    return m;
}

static struct message heartbeat(void)
{
    return (struct message){.type = MSG_HEARTBEAT,
                            .heartbeat = {.session = {5, 6},
                                          .addr = 7,
                                          .num = UINT32_MAX,
                                          .leader = {8, 9},
                                          .k = UINT64_MAX,
                                          .seen = {10, 11},
                                          .applied = {12, 13},
                                          .applied_hash = 14,
                                          .released = 15,
                                          .flags = HEARTBEAT_DRAINS | HEARTBEAT_IS_AWAY}};
}

static struct message join(int64_t wish)
{
    return (struct message){.type = MSG_JOIN,
                            .join = {.session = {1, 0},
                                     .addr = 2,
                                     .wish = wish,
                                     .host = "host",
                                     .pid = UINT32_MAX,
                                     .capacity = UINT32_MAX,
                                     .zone = "zone"}};
}

static struct message record(void)
{
    return (struct message){
        .type = MSG_RECORD,
        .record = {.key = "own.worker-1.0.0", .seq = UINT64_MAX, .data = {"\0data", 5}}};
}

/* One of each, by number; false after the last. */
static bool sample(int i, struct message *ret)
{
    switch (i) {
    case 0: *ret = beacon(); return true;
    case 1: *ret = heartbeat(); return true;
    case 2: *ret = join(3); return true;
    case 3:
        *ret = (struct message){.type = MSG_DENY, .deny = {{1, 2}, "no id is free"}};
        return true;
    case 4: *ret = (struct message){.type = MSG_ASK, .ask = {77, "head"}}; return true;
    case 5: *ret = record(); return true;
    case 6: *ret = (struct message){.type = MSG_REFRESH}; return true;
    case 7: *ret = (struct message){.type = MSG_DONE, .done = "listed"}; return true;
    default: return false;
    }
}

static struct message decoded;

static int decode(const void *data, size_t n)
{
    return wire_decode(&decoded, data, n);
}

/* Encodes and decodes; the result stands in 'decoded'. */
static const struct message *there_and_back(const struct message *m)
{
    static uint8_t buffer[ROOM];
    size_t n = wire_encode(m, buffer, sizeof buffer);

    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(wire_encode(m, buffer, n), n);
    ck_assert_uint_eq(wire_encode(m, buffer, n - 1), 0);
    ck_assert_uint_eq(wire_encode(m, buffer, sizeof buffer), n);
    memset(&decoded, 0xee, sizeof decoded);
    ck_assert_int_eq(decode(buffer, n), 0);
    ck_assert_int_eq(decoded.type, m->type);
    ck_assert(!wire_is_head(buffer, n));
    return &decoded;
}

START_TEST(a_beacon_is_read_back)
{
    struct message m = beacon();
    const struct beacon *a = &m.beacon, *b = &there_and_back(&m)->beacon;

    ck_assert_uint_eq(b->gen, a->gen);
    ck_assert_uint_eq(b->term, a->term);
    ck_assert(session_equal(b->leader, a->leader));
    ck_assert_uint_eq(b->addr, a->addr);
    ck_assert_str_eq(b->id, a->id);
    ck_assert_int_eq(stamp_compare(b->head, a->head), 0);
    ck_assert_uint_eq(b->head_hash, a->head_hash);
    ck_assert_uint_eq(b->head_seq, a->head_seq);
    ck_assert_uint_eq(b->k, a->k);
    ck_assert_int_eq(b->phase, a->phase);
    ck_assert_uint_eq(b->allowance_ms, a->allowance_ms);
    ck_assert_uint_eq(b->flags, a->flags);
    ck_assert_str_eq(b->trouble, a->trouble);
    for (int lag = 0; lag < BEACON_LAGS; lag++) {
        ck_assert_uint_eq(b->bits_n[lag], a->bits_n[lag]);
        ck_assert_int_eq(memcmp(b->bits[lag], a->bits[lag], a->bits_n[lag]), 0);
    }
}
END_TEST

START_TEST(a_heartbeat_is_read_back)
{
    struct message m = heartbeat();
    const struct heartbeat *a = &m.heartbeat, *b = &there_and_back(&m)->heartbeat;

    ck_assert(session_equal(b->session, a->session));
    ck_assert_uint_eq(b->addr, a->addr);
    ck_assert_uint_eq(b->num, a->num);
    ck_assert(session_equal(b->leader, a->leader));
    ck_assert_uint_eq(b->k, a->k);
    ck_assert_int_eq(stamp_compare(b->seen, a->seen), 0);
    ck_assert_int_eq(stamp_compare(b->applied, a->applied), 0);
    ck_assert_uint_eq(b->applied_hash, a->applied_hash);
    ck_assert_uint_eq(b->released, a->released);
    ck_assert_uint_eq(b->flags, a->flags);
}
END_TEST

/* What stands there only where it is not zero: cut off, it is a message of before. */
START_TEST(what_is_not_read_stands_at_the_end_and_old_readers_do_without)
{
    struct message m = beacon(), h = heartbeat();
    uint8_t buffer[ROOM];
    size_t n = wire_encode(&m, buffer, sizeof buffer);

    m.beacon.unread = 300;
    m.beacon.unread_workers = 2;
    m.beacon.unread_num = 7;
    memset(m.beacon.unread_why, 'w', TROUBLE_ROOM - 1);
    ck_assert_uint_eq(there_and_back(&m)->beacon.unread, 300);
    ck_assert_uint_eq(decoded.beacon.unread_workers, 2);
    ck_assert_uint_eq(decoded.beacon.unread_num, 7);
    ck_assert_str_eq(decoded.beacon.unread_why, m.beacon.unread_why);
    (void)wire_encode(&m, buffer, sizeof buffer);
    ck_assert_int_eq(decode(buffer, n), 0);
    ck_assert_uint_eq(decoded.beacon.unread, 0);
    ck_assert_str_eq(decoded.beacon.unread_why, "");
    n = wire_encode(&h, buffer, sizeof buffer);
    h.heartbeat.unread = 300;
    (void)snprintf(h.heartbeat.unread_why, TROUBLE_ROOM, "%s", "no stream");
    ck_assert_uint_eq(there_and_back(&h)->heartbeat.unread, 300);
    ck_assert_str_eq(decoded.heartbeat.unread_why, "no stream");
    (void)wire_encode(&h, buffer, sizeof buffer);
    ck_assert_int_eq(decode(buffer, n), 0);
    ck_assert_uint_eq(decoded.heartbeat.unread, 0);
}
END_TEST

START_TEST(a_join_is_read_back_with_and_without_a_wish)
{
    static const int64_t wish[] = {-1, 0, 3, 4095};

    for (size_t i = 0; i < sizeof wish / sizeof *wish; i++) {
        struct message m = join(wish[i]);
        const struct join *a = &m.join, *b = &there_and_back(&m)->join;

        ck_assert(session_equal(b->session, a->session));
        ck_assert_uint_eq(b->addr, a->addr);
        ck_assert_int_eq(b->wish, wish[i]);
        ck_assert_str_eq(b->host, a->host);
        ck_assert_uint_eq(b->pid, a->pid);
        ck_assert_uint_eq(b->capacity, a->capacity);
        ck_assert_str_eq(b->zone, a->zone);
    }
}
END_TEST

START_TEST(the_other_messages_are_read_back)
{
    struct message m;

    ck_assert(sample(3, &m));
    ck_assert_str_eq(there_and_back(&m)->deny.text, "no id is free");
    ck_assert_uint_eq(decoded.deny.session.hi, 1);
    ck_assert_uint_eq(decoded.deny.session.lo, 2);
    ck_assert(sample(4, &m));
    ck_assert_str_eq(there_and_back(&m)->ask.key, "head");
    ck_assert_uint_eq(decoded.ask.addr, 77);
    ck_assert(sample(5, &m));
    ck_assert_str_eq(there_and_back(&m)->record.key, m.record.key);
    ck_assert_uint_eq(decoded.record.seq, UINT64_MAX);
    ck_assert(bytes_equal(decoded.record.data, m.record.data));
    ck_assert(sample(6, &m));
    (void)there_and_back(&m);
    ck_assert(sample(7, &m));
    ck_assert_str_eq(there_and_back(&m)->done, "listed");
}
END_TEST

START_TEST(the_longest_texts_fit)
{
    struct message m = join(0);

    memset(m.join.host, 'h', HOST_ROOM - 1);
    memset(m.join.zone, 'z', ZONE_ROOM - 1);
    ck_assert_str_eq(there_and_back(&m)->join.host, m.join.host);
    ck_assert_str_eq(decoded.join.zone, m.join.zone);
    m = (struct message){.type = MSG_DONE};
    memset(m.done, 'd', sizeof m.done - 1);
    ck_assert_str_eq(there_and_back(&m)->done, m.done);
}
END_TEST

START_TEST(messages_of_a_newer_version_or_kind_are_not_supported)
{
    uint8_t buffer[ROOM];
    struct message m;

    for (int i = 0; sample(i, &m); i++) {
        size_t n = wire_encode(&m, buffer, sizeof buffer);

        buffer[1]++;
        ck_assert_int_eq(decode(buffer, n), STATUS_UNSUPPORTED);
        ck_assert_int_eq(decode(buffer, 2), STATUS_UNSUPPORTED);
        buffer[1]--;
        buffer[2] = MSG_DONE + 1;
        ck_assert_int_eq(decode(buffer, n), STATUS_UNSUPPORTED);
        buffer[2] = 0;
        ck_assert_int_eq(decode(buffer, n), STATUS_UNSUPPORTED);
        buffer[0] = 'Q';
        ck_assert_int_eq(decode(buffer, n), STATUS_CORRUPT);
    }
    ck_assert_int_eq(decode("", 0), STATUS_CORRUPT);
    ck_assert_int_eq(decode("P", 1), STATUS_CORRUPT);
    ck_assert_int_eq(decode("P\x01", 2), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_head_is_known_by_its_first_byte)
{
    ck_assert(wire_is_head("{\"record\"", 9));
    ck_assert(!wire_is_head("{", 0));
    ck_assert(!wire_is_head("P{", 2));
}
END_TEST

START_TEST(messages_cut_anywhere_are_refused)
{
    uint8_t buffer[ROOM];
    struct message m;

    for (int i = 0; sample(i, &m); i++) {
        size_t n = wire_encode(&m, buffer, sizeof buffer);

        /* What a record carries is not the message's to judge: it has a hash. */
        n -= m.type == MSG_RECORD ? m.record.data.n : 0;
        ck_assert_msg(mangle_truncate(buffer, n, decode, STATUS_CORRUPT) == 0, "%d", i);
    }
}
END_TEST

START_TEST(no_turned_bit_leads_out_of_the_message)
{
    uint8_t buffer[ROOM];
    struct message m;

    for (int i = 0; sample(i, &m); i++) {
        size_t n = wire_encode(&m, buffer, sizeof buffer);

        ck_assert_uint_ge(mangle_flip(buffer, n, decode), 16); /* magic and version */
    }
}
END_TEST

/* A message of this type with one field from 'put'. */
static int decode_with(enum message_type type, void (*put)(struct wire_out *o))
{
    uint8_t buffer[ROOM];
    struct wire_out o = {.at = buffer, .room = sizeof buffer};

    wire_put(&o, "P\x01", 2);
    wire_put_u8(&o, (uint8_t)type);
    put(&o);
    ck_assert(!o.is_over);
    return mangle_read(buffer, o.n, decode);
}

static uint64_t number;
static size_t length;

static void put_done(struct wire_out *o)
{
    wire_put_varint(o, length);
    for (size_t i = 0; i < length; i++)
        wire_put_u8(o, 'x');
}

static void put_done_claimed(struct wire_out *o)
{
    wire_put_varint(o, number);
    wire_put(o, "abc", 3);
}

static void put_nul(struct wire_out *o)
{
    wire_put_varint(o, 3);
    wire_put(o, "a\0b", 3);
}

static void put_heartbeat_num(struct wire_out *o)
{
    wire_put_session(o, (struct session){1, 2});
    wire_put_u64(o, 3);
    wire_put_varint(o, number);
    wire_put_session(o, (struct session){0});
    for (int i = 0; i < 5; i++)
        wire_put_varint(o, 0);
    wire_put_u64(o, 0);
    wire_put_varint(o, 0);
    wire_put_u8(o, 0);
}

static uint64_t pid, capacity, session_lo;

static void put_join(struct wire_out *o)
{
    wire_put_session(o, (struct session){0, session_lo});
    wire_put_u64(o, 3);
    wire_put_varint(o, 0);
    wire_put_text(o, "");
    wire_put_varint(o, pid);
    wire_put_varint(o, capacity);
    wire_put_text(o, "");
}

START_TEST(texts_longer_than_their_room_or_their_message_are_refused)
{
    length = sizeof decoded.done - 1;
    ck_assert_int_eq(decode_with(MSG_DONE, put_done), 0);
    length = sizeof decoded.done;
    ck_assert_int_eq(decode_with(MSG_DONE, put_done), STATUS_CORRUPT);
    number = 3;
    ck_assert_int_eq(decode_with(MSG_DONE, put_done_claimed), 0);
    number = 4;
    ck_assert_int_eq(decode_with(MSG_DONE, put_done_claimed), STATUS_CORRUPT);
    number = UINT64_MAX;
    ck_assert_int_eq(decode_with(MSG_DONE, put_done_claimed), STATUS_CORRUPT);
    ck_assert_int_eq(decode_with(MSG_DONE, put_nul), STATUS_CORRUPT);
}
END_TEST

START_TEST(numbers_wider_than_their_field_are_refused)
{
    number = UINT32_MAX;
    ck_assert_int_eq(decode_with(MSG_HEARTBEAT, put_heartbeat_num), 0);
    ck_assert_uint_eq(decoded.heartbeat.num, UINT32_MAX);
    number = (uint64_t)UINT32_MAX + 1; /* would be number 0: somebody else's */
    ck_assert_int_eq(decode_with(MSG_HEARTBEAT, put_heartbeat_num), STATUS_CORRUPT);
    session_lo = 1;
    ck_assert_int_eq(decode_with(MSG_JOIN, put_join), 0);
    pid = (uint64_t)UINT32_MAX + 1;
    ck_assert_int_eq(decode_with(MSG_JOIN, put_join), STATUS_CORRUPT);
    pid = 0;
    capacity = (uint64_t)UINT32_MAX + 1;
    ck_assert_int_eq(decode_with(MSG_JOIN, put_join), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_join_needs_a_session)
{
    pid = capacity = 0;
    session_lo = 0;
    ck_assert_int_eq(decode_with(MSG_JOIN, put_join), STATUS_CORRUPT);
}
END_TEST

static void put_beacon_tail(struct wire_out *o)
{
    wire_put_varint(o, 1);
    wire_put_varint(o, 1);
    wire_put_session(o, (struct session){1, 1});
    wire_put_u64(o, 1);
    wire_put_text(o, "");
    wire_put_varint(o, 1);
    wire_put_varint(o, 1);
    wire_put_u64(o, 1);
    wire_put_varint(o, 1);
    wire_put_varint(o, 1);
    wire_put_u8(o, (uint8_t)number); /* phase */
    wire_put_varint(o, 1);
    wire_put_u8(o, 0);
    wire_put_text(o, "");
    for (int lag = 0; lag < BEACON_LAGS; lag++) {
        wire_put_varint(o, length);
        for (size_t i = 0; i < length; i++)
            wire_put_u8(o, 0xff);
    }
}

START_TEST(beacons_with_too_many_bits_or_an_unknown_phase_are_refused)
{
    number = PHASE_EMERGENCY;
    length = BITS_MAX;
    ck_assert_int_eq(decode_with(MSG_BEACON, put_beacon_tail), 0);
    length = BITS_MAX + 1;
    ck_assert_int_eq(decode_with(MSG_BEACON, put_beacon_tail), STATUS_CORRUPT);
    length = 0;
    number = PHASE_EMERGENCY + 1;
    ck_assert_int_eq(decode_with(MSG_BEACON, put_beacon_tail), STATUS_CORRUPT);
}
END_TEST

START_TEST(varints_hold_64_bits_and_no_more)
{
    static const uint64_t value[] = {0,     1,          127,        128,       16383,
                                     16384, UINT32_MAX, 1ull << 63, UINT64_MAX};
    uint8_t buffer[10];

    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        struct wire_out o = {.at = buffer, .room = sizeof buffer};
        struct wire_in in;

        wire_put_varint(&o, value[i]);
        in = (struct wire_in){.at = buffer, .end = buffer + o.n};
        ck_assert_uint_eq(wire_get_varint(&in), value[i]);
        ck_assert(!in.is_bad);
        ck_assert_ptr_eq(in.at, in.end);
    }
    /* 2^64 and a number without end */
    static const uint8_t wide[11] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0x80, 0x02, 0};
    static const uint8_t open[11] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0};
    struct wire_in in = {.at = wide, .end = wide + sizeof wide};

    (void)wire_get_varint(&in);
    ck_assert(in.is_bad);
    in = (struct wire_in){.at = open, .end = open + sizeof open};
    (void)wire_get_varint(&in);
    ck_assert(in.is_bad);
}
END_TEST

UNIT_MAIN("wire", a_beacon_is_read_back, a_heartbeat_is_read_back,
          what_is_not_read_stands_at_the_end_and_old_readers_do_without,
          a_join_is_read_back_with_and_without_a_wish, the_other_messages_are_read_back,
          the_longest_texts_fit, messages_of_a_newer_version_or_kind_are_not_supported,
          a_head_is_known_by_its_first_byte, messages_cut_anywhere_are_refused,
          no_turned_bit_leads_out_of_the_message,
          texts_longer_than_their_room_or_their_message_are_refused,
          numbers_wider_than_their_field_are_refused, a_join_needs_a_session,
          beacons_with_too_many_bits_or_an_unknown_phase_are_refused,
          varints_hold_64_bits_and_no_more)
