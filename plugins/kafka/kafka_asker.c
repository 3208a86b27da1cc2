/* What must be waited for: the offsets that the group has committed, and what the brokers
 * say of a topic.  A thread of its own asks, one question at a time, so that nobody's
 * messages wait meanwhile.
 *
 * librdkafka 2.0 has requests that do not wait, of its admin interface; they end the
 * process when the group's coordinator goes away at the wrong moment. */
#include "kafka_consumer.h"

/* ---- questions ------------------------------------------------------------------- */

/* The lanes that want to know. */
static rd_kafka_topic_partition_list_t *list_wanted(struct kafka_consumer *c)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(64);

    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct kafka_lane *l = c->lane[i];

        if (l == NULL || l->state != KAFKA_READER_WANTED)
            continue;
        l->state = KAFKA_READER_ASKED;
        (void)rd_kafka_topic_partition_list_add(list, l->name, l->partition);
    }
    if (list->cnt > 0)
        return list;
    rd_kafka_topic_partition_list_destroy(list);
    return NULL;
}

static void put(struct kafka_consumer *c, const struct kafka_question *question)
{
    c->is_asking = 1;
    (void)pthread_mutex_lock(&c->note_mutex);
    c->question = *question;
    (void)pthread_cond_signal(&c->ask_cond);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

void kafka_ask_offsets(struct kafka_consumer *c)
{
    const struct kafka_question question = {.offsets = list_wanted(c)};

    if (question.offsets != NULL)
        put(c, &question);
}

void kafka_ask_topic(struct kafka_consumer *c, struct kafka_known *topic)
{
    put(c, &(struct kafka_question){.topic = topic});
}

/* ---- the thread ------------------------------------------------------------------ */

/* FNV-1a, never 0. */
static uint32_t hash_of(const char *text)
{
    uint32_t h = UINT32_C(2166136261);

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * UINT32_C(16777619);
    return h != 0 ? h : 1;
}

/* Its id comes with the first metadata; a cluster older than Kafka 0.10.1 has none. */
static uint32_t cluster_of(rd_kafka_t *rk, int timeout_ms)
{
    char *id = rd_kafka_clusterid(rk, timeout_ms);
    uint32_t h = hash_of(id != NULL ? id : "");

    if (id != NULL)
        rd_kafka_mem_free(rk, id);
    return h;
}

/* Is anybody else at work in the group?  Asked only where somebody else has committed. */
static int32_t has_members(rd_kafka_t *rk, const char *group, int timeout_ms,
                           const rd_kafka_topic_partition_list_t *offsets)
{
    const struct rd_kafka_group_list *found = NULL;
    int32_t is_asked = 0, n = 0;

    for (int i = 0; i < offsets->cnt; i++)
        is_asked |=
            offsets->elems[i].offset >= 0 && !kafka_position_is_ours(&offsets->elems[i]);
    if (!is_asked)
        return 0;
    (void)rd_kafka_list_groups(rk, group, &found,
                               timeout_ms); /* perhaps of some brokers */
    for (int i = 0; found != NULL && i < found->group_cnt; i++)
        n |= found->groups[i].member_cnt > 0;
    if (found != NULL)
        rd_kafka_group_list_destroy(found);
    return n;
}

static void find_out(const struct kafka_consumer *c, int timeout_ms,
                     struct kafka_question *q)
{
    rd_kafka_t *rk = c->rk;

    if (q->topic != NULL) {
        q->err = rd_kafka_metadata(rk, 0, q->topic->rkt, &q->metadata, timeout_ms);
        return;
    }
    q->err = rd_kafka_committed(rk, q->offsets, timeout_ms);
    if (q->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    q->cluster = cluster_of(rk, timeout_ms);
    q->has_members = has_members(rk, c->group, timeout_ms, q->offsets);
}

static int32_t is_empty(const struct kafka_question *q)
{
    return q->offsets == NULL && q->topic == NULL;
}

void *kafka_asker(void *ctx)
{
    struct kafka_consumer *c = ctx;
    int slice_ms = KAFKA_ASK_MS;

    (void)pthread_mutex_lock(&c->note_mutex);
    while (!c->is_ending) {
        struct kafka_question q = c->question;

        if (is_empty(&q)) {
            (void)pthread_cond_wait(&c->ask_cond, &c->note_mutex);
            continue;
        }
        c->question = (struct kafka_question){.offsets = NULL};
        (void)pthread_mutex_unlock(&c->note_mutex);
        find_out(c, slice_ms, &q);
        /* An answer that is late is lost, so the next wait is longer. */
        slice_ms = q.err != RD_KAFKA_RESP_ERR__TIMED_OUT ? KAFKA_ASK_MS
                   : slice_ms < KAFKA_ASK_MAX_MS         ? 2 * slice_ms
                                                         : slice_ms;
        (void)pthread_mutex_lock(&c->note_mutex);
        c->answer = q;
        c->is_woken = 1;
        (void)pthread_cond_signal(&c->note_cond);
    }
    (void)pthread_mutex_unlock(&c->note_mutex);
    return NULL;
}

/* ---- answers --------------------------------------------------------------------- */

void kafka_question_finish(struct kafka_question *q)
{
    if (q->offsets != NULL)
        rd_kafka_topic_partition_list_destroy(q->offsets);
    if (q->metadata != NULL)
        rd_kafka_metadata_destroy(q->metadata);
    *q = (struct kafka_question){.offsets = NULL};
}

/* Is anybody there?  librdkafka's own word for it does not come in every case.  That the
 * group's coordinator is silent says nothing. */
static void hear_life(struct kafka_consumer *c, const struct kafka_question *q)
{
    if (q->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        c->is_down = 0;
        c->silent_n = 0;
        c->down[0] = '\0';
        return;
    }
    if (q->topic == NULL)
        return;
    q->topic->check_ms = kafka_now_ms() + KAFKA_PROBE_MS;
    if (++c->silent_n < 2)
        return;
    if (c->down[0] == '\0')
        (void)snprintf(c->down, sizeof c->down, KAFKA_DOWN, c->brokers, 100,
                       rd_kafka_err2str(q->err));
    c->is_down = 1;
}

void kafka_ask_hear(struct kafka_consumer *c)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    struct kafka_question q = c->answer;
    c->answer = (struct kafka_question){.offsets = NULL};
    (void)pthread_mutex_unlock(&c->note_mutex);
    if (is_empty(&q))
        return;
    c->is_asking = 0;
    if (q.cluster != 0)
        c->cluster = q.cluster;
    hear_life(c, &q);
    if (q.topic == NULL && q.err == RD_KAFKA_RESP_ERR_NO_ERROR)
        c->has_members = q.has_members;
    if (q.topic == NULL)
        kafka_position_offsets(c, q.offsets, q.err);
    else if (q.metadata != NULL && q.metadata->topic_cnt == 1)
        kafka_reader_metadata(c, q.topic, &q.metadata->topics[0]);
    kafka_question_finish(&q);
    kafka_duty_by(c, 0);
}
