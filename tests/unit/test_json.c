/* core/base/json: what is written is read back, and nothing else is let in. */
#include "base/json.h"

#include "mangle.h"
#include "unit.h"

#include <stdio.h>

enum { DEPTH_MAX = 16 }; /* JSON_DEPTH_MAX of json.c */

static struct json_in reader_of(const char *text)
{
    struct json_in in;

    json_in_init(&in, text, strlen(text));
    return in;
}

/* A record with one of everything. */
static size_t write_sample(void *buffer, size_t room)
{
    struct json_out o;

    json_out_init(&o, buffer, room);
    json_open(&o, NULL, '{');
    json_put_text(&o, "text", "a\"b\\c\x01");
    json_put_u64(&o, "most", UINT64_MAX);
    json_put_hex(&o, "wide", 0x0123456789abcdef, 2, true);
    json_put_hex(&o, "word", 0, 0xff, false);
    json_open(&o, "list", '[');
    json_put_u64(&o, NULL, 1);
    json_open(&o, NULL, '{');
    json_close(&o, '}');
    json_put_text(&o, NULL, "");
    json_close(&o, ']');
    json_close(&o, '}');
    return o.is_over ? 0 : o.n;
}

static int read_sample(const void *data, size_t n)
{
    char text[16];
    uint64_t hi, lo;
    struct json_in in;
    struct bytes key;

    json_in_init(&in, data, n);
    json_enter(&in, '{');
    while (json_next_key(&in, &key)) {
        if (bytes_equal(key, bytes_of("text"))) {
            json_get_text(&in, text, sizeof text);
        } else if (bytes_equal(key, bytes_of("most"))) {
            (void)json_get_u64(&in);
        } else if (bytes_equal(key, bytes_of("wide"))) {
            json_get_hex(&in, &hi, &lo);
        } else if (bytes_equal(key, bytes_of("list"))) {
            json_enter(&in, '[');
            while (json_next_item(&in))
                json_skip(&in);
        } else {
            json_skip(&in);
        }
    }
    return in.is_bad ? -1 : 0;
}

START_TEST(what_is_written_stands_there_byte_for_byte)
{
    char buffer[256];
    const char *want = "{\"text\":\"a\\\"b\\\\c\\u0001\","
                       "\"most\":18446744073709551615,"
                       "\"wide\":\"0123456789abcdef0000000000000002\","
                       "\"word\":\"00000000000000ff\","
                       "\"list\":[1,{},\"\"]}";
    size_t n = write_sample(buffer, sizeof buffer);

    ck_assert_uint_eq(n, strlen(want));
    ck_assert_mem_eq(buffer, want, n);
    ck_assert_int_eq(read_sample(buffer, n), 0);
}
END_TEST

START_TEST(every_byte_but_nul_survives_a_round_trip)
{
    for (int c = 1; c < 256; c++) {
        char text[2] = {(char)c, '\0'}, back[2];
        char buffer[16];
        struct json_out o;
        struct json_in in;

        json_out_init(&o, buffer, sizeof buffer);
        json_put_text(&o, NULL, text);
        ck_assert(!o.is_over);
        /* On the way it is printable, or part of a UTF-8 character. */
        for (size_t i = 0; i < o.n; i++)
            ck_assert_uint_ge((unsigned char)buffer[i], 0x20);
        ck_assert(memchr(buffer, 0x7f, o.n) == NULL);
        json_in_init(&in, buffer, o.n);
        json_get_text(&in, back, sizeof back);
        ck_assert(!in.is_bad);
        ck_assert_str_eq(back, text);
    }
}
END_TEST

START_TEST(a_slash_may_be_escaped_and_other_escapes_are_refused)
{
    static const char *const refused[] = {
        "\"\\n\"",     "\"\\t\"",    "\"\\u0100\"", "\"\\ud800\"", "\"\\u0000\"",
        "\"\\u00g0\"", "\"\\u000\"", "\"\\x41\"",   "\"\\\"",      "\"\\",
    };
    char text[16];
    struct json_in in = reader_of("\"\\/\\u0041\\\\\\\"\"");

    json_get_text(&in, text, sizeof text);
    ck_assert(!in.is_bad);
    ck_assert_str_eq(text, "/A\\\"");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        in = reader_of(refused[i]);
        json_get_text(&in, text, sizeof text);
        ck_assert_msg(in.is_bad, "%s is taken", refused[i]);
    }
}
END_TEST

START_TEST(text_may_fill_its_room_and_no_more)
{
    struct {
        char text[4];
        char beyond;
    } to = {"", 'x'};
    struct json_in in = reader_of("\"abc\"");

    json_get_text(&in, to.text, sizeof to.text);
    ck_assert(!in.is_bad);
    ck_assert_str_eq(to.text, "abc");
    in = reader_of("\"abcd\"");
    json_get_text(&in, to.text, sizeof to.text);
    ck_assert(in.is_bad);
    ck_assert_uint_lt(strnlen(to.text, sizeof to.text), sizeof to.text);
    ck_assert_int_eq(to.beyond, 'x');
}
END_TEST

START_TEST(numbers_reach_from_zero_to_uint64_max_and_no_further)
{
    static const struct {
        const char *text;
        uint64_t value;
        bool is_bad;
    } row[] = {
        {"0", 0, false},
        {"7", 7, false},
        {" \n\t\r7", 7, false},
        {"18446744073709551614", UINT64_MAX - 1, false},
        {"18446744073709551615", UINT64_MAX, false},
        {"18446744073709551616", 0, true},
        {"18446744073709551620", 0, true},
        {"184467440737095516150", 0, true},
        {"99999999999999999999", 0, true},
        {"-1", 0, true},
        {"+1", 0, true},
        {"\"1\"", 0, true},
        {"true", 0, true},
        {"", 0, true},
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct json_in in = reader_of(row[i].text);

        ck_assert_msg(json_get_u64(&in) == row[i].value, "%s", row[i].text);
        ck_assert_msg(in.is_bad == row[i].is_bad, "%s", row[i].text);
    }
}
END_TEST

START_TEST(fractions_and_exponents_are_no_numbers_here)
{
    static const char *const text[] = {"{\"most\":1.5}", "{\"most\":1e3}",
                                       "{\"most\":1,}",  "{\"most\" 1}",
                                       "{most:1}",       "{\"most\":}"};

    ck_assert_int_eq(read_sample("{\"most\":1}", 10), 0);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        ck_assert_msg(read_sample(text[i], strlen(text[i])) < 0, "%s is taken", text[i]);
}
END_TEST

START_TEST(hex_has_one_to_thirty_two_digits)
{
    uint64_t hi, lo;
    struct json_in in = reader_of("\"fedcba98765432100123456789ABCDEF\"");

    json_get_hex(&in, &hi, &lo);
    ck_assert(!in.is_bad);
    ck_assert_uint_eq(hi, 0xfedcba9876543210);
    ck_assert_uint_eq(lo, 0x0123456789abcdef);
    in = reader_of("\"10000000000000000\"");
    json_get_hex(&in, &hi, &lo);
    ck_assert(!in.is_bad);
    ck_assert_uint_eq(hi, 1);
    ck_assert_uint_eq(lo, 0);

    static const char *const refused[] = {"\"\"", "\"0123456789abcdef0123456789abcdef0\"",
                                          "\"0x1\"", "\" 1\"", "1"};

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        in = reader_of(refused[i]);
        json_get_hex(&in, &hi, &lo);
        ck_assert_msg(in.is_bad, "%s is taken", refused[i]);
    }
}
END_TEST

static bool nests(uint32_t depth)
{
    char text[64];
    struct json_in in;

    memset(text, '[', sizeof text);
    json_in_init(&in, text, sizeof text);
    for (uint32_t i = 0; i < depth; i++)
        json_enter(&in, '[');
    return !in.is_bad;
}

START_TEST(depth_has_a_limit)
{
    ck_assert(nests(DEPTH_MAX));
    ck_assert(!nests(DEPTH_MAX + 1));
}
END_TEST

START_TEST(unknown_values_of_every_kind_are_skipped)
{
    static const char *const value[] = {"0",
                                        "-1.5e+7",
                                        "true",
                                        "null",
                                        "\"\"",
                                        "\"a\\\"]},{\\\\\"",
                                        "[]",
                                        "{}",
                                        "[[],[{\"a\":[1,\"]\"]}]]",
                                        "{ \"a\" : { \"b\" : \"}\" } }"};
    char text[128];
    struct bytes key;

    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        (void)snprintf(text, sizeof text, "{\"new\": %s ,\"n\":42}", value[i]);
        struct json_in in = reader_of(text);

        json_enter(&in, '{');
        ck_assert(json_next_key(&in, &key));
        json_skip(&in);
        ck_assert_msg(json_next_key(&in, &key), "%s", text);
        ck_assert(bytes_equal(key, bytes_of("n")));
        ck_assert_uint_eq(json_get_u64(&in), 42);
        ck_assert(!json_next_key(&in, &key));
        ck_assert(!in.is_bad);
    }
}
END_TEST

START_TEST(nothing_or_an_open_end_cannot_be_skipped)
{
    static const char *const value[] = {"", "}", "]", "[1", "{\"a\":", "\"a", "[\"a\\"};

    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        struct json_in in = reader_of(value[i]);

        json_skip(&in);
        ck_assert_msg(in.is_bad, "%s is skipped", value[i]);
    }
}
END_TEST

START_TEST(the_first_mistake_sticks_and_ends_every_loop)
{
    struct json_in in = reader_of("[x,1,2]");
    char text[8] = "old";
    uint64_t hi = 9, lo = 9;
    struct bytes key;

    json_enter(&in, '[');
    ck_assert(json_next_item(&in));
    ck_assert_uint_eq(json_get_u64(&in), 0);
    ck_assert(in.is_bad);
    in.at++; /* even where the input is sound again */
    ck_assert(!json_next_item(&in));
    ck_assert(!json_next_key(&in, &key));
    in.at++;
    ck_assert_uint_eq(json_get_u64(&in), 0);
    json_get_text(&in, text, sizeof text);
    ck_assert_str_eq(text, "");
    json_get_hex(&in, &hi, &lo);
    ck_assert_uint_eq(hi + lo, 0);
    json_skip(&in);
    json_enter(&in, '[');
    ck_assert(in.is_bad);
}
END_TEST

START_TEST(no_room_is_said_and_nothing_is_written_beyond)
{
    char full[256];
    size_t n = write_sample(full, sizeof full);

    for (size_t room = 0; room < n; room++) {
        char *buffer = malloc(room + 1);

        buffer[room] = '#';
        ck_assert_uint_eq(write_sample(buffer, room), 0);
        ck_assert_int_eq(buffer[room], '#');
        free(buffer);
    }
    ck_assert_uint_eq(write_sample(full, n), n);
}
END_TEST

START_TEST(a_document_cut_anywhere_is_refused)
{
    char buffer[256];
    size_t n = write_sample(buffer, sizeof buffer);

    ck_assert_int_eq(mangle_read(buffer, n, read_sample), 0);
    ck_assert_uint_eq(mangle_truncate(buffer, n, read_sample, -1), 0);
}
END_TEST

START_TEST(no_turned_bit_leads_out_of_the_input)
{
    char buffer[256];
    size_t n = write_sample(buffer, sizeof buffer);

    /* Most bits stand in texts and numbers, where others are as good. */
    ck_assert_uint_gt(mangle_flip(buffer, n, read_sample), n);
}
END_TEST

UNIT_MAIN("json", what_is_written_stands_there_byte_for_byte,
          every_byte_but_nul_survives_a_round_trip,
          a_slash_may_be_escaped_and_other_escapes_are_refused,
          text_may_fill_its_room_and_no_more,
          numbers_reach_from_zero_to_uint64_max_and_no_further,
          fractions_and_exponents_are_no_numbers_here, hex_has_one_to_thirty_two_digits,
          depth_has_a_limit, unknown_values_of_every_kind_are_skipped,
          nothing_or_an_open_end_cannot_be_skipped,
          the_first_mistake_sticks_and_ends_every_loop,
          no_room_is_said_and_nothing_is_written_beyond,
          a_document_cut_anywhere_is_refused, no_turned_bit_leads_out_of_the_input)
