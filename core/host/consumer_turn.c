/* The consumer's thread: what others said becomes events of the engine. */
#include "host/consumer_private.h"

#include "base/errors.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"
#include "host/log.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static void grant(struct consumer *c, struct note *n);

enum { SHUT_ROOM = 512, SPEAK_PARTS = 3, SLEEP_MAX_MS = 1000, FEEDS = 64 };

/* The grants that had to wait and need no longer. */
static void grant_later(struct consumer *c)
{
    c->has_later = false;
    if (!c->store.is_open)
        return;
    for (uint32_t i = 0; i < c->lanes_used; i++) {
        struct note *n = c->lane[i].later;

        if (n == NULL || c->lane[i].part != NULL)
            continue;
        c->lane[i].later = NULL;
        grant(c, n);
        free(n);
    }
}

static void look_at_clock(struct consumer *c)
{
    c->now_ms = clock_boot_ms();
    c->fed = 0;
}

void consumer_feed(struct consumer *c, struct consume_event *event)
{
    if (++c->fed >= FEEDS)
        look_at_clock(c);
    event->now_ms = c->now_ms;
    consume_step(c->engine, event);
    while (c->pendings > 0) {
        struct consume_event ev = c->pending[c->pending_first];

        c->pending_first = (c->pending_first + 1) % CONSUMER_PENDING_MAX;
        if (--c->pendings == 0)
            c->pending_first = 0;
        ev.now_ms = c->now_ms;
        if (ev.type == CONSUME_TROUBLE && ev.status == STATUS_INVALID)
            c->reason = c->start_reason;
        consume_step(c->engine, &ev);
        c->reason = NULL;
    }
}

static void flush_given(struct consumer *c)
{
    size_t n = c->given_n, k;

    /* Each has a reference of its own; neighbours mostly lie in one batch. */
    for (size_t i = 0; i < n; i += k) {
        struct message *m = c->given[i].message;

        for (k = 1; i + k < n && c->given[i + k].message->batch == m->batch;)
            k++;
        message_ref(m, (uint32_t)k);
    }
    c->given_n = 0;
    if (n > 0)
        hands_give(c->hands, c->given, n);
}

/* ---- what the group says ----------------------------------------------------------- */

static void grant(struct consumer *c, struct note *n)
{
    struct consumer_lane *l = &c->lane[n->lane];
    const struct parti_token *token = &n->part->partition.token;
    struct consume_event ev = {
        .type = CONSUME_GRANT, .lane = n->lane, .token = {token->gen, token->since}};

    l->part = n->part;
    n->part = NULL;
    if (n->lane >= c->lanes_used)
        c->lanes_used = n->lane + 1;
    consumer_feed(c, &ev);
}

/* Before the positions can be read there is nothing to begin with.  And the slot of a
 * partition that was given up while the plugin hung may be granted again before the
 * engine is done with it. */
static bool must_wait(struct consumer *c, struct note *n)
{
    struct consumer_lane *l = &c->lane[n->lane];

    if (l->part == NULL && c->store.is_open)
        return false;
    must(l->later == NULL);
    l->later = n;
    if (n->lane >= c->lanes_used)
        c->lanes_used = n->lane + 1;
    return true;
}

static void drop_later(struct consumer_lane *l)
{
    if (l->later != NULL)
        hands_part_unref(l->later->part);
    free(l->later);
    l->later = NULL;
}

static void on_revoke(struct consumer *c, const struct note *n)
{
    struct consumer_lane *l = &c->lane[n->lane];
    const struct parti_hold hold = {n->lane, n->serial};
    struct consume_event ev = {
        .type = CONSUME_REVOKE, .lane = n->lane, .deadline_ms = n->number};
    struct parti_ticket first;

    if (l->part == NULL || l->part->partition.hold.serial != n->serial) {
        drop_later(l);
        consumer_tell_clear(c, hold);
        return;
    }
    consumer_feed(c, &ev);
    /* What no handler has looked at need not be waited for. */
    flush_given(c); /* what lies there must be found */
    if (l->part != NULL && hands_take_back(c->hands, hold, l->stretch, &first)) {
        struct consume_event back = {.type = CONSUME_VERDICT,
                                     .lane = n->lane,
                                     .position = first.position,
                                     .run = first.run,
                                     .attempt = first.attempt,
                                     .verdict = VERDICT_RETURN};

        consumer_feed(c, &back);
    }
}

static void on_fence(struct consumer *c)
{
    struct consume_event ev = {.type = CONSUME_FENCE};

    consumer_feed(c, &ev);
    for (uint32_t i = 0; i < c->lanes_used; i++) {
        hands_part_unref(c->lane[i].part);
        c->lane[i].part = NULL;
        stuck_end(&c->stuck, &c->lane[i].stuck, c->now_ms);
        drop_later(&c->lane[i]);
    }
    c->lanes_used = 0;
}

static void on_link(struct consumer *c, const struct note *n)
{
    free(c->url);
    c->url = strdup(n->text);
    must(c->url != NULL);
    c->nats.url = c->url;
    consumer_store_link(&c->store, &c->nats);
}

/* ---- what the plugin says ---------------------------------------------------------- */

static void on_messages(struct consumer *c, struct note *n)
{
    for (struct message_batch *b = n->list; b != NULL; b = b->next) {
        for (uint32_t i = 0; i < b->n; i++) {
            struct consume_event ev = {.type = CONSUME_MESSAGE,
                                       .lane = n->lane,
                                       .run = n->run,
                                       .position = b->message[i].given.position,
                                       .message = &b->message[i]};

            consumer_feed(c, &ev);
        }
    }
    n->list = NULL; /* the engine has them, or has forgotten them */
}

static void on_begun(struct consumer *c, const struct note *n)
{
    struct consumer_lane *l = &c->lane[n->lane];
    struct consume_event ev = {.type = CONSUME_BEGUN,
                               .lane = n->lane,
                               .run = n->run,
                               .origin = n->origin,
                               .position = n->number};

    if (n->run == l->run)
        stuck_end(&c->stuck, &l->stuck, c->now_ms);
    consumer_feed(c, &ev);
}

static int status_of(int32_t code)
{
    switch (code) {
    case PARTI_OK: return STATUS_OK;
    case PARTI_BADCONF:
    case PARTI_BADINPUT: return STATUS_INVALID;
    case PARTI_UNSUPPORTED: return STATUS_UNSUPPORTED;
    case PARTI_NOMEM: return STATUS_NOMEM;
    default: return STATUS_OFFLINE;
    }
}

static void on_buried(struct consumer *c, const struct note *n)
{
    struct consume_event ev = {.type = CONSUME_BURIED,
                               .lane = n->lane,
                               .run = n->run,
                               .position = n->number,
                               .status = status_of(n->code)};

    c->reason = n->text[0] != '\0' ? n->text : NULL;
    consumer_feed(c, &ev);
    c->reason = NULL;
}

static bool is_troubled(const struct consumer_lane *l)
{
    return l->run != 0 && l->trouble_run == l->run;
}

static bool is_any_troubled(const struct consumer *c)
{
    for (uint32_t i = 0; i < c->lanes_used; i++)
        if (is_troubled(&c->lane[i]))
            return true;
    return false;
}

/* Where a broker is away all partitions are in trouble at once: a reason is told once,
 * with the first of them, until all are fine. */
static void tell_trouble(struct consumer *c, const struct note *n)
{
    uint64_t reason = hash_bytes(n->text, strlen(n->text));
    uint32_t held;

    for (uint32_t i = 0; i < c->reasons; i++)
        if (c->reason_told[i] == reason)
            return;
    if (c->reasons == CONSUMER_REASONS_MAX ||
        !log_limit_pass(&c->trouble_limit, c->now_ms, &held))
        return;
    c->reason_told[c->reasons++] = reason;
    consumer_say(c, n->lane, ERR_READER_STUCK, "%s. %s goes on trying to read it",
                 n->text[0] != '\0' ? n->text
                                    : "It cannot be read, and no reason is given",
                 c->instance.name);
}

/* Whether it is told or not; in few words, for there is little room. */
static void note_trouble(struct consumer *c, const struct note *n)
{
    const struct consumer_lane *l = &c->lane[n->lane];
    char text[TROUBLE_ROOM];

    (void)snprintf(text, sizeof text, "partition %.100s: %s",
                   l->part != NULL ? l->part->partition.id : "?", n->text);
    consumer_note(c, n->lane, ERR_READER_STUCK, text);
}

static void on_trouble(struct consumer *c, const struct note *n)
{
    struct consume_event ev = {.type = CONSUME_TROUBLE,
                               .lane = n->lane,
                               .run = n->run,
                               .status = status_of(n->code)};
    struct consumer_lane *l = &c->lane[n->lane];
    bool was_troubled = is_troubled(l);

    if (n->run == l->run && ev.status == STATUS_OFFLINE) {
        if (!is_any_troubled(c))
            c->reasons = 0;
        l->trouble_run = n->run;
        tell_trouble(c, n);
        note_trouble(c, n);
    } else if (n->run == l->run) {
        l->trouble_run = 0; /* what is hopeless the engine tells */
        if (n->code == PARTI_OK)
            stuck_end(&c->stuck, &l->stuck, c->now_ms);
        if (was_troubled && n->code == PARTI_OK && c->reasons > 0 &&
            !is_any_troubled(c)) {
            log_info("%s reads again", c->instance.name);
            c->reasons = 0;
        }
    }
    c->reason = n->text[0] != '\0' ? n->text : NULL;
    consumer_feed(c, &ev);
    c->reason = NULL;
}

/* Shut off: no run goes on, none is begun. */
static void look_for_breach(struct consumer *c)
{
    char why[SHUT_ROOM];

    if (c->is_shut || !inlet_is_broken(&c->inlet, why, sizeof why))
        return;
    c->is_shut = true;
    consumer_say(c, UINT32_MAX, ERR_READER_BROKEN,
                 "%s broke the rules: it %s. It is shut off until this process starts "
                 "anew; no message is lost. Tell its author",
                 c->instance.name, why);
    for (uint32_t i = 0; i < c->lanes_used; i++) {
        struct consume_event ev = {.type = CONSUME_TROUBLE,
                                   .lane = i,
                                   .run = c->lane[i].run,
                                   .status = STATUS_UNSUPPORTED};

        if (c->lane[i].part != NULL && c->lane[i].run != 0)
            consumer_feed(c, &ev);
    }
}

/* ---- one turn ---------------------------------------------------------------------- */

static void take_note(struct consumer *c, struct note *n)
{
    switch (n->kind) {
    case NOTE_GRANT:
        if (must_wait(c, n))
            return;
        grant(c, n);
        break;
    case NOTE_REVOKE: on_revoke(c, n); break;
    case NOTE_FENCE: on_fence(c); break;
    case NOTE_LINK: on_link(c, n); break;
    case NOTE_END: break;
    case NOTE_BEGUN: on_begun(c, n); break;
    case NOTE_MESSAGE: on_messages(c, n); break;
    case NOTE_BURIED: on_buried(c, n); break;
    case NOTE_TROUBLE: on_trouble(c, n); break;
    }
    hands_part_unref(n->part);
    free(n);
}

static void take_answer(struct consumer *c, const struct answer *a)
{
    uint32_t lane = a->ticket.hold.slot;
    const struct consumer_lane *l = lane < c->lanes_used ? &c->lane[lane] : NULL;
    struct consume_event ev = {.type = CONSUME_VERDICT,
                               .lane = lane,
                               .run = a->ticket.run,
                               .stretch = a->ticket.stretch,
                               .position = a->ticket.position,
                               .attempt = a->ticket.attempt,
                               .verdict = a->verdict,
                               .delay_ms = a->delay_ms};

    if (l == NULL || l->part == NULL ||
        l->part->partition.hold.serial != a->ticket.hold.serial)
        return; /* of a grant that is over */
    consumer_feed(c, &ev);
}

static void flush(struct consumer *c)
{
    flush_given(c);
    if (c->forgotten_n > 0)
        inlet_forget(&c->inlet, c->forgotten, c->forgotten_n);
    c->forgotten_n = 0;
}

/* Held, and its messages do not get on. */
static bool is_unread(const struct consumer *c, uint32_t lane)
{
    const struct consumer_lane *l = &c->lane[lane];
    struct consume_view view;

    if (l->part == NULL)
        return l->later != NULL && !c->store.is_open;
    consume_look(c->engine, lane, &view);
    return c->is_shut || is_troubled(l) || l->stuck != 0 || view.state == LANE_STUCK;
}

/* Not every trouble is told in words, and none of them when it ends. */
static void count_unread(struct consumer *c)
{
    uint32_t n = 0;

    if (c->cause[0] == '\0' || c->now_ms < c->count_at_ms)
        return;
    c->count_at_ms = c->now_ms + CONSUMER_COUNT_MS;
    for (uint32_t i = 0; i < c->lanes_used; i++)
        n += is_unread(c, i);
    if (n == 0)
        c->cause[0] = '\0';
    if (n != c->unread || (n > 0 && c->is_cause_new))
        consumer_tell_unread(c, n, c->cause);
    c->unread = n;
    c->is_cause_new = false;
}

static void run_timers(struct consumer *c)
{
    struct consume_event tick = {.type = CONSUME_TICK};
    char text[STUCK_TEXT_ROOM];

    look_at_clock(c);
    if (c->now_ms >= consume_deadline_ms(c->engine))
        consumer_feed(c, &tick);
    count_unread(c);
    if (c->now_ms >= c->speak_at_ms) {
        hands_speak(c->hands, c->now_ms);
        c->speak_at_ms = c->now_ms + c->conf.handle_timeout_ms / SPEAK_PARTS + 1;
    }
    while (stuck_next(&c->stuck, c->now_ms, text))
        consumer_tell_problem(c, ERR_READER_STUCK, text);
}

static void sleep_a_while(struct consumer *c)
{
    uint64_t now_ms = clock_boot_ms(), wake_ms = now_ms + SLEEP_MAX_MS;
    struct pollfd fds[] = {{.fd = c->inlet.wake_fd, .events = POLLIN},
                           {.fd = consumer_store_fd(&c->store), .events = POLLIN}};

    if (consume_deadline_ms(c->engine) < wake_ms)
        wake_ms = consume_deadline_ms(c->engine);
    if (consumer_store_deadline_ms(&c->store) < wake_ms)
        wake_ms = consumer_store_deadline_ms(&c->store);
    if (c->speak_at_ms < wake_ms)
        wake_ms = c->speak_at_ms;
    if (stuck_due_ms(&c->stuck) < wake_ms)
        wake_ms = stuck_due_ms(&c->stuck);
    if (!inlet_may_sleep(&c->inlet))
        wake_ms = now_ms;
    (void)poll(fds, 2, wake_ms > now_ms ? (int)(wake_ms - now_ms) : 0);
    inlet_awake(&c->inlet);
}

void *consumer_run(void *ctx)
{
    struct consumer *c = ctx;
    struct answer *answer = NULL;
    size_t n, room = 0;

    c->trouble_limit =
        (struct log_limit)LOG_LIMIT(CONSUMER_TROUBLES, CONSUMER_TROUBLES_MS);
    while (!atomic_load(&c->is_ending)) {
        struct note *next;

        sleep_a_while(c);
        look_at_clock(c);
        for (struct note *note = inlet_take(&c->inlet, &answer, &n, &room); note != NULL;
             note = next) {
            next = note->next;
            take_note(c, note);
        }
        for (size_t i = 0; i < n; i++)
            take_answer(c, &answer[i]);
        consumer_store_turn(&c->store);
        if (c->has_later)
            grant_later(c);
        look_for_breach(c);
        run_timers(c);
        flush(c);
    }
    free(answer);
    consumer_enter(c, "destroy");
    c->plugin->consumer.destroy(c->self);
    consumer_leave(c);
    must(pthread_mutex_lock(&c->end_lock) == 0);
    c->has_ended = true;
    must(pthread_cond_broadcast(&c->end_told) == 0);
    must(pthread_mutex_unlock(&c->end_lock) == 0);
    return NULL;
}
