/* From subjects to the keys of partitions, and back; addresses of servers. */
#include "plugins/jetstream/jet_keys.h"
#include "plugins/jetstream/jet_template.h"
#include "plugins/jetstream/jet_url.h"

#include "unit.h"

#include <string.h>

static struct jet_keys keys;

static void use(const char *template, uint32_t depth, char split)
{
    ck_assert_ptr_null(jet_keys_init(&keys, template, depth, split));
}

/* The id with '/' for NUL; "short" or "long" where there is none. */
static void gives(const char *name, const char *expected)
{
    char id[JET_KEYS_ID_MAX];
    size_t n = 0;
    enum jet_keys_result result = jet_keys_id(&keys, name, strlen(name), id, &n);

    if (result != JET_KEYS_OK) {
        ck_assert_str_eq(result == JET_KEYS_SHORT ? "short" : "long", expected);
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (id[i] == '\0')
            id[i] = '/';
    ck_assert_msg(strlen(expected) == n && memcmp(id, expected, n) == 0,
                  "'%.*s', not '%s'", (int)n, id, expected);
}

START_TEST(without_a_template_each_token_is_a_key)
{
    use(NULL, 0, '.');
    gives("a", "a");
    gives("orders.eu.7", "orders/eu/7");
    gives("a..b", "short");
    gives("a.", "short");
    gives(".", "short");
    use(NULL, 2, '.');
    gives("a", "a");
    gives("a.b", "a/b");
    gives("a.b.c.d", "a/b");
    gives("a..c", "short");
    use(NULL, 0, '-');
    gives("a.b-c", "a.b/c");
}
END_TEST

START_TEST(a_template_takes_tokens_and_text)
{
    use("orders/{3}/{2}", 0, '.');
    gives("orders.eu.7", "orders/7/eu");
    gives("orders.eu.7.more", "orders/7/eu");
    gives("orders.eu", "short");
    gives("orders..7", "short");
    use("x-{2}-y{1}", 0, '.');
    gives("a.b", "x-b-ya");
    use("{2>}", 0, '.');
    gives("a.b.c.d", "b.c.d");
    gives("a", "short");
    use("all", 0, '.');
    gives("what.ever", "all");
    use("{1}{1}", 0, '.');
    gives("a.b", "aa");
}
END_TEST

START_TEST(what_is_too_long_is_told_from_what_is_too_short)
{
    char name[600];

    memset(name, 'a', sizeof name);
    name[512] = '\0';
    use(NULL, 0, '.');
    gives(name, name);
    name[512] = 'a';
    name[513] = '\0';
    gives(name, "long");
    use("{1}", 0, '.');
    gives(name, "long");
    for (size_t i = 1; i < 129; i += 2)
        name[i] = '.';
    name[127] = '\0'; /* 64 tokens */
    use(NULL, 0, '.');
    char expected[128];
    for (size_t i = 0; i < sizeof expected; i++)
        expected[i] = name[i] == '.' ? '/' : name[i];
    gives(name, expected);
    memcpy(name + 127, ".a", 3);
    gives(name, "long");
}
END_TEST

START_TEST(faulty_templates_are_refused)
{
    static const char *const faulty[] = {
        "",      "/",  "a/",  "/a",   "a//b", "{",    "{}",    "{0}",
        "{129}", "{1", "{x}", "{-1}", "{1>",  "{>1}", "{1>>}", "{99999999999}"};
    char text[400];

    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++)
        ck_assert_msg(jet_keys_init(&keys, faulty[i], 0, '.') != NULL, "%s", faulty[i]);
    memset(text, 'a', sizeof text);
    text[255] = '\0';
    use(text, 0, '.');
    gives("x", text);
    text[255] = 'a';
    text[256] = '\0';
    ck_assert_ptr_nonnull(jet_keys_init(&keys, text, 0, '.'));
    for (size_t i = 1; i < 255; i += 2)
        text[i] = '/';
    text[255] = '\0'; /* 128 keys */
    ck_assert_ptr_nonnull(jet_keys_init(&keys, text, 0, '.'));
}
END_TEST

START_TEST(the_fixed_beginning_of_a_filter_ends_at_its_first_wildcard)
{
    ck_assert_uint_eq(jet_keys_fixed(">"), 0);
    ck_assert_uint_eq(jet_keys_fixed("*.a"), 0);
    ck_assert_uint_eq(jet_keys_fixed("orders.>"), 1);
    ck_assert_uint_eq(jet_keys_fixed("orders.eu.*.new"), 2);
    ck_assert_uint_eq(jet_keys_fixed("a.b.c"), 3);
    ck_assert_uint_eq(jet_keys_fixed("a*.>x.>"), 2); /* no wildcards but the last */
}
END_TEST

START_TEST(filters_overlap_where_a_subject_matches_both)
{
    static const char *const so[][2] = {
        {"a", "a"},       {"a.b", "a.*"},       {"a.b", "a.>"},
        {">", "a.*.c"},   {"*.b", "a.*"},       {"*", "*"},
        {"a.>", "*.b.c"}, {"a.*.c.>", "*.b.>"}, {"a.b.*", "a.b.c"},
    };
    static const char *const not_so[][2] = {
        {"a", "b"},       {"a", "a.b"},   {"a", "a.>"},
        {"a.*", "a"},     {"a.b", "ab"},  {"a.*.c", "*.b.d"},
        {"a.*", "a.b.c"}, {"p.>", "q.>"}, {"orders", "order"},
    };

    for (size_t i = 0; i < sizeof so / sizeof *so; i++) {
        ck_assert_msg(jet_keys_overlap(so[i][0], so[i][1]), "%s", so[i][0]);
        ck_assert_msg(jet_keys_overlap(so[i][1], so[i][0]), "%s", so[i][0]);
    }
    for (size_t i = 0; i < sizeof not_so / sizeof *not_so; i++) {
        ck_assert_msg(!jet_keys_overlap(not_so[i][0], not_so[i][1]), "%s", not_so[i][0]);
        ck_assert_msg(!jet_keys_overlap(not_so[i][1], not_so[i][0]), "%s", not_so[i][0]);
    }
}
END_TEST

START_TEST(filters_that_no_server_takes_are_refused)
{
    static const char *const faulty[] = {"",      ".",   "a.",  ".a",  "a..b",
                                         "a.>.b", ">.a", "a b", "a\tb"};
    static const char *const good[] = {">", "*", "a", "a.*.b.>", "a>b"};

    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++)
        ck_assert_msg(jet_keys_filter_fault(faulty[i]) != NULL, "%s", faulty[i]);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(jet_keys_filter_fault(good[i]) == NULL, "%s", good[i]);
}
END_TEST

START_TEST(a_star_in_a_name_stands_for_any_characters)
{
    ck_assert(jet_keys_match("*", ""));
    ck_assert(jet_keys_match("*", "abc"));
    ck_assert(jet_keys_match("a*c", "abbbc"));
    ck_assert(jet_keys_match("a*b*c", "abcabc"));
    ck_assert(jet_keys_match("abc", "abc"));
    ck_assert(!jet_keys_match("abc", "abcd"));
    ck_assert(!jet_keys_match("a*c", "abcd"));
    ck_assert(!jet_keys_match("", "a"));
    ck_assert(!jet_keys_match("*a", "ab"));
}
END_TEST

START_TEST(addresses_are_taken_apart)
{
    struct jet_url url[JET_URLS_MAX];
    char text[JET_URL_TEXT_ROOM];
    size_t n = 0;

    ck_assert_ptr_null(jet_url_parse("a, nats://u:p%40:s@h:1/ ,tls://[::1]:4223,t%2F@b,"
                                     "NATS://x:@y",
                                     url, &n));
    ck_assert_uint_eq(n, 5);
    jet_url_text(&url[0], text);
    ck_assert_str_eq(text, "nats://a:4222");
    ck_assert_str_eq(url[1].user, "u");
    ck_assert_str_eq(url[1].password, "p@:s");
    jet_url_text(&url[1], text);
    ck_assert_str_eq(text, "nats://h:1");
    jet_url_text(&url[2], text);
    ck_assert_str_eq(text, "tls://[::1]:4223");
    ck_assert_str_eq(url[3].user, "t/");
    ck_assert(!url[3].has_password);
    ck_assert(url[4].has_password);
}
END_TEST

START_TEST(faulty_addresses_are_refused)
{
    static const char *const faulty[] = {
        "",        ",",         "a,",      "http://a", "nats://", "nats://a:", "a:0",
        "a:65536", "a:9999999", "a:x",     "[::1",     "[::1]x",  "::1",       "a b",
        "a/b",     "u%:p@a",    "u:%0g@a", "u:%00@a",  "[]:1",    "nats://@",  "a?b",
    };
    struct jet_url url[JET_URLS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++)
        ck_assert_msg(jet_url_parse(faulty[i], url, &n) != NULL, "%s", faulty[i]);
    ck_assert_ptr_null(jet_url_parse("a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", url, &n));
    ck_assert_uint_eq(n, 16);
    ck_assert_ptr_nonnull(jet_url_parse("a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", url, &n));
}
END_TEST

/* The subject of an id with '/' for NUL, or why there is none. */
static void fills(const char *template, const char *id, const char *expected)
{
    char joined[600], subject[JET_TEMPLATE_ROOM];
    size_t n = strlen(id);

    ck_assert_ptr_null(jet_template_fault(template));
    for (size_t i = 0; i < n; i++)
        joined[i] = id[i] == '/' ? '\0' : id[i];
    const char *why = jet_template_fill(template, joined, n, subject);
    ck_assert_str_eq(why != NULL ? why : subject, expected);
}

START_TEST(a_subject_is_made_of_keys)
{
    fills("orders.{1}.{2}", "eu/7", "orders.eu.7");
    fills("{2}.x-{1}.*.>", "eu/7", "7.x-eu.*.>");
    fills("{3}", "a/b/c/d", "c");
    fills("all", "a", "all");
    fills("{2}", "a", "it has fewer keys than 'subject' asks for");
    fills("{1}", "a.b", "one of its keys holds a dot, which would make two tokens");
    fills("{1}", "", "one of its keys is empty");
    fills("{2}", "a/", "one of its keys is empty");
    fills("{1}", "*", "one of its keys holds '*' or '>', which stand for other subjects");
    fills("{1}", "a b", "one of its keys holds a blank or a control character");
    char id[300];
    memset(id, 'k', sizeof id - 1);
    id[299] = '\0';
    fills("{1}", id, "its subject is longer than 255 bytes");
    id[255] = '\0';
    fills("{1}", id, id);
}
END_TEST

START_TEST(a_template_that_makes_no_subject_is_refused)
{
    static const char *const bad[] = {"",    "{}",   "{0}",  "{65}", "{1",
                                      "{a}", "a..b", "{1}.", "a}",   "a.>.{1}",
                                      "a b", "{-1}", ".{1}", "{1}{2"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(jet_template_fault(bad[i]) != NULL, "'%s'", bad[i]);
}
END_TEST

UNIT_MAIN("jet_keys", without_a_template_each_token_is_a_key,
          a_template_takes_tokens_and_text,
          what_is_too_long_is_told_from_what_is_too_short, faulty_templates_are_refused,
          the_fixed_beginning_of_a_filter_ends_at_its_first_wildcard,
          filters_overlap_where_a_subject_matches_both,
          filters_that_no_server_takes_are_refused,
          a_star_in_a_name_stands_for_any_characters, addresses_are_taken_apart,
          faulty_addresses_are_refused, a_subject_is_made_of_keys,
          a_template_that_makes_no_subject_is_refused)
