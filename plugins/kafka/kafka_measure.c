#include "kafka_measure.h"

/* librdkafka goes through a whole list for each partition of an answer, so lists are kept
 * short. */
enum { BATCH = 500 };

struct batch {
    struct kafka_link *link;
    uint64_t deadline_ms;
    struct kafka_part *part[BATCH];
    int64_t low[BATCH], high[BATCH]; /* -1: not known */
    rd_kafka_topic_partition_list_t *list;
    size_t failed;
    char *why;
};

static int left_ms(const struct batch *b)
{
    uint64_t now = kafka_now_ms();

    return now < b->deadline_ms ? (int)(b->deadline_ms - now) : 0;
}

static void say(struct batch *b, const char *what, rd_kafka_resp_err_t err)
{
    (void)snprintf(b->why, KAFKA_WHY_ROOM, "%s: %s", what, rd_kafka_err2str(err));
}

static int32_t is_bad(struct batch *b, const char *what, rd_kafka_resp_err_t err)
{
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        say(b, what, err);
    return err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* First or last offsets of the batch, into to[]. */
static void ask_offsets(struct batch *b, int64_t which, int64_t *to)
{
    int n = b->list->cnt;
    rd_kafka_resp_err_t err;

    for (int i = 0; i < n; i++) {
        b->list->elems[i].offset = which;
        b->list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
        to[i] = -1;
    }
    err = rd_kafka_offsets_for_times(kafka_link_handle(b->link), b->list, left_ms(b));
    if (is_bad(b, "offsets", err))
        return;
    for (int i = 0; i < n; i++) {
        const rd_kafka_topic_partition_t *p = &b->list->elems[i];

        if (!is_bad(b, "offsets", p->err) && p->offset >= 0)
            to[i] = p->offset;
    }
}

/* The group's positions, into to[]; where it has none the first offset stands there. */
static void ask_positions(struct batch *b, int64_t *to)
{
    rd_kafka_resp_err_t err =
        rd_kafka_committed(kafka_link_handle(b->link), b->list, left_ms(b));

    if (is_bad(b, "positions of the group", err)) {
        for (int i = 0; i < b->list->cnt; i++)
            to[i] = -1;
        return;
    }
    for (int i = 0; i < b->list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &b->list->elems[i];

        if (is_bad(b, "positions of the group", p->err))
            to[i] = -1;
        else if (p->offset >= 0 && to[i] >= 0 && p->offset > to[i])
            to[i] = p->offset;
    }
}

static void flush(struct batch *b, int32_t kind)
{
    int n = b->list->cnt;

    if (n == 0)
        return;
    ask_offsets(b, RD_KAFKA_OFFSET_BEGINNING, b->low);
    ask_offsets(b, RD_KAFKA_OFFSET_END, b->high);
    if (kind == KAFKA_MEASURE_LAG)
        ask_positions(b, b->low);
    for (int i = 0; i < n; i++) {
        if (b->low[i] < 0 || b->high[i] < 0)
            b->failed++;
        else
            b->part[i]->measure = b->high[i] > b->low[i] ? b->high[i] - b->low[i] : 0;
    }
    rd_kafka_topic_partition_list_destroy(b->list);
    b->list = rd_kafka_topic_partition_list_new(BATCH);
}

int32_t kafka_measure(struct kafka_list *list, int32_t kind, struct kafka_link *link,
                      uint64_t deadline_ms, size_t *ret_failed, char why[KAFKA_WHY_ROOM])
{
    struct batch *b;
    int32_t code = PARTI_OK;

    *ret_failed = 0;
    if (kind == KAFKA_MEASURE_NONE)
        return PARTI_OK;
    b = calloc(1, sizeof *b);
    if (b == NULL)
        return PARTI_NOMEM;
    b->link = link;
    b->deadline_ms = deadline_ms;
    b->why = why;
    b->list = rd_kafka_topic_partition_list_new(BATCH);
    for (size_t t = 0; t < list->topic_n && code == PARTI_OK; t++)
        for (size_t i = 0; i < list->topic[t].part_n && code == PARTI_OK; i++) {
            struct kafka_part *part = &list->topic[t].part[i];

            /* Its leader would be waited for until the deadline. */
            if (part->leader < 0)
                continue;
            b->part[b->list->cnt] = part;
            (void)rd_kafka_topic_partition_list_add(b->list, list->topic[t].name,
                                                    part->number);
            if (b->list->cnt < BATCH)
                continue;
            flush(b, kind);
            code = kafka_link_is_stopped(link) ? PARTI_CANCELED : PARTI_OK;
        }
    if (code == PARTI_OK)
        flush(b, kind);
    *ret_failed = b->failed;
    rd_kafka_topic_partition_list_destroy(b->list);
    free(b);
    return code;
}
