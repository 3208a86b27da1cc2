#include "cli/print_plan.h"

#include "base/must.h"
#include "base/partid.h"
#include "cli/table.h"
#include "host/option_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_VERSION = 1, WORD_ROOM = 64 };

/* ---- for people */

static bool leaves(const struct state_worker *w)
{
    return w->is_removed || w->state == MEMBER_DRAINING;
}

static void remark(const struct planned *p, uint32_t i, char to[WORD_ROOM])
{
    const struct state_worker *w = &p->state->worker[i];

    to[0] = '\0';
    if (w->is_added)
        (void)snprintf(to, WORD_ROOM, "new, capacity %" PRIu32, w->capacity);
    else if (leaves(w))
        (void)snprintf(to, WORD_ROOM, w->is_removed ? "removed" : "draining");
    else if (w->state == MEMBER_AWAY)
        (void)snprintf(to, WORD_ROOM, "away");
}

static void print_workers(const struct planned *p, bool is_colour, FILE *to)
{
    struct table t = {0};
    char text[WORD_ROOM];

    table_column(&t, "", false);
    table_column(&t, "worker", false);
    table_column(&t, "before", true);
    table_column(&t, "", false);
    table_column(&t, "after", true);
    table_column(&t, "", false);
    for (uint32_t i = 0; i < p->state->worker_n; i++) {
        const struct state_worker *w = &p->state->worker[i];
        const struct plan_load *l = &p->load[i];
        enum table_colour colour = w->is_added             ? TABLE_GOOD
                                   : leaves(w)             ? TABLE_BAD
                                   : l->before != l->after ? TABLE_BUSY
                                                           : TABLE_PLAIN;
        const char *mark = w->is_added             ? "+"
                           : leaves(w)             ? "-"
                           : l->before != l->after ? "~"
                                                   : " ";

        remark(p, i, text);
        table_cell(&t, colour, "%s", mark);
        table_cell(&t, colour, "%s", w->id);
        table_cell(&t, TABLE_PLAIN, "%" PRIu32, l->before);
        table_cell(&t, TABLE_PLAIN, "->");
        table_cell(&t, TABLE_PLAIN, "%" PRIu32, l->after);
        table_cell(&t, TABLE_PLAIN, "%s", text);
    }
    table_print(&t, is_colour, to);
    table_finish(&t);
}

static const char *name_of(const struct planned *p, uint32_t worker)
{
    return worker != STATE_NOBODY ? p->state->worker[worker].id : "(nobody)";
}

static void print_moves(const struct planned *p, bool is_verbose, bool is_colour,
                        FILE *to)
{
    uint64_t told = 0;
    struct table t = {0};
    char text[PARTID_TEXT_ROOM];

    table_column(&t, "partition", false);
    table_column(&t, "from", false);
    table_column(&t, "", false);
    table_column(&t, "to", false);
    table_column(&t, "reason", false);
    for (uint32_t i = 0; i < p->state->part_n; i++) {
        const struct state_part *part = &p->state->part[i];

        if (part->owner == p->owner[i])
            continue;
        if (!is_verbose && told == PRINT_PLAN_MOVES)
            break;
        told++;
        (void)partid_encode(part->id, text, sizeof text);
        table_cell(&t, TABLE_PLAIN, "%s", text);
        table_cell(&t, TABLE_PLAIN, "%s", name_of(p, part->owner));
        table_cell(&t, TABLE_PLAIN, "->");
        table_cell(&t, TABLE_PLAIN, "%s", name_of(p, p->owner[i]));
        table_cell(&t, TABLE_PLAIN, "%s", plan_reason_name(plan_reason_of(p, i)));
    }
    if (told > 0) {
        (void)fputc('\n', to);
        table_print(&t, is_colour, to);
    }
    if (told < p->moved)
        (void)fprintf(to, "... and %" PRIu64 " more (-v lists them all)\n",
                      p->moved - told);
    table_finish(&t);
}

static double percent(double ratio)
{
    return ratio > 1 ? (ratio - 1) * 100 : 0;
}

void print_plan(const struct planned *p, bool is_verbose, bool is_colour, FILE *to)
{
    const struct state *s = p->state;
    uint32_t workers = 0;

    for (uint32_t i = 0; i < s->worker_n; i++)
        workers += !s->worker[i].is_added;
    (void)fprintf(to,
                  "group %s, epoch %" PRIu64 ", %" PRIu32 " workers, %" PRIu32
                  " partitions, strategy %s\n\n",
                  s->group, s->epoch, workers, s->part_n, p->strategy);
    print_workers(p, is_colour, to);
    print_moves(p, is_verbose, is_colour, to);
    (void)fprintf(to,
                  "\nMoves %" PRIu64 " of %" PRIu32 " (a plan as even moves %" PRIu64
                  " at least). ",
                  p->moved, s->part_n, p->moved_least);
    if (p->before_ratio > 0)
        (void)fprintf(to, "Imbalance %.1f %% -> %.1f %%. ", percent(p->before_ratio),
                      percent(p->after_ratio));
    else
        (void)fprintf(to, "Imbalance %.1f %%. ", percent(p->after_ratio));
    (void)fputs("Nothing was changed.\n", to);
}

/* ---- as JSON */

static json_t *part_json(const struct state_part *part)
{
    char text[PARTID_TEXT_ROOM];

    (void)partid_encode(part->id, text, sizeof text);
    return json_string(text);
}

/* The workers of one side with their lists. */
static json_t *side_json(const struct planned *p, bool is_after)
{
    const struct state *s = p->state;
    json_t *o = json_object(), *list = json_array();
    json_t **parts = calloc((size_t)s->worker_n + 1, sizeof(json_t *));
    uint32_t unowned = 0;
    double ratio = is_after ? p->after_ratio : p->before_ratio;

    must(o != NULL && list != NULL && parts != NULL);
    for (uint32_t i = 0; i < s->worker_n; i++) {
        const struct state_worker *w = &s->worker[i];
        json_t *worker;

        if (is_after ? leaves(w) : w->is_added)
            continue;
        parts[i] = json_array();
        worker = json_object();
        json_object_set_new(worker, "id", option_json_text(w->id));
        json_object_set_new(worker, "capacity", json_integer(w->capacity));
        json_object_set_new(worker, "partitions", parts[i]);
        json_array_append_new(list, worker);
    }
    for (uint32_t i = 0; i < s->part_n; i++) {
        uint32_t owner = is_after ? p->owner[i] : s->part[i].owner;

        if (owner == STATE_NOBODY)
            unowned++;
        else
            json_array_append_new(parts[owner], part_json(&s->part[i]));
    }
    json_object_set_new(o, "workers", list);
    json_object_set_new(o, "unowned", json_integer(unowned));
    json_object_set_new(o, "max_over_mean", ratio > 0 ? json_real(ratio) : json_null());
    free(parts);
    return o;
}

static json_t *worker_json(const struct planned *p, uint32_t worker)
{
    return worker != STATE_NOBODY ? option_json_text(p->state->worker[worker].id)
                                  : json_null();
}

static json_t *moves_json(const struct planned *p)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < p->state->part_n; i++) {
        json_t *o;

        if (p->state->part[i].owner == p->owner[i])
            continue;
        o = json_object();
        json_object_set_new(o, "partition", part_json(&p->state->part[i]));
        json_object_set_new(o, "from", worker_json(p, p->state->part[i].owner));
        json_object_set_new(o, "to", worker_json(p, p->owner[i]));
        json_object_set_new(o, "reason",
                            json_string(plan_reason_name(plan_reason_of(p, i))));
        json_array_append_new(list, o);
    }
    return list;
}

json_t *plan_json(const struct planned *p)
{
    json_t *o = json_object();

    must(o != NULL);
    json_object_set_new(o, "format_version", json_integer(FORMAT_VERSION));
    json_object_set_new(o, "before", side_json(p, false));
    json_object_set_new(o, "after", side_json(p, true));
    json_object_set_new(o, "moves", moves_json(p));
    json_object_set_new(o, "moved", json_integer((json_int_t)p->moved));
    json_object_set_new(o, "moved_least", json_integer((json_int_t)p->moved_least));
    json_object_set_new(o, "max_over_mean", json_real(p->after_ratio));
    return o;
}
