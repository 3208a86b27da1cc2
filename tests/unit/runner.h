/* What the tests of strategies and sources share: sections made by hand, where the
 * plugins lie, and waiting for a callback with a deadline. */
#ifndef PARTI_TESTS_RUNNER_H
#define PARTI_TESTS_RUNNER_H

#include "host/conf.h"
#include "host/threads.h"

#include "unit.h"

#include <string.h>
#include <unistd.h>

enum { RAW_MAX = 16, DEADLINE_MS = 30000 };

struct section {
    struct option_raw raw[RAW_MAX];
    struct conf_plugin conf;
    struct conf_errors errors;
};

/* [kind] plugin = plugin, on line 10; each key set after it on the next line. */
static inline void section_init(struct section *s, const char *kind, const char *plugin)
{
    memset(s, 0, sizeof *s);
    ck_assert_int_eq(conf_errors_init(&s->errors, "test.ini"), 0);
    s->conf.name = strchr(kind, ':') != NULL ? strchr(kind, ':') + 1 : "";
    s->conf.plugin = plugin;
    s->conf.plugin_line = 11;
    s->conf.time_limit_ms = 5000;
    s->conf.section = (struct option_section){
        .name = kind, .file = "test.ini", .dir = "/", .line = 10, .raw = s->raw};
}

static inline void section_set(struct section *s, const char *key, const char *value)
{
    size_t n = s->conf.section.raw_n++;

    ck_assert_uint_lt(n, RAW_MAX);
    s->raw[n] = (struct option_raw){
        .key = key, .value = value, .line = 12 + (uint32_t)n, .lines = 1};
    for (const char *at = value; *at != '\0'; at++)
        s->raw[n].lines += *at == '\n';
}

static inline void section_finish(struct section *s)
{
    conf_errors_finish(&s->errors);
}

/* The one mistake there is, with its line. */
static inline void section_says(struct section *s, uint32_t line, const char *part)
{
    ck_assert_uint_eq(conf_errors_count(&s->errors), 1);
    ck_assert_uint_eq(s->errors.at[0].line, line);
    ck_assert_msg(strstr(s->errors.at[0].text, part) != NULL, "'%s' is not in '%s'", part,
                  s->errors.at[0].text);
}

#define ck_assert_says(text, part) \
    ck_assert_msg(strstr((text), (part)) != NULL, "'%s' is not in '%s'", (part), (text))

/* The built plugins, and those that only tests use. */
static inline const char *plugins_dir(void)
{
    const char *dir = getenv("PARTI_PLUGIN_DIR");

    ck_assert_ptr_nonnull(dir);
    return dir;
}

static inline void build_path(char to[4096], const char *below)
{
    const char *dir = getenv("PARTI_BUILDDIR");

    ck_assert_ptr_nonnull(dir);
    ck_assert_int_lt(snprintf(to, 4096, "%s/%s", dir, below), 4096);
}

static inline const char *test_plugins_dir(void)
{
    static char dir[4096];

    build_path(dir, "tests/plugins/.libs");
    return dir;
}

#endif
