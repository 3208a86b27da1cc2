#include "kafka_list.h"

enum {
    SHOWN_MAX = 60 /* bytes of the brokers that a message repeats */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct kafka_topic *)a)->name,
                  ((const struct kafka_topic *)b)->name);
}

static int by_number(const void *a, const void *b)
{
    int32_t x = ((const struct kafka_part *)a)->number;
    int32_t y = ((const struct kafka_part *)b)->number;

    return (x > y) - (x < y);
}

void kafka_list_destroy(struct kafka_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->topic_n; i++) {
        free(list->topic[i].name);
        free(list->topic[i].part);
    }
    free(list->topic);
    free(list);
}

static const struct kafka_topic *find_topic(const struct kafka_list *list,
                                            const char *name)
{
    struct kafka_topic key = {.name = (char *)(uintptr_t)name};

    if (list->topic_n == 0)
        return NULL;
    return bsearch(&key, list->topic, list->topic_n, sizeof key, by_name);
}

/* ---- which of the brokers' topics
 * ------------------------------------------------------
 */

static int32_t is_named(const struct kafka_wanted *w, const char *name)
{
    size_t low = 0, high = w->name_n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(w->name[middle], name);

        if (order == 0)
            return 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* The brokers' own topics begin with two underscores: nobody means them by a pattern. */
static int32_t is_matched(const struct kafka_wanted *w, const char *name)
{
    return w->has_pattern && strncmp(name, "__", 2) != 0 &&
           regexec(&w->pattern, name, 0, NULL, 0) == 0;
}

/* ---- from metadata to a list
 * -----------------------------------------------------------
 */

static int32_t add_topic(struct kafka_list *list, const struct rd_kafka_metadata_topic *t,
                         struct parti_error *error)
{
    struct kafka_topic *to = &list->topic[list->topic_n];
    size_t n = (size_t)t->partition_cnt;

    if (n > KAFKA_PARTS_MAX - list->total)
        return parti_fail(error, PARTI_BADINPUT,
                          "the topics have more than %d partitions together",
                          KAFKA_PARTS_MAX);
    to->name = strdup(t->topic);
    to->part = calloc(n + 1, sizeof *to->part);
    list->topic_n++; /* so that what there is of it is freed */
    if (to->name == NULL || to->part == NULL)
        return PARTI_NOMEM;
    for (size_t i = 0; i < n; i++)
        to->part[i] =
            (struct kafka_part){t->partitions[i].id, t->partitions[i].leader, -1};
    qsort(to->part, n, sizeof *to->part, by_number);
    to->part_n = n;
    list->total += n;
    return PARTI_OK;
}

/* What a topic lacks that is asked for by name.  PARTI_OK: nothing. */
static int32_t topic_fault(const struct kafka_link *link,
                           const struct rd_kafka_metadata_topic *t,
                           struct parti_error *error)
{
    const char *brokers = kafka_link_brokers(link);

    switch ((int)t->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return PARTI_OK;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        return parti_fail(error, PARTI_MISSING,
                          "topic '%.100s' does not exist at %.*s. Create it, or correct "
                          "topics; nothing is created from here",
                          t->topic, SHOWN_MAX, brokers);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return parti_fail(
            error, PARTI_DENIED,
            "topic '%.100s' may not be seen by this user at %.*s. Give it the "
            "right Describe on the topic",
            t->topic, SHOWN_MAX, brokers);
    default:
        return parti_fail(error, PARTI_RETRY,
                          "topic '%.100s': %s. If it stays so, look at the log of %.*s",
                          t->topic, rd_kafka_err2str(t->err), SHOWN_MAX, brokers);
    }
}

/* Adds the topics of one answer: the named ones, or those that match. */
static int32_t take(const struct kafka_wanted *w, const struct kafka_link *link,
                    const struct rd_kafka_metadata *md, int32_t by_pattern,
                    struct kafka_list *list, struct parti_error *error)
{
    size_t most = list->topic_n + (size_t)md->topic_cnt + 1;
    struct kafka_topic *grown = realloc(list->topic, most * sizeof *grown);
    int32_t code = PARTI_OK;

    if (grown == NULL)
        return PARTI_NOMEM;
    list->topic = grown;
    for (int i = 0; i < md->topic_cnt && code == PARTI_OK; i++) {
        const struct rd_kafka_metadata_topic *t = &md->topics[i];
        int32_t named = is_named(w, t->topic);

        if (by_pattern ? named || !is_matched(w, t->topic) : !named)
            continue;
        list->topic[list->topic_n] = (struct kafka_topic){0};
        /* What matches a pattern and is being made or removed is listed once it is. */
        if (by_pattern && t->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            continue;
        code = topic_fault(link, t, error);
        if (code == PARTI_OK)
            code = add_topic(list, t, error);
    }
    return code;
}

static int32_t fetch_once(const struct kafka_wanted *w, struct kafka_link *link,
                          uint64_t deadline_ms, struct kafka_list *list,
                          struct parti_error *error)
{
    int32_t code = PARTI_OK;

    for (int32_t by_pattern = 0; by_pattern < 2 && code == PARTI_OK; by_pattern++) {
        const struct rd_kafka_metadata *md = NULL;

        if (by_pattern ? !w->has_pattern : w->name_n == 0)
            continue;
        code = kafka_link_metadata(link, by_pattern, deadline_ms, &md, error);
        if (code != PARTI_OK)
            return code;
        code = take(w, link, md, by_pattern, list, error);
        rd_kafka_metadata_destroy(md);
    }
    if (code == PARTI_OK && list->topic_n > 0)
        qsort(list->topic, list->topic_n, sizeof *list->topic, by_name);
    for (size_t i = 0; i < w->name_n && code == PARTI_OK; i++)
        if (find_topic(list, w->name[i]) == NULL)
            code = parti_fail(error, PARTI_RETRY,
                              "the brokers %.*s say nothing of topic '%.100s'. If it "
                              "stays so, look at their log",
                              SHOWN_MAX, kafka_link_brokers(link), w->name[i]);
    return code;
}

int32_t kafka_list_fetch(const struct kafka_wanted *wanted, struct kafka_link *link,
                         uint64_t deadline_ms, struct kafka_list **ret,
                         struct parti_error *error)
{
    struct kafka_list *list = calloc(1, sizeof *list);
    int32_t code = PARTI_NOMEM;

    if (list != NULL)
        code = fetch_once(wanted, link, deadline_ms, list, error);
    if (code == PARTI_OK)
        *ret = list;
    else
        kafka_list_destroy(list);
    return code;
}

/* ---- measures and ids
 * ------------------------------------------------------------------
 */

void kafka_list_inherit(struct kafka_list *list, const struct kafka_list *older)
{
    if (older == NULL)
        return;
    for (size_t i = 0; i < list->topic_n; i++) {
        struct kafka_topic *to = &list->topic[i];
        const struct kafka_topic *from = find_topic(older, to->name);

        for (size_t a = 0, b = 0; from != NULL && a < to->part_n && b < from->part_n;) {
            int order = by_number(&to->part[a], &from->part[b]);

            if (order == 0)
                to->part[a].measure = from->part[b].measure;
            a += order <= 0;
            b += order >= 0;
        }
    }
}

size_t kafka_list_id(const struct kafka_topic *topic, const struct kafka_part *part,
                     char *id)
{
    size_t n = strlen(topic->name);

    memcpy(id, topic->name, n + 1);
    return n + 1 + (size_t)snprintf(id + n + 1, KAFKA_ID_MAX - n - 1, "%d", part->number);
}
