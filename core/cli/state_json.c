/* The state as JSON: what `parti status -o json` writes and `parti plan --from` reads. */
#include "cli/state.h"

#include "base/must.h"
#include "base/partid.h"
#include "base/status.h"
#include "host/option_json.h"
#include "proto/life.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FORMAT_VERSION = 1, WEIGHT_USUAL = 100, CAPACITY_USUAL = 100 };

/* ---- writing */

static json_t *id_json(struct bytes id)
{
    char text[PARTID_TEXT_ROOM];

    (void)partid_encode(id, text, sizeof text);
    return json_string(text);
}

static json_t *name_or_null(const struct state *s, uint32_t worker)
{
    return worker != STATE_NOBODY ? option_json_text(s->worker[worker].id) : json_null();
}

static json_t *workers_json(const struct state *s)
{
    json_t *list = json_array();
    json_t **parts = calloc((size_t)s->worker_n + 1, sizeof(json_t *));

    must(list != NULL && parts != NULL);
    for (uint32_t i = 0; i < s->worker_n; i++) {
        const struct state_worker *w = &s->worker[i];
        json_t *o = json_object();

        parts[i] = json_array();
        json_object_set_new(o, "id", option_json_text(w->id));
        json_object_set_new(o, "host", option_json_text(w->host));
        json_object_set_new(o, "state", json_string(state_worker_name(w)));
        json_object_set_new(o, "capacity", json_integer(w->capacity));
        if (w->zone[0] != '\0')
            json_object_set_new(o, "zone", option_json_text(w->zone));
        json_object_set_new(o, "partitions", parts[i]);
        json_array_append_new(list, o);
    }
    for (uint32_t i = 0; i < s->part_n; i++) {
        const struct state_part *p = &s->part[i];

        if (p->owner != STATE_NOBODY && !p->is_pending)
            json_array_append_new(parts[p->owner], id_json(p->id));
    }
    free(parts);
    return list;
}

static json_t *pending_json(const struct state *s)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < s->part_n; i++) {
        const struct state_part *p = &s->part[i];
        json_t *o;

        if (p->owner != STATE_NOBODY && !p->is_pending)
            continue;
        o = json_object();
        json_object_set_new(o, "partition", id_json(p->id));
        json_object_set_new(o, "from", name_or_null(s, p->from));
        json_object_set_new(o, "to", name_or_null(s, p->owner));
        json_array_append_new(list, o);
    }
    return list;
}

/* Only the unusual ones. */
static json_t *weights_json(const struct state *s)
{
    json_t *o = json_object();
    char text[PARTID_TEXT_ROOM];

    for (uint32_t i = 0; i < s->part_n; i++) {
        if (s->part[i].weight == WEIGHT_USUAL)
            continue;
        (void)partid_encode(s->part[i].id, text, sizeof text);
        json_object_set_new(o, text, json_integer(s->part[i].weight));
    }
    return o;
}

json_t *state_unread_json(const struct state *s)
{
    json_t *o = json_object();

    must(o != NULL);
    json_object_set_new(o, "partitions", json_integer(s->unread));
    json_object_set_new(o, "workers", json_integer(s->unread_workers));
    json_object_set_new(o, "worker", option_json_text(s->unread_id));
    json_object_set_new(o, "reason", option_json_text(s->unread_why));
    return o;
}

json_t *state_json(const struct state *s)
{
    json_t *o = json_object(), *weights = weights_json(s);

    must(o != NULL);
    json_object_set_new(o, "format_version", json_integer(FORMAT_VERSION));
    json_object_set_new(o, "group", option_json_text(s->group));
    json_object_set_new(o, "leader",
                        s->has_leader ? option_json_text(s->leader) : json_null());
    json_object_set_new(o, "term", json_integer((json_int_t)s->term));
    json_object_set_new(o, "epoch", json_integer((json_int_t)s->epoch));
    json_object_set_new(o, "state", json_string(s->life));
    if (s->why[0] != '\0')
        json_object_set_new(o, "reason", option_json_text(s->why));
    if (s->unread > 0)
        json_object_set_new(o, "unread", state_unread_json(s));
    json_object_set_new(o, "strategy", option_json_text(s->strategy));
    json_object_set_new(o, "workers", workers_json(s));
    json_object_set_new(o, "pending", pending_json(s));
    if (json_object_size(weights) > 0)
        json_object_set(o, "weights", weights);
    json_decref(weights);
    return o;
}

/* ---- reading: the first mistake ends it */

struct reader {
    struct state *s;
    char *why;
    size_t room;
};

static int wrong(struct reader *r, const char *what, const char *where)
{
    (void)snprintf(r->why, r->room, "%s%s", what, where);
    return STATUS_INVALID;
}

static int read_part(struct reader *r, const json_t *text, struct state_part **ret)
{
    char id[PARTID_BYTES_MAX];
    size_t n = 0;

    if (!json_is_string(text))
        return wrong(r, "a partition is not a text", "");
    if (partid_decode((struct bytes){json_string_value(text), json_string_length(text)},
                      id, sizeof id, &n) < 0)
        return wrong(r, "this is no partition: ", json_string_value(text));
    *ret = state_add_part(r->s, (struct bytes){id, n});
    (*ret)->weight = WEIGHT_USUAL;
    return STATUS_OK;
}

static int read_worker(struct reader *r, const json_t *o)
{
    const char *id = json_string_value(json_object_get(o, "id"));
    const char *host = json_string_value(json_object_get(o, "host"));
    const char *zone = json_string_value(json_object_get(o, "zone"));
    const char *state = json_string_value(json_object_get(o, "state"));
    const json_t *capacity = json_object_get(o, "capacity");
    const json_t *parts = json_object_get(o, "partitions"), *part;
    uint32_t index = r->s->worker_n;
    struct state_worker *w;
    size_t i;

    if (id == NULL || id[0] == '\0' || strlen(id) >= ID_ROOM)
        return wrong(r, "a worker has no id, or too long a one", "");
    if (!json_is_array(parts))
        return wrong(r, "there is no list of partitions for ", id);
    if (capacity != NULL &&
        (!json_is_integer(capacity) || json_integer_value(capacity) < 0 ||
         json_integer_value(capacity) > UINT32_MAX))
        return wrong(r, "capacity is no number from 0 to 4294967295 for ", id);
    w = state_add_worker(r->s, id);
    w->capacity =
        capacity != NULL ? (uint32_t)json_integer_value(capacity) : CAPACITY_USUAL;
    bytes_to_text(bytes_of(host != NULL ? host : ""), w->host, sizeof w->host);
    bytes_to_text(bytes_of(zone != NULL ? zone : ""), w->zone, sizeof w->zone);
    for (int k = MEMBER_ACTIVE; state != NULL && k <= MEMBER_AWAY; k++)
        if (strcmp(state, member_state_name((enum member_state)k)) == 0)
            w->state = (enum member_state)k;
    w->has_left = state != NULL && strcmp(state, "left") == 0;
    json_array_foreach(parts, i, part)
    {
        struct state_part *p = NULL;
        int status = read_part(r, part, &p);

        if (status < 0)
            return status;
        p->owner = index;
    }
    return STATUS_OK;
}

/* "from" and "to": a worker's name, or null. */
static int read_name(struct reader *r, const json_t *name, uint32_t *ret)
{
    *ret = STATE_NOBODY;
    if (name == NULL || json_is_null(name))
        return STATUS_OK;
    if (json_is_string(name))
        *ret = state_find(r->s, json_string_value(name));
    return *ret != STATE_NOBODY
               ? STATUS_OK
               : wrong(r, "'pending' names a worker that is not among 'workers': ",
                       json_is_string(name) ? json_string_value(name) : "");
}

static int read_pending(struct reader *r, const json_t *list)
{
    const json_t *o;
    size_t i;

    json_array_foreach(list, i, o)
    {
        struct state_part *p = NULL;
        int status = read_part(r, json_object_get(o, "partition"), &p);

        if (status == STATUS_OK)
            status = read_name(r, json_object_get(o, "from"), &p->from);
        if (status == STATUS_OK)
            status = read_name(r, json_object_get(o, "to"), &p->owner);
        if (status < 0)
            return status;
        p->is_pending = p->owner != STATE_NOBODY;
    }
    return STATUS_OK;
}

static int read_weights(struct reader *r, const json_t *weights)
{
    char text[PARTID_TEXT_ROOM];

    for (uint32_t i = 0; json_object_size(weights) > 0 && i < r->s->part_n; i++) {
        const json_t *weight;

        (void)partid_encode(r->s->part[i].id, text, sizeof text);
        weight = json_object_get(weights, text);
        if (weight == NULL)
            continue;
        if (!json_is_integer(weight) || json_integer_value(weight) < 0 ||
            json_integer_value(weight) > UINT32_MAX)
            return wrong(r, "the weight is no number from 0 to 4294967295 for ", text);
        r->s->part[i].weight = (uint32_t)json_integer_value(weight);
    }
    return STATUS_OK;
}

static int read_all(struct reader *r, const json_t *root)
{
    const json_t *workers = json_object_get(root, "workers"), *o;
    const char *group = json_string_value(json_object_get(root, "group"));
    const char *strategy = json_string_value(json_object_get(root, "strategy"));
    char twice[PARTID_TEXT_ROOM];
    int status = STATUS_OK;
    size_t i;

    if (json_integer_value(json_object_get(root, "format_version")) != FORMAT_VERSION)
        return wrong(r,
                     "its format_version is not 1; this is what 'parti status -o json' "
                     "writes",
                     "");
    if (!json_is_array(workers) || json_array_size(workers) > STATE_WORKERS_MAX)
        return wrong(r, "it has no list 'workers', or too long a one", "");
    bytes_to_text(bytes_of(group != NULL ? group : ""), r->s->group, sizeof r->s->group);
    bytes_to_text(bytes_of(strategy != NULL ? strategy : ""), r->s->strategy,
                  sizeof r->s->strategy);
    r->s->term = (uint64_t)json_integer_value(json_object_get(root, "term"));
    r->s->epoch = (uint64_t)json_integer_value(json_object_get(root, "epoch"));
    json_array_foreach(workers, i, o)
    {
        status = read_worker(r, o);
        if (status < 0)
            return status;
    }
    status = read_pending(r, json_object_get(root, "pending"));
    if (status == STATUS_OK)
        status = read_weights(r, json_object_get(root, "weights"));
    if (status == STATUS_OK && state_sort(r->s, twice, sizeof twice) < 0)
        status = wrong(r, "it names this twice: ", twice);
    return status;
}

int state_from_file(struct state *s, const char *path, char *why, size_t room)
{
    struct reader r = {s, why, room};
    json_error_t error;
    struct stat st;
    FILE *in = fopen(path, "re");
    json_t *root;
    int status;

    if (in == NULL || fstat(fileno(in), &st) != 0) {
        int saved = errno;

        if (in != NULL)
            (void)fclose(in);
        errno = saved;
        return STATUS_IO;
    }
    if (st.st_size > STATE_FILE_MAX) {
        (void)fclose(in);
        return wrong(&r, "it is larger than 256 MiB", "");
    }
    root = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
    (void)fclose(in);
    if (root == NULL) {
        (void)snprintf(why, room, "line %d: %s", error.line, error.text);
        return STATUS_INVALID;
    }
    status = read_all(&r, root);
    json_decref(root);
    return status;
}
