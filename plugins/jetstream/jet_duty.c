/* The thread of the consumer role: takes what the host has posted, connects, has readers
 * made, and keeps the time. */
#include "plugins/jetstream/jet_consumer.h"

enum { LOOK_MS = 1000 /* no deadline is seen later than so much after its time */ };

uint32_t jet_pause_ms(uint32_t failures)
{
    uint32_t ms = (uint32_t)JET_READER_PAUSE_MS << (failures < 6 ? failures : 6);

    return ms < JET_READER_PAUSE_MAX_MS ? ms : JET_READER_PAUSE_MAX_MS;
}

void jet_duty_wake(struct jet_consumer *c)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    c->is_woken = 1;
    (void)pthread_cond_signal(&c->note_cond);
    (void)pthread_mutex_unlock(&c->note_mutex);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- what was posted ------------------------------------------------------------- */

struct posted {
    uint64_t credit, done;
    int32_t is_new, is_ended, is_last;
};

static struct jet_lane *take_lane(struct jet_consumer *c, struct posted *ret)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    struct jet_lane *l = c->posted;
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

static struct jet_letter *take_letters(struct jet_consumer *c)
{
    (void)pthread_mutex_lock(&c->note_mutex);
    struct jet_letter *list = c->written;
    c->written = NULL;
    c->written_last = &c->written;
    (void)pthread_mutex_unlock(&c->note_mutex);
    return list;
}

/* A new run in its place. */
static void put_lane(struct jet_consumer *c, struct jet_lane *l)
{
    if (l->index >= c->lane_room) {
        uint32_t room = l->index + l->index / 2 + 64;
        struct jet_lane **more = realloc(c->lane, room * sizeof(struct jet_lane *));

        if (more == NULL) {
            c->inlet->trouble(c->inlet, l->index, l->run, PARTI_BADINPUT,
                              "out of memory");
            return;
        }
        for (uint32_t i = c->lane_room; i < room; i++)
            more[i] = NULL;
        c->lane = more;
        c->lane_room = room;
    }
    if (!jet_subjects_add(c, l)) {
        c->inlet->trouble(c->inlet, l->index, l->run, PARTI_BADINPUT, "out of memory");
        return;
    }
    c->lane[l->index] = l;
    l->state = JET_READER_DUE;
    jet_whole_added(c, l);
    c->is_stale = 1;
}

static void free_lane(struct jet_lane *l)
{
    if (l != NULL)
        free(l->ack);
    free(l);
}

static void apply(struct jet_consumer *c, struct jet_lane *l, const struct posted *p)
{
    if (p->is_new && !p->is_ended)
        put_lane(c, l);
    int32_t is_here = l->index < c->lane_room && c->lane[l->index] == l;
    l->credit += p->credit;
    if (p->done > l->done) {
        l->done = p->done;
        jet_acks_settle(c, l);
    }
    if (p->is_ended && is_here) {
        jet_reader_stop(c, l, p->is_last);
        c->lane[l->index] = NULL;
    }
    if (p->is_ended) {
        free_lane(l);
    } else if (is_here) {
        jet_turns_stir(c, l);
        jet_reader_pull(c, l);
        jet_carry_feed(c, l);
        jet_carry_pull(c);
    }
}

static void put_letters(struct jet_consumer *c, struct jet_letter *list)
{
    while (list != NULL) {
        struct jet_letter *letter = list;
        const struct jet_lane *l =
            letter->lane < c->lane_room ? c->lane[letter->lane] : NULL;

        list = letter->next;
        if (l == NULL || l->run != letter->run) {
            jet_letter_free(letter);
            continue;
        }
        letter->number = ++c->letters;
        letter->next = c->letter;
        c->letter = letter;
    }
}

/* Nonzero: something begins that must be looked at now. */
static int32_t take_posted(struct jet_consumer *c)
{
    struct jet_letter *letters = take_letters(c);
    struct jet_lane *l;
    struct posted p;
    int32_t is_news = letters != NULL;

    while ((l = take_lane(c, &p)) != NULL) {
        is_news |= p.is_new;
        (void)pthread_mutex_lock(&c->mutex);
        apply(c, l, &p);
        (void)pthread_mutex_unlock(&c->mutex);
    }
    (void)pthread_mutex_lock(&c->mutex);
    put_letters(c, letters);
    (void)pthread_mutex_unlock(&c->mutex);
    return is_news;
}

/* ---- the connection and the stream ----------------------------------------------- */

/* With the mutex. */
static void lose_all(struct jet_consumer *c)
{
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l != NULL && l->state == JET_READER_ASKED)
            jet_pace_unanswered(&c->turns.pace, jet_now_ms() - l->asked_ms);
        if (l != NULL &&
            (l->state == JET_READER_ASKED || l->state == JET_READER_READING ||
             l->state == JET_READER_CARRIED))
            jet_reader_lost(c, l, 1, "the connection to the server is lost");
    }
    jet_link_bear(c->link, jet_pace_wait_ms(&c->turns.pace, 0));
    jet_turns_lose(c);
    jet_whole_lose(c);
    c->session = 0;
}

static void look_at_link(struct jet_consumer *c)
{
    uint64_t session = jet_link_session(c->link);

    (void)pthread_mutex_lock(&c->mutex);
    if (c->session != 0 && c->session != session)
        lose_all(c);
    (void)pthread_mutex_unlock(&c->mutex);
}

/* A connection, and the present state of the stream.  Nothing locked. */
static int32_t prepare(struct jet_consumer *c, struct parti_error *error)
{
    c->task.deadline_ms = jet_now_ms() + JET_READER_ANSWER_MS;
    int32_t code = jet_link_open(c->link, &c->task, error);

    if (code != PARTI_OK)
        return code;
    (void)pthread_mutex_lock(&c->mutex);
    char hearing[JET_LINK_HEARING_ROOM] = "";
    uint64_t session = jet_link_hearing(c->link, hearing);
    if (session != c->session) {
        lose_all(c);
        c->session = session;
        memcpy(c->hearing, hearing, sizeof hearing);
        c->is_stale = 1;
        c->is_known = 0;
    }
    int32_t is_stale = c->is_stale && !jet_look_meanwhile(c);
    c->is_stale = 0;
    (void)pthread_mutex_unlock(&c->mutex);
    if (session == 0)
        return parti_fail(error, PARTI_RETRY,
                          "the connection is lost as soon as it stands");
    return is_stale ? jet_look(c, error) : PARTI_OK;
}

/* ---- what is due ----------------------------------------------------------------- */

static int32_t is_due(const struct jet_lane *l, uint64_t now_ms)
{
    return l != NULL &&
           (l->is_sweeping || (l->state == JET_READER_DUE && l->when_ms <= now_ms));
}

/* Is there something for which a connection is needed?  With the mutex. */
static int32_t is_needed(const struct jet_consumer *c, uint64_t now_ms)
{
    for (const struct jet_letter *at = c->letter; at != NULL; at = at->next)
        if (at->session != c->session || c->session == 0)
            return 1;
    for (uint32_t i = 0; i < c->lane_room; i++)
        if (is_due(c->lane[i], now_ms))
            return 1;
    return jet_turns_is_due(c, now_ms);
}

/* With the mutex: nothing of what is due can be done. */
static void hinder(struct jet_consumer *c, uint64_t now_ms, const char *why)
{
    c->retry_ms = now_ms + jet_pause_ms(c->failures++);
    for (uint32_t i = 0; i < c->lane_room; i++)
        if (is_due(c->lane[i], now_ms) && c->lane[i]->state == JET_READER_DUE)
            jet_reader_hindered(c, c->lane[i], c->retry_ms, why);
}

static void sweep(struct jet_consumer *c)
{
    struct parti_error error = {.size = sizeof error};
    int32_t is_listed = 0;

    for (uint32_t i = 0; i < c->lane_room; i++) {
        (void)pthread_mutex_lock(&c->mutex);
        int32_t is_sweeping = c->lane[i] != NULL && c->lane[i]->is_sweeping;
        (void)pthread_mutex_unlock(&c->mutex);
        if (!is_sweeping)
            continue;
        if (!is_listed && jet_sweep_list(c, &error) != PARTI_OK) {
            (void)pthread_mutex_lock(&c->mutex);
            hinder(c, jet_now_ms(), error.text);
            (void)pthread_mutex_unlock(&c->mutex);
            break;
        }
        is_listed = 1;
        jet_sweep_lane(c, i);
    }
    jet_sweep_finish(c);
}

/* What needs the connection.  Nothing locked. */
static void serve(struct jet_consumer *c)
{
    struct parti_error error = {.size = sizeof error};
    int32_t code = prepare(c, &error);

    (void)pthread_mutex_lock(&c->mutex);
    if (code == PARTI_OK) {
        c->failures = 0;
        jet_turns_take(c);
        jet_letters_send(c);
    } else if (code != PARTI_CANCELED) {
        hinder(c, jet_now_ms(), error.text);
    }
    (void)pthread_mutex_unlock(&c->mutex);
    if (code == PARTI_OK)
        sweep(c);
}

/* Deadlines that have passed; when the next one does.  With the mutex. */
static uint64_t keep_time(struct jet_consumer *c)
{
    uint64_t now = jet_now_ms(), next = now + LOOK_MS;

    jet_whole_keep(c, now);
    jet_outside_keep(c, now);
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l == NULL || l->state == JET_READER_NONE)
            continue;
        if (l->again_ms != 0 && now >= l->again_ms) {
            l->again_ms = 0;
            jet_reader_pull(c, l);
        }
        if (l->again_ms != 0)
            next = earlier(next, l->again_ms);
        int32_t is_waiting = l->state == JET_READER_ASKED ||
                             (l->state == JET_READER_READING && l->asked > 0);
        if (is_waiting && now >= l->when_ms)
            jet_reader_silent(c, l);
        if (is_waiting || l->state == JET_READER_DUE)
            next = earlier(next, l->when_ms);
        if (l->is_sweeping)
            next = now;
    }
    next = earlier(next, jet_turns_next_ms(c, now));
    next = earlier(next, jet_whole_next_ms(c, now));
    jet_letters_expire(c, now, "the dead letter was not confirmed in time");
    return next > c->retry_ms ? next : c->retry_ms;
}

static void look(struct jet_consumer *c)
{
    uint64_t now = jet_now_ms();

    look_at_link(c);
    (void)pthread_mutex_lock(&c->mutex);
    int32_t needed = now >= c->retry_ms && is_needed(c, now);
    (void)pthread_mutex_unlock(&c->mutex);
    if (needed)
        serve(c);
    (void)pthread_mutex_lock(&c->mutex);
    c->next_ms = keep_time(c);
    (void)pthread_mutex_unlock(&c->mutex);
}

/* ---- the thread ------------------------------------------------------------------ */

/* Nonzero: it is over.  'ret_is_woken': somebody wants that we look. */
static int32_t await(struct jet_consumer *c, int32_t *ret_is_woken)
{
    struct timespec t = {.tv_sec = (time_t)(c->next_ms / 1000),
                         .tv_nsec = (long)(c->next_ms % 1000) * 1000000};
    int failed = 0;

    (void)pthread_mutex_lock(&c->note_mutex);
    while (c->posted == NULL && c->written == NULL && !c->is_woken && !c->is_ending &&
           failed == 0)
        failed = pthread_cond_timedwait(&c->note_cond, &c->note_mutex, &t);
    *ret_is_woken = c->is_woken;
    c->is_woken = 0;
    int32_t is_ending = c->is_ending;
    (void)pthread_mutex_unlock(&c->note_mutex);
    return is_ending;
}

/* What is left: nothing is told any more. */
static void finish(struct jet_consumer *c)
{
    struct jet_letter *list = take_letters(c);

    while (list != NULL) {
        struct jet_letter *letter = list;

        list = letter->next;
        jet_letter_free(letter);
    }
    (void)pthread_mutex_lock(&c->mutex);
    for (uint32_t i = 0; i < c->lane_room; i++) {
        if (c->lane[i] == NULL)
            continue;
        jet_reader_stop(c, c->lane[i], 0);
        free_lane(c->lane[i]);
        c->lane[i] = NULL;
    }
    jet_notice_end(c);
    jet_whole_end(c);
    (void)pthread_mutex_unlock(&c->mutex);
    jet_sweep_finish(c);
}

void *jet_duty(void *ctx)
{
    struct jet_consumer *c = ctx;
    int32_t is_woken = 0;

    c->next_ms = jet_now_ms() + LOOK_MS;
    while (!await(c, &is_woken)) {
        int32_t is_news = take_posted(c);

        if (is_news || is_woken || jet_now_ms() >= c->next_ms)
            look(c);
    }
    (void)take_posted(c);
    finish(c);
    nats_ReleaseThreadMemory();
    return NULL;
}
