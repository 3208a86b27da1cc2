/* core/host/event_line: the lines of the contract, byte for byte. */
#include "config.h"

#include "host/event_line.h"

#include "base/bytes.h"
#include "base/partid.h"

#include "unit.h"

#include <jansson.h>
#include <string.h>

static const struct event_stamp stamp = {"2026-11-23T16:04:19.123Z", 5000000001,
                                         "worker-3"};
#define HEAD                                                                             \
    "{\"time\":\"2026-11-23T16:04:19.123Z\",\"boot_ns\":5000000001,\"worker\":\"worker-" \
    "3\","

static const struct parti_partition two[] = {
    {.id = "orders/3", .weight = 100, .token = {123, 45}},
    {.id = "a", .weight = 1, .token = {1764000000, UINT64_MAX}},
};

static void reads(const struct event_line *line, const char *text)
{
    ck_assert_mem_eq(line->at, text, strlen(text));
    ck_assert_uint_eq(line->n, strlen(text));
}

/* A line ends with its newline, not with a NUL. */
static void has(const struct event_line *line, const char *part)
{
    ck_assert_ptr_nonnull(memmem(line->at, line->n, part, strlen(part)));
}

START_TEST(state_has_from_to_and_reason)
{
    struct event_line line = {0};

    ck_assert_int_eq(event_line_state(&line, &stamp, "Init", "ClaimingID", "connected"),
                     0);
    reads(&line, HEAD "\"event\":\"state\",\"from\":\"Init\",\"to\":\"ClaimingID\","
                      "\"reason\":\"connected\"}\n");
    event_line_finish(&line);
}
END_TEST

START_TEST(assigned_lists_id_keys_weight_and_token)
{
    struct event_line line = {0};

    ck_assert_int_eq(event_line_assigned(&line, &stamp, 7, two, 2), 0);
    reads(&line, HEAD "\"event\":\"assigned\",\"epoch\":7,\"partitions\":["
                      "{\"id\":\"orders/3\",\"keys\":[\"orders\",\"3\"],\"weight\":100,"
                      "\"token\":\"123-45\"},"
                      "{\"id\":\"a\",\"keys\":[\"a\"],\"weight\":1,"
                      "\"token\":\"1764000000-18446744073709551615\"}]}\n");
    event_line_finish(&line);
}
END_TEST

START_TEST(revoking_has_a_deadline_and_released_has_none)
{
    struct event_line line = {0};

    ck_assert_int_eq(event_line_revoking(&line, &stamp, 8, two, 1, 10000), 0);
    reads(&line, HEAD "\"event\":\"revoking\",\"epoch\":8,\"partitions\":["
                      "{\"id\":\"orders/3\",\"keys\":[\"orders\",\"3\"],\"weight\":100,"
                      "\"token\":\"123-45\"}],\"deadline_ms\":10000}\n");
    ck_assert_int_eq(event_line_released(&line, &stamp, 8, two, 1), 0);
    reads(&line, HEAD "\"event\":\"released\",\"epoch\":8,\"partitions\":["
                      "{\"id\":\"orders/3\",\"keys\":[\"orders\",\"3\"],\"weight\":100,"
                      "\"token\":\"123-45\"}]}\n");
    ck_assert_int_eq(event_line_released(&line, &stamp, 9, NULL, 0), 0);
    reads(&line, HEAD "\"event\":\"released\",\"epoch\":9,\"partitions\":[]}\n");
    event_line_finish(&line);
}
END_TEST

START_TEST(fenced_carries_the_lease_deadline_as_its_boot_ns)
{
    struct event_line line = {0};

    ck_assert_int_eq(event_line_fenced(&line, &stamp, 5150000000, "no beacon"), 0);
    reads(&line,
          "{\"time\":\"2026-11-23T16:04:19.123Z\",\"boot_ns\":5150000000,"
          "\"worker\":\"worker-3\",\"event\":\"fenced\",\"reason\":\"no beacon\"}\n");
    event_line_finish(&line);
}
END_TEST

START_TEST(leader_has_its_term)
{
    struct event_line line = {0};

    ck_assert_int_eq(event_line_leader(&line, &stamp, 12, "worker-0"), 0);
    reads(&line, HEAD "\"event\":\"leader\",\"term\":12,\"leader\":\"worker-0\"}\n");
    event_line_finish(&line);
}
END_TEST

START_TEST(error_has_its_stable_code)
{
    struct event_line line = {0};

    ck_assert_int_eq(event_line_error(&line, &stamp, 102, "JetStream is off"), 0);
    reads(&line, HEAD "\"event\":\"error\",\"code\":\"PARTI-E102\","
                      "\"text\":\"JetStream is off\"}\n");
    event_line_finish(&line);
}
END_TEST

START_TEST(any_text_stays_one_line_of_valid_json)
{
    struct event_line line = {0};
    json_t *json;

    ck_assert_int_eq(
        event_line_state(&line, &stamp, "\"\\", "\n\t\x7f", "M\xc3\xbc \xff\xc3\xe2\x82"),
        0);
    reads(&line, HEAD "\"event\":\"state\",\"from\":\"\\\"\\\\\","
                      "\"to\":\"\\u000a\\u0009\\u007f\","
                      "\"reason\":\"M\xc3\xbc \\ufffd\\ufffd\\ufffd\\ufffd\"}\n");
    json = json_loadb(line.at, line.n, 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_str_eq(json_string_value(json_object_get(json, "to")), "\n\t\x7f");
    json_decref(json);
    event_line_finish(&line);
}
END_TEST

START_TEST(keys_that_are_not_utf8_decode_to_their_bytes)
{
    static const char keys[] = "a/b\0\xff\"\000100%";
    struct bytes rest = {keys, sizeof keys - 1}, key;
    char id[PARTID_TEXT_ROOM], back[PARTID_BYTES_MAX];
    struct parti_partition p = {.id = id};
    struct event_line line = {0};
    json_t *json, *shown;
    size_t n = 0, i = 0;

    (void)partid_encode(rest, id, sizeof id);
    ck_assert_int_eq(event_line_assigned(&line, &stamp, 1, &p, 1), 0);
    has(&line, "\"keys\":[\"a%2Fb\",\"%FF\\\"\",\"100%25\"]");
    json = json_loadb(line.at, line.n, 0, NULL);
    ck_assert_ptr_nonnull(json);
    shown =
        json_object_get(json_array_get(json_object_get(json, "partitions"), 0), "keys");
    while (partid_key(&rest, &key)) {
        const char *text = json_string_value(json_array_get(shown, i++));

        ck_assert_int_eq(partid_decode(bytes_of(text), back, sizeof back, &n), 0);
        ck_assert_uint_eq(n, key.n);
        ck_assert_mem_eq(back, key.at, n);
    }
    ck_assert_uint_eq(json_array_size(shown), i);
    json_decref(json);
    event_line_finish(&line);
}
END_TEST

START_TEST(assigned_from_kept_items_is_the_same_line)
{
    struct event_line whole = {0}, pieces = {0}, item = {0};

    ck_assert_int_eq(event_line_assigned(&whole, &stamp, 7, two, 2), 0);
    event_line_begin_assigned(&pieces, &stamp, 7);
    for (int i = 0; i < 2; i++) {
        event_line_item(&item, &two[i]);
        ck_assert_int_eq(item.status, 0);
        event_line_put_item(&pieces, item.at, item.n);
    }
    ck_assert_int_eq(event_line_end_assigned(&pieces), 0);
    ck_assert_uint_eq(pieces.n, whole.n);
    ck_assert_mem_eq(pieces.at, whole.at, whole.n);
    event_line_finish(&whole);
    event_line_finish(&pieces);
    event_line_finish(&item);
}
END_TEST

START_TEST(ten_thousand_partitions_take_milliseconds)
{
    enum { MANY = 10000 };
    struct parti_partition *p = calloc(MANY, sizeof *p);
    char(*id)[32] = calloc(MANY, sizeof *id);
    struct event_line line = {0};

    ck_assert(p != NULL && id != NULL);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id[i], sizeof id[i], "orders-of-the-day/%d", i);
        p[i] = (struct parti_partition){.id = id[i], .weight = 100, .token = {1, 2}};
    }
    uint64_t best_ns = UINT64_MAX;
    for (int round = 0; round < 5; round++) {
        uint64_t start_ns = clock_boot_ns();

        ck_assert_int_eq(event_line_assigned(&line, &stamp, 1, p, MANY), 0);
        uint64_t took_ns = clock_boot_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    ck_assert_uint_eq(line.n > 900 * 1000, 1);
    /* About 3 ms in a plain build; the bound leaves room for sanitizers. */
    ck_assert_uint_lt(best_ns, 100 * CLOCK_NS_PER_MS);
    event_line_finish(&line);
    free(id);
    free(p);
}
END_TEST

UNIT_MAIN("event_line", state_has_from_to_and_reason,
          assigned_lists_id_keys_weight_and_token,
          revoking_has_a_deadline_and_released_has_none,
          fenced_carries_the_lease_deadline_as_its_boot_ns, leader_has_its_term,
          error_has_its_stable_code, any_text_stays_one_line_of_valid_json,
          keys_that_are_not_utf8_decode_to_their_bytes,
          assigned_from_kept_items_is_the_same_line,
          ten_thousand_partitions_take_milliseconds)
