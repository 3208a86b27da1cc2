/* The inside of the source: jetstream.c makes it, jet_list*.c list, jet_watch.c notices
 * changes. */
#ifndef PARTI_PLUGINS_JET_SOURCE_H
#define PARTI_PLUGINS_JET_SOURCE_H

#include "plugins/jetstream/jet_api.h"
#include "plugins/jetstream/jet_keys.h"
#include "plugins/jetstream/jet_watch.h"
#include "plugins/weigh.h"

#include <pthread.h>

enum {
    JET_PAGES_MAX = 4096, /* of one listing */
    JET_PASSES_MAX = 8    /* over pages between which consumers come and go */
};

/* Names that give no partition, in one listing. */
struct jet_skipped {
    uint64_t n;
    char example[128];
    const char *why;
};

struct jet_source {
    const struct parti_host *host;
    struct jet_link *link;
    struct jet_api api;
    struct jet_watch *watch;
    struct jet_keys keys;
    struct weigh *weigh;
    int32_t (*list)(struct jet_source *s, struct jet_task *task,
                    struct parti_error *error);
    char *filter;      /* of subjects; with $KV.BUCKET. in front where it is a bucket */
    size_t skip;       /* bytes in front of a subject that are not part of the keys */
    char *consumer;    /* a pattern of names */
    int32_t ephemeral; /* these count, too */
    int32_t by_pending;
    struct jet_state state; /* of the stream, before it was listed last */
    struct jet_skipped skipped;
    uint64_t told_n; /* names skipped, as last told */
    pthread_mutex_t mutex;
    struct jet_task *task; /* under the mutex: of the running list(), or NULL */
};

/* One subject, name or key into the table.  What weigh_add() answers. */
int32_t jet_list_add(struct jet_source *s, const char *name, size_t n, uint64_t measure,
                     struct parti_error *error);

/* How the stream is, without a list of anything. */
int32_t jet_list_state(struct jet_source *s, struct jet_task *task,
                       struct jet_state *state, struct parti_error *error);

/* From the subjects of a stream, the consumers of one, the keys of a bucket: they fill
 * s->weigh and s->state.  PARTI_OK, or a code with its sentence. */
int32_t jet_list_subjects(struct jet_source *s, struct jet_task *task,
                          struct parti_error *error);
int32_t jet_list_consumers(struct jet_source *s, struct jet_task *task,
                           struct parti_error *error);
int32_t jet_list_keys(struct jet_source *s, struct jet_task *task,
                      struct parti_error *error);

#endif
