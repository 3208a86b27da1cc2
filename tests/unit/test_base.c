/* core/base: the small parts that everything stands on. */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/status.h"

#include "unit.h"

#include <string.h>

START_TEST(bytes_order_is_bytewise_and_a_prefix_comes_first)
{
    ck_assert_int_lt(bytes_compare(bytes_of("a"), bytes_of("b")), 0);
    ck_assert_int_lt(bytes_compare(bytes_of("a"), bytes_of("aa")), 0);
    ck_assert_int_eq(bytes_compare(bytes_of("aa"), bytes_of("aa")), 0);
    ck_assert_int_gt(bytes_compare(bytes_of("\xff"), bytes_of("a")), 0);
    ck_assert_int_lt(bytes_compare((struct bytes){NULL, 0}, bytes_of("a")), 0);
}
END_TEST

START_TEST(bytes_to_text_cuts_what_does_not_fit)
{
    char text[4];

    bytes_to_text(bytes_of("abcdef"), text, sizeof text);
    ck_assert_str_eq(text, "abc");
}
END_TEST

START_TEST(time_arithmetic_stops_at_the_ends)
{
    ck_assert_uint_eq(sat_add(UINT64_MAX - 1, 5), UINT64_MAX);
    ck_assert_uint_eq(sat_sub(3, 5), 0);
    ck_assert_uint_eq(sat_add(3, 5), 8);
}
END_TEST

START_TEST(hash_is_xxh3_as_published)
{
    /* XXH3-64 of the empty input, from the algorithm's own test vectors. */
    ck_assert_uint_eq(hash_bytes("", 0), 0x2d06800538d394c2u);
}
END_TEST

START_TEST(same_seed_same_numbers)
{
    struct rand_state a, b;

    rand_seed(&a, 7);
    rand_seed(&b, 7);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(rand_next(&a), rand_next(&b));
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_lt(rand_below(&a, 10), 10);
}
END_TEST

START_TEST(arena_ends_at_its_limit)
{
    static char block[64];
    struct arena a;

    arena_init(&a, block, sizeof block);
    ck_assert_ptr_nonnull(arena_carve(&a, 1));
    ck_assert_ptr_eq(arena_carve(&a, 48), block + 16);
    ck_assert_ptr_null(arena_carve(&a, 1));
    ck_assert_ptr_null(arena_carve(&a, SIZE_MAX));
}
END_TEST

START_TEST(every_status_has_a_text)
{
    ck_assert_str_eq(status_text(STATUS_TIMEOUT), "no answer in time");
    ck_assert_str_eq(status_text(-999), "unknown status");
}
END_TEST

UNIT_MAIN("base", bytes_order_is_bytewise_and_a_prefix_comes_first,
          bytes_to_text_cuts_what_does_not_fit, time_arithmetic_stops_at_the_ends,
          hash_is_xxh3_as_published, same_seed_same_numbers, arena_ends_at_its_limit,
          every_status_has_a_text)
