/* Events to the part that they concern; time to the lanes that are due. */
#include "consume/state.h"

#include "base/arena.h"
#include "base/must.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static __attribute__((format(printf, 5, 0))) void say_list(struct consume *c,
                                                           const struct lane *l, int code,
                                                           int status, const char *format,
                                                           va_list list)
{
    struct consume_action a = {.type = DO_SAY,
                               .lane = lane_number(c, l),
                               .code = code,
                               .status = status,
                               .text = c->text};

    (void)vsnprintf(c->text, sizeof c->text, format, list);
    c->perform(c->ctx, &a);
}

void say(struct consume *c, const struct lane *l, int code, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_list(c, l, code, STATUS_OK, format, list);
    va_end(list);
}

void say_why(struct consume *c, const struct lane *l, int code, int status,
             const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_list(c, l, code, status, format, list);
    va_end(list);
}

uint64_t pause_end(const struct consume *c, uint64_t *pause)
{
    *pause = *pause == 0 ? PAUSE_FIRST_MS : *pause * 2;
    if (*pause > PAUSE_MAX_MS)
        *pause = PAUSE_MAX_MS;
    return sat_add(c->now_ms, *pause);
}

/* ---- memory */

/* Carves all pieces; false: they do not fit.  The same for size and for init. */
static bool carve(struct consume **ret, struct arena *a, const struct consume_options *o,
                  uint64_t entries)
{
    struct consume *c = arena_carve(a, sizeof *c);
    struct lane *lane = arena_carve(a, o->lanes_max * sizeof *lane);
    struct entry *entry = arena_carve(a, entries * sizeof *entry);
    struct op *op = arena_carve(a, o->writes_max * sizeof *op);
    struct due *due = arena_carve(a, o->lanes_max * sizeof *due);

    if (c == NULL || lane == NULL || entry == NULL || op == NULL || due == NULL)
        return false;
    if (ret != NULL) {
        *c = (struct consume){.lane = lane, .entry = entry, .op = op, .due = due};
        *ret = c;
    }
    return true;
}

/* Rooms for messages; 0: options that do not do. */
static uint64_t count_entries(const struct consume_options *o)
{
    uint32_t most = o->messages_max > o->lanes_max ? o->messages_max : o->lanes_max;

    if (o->lanes_max == 0 || o->messages_max == 0 || o->lane_max == 0 ||
        o->deliver_max == 0 || o->commit_messages == 0 || o->writes_max == 0 ||
        most == NOBODY || o->writes_max == NOBODY)
        return 0;
    return most;
}

size_t consume_size(const struct consume_options *options)
{
    uint64_t entries = count_entries(options);

    if (entries == 0)
        return 0;
    /* Each piece is aligned, hence the room for alignment. */
    return sizeof(struct consume) + options->lanes_max * sizeof(struct lane) +
           entries * sizeof(struct entry) + options->writes_max * sizeof(struct op) +
           options->lanes_max * sizeof(struct due) + 5 * _Alignof(max_align_t);
}

int consume_init(struct consume **ret, void *memory, size_t size,
                 const struct consume_options *options, consume_perform perform,
                 void *ctx)
{
    uint64_t entries = count_entries(options);
    uint64_t span;
    struct consume *c;
    struct arena a;

    if (entries == 0)
        return STATUS_INVALID;
    arena_init(&a, memory, size);
    if (!carve(&c, &a, options, entries))
        return STATUS_NOMEM;
    c->options = *options;
    c->perform = perform;
    c->ctx = ctx;
    span = 2 * (uint64_t)options->commit_messages + options->deliver_max;
    c->given_max = options->deliver_max == 1 && options->ahead_max > 1
                       ? options->ahead_max
                       : options->deliver_max;
    c->span_max = span < UINT32_MAX ? (uint32_t)span : UINT32_MAX;
    c->over_max = (uint32_t)entries - options->lanes_max;
    for (uint32_t i = 0; i < options->lanes_max; i++) {
        struct lane *l = &c->lane[i];

        l->first = l->last = l->give = l->due_at = NOBODY;
    }
    pool_init(c);
    store_init(c);
    *ret = c;
    return STATUS_OK;
}

void consume_finish(struct consume *c)
{
    if (c == NULL)
        return;
    for (uint32_t i = 0; i < c->options.lanes_max; i++)
        pool_drop(c, &c->lane[i]);
}

/* ---- events */

static void fence(struct consume *c)
{
    for (uint32_t i = 0; i < c->options.lanes_max; i++)
        lane_end(c, &c->lane[i]); /* C10 */
}

static void run_event(struct consume *c, struct lane *l, const struct consume_event *ev)
{
    bool is_of_run = l->is_running && ev->run == l->run;

    switch (ev->type) {
    case CONSUME_GRANT: lane_grant(c, l, ev->token); break;
    case CONSUME_REVOKE: lane_revoke(c, l, ev->deadline_ms); break;
    case CONSUME_BEGUN:
        if (is_of_run)
            flow_begun(c, l, ev);
        break;
    case CONSUME_MESSAGE: flow_message(c, l, ev); break;
    case CONSUME_VERDICT: flow_verdict(c, l, ev); break;
    case CONSUME_BURIED: flow_buried(c, l, ev); break;
    case CONSUME_TROUBLE:
        if (is_of_run)
            lane_trouble(c, l, ev->status);
        break;
    case CONSUME_FENCE:
    case CONSUME_READ:
    case CONSUME_WRITTEN:
    case CONSUME_TICK: break;
    }
    lane_work(c, l);
}

void consume_step(struct consume *c, const struct consume_event *event)
{
    struct lane *l;

    must(event->now_ms >= c->now_ms);
    c->now_ms = event->now_ms;
    if (event->type == CONSUME_FENCE) {
        fence(c); /* before anything that time may bring */
        return;
    }
    store_expire(c);
    while ((l = timer_pop(c)) != NULL)
        lane_tick(c, l);
    if (event->type == CONSUME_READ || event->type == CONSUME_WRITTEN) {
        store_answer(c, event);
    } else if (event->type != CONSUME_TICK) {
        must(event->lane < c->options.lanes_max);
        run_event(c, &c->lane[event->lane], event);
    }
    store_serve(c);
    pool_serve(c);
}

uint64_t consume_deadline_ms(const struct consume *c)
{
    uint64_t due_ms = c->due_n > 0 ? c->due[0].at_ms : UINT64_MAX;

    if (c->op_first != NOBODY && c->op[c->op_first].due_ms < due_ms)
        due_ms = c->op[c->op_first].due_ms;
    return due_ms;
}

void consume_look(const struct consume *c, uint32_t lane, struct consume_view *ret)
{
    static const enum consume_state state[] = {[PHASE_IDLE] = LANE_IDLE,
                                               [PHASE_CLAIMING] = LANE_CLAIMING,
                                               [PHASE_READING] = LANE_READING,
                                               [PHASE_RESETTING] = LANE_CLAIMING,
                                               [PHASE_DRAINING] = LANE_DRAINING};
    const struct lane *l;

    must(lane < c->options.lanes_max);
    l = &c->lane[lane];
    *ret = (struct consume_view){
        .state = l->is_stuck || l->is_spent || l->has_said_bury ||
                         (l->phase == PHASE_CLAIMING && l->has_said)
                     ? LANE_STUCK
                     : state[l->phase],
        .token = l->token,
        .run = l->run,
        .origin = l->origin,
        .next = l->next,
        .durable = l->durable.next,
        .queued = l->queued,
        .given = l->given,
        .credit = l->credit,
        .attempts = l->queued > 0 ? c->entry[l->first].fails : l->carry_fails,
        .is_careful = l->careful_n > 0};
}
