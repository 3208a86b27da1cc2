/* Consumer 'jetstream': messages of partitions from a stream; see jet_consumer.h.
 *
 *     [consume]
 *     plugin = jetstream
 *     url = nats://127.0.0.1:4222
 *     stream = ORDERS
 *     subject = orders.{1}.{2}
 */
#include "plugins/jetstream/jet_consumer.h"
#include "plugins/jetstream/jet_parts.h"

#include <sys/random.h>

static const struct parti_option options[] = {
    JET_LINK_OPTIONS,
    {.name = "domain",
     .help = "The JetStream domain, where it is not the server's own.",
     .type = PARTI_STR},
    {.name = "stream",
     .help = "The stream whose messages follow their partitions.",
     .type = PARTI_STR,
     .flags = PARTI_REQUIRED},
    {.name = "subject",
     .help =
         "The subject of a partition's messages: {N} is its key N, counted from 1; '*' "
         "and '>' as in NATS. Two partitions must not share a subject.",
     .type = PARTI_STR,
     .flags = PARTI_REQUIRED},
    {.name = "name",
     .help = "A word of this group in the names of its consumers on the stream, which no "
             "other group has there; needed where the stream keeps messages by interest.",
     .type = PARTI_STR},
    {.name = "readers",
     .fallback = "128",
     .help =
         "So many consumers on the stream at a time, one more to hear of new messages "
         "and one of 'overread' not counted; where more partitions are held they take "
         "turns. Not where the stream keeps messages by interest.",
     .min = 1,
     .max = JET_READERS_MAX,
     .type = PARTI_INT},
    {.name = "overread",
     .fallback = "4",
     .help = "One consumer reads the whole stream for many partitions, where that is "
             "cheaper and at least one message in so many is for this worker; 0: "
             "never. Only where the stream keeps messages by limits.",
     .max = JET_OVERREAD_MAX,
     .type = PARTI_INT},
    {.name = NULL},
};

/* ---- the section ----------------------------------------------------------------- */

static int32_t bad(const struct parti_conf *conf, const char *key, const char *why,
                   struct parti_error *error)
{
    error->line = parti_conf_line(conf, key);
    return parti_fail(error, PARTI_BADCONF, "%s: %s", key, why);
}

static int32_t read_names(struct jet_consumer *c, const struct parti_conf *conf,
                          struct parti_error *error)
{
    const char *stream = parti_conf_text(conf, "stream");
    const char *domain = parti_conf_text(conf, "domain");
    const char *name = parti_conf_text(conf, "name");
    const char *why = jet_name_fault(stream != NULL ? stream : "");

    if (why != NULL)
        return bad(conf, "stream", why, error);
    why = domain != NULL ? jet_name_fault(domain) : NULL;
    if (why != NULL)
        return bad(conf, "domain", why, error);
    why = name != NULL ? jet_name_fault(name) : NULL;
    if (why == NULL && name != NULL && strlen(name) > JET_READER_GROUP_MAX)
        why = "it has at most 64 bytes";
    if (why != NULL)
        return bad(conf, "name", why, error);
    c->has_group = name != NULL;
    (void)snprintf(c->group, sizeof c->group, "%s", name != NULL ? name : "any");
    (void)snprintf(c->api.prefix, sizeof c->api.prefix, "$JS%s%s.API",
                   domain != NULL ? "." : "", domain != NULL ? domain : "");
    (void)snprintf(c->api.stream, sizeof c->api.stream, "%s", stream);
    (void)snprintf(c->api.shown, sizeof c->api.shown, "stream %s", stream);
    return PARTI_OK;
}

static int32_t read_section(struct jet_consumer *c, const struct parti_conf *conf,
                            struct parti_error *error)
{
    const char *subject = parti_conf_text(conf, "subject");
    const char *why = jet_template_fault(subject != NULL ? subject : "");

    if (why != NULL)
        return bad(conf, "subject", why, error);
    (void)snprintf(c->template, sizeof c->template, "%s", subject);
    c->turns.most = (uint32_t)parti_conf_int(conf, "readers", JET_READERS);
    c->whole.overread = (uint32_t)parti_conf_int(conf, "overread", JET_OVERREAD);
    return read_names(c, conf, error);
}

/* ---- making and ending ----------------------------------------------------------- */

static void consumer_destroy(void *self)
{
    struct jet_consumer *c = self;

    if (c == NULL)
        return;
    if (c->has_thread) {
        (void)pthread_mutex_lock(&c->note_mutex);
        c->is_ending = 1;
        (void)pthread_cond_signal(&c->note_cond);
        (void)pthread_mutex_unlock(&c->note_mutex);
        jet_link_stop(c->link, &c->task);
        (void)pthread_join(c->thread, NULL);
    }
    jet_link_destroy(c->link); /* nothing is heard after it */
    (void)pthread_cond_destroy(&c->note_cond);
    (void)pthread_mutex_destroy(&c->note_mutex);
    (void)pthread_mutex_destroy(&c->mutex);
    jet_turns_finish(c);
    json_decref(c->subjects);
    free(c->held);
    free(c->lane);
    free(c->bytes);
    free(c->ends);
    free(c);
    nats_ReleaseThreadMemory();
}

/* Another group without a 'name' may have the same tokens, when it began in the same
 * second, and partitions of the same ids: numbers keep its readers' names from being
 * ours, and the subject keeps one that holds such a partition from being a former holder.
 */
static uint64_t first_serial(void)
{
    uint32_t n = 0;

    if (getrandom(&n, sizeof n, 0) != (ssize_t)sizeof n)
        n = (uint32_t)jet_now_ms();
    return n;
}

static uint64_t hash_of(const struct jet_consumer *c, const char *id, uint64_t id_n,
                        const char *subject)
{
    uint64_t own = jet_hash(id, id_n);

    return c->has_group ? own : own ^ jet_hash(subject, strlen(subject));
}

static struct jet_consumer *make(const struct parti_host *host,
                                 const struct parti_inlet *inlet)
{
    struct jet_consumer *c = calloc(1, sizeof *c);
    pthread_condattr_t clock;

    if (c == NULL)
        return NULL;
    c->host = host;
    c->inlet = inlet;
    c->posted_last = &c->posted;
    c->written_last = &c->written;
    c->is_stale = 1;
    c->serials = first_serial();
    c->turns.notice.index = JET_NOTICE_INDEX;
    c->whole.reader.index = JET_WHOLE_INDEX;
    (void)pthread_mutex_init(&c->mutex, NULL);
    (void)pthread_mutex_init(&c->note_mutex, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->note_cond, &clock);
    (void)pthread_condattr_destroy(&clock);
    return c;
}

static int32_t consumer_create(void **self, const struct parti_host *host,
                               const struct parti_conf *conf,
                               const struct parti_inlet *inlet, struct parti_error *error)
{
    struct jet_consumer *c = make(host, inlet);
    char name[96];

    if (c == NULL)
        return PARTI_NOMEM;
    (void)snprintf(name, sizeof name, "parti %.60s", conf->section);
    int32_t code = read_section(c, conf, error);
    if (code == PARTI_OK)
        code = jet_link_create(&c->link, conf, name, error);
    if (code == PARTI_OK) {
        c->api.link = c->link;
        jet_link_hear(c->link, jet_heard, jet_denied, c);
        c->has_thread = pthread_create(&c->thread, NULL, jet_duty, c) == 0;
        if (!c->has_thread)
            code = parti_fail(error, PARTI_NOMEM, "no thread can be started");
    }
    if (code != PARTI_OK) {
        consumer_destroy(c);
        return code;
    }
    *self = c;
    return PARTI_OK;
}

/* ---- runs: all of it is posted to the thread ------------------------------------- */

/* With note_mutex. */
static void post(struct jet_consumer *c, struct jet_lane *l)
{
    if (!l->is_posted) {
        l->is_posted = 1;
        l->posted_next = NULL;
        *c->posted_last = l;
        c->posted_last = &l->posted_next;
    }
    (void)pthread_cond_signal(&c->note_cond);
}

static struct jet_lane *held(const struct jet_consumer *c, uint32_t lane)
{
    return lane < c->held_room ? c->held[lane] : NULL;
}

static int32_t make_held_room(struct jet_consumer *c, uint32_t lane)
{
    if (lane < c->held_room)
        return 1;
    uint32_t room = lane + lane / 2 + 64;
    struct jet_lane **more = realloc(c->held, room * sizeof(struct jet_lane *));
    if (more == NULL)
        return 0;
    for (uint32_t i = c->held_room; i < room; i++)
        more[i] = NULL;
    c->held = more;
    c->held_room = room;
    return 1;
}

static void end_run(struct jet_consumer *c, uint32_t lane, uint32_t is_last)
{
    struct jet_lane *l = held(c, lane);

    if (l == NULL)
        return;
    c->held[lane] = NULL;
    (void)pthread_mutex_lock(&c->note_mutex);
    l->is_ended = 1;
    l->is_last = is_last != 0;
    post(c, l);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

/* 'to' gets its subject. */
static int32_t name_subject(const struct jet_consumer *c, const char *id, uint64_t id_n,
                            char to[JET_TEMPLATE_ROOM], struct parti_error *error)
{
    const char *why = jet_template_fill(c->template, id, id_n, to);

    if (why == NULL)
        return PARTI_OK;
    return parti_fail(error, PARTI_BADINPUT,
                      "this partition has no subject by '%.80s': %s; correct 'subject' "
                      "in [consume]",
                      c->template, why);
}

static int32_t consumer_fits(void *self, const char *id, uint64_t id_n,
                             struct parti_error *error)
{
    char subject[JET_TEMPLATE_ROOM];

    return name_subject(self, id, id_n, subject, error);
}

static int32_t consumer_start(void *self, const struct parti_consumer_start *start,
                              struct parti_error *error)
{
    struct jet_consumer *c = self;
    struct jet_lane *l = calloc(1, sizeof *l);
    int32_t code;

    if (l == NULL || !make_held_room(c, start->lane)) {
        free(l);
        return PARTI_NOMEM;
    }
    code = name_subject(c, start->id, start->id_n, l->subject, error);
    if (code != PARTI_OK) {
        free(l);
        return code;
    }
    end_run(c, start->lane, 0); /* the host has done so */
    l->index = start->lane;
    l->run = start->run;
    l->hash = hash_of(c, start->id, start->id_n, l->subject);
    l->gen = start->token_gen;
    l->since = start->token_since;
    l->origin = start->origin;
    l->done = l->next = start->next;
    l->is_new = 1;
    c->held[start->lane] = l;
    (void)pthread_mutex_lock(&c->note_mutex);
    post(c, l);
    (void)pthread_mutex_unlock(&c->note_mutex);
    return PARTI_OK;
}

static void consumer_credit(void *self, uint32_t lane, uint64_t n)
{
    struct jet_consumer *c = self;
    struct jet_lane *l = held(c, lane);

    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&c->note_mutex);
    l->posted_credit += n;
    post(c, l);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

static void consumer_done(void *self, uint32_t lane, uint64_t next)
{
    struct jet_consumer *c = self;
    struct jet_lane *l = held(c, lane);

    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&c->note_mutex);
    if (next > l->posted_done)
        l->posted_done = next;
    post(c, l);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

static void consumer_bury(void *self, uint32_t lane,
                          const struct parti_consumer_message *message,
                          const char *target, const struct parti_strs *header_name,
                          const struct parti_strs *header_value)
{
    struct jet_consumer *c = self;
    const struct jet_lane *l = held(c, lane);
    struct jet_letter *letter;

    if (l == NULL)
        return;
    letter = jet_letter_create(message, target, header_name, header_value);
    if (letter == NULL) {
        c->inlet->buried(c->inlet, lane, l->run, message->position, PARTI_NOMEM,
                         "out of memory");
        return;
    }
    letter->lane = lane;
    letter->run = l->run;
    letter->deadline_ms = jet_now_ms() + JET_LETTER_MS;
    (void)pthread_mutex_lock(&c->note_mutex);
    *c->written_last = letter;
    c->written_last = &letter->next;
    (void)pthread_cond_signal(&c->note_cond);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

static void consumer_stop(void *self, uint32_t lane, uint32_t is_last)
{
    end_run(self, lane, is_last);
}

static const struct parti_consumer consumer = {
    .size = sizeof consumer,
    .option = options,
    .create = consumer_create,
    .start = consumer_start,
    .credit = consumer_credit,
    .done = consumer_done,
    .bury = consumer_bury,
    .stop = consumer_stop,
    .destroy = consumer_destroy,
};

static const struct parti_fits fits = {.size = sizeof fits, .fits = consumer_fits};

const struct parti_fits *jet_consumer_fits(void)
{
    return &fits;
}

const struct parti_consumer *jet_consumer_role(void)
{
    return &consumer;
}
