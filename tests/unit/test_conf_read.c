/* core/host/conf_read.c: every line is read whole, counted, and refused when it must be.
 */
#include "conf_text.h"
#include "host/conf_keys.h"

#include "unit.h"

/* The first raw value of the first source, after loading HEAD TAIL and 'rest'. */
static char *source_value(const char *rest, size_t n)
{
    static const char start[] = HEAD TAIL;
    size_t start_n = sizeof start - 1;
    char *text = malloc(start_n + n), *value;
    struct conf c;

    memcpy(text, start, start_n);
    memcpy(text + start_n, rest, n);
    int result = load_bytes(&c, text, start_n + n);
    char *said = printed_errors(&c.errors);
    ck_assert_msg(result == 0, "%s", said);
    ck_assert_uint_ge(c.source[0].section.raw_n, 1);
    value = strdup(c.source[0].section.raw[0].value);
    free(said);
    free(text);
    conf_finish(&c);
    return value;
}

static void value_is(const char *rest, const char *expected)
{
    char *value = source_value(rest, strlen(rest));

    ck_assert_str_eq(value, expected);
    free(value);
}

START_TEST(every_length_up_to_the_limit_arrives_whole)
{
    static char line[CONF_LINE_MAX + 8];
    static const char key[] = "partitions = ";
    const size_t key_n = sizeof key - 1;

    for (size_t n = key_n + 1; n <= CONF_LINE_MAX; n += n < 420 || n > 3990 ? 1 : 97) {
        memcpy(line, key, key_n);
        for (size_t i = key_n; i < n; i++)
            line[i] = (char)('a' + i % 26);
        line[n] = '\n';
        char *value = source_value(line, n + 1);
        ck_assert_uint_eq(strlen(value), n - key_n);
        ck_assert_mem_eq(value, line + key_n, n - key_n);
        free(value);
    }
}
END_TEST

START_TEST(a_value_of_4000_bytes_arrives_whole)
{
    char *line = malloc(4100), *value;

    memcpy(line, "x=", 2);
    for (int i = 0; i < 4000; i++)
        line[2 + i] = i % 10 == 9 ? ',' : (char)('0' + i % 10);
    value = source_value(line, 4002);
    ck_assert_uint_eq(strlen(value), 4000);
    ck_assert_mem_eq(value, line + 2, 4000);
    free(value);
    free(line);
}
END_TEST

/* A long line's tail that looks like a key must not become one. */
START_TEST(the_tail_of_a_long_line_is_no_key)
{
    char line[600];

    memset(line, 'v', sizeof line);
    memcpy(line, "partitions = ", 13);
    for (int i = 20; i < 580; i += 20)
        memcpy(line + i, " evil = 1 ", 10);
    line[598] = '\n';
    char *value = source_value(line, 599);
    ck_assert_uint_eq(strlen(value), 598 - 13);
    ck_assert_mem_eq(value, line + 13, 598 - 13);
    free(value);
}
END_TEST

START_TEST(comments_end_long_lines_as_they_end_short_ones)
{
    char line[700];

    for (size_t n = 100; n < 300; n++) {
        memset(line, 'v', n);
        memcpy(line, "k=", 2);
        (void)snprintf(line + n, 32, " \t; note = x\n");
        char *value = source_value(line, strlen(line));
        ck_assert_uint_eq(strlen(value), n - 2);
        free(value);
    }
    value_is("k = a;b\n", "a;b");
    value_is("k = ; all comment\n", "");
    value_is("k =; no comment\n", "; no comment");
    value_is("k = a # b\n", "a # b");
}
END_TEST

START_TEST(one_byte_too_many_is_refused_and_nothing_of_it_is_read)
{
    char *text = calloc(1, 6000), *said;
    struct conf c;
    int n = snprintf(text, 6000, HEAD TAIL "evil = ");

    memset(text + n, 'x', CONF_LINE_MAX + 1 - 7);
    (void)snprintf(text + strlen(text), 64, "\n  group = more\ngood = 1\n");
    ck_assert_int_ne(load_text(&c, text), 0);
    said = printed_errors(&c.errors);
    ck_assert_str_eq(said,
                     "t.ini:5: the line has 4097 bytes; 4096 is the most. Long lists "
                     "go on indented continuation lines\n"
                     "PARTI-E401 t.ini has 1 mistake. 'parti config check t.ini' "
                     "tells when it is good.\n");
    ck_assert_uint_eq(c.source[0].section.raw_n, 1);
    ck_assert_str_eq(c.source[0].section.raw[0].key, "good");
    ck_assert_uint_eq(c.source[0].section.raw[0].line, 7);
    free(said);
    free(text);
    conf_finish(&c);
}
END_TEST

START_TEST(a_line_of_a_megabyte_is_one_mistake)
{
    size_t n = 1 << 20;
    char *text = malloc(n + 64);
    int head = snprintf(text, 64, HEAD TAIL);
    struct conf c;

    memset(text + head, '=', n);
    ck_assert_int_ne(load_bytes(&c, text, (size_t)head + n), 0);
    ck_assert_uint_eq(conf_errors_count(&c.errors), 1);
    ck_assert_uint_eq(c.errors.at[0].line, 5);
    conf_finish(&c);
    free(text);
}
END_TEST

START_TEST(long_continuation_lines_are_joined)
{
    char *text = malloc(20000), *value;
    size_t n = 0, expected = 0;

    n += (size_t)snprintf(text, 100, "partitions = first,\n");
    expected += 6;
    for (int line = 0; line < 4; line++) {
        text[n++] = line % 2 ? '\t' : ' ';
        memset(text + n, 'a' + line, 4000);
        n += 4000;
        text[n++] = '\n';
        expected += 1 + 4000;
    }
    value = source_value(text, n);
    ck_assert_uint_eq(strlen(value), expected);
    ck_assert_int_eq(value[6], '\n');
    ck_assert_int_eq(value[7], 'a');
    ck_assert_int_eq(value[expected - 1], 'd');
    free(value);
    free(text);
}
END_TEST

START_TEST(continuations_pass_over_blank_lines_and_comments)
{
    value_is("k = a\n\n; note\n   # note\n  b ; note\n\tc = d\n", "a\nb\nc = d");
    value_is("k =\n  a\n  [b]\n", "\na\n[b]");
}
END_TEST

START_TEST(a_value_may_hold_an_equals_sign_and_a_key_ends_at_the_first)
{
    value_is("a=b = c = d\n", "b = c = d");
    value_is("k : v\n", "v");
    value_is("k = nats://a:4222\n", "nats://a:4222");
}
END_TEST

START_TEST(line_ends_of_other_systems_and_a_byte_order_mark_pass)
{
    struct conf c;

    must_load(&c, "\xef\xbb\xbf[parti]\r\ngroup = orders\r\n\r\n[source]\r\n"
                  "plugin = static\r\nk = v \r\n w\r\n");
    ck_assert_str_eq(c.group, "orders");
    ck_assert_str_eq(c.source[0].plugin, "static");
    ck_assert_str_eq(c.source[0].section.raw[0].value, "v\nw");
    ck_assert_uint_eq(c.source[0].section.raw[0].line, 6);
    conf_finish(&c);
}
END_TEST

START_TEST(the_last_line_needs_no_newline)
{
    value_is("k = v", "v");
    must_say(HEAD TAIL "nonsense",
             "t.ini:5: this is neither '[section]' nor 'key = value' nor a comment");
}
END_TEST

START_TEST(nul_and_control_bytes_are_refused)
{
    static const char text[] = HEAD TAIL "k = a\0b\nl = a\x1b[2J\nm = a\rb\n";
    struct conf c;
    char *said;

    ck_assert_int_ne(load_bytes(&c, text, sizeof text - 1), 0);
    said = printed_errors(&c.errors);
    ck_assert_ptr_nonnull(strstr(said, "t.ini:5: the line holds a control byte\n"));
    ck_assert_ptr_nonnull(strstr(said, "t.ini:6: the line holds a control byte\n"));
    ck_assert_ptr_nonnull(strstr(said, "t.ini:7: the line holds a control byte\n"));
    ck_assert_uint_eq(conf_errors_count(&c.errors), 3);
    ck_assert_uint_eq(c.source[0].section.raw_n, 0);
    free(said);
    conf_finish(&c);
}
END_TEST

START_TEST(malformed_lines_are_all_reported)
{
    struct conf c;
    char *said;
    char long_key[CONF_KEY_MAX + 2], long_name[CONF_SECTION_MAX + 2], text[1024];

    memset(long_key, 'k', sizeof long_key);
    long_key[CONF_KEY_MAX + 1] = '\0';
    memset(long_name, 's', sizeof long_name);
    long_name[CONF_SECTION_MAX + 1] = '\0';
    (void)snprintf(text, sizeof text,
                   HEAD TAIL "nonsense\n= v\n%s = v\n[open\nskipped = 1\n[]\n[%s]\n"
                             "[nats] url = x\n; fine\nkey ;x = y\n",
                   long_key, long_name);
    ck_assert_int_ne(load_text(&c, text), 0);
    said = printed_errors(&c.errors);
    ck_assert_str_eq(
        said,
        "t.ini:5: this is neither '[section]' nor 'key = value' nor a comment\n"
        "t.ini:6: there is no key before the '='\n"
        "t.ini:7: a key has at most 96 bytes, this one has 97\n"
        "t.ini:8: the section's name has no ']' behind it\n"
        "t.ini:10: a section's name has 1 to 48 bytes, this one has 0\n"
        "t.ini:11: a section's name has 1 to 48 bytes, this one has 49\n"
        "t.ini:12: there is text behind [nats]; keys go on lines of their own\n"
        "PARTI-E401 t.ini has 7 mistakes. 'parti config check t.ini' tells when it is "
        "good.\n");
    free(said);
    conf_finish(&c);
}
END_TEST

START_TEST(a_key_that_hides_in_a_comment_is_no_key)
{
    must_say(HEAD TAIL "key ;x = y\n",
             "t.ini:5: this is neither '[section]' nor 'key = value' nor a comment");
}
END_TEST

START_TEST(long_keys_keep_their_name_over_continuation_lines)
{
    struct conf c;

    must_load(&c,
              HEAD TAIL "kafka.sasl.oauthbearer.assertion.jwt.template.file.of.the.far."
                        "end = a\n b\n");
    ck_assert_uint_eq(c.source[0].section.raw_n, 1);
    ck_assert_str_eq(c.source[0].section.raw[0].value, "a\nb");
    conf_finish(&c);
}
END_TEST

START_TEST(an_empty_file_and_endless_ones_come_to_an_end)
{
    struct conf c;
    FILE *zero;

    ck_assert_int_ne(load_text(&c, ""), 0);
    conf_finish(&c);
    zero = fopen("/dev/zero", "r");
    ck_assert_ptr_nonnull(zero);
    ck_assert_int_ne(conf_load_stream(&c, zero, "zero.ini", "/"), 0);
    ck_assert_uint_ge(conf_errors_count(&c.errors), 2);
    ck_assert_int_eq(fclose(zero), 0);
    conf_finish(&c);
}
END_TEST

UNIT_MAIN("conf_read", every_length_up_to_the_limit_arrives_whole,
          a_value_of_4000_bytes_arrives_whole, the_tail_of_a_long_line_is_no_key,
          comments_end_long_lines_as_they_end_short_ones,
          one_byte_too_many_is_refused_and_nothing_of_it_is_read,
          a_line_of_a_megabyte_is_one_mistake, long_continuation_lines_are_joined,
          continuations_pass_over_blank_lines_and_comments,
          a_value_may_hold_an_equals_sign_and_a_key_ends_at_the_first,
          line_ends_of_other_systems_and_a_byte_order_mark_pass,
          the_last_line_needs_no_newline, nul_and_control_bytes_are_refused,
          malformed_lines_are_all_reported, a_key_that_hides_in_a_comment_is_no_key,
          long_keys_keep_their_name_over_continuation_lines,
          an_empty_file_and_endless_ones_come_to_an_end)
