/* parti_plugin.h - the plugin interface of Parti, ABI 1.1
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * One shared object is one plugin: a strategy, a source, or both.  It exports one
 * function, parti_plugin_v1(), and resolves nothing in the host: all that a plugin
 * may call comes to it in struct parti_host.  C11 and C++17, no dependency.
 *
 * RULES OF GROWTH
 *  - The major number is in the entry symbol.  The minor only adds: a field at the
 *    end of a sized struct, a code, an extension id.  Nothing is removed, moved or
 *    given another meaning.
 *  - A sized struct starts with its size in bytes as its writer knew it.  Read a field
 *    that is newer than 1.0 only behind PARTI_HAS().  Sizes are multiples of 8 and
 *    spare room is spelled out, so no new field can hide in old padding.
 *  - Frozen for ever: struct parti_strs, struct parti_option, the signature of the
 *    entry function, the meaning of codes.
 *
 * MEMORY   Whoever allocates frees.  What a call is given is borrowed until it returns.
 *          Descriptors, tables and option lists are static and never change.
 *
 * THREADS  [init]  before any other call, from one thread
 *          [seq]   any thread, one call at a time for each instance
 *          [any]   any thread at any time; must not block
 *          After destroy() has returned, no thread of the plugin touches the host.
 *          A plugin leaves signals, locale, working directory, fork and atexit alone.
 *
 * STRINGS  UTF-8 by convention, never checked; pointer and length where a NUL may occur.
 */
#ifndef PARTI_PLUGIN_H
#define PARTI_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PARTI_ABI_MAJOR 1u
#define PARTI_ABI_MINOR 1u

/* Is 'field' there, by the size that the struct's writer gave? */
#define PARTI_HAS(type, p, field) \
    ((p)->size >= offsetof(struct parti_##type, field) + sizeof((p)->field))

/* What a call of the plugin answers.  A code the host does not know counts as
 * PARTI_BUG.  Text for people goes to struct parti_error. */
enum {
    PARTI_OK = 0,
    PARTI_RETRY = 1,       /* may pass by itself: the host keeps the last good answer,
                              backs off, and says so */
    PARTI_BADCONF = 2,     /* the section is wrong: fatal at start, with file and line */
    PARTI_BADINPUT = 3,    /* this input cannot be served: last good answer stays */
    PARTI_NOMEM = 4,       /* treated like PARTI_RETRY */
    PARTI_CANCELED = 5,    /* stop_wanted() said yes, or cancel() was called */
    PARTI_UNSUPPORTED = 6, /* this slot is not served */
    PARTI_BUG = 7,         /* the plugin broke a rule: the instance is quarantined */
    PARTI_KEEP = 8,        /* assign() only: leave every partition where it is */
    /* Since 1.1.  Each is a PARTI_RETRY that says more; parti_code() gives that to a host
     * that is older. */
    PARTI_MISSING = 9, /* what the section names is not there */
    PARTI_DENIED = 10, /* it may not be looked at: log-in or rights */
    PARTI_TIMEOUT = 11 /* it is there, but did not answer in time */
};

/* Where a call leaves its text.  The host sets 'size' and zeroes the rest. */
struct parti_error {
    uint32_t size;
    uint32_t line; /* line of the INI file that is to blame, or 0 */
    char text[248];
};

/* n byte strings in one block: string i is bytes[end[i-1] .. end[i]), end[-1] being 0.
 * Frozen. */
struct parti_strs {
    const char *bytes;
    const uint64_t *end;
    uint64_t n;
};

/* ---- options: what may stand in the plugin's INI section ------------------------- */

enum { PARTI_STR = 0, PARTI_INT = 1, PARTI_BOOL = 2, PARTI_MSEC = 3, PARTI_PATH = 4 };
enum {
    PARTI_REQUIRED = 1,
    PARTI_SECRET = 2, /* shown as *** in logs and listings */
    PARTI_LIST = 4    /* may go on over continuation lines; they arrive joined by '\n' */
};

/* One option.  The list ends at name == NULL and has 256 rows at most.  Frozen.
 * The host checks type, range and choices, refuses unknown keys, and fills in
 * 'fallback'.  BOOL arrives as "yes" or "no", INT as a decimal number, MSEC as a count
 * of milliseconds, PATH as an absolute path (a relative one is taken from the folder of
 * the INI file).  A name that ends in '*' takes every key with that beginning; it is
 * STR, without fallback, not required.  LIST goes with STR alone.
 * The host takes the keys plugin, isolation, time_limit and refresh_interval for itself
 * and keeps every name that begins with "parti_" for its future: declare none of them. */
struct parti_option {
    const char *name;
    const char *fallback; /* as it would stand in the file; NULL: none */
    const char *help;     /* one sentence */
    const char *choices;  /* "a|b|c" for STR, or NULL */
    int64_t min, max;     /* for INT and MSEC; min == max == 0: no limits */
    int32_t type;
    int32_t flags;
};

/* The plugin's section after those checks, fallbacks included, in the order of the
 * option list, then the '*' keys in the order of the file. */
struct parti_conf {
    uint32_t size;
    uint32_t n;
    const char *const *key;
    const char *const *value;
    const uint32_t *line; /* in 'file'; 0: a fallback */
    const char *file;
    const char *section; /* "strategy", "source" or "source:NAME" */
};

/* ---- the host, as the plugin sees it: one table for each instance ------------------ */

enum { PARTI_DEBUG = 0, PARTI_INFO = 1, PARTI_WARN = 2, PARTI_ERROR = 3 };

struct parti_host {
    uint32_t size;
    uint32_t abi_minor; /* the host's */
    void *ctx;          /* the host's own; pass the table back unchanged */
    const char *version;
    /* Would a line of this level be written?  Ask before formatting one. */
    int32_t (*log_on)(const struct parti_host *host, int32_t level); /* [any] */
    void (*log)(const struct parti_host *host, int32_t level, const char *text,
                uint64_t length); /* [any] */
    /* The list of partitions may have changed: please call list().  Sources only. */
    void (*changed)(const struct parti_host *host); /* [any] */
    /* Nonzero: give up the running call soon, with PARTI_CANCELED. */
    int32_t (*stop_wanted)(const struct parti_host *host); /* [any] */
    /* Optional features by id, "parti.NAME/REV"; NULL: not offered. */
    const void *(*extension)(const struct parti_host *host, const char *id); /* [any] */
};

/* ---- strategies ---------------------------------------------------------------------
 * Pure: the same world gives the same owners.  No clock, no I/O, no threads, no
 * globals; memory may be kept in 'self' between calls as scratch. */

enum {
    PARTI_EVENT_COLD = 0,      /* nobody owned anything before */
    PARTI_EVENT_SCALE = 1,     /* workers came or left in order */
    PARTI_EVENT_EMERGENCY = 2, /* a worker was lost */
    PARTI_EVENT_REFRESH = 3    /* partitions or weights changed */
};

enum {
    PARTI_WORKER_NEW = 1,      /* was not in the previous table */
    PARTI_WORKER_DRAINING = 2, /* must end with nothing; capacity counts as 0 */
    PARTI_WORKER_CORDONED = 4  /* keeps what it has, is given nothing new */
};

/* Columns; everything read-only and valid until assign() returns.
 *
 * Partition i: its id is its keys joined by one NUL byte; rows ascend bytewise by id.
 * part_prev[i] is an index into the previous table of workers, or prev_n for "nobody";
 * prev_to_now[] maps it to the present table and has prev_n + 1 entries, the last one
 * (and that of a worker who is gone) being worker_n.
 * Workers ascend by slot, the stable small number in their id. */
struct parti_world {
    uint32_t size;
    uint32_t event; /* PARTI_EVENT_* */
    uint64_t epoch;
    uint64_t seed; /* the only randomness allowed */

    uint64_t part_n;
    struct parti_strs part_id;
    const uint64_t *part_hash;   /* XXH3-64 of the id */
    const uint32_t *part_weight; /* 0 .. UINT32_MAX; 100 is usual */
    const uint32_t *part_prev;
    const uint32_t *part_zone; /* index into zone, zone.n for none; or NULL */

    uint32_t worker_n;
    uint32_t prev_n;
    struct parti_strs worker_id;
    const uint32_t *worker_slot;
    const uint64_t *worker_hash;     /* XXH3-64 of the id */
    const uint32_t *worker_capacity; /* relative; 100 is usual */
    const uint32_t *worker_zone;     /* index into zone, zone.n for none; or NULL */
    const uint32_t *worker_flags;    /* PARTI_WORKER_* */
    const uint32_t *prev_to_now;
    struct parti_strs zone; /* names */

    uint32_t tolerance_ppm; /* load may exceed the mean by so much before a move pays */
    uint32_t reserved;
    uint64_t moves_max; /* budget of moves beyond the orphans; UINT64_MAX: none */
    uint64_t work_max;  /* cap on the steps of any local search */
};

enum {
    PARTI_STRATEGY_WEIGHTS = 1, /* takes weights into account */
    PARTI_STRATEGY_STICKY = 2,  /* moves the least possible for unit weights */
    PARTI_STRATEGY_ZONES = 4    /* takes zones into account */
};

struct parti_strategy {
    uint32_t size;
    uint32_t caps; /* PARTI_STRATEGY_*: what the checker holds it to */
    int32_t (*create)(void **self, const struct parti_host *host,
                      const struct parti_conf *conf,
                      struct parti_error *error); /* [seq] */
    /* owner[part_n] belongs to the host and is filled with worker_n; write the index of
     * a worker to every entry.  With worker_n == 0 it is not called. */
    int32_t (*assign)(void *self, const struct parti_world *world, uint32_t *owner,
                      struct parti_error *error); /* [seq] */
    void (*destroy)(void *self);                  /* [seq] */
};

/* ---- sources ------------------------------------------------------------------------
 */

/* Rows for the sink; grows at the end. */
struct parti_rows {
    uint32_t size;
    uint32_t reserved;
    struct parti_strs id;   /* keys joined by NUL; any order; no key may be empty */
    const uint32_t *weight; /* one a row; NULL: 100 each */
    struct parti_strs zone; /* n == 0, or one name a row ("" for none) */
};

struct parti_sink {
    uint32_t size;
    uint32_t reserved;
    void *ctx;
    /* Copies the rows.  May be called many times during one list().  Anything but
     * PARTI_OK: return that code from list() at once. */
    int32_t (*add)(struct parti_sink *sink, const struct parti_rows *rows);
};

struct parti_source {
    uint32_t size;
    uint32_t caps; /* none so far: 0 */
    int32_t (*create)(void **self, const struct parti_host *host,
                      const struct parti_conf *conf,
                      struct parti_error *error); /* [seq] */
    /* Gives every partition to the sink.  All or nothing: after anything but PARTI_OK
     * the host throws away what was added.  May block, but not beyond budget_ms. */
    int32_t (*list)(void *self, struct parti_sink *sink, uint64_t budget_ms,
                    struct parti_error *error); /* [seq] */
    void (*cancel)(void *self);                 /* [any] make a running list() return */
    void (*destroy)(void *self);                /* [seq] */
};

/* ---- the plugin -----------------------------------------------------------------------
 */

struct parti_plugin {
    uint32_t size;
    uint32_t abi_minor;   /* what it was compiled with: PARTI_ABI_MINOR */
    uint32_t needs_minor; /* the least it can do with */
    uint32_t reserved;
    const char *id;      /* reverse domain, "org.example.name"; may not be empty */
    const char *version; /* may not be empty */
    const char *vendor;  /* this and the next two: NULL when there is nothing to say */
    const char *license;
    const char *summary;                        /* one line */
    const struct parti_option *strategy_option; /* may be NULL */
    const struct parti_option *source_option;   /* may be NULL */
    const struct parti_strategy *strategy;      /* NULL: not a strategy */
    const struct parti_source *source;          /* NULL: not a source */
    const void *(*extension)(const char *id);   /* [any] may be NULL; NULL: unknown id */
};

#ifdef __cplusplus
#define PARTI_EXTERN_C extern "C"
#else
#define PARTI_EXTERN_C
#endif
#if defined(_WIN32)
#define PARTI_EXPORT __declspec(dllexport)
#else
#define PARTI_EXPORT __attribute__((visibility("default")))
#endif

/* The entry.  'probe' is a host without instance: only size, abi_minor and version may
 * be read.  Must be pure: it may be called in any process at any time.  [init] Frozen. */
typedef const struct parti_plugin *(*parti_plugin_entry)(const struct parti_host *probe);

/* PARTI_PLUGIN_ENTRY(descriptor) once, at the end of the plugin's file.  With
 * -DPARTI_STATIC=name the symbol becomes parti_plugin_v1_name, so that a plugin can be
 * linked into a simulator together with others. */
#ifdef PARTI_STATIC
#define PARTI_ENTRY_2(name) parti_plugin_v1_##name
#define PARTI_ENTRY_1(name) PARTI_ENTRY_2(name)
#define PARTI_ENTRY_NAME    PARTI_ENTRY_1(PARTI_STATIC)
#else
#define PARTI_ENTRY_NAME parti_plugin_v1
#endif
#define PARTI_PLUGIN_ENTRY(descriptor)                                          \
    PARTI_EXTERN_C PARTI_EXPORT const struct parti_plugin *PARTI_ENTRY_NAME(    \
        const struct parti_host *probe);                                        \
    const struct parti_plugin *PARTI_ENTRY_NAME(const struct parti_host *probe) \
    {                                                                           \
        (void)probe;                                                            \
        return &(descriptor);                                                   \
    }

/* ---- helpers: compiled into the plugin, no part of the ABI ----------------------------
 */

#ifndef PARTI_PLUGIN_NO_HELPERS
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Leaves a text and returns the code:  return parti_fail(error, PARTI_RETRY, "..."); */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static inline int32_t
parti_fail(struct parti_error *error, int32_t code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error != NULL)
        (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

/* 'code' where the host knows it, PARTI_RETRY where it is newer than the host. */
static inline int32_t parti_code(const struct parti_host *host, int32_t code)
{
    return code >= PARTI_MISSING && code <= PARTI_TIMEOUT && host->abi_minor < 1
               ? PARTI_RETRY
               : code;
}

/* The value of an option, or NULL when it has none. */
static inline const char *parti_conf_text(const struct parti_conf *conf, const char *key)
{
    for (uint32_t i = 0; i < conf->n; i++)
        if (strcmp(conf->key[i], key) == 0)
            return conf->value[i];
    return NULL;
}

/* INT, MSEC (milliseconds) or BOOL (0, 1); 'otherwise' when it has no value. */
static inline int64_t parti_conf_int(const struct parti_conf *conf, const char *key,
                                     int64_t otherwise)
{
    const char *text = parti_conf_text(conf, key);

    if (text == NULL)
        return otherwise;
    if (strcmp(text, "yes") == 0)
        return 1;
    if (strcmp(text, "no") == 0)
        return 0;
    return strtoll(text, NULL, 10);
}

/* The INI line of an option, or 0. */
static inline uint32_t parti_conf_line(const struct parti_conf *conf, const char *key)
{
    for (uint32_t i = 0; i < conf->n; i++)
        if (strcmp(conf->key[i], key) == 0)
            return conf->line[i];
    return 0;
}

static inline void parti_log(const struct parti_host *host, int32_t level,
                             const char *text)
{
    if (host->log_on(host, level))
        host->log(host, level, text, strlen(text));
}

/* String i of a column, and its length; not ended by a NUL. */
static inline const char *parti_str(const struct parti_strs *strs, uint64_t i,
                                    uint64_t *ret_length)
{
    uint64_t start = i > 0 ? strs->end[i - 1] : 0;

    *ret_length = strs->end[i] - start;
    return strs->bytes + start;
}

/* Gives one partition to the sink: its keys joined by NUL in id[length].  What it
 * answers other than PARTI_OK is to be returned from list() at once. */
static inline int32_t parti_add(struct parti_sink *sink, const char *id, uint64_t length,
                                uint32_t weight)
{
    struct parti_rows rows;

    memset(&rows, 0, sizeof rows);
    rows.size = (uint32_t)sizeof rows;
    rows.id.bytes = id;
    rows.id.end = &length;
    rows.id.n = 1;
    rows.weight = &weight;
    return sink->add(sink, &rows);
}
#endif

#ifdef __cplusplus
}
#endif

/* Log of the ABI
 *   1.0  2026-11-23  first
 *   1.1  2026-11-23  codes PARTI_MISSING, PARTI_DENIED, PARTI_TIMEOUT
 */
#endif
