/* judge FOLDER REPEATS_MAX DELIVER_MAX TIMEOUT_MS: the verdict as a table, then as one
 * JSON object; exit status 0 only if nothing was wrong, 2 if it cannot be judged.
 */
#include "config.h"

#include "judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct line {
    const char *name, *what;
    uint64_t n;
};

#define LINES 28

static void lines_of(const struct verdict *v, struct line line[LINES])
{
    const struct line all[LINES] = {
        {"produced", "messages, each acknowledged by the broker", v->produced},
        {"handled", "calls of handlers that did their work", v->handled},
        {"naked", "attempts answered with a nak", v->naked},
        {"hopeless", "the same, of what is naked at every attempt", v->hopeless},
        {"termed", "attempts answered with a term", v->termed},
        {"silent", "attempts not answered", v->silent},
        {"silent_most_ms", "until the same holder had such a one again",
         v->silent_most_ms},
        {"dead", "numbers with a dead letter", v->dead},
        {"lost", "", v->lost},
        {"out_of_order", "first handlings", v->out_of_order},
        {"out_of_holder", "attempts, within one holder", v->out_of_holder},
        {"ahead", "behind what was not done", v->ahead},
        {"overlaps", "two at one instant", v->overlaps},
        {"stale", "under a lower token than before", v->stale},
        {"after_ack", "again, the ack durable", v->after_ack},
        {"after_release", "again, given up in order", v->after_release},
        {"too_many", "repeats beyond the bound of a crash", v->too_many},
        {"late_unexplained", "appended late, not stopped by us", v->late_unexplained},
        {"unearned", "in a record before they were done", v->unearned},
        {"unburied", "no dead letter", v->unburied},
        {"dead_wrongly", "a dead letter of what was handled", v->dead_wrongly},
        {"dead_again", "a second one, nobody had died", v->dead_again},
        {"strange", "unknown numbers, other positions", v->strange},
        {"before_ack", "repeats before the ack was durable: allowed", v->before_ack},
        {"before_ack_most", "of one partition after one holder", v->before_ack_most},
        {"late", "appended late, by a stop: no lease prevents it", v->late},
        {"voided", "handled behind a nak, a term: they came again", v->voided},
        {"slow", "took half of handle_timeout, and came again", v->slow},
    };

    for (int i = 0; i < LINES; i++)
        line[i] = all[i];
}

static void table(const struct verdict *v)
{
    struct line line[LINES];

    lines_of(v, line);
    for (int i = 0; i < LINES; i++)
        (void)printf("%-18s%10" PRIu64 "  %s\n", line[i].name, line[i].n, line[i].what);
    (void)printf("%-18s%10" PRIu64 "  handled, but no longer held: nothing was done\n",
                 "refused", v->refused);
    (void)printf("%-18s%10.1f  s, %.0f messages a second\n", "wall",
                 (double)v->wall_ms / 1e3,
                 v->wall_ms > 0 ? (double)v->produced * 1e3 / (double)v->wall_ms : 0.0);
    (void)printf("%-18s", "changes");
    for (int i = 0; i < CHANGES; i++)
        (void)printf("  %s %" PRIu64, change_names[i], v->change[i]);
    (void)printf(
        "\n\nhand-overs, ms       n  loaded      p50     p99     max |  net p50   "
        "  p99     max |  batch release   grant   begin\n");
    for (int i = 0; i < GAPS; i++) {
        const struct gap_figures *f = &v->gap[i];

        (void)printf(
            "  %-13s%7zu %7zu %8.1f%8.1f%8.1f |%9.1f%8.1f%8.1f |%7.1f%8.1f%8.1f%8.1f\n",
            gap_names[i], f->n, f->loaded, (double)f->p50_us / 1e3,
            (double)f->p99_us / 1e3, (double)f->max_us / 1e3, (double)f->net_p50_us / 1e3,
            (double)f->net_p99_us / 1e3, (double)f->net_max_us / 1e3,
            (double)f->batch_us / 1e3, (double)f->release_us / 1e3,
            (double)f->grant_us / 1e3, (double)f->begin_us / 1e3);
    }
}

static void json(const struct verdict *v)
{
    struct line line[LINES];

    lines_of(v, line);
    (void)printf("{\"target\":\"ledger\",\"ok\":%s", verdict_holds(v) ? "true" : "false");
    for (int i = 0; i < LINES; i++)
        (void)printf(",\"%s\":%" PRIu64, line[i].name, line[i].n);
    (void)printf(",\"refused\":%" PRIu64 ",\"wall_ms\":%" PRIu64, v->refused, v->wall_ms);
    for (int i = 0; i < CHANGES; i++)
        (void)printf(",\"%s\":%" PRIu64, change_names[i], v->change[i]);
    for (int i = 0; i < GAPS; i++) {
        const struct gap_figures *f = &v->gap[i];

        (void)printf(",\"gap_%s\":{\"n\":%zu,\"loaded\":%zu,\"p50_us\":%" PRIu64
                     ",\"p99_us\":%" PRIu64 ",\"max_us\":%" PRIu64
                     ",\"net_p50_us\":%" PRIu64 ",\"net_p99_us\":%" PRIu64
                     ",\"net_max_us\":%" PRIu64 "}",
                     gap_names[i], f->n, f->loaded, f->p50_us, f->p99_us, f->max_us,
                     f->net_p50_us, f->net_p99_us, f->net_max_us);
    }
    (void)printf("}\n");
}

int main(int argc, char **argv)
{
    struct ledger l;
    struct verdict v = {0};
    struct judge_options o = {.repeats_max = UINT64_MAX - 1};

    if (argc != 5) {
        (void)fprintf(stderr, "usage: judge FOLDER REPEATS_MAX DELIVER_MAX TIMEOUT_MS\n");
        return 2;
    }
    o.repeats_max = strtoull(argv[2], NULL, 10);
    o.deliver_max = (uint32_t)strtoul(argv[3], NULL, 10);
    o.timeout_ns = strtoull(argv[4], NULL, 10) * 1000000;
    if (!ledger_read(&l, argv[1]))
        return 2;
    judge_rows(&l, &o, &v);
    judge_gaps(&l, &v);
    ledger_free(&l);
    table(&v);
    json(&v);
    return verdict_holds(&v) ? 0 : 1;
}
