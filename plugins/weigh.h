/* Weights that follow a measure (messages, bytes, lag) without following its noise: the
 * table of partitions that a source fills at every listing.
 *
 *     weigh_begin(w);
 *     weigh_add(w, id, n, measure);    for each partition; the same id again adds up
 *     weigh_end(w, now_ms);
 *     return weigh_give(w, sink);
 *
 * A listing that is given up on the way needs no word: the next weigh_begin() starts
 * anew, and the history is that of the last listing that came to weigh_end().
 *
 * What a weight is, all in whole numbers:
 *  1. The measure is smoothed: what it differs from its smoothed value by halves every
 *     half-life.  A partition seen for the first time counts as it is.
 *  2. 'base' is added, so that a handful of messages more or less is nothing.
 *  3. It is set in relation to the mean of all partitions of this source, which weighs
 *     100: growth of all of them alike changes no weight.  Or to 'unit', where given.
 *  4. A weight that was given stays while the new value differs by no more than 'band'.
 *  5. Else the new one is taken from a coarse scale, four steps for each doubling
 *     (... 50 62 75 87 100 125 150 175 200 250 ...): a process that starts without
 *     history comes to nearly the same weights.
 *
 * Compiled into each source that wants it; one user at a time.
 */
#ifndef PARTI_PLUGINS_WEIGH_H
#define PARTI_PLUGINS_WEIGH_H

#include "parti_plugin.h"

enum {
    WEIGH_ROWS_MAX = 1000000,            /* partitions of one source */
    WEIGH_ID_MAX = 512,                  /* bytes of one id; the host's own limit */
    WEIGH_BYTES_MAX = 256 * 1024 * 1024, /* of all ids; the host's own limit, too */
    WEIGH_MEAN = 100,                    /* what the mean, or 'unit', weighs */
    WEIGH_MAX = 1000000                  /* greatest weight; the least is 1 */
};
#define WEIGH_MEASURE_MAX (INT64_C(1) << 40) /* more counts as this; a sum, too */

struct weigh_rule {
    uint32_t fixed;        /* every partition weighs this; 0: by measure, */
    uint32_t band_percent; /* as the rest says */
    uint64_t base;         /* in the unit of the measure, as 'unit' */
    uint64_t unit;         /* 0: the mean of this source */
    uint64_t half_life_ms; /* 0: no smoothing */
};

/* The options that read a rule; 'what' names the measure, "messages".  Whether the
 * weight is fixed is for an option of the source's own to say. */
#define WEIGH_OPTIONS(what, base)                                                     \
    {.name = "weight_fixed",                                                          \
     .fallback = "100",                                                               \
     .help = "The weight of every partition where weight = fixed.",                   \
     .min = 1,                                                                        \
     .max = WEIGH_MAX,                                                                \
     .type = PARTI_INT},                                                              \
        {.name = "weight_unit",                                                       \
         .fallback = "0",                                                             \
         .help = "So many " what " weigh 100; 0: as many as the mean of this source " \
                 "has.",                                                              \
         .max = WEIGH_MEASURE_MAX,                                                    \
         .type = PARTI_INT},                                                          \
        {.name = "weight_base",                                                       \
         .fallback = base,                                                            \
         .help = "So many " what " are added to each partition's own, so that small " \
                 "differences between small numbers count for nothing.",              \
         .max = WEIGH_MEASURE_MAX,                                                    \
         .type = PARTI_INT},                                                          \
        {.name = "weight_band",                                                       \
         .fallback = "25",                                                            \
         .help = "A weight stays while the new one differs by no more than so many "  \
                 "percent.",                                                          \
         .max = 1000,                                                                 \
         .type = PARTI_INT},                                                          \
    {                                                                                 \
        .name = "weight_half_life", .fallback = "2 min",                              \
        .help = "In this time half of a change comes through; 0: all of it at once.", \
        .max = 24 * 3600 * INT64_C(1000), .type = PARTI_MSEC                          \
    }

/* The rule that these options say. */
struct weigh_rule weigh_rule_read(const struct parti_conf *conf, int32_t is_fixed);

struct weigh;

/* NULL when there is no memory.  destroy accepts NULL. */
struct weigh *weigh_create(const struct weigh_rule *rule);
void weigh_destroy(struct weigh *w);

/* PARTI_OK or PARTI_NOMEM. */
int32_t weigh_begin(struct weigh *w);

/* A partition, its keys joined by NUL in id[n].  PARTI_OK, PARTI_NOMEM, or
 * PARTI_BADINPUT beyond the limits above. */
int32_t weigh_add(struct weigh *w, const char *id, size_t n, uint64_t measure);

/* So many partitions since weigh_begin(). */
uint32_t weigh_count(const struct weigh *w);

/* Every partition has been added; 'now_ms' of any clock that never goes back. */
void weigh_end(struct weigh *w, uint64_t now_ms);

/* All rows to the sink, in the order in which they were first seen; after weigh_end().
 * What the sink answers, or PARTI_NOMEM. */
int32_t weigh_give(const struct weigh *w, struct parti_sink *sink);

#endif
