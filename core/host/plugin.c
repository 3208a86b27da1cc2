#include "host/plugin_private.h"

#include "base/errors.h"
#include "base/status.h"
#include "config.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Modules stay for ever, so they hang here and not on their users. */
struct module {
    struct module *next;
    dev_t dev;
    ino_t ino;
    struct plugin plugin;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct module *modules;

static struct module *find_module(const struct stat *st)
{
    for (struct module *m = modules; m != NULL; m = m->next)
        if (m->dev == st->st_dev && m->ino == st->st_ino)
            return m;
    return NULL;
}

/* Which entries of other majors the file has: " It has parti_plugin_v2." or "". */
static void other_entries(void *handle, char *to, size_t room)
{
    char symbol[32];
    size_t used = 0;

    to[0] = '\0';
    for (int major = 0; major < 100 && used < room; major++) {
        (void)snprintf(symbol, sizeof symbol, "parti_plugin_v%d", major);
        if (dlsym(handle, symbol) == NULL)
            continue;
        int n = snprintf(to + used, room - used, "%s%s", used > 0 ? ", " : "", symbol);
        used += n > 0 ? (size_t)n : 0;
    }
}

static int no_entry(const char *name, const char *path, void *handle,
                    struct plugin_error *error)
{
    char others[256];

    other_entries(handle, others, sizeof others);
    if (others[0] != '\0')
        return plugin_refuse(error, STATUS_UNSUPPORTED, ERR_PLUGIN_SYMBOL, name,
                             "%s has %s, but not parti_plugin_v%u, the only entry that "
                             "Parti " PACKAGE_VERSION " knows.\n  Use a Parti of that "
                             "major, or ask the vendor for a build for ABI %u.",
                             path, others, PARTI_ABI_MAJOR, PARTI_ABI_MAJOR);
    return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_SYMBOL, name,
                         "%s has no entry parti_plugin_v%u, so it is no plugin of "
                         "Parti.\n  End its source with PARTI_PLUGIN_ENTRY(descriptor), "
                         "and do not hide that symbol.",
                         path, PARTI_ABI_MAJOR);
}

/* The host as the entry function may see it: no instance, so no function. */
static const struct parti_host probe = {
    .size = sizeof probe, .abi_minor = PARTI_ABI_MINOR, .version = PACKAGE_VERSION};

static int load(const char *name, const char *path, struct plugin *p,
                struct plugin_error *error)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    parti_plugin_entry entry;
    void *symbol;

    if (handle == NULL)
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_LINK, name,
                             "the dynamic linker refuses it: %.500s.\n  'ldd -r %.200s' "
                             "shows what is missing; a plugin finds nothing in the host.",
                             dlerror(), path);
    symbol = dlsym(handle, "parti_plugin_v1");
    if (symbol == NULL)
        return no_entry(name, path, handle, error);
    memcpy(&entry, &symbol, sizeof entry); /* as POSIX dlsym() says */
    return plugin_take(name, path, entry(&probe), p, error);
}

/* "acme" for /usr/lib/parti/plugins/acme.so. */
static char *stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    size_t n = strlen(base);

    if (n > 3 && strcmp(base + n - 3, ".so") == 0)
        n -= 3;
    return strndup(base, n);
}

static int add_module(const char *name, const char *path, const struct stat *st,
                      struct module **ret, struct plugin_error *error)
{
    struct module *m = calloc(1, sizeof *m);
    int result = STATUS_NOMEM;

    if (m == NULL)
        goto nomem;
    m->dev = st->st_dev;
    m->ino = st->st_ino;
    m->plugin.name = stem(name[0] == '/' ? name : path);
    m->plugin.path = strdup(path);
    if (m->plugin.name == NULL || m->plugin.path == NULL)
        goto nomem;
    result = load(name, path, &m->plugin, error);
    if (result < 0)
        goto failed;
    m->next = modules;
    modules = m;
    *ret = m;
    return 0;
nomem:
    (void)plugin_refuse(error, result, ERR_PLUGIN_LINK, name, "out of memory.");
failed:
    if (m != NULL) {
        free(m->plugin.name);
        free(m->plugin.path);
    }
    free(m);
    return result;
}

static const struct {
    const char *section, *name;
} roles[] = {[PLUGIN_STRATEGY] = {"strategy", "a strategy"},
             [PLUGIN_SOURCE] = {"source", "a source"},
             [PLUGIN_CONSUMER] = {"consume", "a consumer of messages"}};

static bool has_role(const struct plugin *p, enum plugin_kind kind)
{
    switch (kind) {
    case PLUGIN_ANY: return true;
    case PLUGIN_STRATEGY: return p->strategy.assign != NULL;
    case PLUGIN_SOURCE: return p->source.list != NULL;
    case PLUGIN_CONSUMER: return p->consumer.start != NULL;
    }
    return false;
}

static int check_kind(const char *name, const struct plugin *p, enum plugin_kind kind,
                      struct plugin_error *error)
{
    enum plugin_kind is = PLUGIN_STRATEGY;

    if (has_role(p, kind))
        return 0;
    while (!has_role(p, is))
        is = (enum plugin_kind)(is + 1); /* it has one, or it would not be loaded */
    return plugin_refuse(error, STATUS_UNSUPPORTED, ERR_PLUGIN_KIND, name,
                         "%s is %s, not %s.\n  Name it under [%s], or choose another "
                         "one here: 'parti plugins list' shows which is what.",
                         p->path, roles[is].name, roles[kind].name, roles[is].section);
}

const struct parti_option *plugin_options(const struct plugin *p, enum plugin_kind kind)
{
    switch (kind) {
    case PLUGIN_STRATEGY: return p->about.strategy_option;
    case PLUGIN_SOURCE: return p->about.source_option;
    case PLUGIN_CONSUMER: return p->consumer.option;
    case PLUGIN_ANY: break;
    }
    return NULL;
}

int plugin_load(const char *name, const char *dir, enum plugin_kind kind,
                const struct plugin **ret, struct plugin_error *error)
{
    char path[PATH_MAX], real[PATH_MAX];
    struct module *m = NULL;
    struct stat st;
    int result = plugin_find(name, dir, path, error);

    if (result == 0)
        result = plugin_file_check(name, path, real, &st, error);
    if (result != 0)
        return result;
    (void)pthread_mutex_lock(&lock);
    m = find_module(&st);
    if (m == NULL)
        result = add_module(name, real, &st, &m, error);
    (void)pthread_mutex_unlock(&lock);
    if (result == 0)
        result = check_kind(name, &m->plugin, kind, error);
    if (result == 0)
        *ret = &m->plugin;
    return result;
}
