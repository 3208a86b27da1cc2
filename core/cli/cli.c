#include "cli/cli.h"

#include "base/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One option with its value, as it stands on the command line. */
struct given {
    const char *name; /* as written, with its dashes */
    int name_n;
    char letter;       /* of -x */
    const char *value; /* after '=' or glued to the letter, NULL: none yet */
};

void cli_say(int code, const char *format, ...)
{
    va_list args;

    (void)fputs("parti: ", stderr);
    if (code != 0)
        (void)fprintf(stderr, "PARTI-E%03d ", code);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

static void print_usage(const struct cli *cli, FILE *to)
{
    const char *line = cli->command->usage;

    for (const char *lead = "Usage:"; *line != '\0'; lead = "      ") {
        int n = (int)strcspn(line, "\n");

        (void)fprintf(to, "%s parti %.*s\n", lead, n, line);
        line += n + (line[n] == '\n');
    }
}

int cli_misused(const struct cli *cli, const char *format, ...)
{
    va_list args;

    (void)fputs("parti: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    print_usage(cli, stderr);
    return CLI_USAGE;
}

static void print_option(const struct cli_option *o, FILE *to)
{
    char left[64];
    char letter[] = {'-', o->letter, ',', ' ', '\0'};

    (void)snprintf(left, sizeof left, "%s--%s%s%s", o->letter != '\0' ? letter : "",
                   o->name, o->argument != NULL ? " " : "",
                   o->argument != NULL ? o->argument : "");
    (void)fprintf(to, "  %-24s %s\n", left, o->help);
}

static void print_help(const struct cli *cli, const struct cli_option *own,
                       const struct cli_option *global)
{
    print_usage(cli, stdout);
    if (cli->command->summary != NULL)
        (void)printf("\n%s.\n", cli->command->summary);
    (void)puts("");
    for (; own->name != NULL; own++)
        print_option(own, stdout);
    for (; global->name != NULL; global++)
        print_option(global, stdout);
}

static const struct cli_option *find(const struct cli_option *o, const struct given *g)
{
    for (; o->name != NULL; o++) {
        size_t n = strlen(o->name);

        if (g->letter != '\0'
                ? o->letter == g->letter
                : (size_t)g->name_n == n + 2 && memcmp(g->name + 2, o->name, n) == 0)
            return o;
    }
    return NULL;
}

static int unknown(const struct cli *cli, const struct given *g,
                   const struct cli_option *own, const struct cli_option *global)
{
    char word[NEAREST_WORD_MAX + 1];
    struct nearest near;

    if (g->letter != '\0')
        return cli_misused(cli, "there is no option -%c", g->letter);
    (void)snprintf(word, sizeof word, "%.*s", g->name_n - 2, g->name + 2);
    nearest_init(&near, word);
    for (; own->name != NULL; own++)
        nearest_offer(&near, own->name);
    for (; global->name != NULL; global++)
        nearest_offer(&near, global->name);
    if (near.best == NULL)
        return cli_misused(cli, "there is no option --%s", word);
    return cli_misused(cli, "there is no option --%s; did you mean --%s?", word,
                       near.best);
}

static struct given read_given(const char *word)
{
    struct given g = {.name = word};

    if (word[1] == '-') {
        g.name_n = (int)strcspn(word, "=");
        g.value = word[g.name_n] == '=' ? word + g.name_n + 1 : NULL;
    } else {
        g.name_n = 2;
        g.letter = word[1];
        g.value = word[2] != '\0' ? word + 2 : NULL;
    }
    return g;
}

static int set(const struct cli *cli, const struct cli_option *o, const struct given *g)
{
    if (o->flag != NULL) {
        if (g->value != NULL)
            return cli_misused(cli, "%.*s takes no value", g->name_n, g->name);
        *o->flag = true;
    } else if (o->text != NULL) {
        *o->text = g->value;
    } else {
        if (o->list->n == CLI_LIST_MAX)
            return cli_misused(cli, "%.*s is given more than %d times", g->name_n,
                               g->name, CLI_LIST_MAX);
        o->list->at[o->list->n++] = g->value;
    }
    return CLI_OK;
}

static int set_output(struct cli *cli, const char *text)
{
    if (text == NULL)
        return CLI_OK;
    if (strcmp(text, "json") != 0 && strcmp(text, "table") != 0)
        return cli_misused(cli, "-o %s: the formats are table and json", text);
    cli->output = strcmp(text, "json") == 0 ? CLI_JSON : CLI_TABLE;
    return CLI_OK;
}

int cli_parse(struct cli *cli, const struct cli_option *options, int argc, char **argv,
              int *ret_words)
{
    const char *output = NULL;
    bool wants_help = false;
    const struct cli_option global[] = {
        {'\0', "server", "URL", "the NATS server, instead of the file's",
         .text = &cli->server},
        {'o', "output", "FORMAT", "table or json", .text = &output},
        {'h', "help", NULL, "this", .flag = &wants_help},
        {0},
    };
    int words = 0, at = 1;

    for (; at < argc; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (argv[at][0] != '-' || argv[at][1] == '\0') {
            if (cli->command->stops_at_word)
                break;
            argv[1 + words++] = argv[at];
            continue;
        }
        struct given g = read_given(argv[at]);
        const struct cli_option *o = find(options, &g);

        if (o == NULL)
            o = find(global, &g);
        if (o == NULL)
            return unknown(cli, &g, options, global);
        if (o->flag == NULL && g.value == NULL) {
            if (at + 1 == argc)
                return cli_misused(cli, "%.*s needs a value: %s", g.name_n, g.name,
                                   o->argument);
            g.value = argv[++at];
        }
        int status = set(cli, o, &g);
        if (status != CLI_OK)
            return status;
    }
    while (at < argc)
        argv[1 + words++] = argv[at++];
    argv[1 + words] = NULL;
    if (wants_help) {
        print_help(cli, options, global);
        return -1;
    }
    int status = set_output(cli, output);
    if (status == CLI_OK)
        *ret_words = words;
    return status;
}
