#include "host/source_rows.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/partid.h"
#include "base/status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_FIRST = 256, BYTES_FIRST = 8192, WEIGHT_DEFAULT = 100 };

void source_rows_finish(struct source_rows *rows)
{
    free(rows->bytes);
    free(rows->end);
    free(rows->weight);
    free(rows->order);
    *rows = (struct source_rows){0};
}

struct bytes source_rows_id(const struct source_rows *rows, uint64_t i)
{
    uint64_t from = i == 0 ? 0 : rows->end[i - 1];

    return (struct bytes){rows->bytes + from, (size_t)(rows->end[i] - from)};
}

/* ---- the sink ---------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static int32_t refuse(struct source_sink *sink,
                                                            int32_t code, int error,
                                                            const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sink->why, sizeof sink->why, format, args);
    va_end(args);
    sink->code = code;
    sink->error = error;
    return code;
}

static bool grow(void **at, size_t size)
{
    void *grown = realloc(*at, size);

    if (grown != NULL)
        *at = grown;
    return grown != NULL;
}

static bool make_room(struct source_rows *r, uint64_t more, size_t more_bytes)
{
    if (r->n + more > r->room) {
        uint64_t room = r->room == 0 ? ROWS_FIRST : r->room * 2;

        if (room < r->n + more)
            room = r->n + more;
        if (!grow((void **)&r->end, (size_t)room * sizeof *r->end) ||
            !grow((void **)&r->weight, (size_t)room * sizeof *r->weight))
            return false;
        r->room = room;
    }
    if (r->bytes_n + more_bytes > r->bytes_room) {
        size_t room = r->bytes_room == 0 ? BYTES_FIRST : r->bytes_room * 2;

        if (room < r->bytes_n + more_bytes)
            room = r->bytes_n + more_bytes;
        if (!grow((void **)&r->bytes, room))
            return false;
        r->bytes_room = room;
    }
    return true;
}

/* Bounds before anything is read: a batch that is malformed must not lead us astray. */
static int32_t check_batch(struct source_sink *sink, const struct parti_rows *in,
                           size_t *ret_bytes)
{
    const struct source_rows *r = sink->rows;
    uint64_t before = 0;

    if (in == NULL || in->size < sizeof *in)
        return refuse(sink, PARTI_BUG, ERR_SOURCE_ROWS,
                      "it gave rows without a sound size");
    if (in->id.n > SOURCE_ROWS_MAX - r->n)
        return refuse(sink, PARTI_BADINPUT, ERR_SOURCE_MANY,
                      "it lists more than %d partitions", SOURCE_ROWS_MAX);
    if (in->id.n > 0 && (in->id.end == NULL || in->id.bytes == NULL))
        return refuse(sink, PARTI_BUG, ERR_SOURCE_ROWS, "it gave rows without ids");
    if (in->zone.n != 0 && in->zone.n != in->id.n)
        return refuse(sink, PARTI_BUG, ERR_SOURCE_ROWS,
                      "it gave %" PRIu64 " zones for %" PRIu64 " partitions", in->zone.n,
                      in->id.n);
    for (uint64_t i = 0; i < in->id.n; i++) {
        if (in->id.end[i] < before)
            return refuse(sink, PARTI_BUG, ERR_SOURCE_ROWS,
                          "row %" PRIu64 " of what it gave ends before it starts", i);
        before = in->id.end[i];
        if (before > SOURCE_BYTES_MAX - r->bytes_n)
            return refuse(sink, PARTI_BADINPUT, ERR_SOURCE_MANY,
                          "its partitions' names take more than %d bytes",
                          SOURCE_BYTES_MAX);
    }
    *ret_bytes = (size_t)before;
    return PARTI_OK;
}

static int32_t on_add(struct parti_sink *s, const struct parti_rows *in)
{
    struct source_sink *sink = s->ctx;
    struct source_rows *r = sink->rows;
    size_t bytes = 0;

    if (!sink->is_open)
        return PARTI_BUG; /* called after list() had returned */
    if (sink->code != PARTI_OK)
        return sink->code;
    if (check_batch(sink, in, &bytes) != PARTI_OK)
        return sink->code;
    for (uint64_t i = 0, from = 0; i < in->id.n; from = in->id.end[i++]) {
        struct bytes id = {in->id.bytes + from, (size_t)(in->id.end[i] - from)};
        const char *fault = partid_fault(id);
        char shown[SOURCE_SHOWN_ROOM];

        if (fault == NULL)
            continue;
        if (id.n > 64)
            id.n = 64;
        (void)partid_encode(id, shown, sizeof shown);
        return refuse(sink, PARTI_BADINPUT, ERR_SOURCE_ROWS,
                      "partition %" PRIu64 " of its list, '%s', cannot be used: %s",
                      r->n + i, shown, fault);
    }
    if (!make_room(r, in->id.n, bytes))
        return refuse(sink, PARTI_NOMEM, ERR_SOURCE_FAILED,
                      "there is no memory for its list");
    if (bytes > 0)
        memcpy(r->bytes + r->bytes_n, in->id.bytes, bytes);
    for (uint64_t i = 0; i < in->id.n; i++) {
        r->end[r->n] = r->bytes_n + in->id.end[i];
        r->weight[r->n++] = in->weight != NULL ? in->weight[i] : WEIGHT_DEFAULT;
    }
    r->bytes_n += bytes;
    return PARTI_OK;
}

void source_sink_init(struct source_sink *sink, struct source_rows *rows)
{
    *sink = (struct source_sink){
        .sink = {.size = sizeof sink->sink, .add = on_add},
        .rows = rows,
        .is_open = true,
    };
    sink->sink.ctx = sink;
}

/* ---- order ------------------------------------------------------------------------- */

static int compare_rows(const struct source_rows *r, uint32_t a, uint32_t b)
{
    return bytes_compare(source_rows_id(r, a), source_rows_id(r, b));
}

/* Merge sort of row numbers, from 'at' through 'spare': stable, no worse than n log n. */
static void sort_order(const struct source_rows *r, uint32_t *at, uint32_t *spare,
                       uint64_t n)
{
    uint64_t half = n / 2;

    if (n < 2)
        return;
    sort_order(r, at, spare, half);
    sort_order(r, at + half, spare + half, n - half);
    if (compare_rows(r, at[half - 1], at[half]) <= 0)
        return; /* in order already: the usual case is one pass */
    memcpy(spare, at, half * sizeof *at);
    for (uint64_t i = 0, k = half, to = 0; i < half; to++) {
        if (k < n && compare_rows(r, at[k], spare[i]) < 0)
            at[to] = at[k++];
        else
            at[to] = spare[i++];
    }
}

int source_rows_sort(struct source_rows *r, char *why, size_t room)
{
    uint32_t *order = malloc((size_t)(r->n + 1) * sizeof *order);
    uint32_t *spare = malloc((size_t)(r->n + 1) * sizeof *spare);
    int status = STATUS_NOMEM;

    if (order == NULL || spare == NULL)
        goto fail;
    for (uint32_t i = 0; i < r->n; i++)
        order[i] = i;
    sort_order(r, order, spare, r->n);
    for (uint64_t i = 1; i < r->n; i++) {
        char shown[SOURCE_SHOWN_ROOM];

        if (compare_rows(r, order[i - 1], order[i]) != 0)
            continue;
        (void)partid_encode(source_rows_id(r, order[i]), shown, sizeof shown);
        (void)snprintf(why, room, "partition %s is in its list twice", shown);
        status = STATUS_CONFLICT;
        goto fail;
    }
    free(spare);
    free(r->order);
    r->order = order;
    return STATUS_OK;
fail:
    free(spare);
    free(order);
    return status;
}

int source_merge(const struct source_rows *const *rows, size_t n, struct listing **ret,
                 size_t *ret_a, size_t *ret_b, char *shown, size_t room)
{
    uint64_t *at = calloc(n + 1, sizeof *at);
    uint64_t total = 0;
    size_t total_bytes = 0;
    struct listing *listing = NULL;
    struct bytes *id;
    uint32_t *weight;
    char *bytes;
    int status = STATUS_NOMEM;

    for (size_t i = 0; i < n; i++) {
        total += rows[i]->n;
        total_bytes += rows[i]->bytes_n;
    }
    if (total > SOURCE_ROWS_MAX || total_bytes > SOURCE_BYTES_MAX) {
        status = STATUS_LIMIT;
        goto fail;
    }
    if (at == NULL || listing_create((uint32_t)total, total_bytes, &listing, &id, &weight,
                                     &bytes) != STATUS_OK)
        goto fail;
    for (uint64_t k = 0; k < total; k++) {
        size_t best = n; /* the source with the least id; few sources, so one by one */
        struct bytes least = {NULL, 0};

        for (size_t i = 0; i < n; i++) {
            if (at[i] == rows[i]->n)
                continue;
            struct bytes next = source_rows_id(rows[i], rows[i]->order[at[i]]);
            int order = best == n ? -1 : bytes_compare(next, least);

            if (order == 0) {
                *ret_a = best;
                *ret_b = i;
                (void)partid_encode(next, shown, room);
                status = STATUS_CONFLICT;
                goto fail;
            }
            if (order < 0) {
                best = i;
                least = next;
            }
        }
        memcpy(bytes, least.at, least.n);
        id[k] = (struct bytes){bytes, least.n};
        weight[k] = rows[best]->weight[rows[best]->order[at[best]++]];
        bytes += least.n;
    }
    free(at);
    *ret = listing;
    return STATUS_OK;
fail:
    listing_unref(listing);
    free(at);
    return status;
}
