/* What is known of the stream: which life of it this is, how it keeps messages, and where
 * they begin.
 *
 * Before a run begins the stream must have been asked, after start(): the record may be
 * of another life of it.  Where nothing speaks for that, the reader is asked for at the
 * same time as the stream is, and begins when the answer shows that it was right to.
 */
#include "plugins/jetstream/jet_consumer.h"

/* Never 0, which is none. */
static uint64_t origin_of(const char *created)
{
    uint64_t h = jet_hash(created, strlen(created));

    return h != 0 ? h : 1;
}

/* What it takes in, where that is one subject and nothing comes from other streams. */
static const char *sole_subject(const json_t *config)
{
    const json_t *subjects = json_object_get(config, "subjects");
    const char *subject = json_string_value(json_array_get(subjects, 0));

    if (subject == NULL || json_array_size(subjects) != 1 ||
        strlen(subject) >= JET_TEMPLATE_ROOM || json_object_get(config, "mirror") ||
        json_array_size(json_object_get(config, "sources")) > 0)
        return "";
    return subject;
}

/* From the answer of STREAM.INFO. */
static int32_t learn(struct jet_consumer *c, const json_t *info,
                     struct parti_error *error)
{
    const char *retention =
        json_string_value(json_object_get(json_object_get(info, "config"), "retention"));
    struct jet_state state;

    jet_api_state(info, &state);
    if (retention == NULL || state.created[0] == '\0')
        return parti_fail(error, PARTI_RETRY,
                          "what is said of %.100s lacks its retention", c->api.shown);
    c->retention = strcmp(retention, "workqueue") == 0  ? JET_WORK_QUEUE
                   : strcmp(retention, "interest") == 0 ? JET_INTEREST
                                                        : JET_LIMITS;
    c->origin = origin_of(state.created);
    c->first_seq = state.first_seq;
    c->last_seq = state.last_seq;
    (void)snprintf(c->sole, sizeof c->sole, "%s",
                   sole_subject(json_object_get(info, "config")));
    c->subject_n = state.subject_n;
    jet_outside_learn(c, json_object_get(info, "config"));
    return PARTI_OK;
}

/* A reader that waits for what is known now. */
static void prove(struct jet_consumer *c, struct jet_lane *l)
{
    if (!c->is_known || c->retention != JET_LIMITS || l->origin != c->origin)
        jet_reader_lost(c, l, 1, NULL);
    else if (l->is_made)
        jet_reader_begin(c, l);
}

/* With the mutex.  Why it is not known is found out, and said, by whoever asks next. */
static void answered(struct jet_consumer *c, uint64_t number, int32_t is_known)
{
    uint64_t before = c->looks_answered;

    c->is_known = is_known;
    c->is_stale |= !is_known;
    if (number <= before)
        return;
    c->looks_answered = number;
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l != NULL && l->state == JET_READER_ASKED && l->look > before &&
            l->look <= number)
            prove(c, l);
    }
    jet_whole_proved(c);
}

int32_t jet_look(struct jet_consumer *c, struct parti_error *error)
{
    json_t *info = NULL;
    int32_t code =
        jet_api_ask(&c->api, "STREAM.INFO", NULL, NULL, &c->task, &info, error);

    (void)pthread_mutex_lock(&c->mutex);
    if (code == PARTI_OK)
        code = learn(c, info, error);
    if (code == PARTI_OK)
        answered(c, c->looks, 1);
    else
        c->is_stale = 1;
    (void)pthread_mutex_unlock(&c->mutex);
    json_decref(info);
    return code;
}

/* ---- meanwhile ------------------------------------------------------------------- */

/* Whatever is due belongs to the life that we know. */
static int32_t is_likely(const struct jet_consumer *c)
{
    if (!c->is_known || c->retention != JET_LIMITS)
        return 0;
    for (uint32_t i = 0; i < c->lane_room; i++) {
        const struct jet_lane *l = c->lane[i];

        if (l != NULL && l->state == JET_READER_DUE && l->origin != 0 &&
            l->origin != c->origin)
            return 0;
    }
    return 1;
}

uint64_t jet_look_ask(struct jet_consumer *c)
{
    char subject[JET_READER_SUBJECT_ROOM], reply[JET_LINK_HEARING_ROOM + 32];

    c->looks++;
    (void)snprintf(subject, sizeof subject, "%s.STREAM.INFO.%s", c->api.prefix,
                   c->api.stream);
    (void)snprintf(reply, sizeof reply, "%si%llx", c->hearing,
                   (unsigned long long)c->looks);
    (void)jet_link_post(c->link, c->session, subject, reply, "", 0);
    return c->looks;
}

int32_t jet_look_meanwhile(struct jet_consumer *c)
{
    return is_likely(c) && jet_look_ask(c) > 0;
}

void jet_look_answered(struct jet_consumer *c, uint64_t number, natsMsg *msg)
{
    struct parti_error error = {.size = sizeof error};
    json_t *info = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
                              JSON_ALLOW_NUL, NULL);
    int32_t is_known = json_is_object(info) &&
                       !json_is_object(json_object_get(info, "error")) &&
                       learn(c, info, &error) == PARTI_OK;

    answered(c, number, is_known);
    json_decref(info);
}
