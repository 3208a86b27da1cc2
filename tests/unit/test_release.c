/* core/host/release: when a revoke is fulfilled. */
#include "host/release.h"

#include "unit.h"

static uint64_t told[16];
static int told_n;

static void on_released(void *ctx, uint64_t epoch)
{
    (void)ctx;
    told[told_n++] = epoch;
}

static struct release *begin(void)
{
    struct release *r = release_create(16, NULL, on_released);

    told_n = 0;
    ck_assert_ptr_nonnull(r);
    return r;
}

#define H(slot, serial) ((struct parti_hold){slot, serial})

START_TEST(both_words_are_needed)
{
    struct release *r = begin();
    const struct parti_hold holds[] = {H(1, 5), H(2, 6)};

    release_revoked(r, 7, holds, 2, 0);
    release_application(r, 7);
    release_clear(r, H(1, 5));
    ck_assert_int_eq(told_n, 1);
    ck_assert_uint_eq(told[0], 6); /* what was before it */
    release_clear(r, H(2, 6));
    ck_assert_int_eq(told_n, 2);
    ck_assert_uint_eq(told[1], 7);
    release_revoked(r, 8, &H(1, 9), 1, 0);
    release_clear(r, H(1, 9));
    ck_assert_int_eq(told_n, 2);
    release_application(r, 8);
    ck_assert_int_eq(told_n, 3);
    release_destroy(r);
}
END_TEST

START_TEST(a_later_epoch_waits_for_an_earlier_one)
{
    struct release *r = begin();

    release_revoked(r, 3, &H(1, 1), 1, 0);
    release_revoked(r, 5, &H(2, 2), 1, 0);
    release_application(r, 5);
    release_clear(r, H(2, 2));
    ck_assert_int_eq(told_n, 1); /* what was before the first revoke */
    ck_assert_uint_eq(told[0], 2);
    release_clear(r, H(1, 1));
    ck_assert_int_eq(told_n, 2);
    ck_assert_uint_eq(told[1], 5);
    release_destroy(r);
}
END_TEST

START_TEST(a_word_for_another_hold_counts_for_nothing)
{
    struct release *r = begin();

    release_revoked(r, 3, &H(1, 8), 1, 0);
    release_application(r, 3);
    release_clear(r, H(1, 7)); /* of the grant before */
    release_clear(r, H(4, 8));
    release_clear(r, H(99, 8));
    ck_assert(told_n == 0 || told[told_n - 1] < 3);
    release_clear(r, H(1, 8));
    release_clear(r, H(1, 8)); /* said twice */
    ck_assert_uint_eq(told[told_n - 1], 3);
    release_destroy(r);
}
END_TEST

START_TEST(after_a_fence_nothing_is_waited_for)
{
    struct release *r = begin();

    release_revoked(r, 3, &H(1, 1), 1, 0);
    release_fenced(r);
    release_clear(r, H(1, 1));
    ck_assert_int_eq(told_n, 0);
    release_revoked(r, 9, &H(1, 2), 1, 0);
    release_application(r, 9);
    release_clear(r, H(1, 1)); /* late */
    ck_assert(told_n == 0 || told[told_n - 1] < 9);
    release_clear(r, H(1, 2));
    ck_assert_uint_eq(told[told_n - 1], 9);
    release_destroy(r);
}
END_TEST

static void give_up(void *ctx, struct parti_hold hold)
{
    release_clear(ctx, hold);
}

START_TEST(what_is_overdue_is_given_up_and_nothing_else)
{
    struct release *r = begin();

    release_revoked(r, 3, &H(1, 1), 1, 1000);
    release_revoked(r, 4, &H(2, 2), 1, UINT64_MAX);
    release_application(r, 4);
    release_overdue(r, 999, r, give_up);
    ck_assert(told_n == 0 || told[told_n - 1] < 3);
    release_overdue(r, 1000, r, give_up);
    ck_assert_uint_eq(told[told_n - 1], 3);
    release_destroy(r);
}
END_TEST

START_TEST(a_revoke_of_nothing_is_the_applications_alone)
{
    struct release *r = begin();

    release_revoked(r, 3, &H(77, 1), 1, 0); /* beyond the slots: never consumed */
    release_application(r, 3);
    ck_assert_uint_eq(told[told_n - 1], 3);
    release_destroy(r);
}
END_TEST

UNIT_MAIN("release", both_words_are_needed, a_later_epoch_waits_for_an_earlier_one,
          a_word_for_another_hold_counts_for_nothing, after_a_fence_nothing_is_waited_for,
          what_is_overdue_is_given_up_and_nothing_else,
          a_revoke_of_nothing_is_the_applications_alone)
