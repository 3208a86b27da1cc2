/* Which lanes without a reader have messages.
 *
 * LIMITS  One *notifier* for all lanes: a pull consumer in memory, without acks, headers
 * only, whose one filter covers the subjects of all lanes (their tokens where they have
 * them in common, '*' where they differ; every subject where the server does not take
 * such a filter).  It begins with the last message of each subject and goes on with all
 * that come, so that first part (until it is *whole*) says of each lane, however long it
 * has had no reader, the greatest position there is.
 *
 * WORK QUEUE  No second consumer may look at a work queue.  There the stream's state is
 * asked for, with the number of messages of each subject: what has been acknowledged is
 * not among them.
 *
 * WHY NO MESSAGE IS MISSED  A lane is known, and so may be parked when nothing is heard
 * of at or above its next position, by one of two things:
 *   - The watch is whole and the lane was in the table when the notifier was asked for.
 *     A message stored before the server made the notifier is the last of its subject or
 *     has a later one, and the last is among the first part; one stored after is given as
 *     it comes.  Either way a position at or above the message's is noted.
 *   - A reader of the lane was asked for while the notifier stood, and the server has
 *     said that nothing more is there for it.  What was stored before it said so the
 *     reader has given; what was stored later is given to the notifier, and by then the
 *     lane was in the table.
 * A message that comes between "caught up" and "parked" is therefore heard of, before or
 * after: before, and the lane is not parked; after, and it is due again.  What the lane
 * has had meanwhile does not count, since positions are compared.
 * Messages that the notifier should have given and did not (its own numbers have a gap, a
 * heartbeat says more than was seen, or nothing comes), its loss or a lost connection end
 * the watch.  A new one begins with the last message of each subject again, so lanes that
 * are parked may stay so while it is made: all that came in between is among what it
 * tells.  Where it cannot be made at the second attempt every lane is unknown and takes
 * turns without it.  A stream made anew has lost all its consumers: the notifier, too; it
 * is asked for only after the stream has been looked at, and a lane of the old life is
 * not parked but told.
 * A work queue is looked at again and again, whatever was seen before: a message stays in
 * it, and so is counted, until this lane's reader has had it.
 */
#include "plugins/jetstream/jet_consumer.h"

enum {
    FILTER_NOT_OF_STREAM = 10093,
    CONSUMERS_LIMIT = 10026,
    LANE_CREDIT = JET_READER_BATCH_MAX,
    RENEW_MS = 1000
};

#define NS(ms) ((json_int_t)(ms)*1000000)

/* ---- the notifier ---------------------------------------------------------------- */

static void forget(struct jet_consumer *c)
{
    struct jet_lane *notice = &c->turns.notice;

    jet_reader_forget(notice);
    notice->state = JET_READER_NONE;
    notice->credit = LANE_CREDIT;
    c->turns.watch = 0;
    c->turns.is_whole = 0;
}

void jet_notice_end(struct jet_consumer *c)
{
    if (c->turns.notice.serial != 0)
        jet_reader_delete(c, c->turns.notice.name);
    forget(c);
}

void jet_notice_lost(struct jet_consumer *c)
{
    struct jet_lane *notice = &c->turns.notice;

    jet_notice_end(c);
    c->is_stale = 1; /* perhaps the stream is another one by now */
    notice->when_ms =
        notice->failures > 0 ? jet_now_ms() + jet_pause_ms(notice->failures) : 0;
    if (notice->failures++ > 0)
        jet_turns_wake_all(c);
    jet_duty_wake(c);
}

static char *describe(const struct jet_consumer *c)
{
    const struct jet_turns *t = &c->turns;
    json_t *config =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:I}", "name", t->notice.name,
                  "ack_policy", "none", "deliver_policy", "last_per_subject",
                  "replay_policy", "instant", "mem_storage", 1, "headers_only", 1,
                  "num_replicas", 1, "inactive_threshold", NS(JET_READER_IDLE_MS));

    if (config != NULL)
        (void)json_object_set_new(config, "filter_subject",
                                  json_string(t->is_wide ? ">" : t->pattern));
    json_t *o = json_pack("{s:s, s:o}", "stream_name", c->api.stream, "config", config);
    char *body = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    return body;
}

/* Lanes that stand in the table from now on are told of all there is. */
static void note_all(struct jet_consumer *c, uint64_t watch)
{
    for (uint32_t i = 0; i < c->lane_room; i++) {
        if (c->lane[i] == NULL)
            continue;
        struct jet_turn *turn = &c->lane[i]->turn;

        turn->is_known = 0;
        turn->heard = turn->heard_before = turn->gone = turn->vain = 0;
        turn->noted = watch;
    }
}

static void make(struct jet_consumer *c, uint64_t now_ms)
{
    struct jet_turns *t = &c->turns;
    struct jet_lane *notice = &t->notice;
    char subject[JET_READER_SUBJECT_ROOM], reply[JET_LINK_HEARING_ROOM + 64];

    jet_notice_end(c);
    notice->serial = ++c->serials;
    (void)snprintf(notice->name, sizeof notice->name, "parti_%s_notice_%llx_%x-%llx",
                   c->group, (unsigned long long)jet_hash(c->hearing, strlen(c->hearing)),
                   (unsigned)notice->index, (unsigned long long)notice->serial);
    (void)snprintf(subject, sizeof subject, "%s.CONSUMER.CREATE.%s.%s.%s", c->api.prefix,
                   c->api.stream, notice->name, t->is_wide ? ">" : t->pattern);
    (void)snprintf(reply, sizeof reply, "%sc%x-%llx", c->hearing, (unsigned)notice->index,
                   (unsigned long long)notice->serial);
    char *body = describe(c);
    if (body == NULL) {
        jet_notice_lost(c);
        return;
    }
    note_all(c, notice->serial);
    t->is_outgrown = 0;
    notice->state = JET_READER_ASKED;
    notice->when_ms = now_ms + jet_pace_wait_ms(&t->pace, notice->failures);
    (void)jet_link_post(c->link, c->session, subject, reply, body, strlen(body));
    free(body);
}

static void be_whole(struct jet_consumer *c)
{
    struct jet_turns *t = &c->turns;

    t->is_whole = 1;
    t->notice.failures = 0;
    for (uint32_t i = 0; i < c->lane_room; i++)
        if (c->lane[i] != NULL && c->lane[i]->turn.noted == t->watch)
            c->lane[i]->turn.is_known = 1;
    jet_duty_wake(c);
}

static void refused(struct jet_consumer *c, const json_t *fault)
{
    uint64_t number = jet_api_number(fault, "err_code");
    struct jet_turns *t = &c->turns;

    if (number == FILTER_NOT_OF_STREAM && !t->is_wide) {
        t->is_wide = 1; /* the pattern spans several subjects of the stream */
        t->notice.failures = 0;
    }
    jet_reader_forget(&t->notice); /* there is none */
    if (number == CONSUMERS_LIMIT) {
        t->notice.failures += t->notice.failures == 0;
        t->refused++;
    }
    jet_notice_lost(c);
}

void jet_notice_made(struct jet_consumer *c, natsMsg *msg)
{
    struct jet_turns *t = &c->turns;
    json_t *answer = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
                                JSON_ALLOW_NUL, NULL);
    const json_t *fault = json_object_get(answer, "error");

    if (json_is_object(fault)) {
        refused(c, fault);
    } else if (!json_is_object(answer) ||
               json_object_get(answer, "num_pending") == NULL) {
        jet_notice_lost(c);
    } else if (t->notice.state == JET_READER_ASKED) {
        t->notice.state = JET_READER_READING;
        t->notice.credit = LANE_CREDIT;
        t->watch = t->notice.serial;
        t->first_n = jet_api_number(answer, "num_pending");
        if (t->first_n == 0)
            be_whole(c);
        jet_reader_pull(c, &t->notice);
    }
    json_decref(answer);
}

void jet_notice_heard(struct jet_consumer *c, const char *subject,
                      const struct jet_reply *reply)
{
    struct jet_turns *t = &c->turns;
    char key[JET_TEMPLATE_ROOM];

    for (struct jet_lane *l = jet_subjects_find(c, subject, key); l != NULL;
         l = l->turn.same) {
        if (strcmp(l->subject, key) != 0 || reply->position <= l->turn.heard)
            continue;
        l->turn.heard = reply->position;
        /* One that is parked was known to have nothing, and is so but for this. */
        if (l->state == JET_READER_PARKED && reply->position >= l->next)
            jet_turns_stir(c, l);
    }
    if (!t->is_whole && (reply->pending == 0 || reply->number > t->first_n))
        be_whole(c);
}

/* ---- what watches ---------------------------------------------------------------- */

static void keep_notifier(struct jet_consumer *c, int32_t is_wanted, int32_t has_room,
                          uint32_t unknown, uint64_t now_ms)
{
    struct jet_turns *t = &c->turns;
    struct jet_lane *notice = &t->notice;
    int32_t is_asked = notice->state == JET_READER_ASKED;
    int32_t stands = notice->state == JET_READER_READING;
    /* Many lanes have come after it: one more first part is less than a reader for each.
     */
    int32_t is_old = stands && t->is_whole && now_ms >= t->grow_ms &&
                     unknown > 2 * t->most && now_ms - notice->turn.since_ms >= RENEW_MS;

    if (!is_wanted) {
        /* Also where it was lost and what is parked has waited for the next one. */
        if (stands || is_asked || notice->failures > 0) {
            jet_notice_end(c);
            notice->failures = 0;
            jet_turns_wake_all(c);
        }
        return;
    }
    if ((stands || is_asked) && now_ms >= notice->when_ms) {
        jet_notice_lost(c);
    } else if ((stands && (t->is_outgrown || is_old)) ||
               (!stands && !is_asked && has_room && now_ms >= notice->when_ms)) {
        notice->turn.since_ms = now_ms;
        make(c, now_ms);
    }
}

void jet_notice_keep(struct jet_consumer *c, int32_t is_wanted, int32_t has_room,
                     uint32_t unknown, uint64_t now_ms)
{
    struct jet_turns *t = &c->turns;

    if (c->retention == JET_LIMITS) {
        keep_notifier(c, is_wanted, has_room, unknown, now_ms);
    } else if (c->retention == JET_WORK_QUEUE) {
        uint64_t watch = t->is_crowded;

        if (watch != t->watch)
            t->look_ms = now_ms;
        if (watch < t->watch)
            jet_turns_wake_all(c);
        t->watch = watch;
    }
    jet_counts_keep(c, now_ms);
}
