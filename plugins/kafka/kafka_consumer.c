/* Consumer 'kafka': the interface.  All calls but create() and destroy() are posted to
 * the thread; see kafka_consumer.h. */
#include "kafka_consumer.h"

enum { TOPIC_MAX = 249, PARTITION_DIGITS_MAX = 9 };

/* ---- what librdkafka tells --------------------------------------------------------- */

/* Inside rd_kafka_poll(), so on our thread.  A broker that is away is told through
 * trouble(), in words that help; that a property is for the other of our two handles is
 * no news. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *words)
{
    const struct kafka_consumer *c = rd_kafka_opaque(rk);
    int32_t matters =
        level <= 2 || (strcmp(facility, "CONFWARN") == 0 &&
                       strstr(words, "property and will be ignored") == NULL);
    char text[KAFKA_TEXT_ROOM];

    (void)snprintf(text, sizeof text, "librdkafka: %s: %s", facility, words);
    parti_log(c->host, matters ? PARTI_WARN : PARTI_DEBUG, text);
}

/* Inside rd_kafka_poll(), so on our thread. */
static void on_error(rd_kafka_t *rk, int code, const char *words, void *opaque)
{
    struct kafka_consumer *c = opaque;
    const char *end = strstr(words, " (after ");
    int n = end != NULL ? (int)(end - words) : (int)strcspn(words, "\n");

    (void)rk;
    parti_log(c->host, PARTI_DEBUG, words);
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        (void)snprintf(c->down, sizeof c->down, KAFKA_DOWN, c->brokers, n < 256 ? n : 256,
                       words);
    /* Some brokers may be left: it is found out. */
    for (struct kafka_known *t = c->topic; t != NULL; t = t->next)
        if (t->check_ms != 0)
            t->check_ms = 1;
    kafka_duty_by(c, 0);
}

static void on_event(rd_kafka_t *rk, void *opaque)
{
    (void)rk;
    kafka_duty_wake(opaque);
}

/* ---- making and ending ----------------------------------------------------------- */

static void free_topics(struct kafka_consumer *c)
{
    while (c->topic != NULL) {
        struct kafka_known *t = c->topic;

        c->topic = t->next;
        rd_kafka_topic_destroy(t->rkt);
        free(t->past);
        free(t);
    }
}

static void close_handle(struct kafka_consumer *c)
{
    if (c->rk == NULL)
        return;
    rd_kafka_queue_cb_event_enable(c->main_queue, NULL, NULL);
    rd_kafka_queue_destroy(c->main_queue);
    rd_kafka_queue_cb_event_enable(c->group_queue, NULL, NULL);
    rd_kafka_queue_destroy(c->group_queue);
    rd_kafka_queue_cb_event_enable(c->answers, NULL, NULL);
    rd_kafka_queue_destroy(c->answers);
    free_topics(c);
    kafka_close(c->rk);
}

static void consumer_destroy(void *self)
{
    struct kafka_consumer *c = self;

    if (c == NULL)
        return;
    (void)pthread_mutex_lock(&c->note_mutex);
    c->is_ending = 1;
    (void)pthread_cond_signal(&c->note_cond);
    (void)pthread_cond_signal(&c->ask_cond);
    (void)pthread_mutex_unlock(&c->note_mutex);
    if (c->has_thread)
        (void)pthread_join(c->thread, NULL);
    if (c->has_asker)
        (void)pthread_join(c->asker, NULL);
    kafka_question_finish(&c->question);
    kafka_question_finish(&c->answer);
    close_handle(c);
    while (c->written != NULL) {
        struct kafka_letter *letter = c->written;

        c->written = letter->next;
        kafka_letter_free(letter);
    }
    if (c->letter_conf != NULL)
        rd_kafka_conf_destroy(c->letter_conf);
    (void)pthread_cond_destroy(&c->note_cond);
    (void)pthread_cond_destroy(&c->ask_cond);
    (void)pthread_mutex_destroy(&c->note_mutex);
    free(c->brokers);
    free(c->group);
    free(c->held);
    free(c->lane);
    free(c->bytes);
    free(c->ends);
    free(c);
}

static struct kafka_consumer *make(const struct parti_host *host,
                                   const struct parti_inlet *inlet)
{
    struct kafka_consumer *c = calloc(1, sizeof *c);
    pthread_condattr_t clock;

    if (c == NULL)
        return NULL;
    c->host = host;
    c->inlet = inlet;
    c->posted_last = &c->posted;
    c->ready_last = &c->ready;
    c->written_last = &c->written;
    (void)pthread_mutex_init(&c->note_mutex, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->note_cond, &clock);
    (void)pthread_cond_init(&c->ask_cond, NULL);
    (void)pthread_condattr_destroy(&clock);
    return c;
}

static uint64_t number_of(rd_kafka_t *rk, const char *property)
{
    char text[32] = "";
    size_t n = sizeof text;

    (void)rd_kafka_conf_get(rd_kafka_conf(rk), property, text, &n);
    return strtoull(text, NULL, 10);
}

static int32_t open_handle(struct kafka_consumer *c, const struct parti_conf *conf,
                           rd_kafka_conf_t *made, struct parti_error *error)
{
    char why[KAFKA_WHY_ROOM];

    rd_kafka_conf_set_log_cb(made, on_log);
    rd_kafka_conf_set_error_cb(made, on_error);
    rd_kafka_conf_set_opaque(made, c);
    rd_kafka_conf_set_log_cb(c->letter_conf, on_log);
    rd_kafka_conf_set_opaque(c->letter_conf, c);
    c->rk = rd_kafka_new(RD_KAFKA_CONSUMER, made, why, sizeof why);
    if (c->rk == NULL) {
        rd_kafka_conf_destroy(made);
        return kafka_conf_blame(conf, why, error);
    }
    c->queued_messages = number_of(c->rk, "queued.min.messages");
    c->queued_bytes = number_of(c->rk, "queued.max.messages.kbytes") * 1024;
    rd_kafka_set_log_queue(c->rk, NULL);
    c->main_queue = rd_kafka_queue_get_main(c->rk);
    c->group_queue = rd_kafka_queue_get_consumer(c->rk);
    c->answers = rd_kafka_queue_new(c->rk);
    rd_kafka_queue_cb_event_enable(c->main_queue, on_event, c);
    rd_kafka_queue_cb_event_enable(c->group_queue, on_event, c);
    rd_kafka_queue_cb_event_enable(c->answers, on_event, c);
    return PARTI_OK;
}

static int32_t consumer_create(void **self, const struct parti_host *host,
                               const struct parti_conf *conf,
                               const struct parti_inlet *inlet, struct parti_error *error)
{
    struct kafka_consumer *c = make(host, inlet);
    rd_kafka_conf_t *made = NULL;

    if (c == NULL)
        return PARTI_NOMEM;
    int32_t code = kafka_section_read(c, conf, &made, error);
    if (code == PARTI_OK)
        code = open_handle(c, conf, made, error);
    if (code == PARTI_OK) {
        c->has_thread = pthread_create(&c->thread, NULL, kafka_duty, c) == 0;
        c->has_asker =
            c->has_thread && pthread_create(&c->asker, NULL, kafka_asker, c) == 0;
        if (!c->has_asker)
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
static void post(struct kafka_consumer *c, struct kafka_lane *l)
{
    if (!l->is_posted) {
        l->is_posted = 1;
        l->posted_next = NULL;
        *c->posted_last = l;
        c->posted_last = &l->posted_next;
    }
    (void)pthread_cond_signal(&c->note_cond);
}

static struct kafka_lane *held(const struct kafka_consumer *c, uint32_t lane)
{
    return lane < c->held_room ? c->held[lane] : NULL;
}

static int32_t make_held_room(struct kafka_consumer *c, uint32_t lane)
{
    if (lane < c->held_room)
        return 1;
    uint32_t room = lane + lane / 2 + 64;
    struct kafka_lane **more = realloc(c->held, room * sizeof(struct kafka_lane *));
    if (more == NULL)
        return 0;
    for (uint32_t i = c->held_room; i < room; i++)
        more[i] = NULL;
    c->held = more;
    c->held_room = room;
    return 1;
}

static void end_run(struct kafka_consumer *c, uint32_t lane, uint32_t is_last)
{
    struct kafka_lane *l = held(c, lane);

    if (l == NULL)
        return;
    c->held[lane] = NULL;
    (void)pthread_mutex_lock(&c->note_mutex);
    l->is_ended = 1;
    l->is_last = is_last != 0;
    post(c, l);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

/* The keys topic and number; NULL: well, else what is wrong. */
static const char *read_id(const char *id, uint64_t n, struct kafka_lane *l)
{
    const char *end = memchr(id, '\0', n);
    const char *digits = end != NULL ? end + 1 : id;
    size_t name_n = end != NULL ? (size_t)(end - id) : 0;
    size_t digits_n = end != NULL ? n - name_n - 1 : 0;

    if (end == NULL || memchr(digits, '\0', digits_n) != NULL)
        return "it has not two keys";
    if (name_n == 0 || name_n > TOPIC_MAX ||
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") <
            name_n)
        return "its first key cannot be the name of a topic";
    l->partition = 0;
    for (size_t i = 0; i < digits_n; i++) {
        if (digits[i] < '0' || digits[i] > '9' || digits_n > PARTITION_DIGITS_MAX)
            return "its second key is no number";
        l->partition = l->partition * 10 + (digits[i] - '0');
    }
    /* '07' would be a second name of '7'. */
    if (digits_n == 0 || (digits[0] == '0' && digits_n > 1))
        return "its second key is no number without leading zeros";
    l->name = strndup(id, name_n);
    return l->name != NULL ? NULL : "out of memory";
}

static void free_run(struct kafka_lane *l)
{
    if (l != NULL)
        free(l->name);
    free(l);
}

static int32_t misfit(const char *why, struct parti_error *error)
{
    return parti_fail(error, PARTI_BADINPUT,
                      "a partition of Kafka is TOPIC/NUMBER, and of this one %s. Correct "
                      "what [source] lists",
                      why);
}

static int32_t consumer_fits(void *self, const char *id, uint64_t id_n,
                             struct parti_error *error)
{
    struct kafka_lane l = {.name = NULL};
    const char *why = read_id(id, id_n, &l);

    (void)self;
    free(l.name);
    return why != NULL ? misfit(why, error) : PARTI_OK;
}

static int32_t consumer_start(void *self, const struct parti_consumer_start *start,
                              struct parti_error *error)
{
    struct kafka_consumer *c = self;
    struct kafka_lane *l = calloc(1, sizeof *l);

    if (l == NULL || !make_held_room(c, start->lane)) {
        free_run(l);
        return PARTI_NOMEM;
    }
    const char *why = read_id(start->id, start->id_n, l);
    if (why != NULL) {
        free_run(l);
        return misfit(why, error);
    }
    end_run(c, start->lane, 0); /* the host has done so */
    l->index = start->lane;
    l->run = start->run;
    l->gen = start->token_gen;
    l->since = start->token_since;
    l->origin = start->origin;
    l->next = l->done = start->next;
    l->word = -1;
    l->is_new = 1;
    c->held[start->lane] = l;
    (void)pthread_mutex_lock(&c->note_mutex);
    post(c, l);
    (void)pthread_mutex_unlock(&c->note_mutex);
    return PARTI_OK;
}

static void consumer_credit(void *self, uint32_t lane, uint64_t n)
{
    struct kafka_consumer *c = self;
    struct kafka_lane *l = held(c, lane);

    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&c->note_mutex);
    l->posted_credit += n;
    post(c, l);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

static void consumer_done(void *self, uint32_t lane, uint64_t next)
{
    struct kafka_consumer *c = self;
    struct kafka_lane *l = held(c, lane);

    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&c->note_mutex);
    if (next + 1 > l->posted_done)
        l->posted_done = next + 1; /* 0: nothing was said */
    post(c, l);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

static void consumer_bury(void *self, uint32_t lane,
                          const struct parti_consumer_message *message,
                          const char *target, const struct parti_strs *header_name,
                          const struct parti_strs *header_value)
{
    struct kafka_consumer *c = self;
    const struct kafka_lane *l = held(c, lane);
    struct kafka_letter *letter;

    if (l == NULL)
        return;
    letter = kafka_letter_create(message, target, header_name, header_value);
    if (letter == NULL) {
        c->inlet->buried(c->inlet, lane, l->run, message->position, PARTI_NOMEM,
                         "out of memory");
        return;
    }
    letter->lane = lane;
    letter->run = l->run;
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
    .option = kafka_section_options,
    .create = consumer_create,
    .start = consumer_start,
    .credit = consumer_credit,
    .done = consumer_done,
    .bury = consumer_bury,
    .stop = consumer_stop,
    .destroy = consumer_destroy,
};

static const struct parti_fits fits = {.size = sizeof fits, .fits = consumer_fits};

const void *kafka_extension(const char *id)
{
    if (strcmp(id, PARTI_FITS_ID) == 0)
        return &fits;
    return strcmp(id, PARTI_CONSUMER_ID) == 0 ? &consumer : NULL;
}
