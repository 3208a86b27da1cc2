/* core/proto/own: the list of one worker, there and back. */
#include "proto/own.h"

#include "base/rand.h"
#include "base/status.h"

#include "mangle.h"
#include "unit.h"

#include <stdio.h>

enum { ROOM = 256 * 1024, ITEMS_MAX = 2000 };

static uint8_t buffer[ROOM];
static struct own_coder coder;
static const struct stamp stamp = {UINT64_MAX, 1000};
static const struct session session = {3, 4};

static char text[ITEMS_MAX][PART_ID_MAX];
static struct own_item item[ITEMS_MAX];
static uint32_t item_n;

static void begin(void)
{
    item_n = 0;
}

static struct own_item *add(const char *id, size_t n)
{
    struct own_item *it = &item[item_n];

    memcpy(text[item_n], id, n);
    *it = (struct own_item){.id = {text[item_n], n}, .weight = 100, .since = 1000};
    item_n++;
    return it;
}

static size_t encode_into(size_t room)
{
    own_write_begin(&coder, buffer, room, stamp, session);
    for (uint32_t i = 0; i < item_n; i++)
        own_write(&coder, &item[i]);
    return own_write_end(&coder);
}

static size_t encode(void)
{
    return encode_into(sizeof buffer);
}

/* Reads a record; 0 when its end comes, and counts. */
static uint32_t got_n;

static int read_all(const void *data, size_t n)
{
    static struct own_coder c;
    struct own_item it;
    int got = own_read_begin(&c, data, n);

    got_n = 0;
    if (got < 0)
        return got;
    while ((got = own_read(&c, &it)) > 0) {
        ck_assert_uint_le(it.id.n, PART_ID_MAX);
        ck_assert_uint_le(it.since, c.stamp.epoch);
        got_n++;
    }
    return got;
}

/* What was added is what is read. */
static void comes_back(size_t n)
{
    struct own_item it;

    memset(&coder, 0xee, sizeof coder);
    ck_assert_int_eq(own_read_begin(&coder, buffer, n), 0);
    ck_assert_int_eq(stamp_compare(coder.stamp, stamp), 0);
    ck_assert(session_equal(coder.session, session));
    for (uint32_t i = 0; i < item_n; i++) {
        ck_assert_int_eq(own_read(&coder, &it), 1);
        ck_assert(bytes_equal(it.id, item[i].id));
        ck_assert_uint_eq(it.weight, item[i].weight);
        ck_assert_uint_eq(it.since, item[i].since);
        ck_assert(session_equal(it.from.session, item[i].from.session));
        ck_assert_uint_eq(it.from.epoch, item[i].from.epoch);
        ck_assert_int_eq(it.is_parked, item[i].is_parked);
    }
    ck_assert_int_eq(own_read(&coder, &it), 0);
    ck_assert_int_eq(own_read(&coder, &it), 0);
}

static int read_bytes(const void *data, size_t n)
{
    return read_all(data, n);
}

START_TEST(an_empty_list_is_a_list)
{
    begin();
    comes_back(encode());
}
END_TEST

START_TEST(ids_share_their_beginnings)
{
    begin();
    (void)add("", 0);
    (void)add("orders\0"
              "1",
              8);
    (void)add("orders\0"
              "10",
              9);
    (void)add("orders\0"
              "11",
              9);
    (void)add("orders\0"
              "2",
              8);
    (void)add("payments", 8);
    size_t six = encode();

    comes_back(six);
    (void)add("payments!", 9);
    /* shared, further, one byte, weight, age, demand: nothing of the id before again */
    ck_assert_uint_eq(encode(), six + 6);
    comes_back(encode());
}
END_TEST

START_TEST(extremes_of_every_field_come_back)
{
    begin();
    struct own_item *it = add("a", 1);

    it->weight = UINT32_MAX;
    it->since = 0;
    it->from = (struct own_from){{0, 1}, UINT64_MAX};
    it->is_parked = true;
    it = add("b", 1);
    it->weight = 0;
    it->since = stamp.epoch;
    it->from = (struct own_from){{UINT64_MAX, UINT64_MAX}, 0};
    comes_back(encode());
}
END_TEST

START_TEST(ids_of_512_bytes_come_back)
{
    char id[PART_ID_MAX];

    begin();
    for (int i = 0; i < 3; i++) {
        memset(id, 'x', sizeof id);
        id[sizeof id - 1] = (char)('a' + i);
        (void)add(id, sizeof id);
    }
    id[0] = 'y';
    (void)add(id, sizeof id);
    (void)add("z", 1);
    comes_back(encode());
}
END_TEST

START_TEST(parked_partitions_stay_parked_with_every_kind_of_demand)
{
    static const struct own_from from[] = {{{0}, 0}, {{7, 8}, 9}, {{7, 8}, 9}};

    begin();
    for (uint32_t i = 0; i < 6; i++) {
        char id = (char)('a' + i);
        struct own_item *it = add(&id, 1);

        it->from = from[i / 2];
        it->is_parked = i % 2 == 0;
    }
    comes_back(encode());
}
END_TEST

START_TEST(a_demand_is_written_once_while_it_is_among_the_last_16)
{
    char id[8];

    begin();
    for (uint32_t i = 0; i < 32; i++) {
        (void)snprintf(id, sizeof id, "%04u", i);
        add(id, 4)->from = (struct own_from){{1, i % 16}, 9};
    }
    size_t first = 0, n = encode();

    comes_back(n);
    item_n = 16;
    first = encode();
    /* 16 further items: shared, further, at most two bytes, weight, age, demand */
    ck_assert_uint_le(n - first, 16 * 7);
}
END_TEST

START_TEST(more_than_16_demands_wrap_around)
{
    static const uint32_t kinds[] = {15, 16, 17, 18, 33, 100};
    char id[8];

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        begin();
        for (uint32_t i = 0; i < 300; i++) {
            (void)snprintf(id, sizeof id, "%04u", i);
            /* Forwards in turn, and now and then one that was kept or is just gone. */
            add(id, 4)->from = (struct own_from){
                {1, i % 5 == 0 ? (i / 5) % kinds[k] : i % kinds[k]}, i % 3};
        }
        comes_back(encode());
    }
}
END_TEST

START_TEST(random_lists_come_back)
{
    struct rand_state r;

    rand_seed(&r, 1);
    for (int round = 0; round < 50; round++) {
        uint32_t at = 0;

        begin();
        for (uint32_t i = 0; i < 200; i++) {
            char id[80];
            size_t n = 4 + rand_below(&r, sizeof id - 4);

            at += 1 + (uint32_t)rand_below(&r, 40);
            (void)snprintf(id, 5, "%04u", at);
            memset(id + 4, (int)rand_below(&r, 256), n - 4);
            struct own_item *it = add(id, n);

            it->weight = (uint32_t)rand_next(&r);
            it->since = rand_below(&r, stamp.epoch + 1);
            it->is_parked = rand_below(&r, 2) == 0;
            if (rand_below(&r, 3) > 0)
                it->from = (struct own_from){{rand_below(&r, 3), 1 + rand_below(&r, 6)},
                                             rand_below(&r, 3)};
        }
        comes_back(encode());
    }
}
END_TEST

static size_t write_few(void)
{
    begin();
    (void)add("orders", 6);
    add("orders\0"
        "1",
        8)
        ->from = (struct own_from){{1, 2}, 3};
    add("orders\0"
        "2",
        8)
        ->from = (struct own_from){{1, 2}, 3};
    add("payments", 8)->is_parked = true;
    return encode();
}

START_TEST(a_room_too_small_is_said)
{
    size_t n = write_few();

    ck_assert_uint_eq(encode_into(n), n);
    for (size_t room = 0; room < n; room++)
        ck_assert_uint_eq(encode_into(room), 0);
}
END_TEST

START_TEST(records_of_another_kind_or_version_are_refused)
{
    size_t n = write_few();

    buffer[2]++;
    ck_assert_int_eq(read_all(buffer, n), STATUS_UNSUPPORTED);
    buffer[2]--;
    buffer[1] = 'X';
    ck_assert_int_eq(read_all(buffer, n), STATUS_CORRUPT);
    buffer[1] = 'O';
    buffer[0] = 'X';
    ck_assert_int_eq(read_all(buffer, n), STATUS_CORRUPT);
    ck_assert_int_eq(read_all("PO", 2), STATUS_CORRUPT);
    ck_assert_int_eq(read_all("", 0), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_cut_record_never_gives_more_than_whole_items)
{
    size_t n = write_few(), ends = 0;

    for (size_t cut = 0; cut < n; cut++) {
        int got = mangle_read(buffer, cut, read_bytes);

        /* Between two items nothing shows the cut: size and hash in the head do. */
        ck_assert(got == 0 || got == STATUS_CORRUPT);
        if (got == 0)
            ck_assert_uint_eq(got_n, ends++);
        else
            ck_assert_uint_le(got_n, item_n - 1);
    }
    ck_assert_uint_eq(ends, item_n);
}
END_TEST

START_TEST(no_turned_bit_leads_out_of_the_record)
{
    ck_assert_uint_gt(mangle_flip(buffer, write_few(), read_bytes), 24);
}
END_TEST

static uint32_t made_pairs; /* demands that stand before the hand-made item */

/* A record with a hand-made item at its end. */
static int read_made(uint64_t shared, uint64_t further, uint64_t weight, uint64_t age,
                     uint64_t code)
{
    struct wire_out *o = &coder.out;

    begin();
    for (uint32_t i = 0; i < made_pairs; i++) {
        char id = (char)('A' + i);

        add(&id, 1)->from = (struct own_from){{1, i}, i};
    }
    (void)add("abc", 3);
    (void)encode();
    wire_put_varint(o, shared);
    wire_put_varint(o, further);
    for (uint64_t i = 0; i < further && i < ROOM / 2; i++)
        wire_put_u8(o, 'x');
    wire_put_varint(o, weight);
    wire_put_varint(o, age);
    wire_put_varint(o, code);
    ck_assert(!o->is_over);
    return mangle_read(buffer, o->n, read_bytes);
}

START_TEST(items_that_break_a_rule_are_refused)
{
    ck_assert_int_eq(read_made(3, 1, 5, 1000, 0), 0);
    ck_assert_int_eq(read_made(4, 1, 5, 0, 0), STATUS_CORRUPT); /* more than there was */
    ck_assert_int_eq(read_made(UINT64_MAX, 1, 5, 0, 0), STATUS_CORRUPT);
    ck_assert_int_eq(read_made(3, PART_ID_MAX - 3, 5, 0, 0), 0);
    ck_assert_int_eq(read_made(3, PART_ID_MAX - 2, 5, 0, 0), STATUS_CORRUPT);
    ck_assert_int_eq(read_made(3, UINT64_MAX, 5, 0, 0), STATUS_CORRUPT);
    ck_assert_int_eq(read_made(3, 1, UINT32_MAX, 0, 0), 0);
    ck_assert_int_eq(read_made(3, 1, UINT32_MAX + 1ull, 0, 0), STATUS_CORRUPT);
    ck_assert_int_eq(read_made(3, 1, 5, 1001, 0), STATUS_CORRUPT);  /* before the first */
    ck_assert_int_eq(read_made(3, 1, 5, 0, 2 * 1), STATUS_CORRUPT); /* no pair follows */
    ck_assert_int_eq(read_made(3, 1, 5, 0, 2 * 2), STATUS_CORRUPT); /* none is kept */
    ck_assert_int_eq(read_made(3, 1, 5, 0, UINT64_MAX), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_demand_that_was_never_kept_is_refused)
{
    for (made_pairs = 0; made_pairs <= 40; made_pairs += 8)
        for (uint32_t code = 0; code < 40; code++) {
            bool is_kept = code < OWN_FROM_KEPT && code < made_pairs;

            ck_assert_int_eq(read_made(3, 1, 5, 0, 2ull * (2 + code)),
                             is_kept ? 0 : STATUS_CORRUPT);
        }
}
END_TEST

UNIT_MAIN("own", an_empty_list_is_a_list, ids_share_their_beginnings,
          extremes_of_every_field_come_back, ids_of_512_bytes_come_back,
          parked_partitions_stay_parked_with_every_kind_of_demand,
          a_demand_is_written_once_while_it_is_among_the_last_16,
          more_than_16_demands_wrap_around, random_lists_come_back,
          a_room_too_small_is_said, records_of_another_kind_or_version_are_refused,
          a_cut_record_never_gives_more_than_whole_items,
          no_turned_bit_leads_out_of_the_record, items_that_break_a_rule_are_refused,
          a_demand_that_was_never_kept_is_refused)
