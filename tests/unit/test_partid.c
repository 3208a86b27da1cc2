/* core/base/partid: ids inside and as people see them. */
#include "base/partid.h"
#include "base/rand.h"
#include "base/status.h"

#include "unit.h"

#include <string.h>

#define ID(text) ((struct bytes){(text), sizeof(text) - 1})

static void shown_as(struct bytes id, const char *text)
{
    char to[PARTID_TEXT_ROOM];
    char back[PARTID_BYTES_MAX];
    size_t n = 0;

    ck_assert_uint_eq(partid_encode(id, to, sizeof to), strlen(text));
    ck_assert_str_eq(to, text);
    ck_assert_int_eq(partid_decode(bytes_of(to), back, sizeof back, &n), STATUS_OK);
    ck_assert_uint_eq(n, id.n);
    ck_assert_mem_eq(back, id.at, n);
}

START_TEST(keys_are_joined_with_a_slash)
{
    shown_as(ID("orders\0003"), "orders/3");
    shown_as(ID("a\0b\0c"), "a/b/c");
    shown_as(ID("one"), "one");
}
END_TEST

START_TEST(slash_percent_and_control_bytes_are_encoded)
{
    shown_as(ID("a/b\000100%"), "a%2Fb/100%25");
    shown_as(ID("tab\there\0\x7f"), "tab%09here/%7F");
}
END_TEST

START_TEST(utf8_stays_and_what_is_none_is_encoded)
{
    shown_as(ID("M\xc3\xbcnchen\000\xe2\x82\xac"), "M\xc3\xbcnchen/\xe2\x82\xac");
    shown_as(ID("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
    shown_as(ID("\xff"), "%FF");
    shown_as(ID("\xc3"), "%C3");
    shown_as(ID("\xc0\xaf"), "%C0%AF");               /* '/' written too long */
    shown_as(ID("\xed\xa0\x80"), "%ED%A0%80");        /* half of a surrogate pair */
    shown_as(ID("\xc2\x85"), "%C2%85");               /* U+0085, a control */
    shown_as(ID("\xf4\x90\x80\x80"), "%F4%90%80%80"); /* above U+10FFFF */
}
END_TEST

START_TEST(any_sound_id_comes_back_from_its_display_id)
{
    struct rand_state r;

    rand_seed(&r, 3);
    for (int round = 0; round < 20000; round++) {
        char id[PARTID_BYTES_MAX], text[PARTID_TEXT_ROOM], back[PARTID_BYTES_MAX];
        size_t n = 1 + (size_t)rand_below(&r, round % 100 == 0 ? sizeof id : 24);
        size_t back_n = 0;

        for (size_t i = 0; i < n; i++)
            id[i] = (char)rand_below(&r, 256);
        if (partid_fault((struct bytes){id, n}) != NULL)
            continue;
        partid_encode((struct bytes){id, n}, text, sizeof text);
        ck_assert_int_eq(partid_decode(bytes_of(text), back, sizeof back, &back_n), 0);
        ck_assert_uint_eq(back_n, n);
        ck_assert_mem_eq(back, id, n);
    }
}
END_TEST

START_TEST(the_longest_id_fits_its_room)
{
    char id[PARTID_BYTES_MAX], text[PARTID_TEXT_ROOM];

    memset(id, '%', sizeof id);
    ck_assert_uint_eq(partid_encode((struct bytes){id, sizeof id}, text, sizeof text),
                      PARTID_TEXT_ROOM - 1);
}
END_TEST

START_TEST(a_short_room_cuts_at_a_whole_character)
{
    char text[6];

    ck_assert_uint_eq(partid_encode(ID("abc%"), text, sizeof text), 3);
    ck_assert_str_eq(text, "abc");
    ck_assert_uint_eq(partid_encode(ID("abcd\xe2\x82\xac"), text, sizeof text), 4);
    ck_assert_str_eq(text, "abcd");
}
END_TEST

START_TEST(bad_display_ids_are_refused)
{
    static const char *const bad[] = {"",   "/",   "a//b", "/a",   "a/",
                                      "a%", "a%2", "a%zz", "a%00", "%"};
    char to[PARTID_BYTES_MAX + 1];
    char long_text[PARTID_BYTES_MAX + 2];
    size_t n = 77;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(partid_decode(bytes_of(bad[i]), to, sizeof to, &n),
                         STATUS_INVALID);
    memset(long_text, 'x', sizeof long_text);
    ck_assert_int_eq(partid_decode((struct bytes){long_text, 513}, to, sizeof to, &n),
                     STATUS_LIMIT);
    ck_assert_int_eq(partid_decode(bytes_of("abc"), to, 2, &n), STATUS_LIMIT);
    ck_assert_uint_eq(n, 77);
    ck_assert_int_eq(partid_decode(bytes_of("a%2f"), to, sizeof to, &n), STATUS_OK);
    ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(faults_are_named)
{
    char id[PARTID_BYTES_MAX + 1];

    memset(id, 'x', sizeof id);
    ck_assert_str_eq(partid_fault(ID("")), "it is empty");
    ck_assert_str_eq(partid_fault(ID("\0a")), "it has an empty key");
    ck_assert_str_eq(partid_fault(ID("a\0")), "it has an empty key");
    ck_assert_str_eq(partid_fault(ID("a\0\0b")), "it has an empty key");
    ck_assert_str_eq(partid_fault((struct bytes){id, 513}),
                     "it is longer than 512 bytes");
    ck_assert_ptr_null(partid_fault((struct bytes){id, 512}));
}
END_TEST

START_TEST(keys_are_walked_in_order)
{
    struct bytes rest = ID("a\0bc\0d"), key;

    ck_assert(partid_key(&rest, &key));
    ck_assert(bytes_equal(key, bytes_of("a")));
    ck_assert(partid_key(&rest, &key));
    ck_assert(bytes_equal(key, bytes_of("bc")));
    ck_assert(partid_key(&rest, &key));
    ck_assert(bytes_equal(key, bytes_of("d")));
    ck_assert(!partid_key(&rest, &key));
}
END_TEST

UNIT_MAIN("partid", keys_are_joined_with_a_slash,
          slash_percent_and_control_bytes_are_encoded,
          utf8_stays_and_what_is_none_is_encoded,
          any_sound_id_comes_back_from_its_display_id, the_longest_id_fits_its_room,
          a_short_room_cuts_at_a_whole_character, bad_display_ids_are_refused,
          faults_are_named, keys_are_walked_in_order)
