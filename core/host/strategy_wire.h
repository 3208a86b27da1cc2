/* What a host and the process of an isolated strategy say to each other over a stream
 * socket: frames of one build, on one machine, so plain columns in memory order.
 *
 *     child                          host
 *     READY version            ->
 *                              <-    CONF  plugin, level, checked section
 *     CREATED code, text       ->
 *                              <-    WORLD deadline, columns
 *     ANSWER code, text, owners ->          ... and so on; the end of file is the end
 *
 * Both sides bound what they take.  For strategy_child.c and plugin_host.c.
 */
#ifndef PARTI_HOST_STRATEGY_WIRE_H
#define PARTI_HOST_STRATEGY_WIRE_H

#include "parti_plugin.h"

#include <stddef.h>

enum wire_kind { WIRE_READY = 1, WIRE_CONF, WIRE_CREATED, WIRE_WORLD, WIRE_ANSWER };

enum {
    WIRE_MAGIC = 0x50617274,          /* "Part" */
    WIRE_CONF_MAX = 16 * 1024 * 1024, /* bytes of a CONF frame */
    WIRE_COLUMNS = 16
};

struct wire_head {
    uint32_t magic;
    uint32_t kind;
    uint64_t n; /* bytes that follow */
};

struct wire_ready {
    char version[64];
};

/* CREATED; and the beginning of ANSWER, before the owners. */
struct wire_answer {
    int32_t code;
    uint32_t line;
    char text[248];
};

/* The beginning of WORLD. */
struct wire_world {
    uint64_t deadline_ms; /* CLOCK_MONOTONIC */
    uint64_t limit_ms;
    uint64_t epoch, seed, part_n, id_bytes, worker_bytes, zone_bytes, zone_n;
    uint64_t moves_max, work_max;
    uint32_t event, worker_n, prev_n, tolerance_ppm;
    uint32_t has_zone, reserved;
};

struct wire_column {
    const void *at;
    size_t n; /* bytes; a multiple of 8, the columns' own padding included */
    size_t used;
};

void wire_world_head(const struct parti_world *w, struct wire_world *ret);

/* The columns that follow the head, in a fixed order; returns how many. */
size_t wire_world_columns(const struct parti_world *w, const struct wire_world *head,
                          struct wire_column column[WIRE_COLUMNS]);

/* The bytes of all columns for a head, padding included. */
uint64_t wire_world_size(const struct wire_world *head);

/* Points *ret into block[size], which holds the columns.  0 or STATUS_CORRUPT. */
int wire_world_open(const struct wire_world *head, const char *block, uint64_t size,
                    struct parti_world *ret);

/* A checked section and the plugin's file as one block, the caller's to free; NULL when
 * there is no memory. */
char *wire_conf_pack(const char *path, uint32_t log_level, const struct parti_conf *conf,
                     size_t *ret_n);

struct wire_conf {
    const char *path;
    uint32_t log_level;
    struct parti_conf conf;
    const char **key, **value;
    uint32_t *line;
};

/* Points into block[n].  0, STATUS_CORRUPT or STATUS_NOMEM; key, value and line are the
 * caller's to free. */
int wire_conf_open(const char *block, size_t n, struct wire_conf *ret);

#endif
