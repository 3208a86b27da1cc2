/* Plugins for people and for programs: describe and list. */
#include "host/plugin.h"

#include "base/status.h"
#include "host/option_json.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint32_t bit;
    const char *name;
} caps[] = {{PARTI_STRATEGY_WEIGHTS, "weights"},
            {PARTI_STRATEGY_STICKY, "sticky"},
            {PARTI_STRATEGY_ZONES, "zones"}};
enum { CAPS = sizeof caps / sizeof *caps };

static const char *kinds(const struct plugin *p)
{
    static const char *const names[] = {"",
                                        "strategy",
                                        "source",
                                        "strategy and source",
                                        "consumer",
                                        "strategy and consumer",
                                        "source and consumer",
                                        "strategy, source and consumer"};

    return names[(p->strategy.assign != NULL) | (p->source.list != NULL) << 1 |
                 (p->consumer.start != NULL) << 2];
}

/* Who lends is that of conf_lend(): [nats] has an address by the name of 'url'. */
static const struct option_loan *loan_of(const struct plugin *p, bool is_consumer,
                                         struct option_loan *room)
{
    bool is_nats = p->connection.n > 0 && strcmp(p->connection.name[0], "url") == 0;

    if (p->connection.n == 0 || !(is_nats || is_consumer))
        return NULL;
    room->connection = &p->connection;
    room->from = !is_consumer ? "in [nats]"
                 : is_nats    ? "in the [source] with this plugin, else in [nats]"
                              : "in the [source] with this plugin";
    return room;
}

static void describe_text(const struct plugin *p, FILE *to)
{
    const struct parti_plugin *a = &p->about;
    struct option_loan loan;

    fprintf(to, "%s: %s\n", p->name, a->summary != NULL ? a->summary : kinds(p));
    fprintf(to, "  is       %s\n  id       %s %s\n", kinds(p), a->id, a->version);
    if (a->vendor != NULL)
        fprintf(to, "  vendor   %s\n", a->vendor);
    if (a->license != NULL)
        fprintf(to, "  license  %s\n", a->license);
    fprintf(to, "  built for ABI %u.%u, needs %u.%u; this host speaks %u.%u\n",
            PARTI_ABI_MAJOR, a->abi_minor, PARTI_ABI_MAJOR, a->needs_minor,
            PARTI_ABI_MAJOR, PARTI_ABI_MINOR);
    if (p->strategy.assign != NULL) {
        fprintf(to, "  heeds   ");
        for (int i = 0; i < CAPS; i++)
            if (p->strategy.caps & caps[i].bit)
                fprintf(to, " %s", caps[i].name);
        fprintf(to, "%s\n", p->strategy.caps == 0 ? " nothing of its own" : "");
    }
    fprintf(to, "  file     %s\n", p->path);
    if (p->strategy.assign != NULL) {
        fprintf(to, "\nkeys in [strategy]\n");
        option_describe(a->strategy_option, NULL, OPTION_TEXT, to);
    }
    if (p->source.list != NULL) {
        fprintf(to, "\nkeys in [source] and [source:NAME]\n");
        option_describe(a->source_option, loan_of(p, false, &loan), OPTION_TEXT, to);
    }
    if (p->consumer.start != NULL) {
        fprintf(to, "\nkeys in [consume]\n");
        option_describe(p->consumer.option, loan_of(p, true, &loan), OPTION_TEXT, to);
    }
}

static json_t *abi_json(uint32_t minor)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%u.%u", PARTI_ABI_MAJOR, minor);
    return json_string(text);
}

static json_t *describe_json(const struct plugin *p)
{
    const struct parti_plugin *a = &p->about;
    json_t *o = json_object(), *strategy, *list;
    struct option_loan loan;

    json_object_set_new(o, "name", option_json_text(p->name));
    json_object_set_new(o, "path", option_json_text(p->path));
    json_object_set_new(o, "id", option_json_text(a->id));
    json_object_set_new(o, "version", option_json_text(a->version));
    json_object_set_new(o, "vendor", option_json_text(a->vendor));
    json_object_set_new(o, "license", option_json_text(a->license));
    json_object_set_new(o, "summary", option_json_text(a->summary));
    json_object_set_new(o, "abi", abi_json(a->abi_minor));
    json_object_set_new(o, "needs", abi_json(a->needs_minor));
    if (p->strategy.assign != NULL) {
        strategy = json_object();
        list = json_array();
        for (int i = 0; i < CAPS; i++)
            if (p->strategy.caps & caps[i].bit)
                json_array_append_new(list, json_string(caps[i].name));
        json_object_set_new(strategy, "caps", list);
        json_object_set_new(strategy, "options",
                            option_table_json(a->strategy_option, NULL));
        json_object_set_new(o, "strategy", strategy);
    }
    if (p->source.list != NULL)
        json_object_set_new(
            o, "source",
            json_pack("{s:o}", "options",
                      option_table_json(a->source_option, loan_of(p, false, &loan))));
    if (p->consumer.start != NULL)
        json_object_set_new(
            o, "consumer",
            json_pack("{s:o}", "options",
                      option_table_json(p->consumer.option, loan_of(p, true, &loan))));
    return o;
}

static void dump(json_t *o, FILE *to)
{
    json_object_set_new(o, "format_version", json_integer(1));
    (void)json_dumpf(o, to, JSON_COMPACT);
    (void)fputc('\n', to);
    json_decref(o);
}

void plugin_describe(const struct plugin *p, enum option_format format, FILE *to)
{
    if (format == OPTION_TEXT)
        describe_text(p, to);
    else
        dump(describe_json(p), to);
}

static int is_plugin(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 3 && strcmp(e->d_name + n - 3, ".so") == 0;
}

static void list_text(const char *name, const struct plugin *p,
                      const struct plugin_error *error, FILE *to)
{
    if (p == NULL)
        fprintf(to, "%-20s refused\n  %s\n", name, error->text);
    else
        fprintf(to, "%-20s %-9s %-9s for ABI %u.%u  %s\n", name, kinds(p),
                p->about.version, PARTI_ABI_MAJOR, p->about.abi_minor,
                p->about.summary != NULL ? p->about.summary : "");
}

static json_t *list_json(const char *name, const struct plugin *p,
                         const struct plugin_error *error)
{
    json_t *o;

    if (p != NULL)
        return describe_json(p);
    o = json_object();
    json_object_set_new(o, "name", option_json_text(name));
    json_object_set_new(o, "error", option_json_text(error->text));
    return o;
}

int plugin_list(const char *dir, enum option_format format, FILE *to)
{
    struct dirent **entry = NULL;
    json_t *list = json_array();
    struct plugin_error error;
    int n;

    if (dir == NULL)
        dir = plugin_dir_default();
    n = scandir(dir, &entry, is_plugin, alphasort);
    if (n < 0) {
        json_decref(list);
        return STATUS_IO;
    }
    if (format == OPTION_TEXT)
        fprintf(to, "in %s%s; this host speaks ABI %u.%u\n", dir,
                n == 0 ? ": no plugins" : "", PARTI_ABI_MAJOR, PARTI_ABI_MINOR);
    for (int i = 0; i < n; i++) {
        const struct plugin *p = NULL;
        char *name = entry[i]->d_name;
        name[strlen(name) - 3] = '\0';
        (void)plugin_load(name, dir, PLUGIN_ANY, &p, &error);
        if (format == OPTION_TEXT)
            list_text(name, p, &error, to);
        else
            json_array_append_new(list, list_json(name, p, &error));
        free(entry[i]);
    }
    free(entry);
    if (format == OPTION_JSON)
        dump(json_pack("{s:o, s:O}", "directory", option_json_text(dir), "plugins", list),
             to);
    json_decref(list);
    return 0;
}
