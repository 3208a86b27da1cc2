#include "cli/plan.h"

#include "base/must.h"
#include "base/nearest.h"
#include "base/status.h"
#include "host/source.h"
#include "host/strategy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_USUAL = 100 };

/* ---- the fleet */

__attribute__((format(printf, 3, 4))) static int wrong(char *why, size_t room,
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, room, format, args);
    va_end(args);
    return CLI_USAGE;
}

/* "capacity=200" or "zone=eu-1" at at[n]. */
static int set_word(struct state_worker *w, const char *at, size_t n, char *why,
                    size_t room)
{
    char word[ZONE_ROOM + 16], *end = NULL;
    unsigned long long number;

    bytes_to_text((struct bytes){at, n}, word, sizeof word);
    if (strncmp(word, "zone=", 5) == 0 && n < 5 + ZONE_ROOM) {
        bytes_to_text(bytes_of(word + 5), w->zone, sizeof w->zone);
        return CLI_OK;
    }
    if (strncmp(word, "capacity=", 9) != 0)
        return wrong(
            why, room,
            "--add %s: '%.*s' is neither capacity=N nor zone=Z (%d bytes at most)", w->id,
            (int)n, at, ZONE_ROOM - 1);
    number = strtoull(word + 9, &end, 10);
    if (word[9] < '0' || word[9] > '9' || *end != '\0' || number > UINT32_MAX)
        return wrong(why, room, "--add %s: capacity is a number from 0 to 4294967295",
                     w->id);
    w->capacity = (uint32_t)number;
    return CLI_OK;
}

int plan_add(struct state *s, const char *text, char *why, size_t room)
{
    size_t n = strcspn(text, ",");
    char id[ID_ROOM];
    int status = CLI_OK;

    if (n == 0 || n >= sizeof id)
        return wrong(why, room, "--add needs a worker's name of 1 to %d bytes",
                     ID_ROOM - 1);
    bytes_to_text((struct bytes){text, n}, id, sizeof id);
    if (state_find(s, id) != STATE_NOBODY)
        return wrong(why, room, "--add %s: this worker is there already", id);
    struct state_worker *w = state_add_worker(s, id);

    w->capacity = CAPACITY_USUAL;
    w->is_added = true;
    for (text += n; status == CLI_OK && *text == ','; text += n) {
        text++;
        n = strcspn(text, ",");
        status = set_word(w, text, n, why, room);
    }
    return status;
}

int plan_remove(struct state *s, const char *id, char *why, size_t room)
{
    uint32_t i = state_find(s, id);
    struct nearest near;

    if (i != STATE_NOBODY) {
        s->worker[i].is_removed = true;
        return CLI_OK;
    }
    nearest_init(&near, id);
    for (uint32_t k = 0; k < s->worker_n; k++)
        nearest_offer(&near, s->worker[k].id);
    return wrong(why, room, "--remove %s: there is no such worker%s%s%s", id,
                 near.best != NULL ? "; did you mean '" : "",
                 near.best != NULL ? near.best : "", near.best != NULL ? "'?" : "");
}

int plan_list(struct state *s, struct conf *c, char *away, size_t room)
{
    struct sources_setup setup = {.source = c->source,
                                  .source_n = c->source_n,
                                  .plugin_dir = c->plugin_dir,
                                  .budget_ms = c->timing.operation_timeout_ms,
                                  .away = away,
                                  .away_room = room};
    struct listing *listing = NULL;

    if (sources_list_once(&setup, &c->errors, &listing) < 0)
        return away[0] != '\0' ? CLI_FAILED : CLI_USAGE;
    for (uint32_t i = 0; i < listing->n; i++)
        state_add_part(s, listing->id[i])->weight = listing->weight[i];
    listing_unref(listing);
    return CLI_OK;
}

/* ---- the question */

struct question {
    struct plan_request request;
    struct bytes *id;
    uint32_t *weight, *prev, *prev_to_now;
    struct plan_worker *worker;
    uint32_t *place; /* worker of the request -> worker of the state */
};

/* As the leader sees it: who leaves is no candidate, who is away keeps what it has. */
static bool is_asked_for(const struct state_worker *w)
{
    return !w->is_removed && w->state != MEMBER_DRAINING;
}

static enum cause cause_of(const struct state *s)
{
    enum cause cause = CAUSE_REFRESH;

    for (uint32_t i = 0; i < s->worker_n; i++) {
        if (s->worker[i].is_added)
            return CAUSE_SCALE;
        if (!is_asked_for(&s->worker[i]))
            cause = CAUSE_LEAVE;
    }
    return cause;
}

/* One entry more than asked for: no column is empty. */
static void *column(uint32_t n, size_t size)
{
    void *rows = calloc((size_t)n + 1, size);

    must(rows != NULL);
    return rows;
}

static void question_init(struct question *q, const struct state *s)
{
    uint32_t n = 0;

    q->id = column(s->part_n, sizeof *q->id);
    q->weight = column(s->part_n, sizeof *q->weight);
    q->prev = column(s->part_n, sizeof *q->prev);
    q->prev_to_now = column(s->worker_n, sizeof *q->prev_to_now);
    q->worker = column(s->worker_n, sizeof *q->worker);
    q->place = column(s->worker_n, sizeof *q->place);
    for (uint32_t i = 0; i < s->worker_n; i++) {
        const struct state_worker *w = &s->worker[i];

        if (!is_asked_for(w))
            continue;
        q->place[n] = i;
        q->worker[n++] = (struct plan_worker){.id = w->id,
                                              .num = w->num,
                                              .capacity = w->capacity,
                                              .zone = w->zone,
                                              .is_new = w->is_added,
                                              .is_cordoned = w->state == MEMBER_AWAY};
    }
    for (uint32_t i = 0; i <= s->worker_n; i++)
        q->prev_to_now[i] = n;
    for (uint32_t i = 0; i < n; i++)
        q->prev_to_now[q->place[i]] = i;
    for (uint32_t i = 0; i < s->part_n; i++) {
        q->id[i] = s->part[i].id;
        q->weight[i] = s->part[i].weight;
        q->prev[i] = s->part[i].owner != STATE_NOBODY ? s->part[i].owner : s->worker_n;
    }
    q->request = (struct plan_request){.plan = 1,
                                       .cause = cause_of(s),
                                       .stamp = {s->gen, s->epoch + 1},
                                       .part_n = s->part_n,
                                       .part_id = q->id,
                                       .part_weight = q->weight,
                                       .part_prev = q->prev,
                                       .worker_n = n,
                                       .worker = q->worker,
                                       .prev_n = s->worker_n,
                                       .prev_to_now = q->prev_to_now};
}

static void question_finish(struct question *q)
{
    free(q->id);
    free(q->weight);
    free(q->prev);
    free(q->prev_to_now);
    free(q->worker);
    free(q->place);
}

/* ---- the answer */

static void count_loads(struct planned *p)
{
    const struct state *s = p->state;

    p->load = calloc((size_t)s->worker_n + 1, sizeof *p->load);
    must(p->load != NULL);
    for (uint32_t i = 0; i < s->part_n; i++) {
        if (s->part[i].owner != STATE_NOBODY)
            p->load[s->part[i].owner].before++;
        p->load[p->owner[i]].after++;
        p->load[p->owner[i]].weight += s->part[i].weight;
    }
}

/* How even the state was, reckoned as the host reckons answers: load by capacity. */
static double ratio_before(const struct state *s)
{
    double weight = 0, capacity = 0, most = 0;

    for (uint32_t i = 0; i < s->worker_n; i++) {
        const struct state_worker *w = &s->worker[i];

        if (w->is_added || w->capacity == 0)
            continue;
        weight += (double)w->weight;
        capacity += w->capacity;
        if ((double)w->weight / w->capacity > most)
            most = (double)w->weight / w->capacity;
    }
    return weight > 0 ? most * capacity / weight : 0;
}

int plan_ask(struct planned *p, const struct state *s, struct conf *c,
             const struct conf_plugin *strategy, char *why, size_t room)
{
    struct strategy_setup setup = {.conf = strategy, .plugin_dir = c->plugin_dir};
    struct plan_answer answer = {0};
    struct question q;
    int status;

    p->state = s;
    bytes_to_text(bytes_of(strategy->plugin), p->strategy, sizeof p->strategy);
    question_init(&q, s);
    status = strategy_plan_once(&setup, &q.request, &c->errors, &answer);
    if (status < 0) {
        status = CLI_USAGE;
    } else if (answer.result.status != STATUS_OK) {
        bytes_to_text(bytes_of(answer.result.text), why, room);
        status = CLI_FAILED;
    } else {
        p->owner = calloc((size_t)s->part_n + 1, sizeof *p->owner);
        must(p->owner != NULL);
        for (uint32_t i = 0; i < s->part_n; i++)
            p->owner[i] = q.place[answer.owner[i]];
        p->moved = answer.result.moved;
        p->moved_least = answer.result.moved_least;
        p->after_ratio = answer.result.max_over_mean;
        p->before_ratio = ratio_before(s);
        count_loads(p);
        status = CLI_OK;
    }
    plan_answer_finish(&answer);
    question_finish(&q);
    return status;
}

void planned_finish(struct planned *p)
{
    free(p->load);
    free(p->owner);
    *p = (struct planned){0};
}

enum plan_reason plan_reason_of(const struct planned *p, uint32_t i)
{
    const struct state *s = p->state;
    uint32_t from = s->part[i].owner;

    if (from == STATE_NOBODY)
        return PLAN_UNOWNED;
    if (!is_asked_for(&s->worker[from]))
        return PLAN_LEAVING;
    return s->worker[p->owner[i]].is_added ? PLAN_JOINING : PLAN_BALANCE;
}

const char *plan_reason_name(enum plan_reason reason)
{
    switch (reason) {
    case PLAN_UNOWNED: return "unowned";
    case PLAN_LEAVING: return "leaving";
    case PLAN_JOINING: return "joining";
    case PLAN_BALANCE: return "balance";
    }
    return "?";
}
