/* The key table and the values in force, for people and for programs. */
#include "host/conf_private.h"

#include "host/option_value.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

static void describe_row(const struct conf_key *key, FILE *to)
{
    const char *usual = key->fallback[CONF_PROFILE_DEFAULT];
    char limits[80];

    conf_key_limits(key, limits, sizeof limits);
    fprintf(to, "  %s (%s%s%s", key->name, conf_key_type(key), limits[0] ? " " : "",
            limits);
    if (key->flags & CONF_SECRET)
        fprintf(to, "; secret");
    if (key->flags & CONF_REQUIRED)
        fprintf(to, "; required");
    else if (usual == NULL)
        fprintf(to, "; no default");
    else if (strcmp(key->fallback[CONF_PROFILE_FAST], usual) == 0 &&
             strcmp(key->fallback[CONF_PROFILE_CALM], usual) == 0)
        fprintf(to, "; default %s", usual);
    else
        fprintf(to, "; default %s, fast %s, calm %s", usual,
                key->fallback[CONF_PROFILE_FAST], key->fallback[CONF_PROFILE_CALM]);
    fprintf(to, ")\n      %s\n", key->help);
}

static void describe_text(FILE *to)
{
    const char *section = "";

    for (size_t i = 0; i < conf_keys_n; i++) {
        if (strcmp(section, conf_keys[i].section) != 0) {
            section = conf_keys[i].section;
            fprintf(to, "%s[%s]%s\n", i > 0 ? "\n" : "", section,
                    strcmp(section, "source") == 0 ? " and any number of [source:NAME]"
                                                   : "");
        }
        describe_row(&conf_keys[i], to);
    }
}

static json_t *row_json(const struct conf_key *key)
{
    char limits[80];
    json_t *o = json_object();

    conf_key_limits(key, limits, sizeof limits);
    json_object_set_new(o, "section", json_string(key->section));
    json_object_set_new(o, "name", json_string(key->name));
    json_object_set_new(o, "type", json_string(conf_key_type(key)));
    json_object_set_new(o, "limits", json_string(limits));
    json_object_set_new(o, "required", json_boolean(key->flags & CONF_REQUIRED));
    json_object_set_new(o, "secret", json_boolean(key->flags & CONF_SECRET));
    if (key->fallback[CONF_PROFILE_DEFAULT] != NULL) {
        json_object_set_new(o, "default",
                            json_string(key->fallback[CONF_PROFILE_DEFAULT]));
        json_object_set_new(o, "default_fast",
                            json_string(key->fallback[CONF_PROFILE_FAST]));
        json_object_set_new(o, "default_calm",
                            json_string(key->fallback[CONF_PROFILE_CALM]));
    }
    json_object_set_new(o, "help", json_string(key->help));
    return o;
}

void conf_describe(FILE *to, enum option_format format)
{
    json_t *o, *list;

    if (format == OPTION_TEXT) {
        describe_text(to);
        return;
    }
    o = json_object();
    list = json_array();
    for (size_t i = 0; i < conf_keys_n; i++)
        json_array_append_new(list, row_json(&conf_keys[i]));
    json_object_set_new(o, "format_version", json_integer(1));
    json_object_set_new(o, "keys", list);
    (void)json_dumpf(o, to, JSON_COMPACT);
    (void)fputc('\n', to);
    json_decref(o);
}

static void show_choice(const struct conf_key *key, uint64_t index, FILE *to)
{
    const char *at = key->choices;

    for (; index > 0; index--)
        at += strcspn(at, "|") + 1;
    fprintf(to, "%.*s", (int)strcspn(at, "|"), at);
}

static void show_ratio(uint64_t ppm, FILE *to)
{
    char places[8];
    size_t n;

    (void)snprintf(places, sizeof places, "%06" PRIu64, ppm % 1000000);
    for (n = strlen(places); n > 1 && places[n - 1] == '0';)
        n--;
    fprintf(to, "%" PRIu64 ".%.*s", ppm / 1000000, (int)n, places);
}

static void show_text(const struct conf_key *key, const char *text, FILE *to)
{
    char shown[CONF_LINE_MAX];

    if (key->flags & CONF_SECRET) {
        fprintf(to, "***");
    } else if (strcmp(key->name, "url") == 0) {
        conf_url_shown(text, shown, sizeof shown);
        fprintf(to, "%s", shown);
    } else {
        fprintf(to, "%s", text);
    }
}

static void show_row(const struct conf_key *key, const char *base, FILE *to)
{
    const char *text = NULL;
    uint64_t number = 0;
    char time[32];
    bool is_text = key->type == CONF_TEXT || key->type == CONF_NAME ||
                   key->type == CONF_PATH || key->type == CONF_PLUGIN;

    if (is_text)
        memcpy(&text, base + key->at, sizeof text);
    else
        memcpy(&number, base + key->at, sizeof number);
    if (is_text && text == NULL)
        return;
    fprintf(to, "%s = ", key->name);
    if (is_text) {
        show_text(key, text, to);
    } else if (key->type == CONF_MSEC) {
        option_value_show_msec(number, time, sizeof time);
        fprintf(to, "%s", time);
    } else if (key->type == CONF_CHOICE) {
        show_choice(key, number, to);
    } else if (key->type == CONF_RATIO) {
        show_ratio(number, to);
    } else {
        fprintf(to, "%" PRIu64, number);
    }
    (void)fputc('\n', to);
}

static void show_section(const char *section, const char *header, const void *base,
                         FILE *to)
{
    fprintf(to, "[%s]\n", header);
    for (size_t i = 0; i < conf_keys_n; i++)
        if (strcmp(conf_keys[i].section, section) == 0)
            show_row(&conf_keys[i], base, to);
}

/* The plugin alone knows which of its keys are secret, so none of their values is shown
 * here. */
static void show_given(const struct conf_plugin *p, FILE *to)
{
    for (size_t i = 0; i < p->section.raw_n; i++)
        fprintf(to, "; %s is given to the plugin\n", p->section.raw[i].key);
}

static void show_plugin(const char *section, const struct conf_plugin *p, FILE *to)
{
    show_section(section, p->section.name, p, to);
    show_given(p, to);
}

void conf_show(const struct conf *c, FILE *to)
{
    show_section("parti", "parti", c, to);
    show_section("nats", "nats", c, to);
    show_section("worker", "worker", c, to);
    show_plugin("strategy", &c->strategy, to);
    for (size_t i = 0; i < c->source_n; i++)
        show_plugin("source", &c->source[i], to);
    if (c->consume.base.plugin != NULL) {
        show_section("consume", "consume", c, to);
        show_given(&c->consume.base, to);
    }
    show_section("timing", "timing", c, to);
}
