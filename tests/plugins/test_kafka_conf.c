/* plugins/kafka: what may stand in its section, and which mistake is told at which line.
 * No broker is needed.
 */
#include "kafka_frame.h"

#include "host/instance.h"
#include "host/plugin.h"

#include "parti_connection.h"

/* [source] with up to three keys, on lines 12, 13, 14 and further down where a value has
 * several lines. */
static void build(struct fixture *f, const char *const key[3], const char *const value[3])
{
    uint32_t line = 12;

    fixture_init(f);
    struct section *s = &f->section[f->n++];
    section_init(s, "source", "kafka");
    f->setup.plugin_dir = plugins_dir();
    for (int i = 0; i < 3 && key[i] != NULL; i++) {
        section_set(s, key[i], value[i]);
        s->raw[i].line = line;
        line += s->raw[i].lines;
    }
}

static void takes(const char *const key[3], const char *const value[3])
{
    struct fixture f;

    build(&f, key, value);
    fixture_create(&f);
    fixture_finish(&f);
}

static void refuses(const char *const key[3], const char *const value[3], uint32_t line,
                    const char *text)
{
    struct fixture f;

    build(&f, key, value);
    ck_assert_int_eq(try_create(&f), STATUS_INVALID);
    section_says(&f.section[0], line, text);
    f.sources = NULL;
    fixture_finish(&f);
}

#define KEYS(...)   ((const char *const[3]){__VA_ARGS__})
#define VALUES(...) ((const char *const[3]){__VA_ARGS__})

/* With good brokers and topics, one more key on line 14. */
static void refuses_key(const char *key, const char *value, const char *text)
{
    refuses(KEYS("brokers", "topics", key), VALUES("b:9092", "t", value), 14, text);
}

START_TEST(brokers_are_hosts_with_ports)
{
    static const char *const good[] = {
        "b",          "b:9092", "b1:9092, b2:9093 ,b3", "b1\nb2:1,\nb3",
        "[::1]:9092", "[::1]",  "SSL://b:9093",         "PLAINTEXT://[fe80::1]:9092"};
    static const struct {
        const char *value, *says;
        uint32_t line;
    } bad[] = {
        {"b:", "brokers: 'b:' has no port after the colon", 12},
        {"b:0", "'b:0' has no port", 12},
        {"b:65536", "has a port above 65535", 12},
        {"b:kafka", "has a port that is no number", 12},
        {":9092", "':9092' names no host", 12},
        {"::1", "put an IPv6 address in brackets", 12},
        {"[::1", "has a bracket that is not closed", 12},
        {"[::1]9092", "something other than a port after the bracket", 12},
        {"b1 b2", "'b1 b2' has a blank in it", 12},
        {"b1,\nb2\nb3:x", "'b3:x' has a port that is no number", 14},
        {" , ,", "brokers names none", 12},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        takes(KEYS("brokers", "topics"), VALUES(good[i], "t"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(KEYS("brokers", "topics"), VALUES(bad[i].value, "t"), bad[i].line,
                bad[i].says);
}
END_TEST

START_TEST(topics_are_names_or_a_pattern)
{
    char longest[251];

    memset(longest, 'x', 250);
    longest[250] = '\0';
    refuses(KEYS("brokers"), VALUES("b"), 10,
            "there is neither 'topics =' nor 'topic_pattern ='");
    refuses(KEYS("brokers", "topics"), VALUES("b", " , "), 10, "there is neither");
    refuses(KEYS("brokers", "topics"), VALUES("b", "good, goo*d"), 13,
            "topics: 'goo*d' has other bytes than letters");
    refuses(KEYS("brokers", "topics"), VALUES("b", "a\nb\nc/d"), 15, "topics: 'c/d'");
    refuses(KEYS("brokers", "topics"), VALUES("b", ".."), 13, "topics: '..' is no name");
    refuses(KEYS("brokers", "topics"), VALUES("b", longest), 13,
            "is longer than 249 bytes");
    refuses(KEYS("brokers", "topic_pattern"), VALUES("b", "orders-("), 13,
            "topic_pattern: Unmatched ( or \\(");
    takes(KEYS("brokers", "topics"), VALUES("b", longest + 1));
    takes(KEYS("brokers", "topic_pattern"), VALUES("b", "^orders-[0-9]+$"));
}
END_TEST

START_TEST(properties_of_librdkafka_pass_through_and_mistakes_name_their_line)
{
    refuses_key("rdkafka.no.such.thing", "1", "has no property of that name");
    refuses_key("rdkafka.socket.timeout.ms", "soon",
                "rdkafka.socket.timeout.ms: Invalid value");
    refuses_key("rdkafka.security.protocol", "TELEPATHY",
                "Invalid value \"TELEPATHY\" for configuration property");
    /* What only shows when librdkafka puts all together. */
    struct fixture f;
    build(&f, KEYS("brokers", "topics", "rdkafka.security.protocol"),
          VALUES("b", "t", "SSL"));
    section_set(&f.section[0], "rdkafka.ssl.ca.location", "/nowhere/ca.pem");
    ck_assert_int_eq(try_create(&f), STATUS_INVALID);
    section_says(&f.section[0], 15,
                 "kafka: librdkafka does not start: ssl.ca.location failed");
    f.sources = NULL;
    fixture_finish(&f);
}
END_TEST

START_TEST(what_is_ours_cannot_be_set_through_a_property)
{
    refuses_key("rdkafka.bootstrap.servers", "x", "cannot be set: set brokers = instead");
    refuses_key("rdkafka.group.id", "x", "cannot be set: set group = instead");
    refuses_key("rdkafka.allow.auto.create.topics", "true",
                "this plugin creates no topic");
    refuses_key("rdkafka.enable.auto.commit", "true", "as messages are acknowledged");
    refuses_key("rdkafka.plugin.library.paths", "/tmp/x.so", "checked by nobody");
    refuses_key("rdkafka", "x", "unknown key 'rdkafka' in [source]");
}
END_TEST

START_TEST(a_secret_is_in_no_message_and_in_no_listing)
{
    static const char *const secret[] = {"rdkafka.sasl.password",
                                         "rdkafka.ssl.key.password",
                                         "rdkafka.ssl.key.pem",
                                         "rdkafka.ssl.keystore.password",
                                         "rdkafka.sasl.oauthbearer.config",
                                         "rdkafka.sasl.oauthbearer.client.secret"};
    const struct plugin *p = NULL;
    struct plugin_error refused;

    ck_assert_int_eq(plugin_load("kafka", plugins_dir(), PLUGIN_SOURCE, &p, &refused), 0);
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++) {
        struct section s;
        struct option_conf *c = NULL;

        section_init(&s, "source", "kafka");
        section_set(&s, "brokers", "b");
        section_set(&s, "topics", "t");
        section_set(&s, secret[i], "hunter2");
        section_set(&s, "rdkafka.sasl.username", "alice");
        ck_assert_int_eq(
            option_build(&s.conf.section, p->about.source_option, "kafka", &s.errors, &c),
            0);
        ck_assert_str_eq(option_shown(c, secret[i]), "***");
        ck_assert_str_eq(option_shown(c, "rdkafka.sasl.username"), "alice");
        ck_assert_str_eq(parti_conf_text(&c->conf, secret[i]), "hunter2");
        option_conf_free(c);
        section_finish(&s);
    }
}
END_TEST

static bool is_named(const struct parti_connection *connection, const char *name)
{
    for (uint32_t i = 0; i < connection->n; i++)
        if (strcmp(connection->name[i], name) == 0)
            return true;
    return false;
}

START_TEST(the_brokers_and_every_property_but_nothing_else_are_the_connection)
{
    const struct plugin *p = NULL;
    struct plugin_error refused;
    uint32_t n = 0;

    ck_assert_int_eq(plugin_load("kafka", plugins_dir(), PLUGIN_SOURCE, &p, &refused), 0);
    const struct parti_connection *connection = p->about.extension(PARTI_CONNECTION_ID);
    ck_assert_ptr_nonnull(connection);
    ck_assert_str_eq(connection->name[0], "brokers");
    for (const struct parti_option *o = p->about.source_option; o->name != NULL; o++) {
        bool is_part =
            strcmp(o->name, "brokers") == 0 || strncmp(o->name, "rdkafka.", 8) == 0;

        ck_assert_msg(is_named(connection, o->name) == is_part, "%s", o->name);
        n += is_part ? 1 : 0;
    }
    ck_assert_uint_eq(connection->n, n);
}
END_TEST

START_TEST(weights_by_lag_need_a_group)
{
    refuses_key("weight", "lag", "weight = lag needs 'group ='");
    refuses_key("weight", "heavy", "is none of fixed|size|lag");
    refuses_key("timeout", "99 ms", "is outside 100 ms .. 5 min");
}
END_TEST

UNIT_MAIN("kafka_conf", brokers_are_hosts_with_ports, topics_are_names_or_a_pattern,
          properties_of_librdkafka_pass_through_and_mistakes_name_their_line,
          what_is_ours_cannot_be_set_through_a_property,
          a_secret_is_in_no_message_and_in_no_listing,
          the_brokers_and_every_property_but_nothing_else_are_the_connection,
          weights_by_lag_need_a_group)
