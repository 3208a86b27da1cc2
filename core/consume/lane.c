/* The life of a lane: claimed, read, drained, ended. */
#include "consume/state.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"

static void act(struct consume *c, const struct lane *l, enum consume_action_type type)
{
    struct consume_action a = {.type = type, .lane = lane_number(c, l)};

    c->perform(c->ctx, &a);
}

static void stop(struct consume *c, struct lane *l, bool is_last)
{
    struct consume_action a = {
        .type = DO_STOP, .lane = lane_number(c, l), .run = l->run, .is_last = is_last};

    if (!l->is_running)
        return;
    l->is_running = l->has_begun = l->is_stuck = false;
    pool_drop_credit(c, l);
    c->perform(c->ctx, &a);
}

/* The hold is over: nothing of it is left here. */
static void finish(struct consume *c, struct lane *l, bool is_last)
{
    if (l->given > 0)
        act(c, l, DO_CANCEL);
    stop(c, l, is_last);
    pool_drop(c, l);
    l->phase = PHASE_IDLE;
    l->is_burying = false;
    l->op = 0; /* its answer is nobody's */
    pool_held(c, -1);
}

static void clear(struct consume *c, struct lane *l)
{
    finish(c, l, true);
    act(c, l, DO_CLEAR);
}

void lane_end(struct consume *c, struct lane *l)
{
    if (l->phase != PHASE_IDLE)
        finish(c, l, false);
}

void lane_grant(struct consume *c, struct lane *l, struct consume_token token)
{
    struct lane fresh;

    lane_end(c, l);
    fresh = (struct lane){.phase = PHASE_CLAIMING,
                          .first = NOBODY,
                          .last = NOBODY,
                          .give = NOBODY,
                          .run = l->run,
                          .stretch = l->stretch + 1,
                          .token = token,
                          .deadline_ms = UINT64_MAX,
                          .is_awaiting = l->is_awaiting,
                          .is_hungry = l->is_hungry,
                          .await_next = l->await_next,
                          .hungry_next = l->hungry_next,
                          .due_at = l->due_at};
    *l = fresh;
    pool_held(c, 1);
}

void lane_revoke(struct consume *c, struct lane *l, uint64_t deadline_ms)
{
    switch (l->phase) {
    case PHASE_IDLE: act(c, l, DO_CLEAR); return;
    case PHASE_CLAIMING:
        if (!l->has_claimed) {
            clear(c, l); /* the handler has seen nothing of this */
            return;
        }
        l->phase = PHASE_DRAINING; /* read anew; what was done before is to be written */
        l->is_unsure = true;
        l->op = 0;
        break;
    case PHASE_READING: l->phase = PHASE_DRAINING; break;
    case PHASE_RESETTING:
    case PHASE_DRAINING: break;
    }
    l->is_revoked = true;
    if (l->is_stuck)
        l->is_burying = false; /* it may never be answered */
    l->is_stuck = false;       /* nothing more is wanted of the reader */
    if (deadline_ms < l->deadline_ms)
        l->deadline_ms = deadline_ms;
}

void lane_lost(struct consume *c, struct lane *l, const struct consume_record *record)
{
    bool is_revoked = l->is_revoked;

    say(c, l, ERR_POSITION_LOST,
        "The position is written by a later holder (token %llu:%llu, ours is %llu:%llu)",
        (unsigned long long)record->token.gen, (unsigned long long)record->token.since,
        (unsigned long long)l->token.gen, (unsigned long long)l->token.since);
    lane_end(c, l);
    if (is_revoked)
        act(c, l, DO_CLEAR);
}

/* ---- claim and run */

/* C9: what is known of the first message's attempts. */
static void carry(struct lane *l, const struct consume_record *read)
{
    bool is_lost = read->is_begun && !read->is_released;

    l->carry_at = read->at;
    l->carry_fails = read->attempts;
    if (is_lost && l->carry_fails < CONSUME_TERMED - 1)
        l->carry_fails++;
}

void lane_claim(struct consume *c, struct lane *l, const struct consume_record *read,
                bool exists)
{
    bool is_ours = exists && l->has_claimed && token_compare(read->token, l->token) == 0;

    if (!is_ours) {
        l->origin = read->origin;
        l->next = read->next;
        l->is_suspect = exists && !read->is_released;
        l->careful_n = l->is_suspect && read->is_suspect ? c->span_max : 0;
        carry(l, read);
        if (l->origin != l->void_origin) /* somebody put a position there */
            l->void_origin = 0;
    }
    if (l->void_origin != 0) { /* C13 */
        l->origin = l->next = 0;
        l->carry_fails = 0;
    }
    l->claimed_next = l->next;
    l->sent = (struct consume_record){.token = l->token,
                                      .origin = l->void_origin != 0 ? l->void_origin
                                                                    : l->origin,
                                      .next = l->next,
                                      .at = l->carry_fails > 0 ? l->carry_at : 0,
                                      .attempts = l->carry_fails,
                                      .is_suspect = l->is_suspect};
}

void lane_claimed(struct consume *c, struct lane *l)
{
    struct consume_action a = {.type = DO_START,
                               .lane = lane_number(c, l),
                               .run = ++l->run,
                               .token = l->token,
                               .origin = l->origin,
                               .position = l->next};

    l->phase = PHASE_READING;
    l->has_claimed = l->is_running = true;
    l->seen_to = 0;
    l->undone_n = l->unsent_n = 0;
    c->perform(c->ctx, &a);
}

void lane_reset(struct consume *c, struct lane *l)
{
    (void)c;
    if (l->phase == PHASE_READING || l->phase == PHASE_DRAINING)
        l->phase = PHASE_RESETTING;
}

/* The handler has nothing any more: claim anew. */
static void reset(struct consume *c, struct lane *l)
{
    if (l->is_revoked && l->has_claimed) {
        l->phase = PHASE_DRAINING; /* our record stands: the last one is written */
        return;
    }
    if (l->is_revoked) {
        clear(c, l);
        return;
    }
    stop(c, l, false);
    l->is_burying = false; /* nobody hears what becomes of it: it is written again */
    if (l->queued > 0 && c->entry[l->first].fails > 0) {
        l->carry_at = c->entry[l->first].position;
        l->carry_fails = c->entry[l->first].fails;
    }
    pool_drop(c, l);
    l->phase = PHASE_CLAIMING;
    l->op = 0;
    l->has_read = l->is_unsure = false;
}

/* A reader that has lasted for the longest pause begins with the shortest again. */
static uint64_t restart_at(const struct consume *c, struct lane *l)
{
    if (c->now_ms >= sat_add(l->restart_ms, PAUSE_MAX_MS))
        l->restart_pause_ms = 0;
    return pause_end(c, &l->restart_pause_ms);
}

void lane_trouble(struct consume *c, struct lane *l, int status)
{
    bool is_hopeless = status == STATUS_INVALID || status == STATUS_DENIED ||
                       status == STATUS_UNSUPPORTED || status == STATUS_CORRUPT;

    if (l->phase == PHASE_DRAINING && is_hopeless)
        l->is_burying = false; /* as in lane_revoke() */
    if (l->phase != PHASE_READING || l->is_stuck == is_hopeless)
        return;
    l->is_stuck = is_hopeless;
    if (!is_hopeless) {
        l->restart_pause_ms = 0;
        return;
    }
    l->restart_ms = restart_at(c, l);
    say_why(c, l, ERR_READER_STUCK, status, "It cannot be read");
}

void lane_broken(struct consume *c, struct lane *l, const char *what)
{
    say(c, l, ERR_READER_BROKEN, "The consumer plugin delivered %s; it starts anew",
        what);
    l->store_ms = l->restart_ms = restart_at(c, l);
    lane_reset(c, l);
}

/* ---- what follows */

void lane_released(struct consume *c, struct lane *l)
{
    must(l->phase == PHASE_DRAINING);
    clear(c, l);
}

void lane_work(struct consume *c, struct lane *l)
{
    uint64_t due_ms;

    if (l->phase == PHASE_RESETTING && l->given == 0)
        reset(c, l);
    flow_work(c, l);
    store_work(c, l);
    pool_feed(c, l);
    if (l->phase == PHASE_IDLE)
        return;
    timer_need(c, l, flow_due(c, l));
    timer_need(c, l, store_due(c, l));
    due_ms = l->is_revoked ? l->deadline_ms : UINT64_MAX;
    if (l->is_stuck && l->restart_ms < due_ms)
        due_ms = l->restart_ms;
    timer_need(c, l, due_ms);
}

void lane_tick(struct consume *c, struct lane *l)
{
    if (l->is_revoked && l->phase != PHASE_IDLE && c->now_ms >= l->deadline_ms) {
        clear(c, l); /* C11: without the record */
        return;
    }
    if (l->given > 0 && c->now_ms >= l->answer_ms)
        flow_timeout(c, l);
    if (l->is_stuck && c->now_ms >= l->restart_ms) {
        l->is_stuck = false;
        lane_reset(c, l);
    }
    lane_work(c, l);
}
