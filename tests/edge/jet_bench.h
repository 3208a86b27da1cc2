/* The source jetstream on a bench: a real server, what is in its streams, and the host's
 * runner of sources around the plugin.  Fails the running Check test if something is not
 * as it must be.
 */
#ifndef PARTI_TESTS_EDGE_JET_BENCH_H
#define PARTI_TESTS_EDGE_JET_BENCH_H

#include "rig.h"
#include "runner.h"

#include "host/source.h"

#include <jansson.h>
#include <nats/nats.h>

enum { JET_RESULTS = 256, JET_SHOWN_ROOM = 2048 };

struct jet_bench {
    struct server server;
    natsConnection *nc;
    char url[256]; /* of the source, with its credentials */

    struct section section;
    struct sources *sources;
    struct gate gate;
    uint32_t n; /* results so far */
    int status[JET_RESULTS];
    const char *prefix;                      /* of ids to be counted apart, or NULL */
    uint32_t with_prefix[JET_RESULTS];       /* those */
    uint32_t count[JET_RESULTS];             /* partitions */
    char shown[JET_RESULTS][JET_SHOWN_ROOM]; /* "a/1:100 b:7", or the text of a failure */
};

/* Starts the server and connects: 'login' is "" or "user:password@"; NULL: does not. */
void jet_start(struct jet_bench *b, const struct server_options *options,
               const char *login);
void jet_finish(struct jet_bench *b);

/* Ends our connection and the server; has both again, whoever stopped the server. */
void jet_stop(struct jet_bench *b);
void jet_restart(struct jet_bench *b);

/* A request of the JetStream API with a body of JSON; its answer must be no error. */
void jet_api(struct jet_bench *b, const char *subject, const char *body);
/* The answer, to be json_decref()ed. */
json_t *jet_ask(struct jet_bench *b, const char *subject, const char *body);

/* n empty messages, the last of them acknowledged by the stream. */
void jet_publish(struct jet_bench *b, const char *subject, int n);
/* One message with a header. */
void jet_mark(struct jet_bench *b, const char *subject, const char *header,
              const char *value);

/* Begins the section: plugin and url. */
void jet_section(struct jet_bench *b);
void jet_set(struct jet_bench *b, const char *key, const char *value);
/* The same with pairs, ended by NULL. */
void jet_section_of(struct jet_bench *b, const char *const pairs[]);
#define JET_SECTION(b, ...) jet_section_of((b), (const char *const[]){__VA_ARGS__, NULL})

/* One listing of that section, as text. */
const char *jet_list(struct jet_bench *b);
#define JET_LISTS(b, expected) ck_assert_str_eq(jet_list(b), (expected))

/* Listens to that section from now on, budget in ms; asks once. */
void jet_listen(struct jet_bench *b, uint64_t budget_ms);

/* The next result from number 'from' on with that status and that text in it; returns
 * the number behind it. */
uint32_t jet_await(struct jet_bench *b, uint32_t from, int status, const char *text);

/* Asks, waits, returns the number of the answer. */
uint32_t jet_refresh(struct jet_bench *b);

#endif
