/* What a plugin says of itself, checked field by field and copied. */
#include "host/plugin_private.h"

#include "base/errors.h"
#include "base/status.h"
#include "config.h"
#include "host/conf_keys.h"

#include <string.h>

/* The structs of ABI 1.0: no later one is smaller. */
enum {
    PLUGIN_SIZE_1_0 = 96,
    STRATEGY_SIZE_1_0 = 32,
    SOURCE_SIZE_1_0 = 40,
    CONSUMER_SIZE_1 = 72, /* of the extension's first revision */
    CONNECTION_SIZE_1 = 16,
    FITS_SIZE_1 = 16,
    CONNECTION_NAMES_MAX = 64,
    SIZE_MAX_SANE = 4096
};

struct take {
    const char *name, *path;
    struct plugin_error *error;
};

static int broken(const struct take *t, const char *what)
{
    return plugin_refuse(t->error, STATUS_INVALID, ERR_PLUGIN_BROKEN, t->name,
                         "%s %s.\n  This is the plugin's mistake: tell its vendor.",
                         t->path, what);
}

/* The size of a table as its writer gave it. */
static int check_size(const struct take *t, const char *table, uint32_t size,
                      uint32_t least)
{
    char what[160];

    if (size >= least && size <= SIZE_MAX_SANE && size % 8 == 0)
        return 0;
    (void)snprintf(what, sizeof what,
                   "says that its struct %s has %u bytes; ABI 1.0 has %u, and later ones "
                   "more, in steps of 8",
                   table, size, least);
    return broken(t, what);
}

/* As much as both sides know; the rest stays zero, and 'size' says how much it is. */
static void copy_table(void *to, size_t room, const void *from, uint32_t size)
{
    uint32_t n = size < room ? size : (uint32_t)room;

    memset(to, 0, room);
    memcpy(to, from, n);
    memcpy(to, &n, sizeof n);
}

struct slot {
    const char *name;
    bool filled;
};

static int check_slots(const struct take *t, const struct slot *slot, size_t n)
{
    char what[160];

    for (size_t i = 0; i < n; i++) {
        if (slot[i].filled)
            continue;
        (void)snprintf(what, sizeof what, "leaves %s empty, which every plugin must fill",
                       slot[i].name);
        return broken(t, what);
    }
    return 0;
}

static int check_options(const struct take *t, const char *kind,
                         const struct parti_option *table)
{
    char why[200], what[280];

    if (option_table_check(table, why, sizeof why) == 0)
        return 0;
    (void)snprintf(what, sizeof what, "declares its %s options wrongly: %s", kind, why);
    return broken(t, what);
}

static int take_strategy(const struct take *t, const struct parti_strategy *given,
                         struct plugin *p)
{
    int result;

    if (given == NULL)
        return 0;
    result = check_size(t, "parti_strategy", given->size, STRATEGY_SIZE_1_0);
    if (result < 0)
        return result;
    copy_table(&p->strategy, sizeof p->strategy, given, given->size);
    const struct slot slots[] = {{"strategy.create", p->strategy.create != NULL},
                                 {"strategy.assign", p->strategy.assign != NULL},
                                 {"strategy.destroy", p->strategy.destroy != NULL}};
    result = check_slots(t, slots, sizeof slots / sizeof *slots);
    return result < 0 ? result : check_options(t, "strategy", p->about.strategy_option);
}

static int take_source(const struct take *t, const struct parti_source *given,
                       struct plugin *p)
{
    int result;

    if (given == NULL)
        return 0;
    result = check_size(t, "parti_source", given->size, SOURCE_SIZE_1_0);
    if (result < 0)
        return result;
    copy_table(&p->source, sizeof p->source, given, given->size);
    const struct slot slots[] = {{"source.create", p->source.create != NULL},
                                 {"source.list", p->source.list != NULL},
                                 {"source.cancel", p->source.cancel != NULL},
                                 {"source.destroy", p->source.destroy != NULL}};
    result = check_slots(t, slots, sizeof slots / sizeof *slots);
    return result < 0 ? result : check_options(t, "source", p->about.source_option);
}

/* The host's own keys of [consume] may not be declared. */
static int check_consumer_options(const struct take *t, const struct parti_option *row)
{
    char what[160];

    for (; row != NULL && row->name != NULL; row++) {
        if (conf_key_find("consume", row->name) == NULL)
            continue;
        (void)snprintf(what, sizeof what,
                       "declares its consume options wrongly: '%.60s' is a key that the "
                       "host keeps for itself",
                       row->name);
        return broken(t, what);
    }
    return 0;
}

/* The table of an extension, which begins with its size.  1: it is in 'to'; 0: the plugin
 * has none. */
static int take_table(const struct take *t, const struct plugin *p, const char *id,
                      const char *name, size_t least, void *to, size_t room)
{
    const uint32_t *given = p->about.extension != NULL ? p->about.extension(id) : NULL;
    int result;

    if (given == NULL)
        return 0;
    result = check_size(t, name, *given, least);
    if (result < 0)
        return result;
    copy_table(to, room, given, *given);
    return 1;
}

static int take_consumer(const struct take *t, struct plugin *p)
{
    int result = take_table(t, p, PARTI_CONSUMER_ID, "parti_consumer", CONSUMER_SIZE_1,
                            &p->consumer, sizeof p->consumer);

    if (result <= 0)
        return result;
    const struct slot slots[] = {{"consumer.create", p->consumer.create != NULL},
                                 {"consumer.start", p->consumer.start != NULL},
                                 {"consumer.credit", p->consumer.credit != NULL},
                                 {"consumer.done", p->consumer.done != NULL},
                                 {"consumer.bury", p->consumer.bury != NULL},
                                 {"consumer.stop", p->consumer.stop != NULL},
                                 {"consumer.destroy", p->consumer.destroy != NULL}};
    result = check_slots(t, slots, sizeof slots / sizeof *slots);
    if (result == 0)
        result = check_options(t, "consume", p->consumer.option);
    return result < 0 ? result : check_consumer_options(t, p->consumer.option);
}

static bool has_option(const struct parti_option *row, const char *name)
{
    while (row != NULL && row->name != NULL && strcmp(row->name, name) != 0)
        row++;
    return row != NULL && row->name != NULL;
}

/* After the roles: their tables have the names. */
static int take_connection(const struct take *t, struct plugin *p)
{
    struct parti_connection *c = &p->connection;
    int result = take_table(t, p, PARTI_CONNECTION_ID, "parti_connection",
                            CONNECTION_SIZE_1, c, sizeof *c);
    char what[160];

    if (result <= 0)
        return result;
    if (c->n == 0 || c->n > CONNECTION_NAMES_MAX || c->name == NULL)
        return broken(t, "names no option of its connection, or more than 64");
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->name[i] == NULL)
            return broken(t, "leaves out the name of an option of its connection");
        if (has_option(p->about.source_option, c->name[i]) ||
            has_option(p->consumer.option, c->name[i]) ||
            has_option(p->about.strategy_option, c->name[i]))
            continue;
        (void)snprintf(what, sizeof what,
                       "names '%.60s' as an option of its connection, but has no such",
                       c->name[i]);
        return broken(t, what);
    }
    return 0;
}

static int take_fits(const struct take *t, struct plugin *p)
{
    int result = take_table(t, p, PARTI_FITS_ID, "parti_fits", FITS_SIZE_1, &p->fits,
                            sizeof p->fits);

    if (result <= 0)
        return result;
    const struct slot slots[] = {{"fits", p->fits.fits != NULL}};
    return check_slots(t, slots, 1);
}

/* The first 16 bytes are there in every major and minor that has this entry. */
static int check_version(const struct take *t, const struct parti_plugin *given)
{
    if (given->needs_minor > PARTI_ABI_MINOR)
        return plugin_refuse(
            t->error, STATUS_UNSUPPORTED, ERR_PLUGIN_NEWER, t->name,
            "%s needs plugin ABI %u.%u, this host (Parti " PACKAGE_VERSION
            ") offers %u.%u.\n  Upgrade Parti to a version that offers it, or ask the "
            "vendor for a build with needs_minor <= %u.",
            t->path, PARTI_ABI_MAJOR, given->needs_minor, PARTI_ABI_MAJOR,
            PARTI_ABI_MINOR, PARTI_ABI_MINOR);
    return 0;
}

int plugin_take(const char *name, const char *path, const struct parti_plugin *given,
                struct plugin *p, struct plugin_error *error)
{
    const struct take t = {name, path, error};
    int result;

    if (given == NULL)
        return broken(&t, "gave no descriptor: its entry returned NULL");
    result = check_size(&t, "parti_plugin", given->size, 16);
    if (result == 0)
        result = check_version(&t, given);
    if (result == 0)
        result = check_size(&t, "parti_plugin", given->size, PLUGIN_SIZE_1_0);
    if (result < 0)
        return result;
    copy_table(&p->about, sizeof p->about, given, given->size);
    const struct slot slots[] = {
        {"id", p->about.id != NULL && p->about.id[0] != '\0'},
        {"version", p->about.version != NULL && p->about.version[0] != '\0'}};
    result = check_slots(&t, slots, sizeof slots / sizeof *slots);
    if (result == 0)
        result = take_consumer(&t, p);
    const struct slot roles[] = {{"both strategy and source",
                                  p->about.strategy != NULL || p->about.source != NULL ||
                                      p->consumer.start != NULL}};
    if (result == 0)
        result = check_slots(&t, roles, 1);
    if (result == 0)
        result = take_strategy(&t, p->about.strategy, p);
    if (result == 0)
        result = take_source(&t, p->about.source, p);
    if (result == 0)
        result = take_connection(&t, p);
    if (result == 0)
        result = take_fits(&t, p);
    return result;
}
