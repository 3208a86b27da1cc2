#include "host/strategy_wire.h"

#include "base/must.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS_MAX = 256 }; /* keys of a section; option.h has no more */

/* ---- the world --------------------------------------------------------------------- */

static uint64_t strs_bytes(const struct parti_strs *s)
{
    return s->n == 0 ? 0 : s->end[s->n - 1];
}

void wire_world_head(const struct parti_world *w, struct wire_world *ret)
{
    *ret = (struct wire_world){
        .epoch = w->epoch,
        .seed = w->seed,
        .part_n = w->part_n,
        .id_bytes = strs_bytes(&w->part_id),
        .worker_bytes = strs_bytes(&w->worker_id),
        .zone_bytes = strs_bytes(&w->zone),
        .zone_n = w->zone.n,
        .moves_max = w->moves_max,
        .work_max = w->work_max,
        .event = w->event,
        .worker_n = w->worker_n,
        .prev_n = w->prev_n,
        .tolerance_ppm = w->tolerance_ppm,
        .has_zone = w->worker_zone != NULL,
    };
}

static size_t padded(uint64_t n)
{
    return (size_t)((n + 7) & ~(uint64_t)7);
}

size_t wire_world_columns(const struct parti_world *w, const struct wire_world *h,
                          struct wire_column column[WIRE_COLUMNS])
{
    const struct {
        const void *at;
        uint64_t used;
    } all[] = {
        {w->part_id.bytes, h->id_bytes},
        {w->part_id.end, h->part_n * sizeof(uint64_t)},
        {w->part_hash, h->part_n * sizeof(uint64_t)},
        {w->part_weight, h->part_n * sizeof(uint32_t)},
        {w->part_prev, h->part_n * sizeof(uint32_t)},
        {w->worker_id.bytes, h->worker_bytes},
        {w->worker_id.end, h->worker_n * sizeof(uint64_t)},
        {w->worker_hash, h->worker_n * sizeof(uint64_t)},
        {w->worker_slot, h->worker_n * sizeof(uint32_t)},
        {w->worker_capacity, h->worker_n * sizeof(uint32_t)},
        {w->worker_flags, h->worker_n * sizeof(uint32_t)},
        {w->worker_zone, h->has_zone ? h->worker_n * sizeof(uint32_t) : 0},
        {w->prev_to_now, ((uint64_t)h->prev_n + 1) * sizeof(uint32_t)},
        {w->zone.bytes, h->zone_bytes},
        {w->zone.end, h->zone_n * sizeof(uint64_t)},
    };
    size_t n = sizeof all / sizeof *all;

    must(n <= WIRE_COLUMNS);
    for (size_t i = 0; i < n; i++)
        column[i] =
            (struct wire_column){all[i].at, padded(all[i].used), (size_t)all[i].used};
    return n;
}

uint64_t wire_world_size(const struct wire_world *h)
{
    static const struct parti_world none;
    struct wire_column column[WIRE_COLUMNS];
    size_t n = wire_world_columns(&none, h, column);
    uint64_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += column[i].n;
    return size;
}

int wire_world_open(const struct wire_world *h, const char *block, uint64_t size,
                    struct parti_world *ret)
{
    static const struct parti_world none;
    struct wire_column column[WIRE_COLUMNS];
    const void *at[WIRE_COLUMNS];
    size_t n = wire_world_columns(&none, h, column);

    if (wire_world_size(h) != size)
        return STATUS_CORRUPT;
    for (size_t i = 0; i < n; i++) {
        at[i] = block;
        block += column[i].n;
    }
    *ret = (struct parti_world){
        .size = sizeof *ret,
        .event = h->event,
        .epoch = h->epoch,
        .seed = h->seed,
        .part_n = h->part_n,
        .part_id = {at[0], at[1], h->part_n},
        .part_hash = at[2],
        .part_weight = at[3],
        .part_prev = at[4],
        .worker_n = h->worker_n,
        .prev_n = h->prev_n,
        .worker_id = {at[5], at[6], h->worker_n},
        .worker_hash = at[7],
        .worker_slot = at[8],
        .worker_capacity = at[9],
        .worker_flags = at[10],
        .worker_zone = h->has_zone ? at[11] : NULL,
        .prev_to_now = at[12],
        .zone = {at[13], at[14], h->zone_n},
        .tolerance_ppm = h->tolerance_ppm,
        .moves_max = h->moves_max,
        .work_max = h->work_max,
    };
    return STATUS_OK;
}

/* ---- the section ------------------------------------------------------------------- */

/* A block: level, count, lines, then texts with their ends: path, file, section, and key
 * and value of each row. */
struct conf_head {
    uint32_t log_level;
    uint32_t n;
    uint32_t line[NUMBERS_MAX];
};

static char *append(char *to, const char *text)
{
    size_t n = strlen(text) + 1;

    memcpy(to, text, n);
    return to + n;
}

char *wire_conf_pack(const char *path, uint32_t log_level, const struct parti_conf *conf,
                     size_t *ret_n)
{
    struct conf_head head = {.log_level = log_level, .n = conf->n};
    size_t n =
        sizeof head + strlen(path) + strlen(conf->file) + strlen(conf->section) + 3;
    char *block, *to;

    must(conf->n <= NUMBERS_MAX);
    for (uint32_t i = 0; i < conf->n; i++) {
        head.line[i] = conf->line[i];
        n += strlen(conf->key[i]) + strlen(conf->value[i]) + 2;
    }
    block = malloc(n);
    if (block == NULL)
        return NULL;
    memcpy(block, &head, sizeof head);
    to = append(block + sizeof head, path);
    to = append(to, conf->file);
    to = append(to, conf->section);
    for (uint32_t i = 0; i < conf->n; i++) {
        to = append(to, conf->key[i]);
        to = append(to, conf->value[i]);
    }
    must(to == block + n);
    *ret_n = n;
    return block;
}

/* The next text before 'end', or NULL. */
static const char *take(const char **at, const char *end)
{
    const char *text = *at;
    const char *nul = memchr(text, '\0', (size_t)(end - text));

    if (nul == NULL)
        return NULL;
    *at = nul + 1;
    return text;
}

int wire_conf_open(const char *block, size_t n, struct wire_conf *ret)
{
    const char *end = block + n, *at = block + sizeof(struct conf_head);
    struct conf_head head;
    struct wire_conf c = {0};
    int status = STATUS_CORRUPT;

    if (n < sizeof head)
        return STATUS_CORRUPT;
    memcpy(&head, block, sizeof head);
    if (head.n > NUMBERS_MAX)
        return STATUS_CORRUPT;
    c.key = calloc(NUMBERS_MAX, sizeof *c.key);
    c.value = calloc(NUMBERS_MAX, sizeof *c.value);
    c.line = calloc(NUMBERS_MAX, sizeof *c.line);
    if (c.key == NULL || c.value == NULL || c.line == NULL) {
        status = STATUS_NOMEM;
        goto fail;
    }
    c.path = take(&at, end);
    c.log_level = head.log_level;
    c.conf = (struct parti_conf){.size = sizeof c.conf,
                                 .n = head.n,
                                 .key = c.key,
                                 .value = c.value,
                                 .line = c.line};
    if (c.path == NULL || (c.conf.file = take(&at, end)) == NULL ||
        (c.conf.section = take(&at, end)) == NULL)
        goto fail;
    for (uint32_t i = 0; i < head.n; i++) {
        c.line[i] = head.line[i];
        c.key[i] = take(&at, end);
        c.value[i] = c.key[i] != NULL ? take(&at, end) : NULL;
        if (c.value[i] == NULL)
            goto fail;
    }
    *ret = c;
    return STATUS_OK;
fail:
    free(c.key);
    free(c.value);
    free(c.line);
    return status;
}
