#include "cli/print_status.h"

#include "proto/life.h"

#include <inttypes.h>
#include <string.h>

enum { BAR_MIN = 10, BAR_MAX = 40, GAP = 2 };

enum table_colour print_life_colour(const char *life)
{
    static const enum life_state bad[] = {LIFE_ELECTION, LIFE_EMERGENCY, LIFE_DEGRADED};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (strcmp(life, life_name(bad[i])) == 0)
            return TABLE_BAD;
    return strcmp(life, life_name(LIFE_STABLE)) == 0 ? TABLE_GOOD : TABLE_BUSY;
}

static void print_unread(const struct state *s, bool is_colour, FILE *to)
{
    if (s->unread == 0)
        return;
    (void)fprintf(to, "\nunread      %" PRIu32 " partition(s) of %" PRIu32 " worker(s); ",
                  s->unread, s->unread_workers);
    table_text(s->unread_id[0] != '\0' ? s->unread_id : "?", TABLE_PLAIN, is_colour, to);
    (void)fputs(": ", to);
    table_text(s->unread_why, TABLE_BAD, is_colour, to);
}

static void print_group(const struct state *s, const struct positions_sum *sum,
                        bool is_colour, FILE *to)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < s->worker_n; i++)
        left += s->worker[i].has_left;
    (void)fputs("group       ", to);
    table_text(s->group, TABLE_BOLD, is_colour, to);
    (void)fputs("\nstate       ", to);
    table_text(s->life, print_life_colour(s->life), is_colour, to);
    if (s->why[0] != '\0') {
        (void)fputs("\nreason      ", to);
        table_text(s->why, TABLE_PLAIN, is_colour, to);
    }
    print_unread(s, is_colour, to);
    (void)fputs("\nleader      ", to);
    if (s->has_leader)
        table_text(s->leader[0] != '\0' ? s->leader : "(no id yet)", TABLE_PLAIN,
                   is_colour, to);
    else
        table_text("none", TABLE_BAD, is_colour, to);
    (void)fprintf(to, ", term %" PRIu64 "\nepoch       %" PRIu64 "\nstrategy    ",
                  s->term, s->epoch);
    table_text(s->strategy, TABLE_PLAIN, is_colour, to);
    (void)fprintf(to,
                  "\npartitions  %" PRIu32 ", %" PRIu32 " pending, %" PRIu32 " unowned\n",
                  s->part_n + s->unlisted, s->pending, s->unowned);
    if (sum->is_known)
        (void)fprintf(to,
                      "positions   %" PRIu32 " of %" PRIu32
                      " partitions have one, %" PRIu32 " with a message that failed\n",
                      sum->recorded, sum->parts, sum->failing);
    (void)fprintf(to, "workers     %" PRIu32, s->worker_n - left);
    if (left > 0)
        (void)fprintf(to, ", %" PRIu32 " left", left);
    (void)fputc('\n', to);
}

static uint32_t most_parts(const struct state *s)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < s->worker_n; i++)
        if (s->worker[i].placed > most)
            most = s->worker[i].placed;
    return most;
}

static void fill(const struct state *s, size_t bar, struct table *t)
{
    char text[TABLE_CELL_ROOM];
    uint32_t most = most_parts(s);

    table_column(t, "worker", false);
    table_column(t, "host", false);
    table_column(t, "pid", true);
    table_column(t, "state", false);
    table_column(t, "capacity", true);
    table_column(t, "partitions", true);
    if (bar > 0)
        table_column(t, "", false);
    for (uint32_t i = 0; i < s->worker_n; i++) {
        const struct state_worker *w = &s->worker[i];

        table_cell(t, TABLE_PLAIN, "%s", w->id);
        table_cell(t, TABLE_PLAIN, "%s", w->host);
        table_cell(t, TABLE_PLAIN, "%" PRIu32, w->pid);
        table_cell(t, w->state == MEMBER_ACTIVE ? TABLE_PLAIN : TABLE_BUSY, "%s",
                   state_worker_name(w));
        table_cell(t, TABLE_PLAIN, "%" PRIu32, w->capacity);
        table_cell(t, TABLE_PLAIN, w->pending > 0 ? "%" PRIu32 " +%" PRIu32 : "%" PRIu32,
                   w->placed, w->pending);
        if (bar > 0) {
            table_bar(text, bar, w->placed, most);
            table_cell(t, TABLE_PLAIN, "%s", text);
        }
    }
}

void print_status(const struct state *s, const struct positions_sum *sum, size_t width,
                  bool is_colour, FILE *to)
{
    struct table t = {0};
    size_t used, bar = 0;

    print_group(s, sum, is_colour, to);
    if (s->worker_n == 0)
        return;
    fill(s, 0, &t);
    used = table_width(&t) + GAP;
    if (width >= used + BAR_MIN)
        bar = width - used < BAR_MAX ? width - used : BAR_MAX;
    if (bar > 0) {
        table_finish(&t);
        fill(s, bar, &t);
    }
    (void)fputc('\n', to);
    table_print(&t, is_colour, to);
    table_finish(&t);
}
