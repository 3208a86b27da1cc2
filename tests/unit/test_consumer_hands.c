/* core/host/consumer_hands and hand_queue: one call at a time, what is taken back,
 * fences, and whose memory it is.
 */
#include "host/consumer_hands.h"

#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"

#include "unit.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 256 };

static struct message_pool pool;
static struct hands *hands;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static struct call {
    uint32_t slot;
    uint64_t position;
} calls[CALLS];
static int calls_n, ended_n, quiets, waits;
static bool is_held = true, must_block, acks_inside, keeps;
static struct hands_call kept;
static sem_t gate;

static bool on_holds(void *ctx, struct parti_hold hold, uint64_t *ret_now_ms)
{
    (void)ctx;
    (void)hold;
    *ret_now_ms = clock_boot_ms();
    return is_held;
}

static void on_call(void *ctx, const struct parti_message *m)
{
    (void)ctx;
    must(pthread_mutex_lock(&lock) == 0);
    calls[calls_n++] = (struct call){m->ticket.hold.slot, m->position};
    bool blocks = must_block;
    if (keeps)
        hands_keep(&kept, m);
    must(pthread_cond_broadcast(&changed) == 0);
    must(pthread_mutex_unlock(&lock) == 0);
    if (blocks)
        must(sem_wait(&gate) == 0);
    if (acks_inside)
        hands_acked(hands, &m->ticket);
    must(pthread_mutex_lock(&lock) == 0);
    ended_n++;
    must(pthread_cond_broadcast(&changed) == 0);
    must(pthread_mutex_unlock(&lock) == 0);
}

static void on_waits(void *ctx, struct parti_ticket ticket)
{
    (void)ctx;
    (void)ticket;
    waits++;
}

static void on_quiet(void *ctx, struct parti_hold hold)
{
    (void)ctx;
    (void)hold;
    must(pthread_mutex_lock(&lock) == 0);
    quiets++;
    must(pthread_cond_broadcast(&changed) == 0);
    must(pthread_mutex_unlock(&lock) == 0);
}

/* Until *what is at least n. */
static void await(const int *what, int n)
{
    struct timespec until = clock_after_ms(10000);
    int failed = 0;

    must(pthread_mutex_lock(&lock) == 0);
    while (*what < n && failed == 0)
        failed = pthread_cond_timedwait(&changed, &lock, &until);
    must(pthread_mutex_unlock(&lock) == 0);
    ck_assert_int_eq(failed, 0);
}

static void begin_with(uint32_t threads, bool is_one_by_one)
{
    const struct hands_setup setup = {.threads = threads,
                                      .lanes_max = 8,
                                      .pool = &pool,
                                      .is_one_by_one = is_one_by_one,
                                      .speak_ms = 100000,
                                      .holds = on_holds,
                                      .call = on_call,
                                      .waits = on_waits,
                                      .quiet = on_quiet};
    pthread_condattr_t attr;

    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&changed, &attr) == 0);
    must(sem_init(&gate, 0, 0) == 0);
    message_pool_init(&pool);
    ck_assert_int_eq(hands_create(&hands, &setup), STATUS_OK);
}

static void begin(uint32_t threads)
{
    begin_with(threads, false);
}

static void begin_one_by_one(uint32_t threads)
{
    begin_with(threads, true);
}

static void end(void)
{
    hands_destroy(hands);
    message_pool_finish(&pool); /* and all messages were given back */
}

/* Opens a lane for partition 'id'. */
static struct parti_hold open_lane(uint32_t slot, uint32_t serial, const char *id)
{
    const struct parti_hold hold = {slot, serial};
    struct hands_part *part = hands_part_create((struct bytes){id, strlen(id)}, 100,
                                                (struct parti_token){1, 1}, hold);

    ck_assert_ptr_nonnull(part);
    hands_open(hands, slot, part);
    hands_part_unref(part);
    return hold;
}

static void give(struct parti_hold hold, uint64_t position, uint32_t stretch)
{
    const struct parti_consumer_message m = {
        .size = sizeof m, .position = position, .subject = "s", .data = "d", .data_n = 1};
    struct message_batch *b = NULL;

    ck_assert_int_eq(message_copy(&pool, &m, 1, false, &b), STATUS_OK);
    const struct hands_delivery d = {.message = &b->message[0],
                                     .lane = hold.slot,
                                     .serial = hold.serial,
                                     .attempt = 1,
                                     .stretch = stretch,
                                     .position = position,
                                     .when_ms = clock_boot_ms()};
    hands_give(hands, &d, 1);
}

START_TEST(nothing_is_handed_over_before_the_application_was_told)
{
    begin(2);
    struct parti_hold a = open_lane(0, 1, "a"), b = open_lane(1, 2, "b");
    give(a, 1, 0);
    give(b, 2, 0);
    hands_told(hands, b);
    await(&ended_n, 1);
    ck_assert_uint_eq(calls[0].slot, 1);
    hands_told(hands, a);
    await(&ended_n, 2);
    end();
}
END_TEST

START_TEST(a_partition_has_one_call_at_a_time_and_others_go_on)
{
    begin(3);
    must_block = true;
    struct parti_hold a = open_lane(0, 1, "a"), b = open_lane(1, 2, "b");
    hands_told(hands, a);
    hands_told(hands, b);
    give(a, 1, 0);
    await(&calls_n, 1);
    give(a, 2, 0);
    give(b, 9, 0);
    await(&calls_n, 2);
    ck_assert_uint_eq(calls[1].slot, 1);
    must(sem_post(&gate) == 0);
    must(sem_post(&gate) == 0);
    await(&calls_n, 3);
    ck_assert_uint_eq(calls[2].position, 2);
    must(sem_post(&gate) == 0);
    await(&ended_n, 3);
    end();
}
END_TEST

START_TEST(what_is_taken_back_is_not_begun_nor_what_follows_in_its_stretch)
{
    struct parti_ticket first;

    begin(1);
    must_block = true;
    struct parti_hold a = open_lane(0, 1, "a");
    hands_told(hands, a);
    give(a, 1, 4);
    await(&calls_n, 1);
    give(a, 2, 4);
    give(a, 3, 4);
    ck_assert(hands_take_back(hands, a, 4, &first));
    ck_assert_uint_eq(first.position, 2);
    give(a, 4, 4);                                    /* was still to come */
    ck_assert(!hands_take_back(hands, a, 3, &first)); /* over long ago */
    give(a, 2, 5);
    must(sem_post(&gate) == 0);
    must(sem_post(&gate) == 0);
    await(&ended_n, 2);
    ck_assert_uint_eq(calls[1].position, 2);
    ck_assert_int_eq(calls_n, 2);
    end();
}
END_TEST

/* 'attempt' and 'stretch' as give() has them. */
static struct parti_ticket ticket(struct parti_hold hold, uint64_t position,
                                  uint32_t stretch)
{
    return (struct parti_ticket){
        .hold = hold, .position = position, .attempt = 1, .stretch = stretch};
}

START_TEST(one_by_one_the_next_is_begun_when_the_one_before_has_its_ack)
{
    begin_one_by_one(2);
    struct parti_hold a = open_lane(0, 1, "a"), b = open_lane(1, 2, "b");
    hands_told(hands, a);
    hands_told(hands, b);
    give(a, 1, 4);
    give(a, 2, 4);
    await(&ended_n, 1);
    give(b, 9, 4); /* another partition goes on */
    await(&ended_n, 2);
    ck_assert_uint_eq(calls[1].position, 9);
    const struct parti_ticket other = ticket(a, 1, 3), first = ticket(a, 1, 4);
    hands_acked(hands, &other);
    hands_acked(hands, &first);
    await(&ended_n, 3);
    ck_assert_uint_eq(calls[2].position, 2);
    end();
}
END_TEST

START_TEST(one_by_one_an_ack_from_inside_the_call_counts)
{
    begin_one_by_one(1);
    acks_inside = true;
    struct parti_hold a = open_lane(0, 1, "a");
    hands_told(hands, a);
    for (uint64_t i = 1; i <= 40; i++)
        give(a, i, 4);
    await(&ended_n, 40);
    for (int i = 0; i < 40; i++)
        ck_assert_uint_eq(calls[i].position, (uint64_t)i + 1);
    end();
}
END_TEST

START_TEST(one_by_one_a_new_stretch_waits_for_no_ack_of_an_old_one)
{
    begin_one_by_one(1);
    struct parti_hold a = open_lane(0, 1, "a");
    hands_told(hands, a);
    give(a, 1, 4);
    give(a, 2, 4);
    await(&ended_n, 1);
    ck_assert(hands_take_back(hands, a, 4, NULL)); /* it timed out */
    give(a, 1, 5);
    await(&ended_n, 2);
    ck_assert_uint_eq(calls[1].position, 1);
    const struct parti_ticket late = ticket(a, 1, 4), second = ticket(a, 1, 5);
    give(a, 2, 5);
    hands_acked(hands, &late);
    give(a, 3, 5);
    hands_acked(hands, &second);
    await(&ended_n, 3);
    ck_assert_uint_eq(calls[2].position, 2);
    end();
    ck_assert_int_eq(calls_n, 3); /* the third waits for the second's */
}
END_TEST

START_TEST(a_lane_is_quiet_when_its_call_has_returned)
{
    begin(1);
    must_block = true;
    struct parti_hold a = open_lane(0, 1, "a"), b = open_lane(1, 2, "b");
    hands_told(hands, a);
    give(a, 1, 0);
    await(&calls_n, 1);
    ck_assert(hands_close(hands, b)); /* nothing runs there */
    ck_assert(!hands_close(hands, a));
    ck_assert_int_eq(quiets, 0);
    must(sem_post(&gate) == 0);
    await(&quiets, 1);
    ck_assert(hands_close(hands, a)); /* it is gone */
    end();
}
END_TEST

START_TEST(a_call_from_before_a_fence_keeps_its_partition_from_a_second_one)
{
    begin(3);
    must_block = true;
    struct parti_hold old = open_lane(0, 1, "a");
    hands_told(hands, old);
    give(old, 1, 0);
    await(&calls_n, 1);
    give(old, 2, 0);
    hands_fence(hands);
    /* The slot goes to another partition, the partition to another slot. */
    struct parti_hold b = open_lane(0, 2, "b"), a = open_lane(1, 3, "a");
    hands_told(hands, a);
    hands_told(hands, b);
    give(a, 2, 0);
    give(b, 9, 0);
    await(&calls_n, 2);
    ck_assert_uint_eq(calls[1].position, 9);
    must(sem_post(&gate) == 0);
    must(sem_post(&gate) == 0); /* both return; then the held back one begins */
    await(&calls_n, 3);
    ck_assert_uint_eq(calls[2].position, 2);
    ck_assert_uint_eq(calls[2].slot, 1);
    must(sem_post(&gate) == 0);
    await(&ended_n, 3);
    end();
}
END_TEST

START_TEST(who_lost_the_lease_begins_nothing)
{
    begin(1);
    is_held = false;
    struct parti_hold a = open_lane(0, 1, "a");
    hands_told(hands, a);
    give(a, 1, 0);
    /* The lane is closed behind it: when it is quiet the message was looked at. */
    while (!hands_close(hands, a))
        await(&quiets, 1);
    ck_assert_int_eq(calls_n, 0);
    end();
}
END_TEST

START_TEST(what_waits_is_spoken_for)
{
    begin(1);
    struct parti_hold a = open_lane(0, 1, "a");
    give(a, 1, 0);
    give(a, 2, 0);
    hands_speak(hands, clock_boot_ms());
    ck_assert_int_eq(waits, 2);
    end();
}
END_TEST

START_TEST(a_message_put_aside_is_whole_and_begins_only_while_nobody_took_it_back)
{
    begin(1);
    keeps = true;
    struct parti_hold a = open_lane(0, 1, "a");
    hands_told(hands, a);
    give(a, 1, 4);
    await(&ended_n, 1);
    const struct parti_ticket *t = &kept.message.ticket;
    ck_assert(hands_may_begin(hands, t));
    is_held = false; /* the lease is over, and nobody knows yet */
    ck_assert(!hands_may_begin(hands, t));
    is_held = true;
    ck_assert(!hands_take_back(hands, a, 3, NULL));
    ck_assert(hands_may_begin(hands, t)); /* that was an older stretch */
    ck_assert(!hands_take_back(hands, a, 4, NULL));
    ck_assert(!hands_may_begin(hands, t));
    hands_fence(hands);
    ck_assert(!hands_may_begin(hands, t));
    /* The lane is another's by now: what was kept is still there. */
    ck_assert(hands_close(hands, open_lane(0, 2, "b")));
    ck_assert_str_eq(kept.message.data, "d");
    ck_assert_str_eq(kept.message.partition->id, "a");
    hands_unkeep(&kept);
    end();
}
END_TEST

START_TEST(a_queue_that_grows_keeps_its_order)
{
    enum { FIRST = 5, MORE = 100 };
    struct parti_ticket first;

    begin(1);
    struct parti_hold a = open_lane(0, 1, "a");
    for (uint64_t i = 0; i < FIRST; i++)
        give(a, i, 0);
    hands_told(hands, a);
    await(&ended_n, FIRST); /* its ring begins in the middle now */
    must_block = true;
    for (uint64_t i = FIRST; i < MORE; i++)
        give(a, i, 0);
    await(&calls_n, FIRST + 1);
    must_block = false;
    ck_assert(hands_take_back(hands, a, 0, &first));
    ck_assert_uint_eq(first.position, FIRST + 1);
    for (uint64_t i = FIRST + 1; i < MORE; i++)
        give(a, i, 1);
    give(a, MORE / 2, 2); /* in place of what was given from there on */
    must(sem_post(&gate) == 0);
    await(&ended_n, MORE / 2 + 1);
    for (int i = 0; i < calls_n; i++)
        ck_assert_uint_eq(calls[i].position, (uint64_t)i);
    end();
}
END_TEST

UNIT_MAIN("consumer_hands", nothing_is_handed_over_before_the_application_was_told,
          a_partition_has_one_call_at_a_time_and_others_go_on,
          what_is_taken_back_is_not_begun_nor_what_follows_in_its_stretch,
          one_by_one_the_next_is_begun_when_the_one_before_has_its_ack,
          one_by_one_an_ack_from_inside_the_call_counts,
          one_by_one_a_new_stretch_waits_for_no_ack_of_an_old_one,
          a_lane_is_quiet_when_its_call_has_returned,
          a_call_from_before_a_fence_keeps_its_partition_from_a_second_one,
          who_lost_the_lease_begins_nothing, what_waits_is_spoken_for,
          a_message_put_aside_is_whole_and_begins_only_while_nobody_took_it_back,
          a_queue_that_grows_keeps_its_order)
