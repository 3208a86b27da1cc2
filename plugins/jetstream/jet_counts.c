/* Looks at the stream's state, for nobody waits: how many messages each lane of a work
 * queue has, and whether the stream has room for other processes' readers. */
#include "plugins/jetstream/jet_consumer.h"

enum {
    QUEUE_LOOK_MS = 250,   /* at a work queue, and no closer than */
    QUEUE_LOOK_TIMES = 10, /* so many times what the last look took */
    FULL_LOOK_MS = 3000,   /* whether the stream has room for others */
    DOOR_MS = 250,
    SERVER_CONSUMERS = 1000 /* a stream may have so many where it does not say */
};

static int32_t is_queue_watched(const struct jet_consumer *c)
{
    return c->retention == JET_WORK_QUEUE && c->turns.watch != 0;
}

static void ask(struct jet_consumer *c, uint64_t offset)
{
    char subject[JET_READER_SUBJECT_ROOM], reply[JET_LINK_HEARING_ROOM + 48];
    char *body = NULL;
    struct jet_turns *t = &c->turns;

    if (is_queue_watched(c)) {
        json_t *o = json_pack("{s:s, s:I}", "subjects_filter", t->pattern, "offset",
                              (json_int_t)offset);

        body = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
        json_decref(o);
        if (body == NULL)
            return; /* asked again when the time is over */
    }
    (void)snprintf(subject, sizeof subject, "%s.STREAM.INFO.%s", c->api.prefix,
                   c->api.stream);
    (void)snprintf(reply, sizeof reply, "%ss%llx-%llx", c->hearing,
                   (unsigned long long)t->looks, (unsigned long long)offset);
    (void)jet_link_post(c->link, c->session, subject, reply, body != NULL ? body : "",
                        body != NULL ? strlen(body) : 0);
    free(body);
}

static void begin_look(struct jet_consumer *c, uint64_t now_ms)
{
    struct jet_turns *t = &c->turns;

    t->looks++;
    t->look_sent_ms = now_ms;
    t->look_ms = now_ms + JET_READER_ANSWER_MS; /* once more, if nothing is said */
    if (is_queue_watched(c)) {
        for (uint32_t i = 0; i < c->lane_room; i++) {
            if (c->lane[i] == NULL)
                continue;
            c->lane[i]->turn.counting = 0;
            c->lane[i]->turn.noted = t->looks;
        }
    }
    ask(c, 0);
}

static void count_subjects(struct jet_consumer *c, json_t *subjects)
{
    const char *subject;
    json_t *n;
    char key[JET_TEMPLATE_ROOM];

    json_object_foreach(subjects, subject, n)
    {
        for (struct jet_lane *l = jet_subjects_find(c, subject, key); l != NULL;
             l = l->turn.same)
            if (strcmp(l->subject, key) == 0)
                l->turn.counting += (uint64_t)json_integer_value(n);
    }
}

/* All subjects of a work queue have been counted. */
static void end_count(struct jet_consumer *c)
{
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l == NULL || l->turn.noted != c->turns.looks)
            continue;
        l->turn.counted = l->turn.counting;
        l->turn.is_known = 1;
        jet_turns_stir(c, l);
    }
    jet_duty_wake(c);
}

static void end_look(struct jet_consumer *c, const json_t *info)
{
    struct jet_turns *t = &c->turns;
    uint64_t now = jet_now_ms(), period = FULL_LOOK_MS;
    uint64_t took = QUEUE_LOOK_TIMES * (now - t->look_sent_ms);
    uint64_t limit = jet_api_number(json_object_get(info, "config"), "max_consumers");
    struct jet_state state;

    jet_api_state(info, &state);
    if (is_queue_watched(c)) {
        end_count(c);
        period = took > QUEUE_LOOK_MS ? took : QUEUE_LOOK_MS;
    }
    t->look_ms = now + period;
    /* Some process may have no reader at all: where we do not know of it by a refusal of
     * our own we make room for one.  If nobody takes it, it is ours again. */
    if (t->cap == 0 && !is_queue_watched(c) &&
        state.consumer_n >= (limit > 0 ? limit : SERVER_CONSUMERS)) {
        t->door_ms = now + DOOR_MS;
        jet_duty_wake(c);
    }
}

void jet_counts_answered(struct jet_consumer *c, const char *what, natsMsg *msg)
{
    char *end = NULL;
    uint64_t number = strtoull(what, &end, 16);
    uint64_t offset = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
    json_t *info = NULL;

    if (number != c->turns.looks)
        return;
    info = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
                      JSON_ALLOW_NUL, NULL);
    json_t *subjects = json_object_get(json_object_get(info, "state"), "subjects");
    uint64_t n = json_object_size(subjects);

    if (is_queue_watched(c))
        count_subjects(c, subjects);
    int32_t is_fault =
        !json_is_object(info) || json_is_object(json_object_get(info, "error"));
    if (is_fault)
        c->turns.looks++; /* asked again when the time is over */
    else if (is_queue_watched(c) && n > 0 && jet_api_number(info, "total") > offset + n)
        ask(c, offset + n);
    else
        end_look(c, info);
    json_decref(info);
}

void jet_counts_keep(struct jet_consumer *c, uint64_t now_ms)
{
    struct jet_turns *t = &c->turns;

    if (now_ms < t->look_ms)
        return;
    /* The thread has just asked, for reasons of its own. */
    if (c->retention == JET_INTEREST || (t->look_ms == 0 && !is_queue_watched(c)))
        t->look_ms = now_ms + FULL_LOOK_MS;
    else
        begin_look(c, now_ms);
}
