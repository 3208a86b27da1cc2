#include "host/conf_raw.h"

#include "base/status.h"
#include "host/conf_read.h"

#include <stdlib.h>
#include <string.h>

/* One file being collected.  Values grow by continuation lines, so the present one is
 * kept apart, with room, until the next key begins. */
struct collect {
    struct conf_raw *raw;
    struct conf_pool *pool;
    struct conf_errors *errors;
    struct conf_raw_section *section; /* present one, or NULL */
    struct option_raw *key;           /* the one that continues, or NULL: drop it */
    char *value;
    size_t n, room;
    bool nomem, outside_told;
};

static void finish_value(struct collect *c)
{
    if (c->key != NULL)
        c->key->value = conf_pool_text(c->pool, c->value, c->n);
    c->key = NULL;
    c->n = 0;
}

static void append(struct collect *c, const char *text, size_t n)
{
    if (n > c->room - c->n) {
        size_t room = 2 * (c->n + n) + 256;
        char *value = realloc(c->value, room);
        if (value == NULL) {
            c->nomem = true;
            return;
        }
        c->value = value;
        c->room = room;
    }
    if (n > 0) /* an empty value may be the first, before there is any room */
        memcpy(c->value + c->n, text, n);
    c->n += n;
}

static void on_section(void *ctx, const char *name, uint32_t line)
{
    struct collect *c = ctx;

    finish_value(c);
    c->section = NULL;
    for (size_t i = 0; i < c->raw->section_n; i++)
        if (strcmp(c->raw->section[i].name, name) == 0) {
            c->section = &c->raw->section[i];
            conf_errors_add(c->errors, line,
                            "section [%s] is given twice; the first is in line %u", name,
                            c->section->line);
            return;
        }
    if (c->raw->section_n == CONF_SECTIONS_MAX) {
        conf_errors_add(c->errors, line, "there are more than %d sections",
                        CONF_SECTIONS_MAX);
        return;
    }
    c->section = &c->raw->section[c->raw->section_n++];
    c->section->name = conf_pool_text(c->pool, name, strlen(name));
    c->section->line = line;
    if (c->section->name == NULL)
        c->section->name = "";
}

/* Room for one more key, doubled as needed; what is left behind goes with the pool. */
static struct option_raw *new_key(struct collect *c)
{
    struct conf_raw_section *s = c->section;
    size_t n = s->key_n;

    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        size_t room = n == 0 ? 8 : 2 * n;
        struct option_raw *key = conf_pool_take(c->pool, room * sizeof *key);
        if (key == NULL)
            return NULL;
        if (n > 0)
            memcpy(key, s->key, n * sizeof *key);
        s->key = key;
    }
    return &s->key[s->key_n++];
}

static void on_key(void *ctx, const char *name, const char *value, uint32_t line)
{
    struct collect *c = ctx;
    const struct option_raw *first;

    finish_value(c);
    if (c->section == NULL) {
        if (!c->outside_told && c->raw->section_n == 0)
            conf_errors_add(c->errors, line, "'%s' stands before the first [section]",
                            name);
        c->outside_told = true;
        return;
    }
    first = conf_raw_key(c->section, name);
    if (first != NULL) {
        conf_errors_add(c->errors, line,
                        "'%s' is given twice in [%s]; the first is in line %u", name,
                        c->section->name, first->line);
        return;
    }
    if (c->section->key_n == CONF_SECTION_KEYS_MAX) {
        conf_errors_add(c->errors, line, "[%s] has more than %d keys", c->section->name,
                        CONF_SECTION_KEYS_MAX);
        return;
    }
    c->key = new_key(c);
    if (c->key == NULL)
        return;
    c->key->key = conf_pool_text(c->pool, name, strlen(name));
    c->key->value = "";
    c->key->line = line;
    c->key->lines = 1;
    if (c->key->key == NULL)
        c->key->key = "";
    append(c, value, strlen(value));
}

static void on_more(void *ctx, const char *value, uint32_t line)
{
    struct collect *c = ctx;

    (void)line;
    if (c->key == NULL)
        return;
    c->key->lines++;
    append(c, "\n", 1);
    append(c, value, strlen(value));
}

int conf_raw_read(struct conf_raw *raw, FILE *in, struct conf_pool *pool,
                  struct conf_errors *errors)
{
    struct collect c = {.raw = raw, .pool = pool, .errors = errors};
    const struct conf_sink sink = {&c, on_section, on_key, on_more};
    int result;

    raw->section_n = 0;
    raw->section = conf_pool_take(pool, CONF_SECTIONS_MAX * sizeof *raw->section);
    if (raw->section == NULL)
        return STATUS_NOMEM;
    result = conf_read(in, errors, &sink);
    finish_value(&c);
    free(c.value);
    return c.nomem || pool->nomem ? STATUS_NOMEM : result;
}

const struct conf_raw_section *conf_raw_find(const struct conf_raw *raw,
                                             const char *section)
{
    for (size_t i = 0; i < raw->section_n; i++)
        if (strcmp(raw->section[i].name, section) == 0)
            return &raw->section[i];
    return NULL;
}

const struct option_raw *conf_raw_key(const struct conf_raw_section *section,
                                      const char *key)
{
    for (size_t i = 0; section != NULL && i < section->key_n; i++)
        if (strcmp(section->key[i].key, key) == 0)
            return &section->key[i];
    return NULL;
}
