/* The offsets that the group has committed: asked for before a run, and written after the
 * host's record.  Commits carry 'parti GEN-SINCE', the token of whoever wrote them. */
#include "kafka_consumer.h"

static const char mark[] = "parti ";

int32_t kafka_position_is_ours(const rd_kafka_topic_partition_t *p)
{
    return p->metadata != NULL && p->metadata_size >= sizeof mark - 1 &&
           memcmp(p->metadata, mark, sizeof mark - 1) == 0;
}

/* ---- what was asked for ------------------------------------------------------------ */

static void refuse(struct kafka_consumer *c, struct kafka_lane *l,
                   rd_kafka_resp_err_t err)
{
    char text[KAFKA_TEXT_ROOM];

    switch ((int)err) {
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        (void)snprintf(text, sizeof text,
                       "this user may not use group '%.100s'; allow it Read on the group",
                       c->group);
        kafka_reader_give_up(c, l, text);
        return;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        (void)snprintf(text, sizeof text,
                       "this user may not see topic '%s'; allow it Read on the topic",
                       l->name);
        kafka_reader_give_up(c, l, text);
        return;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        kafka_reader_begin(c, l, -1, 0); /* whoever reads hears it in better words */
        return;
    default: break;
    }
    l->topic->check_ms = 1; /* is anybody there? */
    if (c->is_down || l->failures == 0) {
        kafka_reader_later(c, l, NULL);
        return;
    }
    (void)snprintf(text, sizeof text,
                   "what group '%.100s' has committed is not to be learnt: %.200s",
                   c->group, rd_kafka_err2str(err));
    kafka_reader_later(c, l, text);
}

/* One partition of the answer. */
static void on_offset(struct kafka_consumer *c, const rd_kafka_topic_partition_t *p)
{
    const struct kafka_known *t = kafka_topic_get(c, p->topic);
    struct kafka_lane *l = t != NULL && (size_t)p->partition < t->past_room
                               ? t->past[p->partition].reader
                               : NULL;

    if (l == NULL || l->state != KAFKA_READER_ASKED)
        return;
    if (p->err != 0)
        refuse(c, l, p->err);
    else
        kafka_reader_begin(c, l, p->offset >= 0 ? p->offset : -1,
                           kafka_position_is_ours(p));
}

void kafka_position_offsets(struct kafka_consumer *c,
                            const rd_kafka_topic_partition_list_t *list,
                            rd_kafka_resp_err_t err)
{
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
        c->group_fault = RD_KAFKA_RESP_ERR_NO_ERROR;
    else if (c->group_fault != RD_KAFKA_RESP_ERR_NO_ERROR)
        err = c->group_fault; /* why there is no coordinator */
    for (int i = 0; err == 0 && i < list->cnt; i++)
        on_offset(c, &list->elems[i]);
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct kafka_lane *l = c->lane[i];

        if (l == NULL || l->state != KAFKA_READER_ASKED)
            continue;
        if (err != 0)
            refuse(c, l, err);
        else
            kafka_reader_begin(c, l, -1, 0);
    }
    kafka_duty_by(c, 0);
}

/* ---- committing ------------------------------------------------------------------ */

void kafka_position_note(struct kafka_consumer *c, struct kafka_lane *l)
{
    struct kafka_past *past = &l->topic->past[l->partition];

    past->offset = (int64_t)l->done;
    past->gen = l->gen;
    past->since = l->since;
    past->until_ms = UINT64_MAX;
    past->is_dirty = 1;
    c->is_dirty = 1;
}

/* These have not been committed: the next time. */
static void keep_dirty(struct kafka_consumer *c,
                       const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        struct kafka_known *t = kafka_topic_get(c, p->topic);

        if (t == NULL || (size_t)p->partition >= t->past_room)
            continue;
        t->past[p->partition].is_dirty = 1;
        c->is_dirty = 1;
    }
}

void kafka_position_commit(struct kafka_consumer *c, uint64_t now_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(64);
    char text[KAFKA_META_ROOM];

    c->is_dirty = 0;
    c->commit_ms = now_ms + KAFKA_COMMIT_MS;
    for (struct kafka_known *t = c->topic; t != NULL; t = t->next)
        for (size_t i = 0; i < t->past_room; i++) {
            struct kafka_past *past = &t->past[i];

            if (!past->is_dirty)
                continue;
            past->is_dirty = 0;
            if (past->reader == NULL && past->until_ms == UINT64_MAX)
                past->until_ms = now_ms + KAFKA_LEAVE_MS;
            if (now_ms > past->until_ms)
                continue; /* somebody else may hold it by now */
            (void)snprintf(text, sizeof text, "%s%llu-%llu", mark,
                           (unsigned long long)past->gen,
                           (unsigned long long)past->since);
            rd_kafka_topic_partition_t *p =
                rd_kafka_topic_partition_list_add(list, t->name, (int32_t)i);
            p->offset = past->offset;
            p->metadata = strdup(text);
            p->metadata_size = p->metadata != NULL ? strlen(text) : 0;
        }
    if (list->cnt > 0) {
        if (rd_kafka_commit_queue(c->rk, list, c->answers, NULL, NULL) == 0)
            c->commits_sent++;
        else
            keep_dirty(c, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

/* It was refused since the group has members, which alone may commit. */
static int32_t is_for_members(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           err == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           err == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

int32_t kafka_position_is_contested(const struct kafka_consumer *c)
{
    return c->has_members || is_for_members(c->commit_fault);
}

static void tell_commit(struct kafka_consumer *c, rd_kafka_resp_err_t err)
{
    const char *more = "";
    char text[KAFKA_TEXT_ROOM];

    if (err == c->commit_fault)
        return;
    c->commit_fault = err;
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        parti_log(c->host, PARTI_INFO, "offsets are committed again");
        return;
    }
    if (is_for_members(err))
        more =
            ". The group has members of its own: stop them, or give Parti another group";
    (void)snprintf(text, sizeof text,
                   "offsets of group '%.100s' are not committed: %.200s%s. Parti's "
                   "positions are safe without",
                   c->group, rd_kafka_err2str(err), more);
    parti_log(c->host, PARTI_WARN, text);
}

static void on_committed(struct kafka_consumer *c, rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *list =
        rd_kafka_event_topic_partition_list(event);
    rd_kafka_resp_err_t whole = rd_kafka_event_error(event), fault = whole;
    uint64_t now = kafka_now_ms();

    if (c->commits_sent > 0)
        c->commits_sent--;
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        struct kafka_known *t = kafka_topic_get(c, p->topic);
        rd_kafka_resp_err_t err = p->err != 0 ? p->err : whole;

        if (t == NULL || (size_t)p->partition >= t->past_room)
            continue;
        struct kafka_past *past = &t->past[p->partition];
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            past->known_ms = now;
            continue;
        }
        fault = err;
        past->is_dirty = c->is_dirty = 1;
    }
    /* Brokers that are away are told otherwise. */
    if (!c->is_down && fault != RD_KAFKA_RESP_ERR__TRANSPORT &&
        fault != RD_KAFKA_RESP_ERR__DESTROY)
        tell_commit(c, fault);
}

/* ---- answers --------------------------------------------------------------------- */

void kafka_position_answer(struct kafka_consumer *c, rd_kafka_event_t *event)
{
    if (event == NULL)
        return;
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_OFFSET_COMMIT: on_committed(c, event); break;
    default: break;
    }
    rd_kafka_event_destroy(event);
}

/* What the group's coordinator has against us. */
static void hear_group(struct kafka_consumer *c)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(c->group_queue, 0)) != NULL) {
        if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
            c->group_fault = RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
        rd_kafka_event_destroy(event);
    }
}

void kafka_position_hear(struct kafka_consumer *c)
{
    rd_kafka_event_t *event;

    hear_group(c);
    while ((event = rd_kafka_queue_poll(c->answers, 0)) != NULL)
        kafka_position_answer(c, event);
}
