/* core/proto/head: the records `head` and `lease`, and what may be asked of a head. */
#include "proto/head.h"

#include "base/hash.h"
#include "base/status.h"

#include "mangle.h"
#include "unit.h"

#include <stdio.h>

enum { MEMBERS_MAX = 100, ROOM = 64 * 1024 };

static struct head_member member_of(uint32_t i)
{
    struct head_member m = {.num = 2 * i,
                            .session = {i + 1, ~(uint64_t)i},
                            .pid = 4000 + i,
                            .capacity = UINT32_MAX - i,
                            .state = (enum member_state)(i % 3),
                            .born = UINT64_MAX - i,
                            .released = i,
                            .own.slot = OWN_SLOT_NONE};

    (void)snprintf(m.id, sizeof m.id, "worker-%u", m.num);
    (void)snprintf(m.host, sizeof m.host, "host \"%u\"", i);
    if (i % 2 == 0)
        (void)snprintf(m.zone, sizeof m.zone, "eu-%u", i);
    if (i % 4 != 3)
        m.own = (struct own_ref){.slot = (uint8_t)(i % 2),
                                 .epoch = i,
                                 .hash = UINT64_MAX - i,
                                 .count = UINT32_MAX,
                                 .size = i,
                                 .chunks = 3};
    return m;
}

static struct head head_of(struct head_member *room, uint32_t n)
{
    struct head h = {.stamp = {UINT64_MAX, UINT64_MAX - 1},
                     .term = 7,
                     .prev_hash = 0x8000000000000001,
                     .cause = CAUSE_RESTART,
                     .set_hash = 0xff,
                     .set_count = 1000,
                     .strategy = "consistent_hash",
                     .member = room};

    for (; h.n < n; h.n++)
        room[h.n] = member_of(h.n);
    return h;
}

static void members_equal(const struct head_member *a, const struct head_member *b)
{
    ck_assert_uint_eq(a->num, b->num);
    ck_assert_str_eq(a->id, b->id);
    ck_assert(session_equal(a->session, b->session));
    ck_assert_str_eq(a->host, b->host);
    ck_assert_uint_eq(a->pid, b->pid);
    ck_assert_uint_eq(a->capacity, b->capacity);
    ck_assert_str_eq(a->zone, b->zone);
    ck_assert_int_eq(a->state, b->state);
    ck_assert_uint_eq(a->born, b->born);
    ck_assert_uint_eq(a->released, b->released);
    ck_assert_uint_eq(a->own.slot, b->own.slot);
    ck_assert_uint_eq(a->own.epoch, b->own.epoch);
    ck_assert_uint_eq(a->own.hash, b->own.hash);
    ck_assert_uint_eq(a->own.count, b->own.count);
    ck_assert_uint_eq(a->own.size, b->own.size);
    ck_assert_uint_eq(a->own.chunks, b->own.chunks);
}

static void heads_equal(const struct head *a, const struct head *b)
{
    ck_assert_int_eq(stamp_compare(a->stamp, b->stamp), 0);
    ck_assert_uint_eq(a->term, b->term);
    ck_assert_uint_eq(a->prev_hash, b->prev_hash);
    ck_assert_int_eq(a->cause, b->cause);
    ck_assert_uint_eq(a->set_hash, b->set_hash);
    ck_assert_uint_eq(a->set_count, b->set_count);
    ck_assert_str_eq(a->strategy, b->strategy);
    ck_assert_uint_eq(a->hash, b->hash);
    ck_assert_uint_eq(a->n, b->n);
    for (uint32_t i = 0; i < a->n; i++)
        members_equal(&a->member[i], &b->member[i]);
}

static int decode(const char *text, struct head *h)
{
    return head_decode(h, MEMBERS_MAX, text, strlen(text));
}

static int read_head(const void *data, size_t n)
{
    static struct head_member room[MEMBERS_MAX];
    struct head h = {.member = room};

    return head_decode(&h, MEMBERS_MAX, data, n);
}

static int read_lease(const void *data, size_t n)
{
    struct lease_record l;

    return lease_decode(&l, data, n);
}

START_TEST(a_head_is_read_back_with_0_1_and_100_members)
{
    static const uint32_t count[] = {0, 1, 100};
    static struct head_member room[MEMBERS_MAX], back_room[MEMBERS_MAX];
    static char buffer[ROOM];

    for (size_t i = 0; i < sizeof count / sizeof *count; i++) {
        struct head h = head_of(room, count[i]), back = {.member = back_room};
        size_t n = head_encode(&h, buffer, sizeof buffer);

        ck_assert_uint_gt(n, 0);
        ck_assert_int_eq(head_decode(&back, MEMBERS_MAX, buffer, n), 0);
        heads_equal(&back, &h);
        ck_assert_uint_eq(back.hash, hash_bytes(buffer, n));
    }
}
END_TEST

START_TEST(a_fixed_head_hashes_the_same_for_ever)
{
    /* Computed once from these bytes: a change of either breaks the chain of every log
     * that is in use. */
    static struct head_member room[MEMBERS_MAX];
    static char buffer[ROOM];
    struct head h = head_of(room, 1);
    const char *want =
        "{\"record\":\"parti.head\",\"version\":1,\"gen\":18446744073709551615,"
        "\"epoch\":18446744073709551614,\"term\":7,\"prev\":\"8000000000000001\","
        "\"cause\":\"restart\",\"set\":\"00000000000000ff\",\"partitions\":1000,"
        "\"strategy\":\"consistent_hash\",\"members\":[{\"num\":0,\"id\":\"worker-0\","
        "\"session\":\"0000000000000001ffffffffffffffff\",\"host\":\"host \\\"0\\\"\","
        "\"pid\":4000,\"capacity\":4294967295,\"zone\":\"eu-0\",\"state\":\"active\","
        "\"born\":18446744073709551615,\"released\":0,\"own\":{\"slot\":0,\"epoch\":0,"
        "\"hash\":\"ffffffffffffffff\",\"count\":4294967295,\"size\":0,\"chunks\":3}}]}";
    size_t n = head_encode(&h, buffer, sizeof buffer);

    ck_assert_uint_eq(n, strlen(want));
    ck_assert_mem_eq(buffer, want, n);
    ck_assert_uint_eq(h.hash, 0x0045bb9cbd17f779);
}
END_TEST

START_TEST(a_room_too_small_is_said)
{
    static struct head_member room[MEMBERS_MAX];
    static char buffer[ROOM];
    struct head h = head_of(room, 1);
    struct lease_record l = {.session = {1, 2}};
    size_t n = head_encode(&h, buffer, sizeof buffer);

    ck_assert_uint_eq(head_encode(&h, buffer, n), n);
    ck_assert_uint_eq(head_encode(&h, buffer, n - 1), 0);
    n = lease_encode(&l, buffer, sizeof buffer);
    ck_assert_uint_eq(lease_encode(&l, buffer, n), n);
    ck_assert_uint_eq(lease_encode(&l, buffer, n - 1), 0);
}
END_TEST

START_TEST(keys_that_this_version_does_not_know_are_skipped)
{
    static struct head_member room[MEMBERS_MAX];
    struct head h = {.member = room};

    ck_assert_int_eq(
        decode("{\"record\":\"parti.head\",\"version\":1,\"new\":{\"a\":[1]},"
               "\"gen\":3,\"epoch\":4,\"members\":[{\"num\":1,\"id\":\"w-1\","
               "\"mood\":\"good\",\"session\":\"12\",\"own\":{\"slot\":1,"
               "\"also\":[[]],\"count\":5},\"later\":-1.5}],\"end\":null}",
               &h),
        0);
    ck_assert_uint_eq(h.stamp.gen, 3);
    ck_assert_uint_eq(h.stamp.epoch, 4);
    ck_assert_uint_eq(h.n, 1);
    ck_assert_str_eq(h.member[0].id, "w-1");
    ck_assert_uint_eq(h.member[0].session.lo, 0x12);
    ck_assert_uint_eq(h.member[0].own.slot, 1);
    ck_assert_uint_eq(h.member[0].own.count, 5);
}
END_TEST

#define KIND   "{\"record\":\"parti.head\",\"version\":1,"
#define MEMBER "{\"num\":1,\"id\":\"w-1\",\"session\":\"12\"}"

START_TEST(heads_that_break_a_rule_are_refused)
{
    static const char *const text[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"record\":\"parti.lease\",\"version\":1,\"epoch\":1}",
        "{\"record\":\"parti.head\",\"version\":2,\"epoch\":1}",
        "{\"record\":\"parti.head\",\"version\":0,\"epoch\":1}",
        KIND "\"gen\":1}",    /* no epoch */
        KIND "\"epoch\":0}",  /* epochs begin at 1 */
        KIND "\"epoch\":-1}", /* not a number of ours */
        KIND "\"epoch\":1,\"cause\":\"whim\"}",
        KIND "\"epoch\":1,\"partitions\":4294967296}",
        KIND "\"epoch\":1,\"prev\":\"x\"}",
        KIND "\"epoch\":1,\"members\":{}}",
        KIND "\"epoch\":1,\"members\":[1]}",
        KIND "\"epoch\":1,\"members\":[{\"num\":1,\"id\":\"w-1\"}]}", /* no session */
        KIND "\"epoch\":1,\"members\":[{\"num\":1,\"session\":\"1\"}]}",
        KIND "\"epoch\":1,\"members\":[{\"num\":1,\"id\":\"w-1\",\"session\":\"0\"}]}",
        KIND "\"epoch\":1,\"members\":[{\"num\":4294967296,\"id\":\"w-1\","
             "\"session\":\"1\"}]}",
        KIND "\"epoch\":1,\"members\":[{\"num\":1,\"id\":\"w-1\",\"session\":\"1\","
             "\"state\":\"asleep\"}]}",
        KIND "\"epoch\":1,\"members\":[" MEMBER "," MEMBER "]}", /* twice */
    };
    static struct head_member room[MEMBERS_MAX];
    struct head h = {.member = room};

    ck_assert_int_eq(decode(KIND "\"epoch\":1,\"members\":[" MEMBER "]}", &h), 0);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        ck_assert_msg(decode(text[i], &h) == STATUS_CORRUPT, "%s", text[i]);
}
END_TEST

START_TEST(members_out_of_order_are_refused)
{
    static struct head_member room[MEMBERS_MAX];
    static char buffer[ROOM];
    struct head h = head_of(room, 3);
    struct head_member swap = room[1];

    room[1] = room[2];
    room[2] = swap;
    ck_assert_int_eq(read_head(buffer, head_encode(&h, buffer, sizeof buffer)),
                     STATUS_CORRUPT);
}
END_TEST

START_TEST(one_member_more_than_there_is_room_for_is_a_limit)
{
    static struct head_member room[MEMBERS_MAX], back_room[3];
    static char buffer[ROOM];
    struct head h = head_of(room, 3), back = {.member = back_room};
    size_t n = head_encode(&h, buffer, sizeof buffer);

    ck_assert_int_eq(head_decode(&back, 3, buffer, n), 0);
    ck_assert_int_eq(head_decode(&back, 2, buffer, n), STATUS_LIMIT);
    ck_assert_int_eq(head_decode(&back, 0, buffer, n), STATUS_LIMIT);
}
END_TEST

START_TEST(texts_that_do_not_fit_are_refused)
{
    static struct head_member room[MEMBERS_MAX];
    struct head h = {.member = room};
    char text[256];

    for (int n = ID_ROOM - 1; n <= ID_ROOM; n++) {
        (void)snprintf(text, sizeof text,
                       KIND "\"epoch\":1,\"members\":[{\"num\":1,\"id\":\"%0*d\","
                            "\"session\":\"1\"}]}",
                       n, 7);
        ck_assert_int_eq(decode(text, &h), n < ID_ROOM ? 0 : STATUS_CORRUPT);
    }
}
END_TEST

START_TEST(a_damaged_head_is_refused_or_hashes_otherwise)
{
    static struct head_member room[MEMBERS_MAX];
    static char buffer[ROOM];
    struct head h = head_of(room, 4);
    size_t n = head_encode(&h, buffer, sizeof buffer);

    ck_assert_uint_eq(mangle_truncate(buffer, n, read_head, STATUS_CORRUPT), 0);
    ck_assert_uint_gt(mangle_flip(buffer, n, read_head), n);
    buffer[n / 2] ^= 1;
    ck_assert_uint_ne(hash_bytes(buffer, n), h.hash);
}
END_TEST

START_TEST(a_lease_is_read_back)
{
    struct lease_record l = {.gen = UINT64_MAX,
                             .term = 12,
                             .leader = "worker-3",
                             .host = "h\\1",
                             .pid = UINT32_MAX,
                             .session = {1, UINT64_MAX},
                             .addr = 0x8000000000000000,
                             .nonce = 0xfedcba9876543210};
    struct lease_record back;
    char buffer[1024];
    size_t n = lease_encode(&l, buffer, sizeof buffer);

    ck_assert_int_eq(lease_decode(&back, buffer, n), 0);
    ck_assert_uint_eq(back.gen, l.gen);
    ck_assert_uint_eq(back.term, l.term);
    ck_assert_str_eq(back.leader, l.leader);
    ck_assert_str_eq(back.host, l.host);
    ck_assert_uint_eq(back.pid, l.pid);
    ck_assert(session_equal(back.session, l.session));
    ck_assert_uint_eq(back.addr, l.addr);
    ck_assert_uint_eq(back.nonce, l.nonce);
    ck_assert_uint_eq(mangle_truncate(buffer, n, read_lease, STATUS_CORRUPT), 0);
    ck_assert_uint_gt(mangle_flip(buffer, n, read_lease), n);
}
END_TEST

START_TEST(leases_that_break_a_rule_are_refused)
{
    static const char *const text[] = {
        "{}",
        "{\"record\":\"parti.head\",\"version\":1,\"session\":\"1\"}",
        "{\"record\":\"parti.lease\",\"version\":2,\"session\":\"1\"}",
        "{\"record\":\"parti.lease\",\"version\":1}",
        "{\"record\":\"parti.lease\",\"version\":1,\"session\":\"0\"}",
        "{\"record\":\"parti.lease\",\"version\":1,\"session\":\"1\",\"pid\":9999999999}",
    };
    const char *good = "{\"record\":\"parti.lease\",\"more\":{},\"version\":1,"
                       "\"session\":\"1\",\"leader\":\"\"}";

    ck_assert_int_eq(read_lease(good, strlen(good)), 0);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        ck_assert_msg(read_lease(text[i], strlen(text[i])) == STATUS_CORRUPT, "%s",
                      text[i]);
}
END_TEST

START_TEST(a_record_must_say_what_it_is)
{
    const char *head = "{\"epoch\":1,\"members\":[]}", *lease = "{\"session\":\"1\"}";
    const char *half = "{\"record\":\"parti.head\",\"epoch\":1,\"members\":[]}";

    ck_assert_int_eq(read_head(head, strlen(head)), STATUS_CORRUPT);
    ck_assert_int_eq(read_head(half, strlen(half)), STATUS_CORRUPT);
    ck_assert_int_eq(read_lease(lease, strlen(lease)), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_copy_shares_nothing)
{
    static struct head_member room[2], copy_room[2];
    struct head h = head_of(room, 2), copy = {.member = copy_room};

    h.hash = 5;
    h.seq = 6;
    head_copy(&copy, &h);
    ck_assert_ptr_eq(copy.member, copy_room);
    ck_assert_uint_eq(copy.seq, 6);
    room[0] = room[1];
    ck_assert_uint_eq(copy.member[0].num, 0);
    room[0] = member_of(0);
    heads_equal(&copy, &h);
}
END_TEST

START_TEST(a_demand_is_open_if_there_is_none_it_is_met_or_its_session_has_gone)
{
    static struct head_member room[2];
    struct head h = head_of(room, 2);

    room[1].released = 10;
    ck_assert_ptr_eq(head_find(&h, room[1].session), &room[1]);
    ck_assert_ptr_null(head_find(&h, (struct session){99, 99}));
    ck_assert(head_is_open(&h, (struct session){0}, 99));      /* no demand */
    ck_assert(head_is_open(&h, room[1].session, 9));           /* released, even later */
    ck_assert(head_is_open(&h, room[1].session, 10));          /* released */
    ck_assert(!head_is_open(&h, room[1].session, 11));         /* not yet */
    ck_assert(head_is_open(&h, (struct session){99, 99}, 11)); /* no member any more */
    h.n = 1;
    ck_assert(head_is_open(&h, room[1].session, 11));
}
END_TEST

START_TEST(own_keys_name_id_slot_and_chunk)
{
    char key[KEY_ROOM], id[ID_ROOM];

    own_key(key, "worker-12", 1, 30);
    ck_assert_str_eq(key, "own.worker-12.1.30");
    (void)snprintf(id, sizeof id, "%0*d", ID_ROOM - 1, 1); /* the longest there is */
    own_key(key, id, 0, 999999999);
    ck_assert_uint_eq(strlen(key), 4 + ID_ROOM - 1 + 2 + 1 + 9);
}
END_TEST

UNIT_MAIN("head", a_head_is_read_back_with_0_1_and_100_members,
          a_fixed_head_hashes_the_same_for_ever, a_room_too_small_is_said,
          keys_that_this_version_does_not_know_are_skipped,
          heads_that_break_a_rule_are_refused, members_out_of_order_are_refused,
          one_member_more_than_there_is_room_for_is_a_limit,
          texts_that_do_not_fit_are_refused,
          a_damaged_head_is_refused_or_hashes_otherwise, a_lease_is_read_back,
          leases_that_break_a_rule_are_refused, a_record_must_say_what_it_is,
          a_copy_shares_nothing,
          a_demand_is_open_if_there_is_none_it_is_met_or_its_session_has_gone,
          own_keys_name_id_slot_and_chunk)
