/* What comes from the server, on a thread of nats.c: messages of the stream, and words
 * about readers, requests and dead letters. */
#include "plugins/jetstream/jet_consumer.h"

/* LANE-SERIAL[-NUMBER], hexadecimal: the lane, if that is its present reader. */
static struct jet_lane *find(struct jet_consumer *c, const char *text,
                             uint64_t *ret_number)
{
    char *end = NULL;
    uint64_t index = strtoull(text, &end, 16), serial = 0;

    if (*end == '-')
        serial = strtoull(end + 1, &end, 16);
    if (ret_number != NULL)
        *ret_number = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
    if (index == c->turns.notice.index && serial != 0 && serial == c->turns.notice.serial)
        return &c->turns.notice;
    if (index == c->whole.reader.index && serial != 0 && serial == c->whole.reader.serial)
        return &c->whole.reader;
    if (index >= c->lane_room || c->lane[index] == NULL || serial == 0 ||
        c->lane[index]->serial != serial)
        return NULL;
    return c->lane[index];
}

/* ---- words ----------------------------------------------------------------------- */

/* "" where there is none: anybody can send anything to an inbox, and the server's word
 * that nobody listens has no description. */
static const char *header_text(natsMsg *msg, const char *name)
{
    const char *text = NULL;

    return natsMsgHeader_Get(msg, name, &text) == NATS_OK && text != NULL ? text : "";
}

static uint64_t header_number(natsMsg *msg, const char *name)
{
    return strtoull(header_text(msg, name), NULL, 10);
}

static void end_pull(struct jet_lane *l, uint64_t number)
{
    for (size_t i = 0; i < JET_READER_PULLS; i++) {
        if (l->pull[i].number != number)
            continue;
        l->asked -= l->pull[i].left;
        l->pull[i] = (struct jet_pull){.number = 0};
    }
}

/* About a request for messages: a heartbeat, its end, or that of the reader. */
static void hear_status(struct jet_consumer *c, struct jet_lane *l, uint64_t number,
                        natsMsg *msg)
{
    const char *status = header_text(msg, "Status");
    const char *text = header_text(msg, "Description");
    char why[160];

    if (strcmp(status, "100") == 0 &&
        header_number(msg, "Nats-Last-Consumer") > l->seen) {
        jet_reader_lost(c, l, 1, "messages were lost on the way here; read again");
    } else if (strcmp(status, "503") == 0 && l->unheard < JET_READER_UNHEARD_MAX) {
        end_pull(l, number);
        jet_reader_unheard(c, l);
    } else if (strcmp(status, "100") == 0) {
        l->failures = l->unheard = 0;
        l->when_ms = jet_now_ms() + JET_READER_SILENT_MS;
    } else if (strcmp(status, "408") == 0 || strcmp(status, "404") == 0) {
        end_pull(l, number);
        jet_reader_pull(c, l);
    } else {
        (void)snprintf(why, sizeof why, "the reader is gone (%.80s); it is made anew",
                       text[0] != '\0' ? text : status);
        jet_reader_lost(c, l, 0, why);
    }
}

static void hear_word(struct jet_consumer *c, natsMsg *msg)
{
    const char *subject = natsMsg_GetSubject(msg);
    size_t n = strlen(c->hearing);
    uint64_t number = 0;

    if (c->session == 0 || strncmp(subject, c->hearing, n) != 0 || subject[n] == '\0')
        return;
    const char *what = subject + n + 1;
    if (subject[n] == 'b') {
        jet_letter_answered(c, strtoull(what, NULL, 16), msg);
        return;
    }
    if (subject[n] == 'x') {
        jet_turns_left(c);
        return;
    }
    if (subject[n] == 's') {
        jet_counts_answered(c, what, msg);
        return;
    }
    if (subject[n] == 'i') {
        jet_look_answered(c, strtoull(what, NULL, 16), msg);
        return;
    }
    struct jet_lane *l = find(c, what, &number);
    if (l == NULL)
        return;
    if (subject[n] == 'c' && l == &c->turns.notice)
        jet_notice_made(c, msg);
    else if (subject[n] == 'c' && l == &c->whole.reader)
        jet_whole_made(c, msg);
    else if (subject[n] == 'c' && l->state == JET_READER_ASKED)
        jet_reader_made(c, l, msg);
    else if (subject[n] == 'p' && l->state == JET_READER_READING)
        hear_status(c, l, number, msg);
}

/* ---- headers --------------------------------------------------------------------- */

struct column {
    char *bytes;
    uint64_t *end;
    uint64_t n, at;
};

/* Without memory behind it, it only counts. */
static void add(struct column *to, const char *text)
{
    size_t n = strlen(text);

    if (to->bytes != NULL)
        memcpy(to->bytes + to->at, text, n);
    to->at += n;
    if (to->end != NULL)
        to->end[to->n] = to->at;
    to->n++;
}

static void add_all(natsMsg *msg, const char *const *keys, int keys_n,
                    struct column *names, struct column *values)
{
    for (int i = 0; i < keys_n; i++) {
        const char **value = NULL;
        int n = 0;

        if (natsMsgHeader_Values(msg, keys[i], &value, &n) != NATS_OK)
            continue;
        for (int k = 0; k < n; k++) {
            add(names, keys[i]);
            add(values, value[k]);
        }
        free((void *)value);
    }
}

static int32_t make_room(struct jet_consumer *c, uint64_t bytes, uint64_t n)
{
    if (bytes > c->bytes_room) {
        char *more = realloc(c->bytes, bytes);

        if (more == NULL)
            return 0;
        c->bytes = more;
        c->bytes_room = bytes;
    }
    if (n > c->ends_room) {
        uint64_t *more = realloc(c->ends, n * sizeof *more);

        if (more == NULL)
            return 0;
        c->ends = more;
        c->ends_room = n;
    }
    return 1;
}

/* Points into c->bytes and c->ends.  0: no memory. */
static int32_t read_headers(struct jet_consumer *c, natsMsg *msg,
                            struct parti_consumer_message *m)
{
    const char **keys = NULL;
    int keys_n = 0;
    struct column names = {.n = 0}, values = {.n = 0};

    if (natsMsgHeader_Keys(msg, &keys, &keys_n) != NATS_OK)
        return 1; /* there are none */
    add_all(msg, keys, keys_n, &names, &values);
    int32_t has_room = make_room(c, names.at + values.at + 1, 2 * names.n + 1);
    if (has_room) {
        struct column name = {.bytes = c->bytes, .end = c->ends};
        struct column value = {.bytes = c->bytes + names.at, .end = c->ends + names.n};

        add_all(msg, keys, keys_n, &name, &value);
        m->header_name = (struct parti_strs){name.bytes, name.end, name.n};
        m->header_value = (struct parti_strs){value.bytes, value.end, value.n};
    }
    free((void *)keys);
    return has_room;
}

/* ---- messages -------------------------------------------------------------------- */

void jet_deliver(struct jet_consumer *c, struct jet_lane *l, natsMsg *msg,
                 const struct jet_reply *reply)
{
    struct parti_consumer_message m = {.size = sizeof m,
                                       .redelivered = reply->given > 1,
                                       .position = reply->position,
                                       .time_ms = (int64_t)(reply->time_ns / 1000000),
                                       .subject = natsMsg_GetSubject(msg),
                                       .data = natsMsg_GetData(msg),
                                       .data_n = (uint64_t)natsMsg_GetDataLength(msg)};
    int32_t code = PARTI_NOMEM;

    if (m.data == NULL)
        m.data = "";
    if (read_headers(c, msg, &m))
        code = c->inlet->deliver(c->inlet, l->index, l->run, &m, 1);
    if (code == PARTI_OK) {
        l->next = m.position + 1;
        l->credit--;
    } else if (code == PARTI_NOMEM) {
        jet_reader_lost(c, l, 0, NULL);
    } else {
        l->state = JET_READER_NONE; /* stop() is on its way, or the host has refused us */
    }
}

static void count_off(struct jet_lane *l)
{
    struct jet_pull *oldest = NULL;

    for (size_t i = 0; i < JET_READER_PULLS; i++)
        if (l->pull[i].number != 0 &&
            (oldest == NULL || l->pull[i].number < oldest->number))
            oldest = &l->pull[i];
    if (oldest == NULL)
        return;
    l->asked--;
    if (--oldest->left == 0)
        oldest->number = 0;
}

/* The subject of its ack belongs to this reader alone. */
static int32_t learn_acks(struct jet_lane *l, const char *subject,
                          const struct jet_reply *reply)
{
    if (reply->head_n >= sizeof l->ack_head)
        return 0;
    memcpy(l->ack_head, subject, reply->head_n);
    l->ack_head[reply->head_n] = '\0';
    l->ack_has_more = reply->has_more;
    return 1;
}

/* Nonzero: it is one that the lane has not had. */
static int32_t is_wanted(struct jet_consumer *c, struct jet_lane *l, natsMsg *msg,
                         const struct jet_reply *reply)
{
    const struct jet_ack ack = {reply->position, reply->number, reply->given};

    if (c->retention == JET_LIMITS)
        return reply->position >= l->next;
    if (l->ack_head[0] == '\0' && !learn_acks(l, natsMsg_GetReply(msg), reply))
        return reply->position >= l->next;
    if (reply->position < l->done)
        jet_acks_send(c, l, &ack);
    else if (!jet_acks_keep(l, reply))
        jet_reader_lost(c, l, 0, NULL);
    return reply->position >= l->next;
}

/* Nonzero: it is kept. */
static int32_t hear_message(struct jet_consumer *c, natsMsg *msg,
                            const struct jet_reply *reply)
{
    const char *at = reply->consumer + reply->consumer_n;

    while (at > reply->consumer && at[-1] != '_')
        at--;
    struct jet_lane *l = find(c, at, NULL);
    if (l == NULL || l->state != JET_READER_READING)
        return 0;
    count_off(l);
    l->when_ms = jet_now_ms() + JET_READER_SILENT_MS;
    if (reply->number != l->seen + 1) {
        jet_reader_lost(c, l, 1, "messages were lost on the way here; read again");
        return 0;
    }
    l->seen = reply->number;
    l->unheard = 0;
    if (l == &c->turns.notice) {
        jet_notice_heard(c, natsMsg_GetSubject(msg), reply);
        jet_reader_pull(c, l);
        return 0;
    }
    if (l == &c->whole.reader)
        return jet_carry_heard(c, msg, reply);
    l->failures = 0;
    int32_t wanted = is_wanted(c, l, msg, reply);
    /* More than was asked for: from the same place again, when there is room. */
    if (!wanted && l->turn.again > 0)
        l->turn.again--;
    if (wanted && l->state == JET_READER_READING && l->credit == 0)
        jet_reader_lost(c, l, 0, NULL);
    else if (wanted && l->state == JET_READER_READING)
        jet_deliver(c, l, msg, reply);
    jet_turns_told(c, l, reply->pending);
    jet_reader_pull(c, l);
    jet_carry(c, l);
    return 0;
}

void jet_denied(void *ctx, const char *subject)
{
    struct jet_consumer *c = ctx;
    char why[320];

    (void)snprintf(why, sizeof why,
                   "the server does not permit this user to publish to '%.160s'; add the "
                   "permission",
                   subject);
    (void)pthread_mutex_lock(&c->mutex);
    for (uint32_t i = 0; i < c->lane_room; i++)
        if (c->lane[i] != NULL)
            jet_reader_denied(c, c->lane[i], subject, why);
    jet_reader_denied(c, &c->turns.notice, subject, why);
    jet_reader_denied(c, &c->whole.reader, subject, why);
    jet_letters_denied(c, subject, why);
    (void)pthread_mutex_unlock(&c->mutex);
}

int32_t jet_heard(void *ctx, natsMsg *msg)
{
    struct jet_consumer *c = ctx;
    struct jet_reply reply;

    if (msg == NULL) {
        jet_duty_wake(c);
        return 0;
    }
    int32_t is_kept = 0;
    (void)pthread_mutex_lock(&c->mutex);
    if (jet_reply_read(natsMsg_GetReply(msg), &reply))
        is_kept = hear_message(c, msg, &reply);
    else
        hear_word(c, msg);
    (void)pthread_mutex_unlock(&c->mutex);
    return is_kept;
}
