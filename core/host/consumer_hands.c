#include "host/consumer_hands.h"

#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"
#include "host/hand_queue.h"
#include "host/threads.h"

#include <stdlib.h>

enum { TURN = 16, NONE = UINT32_MAX }; /* messages of a lane before others have theirs */

struct hand_lane {
    struct hands_part *part; /* NULL: closed */
    struct hand_queue queue; /* in the order of their positions */
    uint32_t next;           /* in the list of those that can go on */
    bool is_told, is_listed, is_running, is_closing;
    bool has_bar; /* nothing up to this stretch is begun */
    uint32_t bar;
    bool is_blocked; /* a call from before a fence runs for its partition */
    bool is_busy;    /* one by one: this attempt has no ack yet */
    struct parti_ticket busy;
};

struct hand {
    struct hands *hands;
    pthread_t thread;
    struct hands_part *running;
    bool is_stray;              /* the call runs on behind a fence */
    struct parti_ticket ticket; /* of the call that runs; for its own thread alone */
    bool is_acked;
};

/* The hand whose thread this is, so that an ack from inside a call takes no lock. */
static _Thread_local struct hand *this_hand;

struct hands {
    struct hands_setup setup;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct hand_lane *lane;
    uint32_t lanes_used;
    uint32_t first, last; /* lanes that can go on */
    uint32_t idle, strays;
    bool is_waking; /* a thread was told, and has not looked yet */
    bool is_ending;
    uint32_t threads;
    struct hand hand[];
};

static bool is_same(const struct parti_ticket *a, const struct parti_ticket *b)
{
    return a->hold.slot == b->hold.slot && a->hold.serial == b->hold.serial &&
           a->position == b->position && a->attempt == b->attempt &&
           a->stretch == b->stretch;
}

/* ---- lanes, with the lock ---------------------------------------------------------- */

static void lock(struct hands *h)
{
    must(pthread_mutex_lock(&h->lock) == 0);
}

static void unlock(struct hands *h)
{
    must(pthread_mutex_unlock(&h->lock) == 0);
}

/* One thread at a time is told; it tells the next if there is more than it takes. */
static void wake(struct hands *h)
{
    if (h->idle == 0 || h->is_waking)
        return;
    h->is_waking = true;
    must(pthread_cond_signal(&h->more) == 0);
}

static void enlist(struct hands *h, uint32_t i)
{
    struct hand_lane *l = &h->lane[i];

    if (l->is_listed || l->is_running || l->is_blocked || l->is_busy || !l->is_told ||
        l->queue.n == 0)
        return;
    l->is_listed = true;
    l->next = NONE;
    if (h->first == NONE)
        h->first = i;
    else
        h->lane[h->last].next = i;
    h->last = i;
    wake(h);
}

static uint32_t delist(struct hands *h)
{
    uint32_t i = h->first;

    h->first = h->lane[i].next;
    h->lane[i].is_listed = false;
    return i;
}

static void drop(struct hands *h, const struct hands_delivery *d)
{
    message_unref(h->setup.pool, d->message->batch, 1);
}

/* Drops what lies in the lane from this position on.  True: there was something, and
 * *ret_first names the first (NULL: not asked for). */
static bool purge(struct hands *h, struct hand_lane *l, uint64_t position,
                  struct parti_ticket *ret_first)
{
    bool any = false;

    while (l->queue.n > 0 &&
           hand_queue_nth(&l->queue, l->queue.n - 1)->position >= position) {
        const struct hands_delivery *d = hand_queue_nth(&l->queue, l->queue.n - 1);

        if (ret_first != NULL)
            *ret_first = hands_ticket(l->part, d);
        any = true;
        drop(h, d);
        l->queue.n--;
    }
    return any;
}

static struct hand_lane *find(struct hands *h, uint32_t lane, uint32_t serial)
{
    struct hand_lane *l;

    if (lane >= h->setup.lanes_max)
        return NULL;
    l = &h->lane[lane];
    return l->part != NULL && l->part->partition.hold.serial == serial ? l : NULL;
}

/* What is listed stays listed: a thread finds it empty and passes on. */
static void end_lane(struct hands *h, struct hand_lane *l)
{
    (void)purge(h, l, 0, NULL);
    hand_queue_finish(&l->queue);
    hands_part_unref(l->part);
    l->part = NULL;
    l->is_told = l->is_running = l->is_closing = l->is_blocked = l->has_bar = false;
    l->is_busy = false;
}

void hands_open(struct hands *h, uint32_t i, struct hands_part *part)
{
    lock(h);
    struct hand_lane *l = &h->lane[i];
    must(l->part == NULL);
    hands_part_ref(part);
    l->part = part;
    if (i >= h->lanes_used)
        h->lanes_used = i + 1;
    unlock(h);
}

void hands_told(struct hands *h, struct parti_hold hold)
{
    lock(h);
    struct hand_lane *l = find(h, hold.slot, hold.serial);
    if (l != NULL) {
        l->is_told = true;
        enlist(h, hold.slot);
    }
    unlock(h);
}

/* Numbers of stretches ascend, and may wrap around. */
static bool is_barred(const struct hand_lane *l, uint32_t stretch)
{
    return l->has_bar && (int32_t)(stretch - l->bar) <= 0;
}

void hands_give(struct hands *h, const struct hands_delivery *list, size_t n)
{
    lock(h);
    for (const struct hands_delivery *d = list; d < list + n; d++) {
        struct hand_lane *l = find(h, d->lane, d->serial);

        if (l == NULL || l->is_closing || is_barred(l, d->stretch)) {
            drop(h, d);
            continue;
        }
        /* A new attempt takes the place of what was given before. */
        (void)purge(h, l, d->position, NULL);
        hand_queue_push(&l->queue, d);
        if (d->stretch != l->busy.stretch)
            l->is_busy = false; /* the attempt is over, with no answer */
        enlist(h, d->lane);
    }
    unlock(h);
}

bool hands_take_back(struct hands *h, struct parti_hold hold, uint32_t stretch,
                     struct parti_ticket *ret_first)
{
    bool any = false;

    lock(h);
    struct hand_lane *l = find(h, hold.slot, hold.serial);
    if (l != NULL && !is_barred(l, stretch)) {
        l->has_bar = true;
        l->bar = stretch;
        if (is_barred(l, l->busy.stretch))
            l->is_busy = false;
        if (l->queue.n > 0 && is_barred(l, hand_queue_nth(&l->queue, 0)->stretch))
            any = purge(h, l, 0, ret_first);
    }
    unlock(h);
    return any;
}

void hands_acked(struct hands *h, const struct parti_ticket *t)
{
    struct hand *hand = this_hand;

    if (!h->setup.is_one_by_one)
        return;
    if (hand != NULL && hand->hands == h && is_same(&hand->ticket, t)) {
        hand->is_acked = true;
        return;
    }
    lock(h);
    struct hand_lane *l = find(h, t->hold.slot, t->hold.serial);
    if (l != NULL && l->is_busy && is_same(&l->busy, t)) {
        l->is_busy = false;
        enlist(h, t->hold.slot);
    }
    unlock(h);
}

bool hands_may_begin(struct hands *h, const struct parti_ticket *t)
{
    uint64_t now_ms;

    lock(h);
    const struct hand_lane *l = find(h, t->hold.slot, t->hold.serial);
    bool may = l != NULL && !l->is_closing && !is_barred(l, t->stretch);
    unlock(h);
    return may && h->setup.holds(h->setup.ctx, t->hold, &now_ms);
}

bool hands_close(struct hands *h, struct parti_hold hold)
{
    bool is_quiet = true;

    lock(h);
    struct hand_lane *l = find(h, hold.slot, hold.serial);
    if (l != NULL && l->is_running) {
        (void)purge(h, l, 0, NULL);
        l->is_closing = true;
        is_quiet = false;
    } else if (l != NULL) {
        end_lane(h, l);
    }
    unlock(h);
    return is_quiet;
}

void hands_fence(struct hands *h)
{
    lock(h);
    for (uint32_t i = 0; i < h->threads; i++) {
        if (h->hand[i].running != NULL && !h->hand[i].is_stray) {
            h->hand[i].is_stray = true;
            h->strays++;
        }
    }
    for (uint32_t i = 0; i < h->lanes_used; i++) {
        if (h->lane[i].part != NULL)
            end_lane(h, &h->lane[i]);
    }
    unlock(h);
}

void hands_speak(struct hands *h, uint64_t now_ms)
{
    lock(h);
    for (uint32_t i = 0; i < h->lanes_used; i++) {
        struct hand_lane *l = &h->lane[i];

        if (l->part == NULL)
            continue;
        for (uint32_t k = 0; k < l->queue.n; k++) {
            hand_queue_nth(&l->queue, k)->when_ms = now_ms;
            h->setup.waits(h->setup.ctx,
                           hands_ticket(l->part, hand_queue_nth(&l->queue, k)));
        }
        if (l->queue.n == 0)
            hand_queue_finish(&l->queue); /* nobody came for a while */
    }
    unlock(h);
}

/* ---- the threads ------------------------------------------------------------------- */

static void call(struct hand *hand, struct hands_part *part,
                 const struct hands_delivery *d)
{
    const struct hands *h = hand->hands;
    struct hands_call whole;
    uint64_t now_ms;

    hands_call_make(&whole, h->setup.pool, part, d);
    /* Whoever lost the lease must not begin anything: the fence is about to be told. */
    if (!h->setup.holds(h->setup.ctx, part->partition.hold, &now_ms))
        return;
    if (now_ms > d->when_ms && now_ms - d->when_ms >= h->setup.speak_ms)
        h->setup.waits(h->setup.ctx, whole.message.ticket);
    hand->ticket = whole.message.ticket;
    h->setup.call(h->setup.ctx, &whole.message);
}

static bool is_blocked(const struct hands *h, const struct hand_lane *l)
{
    for (uint32_t i = 0; h->strays > 0 && i < h->threads; i++) {
        const struct hand *other = &h->hand[i];

        if (other->is_stray && hands_part_is_same(other->running, l->part))
            return true;
    }
    return false;
}

static void end_stray(struct hand *hand)
{
    struct hands *h = hand->hands;

    hand->is_stray = false;
    h->strays--;
    for (uint32_t i = 0; i < h->lanes_used; i++) {
        if (h->lane[i].is_blocked) {
            h->lane[i].is_blocked = false;
            enlist(h, i);
        }
    }
}

/* Hands over what the lane has, up to a turn's worth; with the lock, which is open during
 * calls. */
static void serve(struct hand *hand, uint32_t i)
{
    struct hands *h = hand->hands;
    struct hand_lane *l = &h->lane[i];
    struct hands_part *part = l->part;
    struct parti_hold hold;

    if (part == NULL || l->is_running || l->queue.n == 0)
        return;
    if (is_blocked(h, l)) {
        l->is_blocked = true;
        return;
    }
    struct message_batch *done = NULL;
    uint32_t done_n = 0;
    hold = part->partition.hold;
    hands_part_ref(part);
    hand->running = part;
    l->is_running = true;
    for (int turn = 0; turn < TURN && !hand->is_stray && !l->is_busy && l->queue.n > 0;
         turn++) {
        const struct hands_delivery d = hand_queue_shift(&l->queue);

        l->is_busy = h->setup.is_one_by_one;
        l->busy = hands_ticket(part, &d);
        hand->is_acked = false;
        unlock(h);
        if (done != NULL && done != d.message->batch) {
            message_unref(h->setup.pool, done, done_n);
            done_n = 0;
        }
        call(hand, part, &d);
        done = d.message->batch;
        done_n++;
        lock(h);
        if (hand->is_acked && !hand->is_stray && is_same(&l->busy, &hand->ticket))
            l->is_busy = false;
    }
    if (done != NULL)
        message_unref(h->setup.pool, done, done_n);
    hand->running = NULL;
    if (hand->is_stray) {
        end_stray(hand);
    } else {
        l->is_running = false;
        if (l->is_closing) {
            end_lane(h, l);
            unlock(h);
            h->setup.quiet(h->setup.ctx, hold);
            lock(h);
        } else {
            enlist(h, i);
        }
    }
    hands_part_unref(part);
}

static void *run(void *arg)
{
    struct hand *hand = arg;
    struct hands *h = hand->hands;

    this_hand = hand;
    lock(h);
    while (!h->is_ending) {
        if (h->first != NONE) {
            uint32_t lane = delist(h);

            if (h->first != NONE)
                wake(h);
            serve(hand, lane);
            continue;
        }
        h->idle++;
        must(pthread_cond_wait(&h->more, &h->lock) == 0);
        h->idle--;
        h->is_waking = false;
    }
    unlock(h);
    return NULL;
}

/* ---- begin and end ----------------------------------------------------------------- */

int hands_create(struct hands **ret, const struct hands_setup *setup)
{
    struct hands *h = calloc(1, sizeof *h + setup->threads * sizeof h->hand[0]);
    int status = STATUS_OK;

    if (h == NULL)
        return STATUS_NOMEM;
    h->setup = *setup;
    h->first = NONE;
    must(pthread_mutex_init(&h->lock, NULL) == 0);
    must(pthread_cond_init(&h->more, NULL) == 0);
    h->lane = calloc(setup->lanes_max, sizeof *h->lane);
    if (h->lane == NULL)
        status = STATUS_NOMEM;
    while (status == STATUS_OK && h->threads < setup->threads) {
        h->hand[h->threads].hands = h;
        status = threads_start(&h->hand[h->threads].thread, run, &h->hand[h->threads]);
        h->threads += status == STATUS_OK;
    }
    if (status != STATUS_OK) {
        hands_destroy(h);
        return status;
    }
    *ret = h;
    return STATUS_OK;
}

void hands_stop(struct hands *h)
{
    lock(h);
    h->is_ending = true;
    must(pthread_cond_broadcast(&h->more) == 0);
    unlock(h);
    for (uint32_t i = 0; i < h->threads; i++)
        must(pthread_join(h->hand[i].thread, NULL) == 0);
    h->threads = 0;
}

void hands_destroy(struct hands *h)
{
    if (h == NULL)
        return;
    hands_stop(h);
    for (uint32_t i = 0; i < h->lanes_used; i++) {
        if (h->lane[i].part != NULL)
            end_lane(h, &h->lane[i]);
    }
    free(h->lane);
    must(pthread_cond_destroy(&h->more) == 0);
    must(pthread_mutex_destroy(&h->lock) == 0);
    free(h);
}
