/* core/host/option_borrow.c, conf_lend.c: the address of a broker is written once. */
#include "host/option_borrow.h"

#include "base/status.h"
#include "conf_text.h"
#include "unit.h"

static const struct parti_option table[] = {
    {.name = "url", .help = "Where.", .flags = PARTI_REQUIRED},
    {.name = "user", .help = "As whom."},
    {.name = "password", .help = "The proof.", .flags = PARTI_SECRET},
    {.name = "tls_ca", .help = "Whom to trust.", .type = PARTI_PATH},
    {.name = "net.*", .help = "Handed on."},
    {.name = "stream", .help = "What."},
    {.name = NULL},
};
static const char *const names[] = {"url", "user", "password", "tls_ca", "net.*"};
static const struct parti_connection connection = {sizeof connection, 5, names};

static struct conf conf;
static struct option_section borrowed;

static const char *key(const char *name)
{
    for (size_t i = 0; i < borrowed.raw_n; i++)
        if (strcmp(borrowed.raw[i].key, name) == 0)
            return borrowed.raw[i].value;
    return NULL;
}

static uint32_t line(const char *name)
{
    for (size_t i = 0; i < borrowed.raw_n; i++)
        if (strcmp(borrowed.raw[i].key, name) == 0)
            return borrowed.raw[i].line;
    return 0;
}

static void borrow(const struct option_section *own)
{
    ck_assert_int_eq(option_borrow(own, table, &connection, &borrowed), STATUS_OK);
}

static void finish(const struct option_section *own)
{
    option_borrow_free(own, &borrowed);
    conf_finish(&conf);
}

static void source_of(const char *text)
{
    must_load(&conf, text);
    borrow(&conf.source[0].section);
}

static void consume_of(const char *text)
{
    must_load(&conf, text);
    borrow(&conf.consume.base.section);
}

#define NATS                                                                            \
    "[nats]\nurl = nats://a:4222\nuser = u\npassword = p\ntls_ca = ca.pem\nreplicas = " \
    "3\n"

START_TEST(a_source_without_an_address_takes_it_from_nats_with_the_log_in)
{
    source_of(HEAD NATS "[source]\nplugin = jetstream\nstream = S\n");
    ck_assert_str_eq(key("url"), "nats://a:4222");
    ck_assert_str_eq(key("user"), "u");
    ck_assert_str_eq(key("password"), "p");
    ck_assert_str_eq(key("tls_ca"), "ca.pem");
    ck_assert_str_eq(key("stream"), "S");
    ck_assert_uint_eq(line("password"),
                      6);                /* of [nats], where a mistake is to be mended */
    ck_assert_ptr_null(key("replicas")); /* no option of the plugin */
    finish(&conf.source[0].section);
}
END_TEST

START_TEST(a_section_with_an_address_takes_nothing)
{
    source_of(HEAD NATS "[source]\nplugin = jetstream\nurl = nats://b\nstream = S\n");
    ck_assert_str_eq(key("url"), "nats://b");
    ck_assert_ptr_null(key("user"));
    ck_assert_ptr_null(key("password"));
    ck_assert_uint_eq(borrowed.raw_n, 2);
    finish(&conf.source[0].section);
}
END_TEST

START_TEST(what_a_section_has_itself_is_not_replaced)
{
    source_of(HEAD NATS "[source]\nplugin = jetstream\nuser = me\npassword = mine\n");
    ck_assert_str_eq(key("url"), "nats://a:4222");
    ck_assert_str_eq(key("user"), "me");
    ck_assert_str_eq(key("password"), "mine");
    ck_assert_uint_eq(borrowed.raw_n, 4);
    finish(&conf.source[0].section);
}
END_TEST

START_TEST(without_nats_its_default_is_lent)
{
    source_of(HEAD "[source]\nplugin = jetstream\n");
    ck_assert_str_eq(key("url"), "nats://127.0.0.1:4222");
    ck_assert_uint_eq(line("url"), 0);
    finish(&conf.source[0].section);
}
END_TEST

START_TEST(an_address_from_the_command_line_is_lent_in_its_place)
{
    char why[256];

    must_load(&conf, HEAD NATS "[source]\nplugin = jetstream\n");
    ck_assert_int_eq(conf_url_set(&conf, "nats://c:1", why, sizeof why), STATUS_OK);
    borrow(&conf.source[0].section);
    ck_assert_str_eq(key("url"), "nats://c:1");
    ck_assert_uint_eq(line("url"), 0);
    ck_assert_str_eq(key("user"), "u");
    finish(&conf.source[0].section);
}
END_TEST

START_TEST(an_embedded_server_lends_nothing)
{
    source_of(HEAD "[nats]\nurl = embedded\n[source]\nplugin = jetstream\n");
    ck_assert_ptr_null(key("url"));
    finish(&conf.source[0].section);
}
END_TEST

START_TEST(consume_takes_from_the_source_of_its_plugin_and_that_from_nats)
{
    consume_of(HEAD NATS "[source]\nplugin = x\nurl = nats://b\nnet.one = 1\nstream = S\n"
                         "[consume]\nplugin = x\nnet.one = 2\nstream = T\n");
    ck_assert_str_eq(key("url"), "nats://b");
    ck_assert_str_eq(key("net.one"), "2");
    ck_assert_str_eq(key("stream"), "T");
    ck_assert_ptr_null(key("user")); /* that is for the address in [nats] */
    finish(&conf.consume.base.section);

    consume_of(HEAD NATS "[source]\nplugin = x\nnet.one = 1\nstream = S\n"
                         "[consume]\nplugin = x\n");
    ck_assert_str_eq(key("url"), "nats://a:4222");
    ck_assert_ptr_null(key("net.one")); /* of a section without the address */
    ck_assert_ptr_null(key("stream"));
    finish(&conf.consume.base.section);
}
END_TEST

START_TEST(consume_takes_from_nats_where_no_source_has_its_plugin)
{
    consume_of(HEAD NATS TAIL "partitions = a\n[consume]\nplugin = x\n");
    ck_assert_str_eq(key("url"), "nats://a:4222");
    finish(&conf.consume.base.section);
}
END_TEST

START_TEST(of_several_sources_of_its_plugin_consume_takes_from_none)
{
    consume_of(HEAD NATS
               "[source:a]\nplugin = x\nurl = nats://b\n[source:b]\nplugin = x\n"
               "url = nats://c\n[consume]\nplugin = x\n");
    ck_assert_ptr_null(key("url"));
    finish(&conf.consume.base.section);
}
END_TEST

START_TEST(a_plugin_that_says_nothing_of_its_connection_borrows_nothing)
{
    const struct parti_connection none = {0};

    must_load(&conf, HEAD NATS "[source]\nplugin = x\n");
    ck_assert_int_eq(option_borrow(&conf.source[0].section, table, &none, &borrowed),
                     STATUS_OK);
    ck_assert_uint_eq(borrowed.raw_n, 0);
    finish(&conf.source[0].section);
}
END_TEST

UNIT_MAIN("option_borrow", a_source_without_an_address_takes_it_from_nats_with_the_log_in,
          a_section_with_an_address_takes_nothing,
          what_a_section_has_itself_is_not_replaced, without_nats_its_default_is_lent,
          an_address_from_the_command_line_is_lent_in_its_place,
          an_embedded_server_lends_nothing,
          consume_takes_from_the_source_of_its_plugin_and_that_from_nats,
          consume_takes_from_nats_where_no_source_has_its_plugin,
          of_several_sources_of_its_plugin_consume_takes_from_none,
          a_plugin_that_says_nothing_of_its_connection_borrows_nothing)
