/* The JetStream API as plain requests, and its errors as sentences.
 *
 * For what a role of this plugin asks of a stream; one task at a time for each call, any
 * thread.
 */
#ifndef PARTI_PLUGINS_JET_API_H
#define PARTI_PLUGINS_JET_API_H

#include "plugins/jetstream/jet_link.h"

#include <jansson.h>

enum { JET_API_NAME_ROOM = 256 };

struct jet_api {
    struct jet_link *link;
    char prefix[JET_API_NAME_ROOM]; /* "$JS.API", or that of a domain */
    char stream[JET_API_NAME_ROOM];
    char shown[JET_API_NAME_ROOM + 16]; /* "stream ORDERS", "bucket x", for texts */
};

/* What a stream says of itself without being asked for details. */
struct jet_state {
    char created[40];
    uint64_t messages, first_seq, last_seq;
    uint64_t deleted_n, subject_n, consumer_n;
};

/* Asks PREFIX.VERB.STREAM and gives the answer, an object, to be json_decref()ed; VERB
 * is "STREAM.INFO" or the like, 'name' NULL or one more token behind the stream.  'body'
 * is stolen; NULL: empty.
 * PARTI_RETRY: the server is not there, JetStream is off, it refuses; PARTI_MISSING:
 * there is no such stream; PARTI_DENIED: it is not permitted; PARTI_TIMEOUT: it does not
 * answer in time; each with a sentence of its own and what to do. */
int32_t jet_api_ask(const struct jet_api *api, const char *verb, const char *name,
                    json_t *body, struct jet_task *task, json_t **ret,
                    struct parti_error *error);

/* The sentence for an answer, "error" in it or not; PARTI_OK where there is none. */
int32_t jet_api_judge(const struct jet_api *api, const json_t *answer,
                      struct parti_error *error);

/* From the answer of STREAM.INFO. */
void jet_api_state(const json_t *info, struct jet_state *state);

/* A number, 0 where it is missing or negative. */
uint64_t jet_api_number(const json_t *object, const char *key);

#endif
