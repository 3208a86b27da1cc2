#include "host/conf_private.h"

#include "base/must.h"
#include "base/nearest.h"
#include "base/status.h"
#include "host/option_value.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const sections[] = {"parti",  "nats",    "worker", "strategy",
                                       "source", "consume", "timing"};
enum { SECTIONS = sizeof sections / sizeof *sections };
static const char source_prefix[] = "source:";
static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

bool conf_name_good(const char *text)
{
    return text[0] != '\0' && strspn(text, name_chars) == strlen(text);
}

/* The row's field: in struct conf, or in the plugin section's struct. */
static void *field(struct conf *c, struct conf_plugin *p, const struct conf_key *key)
{
    char *base = conf_key_of_plugin(key) ? (char *)p : (char *)c;

    return base + key->at;
}

static void store_text(struct conf *c, void *to, const char *text)
{
    const char *copy = conf_pool_text(&c->own->pool, text, strlen(text));

    memcpy(to, &copy, sizeof copy);
}

static void store_number(void *to, int64_t number)
{
    uint64_t n = (uint64_t)number;

    memcpy(to, &n, sizeof n);
}

/* A value as messages show it. */
#define SHOWN(key, text) ((key)->flags & CONF_SECRET ? "***" : (text))

static void set_number(struct conf *c, void *to, const struct conf_key *key,
                       const char *text, uint32_t line)
{
    int64_t n = 0;
    const char *why = "";
    char limits[80];
    int result = key->type == CONF_MSEC  ? option_value_msec(text, &n, &why)
                 : key->type == CONF_INT ? option_value_int(text, &n, &why)
                                         : option_value_ratio(text, &n, &why);

    if (result < 0) {
        conf_errors_add(&c->errors, line, "%s = '%.60s' %s", key->name, SHOWN(key, text),
                        why);
        return;
    }
    if (n < (int64_t)key->min || n > (int64_t)key->max) {
        conf_key_limits(key, limits, sizeof limits);
        conf_errors_add(&c->errors, line, "%s = '%.60s' is outside %s", key->name,
                        SHOWN(key, text), limits);
        return;
    }
    store_number(to, n);
}

static void set_choice(struct conf *c, void *to, const struct conf_key *key,
                       const char *text, uint32_t line)
{
    int index = option_value_choice(text, key->choices);

    if (index < 0)
        conf_errors_add(&c->errors, line, "%s = '%.60s' is none of %s", key->name, text,
                        key->choices);
    else
        store_number(to, index);
}

static void set_text(struct conf *c, void *to, const struct conf_key *key,
                     const char *text, uint32_t line)
{
    size_t n = strlen(text);
    char *path;

    if (n == 0) {
        conf_errors_add(&c->errors, line,
                        "%s has no value; leave the line out for the default", key->name);
    } else if (key->max > 0 && n > key->max) {
        conf_errors_add(&c->errors, line, "%s has %zu bytes; %u is the most", key->name,
                        n, (unsigned)key->max);
    } else if (key->type == CONF_NAME && !conf_name_good(text)) {
        conf_errors_add(&c->errors, line,
                        "%s = '%.60s' may hold only letters, digits, '_' and '-'",
                        key->name, text);
    } else if (key->type == CONF_PATH && text[0] != '/') {
        path = conf_pool_print(&c->own->pool, "%s/%s", c->dir, text);
        memcpy(to, &path, sizeof path);
    } else if (key->type == CONF_PLUGIN && text[0] != '/' && strchr(text, '/') != NULL) {
        conf_errors_add(&c->errors, line,
                        "%s = '%.60s' is a relative path; give a bare name or an "
                        "absolute path",
                        key->name, text);
    } else {
        store_text(c, to, text);
    }
}

static void set_value(struct conf *c, struct conf_plugin *p, const struct conf_key *key,
                      const char *text, uint32_t line)
{
    void *to = field(c, p, key);

    switch (key->type) {
    case CONF_TEXT:
    case CONF_NAME:
    case CONF_PATH:
    case CONF_PLUGIN: set_text(c, to, key, text, line); break;
    case CONF_INT:
    case CONF_MSEC:
    case CONF_RATIO: set_number(c, to, key, text, line); break;
    case CONF_CHOICE: set_choice(c, to, key, text, line); break;
    }
}

/* Every default of one section's rows; they parse, or the table is wrong. */
static void set_defaults(struct conf *c, struct conf_plugin *p, const char *section,
                         enum conf_profile profile)
{
    size_t before = conf_errors_count(&c->errors);

    for (size_t i = 0; i < conf_keys_n; i++)
        if (strcmp(conf_keys[i].section, section) == 0 &&
            conf_keys[i].fallback[profile] != NULL)
            set_value(c, p, &conf_keys[i], conf_keys[i].fallback[profile], 0);
    must(conf_errors_count(&c->errors) == before);
}

static void unknown_key(struct conf *c, const char *section, const struct option_raw *raw)
{
    struct nearest near;

    nearest_init(&near, raw->key);
    for (size_t i = 0; i < conf_keys_n; i++)
        if (strcmp(conf_keys[i].section, section) == 0)
            nearest_offer(&near, conf_keys[i].name);
    if (near.best != NULL) {
        conf_errors_add(&c->errors, raw->line,
                        "unknown key '%s' in [%s]; did you mean '%s'?", raw->key, section,
                        near.best);
        return;
    }
    for (size_t i = 0; i < conf_keys_n; i++)
        if (strcmp(conf_keys[i].name, raw->key) == 0) {
            conf_errors_add(&c->errors, raw->line,
                            "unknown key '%s' in [%s]; it belongs into [%s]", raw->key,
                            section, conf_keys[i].section);
            return;
        }
    conf_errors_add(&c->errors, raw->line, "unknown key '%s' in [%s]", raw->key, section);
}

/* A key of the host's own: one line, and a value that fits. */
static void take_key(struct conf *c, struct conf_plugin *p, const struct conf_key *key,
                     const struct option_raw *raw)
{
    if (raw->lines > 1)
        conf_errors_add(&c->errors, raw->line + 1,
                        "%s takes one value; an indented line continues the key above "
                        "it, so start a new key at the left margin",
                        key->name);
    else
        set_value(c, p, key, raw->value, raw->line);
}

static void take_section(struct conf *c, const char *section)
{
    const struct conf_raw_section *s = conf_raw_find(&c->own->raw, section);

    for (size_t i = 0; s != NULL && i < s->key_n; i++) {
        const struct conf_key *key = conf_key_find(section, s->key[i].key);
        if (key == NULL)
            unknown_key(c, section, &s->key[i]);
        else
            take_key(c, NULL, key, &s->key[i]);
    }
}

/* [strategy], [consume] or one of the sources: the host's keys are taken, the rest is the
 * plugin's. */
static void take_plugin(struct conf *c, struct conf_plugin *p, const char *kind,
                        const char *name, const struct conf_raw_section *s)
{
    struct option_section *o = &p->section;

    p->name = name;
    *o = (struct option_section){.name = s != NULL ? s->name : kind,
                                 .file = c->file,
                                 .dir = c->dir,
                                 .line = s != NULL ? s->line : 0};
    set_defaults(c, p, kind, CONF_PROFILE_DEFAULT);
    if (s == NULL || s->key_n == 0)
        goto check;
    o->raw = conf_pool_take(&c->own->pool, s->key_n * sizeof *o->raw);
    if (o->raw == NULL)
        return;
    for (size_t i = 0; i < s->key_n; i++) {
        const struct conf_key *key = conf_key_find(kind, s->key[i].key);
        if (key == NULL)
            o->raw[o->raw_n++] = s->key[i];
        else
            take_key(c, p, key, &s->key[i]);
        if (strcmp(s->key[i].key, "plugin") == 0)
            p->plugin_line = s->key[i].line;
    }
check:
    if (p->plugin == NULL && p->plugin_line == 0)
        conf_errors_add(&c->errors, o->line, "[%s] lacks 'plugin', the name of the %s",
                        o->name, strcmp(kind, "consume") == 0 ? "consumer" : kind);
}

static void take_sources(struct conf *c)
{
    const struct conf_raw *raw = &c->own->raw;
    const size_t prefix_n = sizeof source_prefix - 1;

    c->source = conf_pool_take(&c->own->pool, CONF_SOURCES_MAX * sizeof *c->source);
    for (size_t i = 0; c->source != NULL && i < raw->section_n; i++) {
        const struct conf_raw_section *s = &raw->section[i];
        bool named = strncmp(s->name, source_prefix, prefix_n) == 0;
        const char *name = named ? s->name + prefix_n : "";

        if (!named && strcmp(s->name, "source") != 0)
            continue;
        if (named && (!conf_name_good(name) || strlen(name) > CONF_NAME_MAX))
            conf_errors_add(&c->errors, s->line,
                            "[%s]: a source's name has 1 to %d letters, digits, '_' and "
                            "'-'",
                            s->name, CONF_NAME_MAX);
        else if (c->source_n == CONF_SOURCES_MAX)
            conf_errors_add(&c->errors, s->line, "there are more than %d sources",
                            CONF_SOURCES_MAX);
        else
            take_plugin(c, &c->source[c->source_n++], "source", name, s);
    }
    if (c->source_n == 0)
        conf_errors_add(&c->errors, 0,
                        "there is no [source] section, so there is nothing to divide");
}

/* A group need not consume. */
static void take_consume(struct conf *c)
{
    const struct conf_raw_section *s = conf_raw_find(&c->own->raw, "consume");

    if (s != NULL)
        take_plugin(c, &c->consume.base, "consume", "", s);
    else
        set_defaults(c, &c->consume.base, "consume", CONF_PROFILE_DEFAULT);
}

static void check_sections(struct conf *c)
{
    const struct conf_raw *raw = &c->own->raw;

    for (size_t i = 0; i < raw->section_n; i++) {
        const struct conf_raw_section *s = &raw->section[i];
        struct nearest near;
        bool known = strncmp(s->name, source_prefix, sizeof source_prefix - 1) == 0;

        nearest_init(&near, s->name);
        for (size_t j = 0; j < SECTIONS; j++) {
            known = known || strcmp(s->name, sections[j]) == 0;
            nearest_offer(&near, sections[j]);
        }
        if (known)
            continue;
        if (near.best != NULL)
            conf_errors_add(&c->errors, s->line,
                            "unknown section [%s]; did you mean [%s]?", s->name,
                            near.best);
        else
            conf_errors_add(&c->errors, s->line,
                            "unknown section [%s]; there are [parti], [nats], [worker], "
                            "[strategy], [source], [source:NAME], [consume] and "
                            "[timing]",
                            s->name);
    }
}

static void check_required(struct conf *c)
{
    for (size_t i = 0; i < conf_keys_n; i++) {
        const struct conf_key *key = &conf_keys[i];
        const struct conf_raw_section *s = conf_raw_find(&c->own->raw, key->section);

        if ((key->flags & CONF_REQUIRED) && !conf_key_of_plugin(key) &&
            strcmp(key->section, "consume") != 0 && conf_raw_key(s, key->name) == NULL)
            conf_errors_add(&c->errors, s != NULL ? s->line : 0, "[%s] lacks '%s'",
                            key->section, key->name);
    }
}

/* Zeroes *c and gives it its file, memory and list of mistakes. */
static int start(struct conf *c, const char *name, const char *dir)
{
    *c = (struct conf){0};
    if (conf_errors_init(&c->errors, name) < 0)
        return STATUS_NOMEM;
    c->own = calloc(1, sizeof *c->own);
    if (c->own == NULL)
        return STATUS_NOMEM;
    c->file = conf_pool_text(&c->own->pool, name, strlen(name));
    c->dir = conf_pool_text(&c->own->pool, dir, strlen(dir));
    return c->own->pool.nomem ? STATUS_NOMEM : 0;
}

static int interpret(struct conf *c)
{
    static const char *const plain[] = {"parti", "nats", "worker", "timing"};
    const struct conf_raw_section *timing;
    const struct option_raw *profile;
    int chosen = CONF_PROFILE_DEFAULT;

    timing = conf_raw_find(&c->own->raw, "timing");
    profile = conf_raw_key(timing, "profile");
    if (profile != NULL)
        chosen = option_value_choice(profile->value,
                                     conf_key_find("timing", "profile")->choices);
    if (chosen < 0)
        chosen = CONF_PROFILE_DEFAULT; /* take_section() reports it */
    check_sections(c);
    check_required(c);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        set_defaults(c, NULL, plain[i], (enum conf_profile)chosen);
        take_section(c, plain[i]);
    }
    take_plugin(c, &c->strategy, "strategy", "", conf_raw_find(&c->own->raw, "strategy"));
    take_sources(c);
    take_consume(c);
    if (c->own->pool.nomem)
        return STATUS_NOMEM;
    c->nats.embedded = strcmp(c->nats.url, "embedded") == 0;
    conf_lend(c);
    conf_check(c);
    if (c->errors.nomem || c->own->pool.nomem)
        return STATUS_NOMEM;
    return conf_errors_count(&c->errors) > 0 ? STATUS_INVALID : 0;
}

int conf_load_stream(struct conf *c, FILE *in, const char *name, const char *dir)
{
    int result = start(c, name, dir);

    must(dir[0] == '/');
    if (result == 0)
        result = conf_raw_read(&c->own->raw, in, &c->own->pool, &c->errors);
    if (result == STATUS_IO)
        c->errors.unreadable = errno;
    return result < 0 ? result : interpret(c);
}

/* The folder of the file as the user named it: a symbolic link to a file stands for the
 * place of the link, so that a mounted configuration can be swapped as a whole. */
static bool folder_of(const char *path, char dir[PATH_MAX])
{
    char copy[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path) + 1;

    if (n >= sizeof copy) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)snprintf(copy, sizeof copy, "%.*s", (int)n, path);
    return realpath(n > 0 ? copy : ".", dir) != NULL;
}

int conf_load(struct conf *c, const char *path)
{
    char dir[PATH_MAX];
    FILE *in = NULL;
    int result;

    if (!folder_of(path, dir) || (in = fopen(path, "re")) == NULL) {
        int error = errno;
        result = start(c, path, "/");
        c->errors.unreadable = error;
        return result < 0 ? result : STATUS_IO;
    }
    result = conf_load_stream(c, in, path, dir);
    (void)fclose(in);
    return result;
}

void conf_finish(struct conf *c)
{
    if (c->own != NULL)
        conf_pool_finish(&c->own->pool);
    free(c->own);
    conf_errors_finish(&c->errors);
    *c = (struct conf){0};
}

void conf_timing_of(enum conf_profile profile, struct conf_timing *ret)
{
    struct conf c = {0};

    set_defaults(&c, NULL, "timing", profile);
    *ret = c.timing;
    ret->profile = profile;
}

int conf_url_set(struct conf *c, const char *url, char *why, size_t room)
{
    const char *copy;

    if (conf_url_check(url, why, room) < 0)
        return STATUS_INVALID;
    copy = conf_pool_text(&c->own->pool, url, strlen(url));
    if (copy == NULL)
        return STATUS_NOMEM;
    c->nats.url = copy;
    c->nats.embedded = strcmp(url, "embedded") == 0;
    conf_lend(c);
    return c->own->pool.nomem ? STATUS_NOMEM : 0;
}

uint32_t conf_line(const struct conf *c, const char *section, const char *key)
{
    const struct option_raw *raw =
        conf_raw_key(conf_raw_find(&c->own->raw, section), key);

    return raw != NULL ? raw->line : 0;
}
