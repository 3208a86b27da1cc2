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
    char text[SAY_ROOM], whole[SAY_ROOM + 320];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (l != NULL && l->part != NULL)
        (void)snprintf(whole, sizeof whole, "partition %.200s: %s", l->part->partition.id,
                       text);
    else
        (void)snprintf(whole, sizeof whole, "%s", text);
    if (is_lasting(code))
        consumer_note(c, lane, code, whole);
    consumer_tell_problem(c, code, whole);
}

/* What a person can do about what the engine says; the engine knows no names. */
static void find_remedy(const struct consumer *c, int code, char *to, size_t room)
{
    const char *place = c->dead_letter != NULL ? c->dead_letter : "";
    const char *text = "";

    switch (code) {
    case ERR_POSITION_STORE:
        (void)snprintf(to, room,
                       "It is tried again. Look at the NATS server, and at what its "
                       "account may do with the bucket parti_pos_%s",
                       c->group);
        return;
    case ERR_DEAD_LETTER:
        (void)snprintf(to, room,
                       "It is tried again, and the partition waits. Look at '%.200s', "
                       "which [consume] dead_letter names, and at who may write there",
                       place);
        return;
    case ERR_MESSAGE_BURIED:
        (void)snprintf(to, room, "Look at it in '%.200s'", place);
        return;
    case ERR_POSITION_LOST:
        text = "Nothing to do if this worker was paused or cut off from the server; else "
               "find out why it was slow";
        break;
    case ERR_POSITION_VOID: text = "Nothing to do if it was made anew on purpose"; break;
    case ERR_MESSAGES_GONE:
        text = "Raise the limits of the stream or topic, or let more workers handle it";
        break;
    case ERR_MESSAGE_SPENT:
        text = "Set [consume] dead_letter, or mend the handler";
        break;
    case ERR_HANDLER_SILENT:
        text = "Answer every message, say progress for work that takes longer, or raise "
               "[consume] handle_timeout";
        break;
    case ERR_READER_BROKEN: text = "Tell its author"; break;
    default: break;
    }
    (void)snprintf(to, room, "%s", text);
}

/* Of the engine: the cause first, then what to do. */
static void tell(struct consumer *c, const struct consume_action *a)
{
    const char *cause = c->reason != NULL ? c->reason : status_text(a->status);
    struct consumer_lane *l = &c->lane[a->lane];
    char remedy[SAY_ROOM / 2];

    if (a->code == ERR_READER_STUCK && l->part == NULL)
        return;
    if (a->code == ERR_READER_STUCK) {
        char text[TROUBLE_ROOM];

        (void)snprintf(text, sizeof text, "partition %.100s: %.140s",
                       l->part->partition.id, cause);
        consumer_note(c, a->lane, a->code, text);
        if (!c->is_shut) /* else that was said already */
            stuck_add(&c->stuck, &l->stuck, l->part->partition.id, cause, c->now_ms);
        return;
    }
    find_remedy(c, a->code, remedy, sizeof remedy);
    consumer_say(c, a->lane, a->code, "%s%s%.300s%s%s", a->text,
                 a->status != STATUS_OK ? ": " : "", a->status != STATUS_OK ? cause : "",
                 remedy[0] != '\0' ? ". " : "", remedy);
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

/* For one more of so many; what is lost here would never be answered, or given back. */
static void *with_room(void *list, size_t *room, size_t n, size_t size)
{
    if (n < *room)
        return list;
    *room = n > 0 ? 2 * n : 64;
    list = realloc(list, *room * size);
    must(list != NULL);
    return list;
}

/* With the others of this turn, at its end. */
static void deliver(struct consumer *c, const struct consume_action *a)
{
    struct consumer_lane *l = &c->lane[a->lane];

    c->given = with_room(c->given, &c->given_room, c->given_n, sizeof *c->given);
    c->given[c->given_n++] =
        (struct hands_delivery){.message = a->message,
                                .position = a->position,
                                .when_ms = c->now_ms,
                                .lane = a->lane,
                                .serial = l->part->partition.hold.serial,
                                .attempt = a->attempt,
                                .run = (uint32_t)a->run,
                                .stretch = (uint32_t)a->stretch,
                                .count = a->count};
    l->stretch = (uint32_t)a->stretch;
}

static void clear(struct consumer *c, const struct consume_action *a)
{
    struct consumer_lane *l = &c->lane[a->lane];

    stuck_end(&c->stuck, &l->stuck, c->now_ms);
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
    struct message_batch *batch = ((const struct message *)a->message)->batch;

    if (c->forgotten_n > 0 && c->forgotten[c->forgotten_n - 1].batch == batch) {
        c->forgotten[c->forgotten_n - 1].n++;
        return;
    }
    c->forgotten =
        with_room(c->forgotten, &c->forgotten_room, c->forgotten_n, sizeof *c->forgotten);
    c->forgotten[c->forgotten_n++] = (struct inlet_forgotten){batch, 1};
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
    case DO_SAY: tell(c, a); break;
    }
}
