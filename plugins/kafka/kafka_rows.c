#include "kafka_rows.h"

/* A sink that writes down what it is given. */
static int32_t on_add(struct parti_sink *sink, const struct parti_rows *in)
{
    struct kafka_rows *rows = sink->ctx;
    uint64_t at = rows->n > 0 ? rows->end[rows->n - 1] : 0;
    uint64_t more = in->id.n > 0 ? in->id.end[in->id.n - 1] : 0;

    memcpy(rows->bytes + at, in->id.bytes, more);
    for (uint64_t i = 0; i < in->id.n; i++) {
        rows->end[rows->n] = at + in->id.end[i];
        rows->weight[rows->n++] = in->weight[i];
    }
    return PARTI_OK;
}

static int32_t weigh_all(const struct kafka_list *list, struct weigh *weigh,
                         uint64_t now_ms, size_t *ret_bytes)
{
    char id[KAFKA_ID_MAX];
    int32_t code = weigh_begin(weigh);

    for (size_t t = 0; t < list->topic_n && code == PARTI_OK; t++)
        for (size_t i = 0; i < list->topic[t].part_n && code == PARTI_OK; i++) {
            const struct kafka_part *part = &list->topic[t].part[i];
            size_t n = kafka_list_id(&list->topic[t], part, id);

            *ret_bytes += n;
            code =
                weigh_add(weigh, id, n, part->measure > 0 ? (uint64_t)part->measure : 0);
        }
    if (code == PARTI_OK)
        weigh_end(weigh, now_ms);
    return code;
}

int32_t kafka_rows_make(const struct kafka_list *list, struct weigh *weigh,
                        uint64_t now_ms, struct kafka_rows **ret)
{
    struct kafka_rows *rows = calloc(1, sizeof *rows);
    struct parti_sink sink = {.size = sizeof sink, .ctx = rows, .add = on_add};
    size_t bytes = 0;
    int32_t code = PARTI_NOMEM;

    if (rows == NULL)
        return code;
    rows->refs = 1;
    code = weigh_all(list, weigh, now_ms, &bytes);
    if (code == PARTI_OK) {
        rows->end = malloc((list->total + 1) * sizeof *rows->end);
        rows->weight = malloc((list->total + 1) * sizeof *rows->weight);
        rows->bytes = malloc(bytes + 1);
        code = rows->end == NULL || rows->weight == NULL || rows->bytes == NULL
                   ? PARTI_NOMEM
                   : weigh_give(weigh, &sink);
    }
    if (code == PARTI_OK)
        *ret = rows;
    else
        kafka_rows_destroy(rows);
    return code;
}

void kafka_rows_destroy(struct kafka_rows *rows)
{
    if (rows == NULL)
        return;
    free(rows->end);
    free(rows->weight);
    free(rows->bytes);
    free(rows);
}

int32_t kafka_rows_equal(const struct kafka_rows *a, const struct kafka_rows *b)
{
    if (a == NULL || b == NULL || a->n != b->n)
        return 0;
    return a->n == 0 || (memcmp(a->end, b->end, a->n * sizeof *a->end) == 0 &&
                         memcmp(a->weight, b->weight, a->n * sizeof *a->weight) == 0 &&
                         memcmp(a->bytes, b->bytes, a->end[a->n - 1]) == 0);
}

int32_t kafka_rows_give(const struct kafka_rows *rows, struct parti_sink *sink)
{
    struct parti_rows out = {.size = sizeof out,
                             .id = {rows->bytes, rows->end, rows->n},
                             .weight = rows->weight};

    return rows->n > 0 ? sink->add(sink, &out) : PARTI_OK;
}
