/* The keys of a plugin's INI section, checked against the option table that the plugin
 * declares; the result is the struct parti_conf that create() is given.
 *
 * Types, ranges, choices, required keys, unknown keys (with the nearest known one),
 * continuation lines.  Every mistake of the section is reported, none stops the rest.
 * Any thread, one user at a time.
 */
#ifndef PARTI_HOST_OPTION_H
#define PARTI_HOST_OPTION_H

#include "host/conf_errors.h"
#include "parti_connection.h"
#include "parti_plugin.h"

#include <stdbool.h>

enum { OPTIONS_MAX = 256 }; /* rows of one option table, and of one section's keys */

/* One key as it stands in the file; continuation lines joined to the value by '\n'. */
struct option_raw {
    const char *key;
    const char *value;
    uint32_t line;  /* of the key */
    uint32_t lines; /* 1, or more where the value goes on over continuation lines */
};

/* A section: what conf.c leaves of [strategy] and [source] when the host has taken its
 * own keys out. */
struct option_section {
    const char *name; /* "strategy", "source", "source:NAME" */
    const char *file; /* as the user named it */
    const char *dir;  /* absolute folder of the file: relative paths start here */
    uint32_t line;    /* of the section's header */
    struct option_raw *raw;
    size_t raw_n;
    /* Where the address of the broker may stand instead (option_borrow.h), or NULL.
     * conf.c's, lives as long as the struct conf. */
    const struct option_section *lender;
};

/* A checked section.  'conf' and all it points to lives until option_conf_free(). */
struct option_conf {
    struct parti_conf conf;
    const struct parti_option *
        *row; /* the table's row for each key, for hiding secrets */
    void *memory;
};

/* Is the table itself sound?  'table' may be NULL (no options).  On STATUS_INVALID
 * 'why' holds a phrase such as "option 3 has no name".  The host's own keys
 * (option_host_keys()) may not be declared, nor names that begin with "parti_". */
int option_table_check(const struct parti_option *table, char *why, size_t room);

/* The row for a key: its own name, else the longest beginning that fits; or NULL. */
const struct parti_option *option_row(const struct parti_option *table, const char *key);

/* The host's keys that may stand in every plugin section beside the plugin's own: a
 * list that ends with NULL. */
const char *const *option_host_keys(void);

/* Checks the section and builds *ret.  Mistakes go to 'errors' with their lines.
 * 'plugin' is the name for messages.  STATUS_INVALID (mistakes), STATUS_NOMEM. */
int option_build(const struct option_section *section, const struct parti_option *table,
                 const char *plugin, struct conf_errors *errors,
                 struct option_conf **ret);

void option_conf_free(struct option_conf *c);

/* The value of a key for people: "***" for a secret, NULL when it has none. */
const char *option_shown(const struct option_conf *c, const char *key);

enum option_format { OPTION_TEXT, OPTION_JSON };

/* Which keys of a table may stand in another section, and where: "in [nats]". */
struct option_loan {
    const struct parti_connection *connection;
    const char *from;
};

/* One table of options for people or as a JSON array; nothing of any file in it.  'loan':
 * NULL where nothing is borrowed. */
void option_describe(const struct parti_option *table, const struct option_loan *loan,
                     enum option_format format, FILE *to);

#endif
