/* The sample file, from the key table: every key is there, so none can be forgotten. */
#include "host/conf_private.h"

#include "base/must.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 78 };

/* Text as comment lines, broken at blanks. */
static void comment(const char *text, FILE *to)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        if (column > 0 && column + 1 + n > WIDTH) {
            (void)fputc('\n', to);
            column = 0;
        }
        column += (size_t)fprintf(to, "%s%.*s", column == 0 ? "# " : " ", (int)n, text);
        text += n + strspn(text + n, " ");
    }
    (void)fputc('\n', to);
}

/* 'active': what stands in the place of the key that must be given. */
static const struct opening {
    const char *section, *text, *active;
} openings[] = {
    {"parti", "Which group of workers this is.", "group = orders\n"},
    {"nats", "How the workers reach each other.", ""},
    {"worker", "This worker.", ""},
    {"strategy",
     "Who gets which partition. The strategy's own keys go here, too: 'parti plugins "
     "describe NAME' lists them.",
     ""},
    {"source",
     "What is divided. The source's own keys go here, too: 'parti plugins describe NAME' "
     "lists them. More sources are sections of their own, [source:NAME]; their lists are "
     "merged.",
     "plugin = static\npartitions = orders/0..31\n"},
    {"consume",
     "How the messages of a partition are read and handled, if Parti is to do that. The "
     "consumer's own keys go here, too: 'parti plugins describe NAME' lists them.",
     ";plugin = NAME\n"},
    {"timing",
     "When things happen. Write durations with their unit: 250 ms, 10 s, 5 min, 2 h.",
     ""},
};

static const struct opening *opening_of(const char *section)
{
    size_t i = 0;

    while (i < sizeof openings / sizeof *openings &&
           strcmp(openings[i].section, section) != 0)
        i++;
    must(i < sizeof openings / sizeof *openings);
    return &openings[i];
}

static void open_section(const char *section, FILE *to)
{
    fprintf(to, "\n");
    comment(opening_of(section)->text, to);
    /* Not every group has [consume]. */
    fprintf(to, "%s[%s]\n", strcmp(section, "consume") == 0 ? ";" : "", section);
}

static void sample_row(const struct conf_key *key, FILE *to)
{
    const char *usual = key->fallback[CONF_PROFILE_DEFAULT];
    char limits[80], more[200] = "";

    conf_key_limits(key, limits, sizeof limits);
    fprintf(to, "\n");
    comment(key->help, to);
    if (limits[0] != '\0')
        (void)snprintf(more, sizeof more, "(%s)", limits);
    if (usual != NULL && (strcmp(key->fallback[CONF_PROFILE_CALM], usual) != 0 ||
                          strcmp(key->fallback[CONF_PROFILE_FAST], usual) != 0))
        (void)snprintf(more, sizeof more, "(%s; fast: %s, calm: %s)", limits,
                       key->fallback[CONF_PROFILE_FAST],
                       key->fallback[CONF_PROFILE_CALM]);
    if (more[0] != '\0')
        comment(more, to);
    if (usual != NULL)
        fprintf(to, ";%s = %s\n", key->name, usual);
    else if (key->flags & CONF_REQUIRED)
        fprintf(to, "%s", opening_of(key->section)->active);
    else
        fprintf(to, ";%s = (%s; no default)\n", key->name, conf_key_type(key));
}

void conf_sample(FILE *to)
{
    const char *section = "";

    comment(
        "Configuration of a Parti worker; see parti.ini(5). Lines that begin with ';' "
        "show the defaults. ' ;' begins a comment behind a value. A line holds 4096 "
        "bytes at most; long lists go on over indented lines. 'parti config check "
        "FILE' finds every mistake in one go.",
        to);
    for (size_t i = 0; i < conf_keys_n; i++) {
        if (strcmp(section, conf_keys[i].section) != 0) {
            section = conf_keys[i].section;
            open_section(section, to);
        }
        sample_row(&conf_keys[i], to);
    }
}
