/* The configuration: one INI file into one struct, every mistake found in one go.
 *
 * Knows nothing of NATS and opens no plugin.  The keys of [strategy], [source] and
 * [consume] that belong to the plugin are kept as they stand, with their lines, for
 * option_build(). One table (conf_keys.c) gives every key its section, type, limits,
 * defaults and help; parti.ini(5) is made from it.  Times are milliseconds, ratios parts
 * per million. Texts are owned by the struct and live until conf_finish(); NULL: not
 * given. One user at a time; read-only once loaded, and then from any thread.
 */
#ifndef PARTI_HOST_CONF_H
#define PARTI_HOST_CONF_H

#include "host/conf_errors.h"
#include "host/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    CONF_LINE_MAX = 4096,    /* bytes of a line without its newline */
    CONF_LINES_MAX = 100000, /* of a file */
    CONF_KEY_MAX = 96,       /* bytes of a key */
    CONF_SECTION_MAX = 48,   /* bytes between [ and ] */
    CONF_SOURCES_MAX = 64,
    CONF_NAME_MAX = 32, /* bytes of a group, an id prefix or a source's name */
    CONF_WORKER_IDS_MAX = 100000
};

enum conf_profile { CONF_PROFILE_FAST, CONF_PROFILE_DEFAULT, CONF_PROFILE_CALM };
enum conf_ownership { CONF_STRICT, CONF_AVAILABLE };
enum conf_on_revoke { CONF_REVOKE_KILL, CONF_REVOKE_WAIT };
enum conf_on_term { CONF_TERM_LEAVE, CONF_TERM_RESTART };
enum conf_isolation { CONF_ISOLATION_NONE, CONF_ISOLATION_PROCESS };
enum conf_format { CONF_FORMAT_JSON, CONF_FORMAT_RAW };

struct conf_nats {
    const char *url;   /* "embedded", or servers with commas between; may hold a
                          password: print conf_url_shown() instead */
    bool embedded;     /* url is "embedded" */
    const char *creds; /* absolute path of a credentials file */
    const char *nkey;  /* absolute path of a seed file */
    const char *user;
    const char *password; /* secret */
    const char *tls_ca;   /* absolute paths of PEM files */
    const char *tls_cert;
    const char *tls_key;
    uint64_t replicas;
    const char *store_dir; /* absolute; only with embedded */
};

struct conf_worker {
    const char *id;     /* the wish "PREFIX-N", or NULL */
    uint64_t id_number; /* its N; only when id != NULL */
    const char *id_prefix;
    uint64_t id_max; /* numbers run from 0 to this */
    uint64_t capacity;
    const char *zone; /* or NULL */
    uint64_t revoke_timeout_ms;
    uint64_t on_revoke_timeout; /* enum conf_on_revoke */
    uint64_t restarts_max;
    uint64_t on_term; /* enum conf_on_term */
    uint64_t restart_grace_ms;
};

/* [strategy], [source], [source:NAME] or [consume]. */
struct conf_plugin {
    const char *name;   /* what stands after "source:", else "" */
    const char *plugin; /* a bare name or an absolute path */
    uint32_t plugin_line;
    uint64_t isolation;            /* [strategy]: enum conf_isolation */
    uint64_t time_limit_ms;        /* [strategy]: for one assign() */
    uint64_t refresh_interval_ms;  /* [source]: list() again so often; 0: never by time */
    struct option_section section; /* the plugin's own keys, unchecked */
};

/* [consume]: how messages follow their partition.  Without the section base.plugin is
 * NULL, and nothing is consumed. */
struct conf_consume {
    struct conf_plugin base; /* plugin, and the plugin's own keys */
    uint64_t handlers;       /* threads that call the application */
    uint64_t children;       /* of `parti run` */
    uint64_t in_flight;      /* messages of a partition in this process */
    uint64_t in_flight_total;
    uint64_t deliver_max; /* messages of a partition unanswered by the handler */
    uint64_t handle_timeout_ms;
    uint64_t attempts_max; /* 0: no limit */
    uint64_t retry_first_ms;
    uint64_t retry_max_ms;
    const char *dead_letter; /* or NULL */
    uint64_t commit_interval_ms;
    uint64_t commit_messages;
    uint64_t format; /* enum conf_format */
};

struct conf_timing {
    uint64_t profile; /* enum conf_profile */
    uint64_t heartbeat_interval_ms;
    uint64_t heartbeat_ttl_ms; /* the lease */
    uint64_t fence_margin_ms;
    uint64_t leader_authority_ms;
    uint64_t leader_renew_interval_ms;
    uint64_t election_timeout_ms;
    uint64_t clock_drift_ppm;
    uint64_t worker_id_ttl_ms;
    uint64_t cold_start_window_ms;
    uint64_t planned_scale_window_ms;
    uint64_t emergency_grace_ms;
    uint64_t restart_ratio_ppm;
    uint64_t min_rebalance_interval_ms;
    uint64_t min_rebalance_threshold_ppm;
    uint64_t operation_timeout_ms;
    uint64_t startup_timeout_ms;
    uint64_t shutdown_timeout_ms;
    uint64_t degraded_enter_ms;
    uint64_t degraded_exit_ms;
    uint64_t kv_error_threshold;
    uint64_t kv_error_window_ms;
    uint64_t recovery_grace_ms;
    uint64_t alert_info_ms;
    uint64_t alert_warn_ms;
    uint64_t alert_error_ms;
    uint64_t alert_critical_ms;
    uint64_t alert_interval_ms;
};

struct conf {
    const char *file; /* as the user named it */
    const char *dir;  /* absolute folder of the file, links to the file not followed */
    const char *group;
    uint64_t ownership;     /* enum conf_ownership */
    const char *plugin_dir; /* absolute, or NULL: the compiled-in one */
    struct conf_nats nats;
    struct conf_worker worker;
    struct conf_plugin strategy;
    struct conf_plugin *source; /* in the order of the file */
    size_t source_n;
    struct conf_consume consume;
    struct conf_timing timing;
    struct conf_errors errors;
    struct conf_private *own;
};

/* Reads the file.  0; STATUS_IO when it cannot be read; STATUS_INVALID when it has
 * mistakes; STATUS_NOMEM.  In every case c->errors says what is wrong (print it with
 * conf_errors_print()) and conf_finish(c) must be called. */
int conf_load(struct conf *c, const char *path);

/* The same from an open stream.  'name' is for messages, 'dir' the absolute folder that
 * relative paths start from. */
int conf_load_stream(struct conf *c, FILE *in, const char *name, const char *dir);

/* Frees all; accepts a zeroed struct. */
void conf_finish(struct conf *c);

/* The timing that a profile stands for. */
void conf_timing_of(enum conf_profile profile, struct conf_timing *ret);

/* Puts another server address in the place of the file's, as --server and the
 * environment do.  0, STATUS_INVALID with the reason in why[room], STATUS_NOMEM. */
int conf_url_set(struct conf *c, const char *url, char *why, size_t room);

/* A server address with its user and password replaced by "***", into to[room]. */
void conf_url_shown(const char *url, char *to, size_t room);

/* The line where a key stands, 0 when its default is in force.  For [strategy] and
 * [timing] and the like; NULL and unknown names give 0. */
uint32_t conf_line(const struct conf *c, const char *section, const char *key);

/* Every key of every section: section, name, type, default by profile, limits, help. */
void conf_describe(FILE *to, enum option_format format);

/* A file with every key, its help and its default, ready to be loaded: what
 * conf/parti.ini holds. */
void conf_sample(FILE *to);

/* The values in force, as an INI file; secrets as ***. */
void conf_show(const struct conf *c, FILE *to);

#endif
