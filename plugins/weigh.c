#include "weigh.h"

#include <math.h>

enum {
    ROWS_FIRST = 256,
    BYTES_FIRST = 8192,
    FRACTION = 4, /* bits of a smoothed measure behind the point: sums fit 64 bits */
    POINT = 8,    /* the same of a weight in the making */
    STEPS = 64,   /* of the smoothing in a half-life, at most */
    BATCH = 4096  /* rows at a time to the sink */
};

struct row {
    uint64_t hash;
    uint64_t at; /* of the id in 'bytes' */
    uint32_t n;
    uint32_t weight; /* as last given; 0: never yet */
    uint64_t measure;
    uint64_t smooth;
    uint32_t seen, ended; /* number of the last listing with it; that came to its end */
};

struct weigh {
    struct weigh_rule rule;
    uint32_t listing; /* number of the present one, from 1 */
    uint32_t ended;   /* of the last that came to its end */
    uint64_t smoothed_ms;
    uint32_t count; /* rows seen in the present one */
    uint32_t n, room;
    uint32_t slots; /* a power of two, at least twice the rows */
    size_t bytes_n, bytes_room;
    struct row *row;
    uint32_t *slot; /* number of the row, plus 1; 0: free */
    char *bytes;
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct weigh_rule weigh_rule_read(const struct parti_conf *conf, int32_t is_fixed)
{
    struct weigh_rule rule = {
        .band_percent = (uint32_t)parti_conf_int(conf, "weight_band", 0),
        .base = (uint64_t)parti_conf_int(conf, "weight_base", 0),
        .unit = (uint64_t)parti_conf_int(conf, "weight_unit", 0),
        .half_life_ms = (uint64_t)parti_conf_int(conf, "weight_half_life", 0),
    };

    if (is_fixed)
        rule.fixed = (uint32_t)parti_conf_int(conf, "weight_fixed", WEIGH_MEAN);
    return rule;
}

struct weigh *weigh_create(const struct weigh_rule *rule)
{
    struct weigh *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->rule = *rule;
    w->rule.base = least(w->rule.base, WEIGH_MEASURE_MAX);
    w->rule.unit = least(w->rule.unit, WEIGH_MEASURE_MAX);
    return w;
}

void weigh_destroy(struct weigh *w)
{
    if (w == NULL)
        return;
    free(w->row);
    free(w->slot);
    free(w->bytes);
    free(w);
}

/* ---- the table ------------------------------------------------------------------ */

/* FNV-1a, folded, since the low bits choose the slot. */
static uint64_t hash_of(const char *id, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)id[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

static void put_slot(struct weigh *w, uint32_t i)
{
    uint32_t at = (uint32_t)w->row[i].hash & (w->slots - 1);

    while (w->slot[at] != 0)
        at = (at + 1) & (w->slots - 1);
    w->slot[at] = i + 1;
}

static int32_t make_room(struct weigh *w, size_t n)
{
    if (w->n == w->room) {
        uint32_t room = w->room == 0 ? ROWS_FIRST : w->room * 2;
        struct row *row = realloc(w->row, room * sizeof *row);

        if (row == NULL)
            return PARTI_NOMEM;
        w->row = row;
        uint32_t *slot = calloc((size_t)room * 2, sizeof *slot);
        if (slot == NULL)
            return PARTI_NOMEM;
        free(w->slot);
        w->slot = slot;
        w->slots = room * 2;
        w->room = room;
        for (uint32_t i = 0; i < w->n; i++)
            put_slot(w, i);
    }
    if (w->bytes_n + n > w->bytes_room) {
        size_t room = w->bytes_room == 0 ? BYTES_FIRST : w->bytes_room * 2;
        char *bytes = realloc(w->bytes, room);

        if (bytes == NULL)
            return PARTI_NOMEM;
        w->bytes = bytes;
        w->bytes_room = room;
    }
    return PARTI_OK;
}

/* Drops what the last listing that came to its end did not have; its bytes, too. */
int32_t weigh_begin(struct weigh *w)
{
    uint32_t kept = 0;
    size_t bytes_n = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        struct row row = w->row[i];

        if (row.ended == 0 || row.ended != w->ended)
            continue;
        memmove(w->bytes + bytes_n, w->bytes + row.at, row.n);
        row.at = bytes_n;
        bytes_n += row.n;
        w->row[kept++] = row;
    }
    w->n = kept;
    w->bytes_n = bytes_n;
    w->listing++;
    w->count = 0;
    if (w->slots == 0)
        return make_room(w, 0);
    memset(w->slot, 0, w->slots * sizeof *w->slot);
    for (uint32_t i = 0; i < w->n; i++)
        put_slot(w, i);
    return PARTI_OK;
}

static struct row *find(struct weigh *w, uint64_t hash, const char *id, size_t n)
{
    for (uint32_t at = (uint32_t)hash & (w->slots - 1); w->slot[at] != 0;
         at = (at + 1) & (w->slots - 1)) {
        struct row *row = &w->row[w->slot[at] - 1];

        if (row->hash == hash && row->n == n && memcmp(w->bytes + row->at, id, n) == 0)
            return row;
    }
    return NULL;
}

int32_t weigh_add(struct weigh *w, const char *id, size_t n, uint64_t measure)
{
    uint64_t hash = hash_of(id, n);
    struct row *row = find(w, hash, id, n);

    if (row == NULL) {
        /* What the last listing had is still here, so there may be twice as much. */
        if (n == 0 || n > WEIGH_ID_MAX || w->count == WEIGH_ROWS_MAX ||
            w->bytes_n + n > 2 * (size_t)WEIGH_BYTES_MAX)
            return PARTI_BADINPUT;
        if (make_room(w, n) != PARTI_OK)
            return PARTI_NOMEM;
        memcpy(w->bytes + w->bytes_n, id, n);
        row = &w->row[w->n];
        *row = (struct row){.hash = hash, .at = w->bytes_n, .n = (uint32_t)n};
        put_slot(w, w->n++);
        w->bytes_n += n;
    }
    if (row->seen != w->listing) {
        row->seen = w->listing;
        row->measure = 0;
        w->count++;
    }
    row->measure =
        least(row->measure + least(measure, WEIGH_MEASURE_MAX), WEIGH_MEASURE_MAX);
    return PARTI_OK;
}

uint32_t weigh_count(const struct weigh *w)
{
    return w->count;
}

/* ---- weights -------------------------------------------------------------------- */

/* What is left of a difference after some time: a half of it each half-life.  Rounded
 * down, so that it comes to its end. */
static uint64_t left_of(uint64_t difference, uint64_t elapsed_ms, uint64_t half_ms)
{
    if (half_ms == 0)
        return 0;
    return (uint64_t)((double)difference * exp2(-(double)elapsed_ms / (double)half_ms));
}

static void smooth_row(const struct weigh *w, struct row *row, uint64_t elapsed)
{
    uint64_t now = row->measure << FRACTION;

    if (row->ended == 0)
        row->smooth = now;
    else if (row->smooth > now)
        row->smooth = now + left_of(row->smooth - now, elapsed, w->rule.half_life_ms);
    else
        row->smooth = now - left_of(now - row->smooth, elapsed, w->rule.half_life_ms);
}

/* The nearest step of the scale that begins with 100, 125, 150, 175, 200. */
static uint32_t step_of(uint64_t fine)
{
    uint64_t quarter = (WEIGH_MEAN / 4) << POINT; /* between two steps */

    while (quarter > WEIGH_MEAN / 4 && fine < 4 * quarter)
        quarter /= 2;
    while (fine >= 8 * quarter)
        quarter *= 2;
    uint64_t steps = (fine + quarter / 2) / quarter;
    uint64_t weight = (steps * quarter) >> POINT;
    if (weight > WEIGH_MAX)
        weight = WEIGH_MAX;
    return weight == 0 ? 1 : (uint32_t)weight;
}

static uint32_t weight_of(const struct weigh *w, const struct row *row, uint64_t whole)
{
    uint64_t part = row->smooth + (w->rule.base << FRACTION);
    uint64_t fine =
        whole == 0 ? WEIGH_MEAN << POINT : part * (WEIGH_MEAN << POINT) / whole;
    uint64_t given = (uint64_t)row->weight << POINT;

    fine = least(fine, (uint64_t)WEIGH_MAX << POINT);
    uint64_t difference = fine > given ? fine - given : given - fine;
    if (row->weight != 0 && difference * 100 <= given * w->rule.band_percent)
        return row->weight;
    return step_of(fine);
}

/* What weighs 100: the unit, or the mean; with a fraction as the smoothed measures. */
static uint64_t whole_of(const struct weigh *w)
{
    uint64_t sum = 0;

    if (w->rule.unit != 0)
        return w->rule.unit << FRACTION;
    for (uint32_t i = 0; i < w->n; i++)
        if (w->row[i].seen == w->listing)
            sum += w->row[i].smooth;
    return w->count == 0 ? 0 : sum / w->count + (w->rule.base << FRACTION);
}

void weigh_end(struct weigh *w, uint64_t now_ms)
{
    uint64_t elapsed = now_ms > w->smoothed_ms ? now_ms - w->smoothed_ms : 0;

    /* In steps that are not too small, or the roundings would add up. */
    if (elapsed < w->rule.half_life_ms / STEPS)
        elapsed = 0;
    else
        w->smoothed_ms = now_ms;
    for (uint32_t i = 0; i < w->n; i++)
        if (w->row[i].seen == w->listing)
            smooth_row(w, &w->row[i], elapsed);
    uint64_t whole = whole_of(w);
    for (uint32_t i = 0; i < w->n; i++) {
        struct row *row = &w->row[i];

        if (row->seen != w->listing)
            continue;
        row->weight = w->rule.fixed != 0 ? w->rule.fixed : weight_of(w, row, whole);
        row->ended = w->listing;
    }
    w->ended = w->listing;
}

/* ---- to the host ---------------------------------------------------------------- */

struct batch {
    uint64_t end[BATCH];
    uint32_t weight[BATCH];
    char bytes[BATCH * WEIGH_ID_MAX];
};

int32_t weigh_give(const struct weigh *w, struct parti_sink *sink)
{
    struct batch *b = malloc(sizeof *b);
    int32_t code = PARTI_OK;

    if (b == NULL)
        return PARTI_NOMEM;
    for (uint32_t i = 0; i < w->n && code == PARTI_OK;) {
        struct parti_rows rows = {.size = sizeof rows,
                                  .id = {.bytes = b->bytes, .end = b->end},
                                  .weight = b->weight};
        size_t at = 0;

        for (; i < w->n && rows.id.n < BATCH; i++) {
            const struct row *row = &w->row[i];
            if (row->ended != w->ended)
                continue;
            memcpy(b->bytes + at, w->bytes + row->at, row->n);
            at += row->n;
            b->end[rows.id.n] = at;
            b->weight[rows.id.n++] = row->weight;
        }
        if (rows.id.n > 0)
            code = sink->add(sink, &rows);
    }
    free(b);
    return code;
}
