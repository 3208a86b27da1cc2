#include "host/option.h"

#include "base/must.h"
#include "base/nearest.h"
#include "base/status.h"
#include "host/conf_keys.h"
#include "host/conf_pool.h"
#include "host/option_value.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 80 }; /* bytes of a value that a message repeats */

/* One call of option_build(). */
struct build {
    const struct option_section *section;
    const struct parti_option *table;
    const char *plugin;
    struct conf_errors *errors;
    struct conf_pool *pool;
    struct option_conf *out;
    const char **key, **value;
    uint32_t *line;
};

/* The host's own keys; conf.c has taken those of the section's kind out. */
static const char *const host_keys[] = {"plugin", "isolation", "time_limit",
                                        "refresh_interval", NULL};
static const char *const host_key_kinds[] = {NULL, "strategy", "strategy", "source"};

const char *const *option_host_keys(void)
{
    return host_keys;
}

static bool is_pattern(const struct parti_option *row)
{
    size_t n = strlen(row->name);

    return n > 0 && row->name[n - 1] == '*';
}

const struct parti_option *option_row(const struct parti_option *table, const char *key)
{
    const struct parti_option *best = NULL;
    size_t best_n = 0;

    for (const struct parti_option *row = table; row != NULL && row->name; row++) {
        size_t n = strlen(row->name);
        if (!is_pattern(row)) {
            if (strcmp(row->name, key) == 0)
                return row;
        } else if (strncmp(row->name, key, n - 1) == 0 && (best == NULL || n > best_n)) {
            best = row;
            best_n = n;
        }
    }
    return best;
}

/* The value as a message may repeat it. */
static void shown(const struct parti_option *row, const char *value, char to[SHOWN_MAX])
{
    size_t n = strcspn(value, "\n");

    if (row->flags & PARTI_SECRET)
        (void)snprintf(to, SHOWN_MAX, "***");
    else if (n > 60)
        (void)snprintf(to, SHOWN_MAX, "%.57s...", value);
    else
        (void)snprintf(to, SHOWN_MAX, "%.*s", (int)n, value);
}

static void show_limit(const struct parti_option *row, int64_t limit, char to[32])
{
    if (row->type == PARTI_MSEC)
        option_value_show_msec((uint64_t)limit, to, 32);
    else
        (void)snprintf(to, 32, "%" PRId64, limit);
}

static int number_checked(struct build *b, const struct parti_option *row,
                          const char *value, uint32_t line, char **ret)
{
    int64_t n;
    const char *why;
    char text[SHOWN_MAX], min[32], max[32];
    int result = row->type == PARTI_MSEC ? option_value_msec(value, &n, &why)
                                         : option_value_int(value, &n, &why);

    shown(row, value, text);
    if (result < 0) {
        conf_errors_add(b->errors, line, "%s = '%s' %s", row->name, text, why);
        return STATUS_INVALID;
    }
    if ((row->min != 0 || row->max != 0) && (n < row->min || n > row->max)) {
        show_limit(row, row->min, min);
        show_limit(row, row->max, max);
        conf_errors_add(b->errors, line, "%s = '%s' is outside %s .. %s", row->name, text,
                        min, max);
        return STATUS_INVALID;
    }
    *ret = conf_pool_print(b->pool, "%" PRId64, n);
    return 0;
}

static int path_checked(struct build *b, const struct parti_option *row,
                        const char *value, uint32_t line, char **ret)
{
    if (value[0] == '\0') {
        conf_errors_add(b->errors, line, "%s is empty; a path is needed", row->name);
        return STATUS_INVALID;
    }
    *ret = value[0] == '/' ? conf_pool_text(b->pool, value, strlen(value))
                           : conf_pool_print(b->pool, "%s/%s", b->section->dir, value);
    if (*ret != NULL && strlen(*ret) >= PATH_MAX) {
        conf_errors_add(b->errors, line, "%s is a path of more than %d bytes", row->name,
                        PATH_MAX - 1);
        return STATUS_INVALID;
    }
    return 0;
}

static int text_checked(struct build *b, const struct parti_option *row,
                        const char *value, uint32_t line, char **ret)
{
    char text[SHOWN_MAX];

    if (row->choices != NULL && option_value_choice(value, row->choices) < 0) {
        shown(row, value, text);
        conf_errors_add(b->errors, line, "%s = '%s' is none of %s", row->name, text,
                        row->choices);
        return STATUS_INVALID;
    }
    if ((row->flags & PARTI_REQUIRED) && value[0] == '\0') {
        conf_errors_add(b->errors, line, "%s is empty, but needs a value", row->name);
        return STATUS_INVALID;
    }
    *ret = conf_pool_text(b->pool, value, strlen(value));
    return 0;
}

/* The value in the form that the plugin is given: 0 with *ret (NULL: no memory, which
 * the pool remembers), or STATUS_INVALID with the mistake noted. */
static int value_checked(struct build *b, const struct parti_option *row,
                         const char *value, uint32_t line, char **ret)
{
    const char *why;
    char text[SHOWN_MAX];
    int yes;

    switch (row->type) {
    case PARTI_INT:
    case PARTI_MSEC: return number_checked(b, row, value, line, ret);
    case PARTI_PATH: return path_checked(b, row, value, line, ret);
    case PARTI_BOOL:
        if (option_value_bool(value, &yes, &why) < 0) {
            shown(row, value, text);
            conf_errors_add(b->errors, line, "%s = '%s' %s", row->name, text, why);
            return STATUS_INVALID;
        }
        *ret = conf_pool_text(b->pool, yes ? "yes" : "no", yes ? 3 : 2);
        return 0;
    case PARTI_STR:
    default: return text_checked(b, row, value, line, ret);
    }
}

static void put(struct build *b, const struct parti_option *row, const char *key,
                const char *value, uint32_t line)
{
    uint32_t n = b->out->conf.n++;

    b->key[n] = key;
    b->value[n] = value;
    b->line[n] = line;
    b->out->row[n] = row;
}

/* One key of the file that a row stands for. */
static void take_raw(struct build *b, const struct parti_option *row,
                     const struct option_raw *raw)
{
    char *value = NULL, *key;

    if (raw->lines > 1 && !(row->flags & PARTI_LIST)) {
        conf_errors_add(
            b->errors, raw->line + 1,
            "%s takes one value; an indented line continues the key above it, "
            "so start a new key at the left margin",
            raw->key);
        return;
    }
    if (value_checked(b, row, raw->value, raw->line, &value) < 0)
        return;
    key = conf_pool_text(b->pool, raw->key, strlen(raw->key));
    if (key != NULL && value != NULL)
        put(b, row, key, value, raw->line);
}

/* A row that names one key: from the file, else its fallback. */
static void take_row(struct build *b, const struct parti_option *row)
{
    const struct option_section *s = b->section;
    char *value = NULL;

    for (size_t i = 0; i < s->raw_n; i++)
        if (strcmp(s->raw[i].key, row->name) == 0) {
            take_raw(b, row, &s->raw[i]);
            return;
        }
    if (row->flags & PARTI_REQUIRED)
        conf_errors_add(b->errors, s->line,
                        "[%s] lacks '%s', which plugin '%s' needs: %s", s->name,
                        row->name, b->plugin, row->help);
    else if (row->fallback != NULL &&
             value_checked(b, row, row->fallback, 0, &value) == 0 && value != NULL)
        put(b, row, row->name, value, 0);
}

/* May the host's key i stand in this section?  NULL: yes; else where it belongs. */
static const char *belongs_elsewhere(const struct build *b, size_t i)
{
    const char *kind = host_key_kinds[i];

    return kind == NULL || strncmp(b->section->name, kind, strlen(kind)) == 0 ? NULL
                                                                              : kind;
}

static void unknown_key(struct build *b, const struct option_raw *raw)
{
    struct nearest near;
    bool any = b->table != NULL && b->table->name != NULL;
    const char *elsewhere = NULL;

    nearest_init(&near, raw->key);
    for (const struct parti_option *row = b->table; row != NULL && row->name; row++)
        if (!is_pattern(row))
            nearest_offer(&near, row->name);
    for (size_t i = 0; i < conf_keys_n; i++)
        if (strcmp(conf_keys[i].section, b->section->name) == 0)
            nearest_offer(&near, conf_keys[i].name);
    for (size_t i = 0; host_keys[i] != NULL; i++)
        if (belongs_elsewhere(b, i) == NULL)
            nearest_offer(&near, host_keys[i]);
        else if (strcmp(host_keys[i], raw->key) == 0)
            elsewhere = host_key_kinds[i];
    if (elsewhere != NULL)
        conf_errors_add(b->errors, raw->line,
                        "unknown key '%s' in [%s]; it belongs into [%s]", raw->key,
                        b->section->name, elsewhere);
    else if (near.best != NULL)
        conf_errors_add(b->errors, raw->line,
                        "unknown key '%s' in [%s]; did you mean '%s'?", raw->key,
                        b->section->name, near.best);
    else
        conf_errors_add(
            b->errors, raw->line, "unknown key '%s' in [%s]; plugin '%s' takes %s",
            raw->key, b->section->name, b->plugin,
            any ? "others: parti plugins describe lists them" : "no keys of its own");
}

static int build_start(struct build *b)
{
    size_t rows = 0, n;

    for (const struct parti_option *row = b->table; row != NULL && row->name; row++)
        rows++;
    must(rows <= OPTIONS_MAX);
    n = rows + b->section->raw_n + 1;
    b->out = calloc(1, sizeof *b->out);
    b->pool = calloc(1, sizeof *b->pool);
    if (b->out == NULL || b->pool == NULL) {
        free(b->out);
        free(b->pool);
        return STATUS_NOMEM;
    }
    b->out->memory = b->pool;
    b->key = conf_pool_take(b->pool, n * sizeof *b->key);
    b->value = conf_pool_take(b->pool, n * sizeof *b->value);
    b->line = conf_pool_take(b->pool, n * sizeof *b->line);
    b->out->row = conf_pool_take(b->pool, n * sizeof *b->out->row);
    b->out->conf = (struct parti_conf){
        .size = sizeof b->out->conf,
        .key = b->key,
        .value = b->value,
        .line = b->line,
        .file = conf_pool_text(b->pool, b->section->file, strlen(b->section->file)),
        .section = conf_pool_text(b->pool, b->section->name, strlen(b->section->name)),
    };
    if (!b->pool->nomem)
        return 0;
    option_conf_free(b->out);
    return STATUS_NOMEM;
}

int option_build(const struct option_section *section, const struct parti_option *table,
                 const char *plugin, struct conf_errors *errors, struct option_conf **ret)
{
    struct build b = {section, table, plugin, errors, NULL, NULL, NULL, NULL, NULL};
    size_t before = conf_errors_count(errors);
    int result = build_start(&b);

    if (result < 0)
        return result;
    for (const struct parti_option *row = table; row != NULL && row->name; row++)
        if (!is_pattern(row))
            take_row(&b, row);
    for (size_t i = 0; i < section->raw_n; i++) {
        const struct parti_option *row = option_row(table, section->raw[i].key);
        if (row == NULL)
            unknown_key(&b, &section->raw[i]);
        else if (is_pattern(row))
            take_raw(&b, row, &section->raw[i]);
    }
    if (conf_errors_count(errors) > before)
        result = STATUS_INVALID;
    else if (b.pool->nomem)
        result = STATUS_NOMEM;
    if (result < 0)
        option_conf_free(b.out);
    else
        *ret = b.out;
    return result;
}

void option_conf_free(struct option_conf *c)
{
    if (c == NULL)
        return;
    conf_pool_finish(c->memory);
    free(c->memory);
    free(c);
}

const char *option_shown(const struct option_conf *c, const char *key)
{
    for (uint32_t i = 0; i < c->conf.n; i++)
        if (strcmp(c->conf.key[i], key) == 0)
            return c->row[i]->flags & PARTI_SECRET ? "***" : c->conf.value[i];
    return NULL;
}
