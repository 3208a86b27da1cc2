/* conf/parti.ini: the sample is what the key table makes of it, and it loads. */
#include "conf_text.h"
#include "host/conf_keys.h"

#include "unit.h"

static char *sample_file(void)
{
    static char text[1 << 16];
    char path[4096];
    const char *dir = getenv("PARTI_SRCDIR");
    FILE *in;
    size_t n;

    ck_assert_msg(dir != NULL, "PARTI_SRCDIR is not set: run by make check");
    (void)snprintf(path, sizeof path, "%s/conf/parti.ini", dir);
    in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s cannot be read", path);
    n = fread(text, 1, sizeof text - 1, in);
    ck_assert_int_eq(fclose(in), 0);
    text[n] = '\0';
    return text;
}

/* After a change of the table: parti's own conf_sample() writes the new one. */
START_TEST(the_sample_is_what_the_table_says)
{
    char *said = NULL;
    size_t n;
    FILE *to = open_memstream(&said, &n);

    conf_sample(to);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_str_eq(sample_file(), said);
    free(said);
}
END_TEST

START_TEST(the_sample_loads_and_asks_for_nothing_but_defaults)
{
    struct conf c, least;

    must_load(&c, sample_file());
    must_load(&least, HEAD TAIL);
    ck_assert_mem_eq(&c.timing, &least.timing, sizeof c.timing);
    ck_assert_str_eq(c.group, "orders");
    ck_assert_uint_eq(c.source_n, 1);
    ck_assert_str_eq(c.source[0].plugin, "static");
    ck_assert_str_eq(c.source[0].section.raw[0].key, "partitions");
    conf_finish(&c);
    conf_finish(&least);
}
END_TEST

START_TEST(every_key_stands_in_its_section_of_the_sample)
{
    const char *text = sample_file();
    char line[200];

    for (size_t i = 0; i < conf_keys_n; i++) {
        const struct conf_key *key = &conf_keys[i];
        const char *usual = key->fallback[CONF_PROFILE_DEFAULT], *section, *next, *at;
        bool is_optional = strcmp(key->section, "consume") == 0;
        (void)snprintf(line, sizeof line, "\n%s[%s]\n", is_optional ? ";" : "",
                       key->section);
        section = strstr(text, line);
        ck_assert_msg(section != NULL, "no [%s]", key->section);
        next = strstr(section + 2, "\n[");
        (void)snprintf(line, sizeof line, "\n%s%s = %s",
                       (key->flags & CONF_REQUIRED) && !is_optional ? "" : ";", key->name,
                       usual != NULL ? usual : "");
        at = strstr(section, line);
        ck_assert_msg(at != NULL && (next == NULL || at < next), "[%s] lacks %s",
                      key->section, key->name);
    }
}
END_TEST

/* As with all others: what must be given stands below what is said of it. */
START_TEST(a_key_that_must_be_given_stands_below_its_comment)
{
    const char *text = sample_file();
    char head[200], line[80];

    for (size_t i = 0; i < conf_keys_n; i++) {
        const struct conf_key *key = &conf_keys[i];
        const char *section, *said, *at;

        if (!(key->flags & CONF_REQUIRED))
            continue;
        (void)snprintf(line, sizeof line, "[%s]\n", key->section);
        section = strstr(text, line);
        (void)snprintf(head, sizeof head, "\n# %.30s", key->help);
        said = strstr(section, head);
        (void)snprintf(line, sizeof line, "%s = ", key->name);
        at = strstr(section, line);
        ck_assert_msg(said != NULL && at > said, "[%s] %s", key->section, key->name);
    }
}
END_TEST

/* The defaults that the sample shows are those in force: taken in, they change nothing.
 */
START_TEST(the_shown_defaults_are_the_true_ones)
{
    char *text = strdup(sample_file()), *to = text;
    struct conf c, least;

    for (const char *line = text; *line != '\0';) {
        size_t n = strcspn(line, "\n") + 1;
        const char *none = strstr(line, "; no default)");
        bool value = line[0] == ';' && (none == NULL || none > line + n);
        memmove(to, line + value, n - value);
        to += n - value;
        line += n;
    }
    *to = '\0';
    /* [source] plugin has no default, so the one in the sample stays the only one. */
    must_load(&c, text);
    must_load(&least, HEAD TAIL);
    ck_assert_uint_gt(conf_line(&c, "timing", "alert_interval"), 0);
    ck_assert_uint_gt(conf_line(&c, "worker", "capacity"), 0);
    ck_assert_mem_eq(&c.timing, &least.timing, sizeof c.timing);
    ck_assert_uint_eq(c.worker.capacity, least.worker.capacity);
    ck_assert_uint_eq(c.worker.restarts_max, least.worker.restarts_max);
    ck_assert_str_eq(c.nats.url, least.nats.url);
    ck_assert_uint_eq(c.consume.handlers, least.consume.handlers);
    ck_assert_uint_eq(c.consume.commit_messages, least.consume.commit_messages);
    ck_assert_uint_gt(conf_line(&c, "consume", "format"), 0);
    ck_assert_uint_eq(c.strategy.time_limit_ms, least.strategy.time_limit_ms);
    free(text);
    conf_finish(&c);
    conf_finish(&least);
}
END_TEST

UNIT_MAIN("conf_sample", the_sample_is_what_the_table_says,
          the_sample_loads_and_asks_for_nothing_but_defaults,
          every_key_stands_in_its_section_of_the_sample,
          a_key_that_must_be_given_stands_below_its_comment,
          the_shown_defaults_are_the_true_ones)
