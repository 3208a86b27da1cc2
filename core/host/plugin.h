/* Finds, checks and loads plugins: the shared objects of sdk/parti_plugin.h.
 *
 * A bare name "acme" is DIR/acme.so, DIR being the directory given or the compiled-in
 * one; an absolute path is taken as it is; a relative one is refused.  No environment
 * variable has a say.  In this order are checked: the name, the file (regular, owned by
 * root or us, neither it nor a folder above it open to others), ELF for this machine,
 * the dynamic linker's word, the entry symbol, the descriptor and its option tables.
 *
 * A module once loaded stays for the life of the process (threads and thread-local
 * destructors of its libraries may outlive any unloading); the same file is one module
 * however often it is named.  Any thread.
 */
#ifndef PARTI_HOST_PLUGIN_H
#define PARTI_HOST_PLUGIN_H

#include "host/option.h"
#include "parti_connection.h"
#include "parti_fits.h"
#include "parti_consumer.h"
#include "parti_plugin.h"

#include <limits.h>
#include <stdbool.h>

enum plugin_kind { PLUGIN_ANY, PLUGIN_STRATEGY, PLUGIN_SOURCE, PLUGIN_CONSUMER };

/* A loaded module.  The tables are our own copies: of what the plugin gives, as much as
 * both sides know, the rest zero.  So a slot newer than the plugin reads as NULL. */
struct plugin {
    char *name;                         /* "acme" */
    char *path;                         /* absolute, symbolic links resolved */
    struct parti_plugin about;          /* id, version, ...; use the tables below */
    struct parti_strategy strategy;     /* .assign == NULL: not a strategy */
    struct parti_source source;         /* .list == NULL: not a source */
    struct parti_consumer consumer;     /* .start == NULL: not a consumer */
    struct parti_connection connection; /* .n == 0: it says nothing of that */
    struct parti_fits fits;             /* .fits == NULL: it does not say */
};

/* Why a plugin was refused. */
struct plugin_error {
    int code;        /* ERR_PLUGIN_*, the number after PARTI-E */
    char text[1024]; /* one or two lines, "PARTI-E2xx plugin "acme": ..."; no newline at
                        the end */
};

/* Loads 'name' for use as 'kind'.  'dir' may be NULL: the compiled-in directory.
 * *ret is borrowed, lives for ever and never changes.  0, STATUS_NOTFOUND,
 * STATUS_DENIED, STATUS_UNSUPPORTED (needs a newer host, or is of another kind),
 * STATUS_INVALID, STATUS_NOMEM; on failure *error says all. */
int plugin_load(const char *name, const char *dir, enum plugin_kind kind,
                const struct plugin **ret, struct plugin_error *error);

/* The option table of one role; may be NULL. */
const struct parti_option *plugin_options(const struct plugin *p, enum plugin_kind kind);

/* The directory that a NULL 'dir' stands for. */
const char *plugin_dir_default(void);

/* The file that a name stands for, looked at only for its shape.  0 or STATUS_INVALID
 * with *error. */
int plugin_find(const char *name, const char *dir, char path[PATH_MAX],
                struct plugin_error *error);

/* What the plugin is and which options it takes; OPTION_JSON gives one object. */
void plugin_describe(const struct plugin *p, enum option_format format, FILE *to);

/* Every *.so of the directory in order of name, each loaded and checked: a table with
 * the refusals in words, or a JSON object.  0 or STATUS_IO when the directory cannot be
 * read (nothing is printed then). */
int plugin_list(const char *dir, enum option_format format, FILE *to);

#endif
