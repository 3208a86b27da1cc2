/* core/host/option*.c: a section against the table that its plugin declares. */
#include "base/nearest.h"
#include "base/status.h"
#include "conf_text.h"
#include "host/option_value.h"

#include "unit.h"

#include <jansson.h>

static const struct parti_option table[] = {
    {.name = "partitions", .help = "The list.", .flags = PARTI_LIST | PARTI_REQUIRED},
    {.name = "mode", .fallback = "plain", .help = "How.", .choices = "plain|fancy"},
    {.name = "rounds",
     .fallback = "3",
     .help = "How often.",
     .min = -5,
     .max = 10,
     .type = PARTI_INT},
    {.name = "eager", .help = "Whether.", .type = PARTI_BOOL},
    {.name = "pause",
     .fallback = "1 s",
     .help = "How long.",
     .min = 1,
     .max = 60000,
     .type = PARTI_MSEC},
    {.name = "file", .help = "Where.", .type = PARTI_PATH},
    {.name = "token", .help = "The right.", .flags = PARTI_SECRET},
    {.name = "pin", .help = "A secret number.", .type = PARTI_INT, .flags = PARTI_SECRET},
    {.name = "kafka.*", .help = "Handed on."},
    {.name = "kafka.ssl.*", .help = "Handed on, unseen.", .flags = PARTI_SECRET},
    {.name = NULL},
};

/* Loads HEAD, TAIL and 'keys', then builds the source's section from the table. */
static int build(const char *keys, struct conf *c, struct option_conf **ret)
{
    char text[4096];

    (void)snprintf(text, sizeof text, HEAD TAIL "%s", keys);
    must_load(c, text);
    return option_build(&c->source[0].section, table, "static", &c->errors, ret);
}

static void says(const char *keys, const char *expected)
{
    struct conf c;
    struct option_conf *o = NULL;
    char *said;

    ck_assert_int_eq(build(keys, &c, &o), STATUS_INVALID);
    ck_assert_ptr_null(o);
    said = printed_errors(&c.errors);
    *strstr(said, "PARTI-E401") = '\0';
    ck_assert_str_eq(said, expected);
    free(said);
    conf_finish(&c);
}

START_TEST(values_arrive_checked_and_in_the_tables_order)
{
    static const char *const expected[][2] = {
        {"partitions", "a\nb,c"}, {"mode", "fancy"},   {"rounds", "-5"},
        {"eager", "yes"},         {"pause", "2000"},   {"file", "/etc/parti/list.txt"},
        {"token", "abc"},         {"kafka.zeta", "1"}, {"kafka.ssl.key", "k"},
        {"kafka.alpha", "2"},
    };
    struct conf c;
    struct option_conf *o;

    ck_assert_int_eq(
        build("kafka.zeta = 1\ntoken = abc\nfile = list.txt\npause = 2 s\n"
              "eager = ON\nrounds = -5\nmode = fancy\npartitions = a\n  b,c\n"
              "kafka.ssl.key = k\nkafka.alpha = 2\n",
              &c, &o),
        0);
    ck_assert_uint_eq(o->conf.size, sizeof o->conf);
    ck_assert_str_eq(o->conf.file, "t.ini");
    ck_assert_str_eq(o->conf.section, "source");
    ck_assert_uint_eq(o->conf.n, 10);
    for (uint32_t i = 0; i < o->conf.n; i++) {
        ck_assert_str_eq(o->conf.key[i], expected[i][0]);
        ck_assert_str_eq(o->conf.value[i], expected[i][1]);
    }
    ck_assert_uint_eq(o->conf.line[0], 12);
    ck_assert_uint_eq(o->conf.line[7], 5);
    ck_assert_int_eq(parti_conf_int(&o->conf, "pause", 0), 2000);
    ck_assert_int_eq(parti_conf_int(&o->conf, "eager", 0), 1);
    ck_assert_uint_eq(parti_conf_line(&o->conf, "token"), 6);
    ck_assert_str_eq(option_shown(o, "token"), "***");
    ck_assert_str_eq(option_shown(o, "kafka.ssl.key"), "***");
    ck_assert_str_eq(option_shown(o, "kafka.zeta"), "1");
    ck_assert_ptr_null(option_shown(o, "pin"));
    option_conf_free(o);
    conf_finish(&c);
}
END_TEST

START_TEST(what_is_not_given_takes_its_fallback_or_is_absent)
{
    struct conf c;
    struct option_conf *o;

    ck_assert_int_eq(build("partitions = a\n", &c, &o), 0);
    ck_assert_uint_eq(o->conf.n, 4);
    ck_assert_str_eq(parti_conf_text(&o->conf, "mode"), "plain");
    ck_assert_str_eq(parti_conf_text(&o->conf, "rounds"), "3");
    ck_assert_str_eq(parti_conf_text(&o->conf, "pause"), "1000");
    ck_assert_uint_eq(parti_conf_line(&o->conf, "pause"), 0);
    ck_assert_ptr_null(parti_conf_text(&o->conf, "file"));
    ck_assert_int_eq(parti_conf_int(&o->conf, "eager", 7), 7);
    option_conf_free(o);
    conf_finish(&c);
}
END_TEST

START_TEST(a_conf_outlives_the_file_it_came_from)
{
    struct conf c;
    struct option_conf *o;

    ck_assert_int_eq(build("partitions = a\nfile = /x\n", &c, &o), 0);
    conf_finish(&c);
    ck_assert_str_eq(o->conf.section, "source");
    ck_assert_str_eq(parti_conf_text(&o->conf, "file"), "/x");
    ck_assert_str_eq(o->conf.key[0], "partitions");
    option_conf_free(o);
}
END_TEST

START_TEST(every_mistake_of_a_section_is_named)
{
    says(
        "mode = odd\nrounds = 11\neager = perhaps\npause = 5\nfile =\npartions = a\n"
        "rounds2 = 1\nqqq = 1\n mode\n",
        "t.ini:3: [source] lacks 'partitions', which plugin 'static' needs: The list.\n"
        "t.ini:5: mode = 'odd' is none of plain|fancy\n"
        "t.ini:6: rounds = '11' is outside -5 .. 10\n"
        "t.ini:7: eager = 'perhaps' is neither yes nor no\n"
        "t.ini:8: pause = '5' has no unit, so nobody can tell seconds from milliseconds; "
        "write it like '250 ms', '10 s' or '5 min'\n"
        "t.ini:9: file is empty; a path is needed\n"
        "t.ini:10: unknown key 'partions' in [source]; did you mean 'partitions'?\n"
        "t.ini:11: unknown key 'rounds2' in [source]; did you mean 'rounds'?\n"
        "t.ini:12: unknown key 'qqq' in [source]; plugin 'static' takes others: parti "
        "plugins describe lists them\n");
    says("partitions = a\nmode = plain\n  fancy\n",
         "t.ini:7: mode takes one value; an indented line continues the key above it, so "
         "start a new key at the left margin\n");
    says("partitions = a\nrounds = -6\n", "t.ini:6: rounds = '-6' is outside -5 .. 10\n");
    says("partitions =\n", "t.ini:5: partitions is empty, but needs a value\n");
    says("partitions = a\npause = 61 s\n",
         "t.ini:6: pause = '61 s' is outside 1 ms .. 1 min\n");
}
END_TEST

START_TEST(a_host_key_of_the_other_kind_is_unknown)
{
    says("partitions = a\ntime_limit = 5 s\n",
         "t.ini:6: unknown key 'time_limit' in [source]; it belongs into [strategy]\n");
}
END_TEST

START_TEST(a_secret_is_in_no_message)
{
    says("partitions = a\npin = sesame\n", "t.ini:6: pin = '***' is no whole number\n");
}
END_TEST

START_TEST(long_values_are_shortened_in_messages)
{
    char keys[400];

    memset(keys, 'v', sizeof keys);
    memcpy(keys, "partitions = a\nmode = ", 22);
    (void)snprintf(keys + 300, 2, "\n");
    says(keys,
         "t.ini:6: mode = 'vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
         "...' is none of plain|fancy\n");
}
END_TEST

static void malformed(struct parti_option row, const char *expected)
{
    struct parti_option bad[] = {{.name = "fine", .help = "Fine."}, row, {.name = NULL}};
    char why[200], full[200];

    (void)snprintf(full, sizeof full, "option 2 ('%s') %s", row.name, expected);
    ck_assert_int_eq(option_table_check(bad, why, sizeof why), STATUS_INVALID);
    ck_assert_str_eq(why, full);
}

START_TEST(unsound_tables_are_found)
{
    static struct parti_option endless[OPTIONS_MAX + 2];
    static char names[OPTIONS_MAX + 2][8];
    char why[200];

#define ROW(...) (struct parti_option){.help = "Help.", __VA_ARGS__}
    malformed(ROW(.name = ""), "has a name that is empty or longer than 64 bytes");
    malformed(ROW(.name = "a b"),
              "has a name with a byte other than letters, digits, '_', "
              "'-' and '.'");
    malformed(ROW(.name = "a*b"),
              "has a name with a byte other than letters, digits, '_', "
              "'-' and '.'");
    malformed(ROW(.name = "plugin"), "has a name that the host keeps for itself");
    malformed(ROW(.name = "parti_x"), "has a name that the host keeps for itself");
    malformed(ROW(.name = "a", .type = 5), "has a type that is not in the SDK");
    malformed(ROW(.name = "a", .type = -1), "has a type that is not in the SDK");
    malformed(ROW(.name = "a", .flags = 8), "has a flag that is not in the SDK");
    malformed((struct parti_option){.name = "a"}, "has no help text");
    malformed(ROW(.name = "a", .type = PARTI_INT, .min = 2, .max = 1),
              "has a least value above the greatest");
    malformed(ROW(.name = "a", .max = 1), "has limits, which only INT and MSEC can have");
    malformed(ROW(.name = "a", .type = PARTI_INT, .choices = "1|2"),
              "has choices, which only STR can have");
    malformed(ROW(.name = "a", .choices = "x||y"), "has an empty choice");
    malformed(ROW(.name = "a", .choices = ""), "has an empty choice");
    malformed(ROW(.name = "a", .type = PARTI_PATH, .flags = PARTI_LIST),
              "is a LIST, which goes only with STR without choices");
    malformed(ROW(.name = "a", .fallback = "x", .flags = PARTI_REQUIRED),
              "is REQUIRED and has a fallback, too");
    malformed(ROW(.name = "a.*", .fallback = "x"),
              "ends in '*', so it must be STR, not required and without fallback");
    malformed(ROW(.name = "a", .type = PARTI_INT, .fallback = "x"),
              "has a fallback that is no value of its type");
    malformed(ROW(.name = "a", .choices = "x|y", .fallback = "z"),
              "has a fallback that is no value of its type");
    malformed(ROW(.name = "a", .type = PARTI_MSEC, .fallback = "5 s", .max = 4000),
              "has a fallback outside its own limits");
    malformed(ROW(.name = "fine"), "stands twice");
#undef ROW
    for (int i = 0; i < OPTIONS_MAX + 1; i++) {
        (void)snprintf(names[i], sizeof names[i], "o%d", i);
        endless[i] = (struct parti_option){.name = names[i], .help = "Help."};
    }
    ck_assert_int_eq(option_table_check(endless, why, sizeof why), STATUS_INVALID);
    ck_assert_str_eq(why, "the list has no end within 256 rows");
    endless[OPTIONS_MAX].name = NULL;
    ck_assert_int_eq(option_table_check(endless, why, sizeof why), 0);
    ck_assert_int_eq(option_table_check(table, why, sizeof why), 0);
    ck_assert_int_eq(option_table_check(NULL, why, sizeof why), 0);
}
END_TEST

START_TEST(tables_describe_themselves_without_their_secrets)
{
    static const struct parti_option own[] = {
        {.name = "token", .fallback = "sesame", .help = "S.", .flags = PARTI_SECRET},
        {.name = "foreign", .help = "Byte \xff."},
        {.name = NULL}};
    char *said = NULL;
    size_t n;
    FILE *to = open_memstream(&said, &n);
    json_t *list;

    option_describe(table, NULL, OPTION_TEXT, to);
    option_describe(own, NULL, OPTION_TEXT, to);
    option_describe(NULL, NULL, OPTION_TEXT, to);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_ptr_nonnull(strstr(said, "  partitions (text list, required)\n"));
    ck_assert_ptr_nonnull(strstr(
        said, "  pause (duration, 1 ms .. 1 min, default '1 s')\n      How long."));
    ck_assert_ptr_nonnull(strstr(said, "  mode (text, one of plain|fancy, default "));
    ck_assert_ptr_nonnull(strstr(said, "  token (text, secret, default '***')\n"));
    ck_assert_ptr_nonnull(strstr(said, "  none\n"));
    ck_assert_ptr_null(strstr(said, "sesame"));
    free(said);

    to = open_memstream(&said, &n);
    option_describe(own, NULL, OPTION_JSON, to);
    ck_assert_int_eq(fclose(to), 0);
    list = json_loads(said, 0, NULL);
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 1), "help")),
                     "Byte ?.");
    ck_assert_ptr_null(strstr(said, "sesame"));
    json_decref(list);
    free(said);
}
END_TEST

START_TEST(numbers_at_their_ends)
{
    int64_t n = 0;
    const char *why;

    ck_assert_int_eq(option_value_int("9223372036854775807", &n, &why), 0);
    ck_assert(n == INT64_MAX);
    ck_assert_int_eq(option_value_int("+7", &n, &why), 0);
    ck_assert_int_ne(option_value_int("9223372036854775808", &n, &why), 0);
    ck_assert_int_ne(option_value_int("", &n, &why), 0);
    ck_assert_int_ne(option_value_int("-", &n, &why), 0);
    ck_assert_int_ne(option_value_int("1 ", &n, &why), 0);
    ck_assert_int_ne(option_value_int("0x10", &n, &why), 0);
    ck_assert_int_eq(option_value_msec("5min", &n, &why), 0);
    ck_assert_int_eq(n, 300000);
    ck_assert_int_eq(option_value_msec("2 h", &n, &why), 0);
    ck_assert_int_eq(n, 7200000);
    ck_assert_int_eq(option_value_msec("0", &n, &why), 0);
    ck_assert_int_eq(n, 0);
    ck_assert_int_ne(option_value_msec("9223372036854775807 s", &n, &why), 0);
    ck_assert_int_ne(option_value_msec("-5 s", &n, &why), 0);
    ck_assert_int_ne(option_value_msec("5 s s", &n, &why), 0);
    ck_assert_int_ne(option_value_msec("", &n, &why), 0);
    ck_assert_int_eq(option_value_ratio("0.15", &n, &why), 0);
    ck_assert_int_eq(n, 150000);
    ck_assert_int_eq(option_value_ratio("2.000001", &n, &why), 0);
    ck_assert_int_eq(n, 2000001);
    ck_assert_int_ne(option_value_ratio("0.1234567", &n, &why), 0);
    ck_assert_int_ne(option_value_ratio(".5", &n, &why), 0);
    ck_assert_int_ne(option_value_ratio("1.", &n, &why), 0);
    ck_assert_int_eq(option_value_choice("b", "a|b|c"), 1);
    ck_assert_int_eq(option_value_choice("c", "a|b|c"), 2);
    ck_assert_int_eq(option_value_choice("a|b", "a|b|c"), -1);
    ck_assert_int_eq(option_value_choice("", "a|b"), -1);
}
END_TEST

static const char *near(const char *word)
{
    static const char *const words[] = {
        "heartbeat_interval", "heartbeat_ttl", "group", "id", "id_max", "plugin"};
    struct nearest n;

    nearest_init(&n, word);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        nearest_offer(&n, words[i]);
    return n.best != NULL ? n.best : "";
}

START_TEST(the_nearest_word_is_found_and_a_far_one_is_not)
{
    char endless[200];

    ck_assert_str_eq(near("heartbeet"), "heartbeat_interval");
    ck_assert_str_eq(near("heartbeat_tll"), "heartbeat_ttl");
    ck_assert_str_eq(near("gruop"), "group");
    ck_assert_str_eq(near("plugn"), "plugin");
    ck_assert_str_eq(near("plguin"), "plugin");
    ck_assert_str_eq(near("idmax"), "id_max");
    ck_assert_str_eq(near("ib"), "id");
    ck_assert_str_eq(near("colour"), "");
    ck_assert_str_eq(near("x"), "");
    ck_assert_str_eq(near(""), "");
    memset(endless, 'g', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    ck_assert_str_eq(near(endless), "");
}
END_TEST

UNIT_MAIN("option", values_arrive_checked_and_in_the_tables_order,
          what_is_not_given_takes_its_fallback_or_is_absent,
          a_conf_outlives_the_file_it_came_from, every_mistake_of_a_section_is_named,
          a_host_key_of_the_other_kind_is_unknown, a_secret_is_in_no_message,
          long_values_are_shortened_in_messages, unsound_tables_are_found,
          tables_describe_themselves_without_their_secrets, numbers_at_their_ends,
          the_nearest_word_is_found_and_a_far_one_is_not)
