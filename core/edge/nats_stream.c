#include "config.h"

#include "edge/nats_stream.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_stream(struct nats_stream *stream, const char *infix, const char *group,
                        int replicas)
{
    *stream = (struct nats_stream){.replicas = replicas > 0 ? replicas : 1};
    (void)snprintf(stream->bucket, sizeof stream->bucket, "parti_%s%s", infix, group);
    (void)snprintf(stream->name, sizeof stream->name, "KV_parti_%s%s", infix, group);
    (void)snprintf(stream->subjects, sizeof stream->subjects, "$KV.parti_%s%s.>", infix,
                   group);
}

void nats_stream_init_positions(struct nats_stream *stream, const char *group,
                                int replicas)
{
    name_stream(stream, "pos_", group, replicas);
}

void nats_stream_init(struct nats_stream *stream, const char *group, int replicas)
{
    name_stream(stream, "", group, replicas);
    stream->has_head = true;
    (void)snprintf(stream->head_record, sizeof stream->head_record, "$KV.parti_%s.head",
                   group);
    (void)snprintf(stream->head_message, sizeof stream->head_message, "parti.%s.head",
                   group);
}

static json_t *republish_of(const struct nats_stream *stream)
{
    return json_pack("{s:s, s:s}", "src", stream->head_record, "dest",
                     stream->head_message);
}

static char *dump(json_t *root)
{
    must(root != NULL);
    char *text = json_dumps(root, JSON_COMPACT);
    must(text != NULL);
    json_decref(root);
    return text;
}

char *nats_stream_config(const struct nats_stream *stream)
{
    /* The layout of a KV bucket (nats-io/nats-architecture-and-design, ADR-8). */
    json_t *root = json_pack(
        "{s:s, s:[s], s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:b, s:b, "
        "s:b, s:b}",
        "name", stream->name, "subjects", stream->subjects, "retention", "limits",
        "storage", "file", "discard", "new", "num_replicas", stream->replicas,
        "max_msgs_per_subject", 1, "max_consumers", -1, "max_msgs", -1, "max_bytes", -1,
        "max_msg_size", -1, "max_age", 0, "duplicate_window", (json_int_t)120000000000,
        "deny_delete", 1, "deny_purge", 0, "allow_rollup_hdrs", 1, "allow_direct", 1);

    must(root != NULL);
    if (stream->has_head)
        must(json_object_set_new(root, "republish", republish_of(stream)) == 0);
    return dump(root);
}

char *nats_stream_config_fixed(const struct nats_stream *stream, const json_t *config)
{
    json_t *root = json_deep_copy(config);

    must(root != NULL);
    must(json_object_set_new(root, "republish", republish_of(stream)) == 0);
    return dump(root);
}

int nats_stream_replicas(const json_t *config)
{
    return (int)json_integer_value(json_object_get(config, "num_replicas"));
}

static bool text_is(const json_t *config, const char *key, const char *wanted)
{
    const char *is = json_string_value(json_object_get(config, key));

    return is != NULL && strcmp(is, wanted) == 0;
}

static bool number_is(const json_t *config, const char *key, json_int_t wanted)
{
    return json_integer_value(json_object_get(config, key)) == wanted;
}

/* The first thing that must not be so, or NULL. */
static const char *fault_of(const struct nats_stream *stream, const json_t *config)
{
    const json_t *subjects = json_object_get(config, "subjects");
    const char *subject = json_string_value(json_array_get(subjects, 0));
    const json_t *sources = json_object_get(config, "sources");

    if (!text_is(config, "name", stream->name))
        return "it has another name";
    if (json_array_size(subjects) != 1 || subject == NULL ||
        strcmp(subject, stream->subjects) != 0)
        return "it does not listen to exactly the group's subjects";
    if (!text_is(config, "storage", "file"))
        return "it stores in memory, so a restart of the server would forget who holds "
               "what";
    if (!text_is(config, "retention", "limits"))
        return "its retention is not 'limits', so records would vanish";
    if (!number_is(config, "max_age", 0))
        return "its records expire (max_age)";
    if (!number_is(config, "max_msgs_per_subject", 1))
        return "it does not keep exactly one record a key (max_msgs_per_subject)";
    if (!text_is(config, "discard", "new"))
        return "it would drop old records when full (discard)";
    if (json_is_true(json_object_get(config, "sealed")))
        return "it is sealed";
    if (json_is_object(json_object_get(config, "mirror")) ||
        (json_is_array(sources) && json_array_size(sources) > 0))
        return "it copies from another stream";
    if (!stream->has_head && json_is_object(json_object_get(config, "republish")))
        return "it republishes, so it is the log of a group of another name";
    return NULL;
}

/* A condition on one key of a replicated stream was checked before the replicas agreed
 * until server 2.9.21: on 2.9.10 several writers won in 296 of 300 races (measured).
 * 2.10 is the first that shows itself, by a setting that it fills in. */
static bool lets_several_win(const struct nats_stream *stream, const json_t *config)
{
    return !stream->has_head && nats_stream_replicas(config) > 1 &&
           json_object_get(config, "compression") == NULL;
}

static bool republishes(const struct nats_stream *stream, const json_t *config)
{
    const json_t *republish = json_object_get(config, "republish");

    return text_is(republish, "src", stream->head_record) &&
           text_is(republish, "dest", stream->head_message);
}

enum nats_stream_verdict nats_stream_check(const struct nats_stream *stream,
                                           const json_t *config, const char *server,
                                           struct nats_error *e)
{
    const char *fault = fault_of(stream, config);

    if (fault != NULL) {
        nats_error_set(
            e, STATUS_INVALID, ERR_NATS_STREAM,
            "the stream %s on %s is not what Parti needs: %s. Stop the group's "
            "workers and remove the stream; it is made anew.",
            stream->name, server, fault);
        return NATS_STREAM_WRONG;
    }
    if (lets_several_win(stream, config)) {
        nats_error_set(e, STATUS_UNSUPPORTED, ERR_NATS_FEATURE,
                       "the stream %s has %d replicas on %s, and a server before 2.10 "
                       "lets two writers win one record there. Update the servers to "
                       "2.10 or later, or run them with [nats] replicas = 1.",
                       stream->name, nats_stream_replicas(config), server);
        return NATS_STREAM_WRONG;
    }
    if (stream->has_head && !republishes(stream, config)) {
        nats_error_set(e, STATUS_UNSUPPORTED, ERR_NATS_FEATURE,
                       "the stream %s on %s does not republish '%s', and the server does "
                       "not add that to a stream that exists. Stop the group's workers "
                       "and remove the stream; it is made anew.",
                       stream->name, server, stream->head_record);
        return NATS_STREAM_FIXABLE;
    }
    return NATS_STREAM_GOOD;
}

/* ---- replies */

/* ADR-8: a deleted key is a record with the header KV-Operation: DEL or PURGE. */
static bool marks_deletion(const json_t *message)
{
    static const char mark[] = "KV-Operation:";
    const json_t *headers = json_object_get(message, "hdrs");
    size_t n = json_string_length(headers), got = 0;
    bool marked = false;

    if (n == 0)
        return false;
    char *text = malloc(n);
    must(text != NULL);
    if (base64_decode(json_string_value(headers), n, text, n, &got))
        marked = memmem(text, got, mark, sizeof mark - 1) != NULL;
    free(text);
    return marked;
}

static uint64_t sequence_of(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));

    return n > 0 ? (uint64_t)n : 0;
}

static const char *text_or_empty(const json_t *text)
{
    return json_is_string(text) ? json_string_value(text) : "";
}

bool nats_stream_parse(struct nats_stream_reply *reply, const char *data, size_t n)
{
    *reply = (struct nats_stream_reply){
        .root = json_loadb(data, n, JSON_REJECT_DUPLICATES, NULL),
        .description = "",
        .stream = "",
        .data = "",
    };
    if (!json_is_object(reply->root))
        return false;
    const json_t *error = json_object_get(reply->root, "error");
    const json_t *message = json_object_get(reply->root, "message");
    if (json_is_object(error)) {
        reply->err_code = (long)json_integer_value(json_object_get(error, "err_code"));
        reply->description = text_or_empty(json_object_get(error, "description"));
        if (reply->err_code == 0)
            reply->err_code = -1; /* an error all the same */
    } else if (json_is_object(message)) {
        reply->is_record = true;
        reply->seq = sequence_of(message, "seq");
        reply->data = text_or_empty(json_object_get(message, "data"));
        reply->is_deleted = marks_deletion(message);
    } else if (json_is_object(json_object_get(reply->root, "config"))) {
        reply->config = json_object_get(reply->root, "config");
        reply->seq = sequence_of(json_object_get(reply->root, "state"), "last_seq");
    } else {
        reply->stream = text_or_empty(json_object_get(reply->root, "stream"));
        reply->seq = sequence_of(reply->root, "seq");
        return reply->seq > 0;
    }
    return true;
}
