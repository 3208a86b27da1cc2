/* Messages of a lane: in from the plugin, to the handler, its answers, dead letters.
 *
 * The queue of a lane is ascending.  Its front is what the handler has, one unbroken
 * stretch (C5); 'give' is the first entry behind it.
 */
#include "consume/state.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"

/* ---- from the plugin */

void flow_begun(struct consume *c, struct lane *l, const struct consume_event *ev)
{
    if (l->origin != 0 && ev->origin != l->origin) { /* C13 */
        say(c, l, ERR_POSITION_VOID,
            "The messages are those of another stream or topic than the position is of; "
            "it starts at the first there is");
        l->void_origin = l->origin;
        l->is_spent = l->has_said_bury = false;
        lane_reset(c, l);
        return;
    }
    if (l->has_begun)
        return;
    l->has_begun = true;
    if (l->origin == 0) {
        l->origin = ev->origin;
        l->void_origin = 0;
        l->next = ev->position;
        store_dirty(c, l);
    } else if (ev->position > l->next) {
        say(c, l, ERR_MESSAGES_GONE,
            "Positions %llu to %llu were removed before they were handled",
            (unsigned long long)l->next, (unsigned long long)ev->position - 1);
        l->next = ev->position; /* C4: the broker no longer has them */
        l->is_spent = l->has_said_bury = false;
        store_dirty(c, l);
    }
}

void flow_message(struct consume *c, struct lane *l, const struct consume_event *ev)
{
    struct entry *e;

    if ((l->phase != PHASE_READING && l->phase != PHASE_DRAINING) || !l->is_running ||
        ev->run != l->run) {
        forget(c, l, ev->message);
        return;
    }
    if (l->credit == 0 || !l->has_begun || ev->position < l->seen_to) {
        forget(c, l, ev->message);
        lane_broken(c, l,
                    l->credit == 0  ? "more messages than it has credit for"
                    : !l->has_begun ? "a message before it said where it begins"
                                    : "a message out of order");
        return;
    }
    l->seen_to = sat_add(ev->position, 1);
    if (ev->position < l->next || l->phase == PHASE_DRAINING) {
        forget(c, l, ev->message);
        pool_skip(c, l);
        return;
    }
    e = &c->entry[pool_push(c, l, ev->position, ev->message)];
    if (l->carry_fails > 0 && l->carry_at == ev->position) { /* C9 */
        e->fails = l->carry_fails;
        e->tries = e->fails == CONSUME_TERMED ? 1 : e->fails;
        e->is_dead =
            c->options.has_dead_letter &&
            (e->fails == CONSUME_TERMED ||
             (c->options.attempts_max > 0 && e->fails >= c->options.attempts_max));
    }
}

/* ---- to the handler */

/* Is the coming attempt of the message at the head in the record? */
static bool is_recorded(const struct lane *l, const struct entry *e)
{
    return l->durable.is_begun && l->durable.at == e->position &&
           l->durable.attempts == e->fails && l->durable.next == l->next;
}

bool flow_wants_record(const struct consume *c, const struct lane *l)
{
    const struct entry *e;

    if (l->careful_n == 0 || l->given > 0 || l->queued == 0 ||
        l->phase != PHASE_READING || c->now_ms < l->give_ms)
        return false;
    e = &c->entry[l->first];
    return !e->is_dead && !is_recorded(l, e);
}

bool flow_has_new_origin(const struct lane *l)
{
    return l->void_origin == 0 && l->origin != l->durable.origin;
}

static void restart_clock(const struct consume *c, struct lane *l)
{
    l->answer_ms = c->options.handle_timeout_ms > 0
                       ? sat_add(c->now_ms, c->options.handle_timeout_ms)
                       : UINT64_MAX;
}

static void deliver(struct consume *c, struct lane *l)
{
    if (flow_has_new_origin(l))
        return; /* C1 */
    while (l->give != NOBODY && l->given < c->given_max) {
        struct entry *e = &c->entry[l->give];
        struct consume_action a;

        if (l->waits_for_answers && l->given > 0)
            return;
        l->waits_for_answers = false;
        if (e->is_dead || c->now_ms < l->give_ms || l->undone_n + l->given >= c->span_max)
            return;
        if (l->careful_n > 0 && (l->given > 0 || !is_recorded(l, e)))
            return;
        if (l->given++ == 0)
            restart_clock(c, l);
        l->give = e->next;
        e->tries++;
        e->stretch = (uint32_t)l->stretch;
        a = (struct consume_action){.type = DO_DELIVER,
                                    .lane = lane_number(c, l),
                                    .run = l->run,
                                    .stretch = l->stretch,
                                    .position = e->position,
                                    .attempt = e->tries,
                                    .count = e->tries - e->idle,
                                    .message = e->message,
                                    .token = l->token};
        c->perform(c->ctx, &a);
    }
}

static void bury(struct consume *c, struct lane *l)
{
    struct entry *e;
    struct consume_action a;

    if (l->queued == 0 || l->given > 0 || l->is_burying || !l->is_running ||
        c->now_ms < l->bury_ms)
        return;
    e = &c->entry[l->first];
    if (!e->is_dead)
        return;
    l->is_burying = true;
    a = (struct consume_action){
        .type = DO_BURY,
        .lane = lane_number(c, l),
        .run = l->run,
        .position = e->position,
        .attempt = e->tries,
        .count = e->tries - e->idle,
        .message = e->message,
        .reason = e->fails == CONSUME_TERMED ? REASON_TERM : REASON_ATTEMPTS,
        .text = e->fails == CONSUME_TERMED ? "the handler refuses it for good"
                                           : "every attempt failed"};
    c->perform(c->ctx, &a);
}

void flow_work(struct consume *c, struct lane *l)
{
    if (l->phase != PHASE_READING)
        return;
    deliver(c, l);
    bury(c, l);
}

uint64_t flow_due(const struct consume *c, const struct lane *l)
{
    uint64_t due_ms = l->given > 0 ? l->answer_ms : UINT64_MAX;

    if (l->phase != PHASE_READING)
        return due_ms;
    if (l->give != NOBODY && l->give_ms > c->now_ms && l->give_ms < due_ms)
        due_ms = l->give_ms;
    if (l->bury_ms > c->now_ms && l->bury_ms < due_ms)
        due_ms = l->bury_ms;
    return due_ms;
}

/* ---- its answers */

/* The first message is done. */
static void done(struct consume *c, struct lane *l)
{
    l->next = sat_add(c->entry[l->first].position, 1); /* C4 */
    l->is_spent = l->is_spent && l->next < l->spent_to;
    l->has_said_bury = false;
    pool_pop(c, l);
    l->undone_n++;
    l->unsent_n++;
    if (l->careful_n > 0)
        l->careful_n--;
    store_dirty(c, l);
}

static uint64_t backoff(const struct consume *c, uint32_t fails)
{
    uint64_t pause = c->options.retry_first_ms;

    for (uint32_t i = 1; i < fails && pause < c->options.retry_max_ms; i++)
        pause = sat_add(pause, pause > 0 ? pause : UINT64_MAX);
    return pause < c->options.retry_max_ms ? pause : c->options.retry_max_ms;
}

/* So many entries from i on were given and no handler has begun them. */
static void count_idle(struct consume *c, uint32_t i, uint32_t n)
{
    for (; n > 0; n--) {
        c->entry[i].idle++;
        i = c->entry[i].next;
    }
}

/* Entry i, number k of what the handler has, is to be given again, and all behind it.
 * What the handler has of the same stretch it does not begin any more; where something
 * behind it was given again since, that is to be said. */
static void bar(const struct consume *c, const struct lane *l, uint32_t i, uint32_t k)
{
    const struct consume_action a = {.type = DO_CANCEL, .lane = lane_number(c, l)};
    uint32_t stretch = c->entry[i].stretch;

    for (; k < l->given; k++) {
        if (c->entry[i].stretch != stretch) {
            c->perform(c->ctx, &a);
            return;
        }
        i = c->entry[i].next;
    }
}

/* The same message for the same reason: once, and after a long time again. */
static void say_spent(struct consume *c, struct lane *l, uint64_t position, bool is_term)
{
    if (l->spent_to == sat_add(position, 1) && l->spent_by_term == is_term &&
        c->now_ms < sat_add(l->spent_ms, SPENT_AGAIN_MS))
        return;
    l->spent_to = sat_add(position, 1);
    l->spent_by_term = is_term;
    l->spent_ms = c->now_ms;
    say(c, l, ERR_MESSAGE_SPENT,
        "The message at position %llu %s and there is no place for dead letters; it is "
        "tried again for ever, and the partition waits for it",
        (unsigned long long)position,
        is_term ? "is refused for good" : "failed at every attempt");
}

/* The attempt at entry i, number k of the stretch, came to nothing (C5, C7, C8). */
static void fail(struct consume *c, struct lane *l, uint32_t i, uint32_t k, bool is_term,
                 uint64_t delay_ms)
{
    struct entry *e = &c->entry[i];
    bool is_spent;

    if (e->fails < CONSUME_TERMED - 1)
        e->fails++;
    if (c->options.deliver_max == 1)
        count_idle(c, e->next, l->given - k - 1);
    l->give = i;
    l->given = k;
    l->stretch++;
    is_spent =
        is_term || (c->options.attempts_max > 0 && e->fails >= c->options.attempts_max);
    if (is_spent && c->options.has_dead_letter) {
        if (is_term)
            e->fails = CONSUME_TERMED;
        e->is_dead = true;
    } else if (is_spent) {
        say_spent(c, l, e->position, is_term);
        l->is_spent = true;
        l->give_ms = sat_add(c->now_ms, c->options.retry_max_ms);
    } else {
        l->give_ms = sat_add(c->now_ms, delay_ms > 0 ? delay_ms : backoff(c, e->fails));
    }
    if (i == l->first)
        store_dirty(c, l); /* C9: the record counts its attempts */
}

void flow_timeout(struct consume *c, struct lane *l)
{
    struct consume_action a = {.type = DO_CANCEL, .lane = lane_number(c, l)};

    must(l->given > 0);
    c->perform(c->ctx, &a);
    if (!l->has_said_late)
        say(c, l, ERR_HANDLER_SILENT,
            "The handler has not answered for the message at position %llu within "
            "handle_timeout, %llu ms; it is given again",
            (unsigned long long)c->entry[l->first].position,
            (unsigned long long)c->options.handle_timeout_ms);
    l->has_said_late = true;
    fail(c, l, l->first, 0, false, 0); /* C6 */
}

/* The entry of an attempt that the handler has, its number in the stretch; or NOBODY. */
static uint32_t find_given(const struct consume *c, const struct lane *l,
                           const struct consume_event *ev, uint32_t *ret_k)
{
    uint32_t i = l->first, k = 0;

    if (ev->run != 0 && ev->run != l->run)
        return NOBODY;
    while (k < l->given && c->entry[i].position < ev->position) {
        i = c->entry[i].next;
        k++;
    }
    if (k == l->given || c->entry[i].position != ev->position ||
        c->entry[i].tries != ev->attempt)
        return NOBODY;
    *ret_k = k;
    return i;
}

/* C6: an attempt that is over.  After such a verdict the handler begins nothing more of
 * its stretch all the same, so where that is the present one the next must begin. */
static void pass_over(struct consume *c, struct lane *l, const struct consume_event *ev)
{
    bool ends_stretch = ev->verdict == VERDICT_NAK || ev->verdict == VERDICT_TERM ||
                        ev->verdict == VERDICT_RETURN;

    if (!ends_stretch || ev->stretch == 0 ||
        (uint32_t)ev->stretch != (uint32_t)l->stretch)
        return;
    if (c->options.deliver_max == 1)
        count_idle(c, l->first, l->given);
    if (l->given > 0)
        l->give = l->first;
    l->given = 0;
    l->stretch++;
}

void flow_verdict(struct consume *c, struct lane *l, const struct consume_event *ev)
{
    uint32_t k = 0, i = find_given(c, l, ev, &k);

    if (i == NOBODY) {
        pass_over(c, l, ev);
        return;
    }
    switch (ev->verdict) {
    case VERDICT_ACK:
        for (; k != UINT32_MAX; k--) {
            l->given--;
            done(c, l);
        }
        l->has_said_late = false;
        restart_clock(c, l);
        break;
    case VERDICT_NAK:
    case VERDICT_TERM:
        bar(c, l, i, k);
        fail(c, l, i, k, ev->verdict == VERDICT_TERM, ev->delay_ms);
        break;
    case VERDICT_PROGRESS:
        if (k == 0) /* the clock is the first one's */
            restart_clock(c, l);
        break;
    case VERDICT_RETURN:
        bar(c, l, i, k);
        count_idle(c, i, l->given - k);
        l->give = i;
        l->given = k;
        l->stretch++;
        /* Should one of those fail yet, this one must not have been begun. */
        l->waits_for_answers = true;
        break;
    }
}

void flow_buried(struct consume *c, struct lane *l, const struct consume_event *ev)
{
    if (!l->is_burying || ev->run != l->run ||
        c->entry[l->first].position != ev->position)
        return;
    l->is_burying = false;
    if (ev->status == STATUS_OK) {
        const struct entry *e = &c->entry[l->first];

        l->bury_pause_ms = 0;
        l->has_said_bury = false;
        say(c, l, ERR_MESSAGE_BURIED,
            "The message at position %llu went to the dead letters: %s, at attempt %u",
            (unsigned long long)e->position,
            e->fails == CONSUME_TERMED ? "the handler refuses it for good"
                                       : "it failed at every attempt",
            e->tries - e->idle);
        done(c, l);
        return;
    }
    l->bury_ms = pause_end(c, &l->bury_pause_ms);
    if (!l->has_said_bury)
        say_why(c, l, ERR_DEAD_LETTER, ev->status,
                "The dead letter of position %llu is not written",
                (unsigned long long)ev->position);
    l->has_said_bury = true;
}
