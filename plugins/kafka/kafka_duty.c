/* The thread of the consumer role: takes what the host has posted, serves lanes whose
 * queues have something, and keeps the time.  It alone calls librdkafka and the inlet. */
#include "kafka_consumer.h"

enum { LOOK_MS = 1000 /* no deadline is seen later than so much after its time */ };

uint32_t kafka_pause_ms(uint32_t failures)
{
    uint32_t ms = (uint32_t)KAFKA_PAUSE_MS << (failures < 6 ? failures : 6);

    return ms < KAFKA_PAUSE_MAX_MS ? ms : KAFKA_PAUSE_MAX_MS;
}

void kafka_duty_wake(struct kafka_consumer *c)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    c->is_woken = 1;
    (void)pthread_cond_signal(&c->note_cond);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

void kafka_duty_ready(struct kafka_consumer *c, struct kafka_lane *l)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    if (!l->is_ready) {
        l->is_ready = 1;
        l->ready_next = NULL;
        *c->ready_last = l;
        c->ready_last = &l->ready_next;
        (void)pthread_cond_signal(&c->note_cond);
    }
    (void)pthread_mutex_unlock(&c->note_mutex);
}

void kafka_duty_by(struct kafka_consumer *c, uint64_t when_ms)
{
    if (when_ms < c->look_ms)
        c->look_ms = when_ms;
}

/* ---- what was posted ------------------------------------------------------------- */

struct posted {
    uint64_t credit, done;
    int32_t is_new, is_ended, is_last;
};

static struct kafka_lane *take_lane(struct kafka_consumer *c, struct posted *ret)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    struct kafka_lane *l = c->posted;
    if (l != NULL) {
        c->posted = l->posted_next;
        if (c->posted == NULL)
            c->posted_last = &c->posted;
        *ret = (struct posted){l->posted_credit, l->posted_done, l->is_new, l->is_ended,
                               l->is_last};
        l->is_posted = l->is_new = 0;
        l->posted_credit = 0;
    }
    (void)pthread_mutex_unlock(&c->note_mutex);
    return l;
}

static struct kafka_lane *take_ready(struct kafka_consumer *c)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    struct kafka_lane *l = c->ready;
    if (l != NULL) {
        c->ready = l->ready_next;
        if (c->ready == NULL)
            c->ready_last = &c->ready;
        l->is_ready = 0;
    }
    (void)pthread_mutex_unlock(&c->note_mutex);
    return l;
}

static struct kafka_letter *take_letters(struct kafka_consumer *c)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    struct kafka_letter *list = c->written;
    c->written = NULL;
    c->written_last = &c->written;
    (void)pthread_mutex_unlock(&c->note_mutex);
    return list;
}

/* Its reading has ended, so nobody makes it ready any more. */
static void unready(struct kafka_consumer *c, const struct kafka_lane *l)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    struct kafka_lane **at = &c->ready;
    while (*at != NULL && *at != l)
        at = &(*at)->ready_next;
    if (*at == l) {
        *at = l->ready_next;
        if (*at == NULL)
            c->ready_last = at;
    }
    (void)pthread_mutex_unlock(&c->note_mutex);
}

/* A new run in its place. */
static int32_t put_lane(struct kafka_consumer *c, struct kafka_lane *l)
{
    if (l->index >= c->lane_room) {
        uint32_t room = l->index + l->index / 2 + 64;
        struct kafka_lane **more = realloc(c->lane, room * sizeof(struct kafka_lane *));

        if (more == NULL)
            return 0;
        for (uint32_t i = c->lane_room; i < room; i++)
            more[i] = NULL;
        c->lane = more;
        c->lane_room = room;
    }
    l->topic = kafka_topic_get(c, l->name);
    struct kafka_past *past =
        l->topic != NULL ? kafka_past_get(l->topic, l->partition) : NULL;
    if (past == NULL) {
        l->topic = NULL;
        return 0;
    }
    if (past->reader != NULL)
        kafka_reader_end(c, past->reader); /* the host has given it to another lane */
    past->reader = l;
    c->lane[l->index] = l;
    l->state = KAFKA_READER_WANTED;
    kafka_duty_by(c, 0);
    return 1;
}

static void free_lane(struct kafka_consumer *c, struct kafka_lane *l)
{
    kafka_reader_end(c, l);
    if (l->topic != NULL && l->topic->past[l->partition].reader == l)
        l->topic->past[l->partition].reader = NULL;
    unready(c, l);
    free(l->kept);
    free(l->name);
    free(l);
}

static void apply(struct kafka_consumer *c, struct kafka_lane *l, const struct posted *p)
{
    if (p->is_new && !p->is_ended && !put_lane(c, l)) {
        c->inlet->trouble(c->inlet, l->index, l->run, PARTI_BADINPUT, "out of memory");
        l->state = KAFKA_READER_NONE;
    }
    int32_t is_here = l->index < c->lane_room && c->lane[l->index] == l;
    l->credit += p->credit;
    if (is_here && p->done > 0) {
        l->done = p->done - 1;
        kafka_position_note(c, l);
    }
    if (p->is_ended && is_here)
        c->lane[l->index] = NULL;
    if (p->is_ended && is_here && p->is_last)
        c->commit_ms = 0; /* the next holder's tools may look at once */
    if (p->is_ended)
        free_lane(c, l);
    else if (p->credit > 0 && (l->has_more || l->kept_n > 0))
        kafka_duty_ready(c, l);
}

static void take_posted(struct kafka_consumer *c)
{
    struct kafka_letter *letters = take_letters(c);
    struct kafka_lane *l;
    struct posted p;

    while ((l = take_lane(c, &p)) != NULL)
        apply(c, l, &p);
    while (letters != NULL) {
        struct kafka_letter *letter = letters;

        letters = letter->next;
        kafka_letter_send(c, letter);
    }
}

/* ---- lanes ----------------------------------------------------------------------- */

/* One turn for each lane that is ready now. */
static void serve_ready(struct kafka_consumer *c)
{
    struct kafka_lane *first = NULL, *l;

    while ((l = take_ready(c)) != NULL) {
        l->has_more = 1;
        if (kafka_flow_serve(c, l))
            kafka_duty_ready(c, l);
        if (first == NULL)
            first = l;
        else if (first == l)
            return; /* the host's words first */
    }
}

static void tell_down(struct kafka_consumer *c, struct kafka_lane *l)
{
    if (c->is_down && !l->is_down && l->state != KAFKA_READER_NONE) {
        l->is_down = 1;
        kafka_reader_tell(c, l, PARTI_RETRY, c->down);
    } else if (!c->is_down && l->is_down) {
        l->is_down = 0;
        if (l->state == KAFKA_READER_READING)
            kafka_reader_tell(c, l, PARTI_OK, "");
    }
}

/* librdkafka tells a reader late or never that its topic has gone or has no leader. */
static void check_topics(struct kafka_consumer *c, uint64_t now)
{
    for (struct kafka_known *t = c->topic; t != NULL; t = t->next) {
        if (t->check_ms == 0)
            continue;
        if (now < t->check_ms || c->is_asking) {
            kafka_duty_by(c, t->check_ms > now ? t->check_ms : now + KAFKA_PROBE_MS);
            continue;
        }
        t->check_ms = now + KAFKA_CHECK_MS;
        kafka_ask_topic(c, t);
    }
}

static void look_at_lanes(struct kafka_consumer *c, uint64_t now)
{
    int32_t is_wanted = 0;

    c->look_ms = now + LOOK_MS;
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct kafka_lane *l = c->lane[i];

        if (l == NULL)
            continue;
        tell_down(c, l);
        if (l->state == KAFKA_READER_DUE && now >= l->when_ms)
            l->state = KAFKA_READER_WANTED;
        if (l->state == KAFKA_READER_DUE)
            kafka_duty_by(c, l->when_ms);
        is_wanted |= l->state == KAFKA_READER_WANTED;
        if (l->state == KAFKA_READER_READING && l->kept_n > 0) {
            if (now >= l->when_ms)
                kafka_duty_ready(c, l);
            else
                kafka_duty_by(c, l->when_ms);
        }
    }
    if (is_wanted && !c->is_asking)
        kafka_ask_offsets(c);
    check_topics(c, now);
}

/* ---- the thread ------------------------------------------------------------------ */

/* Nonzero: it goes on. */
static int32_t rest(struct kafka_consumer *c)
{
    uint64_t until_ms = c->look_ms;

    if (c->is_dirty && c->commits_sent == 0 && c->commit_ms < until_ms)
        until_ms = c->commit_ms;
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};
    int late = 0;

    (void)pthread_mutex_lock(&c->note_mutex);
    while (!c->is_ending && !c->is_woken && c->posted == NULL && c->ready == NULL &&
           c->written == NULL && late == 0)
        late = pthread_cond_timedwait(&c->note_cond, &c->note_mutex, &until);
    c->is_woken = 0;
    int32_t goes_on = !c->is_ending;
    (void)pthread_mutex_unlock(&c->note_mutex);
    return goes_on;
}

static void turn(struct kafka_consumer *c)
{
    take_posted(c);
    (void)rd_kafka_poll(c->rk, 0);
    kafka_position_hear(c);
    kafka_ask_hear(c);
    kafka_letters_serve(c);
    serve_ready(c);
    uint64_t now = kafka_now_ms();
    if (now >= c->look_ms)
        look_at_lanes(c, now);
    if (c->is_dirty && c->commits_sent == 0 && now >= c->commit_ms)
        kafka_position_commit(c, now);
}

/* The last commits are on their way, if there is anybody to take them. */
static void say_farewell(struct kafka_consumer *c)
{
    uint64_t until_ms = kafka_now_ms() + KAFKA_FAREWELL_MS, now = kafka_now_ms();

    take_posted(c);
    for (uint32_t i = 0; i < c->lane_room; i++)
        if (c->lane[i] != NULL) {
            free_lane(c, c->lane[i]);
            c->lane[i] = NULL;
        }
    while (!c->is_down && (c->is_dirty || c->commits_sent > 0) && now < until_ms) {
        if (c->commits_sent == 0)
            kafka_position_commit(c, now);
        if (c->commits_sent == 0)
            break;
        rd_kafka_event_t *event = rd_kafka_queue_poll(c->answers, (int)(until_ms - now));
        kafka_position_answer(c, event);
        now = kafka_now_ms();
    }
}

void *kafka_duty(void *ctx)
{
    struct kafka_consumer *c = ctx;

    while (rest(c))
        turn(c);
    say_farewell(c);
    kafka_letters_end(c);
    return NULL;
}
