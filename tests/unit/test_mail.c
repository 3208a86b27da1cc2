/* core/edge/mail: no word of our own threads is lost, however many there are. */
#include "edge/mail.h"

#include "base/status.h"

#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

static struct mail *mail;
static struct mail_bag bag;
static int drops; /* how often a listing was dropped */

static void setup(void)
{
    drops = 0;
    ck_assert_int_eq(mail_create(&mail), STATUS_OK);
}

static void teardown(void)
{
    mail_destroy(mail);
}

static void drop(void *owner)
{
    (void)__atomic_add_fetch((int *)owner, 1, __ATOMIC_SEQ_CST);
}

static void listed(uint32_t n, bool commanded)
{
    mail_listed(mail, &(struct loop_listing){
                          .n = n, .commanded = commanded, .owner = &drops, .drop = drop});
}

static bool is_readable(void)
{
    struct pollfd fd = {mail_fd(mail), POLLIN, 0};

    return poll(&fd, 1, 0) == 1;
}

START_TEST(nothing_waits_in_the_beginning)
{
    ck_assert(!is_readable());
    ck_assert(!mail_take(mail, &bag));
}
END_TEST

START_TEST(readable_exactly_while_something_waits)
{
    for (int round = 0; round < 3; round++) {
        mail_refresh(mail);
        mail_refresh(mail);
        ck_assert(is_readable());
        ck_assert(mail_take(mail, &bag));
        ck_assert(bag.has_refresh);
        ck_assert(!bag.has_quit && !bag.has_stop && !bag.has_released);
        ck_assert(!bag.has_listing && !bag.has_failure && !bag.has_plan);
        ck_assert(!is_readable());
        ck_assert(!mail_take(mail, &bag));
    }
}
END_TEST

START_TEST(the_highest_release_speaks_for_all)
{
    mail_released(mail, 7);
    mail_released(mail, 9);
    mail_released(mail, 8);
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_released);
    ck_assert_uint_eq(bag.released, 9);
    mail_released(mail, 3); /* later, and lower: as it was said */
    ck_assert(mail_take(mail, &bag));
    ck_assert_uint_eq(bag.released, 3);
    mail_released(mail, 0);
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_released);
}
END_TEST

START_TEST(the_first_stop_counts)
{
    mail_stop(mail, true);
    mail_stop(mail, false);
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_stop && bag.restart);
    mail_stop(mail, false);
    mail_stop(mail, true);
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_stop && !bag.restart);
}
END_TEST

START_TEST(a_newer_listing_takes_over_and_the_older_one_is_dropped)
{
    listed(1, true);
    listed(2, false);
    ck_assert_int_eq(drops, 1);
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_listing);
    ck_assert_uint_eq(bag.listing.n, 2);
    ck_assert(bag.listing.commanded); /* it answers the command, too */
    mail_bag_finish(&bag);
    ck_assert_int_eq(drops, 2);
    ck_assert(!bag.has_listing);
    listed(3, false);
    ck_assert(mail_take(mail, &bag));
    ck_assert(!bag.listing.commanded);
    mail_bag_finish(&bag);
    ck_assert_int_eq(drops, 3);
}
END_TEST

START_TEST(listing_and_failure_are_told_in_the_order_of_the_newest_ones)
{
    mail_list_failed(mail, "first");
    listed(1, false);
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_failure && bag.has_listing && bag.is_failure_first);
    mail_bag_finish(&bag);

    mail_list_failed(mail, "first");
    listed(1, false);
    mail_list_failed(mail, "second");
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_failure && bag.has_listing && !bag.is_failure_first);
    ck_assert_str_eq(bag.failure, "second");
    mail_bag_finish(&bag);
    ck_assert_int_eq(drops, 2);
}
END_TEST

START_TEST(a_long_text_is_cut)
{
    char text[3 * MAIL_TEXT_MAX];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    mail_list_failed(mail, text);
    ck_assert(mail_take(mail, &bag));
    ck_assert_uint_le(strlen(bag.failure), MAIL_TEXT_MAX);
    ck_assert_uint_gt(strlen(bag.failure), MAIL_TEXT_MAX - 4);
}
END_TEST

START_TEST(a_newer_plan_takes_over)
{
    uint32_t owner[] = {1, 2, 3};

    mail_planned(mail, 5, true, owner, 3);
    mail_planned(mail, 6, false, owner, 2);
    owner[0] = 9; /* it has its own copy */
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_plan && !bag.keep);
    ck_assert_uint_eq(bag.plan, 6);
    ck_assert_int_eq(bag.plan_status, STATUS_OK);
    ck_assert_uint_eq(bag.owner_n, 2);
    ck_assert_uint_eq(bag.owner[0], 1);
    ck_assert_uint_eq(bag.owner[1], 2);
    mail_bag_finish(&bag);
    mail_planned(mail, 7, true, NULL, 0);
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.keep);
    ck_assert_uint_eq(bag.owner_n, 0);
    mail_bag_finish(&bag);
    mail_planned(mail, 8, true, owner, 3);
    mail_plan_failed(mail, 9, STATUS_TIMEOUT, "too slow");
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_plan && !bag.keep);
    ck_assert_uint_eq(bag.plan, 9);
    ck_assert_int_eq(bag.plan_status, STATUS_TIMEOUT);
    ck_assert_str_eq(bag.plan_why, "too slow");
    ck_assert_uint_eq(bag.owner_n, 0);
    mail_plan_failed(mail, 9, STATUS_TIMEOUT, "too slow");
    mail_planned(mail, 10, false, owner, 1);
    ck_assert(mail_take(mail, &bag));
    ck_assert_int_eq(bag.plan_status, STATUS_OK);
    ck_assert_str_eq(bag.plan_why, "");
    mail_bag_finish(&bag);
}
END_TEST

START_TEST(an_answer_to_an_older_question_does_not_take_over)
{
    uint32_t newer[] = {1, 2}, older[] = {3};

    mail_planned(mail, 6, true, newer, 2);
    mail_planned(mail, 5, false, older, 1); /* overtaken on its way */
    mail_plan_failed(mail, 4, STATUS_TIMEOUT, "too slow");
    ck_assert(mail_take(mail, &bag));
    ck_assert(bag.has_plan && bag.keep);
    ck_assert_uint_eq(bag.plan, 6);
    ck_assert_int_eq(bag.plan_status, STATUS_OK);
    ck_assert_str_eq(bag.plan_why, "");
    ck_assert_uint_eq(bag.owner_n, 2);
    ck_assert_uint_eq(bag.owner[1], 2);
    mail_bag_finish(&bag);
    /* Another answer to the same question does; what was taken is forgotten. */
    mail_planned(mail, 5, false, older, 1);
    mail_plan_failed(mail, 5, STATUS_TIMEOUT, "too slow");
    ck_assert(mail_take(mail, &bag));
    ck_assert_uint_eq(bag.plan, 5);
    ck_assert_int_eq(bag.plan_status, STATUS_TIMEOUT);
    mail_bag_finish(&bag);
}
END_TEST

START_TEST(what_is_never_taken_is_dropped_at_the_end)
{
    uint32_t owner[] = {1};
    struct mail *other;

    ck_assert_int_eq(mail_create(&other), STATUS_OK);
    mail_listed(other, &(struct loop_listing){.n = 1, .owner = &drops, .drop = drop});
    mail_planned(other, 1, false, owner, 1);
    mail_destroy(other);
    ck_assert_int_eq(drops, 1);
    mail_destroy(NULL);
}
END_TEST

enum { WRITERS = 4, WORDS = 50000 };

static void *flood(void *arg)
{
    uint64_t number = *(const uint64_t *)arg;

    for (uint64_t i = 0; i < WORDS; i++) {
        mail_refresh(mail);
        mail_released(mail, number * WORDS + i);
        if (i % 100 == 0)
            listed((uint32_t)i, false);
    }
    if (number == 0)
        mail_quit(mail);
    return NULL;
}

START_TEST(floods_of_many_threads_lose_nothing)
{
    static uint64_t number[WRITERS];
    pthread_t writer[WRITERS];
    uint64_t highest = 0;
    bool has_quit = false;

    for (uint64_t i = 0; i < WRITERS; i++) {
        number[i] = i;
        ck_assert_int_eq(pthread_create(&writer[i], NULL, flood, &number[i]), 0);
    }
    while (!has_quit || highest < WRITERS * WORDS - 1) {
        struct pollfd fd = {mail_fd(mail), POLLIN, 0};

        ck_assert_int_eq(poll(&fd, 1, 30000), 1);
        ck_assert(mail_take(mail, &bag));
        has_quit = has_quit || bag.has_quit;
        highest = bag.released > highest ? bag.released : highest;
        mail_bag_finish(&bag);
    }
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_join(writer[i], NULL), 0);
    if (mail_take(mail, &bag))
        mail_bag_finish(&bag);
    ck_assert_int_eq(__atomic_load_n(&drops, __ATOMIC_SEQ_CST), WRITERS * WORDS / 100);
}
END_TEST

UNIT_MAIN_WITH("mail", setup, teardown, nothing_waits_in_the_beginning,
               readable_exactly_while_something_waits, the_highest_release_speaks_for_all,
               the_first_stop_counts,
               a_newer_listing_takes_over_and_the_older_one_is_dropped,
               listing_and_failure_are_told_in_the_order_of_the_newest_ones,
               a_long_text_is_cut, a_newer_plan_takes_over,
               an_answer_to_an_older_question_does_not_take_over,
               what_is_never_taken_is_dropped_at_the_end,
               floods_of_many_threads_lose_nothing)
