/* What the engine wants, done: by the plugin, by the store, by the handlers. */
#include "host/consumer_private.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAY_ROOM = 1024, BURY_HEADERS = 8, BURY_BYTES = 4096 };

void consumer_pend(struct consumer *c, const struct consume_event *event)
{
    must(c->pendings < CONSUMER_PENDING_MAX);
    c->pending[(c->pending_first + c->pendings++) % CONSUMER_PENDING_MAX] = *event;
}

/* Is it said of a partition that is in trouble from now on? */
static bool is_lasting(int code)
{
    return code == ERR_POSITION_STORE || code == ERR_MESSAGE_SPENT ||
           code == ERR_DEAD_LETTER || code == ERR_READER_STUCK ||
           code == ERR_READER_BROKEN;
}

void consumer_note(struct consumer *c, uint32_t lane, int code, const char *text)
{
    if (c->cause[0] != '\0' && lane != c->cause_lane)
        return;
    if (c->cause[0] == '\0')
        c->count_at_ms = c->now_ms + CONSUMER_COUNT_MS; /* unless it is over by then */
    c->cause_lane = lane;
    c->is_cause_new = true;
    (void)snprintf(c->cause, sizeof c->cause, "PARTI-E%03d %.240s", code, text);
}

void consumer_say(struct consumer *c, uint32_t lane, int code, const char *format, ...)
{
    const struct consumer_lane *l = lane < c->lanes_used ? &c->lane[lane] : NULL;
    char text[SAY_ROOM], whole[SAY_ROOM + 640];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (l != NULL && l->part != NULL)
        (void)snprintf(whole, sizeof whole, "partition %.200s: %s%s%.300s",
                       l->part->partition.id, text, c->reason != NULL ? " " : "",
                       c->reason != NULL ? c->reason : "");
    else
        (void)snprintf(whole, sizeof whole, "%s", text);
    if (is_lasting(code))
        consumer_note(c, lane, code, whole);
    consumer_tell_problem(c, code, whole);
}

/* ---- the plugin -------------------------------------------------------------------- */

void consumer_enter(struct consumer *c, const char *call)
{
    atomic_store(&c->call_ms, clock_boot_ms());
    atomic_store(&c->is_told, false);
    atomic_store(&c->call, call);
}

void consumer_leave(struct consumer *c)
{
    atomic_store(&c->call, NULL);
}

static void pend_trouble(struct consumer *c, uint32_t lane, uint64_t run, int status)
{
    const struct consume_event ev = {
        .type = CONSUME_TROUBLE, .lane = lane, .run = run, .status = status};

    consumer_pend(c, &ev);
}

static void start(struct consumer *c, const struct consume_action *a)
{
    struct consumer_lane *l = &c->lane[a->lane];
    const struct parti_partition *p = &l->part->partition;
    struct parti_consumer_start s = {.size = sizeof s,
                                     .lane = a->lane,
                                     .run = a->run,
                                     .id = p->key,
                                     .id_n = p->key_n,
                                     .token_gen = p->token.gen,
                                     .token_since = p->token.since,
                                     .origin = a->origin,
                                     .next = a->position};
    struct parti_error error;
    int32_t code;

    if (c->is_shut) {
        pend_trouble(c, a->lane, a->run, STATUS_UNSUPPORTED);
        return;
    }
    instance_error_init(&error);
    inlet_begin(&c->inlet, a->lane, a->run);
    l->run = a->run;
    consumer_enter(c, "start");
    code = c->plugin->consumer.start(c->self, &s, &error);
    consumer_leave(c);
    if (code == PARTI_OK)
        return;
    inlet_end(&c->inlet, a->lane);
    l->run = 0;
    if (code < PARTI_OK || code > PARTI_UNSUPPORTED) {
        inlet_break(&c->inlet, "answered %s (%d) to start()", instance_code_name(code),
                    (int)code);
        pend_trouble(c, a->lane, a->run, STATUS_UNSUPPORTED);
        return;
    }
    (void)snprintf(c->start_reason, sizeof c->start_reason, "%s says: %s",
                   c->instance.name, instance_error_text(&error));
    pend_trouble(c, a->lane, a->run, STATUS_INVALID);
}

static void stop(struct consumer *c, const struct consume_action *a)
{
    struct consumer_lane *l = &c->lane[a->lane];

    if (l->run == 0)
        return; /* it was never begun */
    inlet_end(&c->inlet, a->lane);
    l->run = 0;
    consumer_enter(c, "stop");
    c->plugin->consumer.stop(c->self, a->lane, a->is_last);
    consumer_leave(c);
}

static void credit(struct consumer *c, const struct consume_action *a)
{
    if (c->is_shut || c->lane[a->lane].run == 0)
        return;
    inlet_credit(&c->inlet, a->lane, a->n);
    consumer_enter(c, "credit");
    c->plugin->consumer.credit(c->self, a->lane, a->n);
    consumer_leave(c);
}

static void done(struct consumer *c, const struct consume_action *a)
{
    struct consumer_lane *l = &c->lane[a->lane];

    if (l->part == NULL)
        return;
    if (!c->is_shut && l->run != 0) {
        consumer_enter(c, "done");
        c->plugin->consumer.done(c->self, a->lane, a->position);
        consumer_leave(c);
    }
    consumer_tell_settled(c, &l->part->partition, a->position);
}

/* ---- dead letters ------------------------------------------------------------------ */

struct column {
    char bytes[BURY_BYTES];
    uint64_t end[BURY_HEADERS];
    uint64_t n;
};

static void add(struct column *to, const char *text)
{
    uint64_t at = to->n > 0 ? to->end[to->n - 1] : 0;
    size_t n = strnlen(text, sizeof to->bytes - at);

    must(to->n < BURY_HEADERS);
    memcpy(to->bytes + at, text, n);
    to->end[to->n++] = at + n;
}

static __attribute__((format(printf, 4, 5))) void header(struct column *names,
                                                         struct column *values,
                                                         const char *name,
                                                         const char *format, ...)
{
    char text[BURY_BYTES / 4];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add(names, name);
    add(values, text);
}

static void bury(struct consumer *c, const struct consume_action *a)
{
    struct consumer_lane *l = &c->lane[a->lane];
    const struct message *m = a->message;
    struct column names = {.n = 0}, values = {.n = 0};

    if (c->is_shut || l->run == 0) {
        const struct consume_event ev = {.type = CONSUME_BURIED,
                                         .lane = a->lane,
                                         .run = a->run,
                                         .position = a->position,
                                         .status = STATUS_OFFLINE};

        consumer_pend(c, &ev);
        return;
    }
    const struct parti_partition *p = &l->part->partition;
    header(&names, &values, "Parti-Reason", "%s", a->text);
    header(&names, &values, "Parti-Attempts", "%" PRIu32, a->count);
    header(&names, &values, "Parti-Group", "%s", c->group);
    header(&names, &values, "Parti-Partition", "%s", p->id);
    header(&names, &values, "Parti-Position", "%" PRIu64, a->position);
    header(&names, &values, "Parti-Token", "%" PRIu64 "-%" PRIu64, p->token.gen,
           p->token.since);
    header(&names, &values, "Parti-Subject", "%s", m->given.subject);
    const struct parti_strs name = {names.bytes, names.end, names.n};
    const struct parti_strs value = {values.bytes, values.end, values.n};
    inlet_bury(&c->inlet, a->lane);
    consumer_enter(c, "bury");
    c->plugin->consumer.bury(c->self, a->lane, &m->given, c->dead_letter, &name, &value);
    consumer_leave(c);
}

/* ---- the store and the handlers ---------------------------------------------------- */

static void store(struct consumer *c, const struct consume_action *a)
{
    const struct parti_partition *p = &c->lane[a->lane].part->partition;
    struct bytes id = {p->key, p->key_n};
    bool is_read = a->type == DO_READ;
    int status = is_read ? consumer_store_read(&c->store, a, id)
                         : consumer_store_write(&c->store, a, id);
    const struct consume_event ev = {.type = is_read ? CONSUME_READ : CONSUME_WRITTEN,
                                     .lane = a->lane,
                                     .op = a->op,
                                     .status = status};

    if (status != STATUS_OK)
        consumer_pend(c, &ev);
}

/* With the others of this turn, at its end. */
static void deliver(struct consumer *c, const struct consume_action *a)
{
    struct consumer_lane *l = &c->lane[a->lane];
    struct hands_delivery *d = message_lend(a->message);

    must(d != NULL); /* small, and what is not delivered would never be answered */
    d->lane = a->lane;
    d->serial = l->part->partition.hold.serial;
    d->run = (uint32_t)a->run;
    d->stretch = (uint32_t)a->stretch;
    d->attempt = a->attempt;
    d->count = a->count;
    d->position = a->position;
    d->when_ms = c->now_ms;
    l->stretch = d->stretch;
    *c->given_last = d;
    c->given_last = &d->next;
}

static void clear(struct consumer *c, const struct consume_action *a)
{
    struct consumer_lane *l = &c->lane[a->lane];

    if (l->part == NULL)
        return;
    struct parti_hold hold = l->part->partition.hold;
    hands_part_unref(l->part);
    l->part = NULL;
    if (hands_close(c->hands, hold))
        consumer_tell_clear(c, hold);
    c->has_later = c->has_later || l->later != NULL;
}

static void cancel(struct consumer *c, const struct consume_action *a)
{
    const struct consumer_lane *l = &c->lane[a->lane];

    if (l->part == NULL)
        return;
    struct parti_hold hold = l->part->partition.hold;
    (void)hands_take_back(c->hands, hold, l->stretch, NULL);
    if (c->setup.over != NULL)
        c->setup.over(c->setup.ctx, hold, l->stretch);
}

static void forget(struct consumer *c, const struct consume_action *a)
{
    struct message *m = a->message;

    m->next = c->forgotten;
    c->forgotten = m;
}

void consumer_perform(void *ctx, const struct consume_action *a)
{
    struct consumer *c = ctx;

    switch (a->type) {
    case DO_READ:
    case DO_WRITE: store(c, a); break;
    case DO_START: start(c, a); break;
    case DO_CREDIT: credit(c, a); break;
    case DO_DELIVER: deliver(c, a); break;
    case DO_CANCEL: cancel(c, a); break;
    case DO_BURY: bury(c, a); break;
    case DO_DONE: done(c, a); break;
    case DO_STOP: stop(c, a); break;
    case DO_FORGET: forget(c, a); break;
    case DO_CLEAR: clear(c, a); break;
    case DO_SAY:
        if (!c->is_shut || a->code != ERR_READER_STUCK) /* that was said already */
            consumer_say(c, a->lane, a->code, "%s", a->text);
        break;
    }
}
