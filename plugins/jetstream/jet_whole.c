/* The *whole reader*: one reader of every subject of the stream for many lanes at a time.
 *
 * WHY  To find the next message of one subject nats-server walks over all that lie
 * between, so where N subjects take turns a reader of one costs it N looks a message:
 * one worker with 1,024 partitions reads an eleventh of what it reads with this (2.15.1,
 * `make bench-flow PARTITIONS=1024 ARMS=bare,worker`, with and without CONSUME='overread
 * = 0').  A reader with a list of subjects costs more still (ARMS=bare,list).  A worker
 * that holds a good part of the partitions and has much to read therefore reads
 * everything and drops what is not its own.  Only where messages are kept by limits:
 * elsewhere it would hold others' work.
 *
 * WHEN  It is asked for when LANES_MIN lanes at least have credit, a quarter of the
 * readers is far behind, and by the stream's number of subjects one message in `overread`
 * is for us.  It ends when that proves wrong, when few lanes are carried, or when nobody
 * has room; each time the next one has to wait longer.
 *
 * Which lanes it carries, and why nothing is missed: jet_carry.c.
 */
#include "plugins/jetstream/jet_consumer.h"

enum {
    /* An estimate: with S subjects in the stream and n lanes it costs S / n times 3 us a
     * message, and readers of their own 0.06 S us, by bench-flow's processor time. */
    LANES_MIN = 48,
    BEHIND_MIN = 64,  /* messages pending, of a lane that is far behind */
    BEHIND_LANES = 8, /* so many of those, and one in BEHIND_SHARE of the readers */
    BEHIND_SHARE = 4,
    SPAN = 1 << 16,    /* positions that may be read for the sake of few */
    JUDGE_N = 1 << 14, /* messages between two judgements */
    SETTLE_MS = 100,   /* after the last lane came */
    LOOK_MS = 500,
    STALLED_MS = 1000,
    SETTLED_MS = 1000, /* all that can be carried are by then */
    PAUSE_MS = 1000,   /* doubled up to */
    PAUSE_DOUBLINGS_MAX = 8,
    PAUSE_WRONG = 4 /* doublings at once where it was no good */
};

void jet_whole_added(struct jet_consumer *c, struct jet_lane *l)
{
    struct jet_whole *w = &c->whole;
    uint64_t settled_ms = jet_now_ms() + SETTLE_MS;

    l->from = w->at + 1;
    if (w->reader.state == JET_READER_NONE && w->when_ms < settled_ms)
        w->when_ms = settled_ms;
}

/* ---- how it ends ----------------------------------------------------------------- */

/* 'doublings' of the time until the next one. */
static void finish(struct jet_consumer *c, uint32_t doublings)
{
    struct jet_whole *w = &c->whole;

    jet_reader_forget(&w->reader);
    w->reader.state = JET_READER_NONE;
    w->at = 0;
    w->when_ms = jet_now_ms() + ((uint64_t)PAUSE_MS << w->pauses);
    w->pauses += doublings;
    if (w->pauses > PAUSE_DOUBLINGS_MAX)
        w->pauses = PAUSE_DOUBLINGS_MAX;
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l == NULL || l->state != JET_READER_CARRIED)
            continue;
        jet_reader_forget(l);
        l->state = JET_READER_DUE;
        l->when_ms = 0;
    }
    jet_duty_wake(c);
}

static void end(struct jet_consumer *c, uint32_t doublings)
{
    if (c->whole.reader.serial != 0)
        jet_reader_delete(c, c->whole.reader.name);
    finish(c, doublings);
}

void jet_whole_lost(struct jet_consumer *c)
{
    c->is_stale = 1; /* perhaps the stream is another one by now */
    end(c, 1);
}

void jet_whole_lose(struct jet_consumer *c)
{
    if (c->whole.reader.state == JET_READER_NONE)
        return;
    finish(c, 0);
    c->whole.when_ms = 0; /* over the next connection before the lanes' own readers */
}

void jet_whole_end(struct jet_consumer *c)
{
    if (c->whole.reader.state != JET_READER_NONE)
        end(c, 0);
}

/* ---- how it begins --------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static int32_t is_behind(const struct jet_lane *l, uint64_t now)
{
    if (!jet_carry_is_willing(l, now))
        return 0;
    return l->state == JET_READER_READING ? l->turn.pending >= BEHIND_MIN
                                          : l->state == JET_READER_WAITING;
}

/* The next positions of those that are far behind; NULL: not worth it. */
static uint64_t *list_behind(const struct jet_consumer *c, uint64_t now, uint32_t *ret_n)
{
    uint32_t willing = 0, reading = 0, n = 0;
    uint64_t *list = malloc((c->lane_room + 1) * sizeof *list);

    for (uint32_t i = 0; list != NULL && i < c->lane_room; i++) {
        const struct jet_lane *l = c->lane[i];

        willing += jet_carry_is_willing(l, now) != 0 ||
                   (l != NULL && l->state == JET_READER_ASKED);
        reading += l != NULL && l->state == JET_READER_READING;
        if (is_behind(l, now))
            list[n++] = jet_carry_next(c, l);
    }
    *ret_n = n;
    if (n >= BEHIND_LANES && n * BEHIND_SHARE >= reading && willing >= LANES_MIN &&
        (uint64_t)c->turns.table_n * c->whole.overread >= c->subject_n)
        return list;
    free(list);
    return NULL;
}

/* Where it begins, 0: nowhere.  Seven in eight of those that are far behind are not
 * before it by more than SPAN, nor is anybody else for whom it begins earlier. */
static uint64_t place(const struct jet_consumer *c, uint64_t now)
{
    uint32_t n = 0;
    uint64_t *list = list_behind(c, now, &n);

    if (list == NULL)
        return 0;
    qsort(list, n, sizeof *list, compare);
    uint64_t mark = list[n / 8], from = mark;
    free(list);
    for (uint32_t i = 0; i < c->lane_room; i++) {
        const struct jet_lane *l = c->lane[i];

        if (!jet_carry_is_willing(l, now))
            continue;
        uint64_t next = jet_carry_next(c, l);
        if (next < from && next + SPAN >= mark)
            from = next;
    }
    return from;
}

static void ask(struct jet_consumer *c, uint64_t from)
{
    struct jet_whole *w = &c->whole;
    struct jet_lane *r = &w->reader;

    r->serial = ++c->serials;
    (void)snprintf(r->name, sizeof r->name, "parti_%s_whole_%llx_%x-%llx", c->group,
                   (unsigned long long)jet_hash(c->hearing, strlen(c->hearing)),
                   (unsigned)r->index, (unsigned long long)r->serial);
    (void)snprintf(r->subject, sizeof r->subject, ">");
    r->next = from;
    w->origin = c->origin;
    w->at = from - 1;
    w->seen = w->carried = 0;
    /* It begins when the answer to this shows that the stream is still the same. */
    r->look = jet_look_ask(c);
    if (!jet_reader_ask(c, r))
        end(c, 1);
}

static void begin(struct jet_consumer *c)
{
    struct jet_whole *w = &c->whole;

    if (!c->is_known || w->origin != c->origin) {
        end(c, 0);
        return;
    }
    w->reader.state = JET_READER_READING;
    w->reader.is_made = 0;
    w->since_ms = w->busy_ms = jet_now_ms();
    for (uint32_t i = 0; i < c->lane_room; i++) {
        if (c->lane[i] == NULL)
            continue;
        c->lane[i]->from = w->at + 1;
        c->lane[i]->passed = 0;
    }
    jet_carry_all(c);
}

void jet_whole_made(struct jet_consumer *c, natsMsg *msg)
{
    struct jet_lane *r = &c->whole.reader;
    json_t *answer = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
                                JSON_ALLOW_NUL, NULL);
    int32_t is_made = json_is_object(answer) &&
                      json_object_get(answer, "error") == NULL &&
                      json_object_get(answer, "config") != NULL;

    json_decref(answer);
    if (r->state != JET_READER_ASKED)
        return;
    r->is_made = is_made;
    if (!is_made)
        finish(c, 1); /* what it lacks the lanes' own readers tell */
    else
        jet_whole_proved(c);
}

void jet_whole_proved(struct jet_consumer *c)
{
    struct jet_lane *r = &c->whole.reader;

    if (r->state == JET_READER_ASKED && r->is_made && c->looks_answered >= r->look)
        begin(c);
}

/* ---- keeping it ------------------------------------------------------------------ */

/* Nonzero: it was no good. */
static int32_t is_wrong(struct jet_consumer *c, uint64_t now)
{
    struct jet_whole *w = &c->whole;
    int32_t is_dear = 0, is_lonely = 0;

    /* At first runs may wait for what is known of the stream. */
    if (now - w->since_ms >= SETTLED_MS)
        is_lonely = jet_carry_n(c) < LANES_MIN / 2;
    if (w->seen >= JUDGE_N) {
        is_dear = w->carried * w->overread * 2 < w->seen;
        w->seen = w->carried = 0;
    }
    return is_dear || is_lonely;
}

static void keep_reading(struct jet_consumer *c, uint64_t now)
{
    struct jet_whole *w = &c->whole;
    struct jet_lane *r = &w->reader;

    if (r->again_ms != 0 && now >= r->again_ms) {
        r->again_ms = 0;
        jet_reader_pull(c, r);
    }
    if (r->asked > 0 && now >= r->when_ms) {
        jet_whole_lost(c);
        return;
    }
    jet_carry_put_slow_out(c, now);
    jet_carry_all(c);
    if (now - w->since_ms >= ((uint64_t)PAUSE_MS << PAUSE_DOUBLINGS_MAX))
        w->pauses = 0;
    int32_t is_stalled =
        r->asked == 0 && r->again_ms == 0 && now - w->busy_ms >= STALLED_MS;
    if (is_wrong(c, now) || is_stalled)
        end(c, PAUSE_WRONG);
}

void jet_whole_keep(struct jet_consumer *c, uint64_t now)
{
    struct jet_whole *w = &c->whole;

    if (c->retention != JET_LIMITS || w->overread == 0 || c->session == 0) {
        jet_whole_end(c);
    } else if (w->reader.state == JET_READER_READING) {
        keep_reading(c, now);
    } else if (w->reader.state == JET_READER_ASKED) {
        if (now >= w->reader.when_ms)
            jet_whole_lost(c);
    } else if (now >= w->when_ms && c->is_known) {
        uint64_t from = place(c, now);

        if (from > 0)
            ask(c, from);
        else
            w->when_ms = now + LOOK_MS;
    }
}

uint64_t jet_whole_next_ms(const struct jet_consumer *c, uint64_t now)
{
    const struct jet_whole *w = &c->whole;

    if (c->retention != JET_LIMITS || w->overread == 0 || c->session == 0 ||
        c->turns.table_n < LANES_MIN ||
        (w->reader.state == JET_READER_NONE && !c->is_known))
        return UINT64_MAX;
    if (w->reader.state == JET_READER_NONE)
        return w->when_ms;
    return w->reader.again_ms != 0 ? w->reader.again_ms : now + SETTLE_MS;
}
