/* The whole reader's messages and the lanes that it carries; see jet_whole.c.
 *
 * WHY NOTHING IS MISSED  Of each lane two positions are kept: the whole reader has passed
 * nothing of it at or above *from*, but what *passed* and the positions below it say.  So
 * from is where the whole reader begins, for all lanes in the table by then, and behind
 * what it has passed for one that comes later; passed is the greatest position that went
 * by while the lane was not carried, or had no credit for it.  A lane is *in step* when
 *
 *     next >= from  and  next > passed
 *
 * since then whatever lies at or above its next position is still to come.  It is carried
 * from then on, and its own reader, which may be behind or ahead of the whole one, is
 * deleted.  What comes for a lane that is carried and has no credit is kept, and as much
 * less is asked for.  One that gives no credit for HELD_MS is put out, without what was
 * kept: it has a reader of its own again, from its next position, and is not taken back
 * for a while.  So is one of which something has been kept for HELD_MS without a break,
 * when half of the room is taken by what is kept, and much more for it than for others:
 * with a little credit now and then it would have all others wait for it.  Where all are
 * slow alike nobody is put out; as much less is read.
 * What a server says to be pending is of no account here: replicas may be behind.
 */
#include "plugins/jetstream/jet_consumer.h"

enum {
    AHEAD_MAX = 1 << 20, /* a lane so far in front reads on by itself */
    HELD_MS = 250,
    SLOW_TIMES = 4,      /* as much is kept for a slow lane as for the mean one */
    KEPT_MAX = 1024,     /* messages for one lane */
    BYTES_MAX = 1 << 24, /* asked for at a time, by the mean of the last ones */
    SIZE_TURNS = 16,     /* which that many make */
    FIRST_N = 256,       /* asked for before the first has come */
    OUT_MS = 1000,       /* doubled each time, up to */
    OUT_DOUBLINGS_MAX = 6
};

/* ---- which lanes ----------------------------------------------------------------- */

int32_t jet_carry_is_willing(const struct jet_lane *l, uint64_t now)
{
    return l != NULL && l->run != 0 && l->credit > 0 && now >= l->out_ms &&
           l->failures == 0 &&
           (l->state == JET_READER_READING || l->state == JET_READER_WAITING ||
            l->state == JET_READER_PARKED);
}

uint64_t jet_carry_next(const struct jet_consumer *c, const struct jet_lane *l)
{
    uint64_t least = c->first_seq > 0 ? c->first_seq : 1;

    if (l->has_begun)
        return l->next;
    return l->origin == c->origin && l->next > least ? l->next : least;
}

static int32_t is_in_step(const struct jet_consumer *c, const struct jet_lane *l)
{
    uint64_t next = jet_carry_next(c, l);

    return next >= l->from && next > l->passed && next <= c->whole.at + AHEAD_MAX;
}

/* Nonzero: the run has begun and is of the life of the stream that is read. */
static int32_t has_begun(struct jet_consumer *c, struct jet_lane *l)
{
    if (!l->has_begun && (!c->is_known || c->looks > c->looks_answered))
        return 0;
    if (!jet_reader_fits(c, l) || l->origin != c->whole.origin)
        return 0;
    jet_reader_begin_run(c, l);
    return 1;
}

void jet_carry(struct jet_consumer *c, struct jet_lane *l)
{
    if (c->whole.reader.state != JET_READER_READING || !is_in_step(c, l) ||
        !jet_carry_is_willing(l, jet_now_ms()) || !has_begun(c, l) || !is_in_step(c, l))
        return;
    if (l->serial != 0)
        jet_reader_delete(c, l->name);
    jet_reader_forget(l);
    l->turn.ticket = l->turn.pending = 0;
    l->turn.is_known = 0;
    l->state = JET_READER_CARRIED;
    jet_outside_tell(c, l);
}

/* It needs a reader of its own. */
static void put_out(struct jet_consumer *c, struct jet_lane *l)
{
    jet_reader_forget(l);
    l->out_ms = jet_now_ms() + ((uint64_t)OUT_MS << l->outs);
    l->outs += l->outs < OUT_DOUBLINGS_MAX;
    l->state = JET_READER_DUE;
    l->when_ms = 0;
    jet_duty_wake(c);
}

/* How many messages the lanes have room for, as many as may be asked for at a time; how
 * many of these are kept. */
static uint64_t count_room(const struct jet_consumer *c, uint64_t *ret_kept)
{
    uint64_t most = c->whole.size > 0 ? BYTES_MAX / c->whole.size + 1 : (uint64_t)FIRST_N;
    uint64_t room = 0;

    *ret_kept = 0;
    for (uint32_t i = 0; i < c->lane_room; i++) {
        const struct jet_lane *l = c->lane[i];

        if (l == NULL || l->state != JET_READER_CARRIED)
            continue;
        room += l->credit;
        *ret_kept += l->kept_n;
    }
    if (room > most)
        room = most;
    return room < JET_READER_BATCH_MAX ? room : JET_READER_BATCH_MAX;
}

void jet_carry_put_slow_out(struct jet_consumer *c, uint64_t now)
{
    uint64_t kept = 0, room = count_room(c, &kept), lanes = jet_carry_n(c);

    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l == NULL || l->kept == NULL)
            continue;
        int32_t is_slow = l->kept_n * lanes > SLOW_TIMES * kept;
        int32_t is_in_the_way = is_slow && 2 * kept > room && now - l->held_ms >= HELD_MS;
        if (!is_in_the_way && now - l->kept_ms < HELD_MS)
            continue;
        kept -= l->kept_n;
        put_out(c, l);
    }
}

uint32_t jet_carry_n(const struct jet_consumer *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; c->whole.reader.state == JET_READER_READING && i < c->lane_room;
         i++)
        n += c->lane[i] != NULL && c->lane[i]->state == JET_READER_CARRIED;
    return n;
}

/* ---- what it brings -------------------------------------------------------------- */

/* A message that came for a lane without credit. */
struct jet_kept {
    struct jet_kept *next;
    natsMsg *msg;
};

void jet_carry_drop(struct jet_lane *l)
{
    while (l->kept != NULL) {
        struct jet_kept *k = l->kept;

        l->kept = k->next;
        natsMsg_Destroy(k->msg);
        free(k);
    }
    l->kept_n = 0;
}

static int32_t keep(struct jet_lane *l, natsMsg *msg)
{
    struct jet_kept *k = l->kept_n < KEPT_MAX ? calloc(1, sizeof *k) : NULL;

    if (k == NULL)
        return 0;
    k->msg = msg;
    if (l->kept == NULL) {
        l->kept = k;
        l->kept_ms = l->held_ms = jet_now_ms();
    } else {
        l->kept_last->next = k;
    }
    l->kept_last = k;
    l->kept_n++;
    return 1;
}

void jet_carry_feed(struct jet_consumer *c, struct jet_lane *l)
{
    while (l->kept != NULL && l->credit > 0) {
        struct jet_kept *k = l->kept;
        struct jet_reply reply;

        l->kept = k->next;
        l->kept_n--;
        l->kept_ms = jet_now_ms();
        if (jet_reply_read(natsMsg_GetReply(k->msg), &reply))
            jet_deliver(c, l, k->msg, &reply);
        natsMsg_Destroy(k->msg);
        free(k);
        if (l->state != JET_READER_CARRIED)
            jet_carry_drop(l); /* it was not taken, and so must none be that follows */
    }
}

void jet_carry_pull(struct jet_consumer *c)
{
    struct jet_lane *r = &c->whole.reader;
    uint64_t room, kept = 0;

    if (r->state != JET_READER_READING || r->again_ms != 0 || 2 * r->asked > r->credit)
        return;
    room = count_room(c, &kept);
    r->credit = room > kept ? room - kept : 0;
    jet_reader_pull(c, r);
}

/* One message for one lane of its subject.  Nonzero: it is kept. */
static int32_t pass(struct jet_consumer *c, struct jet_lane *l, natsMsg *msg,
                    const struct jet_reply *reply, int32_t may_keep)
{
    if (l->state != JET_READER_CARRIED) {
        l->passed = reply->position;
        return 0;
    }
    c->whole.carried++;
    if (reply->position < l->next)
        return 0;
    if (l->credit > 0 && l->kept == NULL) {
        jet_deliver(c, l, msg, reply);
        if (l->state != JET_READER_CARRIED)
            l->passed = reply->position;
        return 0;
    }
    l->passed = reply->position;
    if (may_keep && keep(l, msg))
        return 1;
    put_out(c, l);
    return 0;
}

int32_t jet_carry_heard(struct jet_consumer *c, natsMsg *msg,
                        const struct jet_reply *reply)
{
    struct jet_whole *w = &c->whole;
    uint64_t size = (uint64_t)natsMsg_GetDataLength(msg);
    char key[JET_TEMPLATE_ROOM];
    int32_t is_kept = 0;

    w->at = reply->position;
    w->seen++;
    w->busy_ms = jet_now_ms();
    w->size = w->size - w->size / SIZE_TURNS + size / SIZE_TURNS + 1;
    for (struct jet_lane *l = jet_subjects_find(c, natsMsg_GetSubject(msg), key);
         l != NULL; l = l->turn.same)
        if (strcmp(l->subject, key) == 0)
            is_kept |= pass(c, l, msg, reply, !is_kept);
    jet_carry_pull(c);
    return is_kept;
}

void jet_carry_all(struct jet_consumer *c)
{
    for (uint32_t i = 0; i < c->lane_room; i++)
        if (c->lane[i] != NULL && c->lane[i]->state != JET_READER_CARRIED)
            jet_carry(c, c->lane[i]);
    jet_carry_pull(c);
}
