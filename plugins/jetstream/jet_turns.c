/* Turns: which lanes have a reader where there are more lanes than readers.
 *
 * A lane is *due* when it needs a reader, *waiting* once it stands in the queue for one,
 * and *parked* when it needs none: nothing is there for it, or it has no credit.  A
 * reader is given up, and only where somebody waits or the server is short of room, when
 *   - nothing is left for it (work queue: and all that was given out is acknowledged),
 *   - or its lane has no credit, for STARVED_MS,
 *   - or its lane has had TURN_MS or TURN_MESSAGES;
 * the lane goes to the end of the queue or is parked.  The queue is by tickets, which are
 * given out in the order in which lanes begin to wait, so each of N lanes has a reader
 * after at most N / readers turns.
 *
 * With no more lanes than readers nobody waits for longer than one look, and nothing is
 * parked or given up.
 *
 * ROOM AT THE SERVER  A stream has a limit of consumers, over all processes that read it.
 * When it is met (error 10026) the readers that stand are our share; that grows by an
 * eighth at a time, ever more slowly where it meets the limit again.  Nobody tells a
 * process that others have nothing, so one that knows of the limit leaves a place free
 * for REST_MS of each second, and one that does not, but sees the stream full, now and
 * then (door_ms); one that has nothing at all tries each SHUT_MS.
 *
 * WHY NOTHING IS LEFT UNREAD  A lane is parked with credit only where it is known that
 * all messages of it that the stream has lie below its next position; what makes it known
 * is said in jet_notice.c.  Whatever casts doubt on it (a reader lost, a connection lost,
 * a watch that cannot be made) makes the lane unknown, and what is unknown waits.
 */
#include "plugins/jetstream/jet_consumer.h"

enum {
    TURN_MS = 500,
    TURN_MESSAGES = 1024,
    TURN_ACKS_MS = 750, /* for the word that all is done, when all is given out */
    STARVED_MS = 300,   /* the host may be about to give credit */
    ACKED_MS = 50,      /* acks go before a reader does */
    ROUND_MS = 1000, /* until a lane that had nothing has a turn, where nothing watches */
    IDLE_MS = 1000,  /* where room is short a reader that reads nothing goes then */
    REST_MS = 200,
    REST_EVERY_MS = 1000,
    SHUT_MS = 150,
    GROW_MS = 250, /* doubled up to */
    GROW_DOUBLINGS_MAX = 5,
    LOOK_MS = 50,  /* for turns that are over */
    NOTICE_MIN = 4 /* with less room than that all of it is for readers */
};

struct census {
    uint32_t lanes, reading, asked, unknown;
};

/* ---- what a lane needs ----------------------------------------------------------- */

static int32_t is_heard(const struct jet_consumer *c, const struct jet_lane *l)
{
    const struct jet_turn *t = &l->turn;

    /* The record of a run that has not begun may be of another life of the stream. */
    if (c->retention == JET_LIMITS)
        return t->heard >= jet_carry_next(c, l) && t->heard > t->gone;
    return t->counted > t->owed; /* what the host still has is in the stream, too */
}

/* What is counted beyond what the host has: new messages, or some whose acks the server
 * had not read when it was told to delete the reader. */
static uint64_t lost_acks(const struct jet_turn *t)
{
    uint64_t more = t->counted > t->owed ? t->counted - t->owed : 0;

    return more < t->acked ? more : t->acked;
}

static int32_t wants(const struct jet_consumer *c, const struct jet_lane *l)
{
    int32_t owes =
        c->retention == JET_WORK_QUEUE && (l->turn.owed > 0 || lost_acks(&l->turn) > 0);

    if (owes && l->done >= l->next)
        return 1; /* it is for acks alone, and takes no credit */
    return l->credit > 0 && (!l->turn.is_known || l->turn.pending > 0 || is_heard(c, l));
}

static int32_t may_park(const struct jet_consumer *c)
{
    return c->turns.is_crowded && c->retention != JET_INTEREST;
}

static void stand_in_line(struct jet_consumer *c, struct jet_lane *l)
{
    if (l->state == JET_READER_WAITING)
        return;
    if (l->turn.ticket == 0)
        l->turn.ticket = ++c->turns.tickets;
    if (jet_queue_push(c, l))
        l->state = JET_READER_WAITING;
    else
        jet_reader_failed(c, l, "out of memory");
}

static void park(struct jet_consumer *c, struct jet_lane *l)
{
    if (!l->has_begun && c->looks > c->looks_answered) {
        l->state = JET_READER_DUE; /* until it is known what life of the stream this is */
        l->when_ms = jet_now_ms() + LOOK_MS;
        return;
    }
    if (!jet_reader_fits(c, l))
        return;
    l->state = JET_READER_PARKED;
    l->turn.ticket = 0;
    jet_outside_tell(c, l);
    jet_reader_begin_run(c, l);
}

/* Of a lane without a reader. */
static void settle(struct jet_consumer *c, struct jet_lane *l)
{
    if (may_park(c) && !wants(c, l))
        park(c, l);
    else
        stand_in_line(c, l);
}

void jet_turns_stir(struct jet_consumer *c, struct jet_lane *l)
{
    if (l->state == JET_READER_PARKED && wants(c, l)) {
        l->state = JET_READER_DUE;
        l->when_ms = 0;
        jet_duty_wake(c);
    } else if (l->state == JET_READER_READING && c->turns.waiting > 0 &&
               l->turn.pending == 0 && l->ack_n == 0) {
        jet_duty_wake(c);
    }
}

void jet_turns_wake_all(struct jet_consumer *c)
{
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l == NULL)
            continue;
        l->turn.is_known = 0;
        if (l->state == JET_READER_PARKED || l->state == JET_READER_WAITING) {
            l->state = JET_READER_DUE;
            l->when_ms = 0;
        }
    }
    jet_duty_wake(c);
}

/* ---- what readers say ------------------------------------------------------------ */

void jet_turns_asked(struct jet_consumer *c, struct jet_lane *l)
{
    struct jet_turn *t = &l->turn;

    t->since_ms = t->busy_ms = jet_now_ms();
    t->watch = c->turns.watch;
    t->heard_before = t->heard;
    t->again = t->owed + lost_acks(t);
    t->owed = t->counted = t->acked = 0;
}

void jet_turns_told(struct jet_consumer *c, struct jet_lane *l, uint64_t pending)
{
    struct jet_turn *t = &l->turn;

    if (l->state != JET_READER_READING)
        return;
    t->ticket = 0;
    t->busy_ms = jet_now_ms();
    t->pending = pending;
    if (pending == 0 && t->watch != 0 && t->watch == c->turns.watch)
        t->is_known = 1;
    if (c->retention == JET_INTEREST)
        c->turns.is_told = 0; /* the others that wait are told of again */
    if (c->turns.waiting > 0 && (pending == 0 || l->credit == 0))
        jet_duty_wake(c);
}

static uint32_t count(const struct jet_consumer *c, enum jet_reader_state state)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->lane_room; i++)
        n += c->lane[i] != NULL && c->lane[i]->state == state;
    return n;
}

static void tell_refused(struct jet_consumer *c, struct jet_lane *l)
{
    uint32_t reading = count(c, JET_READER_READING) + jet_carry_n(c);
    uint32_t lanes = c->turns.table_n;
    char why[320];

    (void)snprintf(
        why, sizeof why,
        "%.60s takes no more consumers (10026): %u of %u partitions %s; %s", c->api.shown,
        (unsigned)(lanes - reading), (unsigned)lanes,
        c->retention == JET_INTEREST ? "are not read" : "wait and take turns",
        c->retention == JET_INTEREST
            ? "set 'max_consumers' of the stream to twice the number of its partitions "
              "(newer servers allow 1,000 without), have fewer, or keep messages by "
              "limits"
            : "set 'max_consumers' of the stream higher (newer servers allow 1,000 "
              "without) or have fewer partitions");
    jet_reader_tell(c, l, PARTI_RETRY, why);
}

void jet_turns_refused(struct jet_consumer *c, struct jet_lane *l)
{
    if (!c->turns.is_told)
        tell_refused(c, l);
    c->turns.is_told = 1;
    jet_reader_forget(l);
    l->state = JET_READER_DUE; /* with its ticket, so before those that came later */
    l->when_ms = 0;
    c->turns.refused++;
    jet_duty_wake(c);
}

void jet_turns_leave(struct jet_consumer *c)
{
    c->turns.leaving++;
    c->turns.leaving_ms = jet_now_ms() + JET_READER_ANSWER_MS;
}

void jet_turns_left(struct jet_consumer *c)
{
    if (c->turns.leaving > 0)
        c->turns.leaving--;
    if (c->turns.waiting > 0)
        jet_duty_wake(c);
}

/* ---- how many readers ------------------------------------------------------------ */

static uint32_t most(const struct jet_consumer *c)
{
    return c->retention == JET_INTEREST ? UINT32_MAX : c->turns.most;
}

static uint32_t cap(const struct jet_consumer *c)
{
    uint32_t n = most(c);

    return c->turns.cap > 0 && c->turns.cap < n ? c->turns.cap : n;
}

static int32_t is_short(const struct jet_consumer *c)
{
    return c->turns.cap > 0;
}

static uint64_t pause_ms(const struct jet_turns *t)
{
    return (uint64_t)GROW_MS << t->pauses;
}

/* What refusals say of the server's room. */
static void learn(struct jet_consumer *c, const struct census *n, uint64_t now)
{
    struct jet_turns *t = &c->turns;

    if (t->refused > 0) {
        t->refused = 0;
        t->cap = n->reading > 0 ? n->reading : 1;
        if (n->reading == 0)
            t->shut_ms = now + SHUT_MS;
        else if (t->pauses < GROW_DOUBLINGS_MAX)
            t->pauses++;
        t->grow_ms = now + pause_ms(t);
    } else if (t->cap > 0 && now >= t->grow_ms) {
        if (t->pauses > 0 && n->reading >= t->cap)
            t->pauses--;
        t->cap += 1 + t->cap / 8;
        t->grow_ms = now + pause_ms(t);
        if (t->cap >= most(c) || (c->retention == JET_INTEREST && t->waiting == 0))
            t->cap = t->is_told = 0;
    }
}

/* Processes do not rest all at the same time. */
static uint64_t phase(const struct jet_consumer *c)
{
    uint64_t h = 0;

    for (const char *at = c->hearing; *at != '\0'; at++)
        h = h * 31 + (unsigned char)*at;
    return h % REST_EVERY_MS;
}

static uint32_t bound(const struct jet_consumer *c, const struct census *n, uint64_t now)
{
    const struct jet_turns *t = &c->turns;
    uint32_t limit = cap(c);
    int32_t is_resting =
        is_short(c) && n->reading > 0 && (now + phase(c)) % REST_EVERY_MS < REST_MS;

    if (now < t->door_ms && limit > n->lanes)
        limit = n->lanes;
    if (c->retention != JET_INTEREST && limit > 0 && (is_resting || now < t->door_ms))
        limit--;
    /* A place for what hears of messages. */
    if (is_short(c) && c->retention == JET_LIMITS && limit >= NOTICE_MIN && t->watch == 0)
        limit--;
    return limit;
}

/* ---- giving up ------------------------------------------------------------------- */

static int32_t is_idle(const struct jet_consumer *c, struct jet_lane *l, uint64_t now)
{
    struct jet_turn *t = &l->turn;

    if (l->state != JET_READER_READING || t->pending > 0)
        return 0;
    if (c->retention != JET_LIMITS)
        return l->ack_n == 0 && now - t->acked_ms >= ACKED_MS;
    if (is_heard(c, l) && t->heard == t->heard_before && l->seen == 0 && l->asked > 0 &&
        now - t->since_ms >= TURN_MS)
        jet_vain(t, now);
    return !is_heard(c, l);
}

static int32_t is_over(const struct jet_consumer *c, const struct jet_lane *l,
                       uint64_t now)
{
    const struct jet_turn *t = &l->turn;
    uint64_t age = now - t->since_ms;

    if (l->state != JET_READER_READING)
        return 0;
    if (c->retention != JET_LIMITS)
        return age >= (t->pending == 0 ? TURN_ACKS_MS : TURN_MS);
    return age >= TURN_MS || l->seen >= TURN_MESSAGES ||
           (l->credit == 0 && now - t->busy_ms >= STARVED_MS);
}

static void give_up(struct jet_consumer *c, struct jet_lane *l, uint64_t now)
{
    struct jet_turn *t = &l->turn;

    jet_reader_delete(c, l->name);
    t->owed = l->ack_n;
    t->counted = 0; /* of a time when it had a reader */
    jet_reader_forget(l);
    l->state = JET_READER_DUE;
    l->when_ms = 0;
    if (!t->is_known && t->pending == 0 && l->credit > 0)
        l->when_ms = now + (c->turns.is_crowded ? ROUND_MS : REST_MS);
    else
        settle(c, l);
}

/* 'wanted' of them, the idle ones first; where room is short all that are idle for long,
 * for others may wait at the server. */
static void vacate(struct jet_consumer *c, uint32_t wanted, uint64_t now)
{
    struct jet_turns *t = &c->turns;
    int32_t is_scarce = is_short(c) && may_park(c);

    for (int pass = 0; pass < 2 && (wanted > 0 || (is_scarce && pass == 0)); pass++) {
        for (uint32_t k = 0; k < c->lane_room; k++) {
            struct jet_lane *l = c->lane[(t->cursor + k) % c->lane_room];

            if (l == NULL || (pass == 0 ? !is_idle(c, l, now) : !is_over(c, l, now)))
                continue;
            if (wanted == 0 && !(is_scarce && now - l->turn.busy_ms >= IDLE_MS))
                continue;
            give_up(c, l, now);
            wanted -= wanted > 0;
            if (wanted == 0)
                t->cursor = l->index + 1;
            if (wanted == 0 && !(is_scarce && pass == 0))
                break;
        }
    }
}

/* ---- the look -------------------------------------------------------------------- */

static struct census look(const struct jet_consumer *c)
{
    struct census n = {.lanes = c->turns.table_n - jet_carry_n(c)};

    n.reading = count(c, JET_READER_READING);
    n.asked = count(c, JET_READER_ASKED);
    for (uint32_t i = 0; i < c->lane_room; i++)
        n.unknown += c->lane[i] != NULL && c->lane[i]->state == JET_READER_WAITING &&
                     !c->lane[i]->turn.is_known;
    return n;
}

/* Every lane without a reader to its place. */
static void line_up(struct jet_consumer *c, uint64_t now)
{
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l == NULL)
            continue;
        if (jet_vain_is_over(&l->turn, now))
            jet_turns_stir(c, l);
        if ((l->state == JET_READER_DUE && l->when_ms <= now) ||
            l->state == JET_READER_WAITING)
            settle(c, l);
        else if (l->state == JET_READER_PARKED && !may_park(c))
            stand_in_line(c, l);
        else if (l->state == JET_READER_PARKED)
            (void)jet_reader_fits(c, l);
    }
    c->turns.waiting = count(c, JET_READER_WAITING);
    c->turns.parked = count(c, JET_READER_PARKED);
}

void jet_turns_take(struct jet_consumer *c)
{
    struct jet_turns *t = &c->turns;
    uint64_t now = jet_now_ms();
    struct census n = look(c);
    struct jet_lane *l;

    if (now >= t->leaving_ms)
        t->leaving = 0;
    learn(c, &n, now);
    t->is_crowded = n.lanes > cap(c) || is_short(c);
    uint32_t seated = n.reading + n.asked, asked = n.asked;
    jet_notice_keep(c, may_park(c) && cap(c) >= NOTICE_MIN,
                    !is_short(c) || seated + t->leaving < cap(c), n.unknown, now);
    line_up(c, now);
    uint32_t limit = bound(c, &n, now);
    while (now >= t->shut_ms && seated + t->leaving < limit &&
           asked < jet_pace_most(&t->pace) && (l = jet_queue_pop(c)) != NULL) {
        jet_reader_make(c, l);
        seated += l->state == JET_READER_ASKED;
        asked += l->state == JET_READER_ASKED;
        t->waiting--;
    }
    uint32_t wanted = t->waiting + seated > limit ? t->waiting + seated - limit : 0;
    if (c->retention != JET_INTEREST)
        vacate(c, wanted < seated ? wanted : seated, now);
}

int32_t jet_turns_is_due(const struct jet_consumer *c, uint64_t now_ms)
{
    const struct jet_turns *t = &c->turns;

    return t->table_n > 0 && (t->is_crowded || t->waiting > 0 || now_ms >= t->look_ms ||
                              now_ms < t->door_ms);
}

uint64_t jet_turns_next_ms(const struct jet_consumer *c, uint64_t now_ms)
{
    const struct jet_turns *t = &c->turns;
    uint64_t next = UINT64_MAX;

    if (t->table_n > 0 && c->session != 0)
        next = t->look_ms;
    if ((t->waiting > 0 || is_short(c) || now_ms < t->door_ms) && now_ms + LOOK_MS < next)
        next = now_ms + LOOK_MS;
    return next;
}

void jet_turns_lose(struct jet_consumer *c)
{
    struct jet_turns *t = &c->turns;

    jet_reader_forget(&t->notice);
    t->notice.state = JET_READER_NONE;
    t->notice.when_ms = t->watch = t->leaving = t->refused = t->look_ms = 0;
    jet_turns_wake_all(c);
}

void jet_turns_finish(struct jet_consumer *c)
{
    free(c->turns.queue);
    free(c->turns.table);
}
