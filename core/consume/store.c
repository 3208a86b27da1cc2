/* Position records: what is read and written when, and what an answer means.
 *
 * A lane has one op at most.  C2: every write names the version it expects; after a
 * conflict or an unknown outcome the record is read before anything else is written.
 */
#include "consume/state.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"

enum want { WANT_NOTHING, WANT_READ, WANT_WRITE };

void store_init(struct consume *c)
{
    for (uint32_t i = 0; i < c->options.writes_max; i++)
        c->op[i].after = i + 1 < c->options.writes_max ? i + 1 : NOBODY;
    c->op_free = 0;
    c->op_first = c->op_last = NOBODY;
    c->awaiting = (struct row){NOBODY, NOBODY};
}

/* ---- the ops, by age */

static uint64_t op_take(struct consume *c, uint32_t lane, bool is_write)
{
    uint32_t i = c->op_free;
    struct op *o = &c->op[i];

    c->op_free = o->after;
    /* The slot can be read off the number, and no number comes twice. */
    *o = (struct op){.op = ++c->op_serial * c->options.writes_max + i,
                     .due_ms = sat_add(c->now_ms, CONSUME_STORE_TIMEOUT_MS),
                     .lane = lane,
                     .is_write = is_write,
                     .before = c->op_last,
                     .after = NOBODY};
    if (c->op_last == NOBODY)
        c->op_first = i;
    else
        c->op[c->op_last].after = i;
    c->op_last = i;
    return o->op;
}

static void op_free(struct consume *c, uint32_t i)
{
    struct op *o = &c->op[i];

    if (o->before == NOBODY)
        c->op_first = o->after;
    else
        c->op[o->before].after = o->after;
    if (o->after == NOBODY)
        c->op_last = o->before;
    else
        c->op[o->after].before = o->before;
    o->op = 0;
    o->after = c->op_free;
    c->op_free = i;
}

/* ---- what to do */

void store_dirty(struct consume *c, struct lane *l)
{
    if (l->is_dirty)
        return;
    l->is_dirty = true;
    l->dirty_ms = c->now_ms;
}

static bool is_final(const struct lane *l)
{
    return l->phase == PHASE_DRAINING && l->given == 0 && !l->is_burying;
}

static bool is_commit_due(const struct consume *c, const struct lane *l)
{
    return l->is_dirty &&
           (l->unsent_n >= c->options.commit_messages ||
            c->now_ms >= sat_add(l->dirty_ms, c->options.commit_interval_ms));
}

static enum want wanted(const struct consume *c, const struct lane *l)
{
    switch (l->phase) {
    case PHASE_IDLE:
    case PHASE_RESETTING: return WANT_NOTHING;
    case PHASE_CLAIMING: return l->has_read ? WANT_WRITE : WANT_READ;
    case PHASE_READING:
    case PHASE_DRAINING:
        if (l->is_unsure)
            return WANT_READ;
        return is_commit_due(c, l) || is_final(l) || flow_wants_record(c, l) ||
                       flow_has_new_origin(l)
                   ? WANT_WRITE
                   : WANT_NOTHING;
    }
    must(!"a phase");
    return WANT_NOTHING;
}

uint64_t store_due(const struct consume *c, const struct lane *l)
{
    uint64_t commit_ms;

    if (l->op != 0 || l->is_awaiting)
        return UINT64_MAX;
    if (wanted(c, l) != WANT_NOTHING)
        return l->store_ms;
    if (!l->is_dirty || (l->phase != PHASE_READING && l->phase != PHASE_DRAINING))
        return UINT64_MAX;
    commit_ms = sat_add(l->dirty_ms, c->options.commit_interval_ms);
    return commit_ms > l->store_ms ? commit_ms : l->store_ms;
}

/* The record as the lane's state has it. */
static struct consume_record record_now(const struct consume *c, const struct lane *l)
{
    struct consume_record r = {.token = l->token, .origin = l->origin, .next = l->next};

    if (l->void_origin != 0) { /* C13: whoever comes next finds it void as well */
        r.origin = l->void_origin;
        r.next = 0;
        r.is_released = is_final(l);
        return r;
    }
    if (l->queued > 0) {
        const struct entry *first = &c->entry[l->first];

        r.at = first->position;
        r.attempts = first->fails;
        r.is_begun = l->given > 0 || flow_wants_record(c, l);
    } else if (l->carry_fails > 0 && l->carry_at >= l->next) {
        r.at = l->carry_at;
        r.attempts = l->carry_fails;
    }
    r.is_released = is_final(l);
    r.is_suspect = l->is_suspect && !r.is_released &&
                   (l->careful_n > 0 || l->next == l->claimed_next);
    return r;
}

static void start_op(struct consume *c, struct lane *l, bool is_write)
{
    struct consume_action a = {.type = is_write ? DO_WRITE : DO_READ,
                               .lane = lane_number(c, l)};

    if (is_write) {
        /* A claim was composed when the record was read. */
        if (l->phase != PHASE_CLAIMING)
            l->sent = record_now(c, l);
        l->unsent_n = 0;
        l->is_dirty = false;
        a.record = l->sent;
        a.version = l->version; /* C2 */
    }
    l->op = a.op = op_take(c, a.lane, is_write);
    c->perform(c->ctx, &a);
}

void store_work(struct consume *c, struct lane *l)
{
    enum want want;

    if (l->op != 0 || l->is_awaiting || c->now_ms < l->store_ms)
        return;
    want = wanted(c, l);
    if (want == WANT_NOTHING)
        return;
    if (c->op_free == NOBODY) {
        uint32_t number = lane_number(c, l);

        l->is_awaiting = true;
        l->await_next = NOBODY;
        if (c->awaiting.first == NOBODY)
            c->awaiting.first = number;
        else
            c->lane[c->awaiting.last].await_next = number;
        c->awaiting.last = number;
        return;
    }
    start_op(c, l, want == WANT_WRITE);
}

void store_serve(struct consume *c)
{
    while (c->awaiting.first != NOBODY && c->op_free != NOBODY) {
        struct lane *l = &c->lane[c->awaiting.first];

        c->awaiting.first = l->await_next;
        l->is_awaiting = false;
        lane_work(c, l);
    }
}

/* ---- answers */

/* What was sent is in the store. */
static void written(struct consume *c, struct lane *l, uint64_t version)
{
    bool is_ahead = l->sent.next > l->durable.next || l->sent.origin != l->durable.origin;

    l->version = version;
    l->durable = l->sent;
    l->store_pause_ms = 0;
    l->has_said = false;
    if (l->phase == PHASE_CLAIMING) {
        lane_claimed(c, l);
        return;
    }
    /* What was done since the record was sent is all that is not durable. */
    l->undone_n = l->unsent_n;
    if (is_ahead && l->is_running) {
        struct consume_action a = {.type = DO_DONE,
                                   .lane = lane_number(c, l),
                                   .run = l->run,
                                   .position = l->durable.next};

        c->perform(c->ctx, &a);
    }
    if (l->durable.is_released)
        lane_released(c, l);
}

/* What was sent may be in the store or not: no more is known of it than before. */
static void unsure(struct consume *c, struct lane *l)
{
    l->is_unsure = true;
    l->has_read = false;
    store_dirty(c, l);
}

static void failed(struct consume *c, struct lane *l, int status)
{
    l->store_ms = pause_end(c, &l->store_pause_ms);
    if (l->has_said)
        return;
    l->has_said = true;
    say_why(c, l, ERR_POSITION_STORE, status, "The position cannot be kept");
}

static void write_answered(struct consume *c, struct lane *l,
                           const struct consume_event *ev)
{
    if (ev->status == STATUS_OK) {
        written(c, l, ev->version);
        return;
    }
    unsure(c, l);
    if (ev->status != STATUS_CONFLICT)
        failed(c, l, ev->status);
}

static bool is_same(const struct consume_record *a, const struct consume_record *b)
{
    return token_compare(a->token, b->token) == 0 && a->origin == b->origin &&
           a->next == b->next && a->at == b->at && a->attempts == b->attempts &&
           a->is_begun == b->is_begun && a->is_released == b->is_released &&
           a->is_suspect == b->is_suspect;
}

/* READING or DRAINING: what became of our record. */
static void resolve(struct consume *c, struct lane *l, const struct consume_event *ev,
                    bool exists)
{
    if (exists && ev->version < l->version) { /* an old copy of the store's answered */
        failed(c, l, STATUS_TIMEOUT);
        return;
    }
    if (!exists || token_compare(ev->record.token, l->token) < 0) {
        l->has_claimed = false; /* what stands there now counts */
        lane_reset(c, l);
        return;
    }
    l->is_unsure = false;
    l->version = ev->version;
    l->store_pause_ms = 0;
    if (is_same(&ev->record, &l->sent)) {
        struct consume_record now = record_now(c, l);

        l->is_dirty = !is_same(&now, &l->sent);
        written(c, l, ev->version);
    }
}

static void read_answered(struct consume *c, struct lane *l,
                          const struct consume_event *ev)
{
    static const struct consume_record none;
    bool exists = ev->status == STATUS_OK;

    if (!exists && ev->status != STATUS_NOTFOUND) {
        failed(c, l, ev->status);
        return;
    }
    if (exists && token_compare(ev->record.token, l->token) > 0) { /* C2, C3 */
        lane_lost(c, l, &ev->record);
        return;
    }
    if (l->phase == PHASE_READING || l->phase == PHASE_DRAINING) {
        resolve(c, l, ev, exists);
    } else if (l->phase == PHASE_CLAIMING) {
        l->version = ev->version;
        if (l->is_unsure && exists && is_same(&ev->record, &l->sent)) {
            l->is_unsure = false;
            written(c, l, ev->version);
            return;
        }
        l->is_unsure = false;
        l->has_read = true;
        lane_claim(c, l, exists ? &ev->record : &none, exists);
    }
}

/* Takes the op out of the ops.  NULL: the lane no longer waits for it. */
static struct lane *answered(struct consume *c, uint32_t slot)
{
    struct lane *l = &c->lane[c->op[slot].lane];
    bool is_awaited = l->op == c->op[slot].op;

    op_free(c, slot);
    if (!is_awaited)
        return NULL;
    l->op = 0;
    return l;
}

void store_answer(struct consume *c, const struct consume_event *ev)
{
    uint32_t slot = (uint32_t)(ev->op % c->options.writes_max);
    bool is_write = ev->type == CONSUME_WRITTEN;
    struct lane *l;

    /* Answers come twice, or after their time. */
    if (ev->op == 0 || c->op[slot].op != ev->op || c->op[slot].is_write != is_write)
        return;
    l = answered(c, slot);
    if (l != NULL) {
        if (is_write)
            write_answered(c, l, ev);
        else
            read_answered(c, l, ev);
        lane_work(c, l);
    }
}

void store_expire(struct consume *c)
{
    while (c->op_first != NOBODY && c->op[c->op_first].due_ms <= c->now_ms) {
        uint32_t slot = c->op_first;
        bool is_write = c->op[slot].is_write;
        struct lane *l = answered(c, slot);

        if (l == NULL)
            continue;
        if (is_write)
            unsure(c, l);
        failed(c, l, STATUS_TIMEOUT);
        lane_work(c, l);
    }
}
