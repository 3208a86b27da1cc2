/* For tests: an INI file from a string, and what is said of it. */
#ifndef PARTI_TESTS_CONF_TEXT_H
#define PARTI_TESTS_CONF_TEXT_H

#include "host/conf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The least that a file must have, in two lines. */
#define HEAD "[parti]\ngroup = orders\n"
#define TAIL "[source]\nplugin = static\n"

/* Loads n bytes as "t.ini" in /etc/parti; returns what conf_load_stream() does. */
static inline int load_bytes(struct conf *c, const char *text, size_t n)
{
    char *copy = malloc(n + 1);
    FILE *in;
    int result;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, n);
    in = n > 0 ? fmemopen(copy, n, "r") : fopen("/dev/null", "r");
    ck_assert_ptr_nonnull(in);
    result = conf_load_stream(c, in, "t.ini", "/etc/parti");
    ck_assert_int_eq(fclose(in), 0);
    free(copy);
    return result;
}

static inline int load_text(struct conf *c, const char *text)
{
    return load_bytes(c, text, strlen(text));
}

/* What conf_errors_print() writes; to be freed.  Not inline: gcc 12 takes the stream's
 * buffer for a local of the caller. */
__attribute__((noinline, unused)) static char *printed_errors(struct conf_errors *e)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);

    ck_assert_ptr_nonnull(to);
    conf_errors_print(e, to);
    ck_assert_int_eq(fclose(to), 0);
    return text;
}

/* The file must load; the caller calls conf_finish(). */
static inline void must_load(struct conf *c, const char *text)
{
    int result = load_text(c, text);
    char *said = printed_errors(&c->errors);

    ck_assert_msg(result == 0, "refused (%d): %s", result, said);
    ck_assert_str_eq(said, "");
    free(said);
}

/* The file must be refused, with exactly one mistake, which is this line. */
static inline void must_say(const char *text, const char *line)
{
    struct conf c;
    int result = load_text(&c, text);
    char *said = printed_errors(&c.errors), *end = strchr(said, '\n');

    ck_assert_int_ne(result, 0);
    ck_assert_msg(conf_errors_count(&c.errors) == 1 && end != NULL, "said: %s", said);
    *end = '\0';
    ck_assert_str_eq(said, line);
    free(said);
    conf_finish(&c);
}

#endif
