/* One reader: how it is made, asked for messages, and lost. */
#include "plugins/jetstream/jet_consumer.h"

/* Numbers of JetStream's own errors (nats-io/nats-server, server/errors.json). */
enum {
    CONSUMERS_LIMIT = 10026,
    FILTER_IS_OUTSIDE = 10093, /* of the subjects of the stream */
    WORK_QUEUE_NOT_FILTERED = 10099,
    WORK_QUEUE_NOT_UNIQUE = 10100
};

#define NS(ms) ((json_int_t)(ms)*1000000)

/* ---- what the host is told ------------------------------------------------------- */

void jet_reader_tell(struct jet_consumer *c, struct jet_lane *l, int32_t code,
                     const char *text)
{
    l->is_outside = 0;
    if (code == PARTI_OK && !l->is_troubled)
        return;
    l->is_troubled = code != PARTI_OK;
    c->inlet->trouble(c->inlet, l->index, l->run, code, text);
}

void jet_reader_forget(struct jet_lane *l)
{
    l->serial = l->asked = l->seen = l->again_ms = 0;
    l->unheard = 0;
    l->is_made = 0;
    memset(l->pull, 0, sizeof l->pull);
    l->ack_n = l->ack_first = 0;
    l->ack_head[0] = '\0';
    jet_carry_drop(l);
}

void jet_reader_hindered(struct jet_consumer *c, struct jet_lane *l, uint64_t until_ms,
                         const char *text)
{
    l->when_ms = until_ms;
    jet_reader_tell(c, l, PARTI_RETRY, text);
}

/* Nonzero: it was the notifier or the whole reader, and has been dealt with. */
static int32_t is_of_no_lane(struct jet_consumer *c, const struct jet_lane *l)
{
    if (l == &c->turns.notice)
        jet_notice_lost(c);
    else if (l == &c->whole.reader)
        jet_whole_lost(c);
    else
        return 0;
    return 1;
}

void jet_reader_failed(struct jet_consumer *c, struct jet_lane *l, const char *text)
{
    if (is_of_no_lane(c, l))
        return;
    l->turn.is_known = 0;
    jet_reader_forget(l);
    l->state = JET_READER_DUE;
    l->when_ms = jet_now_ms() + jet_pause_ms(l->failures++);
    c->is_stale = 1; /* perhaps the stream is another one by now */
    jet_reader_tell(c, l, PARTI_RETRY, text);
    jet_duty_wake(c);
}

void jet_reader_lost(struct jet_consumer *c, struct jet_lane *l, int32_t at_once,
                     const char *text)
{
    if (is_of_no_lane(c, l))
        return;
    l->turn.is_known = 0;
    /* The interest in what is not done must not lapse: there the sweep deletes it. */
    if (l->serial != 0 && c->retention != JET_INTEREST)
        jet_reader_delete(c, l->name);
    jet_reader_forget(l);
    l->state = JET_READER_DUE;
    l->when_ms = at_once ? 0 : jet_now_ms() + jet_pause_ms(l->failures++);
    c->is_stale = 1;
    if (text != NULL)
        jet_reader_tell(c, l, PARTI_RETRY, text);
    jet_duty_wake(c);
}

/* Nothing more in this run. */
static void give_up(struct jet_consumer *c, struct jet_lane *l, const char *text)
{
    jet_reader_forget(l);
    l->state = JET_READER_NONE;
    jet_reader_tell(c, l, PARTI_BADINPUT, text);
}

/* ---- making ---------------------------------------------------------------------- */

static json_t *config_of(const struct jet_consumer *c, const struct jet_lane *l)
{
    int32_t is_limits = c->retention == JET_LIMITS;
    int32_t is_interest = c->retention == JET_INTEREST;
    uint64_t from = is_limits ? l->next : is_interest ? l->done : 0;
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", l->name, "filter_subject",
                          l->subject, "replay_policy", "instant", "ack_policy",
                          is_limits ? "none" : "explicit", "deliver_policy",
                          from > 0 ? "by_start_sequence" : "all");

    if (o == NULL)
        return NULL;
    if (from > 0)
        (void)json_object_set_new(o, "opt_start_seq", json_integer((json_int_t)from));
    if (!is_limits) {
        (void)json_object_set_new(o, "ack_wait", json_integer(NS(JET_READER_ACK_MS)));
        (void)json_object_set_new(o, "max_ack_pending", json_integer(-1));
    }
    if (is_interest) {
        (void)json_object_set_new(o, "durable_name", json_string(l->name));
        return o;
    }
    (void)json_object_set_new(o, "mem_storage", json_true());
    /* Servers want as many as the stream has where acks remove messages. */
    if (is_limits)
        (void)json_object_set_new(o, "num_replicas", json_integer(1));
    (void)json_object_set_new(o, "inactive_threshold",
                              json_integer(NS(JET_READER_IDLE_MS)));
    return o;
}

/* Compares this run's life of the stream with what is there. */
int32_t jet_reader_fits(struct jet_consumer *c, struct jet_lane *l)
{
    if (c->retention == JET_INTEREST && !c->has_group) {
        give_up(c, l,
                "the stream keeps messages by interest, so readers outlive this worker: "
                "give [consume] a 'name' that no other group has on this stream");
        return 0;
    }
    if (l->origin == c->origin)
        return 1;
    if (l->has_begun) {
        give_up(c, l, "the stream was deleted and made anew while it was read");
        return 0;
    }
    l->origin = c->origin;
    l->done = l->next = 0;
    l->is_fresh = 1;
    return 1;
}

static void create_subject(const struct jet_consumer *c, const struct jet_lane *l,
                           char to[JET_READER_SUBJECT_ROOM])
{
    (void)snprintf(to, JET_READER_SUBJECT_ROOM, "%s.CONSUMER.CREATE.%s.%s.%s",
                   c->api.prefix, c->api.stream, l->name, l->subject);
}

int32_t jet_reader_ask(struct jet_consumer *c, struct jet_lane *l)
{
    char subject[JET_READER_SUBJECT_ROOM], reply[JET_LINK_HEARING_ROOM + 64];
    json_t *config = config_of(c, l);
    json_t *o = json_pack("{s:s, s:o}", "stream_name", c->api.stream, "config", config);
    char *body = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    if (body == NULL)
        return 0;
    create_subject(c, l, subject);
    (void)snprintf(reply, sizeof reply, "%sc%x-%llx", c->hearing, (unsigned)l->index,
                   (unsigned long long)l->serial);
    l->state = JET_READER_ASKED;
    l->asked_ms = jet_now_ms();
    l->when_ms = l->asked_ms + jet_pace_wait_ms(&c->turns.pace, l->failures);
    /* Where the connection is gone the thread hears of it, too. */
    (void)jet_link_post(c->link, c->session, subject, reply, body, strlen(body));
    free(body);
    return 1;
}

void jet_reader_make(struct jet_consumer *c, struct jet_lane *l)
{
    if (!jet_reader_fits(c, l))
        return;
    l->serial = ++c->serials;
    (void)snprintf(l->name, sizeof l->name, "parti_%s_%016llx_%llx-%llx_%x-%llx",
                   c->group, (unsigned long long)l->hash, (unsigned long long)l->gen,
                   (unsigned long long)l->since, (unsigned)l->index,
                   (unsigned long long)l->serial);
    l->look = c->looks;
    if (jet_reader_ask(c, l))
        jet_turns_asked(c, l);
    else
        jet_reader_failed(c, l, "out of memory");
}

static void refused(struct jet_consumer *c, struct jet_lane *l, const json_t *fault)
{
    const char *text = json_string_value(json_object_get(fault, "description"));
    uint64_t number = jet_api_number(fault, "err_code");
    char why[320];

    if (number == CONSUMERS_LIMIT) {
        jet_turns_refused(c, l);
        return;
    }
    if (number == WORK_QUEUE_NOT_UNIQUE || number == WORK_QUEUE_NOT_FILTERED) {
        jet_reader_forget(l);
        l->state = JET_READER_NONE; /* until it is swept */
        l->is_sweeping = 1;
        jet_duty_wake(c);
        return;
    }

    (void)snprintf(why, sizeof why, "%.60s refuses a reader of '%.80s': %.80s (%d)%s",
                   c->api.shown, l->subject, text != NULL ? text : "no reason given",
                   (int)number,
                   number == FILTER_IS_OUTSIDE ? "; correct 'subject' in [consume]" : "");
    jet_reader_failed(c, l, why);
}

/* Once in a while, of whatever lane. */
static void say(struct jet_consumer *c, enum jet_word word, int32_t level,
                const char *text)
{
    uint64_t now = jet_now_ms();

    if (now < c->word_ms[word])
        return;
    c->word_ms[word] = now + JET_WORD_MS;
    parti_log(c->host, level, text);
}

/* The stream begins behind the lane's position.  The server does not tell of what
 * subjects the messages between were, and a lane that has had nothing for longer than
 * the stream keeps messages has lost nothing. */
static void say_gone(struct jet_consumer *c, const struct jet_lane *l)
{
    int32_t is_behind = l->turn.pending > 0;
    char text[512];

    (void)snprintf(text, sizeof text,
                   "positions %llu to %llu are no longer in %.60s, and messages of "
                   "'%.120s' may have been among them that nobody had handled; the "
                   "server cannot tell%s",
                   (unsigned long long)l->next, (unsigned long long)c->first_seq - 1,
                   c->api.shown, l->subject,
                   is_behind ? ". This partition is behind: if that is usual raise the "
                               "limits of the stream, or let more workers handle it"
                             : "");
    say(c, is_behind ? JET_WORD_BEHIND : JET_WORD_GONE,
        is_behind ? PARTI_WARN : PARTI_INFO, text);
}

static void say_beyond(struct jet_consumer *c, const struct jet_lane *l)
{
    char text[512];

    (void)snprintf(text, sizeof text,
                   "the position of '%.120s', %llu, lies beyond the end of %.60s, %llu: "
                   "what comes before it is left out. If it was not set so by hand, the "
                   "stream has lost messages: set it with parti positions --set",
                   l->subject, (unsigned long long)l->next, c->api.shown,
                   (unsigned long long)c->last_seq);
    say(c, JET_WORD_BEYOND, PARTI_WARN, text);
}

void jet_reader_begin_run(struct jet_consumer *c, struct jet_lane *l)
{
    uint64_t told = l->next;

    if (l->has_begun)
        return;
    /* Where acks remove messages that may be other partitions' work, and no loss. */
    if (c->retention == JET_LIMITS && l->next < c->first_seq) {
        if (l->is_fresh || strcmp(c->sole, l->subject) == 0)
            told = c->first_seq; /* what is gone was this lane's, or there is no record */
        else
            say_gone(c, l);
        l->next = c->first_seq;
    } else if (c->retention == JET_LIMITS && l->next > c->last_seq + 1) {
        say_beyond(c, l);
    }
    if (l->next == 0)
        l->next = 1;
    if (l->is_fresh && told == 0)
        told = 1;
    l->has_begun = 1;
    c->inlet->begun(c->inlet, l->index, l->run, l->origin, told);
}

void jet_reader_begin(struct jet_consumer *c, struct jet_lane *l)
{
    l->state = JET_READER_READING;
    l->when_ms = 0;
    jet_outside_tell(c, l);
    jet_reader_begin_run(c, l);
    jet_turns_told(c, l, l->turn.pending);
    if (c->retention == JET_INTEREST) {
        l->is_sweeping = 1;
        jet_duty_wake(c);
    }
    jet_reader_pull(c, l);
}

void jet_reader_made(struct jet_consumer *c, struct jet_lane *l, natsMsg *msg)
{
    jet_pace_answered(&c->turns.pace, jet_now_ms() - l->asked_ms);
    if (natsMsg_IsNoResponders(msg)) {
        jet_reader_failed(c, l, "JetStream does not answer");
        return;
    }
    json_t *answer = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
                                JSON_ALLOW_NUL, NULL);
    const json_t *fault = json_object_get(answer, "error");
    const char *filter = json_string_value(
        json_object_get(json_object_get(answer, "config"), "filter_subject"));

    /* Where a stream has that one subject alone an old server may leave it out. */
    if (json_is_object(fault))
        refused(c, l, fault);
    else if (filter != NULL && strcmp(filter, l->subject) != 0)
        give_up(c, l, "the server made a reader of other subjects than it was asked for");
    else if (!json_is_object(answer))
        jet_reader_failed(c, l, "what is said of a new reader is no JSON object");
    else {
        l->turn.pending = jet_api_number(answer, "num_pending");
        l->is_made = l->look > c->looks_answered;
        if (!l->is_made)
            jet_reader_begin(c, l);
    }
    json_decref(answer);
    if (c->turns.waiting > 0)
        jet_duty_wake(c);
}

void jet_reader_silent(struct jet_consumer *c, struct jet_lane *l)
{
    char subject[JET_READER_SUBJECT_ROOM], why[320];

    create_subject(c, l, subject);
    if (l->state == JET_READER_READING) {
        (void)snprintf(
            why, sizeof why,
            "the server has said nothing of %.80s for %d s; the reader is made "
            "anew",
            c->api.shown, JET_READER_SILENT_MS / 1000);
    } else {
        uint64_t ms = jet_now_ms() - l->asked_ms;

        jet_pace_unanswered(&c->turns.pace, ms);
        (void)snprintf(why, sizeof why,
                       "no answer to the request for a reader of '%.120s' within %llu s",
                       l->subject, (unsigned long long)ms / 1000);
    }
    if (c->retention != JET_INTEREST)
        jet_reader_delete(c, l->name); /* it may have been made */
    c->is_known = 0;
    jet_reader_failed(c, l, why);
}

static void pull_subject(const struct jet_consumer *c, const struct jet_lane *l,
                         char to[JET_READER_SUBJECT_ROOM])
{
    (void)snprintf(to, JET_READER_SUBJECT_ROOM, "%s.CONSUMER.MSG.NEXT.%s.%s",
                   c->api.prefix, c->api.stream, l->name);
}

void jet_reader_denied(struct jet_consumer *c, struct jet_lane *l, const char *subject,
                       const char *why)
{
    char own[JET_READER_SUBJECT_ROOM];
    int32_t is_reading = l->state == JET_READER_READING;

    create_subject(c, l, own);
    if (l->state == JET_READER_ASKED && strcmp(subject, own) == 0) {
        jet_reader_failed(c, l, why);
        return;
    }
    pull_subject(c, l, own);
    if (is_reading && strcmp(subject, own) == 0)
        jet_reader_lost(c, l, 0, why);
    else if (is_reading && l->ack_head[0] != '\0' && !l->is_troubled &&
             strncmp(subject, l->ack_head, strlen(l->ack_head)) == 0)
        jet_reader_tell(c, l, PARTI_RETRY,
                        why); /* it reads, but the stream lets go of nothing */
}

/* Of a cluster, the one that answers for a reader may take its time to listen; so it is
 * with a new one, and where the server that did it has gone. */
void jet_reader_unheard(struct jet_consumer *c, struct jet_lane *l)
{
    uint64_t pause_ms = (uint64_t)JET_READER_UNHEARD_MS << l->unheard++;

    l->again_ms = jet_now_ms() + pause_ms;
    jet_duty_wake(c);
}

/* ---- asking for messages --------------------------------------------------------- */

void jet_reader_pull(struct jet_consumer *c, struct jet_lane *l)
{
    /* What comes again is not delivered again. */
    uint64_t all = l->credit + l->turn.again;
    uint64_t want = all < JET_READER_BATCH_MAX ? all : JET_READER_BATCH_MAX;
    uint64_t n = want > l->asked ? want - l->asked : 0;
    struct jet_pull *free_pull = NULL;
    char subject[JET_READER_SUBJECT_ROOM], reply[JET_LINK_HEARING_ROOM + 64], body[160];

    for (size_t i = 0; i < JET_READER_PULLS; i++)
        if (l->pull[i].number == 0)
            free_pull = &l->pull[i];
    /* Few large requests rather than many small ones. */
    if (l->state != JET_READER_READING || n == 0 || free_pull == NULL ||
        l->again_ms != 0 || (l->asked > 0 && 2 * n < want))
        return;
    *free_pull = (struct jet_pull){.number = ++l->pulls, .left = n};
    l->asked += n;
    l->when_ms = jet_now_ms() + JET_READER_SILENT_MS;
    pull_subject(c, l, subject);
    (void)snprintf(reply, sizeof reply, "%sp%x-%llx-%llx", c->hearing, (unsigned)l->index,
                   (unsigned long long)l->serial, (unsigned long long)l->pulls);
    int length = snprintf(body, sizeof body,
                          "{\"batch\":%llu,\"expires\":%lld,\"idle_heartbeat\":%lld}",
                          (unsigned long long)n, (long long)NS(JET_READER_EXPIRES_MS),
                          (long long)NS(JET_READER_BEAT_MS));
    (void)jet_link_post(c->link, c->session, subject, reply, body, (size_t)length);
}

/* ---- the end --------------------------------------------------------------------- */

void jet_reader_delete(struct jet_consumer *c, const char *name)
{
    char subject[JET_READER_SUBJECT_ROOM], reply[JET_LINK_HEARING_ROOM + 8];

    (void)snprintf(subject, sizeof subject, "%s.CONSUMER.DELETE.%s.%s", c->api.prefix,
                   c->api.stream, name);
    (void)snprintf(reply, sizeof reply, "%sx", c->hearing);
    if (jet_link_post(c->link, c->session, subject, reply, "", 0) == PARTI_OK)
        jet_turns_leave(c);
}

void jet_reader_stop(struct jet_consumer *c, struct jet_lane *l, int32_t is_last)
{
    int32_t is_ours = c->retention == JET_LIMITS;

    /* Even where it is not known yet whether the reader was made. */
    if (l->serial != 0 && c->retention != JET_INTEREST && (is_last || is_ours))
        jet_reader_delete(c, l->name);
    jet_reader_forget(l);
    l->state = JET_READER_NONE;
    l->run = l->credit = 0;
    l->is_sweeping = 0;
    jet_subjects_drop(c, l);
    jet_letters_drop(c, l->index);
}
