/* One reader: where it begins, what it tells but for messages, how it ends. */
#include "kafka_consumer.h"

enum { PAST_MAX = 1 << 20 /* partitions of a topic */ };

/* ---- topics and their partitions ------------------------------------------------- */

struct kafka_known *kafka_topic_get(struct kafka_consumer *c, const char *name)
{
    size_t n = strlen(name) + 1;

    for (struct kafka_known *t = c->topic; t != NULL; t = t->next)
        if (strcmp(t->name, name) == 0)
            return t;
    struct kafka_known *t = calloc(1, sizeof *t + n);
    if (t == NULL)
        return NULL;
    memcpy(t->name, name, n);
    t->rkt = rd_kafka_topic_new(c->rk, name, NULL);
    if (t->rkt == NULL) {
        free(t);
        return NULL;
    }
    t->next = c->topic;
    c->topic = t;
    return t;
}

struct kafka_past *kafka_past_get(struct kafka_known *topic, int32_t partition)
{
    size_t i = (size_t)partition;

    if (i >= PAST_MAX)
        return NULL;
    if (i >= topic->past_room) {
        size_t room = i + i / 2 + 16;
        struct kafka_past *more = realloc(topic->past, room * sizeof *more);

        if (more == NULL)
            return NULL;
        memset(more + topic->past_room, 0, (room - topic->past_room) * sizeof *more);
        topic->past = more;
        topic->past_room = room;
    }
    return &topic->past[i];
}

static struct kafka_past *past_of(const struct kafka_lane *l)
{
    return &l->topic->past[l->partition];
}

/* ---- words ----------------------------------------------------------------------- */

void kafka_reader_tell(struct kafka_consumer *c, struct kafka_lane *l, int32_t code,
                       const char *text)
{
    if (code == PARTI_OK && l->trouble == PARTI_OK)
        return;
    l->trouble = code;
    c->inlet->trouble(c->inlet, l->index, l->run, code, text);
}

static void say(struct kafka_consumer *c, const struct kafka_lane *l, int32_t level,
                const char *text)
{
    char whole[2 * KAFKA_TEXT_ROOM];

    (void)snprintf(whole, sizeof whole, "%s/%d: %s", l->name, (int)l->partition, text);
    parti_log(c->host, level, whole);
}

void kafka_reader_later(struct kafka_consumer *c, struct kafka_lane *l, const char *text)
{
    kafka_reader_end(c, l);
    l->state = KAFKA_READER_DUE;
    l->when_ms = kafka_now_ms() + kafka_pause_ms(l->failures++);
    kafka_duty_by(c, l->when_ms);
    if (text != NULL)
        kafka_reader_tell(c, l, PARTI_RETRY, text);
}

void kafka_reader_give_up(struct kafka_consumer *c, struct kafka_lane *l,
                          const char *text)
{
    kafka_reader_end(c, l);
    kafka_reader_tell(c, l, PARTI_BADINPUT, text);
}

/* ---- reading --------------------------------------------------------------------- */

/* Under a lock of librdkafka's. */
static void on_queue(rd_kafka_t *rk, void *opaque)
{
    struct kafka_lane *l = opaque;

    kafka_duty_ready(rd_kafka_opaque(rk), l);
}

static void read_from(struct kafka_consumer *c, struct kafka_lane *l, int64_t offset)
{
    char why[KAFKA_TEXT_ROOM];

    kafka_reader_end(c, l);
    l->begin = offset;
    l->position = offset >= 0 ? offset : 0;
    l->queue = rd_kafka_queue_get_partition(c->rk, l->name, l->partition);
    if (l->queue == NULL) {
        kafka_reader_later(c, l, "librdkafka has no queue for it");
        return;
    }
    rd_kafka_queue_cb_event_enable(l->queue, on_queue, l);
    if (rd_kafka_consume_start(l->topic->rkt, l->partition, offset) != 0) {
        (void)snprintf(why, sizeof why, "librdkafka does not read it: %s",
                       rd_kafka_err2str(rd_kafka_last_error()));
        kafka_reader_later(c, l, why);
        return;
    }
    l->state = KAFKA_READER_READING;
    if (l->topic->check_ms == 0 || l->topic->check_ms > kafka_now_ms() + KAFKA_SILENT_MS)
        l->topic->check_ms = kafka_now_ms() + KAFKA_SILENT_MS;
    kafka_duty_by(c, l->topic->check_ms);
    kafka_duty_ready(c, l); /* should something have come before the callback stood */
}

void kafka_reader_end(struct kafka_consumer *c, struct kafka_lane *l)
{
    (void)c;
    if (l->queue != NULL) {
        rd_kafka_queue_cb_event_enable(l->queue, NULL, NULL);
        (void)rd_kafka_consume_stop(l->topic->rkt, l->partition);
        rd_kafka_queue_destroy(l->queue);
        l->queue = NULL;
    }
    kafka_flow_drop(l);
    l->state = KAFKA_READER_NONE;
    l->has_more = 0;
    l->streak = l->streak_bytes = 0;
}

/* ---- where it begins ------------------------------------------------------------- */

static uint64_t origin_of(const struct kafka_consumer *c, uint32_t life)
{
    return (uint64_t)c->cluster << 32 | (life != 0 ? life : 1);
}

/* The record speaks of another life: this one begins at the first message there is. */
static void begin_anew(struct kafka_consumer *c, struct kafka_lane *l)
{
    struct kafka_past *past = past_of(l);

    past->is_void = 1;
    past->life = (uint32_t)l->origin + 1;
    read_from(c, l, RD_KAFKA_OFFSET_BEGINNING);
}

static void begin_at_record(struct kafka_consumer *c, struct kafka_lane *l,
                            int64_t committed, int32_t is_ours)
{
    struct kafka_past *past = past_of(l);
    int64_t next = (int64_t)l->next;
    char text[KAFKA_TEXT_ROOM];
    uint64_t now = kafka_now_ms();

    if (l->origin >> 32 != c->cluster) {
        say(c, l, PARTI_WARN, "the position is of another cluster of Kafka");
        begin_anew(c, l);
        return;
    }
    /* Either alone may have another reason: a broker that knows less, a deleted group. */
    if (committed < 0 && past->was_missing && past->known_ms != 0 &&
        now < past->known_ms + KAFKA_KNOWN_MS) {
        say(c, l, PARTI_WARN,
            "the topic was deleted and made anew: with it went the offset that Parti has "
            "committed");
        begin_anew(c, l);
        return;
    }
    if (committed < 0 && next > 0 && !past->is_word_old) {
        (void)snprintf(text, sizeof text,
                       "group %.80s has no committed offset here, though there was one: "
                       "it has expired, or the topic was deleted and made anew. Reading "
                       "goes on at the position, %lld; to begin at the first message "
                       "remove the position",
                       c->group, (long long)next);
        say(c, l, PARTI_WARN, text);
    }
    if (committed >= 0 && !is_ours && committed < next && !past->is_word_old) {
        (void)snprintf(text, sizeof text,
                       "somebody has set group %.80s back to %lld; Parti's position, "
                       "%lld, stays. To go back remove the position",
                       c->group, (long long)committed, (long long)next);
        say(c, l, PARTI_WARN, text);
    }
    past->is_word_old = 1;
    if (committed > next && !is_ours && kafka_position_is_contested(c)) {
        (void)snprintf(
            text, sizeof text,
            "group %.80s has members that are not Parti's, and they have "
            "committed %lld; Parti's position, %lld, stays. Stop them, or give "
            "Parti another group",
            c->group, (long long)committed, (long long)next);
        say(c, l, PARTI_WARN, text);
        kafka_position_note(c,
                            l); /* as soon as they have gone this is the group's, too */
    } else if (committed > next && !is_ours && !l->is_word_gone) {
        (void)snprintf(
            text, sizeof text,
            "somebody has set group %.80s forward from %lld to %lld, and Parti "
            "follows",
            c->group, (long long)next, (long long)committed);
        say(c, l, PARTI_WARN, text);
        l->word = committed;
        read_from(c, l, committed);
        return;
    }
    read_from(c, l, next);
}

void kafka_reader_begin(struct kafka_consumer *c, struct kafka_lane *l, int64_t committed,
                        int32_t is_ours)
{
    struct kafka_past *past = past_of(l);
    int32_t is_followed = !is_ours || c->start == KAFKA_START_COMMITTED;

    l->is_behind = 0;
    l->word = -1;
    if (l->origin != 0) {
        past->is_void = 0;
        begin_at_record(c, l, committed, is_ours);
    } else if (past->is_void) {
        read_from(c, l, RD_KAFKA_OFFSET_BEGINNING); /* whatever 'start' says */
    } else if (committed >= 0 && is_followed && !l->is_word_gone) {
        l->word = committed;
        read_from(c, l, committed);
    } else {
        read_from(c, l,
                  c->start == KAFKA_START_LATEST && !l->is_word_gone
                      ? RD_KAFKA_OFFSET_END
                      : RD_KAFKA_OFFSET_BEGINNING);
    }
}

int32_t kafka_reader_begun(struct kafka_consumer *c, struct kafka_lane *l, int64_t first)
{
    struct kafka_past *past = past_of(l);
    int64_t from = l->begin >= 0 ? l->begin : first;
    uint64_t origin = l->origin;

    l->failures = 0;
    if (!c->is_down) /* what was fetched before comes nevertheless */
        kafka_reader_tell(c, l, PARTI_OK, "");
    if (l->has_begun)
        return 1;
    if (l->is_behind && first < (int64_t)l->next) {
        say(c, l, PARTI_WARN,
            "the log ends before the position: the topic was deleted and made anew, or "
            "an unclean election has cut it");
        past->is_void = 1;
        past->life = (uint32_t)l->origin + 1;
    }
    if (origin == 0 || past->is_void)
        origin = origin_of(c, past->is_void ? past->life : 1);
    if (l->origin == 0)
        past->is_void = 0; /* the host has taken note */
    l->has_begun = 1;
    past->was_missing = 0;
    l->position = from;
    c->inlet->begun(c->inlet, l->index, l->run, origin, (uint64_t)from);
    if (l->origin == 0 || origin == l->origin)
        return 1;
    past->known_ms = 0;
    kafka_reader_end(c, l); /* the host begins another run */
    return 0;
}

/* ---- what is no message ---------------------------------------------------------- */

/* What was asked for lies outside the log. */
static int32_t out_of_range(struct kafka_consumer *c, struct kafka_lane *l)
{
    char text[KAFKA_TEXT_ROOM];

    if (l->begin < 0 && !l->has_begun)
        return 1; /* the reason comes next */
    if (l->has_begun) {
        (void)snprintf(text, sizeof text,
                       "position %lld is no more to be had: messages were deleted by "
                       "retention before they were read, or the topic was made anew",
                       (long long)l->position);
        kafka_reader_give_up(c, l, text);
        return 0;
    }
    if (l->word >= 0) {
        (void)snprintf(
            text, sizeof text,
            "the offset that group %.80s has committed, %lld, lies outside the "
            "log and is not followed",
            c->group, (long long)l->word);
        say(c, l, PARTI_WARN, text);
        l->is_word_gone = 1;
        kafka_reader_later(c, l, NULL);
        return 0;
    }
    read_from(c, l, RD_KAFKA_OFFSET_BEGINNING);
    l->is_behind = 1;
    return 0;
}

static void refuse(struct kafka_consumer *c, struct kafka_lane *l, const char *what,
                   const char *more)
{
    char text[KAFKA_TEXT_ROOM];

    (void)snprintf(text, sizeof text, "topic '%s' %s%.255s", l->name, what, more);
    kafka_reader_give_up(c, l, text);
}

void kafka_reader_unfit(struct kafka_consumer *c, struct kafka_lane *l, int64_t offset)
{
    char number[256];

    (void)snprintf(
        number, sizeof number,
        "%lld has a message larger than Parti takes (64 MiB, 4096 headers); to "
        "leave it out, stop the group and parti positions --set %lld",
        (long long)offset, (long long)offset + 1);
    refuse(c, l, "at offset ", number);
}

static void refuse_missing(struct kafka_consumer *c, struct kafka_lane *l)
{
    past_of(l)->was_missing = 1;
    refuse(c, l, "does not exist, or this user may not see it, at ", c->brokers);
}

static void refuse_number(struct kafka_consumer *c, struct kafka_lane *l)
{
    char number[32];

    (void)snprintf(number, sizeof number, "%d", (int)l->partition);
    refuse(c, l, "has no partition ", number);
}

static void refuse_right(struct kafka_consumer *c, struct kafka_lane *l)
{
    refuse(c, l, "may not be read by this user; allow it Read on the topic", "");
}

int32_t kafka_reader_event(struct kafka_consumer *c, struct kafka_lane *l,
                           const rd_kafka_message_t *event)
{
    char text[KAFKA_TEXT_ROOM];
    const char *words = rd_kafka_message_errstr(event);

    switch ((int)event->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: return kafka_reader_begun(c, l, event->offset);
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return out_of_range(c, l);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: refuse_right(c, l); return 0;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: refuse_missing(c, l); return 0;
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: refuse_number(c, l); return 0;
    default: break;
    }
    (void)snprintf(text, sizeof text, "it is not read at present: %.300s",
                   words != NULL ? words : rd_kafka_err2str(event->err));
    if (!l->has_begun) {
        kafka_reader_later(c, l, text); /* a question for its ends may not be repeated */
        return 0;
    }
    kafka_reader_tell(c, l, PARTI_RETRY, text);
    return 1;
}

/* ---- what the brokers say of a topic --------------------------------------------- */

static void check(struct kafka_consumer *c, struct kafka_lane *l,
                  const struct rd_kafka_metadata_topic *md)
{
    const struct rd_kafka_metadata_partition *p = NULL;

    for (int i = 0; i < md->partition_cnt; i++)
        if (md->partitions[i].id == l->partition)
            p = &md->partitions[i];
    if (p == NULL) {
        refuse_number(c, l);
    } else if (p->leader < 0) {
        l->is_headless = 1;
        kafka_reader_tell(
            c, l, PARTI_RETRY,
            "the partition has no leader: the brokers that keep it are away; start them");
    } else if (l->is_headless) {
        l->is_headless = 0;
        if (!c->is_down)
            kafka_reader_tell(c, l, PARTI_OK, "");
    }
}

void kafka_reader_metadata(struct kafka_consumer *c, struct kafka_known *topic,
                           const struct rd_kafka_metadata_topic *md)
{
    int32_t is_missing = md->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                         md->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    int32_t is_read = 0, is_quiet = 1;

    topic->missing_n = is_missing ? topic->missing_n + 1 : 0;
    for (size_t i = 0; i < topic->past_room; i++) {
        struct kafka_lane *l = topic->past[i].reader;

        if (l == NULL || l->state != KAFKA_READER_READING)
            continue;
        /* One broker that knows less than the others is no proof. */
        if (is_missing && topic->missing_n > 1)
            refuse_missing(c, l);
        else if (md->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            refuse_right(c, l);
        else if (md->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            check(c, l, md);
        is_read |= l->state == KAFKA_READER_READING;
        is_quiet &= l->has_begun;
    }
    topic->check_ms = !is_read
                          ? 0
                          : kafka_now_ms() + (is_missing || !is_quiet ? KAFKA_SILENT_MS
                                                                      : KAFKA_CHECK_MS);
}
