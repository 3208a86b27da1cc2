/* Messages of a lane: from librdkafka's queue of its partition to the inlet. */
#include "kafka_consumer.h"

enum { HEADERS_MAX = 4096, BYTES_MAX = 64 << 20 };

/* ---- headers: two columns in one block ------------------------------------------- */

static int32_t make_room(struct kafka_consumer *c, size_t bytes, size_t ends)
{
    if (c->bytes_n + bytes > c->bytes_room) {
        size_t room = 2 * (c->bytes_n + bytes) + 4096;
        char *more = realloc(c->bytes, room);

        if (more == NULL)
            return 0;
        c->bytes = more;
        c->bytes_room = room;
    }
    if (c->ends_n + ends > c->ends_room) {
        size_t room = 2 * (c->ends_n + ends) + 256;
        uint64_t *more = realloc(c->ends, room * sizeof *more);

        if (more == NULL)
            return 0;
        c->ends = more;
        c->ends_room = room;
    }
    return 1;
}

/* What a message's columns are before the blocks stand still: places in them. */
struct place {
    size_t name, value, ends, n;
};

static int32_t put_headers(struct kafka_consumer *c, const rd_kafka_message_t *m,
                           struct place *ret)
{
    rd_kafka_headers_t *list = NULL;
    const char *name;
    const void *value;
    size_t value_n, names_n = 0, values_n = 0, n = 0;

    *ret = (struct place){0};
    if (rd_kafka_message_headers(m, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 1;
    while (rd_kafka_header_get_all(list, n, &name, &value, &value_n) ==
           RD_KAFKA_RESP_ERR_NO_ERROR) {
        names_n += strlen(name);
        values_n += value_n;
        n++;
    }
    if (!make_room(c, names_n + values_n + 1, 2 * n))
        return 0;
    *ret = (struct place){c->bytes_n, c->bytes_n + names_n, c->ends_n, n};
    size_t name_end = 0, value_end = 0;
    for (size_t i = 0; i < n; i++) {
        (void)rd_kafka_header_get_all(list, i, &name, &value, &value_n);
        size_t name_n = strlen(name);

        memcpy(c->bytes + ret->name + name_end, name, name_n);
        if (value_n > 0)
            memcpy(c->bytes + ret->value + value_end, value, value_n);
        c->ends[ret->ends + i] = name_end += name_n;
        c->ends[ret->ends + n + i] = value_end += value_n;
    }
    c->bytes_n += names_n + values_n + 1;
    c->ends_n += 2 * n;
    return 1;
}

static void point(const struct kafka_consumer *c, const struct place *p,
                  struct parti_consumer_message *m)
{
    if (p->n == 0)
        return;
    m->header_name = (struct parti_strs){c->bytes + p->name, c->ends + p->ends, p->n};
    m->header_value =
        (struct parti_strs){c->bytes + p->value, c->ends + p->ends + p->n, p->n};
}

/* ---- delivering ------------------------------------------------------------------ */

static void fill(const struct kafka_lane *l, const rd_kafka_message_t *from,
                 struct parti_consumer_message *to)
{
    int64_t ms = rd_kafka_message_timestamp(from, NULL);

    *to = (struct parti_consumer_message){.size = sizeof *to,
                                          .position = (uint64_t)from->offset,
                                          .time_ms = ms > 0 ? ms : 0,
                                          .subject = l->name,
                                          .key = from->key,
                                          .key_n = from->key_len,
                                          .data = from->payload,
                                          .data_n = from->len};
}

/* The first n of what the lane keeps.  How many the host has taken, or a code. */
static int32_t deliver(struct kafka_consumer *c, struct kafka_lane *l, size_t n)
{
    static const struct place nowhere = {0};
    struct place place[KAFKA_BATCH_MAX];

    c->bytes_n = c->ends_n = 0;
    for (size_t i = 0; i < n; i++) {
        place[i] = nowhere;
        fill(l, l->kept[l->kept_at + i], &c->message[i]);
        if (!put_headers(c, l->kept[l->kept_at + i], &place[i]))
            return PARTI_NOMEM;
    }
    for (size_t i = 0; i < n; i++)
        point(c, &place[i], &c->message[i]);
    return c->inlet->deliver(c->inlet, l->index, l->run, c->message, n);
}

static void forget(struct kafka_lane *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const rd_kafka_message_t *m = l->kept[l->kept_at + i];

        l->position = m->offset + 1;
        rd_kafka_message_destroy(l->kept[l->kept_at + i]);
    }
    l->kept_at += n;
    l->kept_n -= n;
    if (l->kept_n == 0)
        l->kept_at = 0;
}

void kafka_flow_drop(struct kafka_lane *l)
{
    for (size_t i = 0; i < l->kept_n; i++)
        rd_kafka_message_destroy(l->kept[l->kept_at + i]);
    l->kept_n = l->kept_at = 0;
    l->chunk = 0;
}

/* What the host takes of one message; see its consumer_message.h. */
static int32_t fits(const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *list = NULL;
    size_t bytes = m->len + m->key_len, n = 0, value_n;
    const char *name;
    const void *value;

    if (rd_kafka_message_headers(m, &list) == RD_KAFKA_RESP_ERR_NO_ERROR)
        while (rd_kafka_header_get_all(list, n, &name, &value, &value_n) ==
               RD_KAFKA_RESP_ERR_NO_ERROR) {
            bytes += strlen(name) + value_n;
            n++;
        }
    return n <= HEADERS_MAX && bytes <= BYTES_MAX;
}

/* Messages of what is kept, up to an event or the credit.  Nonzero: the lane goes on. */
static int32_t deliver_run(struct kafka_consumer *c, struct kafka_lane *l)
{
    size_t n = 0, most = l->chunk > 0 ? l->chunk : KAFKA_BATCH_MAX;

    while (n < l->kept_n && n < l->credit && n < most &&
           l->kept[l->kept_at + n]->err == 0 && fits(l->kept[l->kept_at + n]))
        n++;
    int32_t code = n > 0 ? deliver(c, l, n) : PARTI_OK;
    switch (code) {
    case PARTI_OK:
        l->credit -= n;
        forget(l, n);
        l->chunk = 0;
        return 1;
    case PARTI_NOMEM: /* again later, and fewer */
        l->chunk = n > 1 ? n / 2 : 1;
        l->when_ms = kafka_now_ms() + KAFKA_AGAIN_MS;
        kafka_duty_by(c, l->when_ms);
        return 0;
    default: /* the run is over */ kafka_reader_end(c, l); return 0;
    }
}

/* What is kept, in order.  Nonzero: all of it is gone and the lane goes on. */
static int32_t pass_on(struct kafka_consumer *c, struct kafka_lane *l)
{
    while (l->kept_n > 0) {
        rd_kafka_message_t *m = l->kept[l->kept_at];

        if (m->err != 0) {
            int32_t goes_on = kafka_reader_event(c, l, m);

            if (!goes_on)
                return 0; /* and nothing is kept any more */
            rd_kafka_message_destroy(m);
            l->kept_at++;
            l->kept_n--;
            continue;
        }
        if (!kafka_reader_begun(c, l, m->offset))
            return 0;
        if (m->offset <
            l->position) { /* in the batch of the brokers, before our offset */
            rd_kafka_message_destroy(m);
            l->kept_at++;
            l->kept_n--;
            continue;
        }
        if (!fits(m)) {
            kafka_reader_unfit(c, l, m->offset);
            return 0;
        }
        if (l->credit == 0 || !deliver_run(c, l))
            return 0;
    }
    l->kept_at = 0;
    return 1;
}

/* ---- taking ---------------------------------------------------------------------- */

/* librdkafka 2.0 looks at a full queue again a second later, unless it is woken: that is
 * what a seek to where we are does, when nothing lies in between. */
static void nudge(struct kafka_consumer *c, struct kafka_lane *l)
{
    int64_t low = 0, high = 0;
    int32_t was_full =
        l->streak >= c->queued_messages || l->streak_bytes >= c->queued_bytes;

    l->streak = l->streak_bytes = 0;
    if (was_full && l->has_begun &&
        rd_kafka_get_watermark_offsets(c->rk, l->name, l->partition, &low, &high) ==
            RD_KAFKA_RESP_ERR_NO_ERROR &&
        high > l->position)
        (void)rd_kafka_seek(l->topic->rkt, l->partition, l->position, 0);
}

static int32_t take(struct kafka_consumer *c, struct kafka_lane *l, size_t want)
{
    if (l->kept == NULL) {
        l->kept = malloc(KAFKA_BATCH_MAX * sizeof *l->kept);
        if (l->kept == NULL) {
            kafka_reader_later(c, l, "out of memory");
            return 0;
        }
    }
    ssize_t n = rd_kafka_consume_batch_queue(l->queue, 0, c->taken, want);
    if (n < 0)
        n = 0;
    for (ssize_t i = 0; i < n; i++) {
        l->kept[i] = c->taken[i];
        l->streak_bytes += c->taken[i]->len;
    }
    l->streak += (uint64_t)n;
    l->kept_at = 0;
    l->kept_n = (size_t)n;
    l->has_more = (size_t)n == want;
    return 1;
}

int32_t kafka_flow_serve(struct kafka_consumer *c, struct kafka_lane *l)
{
    if (l->state != KAFKA_READER_READING || (l->kept_n > 0 && !pass_on(c, l)))
        return 0;
    /* Where the log begins is told even when there is no room for a message. */
    size_t want = l->credit > 0 ? l->credit : l->has_begun ? 0 : 1;
    if (want > KAFKA_BATCH_MAX)
        want = KAFKA_BATCH_MAX;
    if (!l->has_more || want == 0 || !take(c, l, want))
        return 0;
    if (!pass_on(c, l))
        return 0;
    if (!l->has_more)
        nudge(c, l);
    return l->has_more && l->credit > 0;
}
