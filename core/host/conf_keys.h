/* One row for each key that the host itself knows: the one place that says what may
 * stand in the file.  The parser, the checks, the sample conf/parti.ini, parti.ini(5) and
 * `parti config` are made from it.  Static and read-only; any thread.
 */
#ifndef PARTI_HOST_CONF_KEYS_H
#define PARTI_HOST_CONF_KEYS_H

#include "host/conf.h"

enum conf_type {
    CONF_TEXT,   /* const char * */
    CONF_NAME,   /* const char *, letters, digits, '_' and '-', max bytes long */
    CONF_PATH,   /* const char *, absolute */
    CONF_PLUGIN, /* const char *, bare name or absolute path */
    CONF_INT,    /* uint64_t */
    CONF_MSEC,   /* uint64_t */
    CONF_RATIO,  /* uint64_t, parts per million */
    CONF_CHOICE  /* uint64_t, index into choices */
};

enum { CONF_REQUIRED = 1, CONF_SECRET = 2 };

struct conf_key {
    const char *section; /* "source" stands for [source:NAME], too */
    const char *name;
    enum conf_type type;
    int flags;
    size_t at; /* in struct conf; in struct conf_plugin for "strategy" and "source" */
    uint64_t min, max;
    const char *fallback[3]; /* by enum conf_profile; NULL: none */
    const char *choices;     /* "a|b" */
    const char *help;        /* whole sentences */
};

extern const struct conf_key conf_keys[];
extern const size_t conf_keys_n;

/* Is the row's field in struct conf_plugin? */
bool conf_key_of_plugin(const struct conf_key *key);

/* NULL when there is none. */
const struct conf_key *conf_key_find(const char *section, const char *name);

/* The row's type for people: "duration". */
const char *conf_key_type(const struct conf_key *key);

/* "10 ms .. 1 min", "0 .. 99", "a|b", or "". */
void conf_key_limits(const struct conf_key *key, char *to, size_t room);

#endif
