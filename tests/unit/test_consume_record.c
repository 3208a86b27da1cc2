/* core/consume/record: the position record's bytes and its key. */
#include "base/status.h"
#include "consume/record.h"

#include "mangle.h"
#include "unit.h"

#include <string.h>

static const struct bytes orders = {"orders\0"
                                    "7",
                                    8};
static const struct consume_record sample = {.token = {2, UINT64_MAX},
                                             .origin = UINT64_MAX - 1,
                                             .next = UINT64_MAX,
                                             .at = 1042,
                                             .attempts = CONSUME_TERMED,
                                             .is_begun = true,
                                             .is_suspect = true};
static struct consume_record read_back;

static int decode(const void *data, size_t n)
{
    return record_decode(&read_back, orders, data, n);
}

static int decode_text(const char *text)
{
    return decode(text, strlen(text));
}

START_TEST(a_record_is_read_back)
{
    char buffer[RECORD_ROOM];
    size_t n = record_encode(&sample, orders, buffer, sizeof buffer);

    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(record_encode(&sample, orders, buffer, n - 1), 0);
    ck_assert_uint_eq(record_encode(&sample, orders, buffer, n), n);
    ck_assert_int_eq(decode(buffer, n), STATUS_OK);
    ck_assert_uint_eq(read_back.token.gen, 2);
    ck_assert_uint_eq(read_back.token.since, UINT64_MAX);
    ck_assert_uint_eq(read_back.origin, UINT64_MAX - 1);
    ck_assert_uint_eq(read_back.next, UINT64_MAX);
    ck_assert_uint_eq(read_back.at, 1042);
    ck_assert_uint_eq(read_back.attempts, CONSUME_TERMED);
    ck_assert(read_back.is_begun && read_back.is_suspect && !read_back.is_released);
}
END_TEST

START_TEST(the_record_of_the_longest_id_fits)
{
    char id[512], buffer[RECORD_ROOM];
    struct bytes longest = {id, sizeof id};

    memset(id, '/', sizeof id);
    size_t n = record_encode(&sample, longest, buffer, sizeof buffer);

    ck_assert_uint_gt(n, sizeof id);
    ck_assert_int_eq(record_decode(&read_back, longest, buffer, n), STATUS_OK);
}
END_TEST

START_TEST(the_record_of_another_partition_is_told_apart)
{
    char buffer[RECORD_ROOM];
    size_t n = record_encode(&sample, bytes_of("orders/7"), buffer, sizeof buffer);

    ck_assert_int_eq(decode(buffer, n), STATUS_INVALID);
}
END_TEST

START_TEST(a_cut_record_is_refused)
{
    char buffer[RECORD_ROOM];
    size_t n = record_encode(&sample, orders, buffer, sizeof buffer);

    ck_assert_uint_eq(mangle_truncate(buffer, n, decode, STATUS_CORRUPT), 0);
    (void)mangle_flip(buffer, n, decode); /* reads nothing beyond it */
    buffer[n] = 'x';
    ck_assert_int_eq(decode(buffer, n + 1), STATUS_CORRUPT);
}
END_TEST

#define HEAD   "{\"parti\":\"position\",\"version\":1,\"partition\":\"orders/7\",\"gen\":1,"
#define MIDDLE "\"since\":2,\"origin\":\"0f\",\"next\":3,\"at\":0,"

START_TEST(junk_is_refused)
{
    static const char *const junk[] = {"",
                                       "{}",
                                       "null",
                                       "junk",
                                       "\0\1\2",
                                       "[1]",
                                       "{\"version\":1}",
                                       HEAD MIDDLE "\"attempts\":0}",
                                       HEAD MIDDLE "\"attempts\":0,\"flags\":8}",
                                       HEAD MIDDLE "\"attempts\":4294967296,\"flags\":0}",
                                       HEAD MIDDLE
                                       "\"attempts\":0,\"flags\":0,\"flags\":0}",
                                       HEAD MIDDLE "\"attempts\":-1,\"flags\":0}",
                                       "{\"parti\":\"head\",\"version\":1}",
                                       "{\"parti\":\"position\",\"version\":0}"};

    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++)
        ck_assert_int_eq(decode_text(junk[i]), STATUS_CORRUPT);
}
END_TEST

START_TEST(what_a_newer_host_adds_is_passed_over_or_named)
{
    ck_assert_int_eq(
        decode_text(HEAD MIDDLE "\"attempts\":0,\"more\":[{\"x\":1}],\"flags\":2}"),
        STATUS_OK);
    ck_assert(read_back.is_released);
    ck_assert_uint_eq(read_back.origin, 15);
    ck_assert_int_eq(decode_text("{\"parti\":\"position\",\"version\":2}"),
                     STATUS_UNSUPPORTED);
}
END_TEST

UNIT_MAIN("consume_record", a_record_is_read_back, the_record_of_the_longest_id_fits,
          the_record_of_another_partition_is_told_apart, a_cut_record_is_refused,
          junk_is_refused, what_a_newer_host_adds_is_passed_over_or_named)
