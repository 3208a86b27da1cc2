#include "cli/state.h"

#include "base/must.h"
#include "base/partid.h"
#include "base/status.h"
#include "proto/life.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_DIGITS_MAX = 9 };

/* Room for one more row of 'size' bytes. */
static void *grow(void *rows, uint32_t n, uint32_t *room, size_t size)
{
    if (n < *room)
        return rows;
    *room = *room == 0 ? 64 : 2 * *room;
    rows = realloc(rows, *room * size);
    must(rows != NULL);
    return rows;
}

/* The N of PREFIX-N; STATE_NOBODY if the id does not end like that. */
static uint32_t number_of(const char *id)
{
    const char *digits = strrchr(id, '-');
    uint32_t number = 0;

    if (digits == NULL || !isdigit((unsigned char)digits[1]) ||
        (digits[1] == '0' && digits[2] != '\0') || strlen(digits + 1) > NUMBER_DIGITS_MAX)
        return STATE_NOBODY;
    for (digits++; *digits != '\0'; digits++) {
        if (!isdigit((unsigned char)*digits))
            return STATE_NOBODY;
        number = number * 10 + (uint32_t)(*digits - '0');
    }
    return number;
}

struct state_worker *state_add_worker(struct state *s, const char *id)
{
    s->worker = grow(s->worker, s->worker_n, &s->worker_room, sizeof *s->worker);
    struct state_worker *w = &s->worker[s->worker_n++];

    *w = (struct state_worker){.state = MEMBER_ACTIVE};
    bytes_to_text(bytes_of(id), w->id, sizeof w->id);
    w->num = number_of(w->id);
    return w;
}

struct state_part *state_add_part(struct state *s, struct bytes id)
{
    char *copy;

    s->part = grow(s->part, s->part_n, &s->part_room, sizeof *s->part);
    struct state_part *p = &s->part[s->part_n++];

    *p = (struct state_part){.owner = STATE_NOBODY, .from = STATE_NOBODY};
    p->id.at = copy = malloc(id.n + 1);
    must(copy != NULL);
    memcpy(copy, id.at, id.n);
    p->id.n = id.n;
    return p;
}

uint32_t state_find(const struct state *s, const char *id)
{
    for (uint32_t i = 0; i < s->worker_n; i++)
        if (strcmp(s->worker[i].id, id) == 0)
            return i;
    return STATE_NOBODY;
}

const char *state_worker_name(const struct state_worker *w)
{
    return w->has_left ? "left" : member_state_name(w->state);
}

static void drop_part(struct state_part *p)
{
    free((char *)(uintptr_t)p->id.at); /* our own copy */
    p->id.at = NULL;
}

void state_finish(struct state *s)
{
    for (uint32_t i = 0; i < s->part_n; i++)
        drop_part(&s->part[i]);
    free(s->part);
    free(s->worker);
    *s = (struct state){0};
}

/* ---- order */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct state_worker *)a)->id,
                  ((const struct state_worker *)b)->id);
}

static int by_num(const void *a, const void *b)
{
    const struct state_worker *x = a, *y = b;

    return x->num != y->num ? (x->num > y->num) - (x->num < y->num) : by_id(a, b);
}

/* Owned ones first among equals. */
static int by_part(const void *a, const void *b)
{
    const struct state_part *x = a, *y = b;
    int order = bytes_compare(x->id, y->id);

    return order != 0 ? order : (x->owner > y->owner) - (x->owner < y->owner);
}

/* Numbers are what strategies tell workers apart by: each gets one of its own. */
static void give_numbers(struct state *s)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < s->worker_n; i++)
        if (s->worker[i].num != STATE_NOBODY && s->worker[i].num >= next)
            next = s->worker[i].num + 1;
    for (uint32_t i = 0; i < s->worker_n; i++)
        if (s->worker[i].num == STATE_NOBODY ||
            (i + 1 < s->worker_n && s->worker[i].num == s->worker[i + 1].num))
            s->worker[i].num = next++;
}

static int sort_workers(struct state *s, char *twice, size_t room)
{
    uint32_t *now = calloc((size_t)s->worker_n + 1, sizeof *now);

    must(now != NULL);
    for (uint32_t i = 0; i < s->worker_n; i++)
        s->worker[i].place = i;
    if (s->worker_n > 0)
        qsort(s->worker, s->worker_n, sizeof *s->worker, by_id);
    for (uint32_t i = 1; i < s->worker_n; i++) {
        if (strcmp(s->worker[i - 1].id, s->worker[i].id) == 0) {
            bytes_to_text(bytes_of(s->worker[i].id), twice, room);
            free(now);
            return STATUS_CONFLICT;
        }
    }
    if (s->worker_n > 0) {
        qsort(s->worker, s->worker_n, sizeof *s->worker, by_num);
        give_numbers(s);
        qsort(s->worker, s->worker_n, sizeof *s->worker, by_num);
    }
    for (uint32_t i = 0; i < s->worker_n; i++)
        now[s->worker[i].place] = i;
    for (uint32_t i = 0; i < s->part_n; i++) {
        struct state_part *p = &s->part[i];

        p->owner = p->owner != STATE_NOBODY ? now[p->owner] : STATE_NOBODY;
        p->from = p->from != STATE_NOBODY ? now[p->from] : STATE_NOBODY;
    }
    free(now);
    return STATUS_OK;
}

/* A partition that is listed with nobody as well as with somebody has an owner. */
static int sort_parts(struct state *s, char *twice, size_t room)
{
    uint32_t n = 0;

    if (s->part_n > 0)
        qsort(s->part, s->part_n, sizeof *s->part, by_part);
    for (uint32_t i = 0; i < s->part_n; i++) {
        struct state_part *p = &s->part[i];

        if (n > 0 && bytes_equal(s->part[n - 1].id, p->id)) {
            if (p->owner != STATE_NOBODY) {
                (void)partid_encode(p->id, twice, room);
                memmove(&s->part[n], p, (s->part_n - i) * sizeof *p);
                s->part_n -= i - n;
                return STATUS_CONFLICT;
            }
            drop_part(p);
            continue;
        }
        s->part[n++] = *p;
    }
    s->part_n = n;
    return STATUS_OK;
}

void state_count(struct state *s)
{
    s->pending = 0;
    s->unowned = s->unlisted;
    for (uint32_t i = 0; i < s->worker_n; i++) {
        struct state_worker *w = &s->worker[i];

        w->weight = 0;
        w->placed = w->pending = 0;
    }
    for (uint32_t i = 0; i < s->part_n; i++) {
        const struct state_part *p = &s->part[i];

        if (p->owner == STATE_NOBODY) {
            s->unowned++;
            continue;
        }
        s->pending += p->is_pending;
        s->worker[p->owner].pending += p->is_pending;
        s->worker[p->owner].placed += !p->is_pending;
        s->worker[p->owner].weight += p->weight;
    }
}

void state_drop_leavers(struct state *s)
{
    uint32_t *now = calloc((size_t)s->worker_n + 1, sizeof *now), n = 0;

    must(now != NULL);
    for (uint32_t i = 0; i < s->worker_n; i++) {
        now[i] = s->worker[i].has_left ? STATE_NOBODY : n;
        if (!s->worker[i].has_left)
            s->worker[n++] = s->worker[i];
    }
    for (uint32_t i = 0; i < s->part_n; i++) {
        struct state_part *p = &s->part[i];

        p->owner = p->owner != STATE_NOBODY ? now[p->owner] : STATE_NOBODY;
        p->from = p->from != STATE_NOBODY ? now[p->from] : STATE_NOBODY;
        p->is_pending = p->is_pending && p->owner != STATE_NOBODY;
    }
    s->worker_n = n;
    free(now);
    state_count(s);
}

int state_sort(struct state *s, char *twice, size_t room)
{
    int status = sort_workers(s, twice, room);

    if (status == STATUS_OK)
        status = sort_parts(s, twice, room);
    if (status == STATUS_OK)
        state_count(s);
    return status;
}
