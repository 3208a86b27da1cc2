/* core/proto/member: W1, the lease as the worker reckons it. */
#include "proto/member.h"

#include "unit.h"

#include <string.h>

enum { LEASE_MS = 1200, MARGIN_MS = 150, NUM = 9 };

static const struct session self = {1, 1}, leader = {2, 2}, other = {3, 3};
static const struct stamp head = {5, 20};

/* A member with number 9, born in epoch 20, that has sent the echo of beacon 10 at
 * 1000. */
static struct member joined(void)
{
    struct member m = {0};

    member_renew(&m, self);
    m.is_joined = true;
    m.num = NUM;
    m.born = 20;
    member_sent(&m, leader, 10, 1000);
    return m;
}

/* Beacon k with our bit for the heartbeat that echoed beacon k - 1 - lag. */
static struct beacon beacon_of(uint64_t k, uint32_t lag)
{
    struct beacon b = {.gen = 5,
                       .term = 1,
                       .leader = leader,
                       .head = head,
                       .k = k,
                       .allowance_ms = 5000};

    if (lag < BEACON_LAGS) {
        b.bits_n[lag] = NUM / 8 + 1;
        b.bits[lag][NUM / 8] = 1u << (NUM % 8);
    }
    return b;
}

static bool extends(struct member *m, struct beacon b)
{
    return member_extend(m, &b, head, b.head_hash, LEASE_MS);
}

START_TEST(a_head_of_the_same_epoch_with_another_content_gives_no_lease)
{
    struct member m = {0};
    struct beacon b = beacon_of(8, 0);

    m.is_joined = true;
    m.num = NUM;
    member_sent(&m, leader, 7, 1000);
    b.head_hash = 77;
    ck_assert(!member_extend(&m, &b, head, 78, LEASE_MS));
    ck_assert(member_extend(&m, &b, head, 77, LEASE_MS));
}
END_TEST

START_TEST(the_lease_is_anchored_at_the_send_time_of_the_heartbeat)
{
    struct member m = joined();

    ck_assert(extends(&m, beacon_of(11, 0)));
    ck_assert_uint_eq(m.deadline_ms, 1000 + LEASE_MS);
}
END_TEST

START_TEST(the_allowance_caps_the_lease)
{
    struct member m = joined();
    struct beacon b = beacon_of(11, 0);

    b.allowance_ms = LEASE_MS - 1;
    ck_assert(extends(&m, b));
    ck_assert_uint_eq(m.deadline_ms, 1000 + LEASE_MS - 1);
    b.allowance_ms = LEASE_MS + 1;
    ck_assert(extends(&m, b));
    ck_assert_uint_eq(m.deadline_ms, 1000 + LEASE_MS);
}
END_TEST

START_TEST(a_leader_without_authority_extends_nothing)
{
    struct member m = joined();
    struct beacon b = beacon_of(11, 0);

    b.allowance_ms = 0;
    ck_assert(!extends(&m, b));
    ck_assert_uint_eq(m.deadline_ms, 0);
}
END_TEST

START_TEST(a_late_or_repeated_beacon_moves_nothing)
{
    struct member m = joined();

    member_sent(&m, leader, 11, 1150);
    ck_assert(extends(&m, beacon_of(12, 0)));
    ck_assert_uint_eq(m.deadline_ms, 1150 + LEASE_MS);
    ck_assert(!extends(&m, beacon_of(12, 0)));
    ck_assert(!extends(&m, beacon_of(11, 0)));
    ck_assert_uint_eq(m.deadline_ms, 1150 + LEASE_MS);
}
END_TEST

START_TEST(a_deadline_never_moves_back)
{
    struct member m = joined();

    ck_assert(extends(&m, beacon_of(11, 0)));
    struct beacon b = beacon_of(12, 0);

    member_sent(&m, leader, 11, 1150);
    b.allowance_ms = 1; /* authority ends: what was given stays */
    ck_assert(!extends(&m, b));
    ck_assert_uint_eq(m.deadline_ms, 1000 + LEASE_MS);
}
END_TEST

START_TEST(a_bit_may_come_up_to_three_beacons_late)
{
    for (uint32_t lag = 0; lag < BEACON_LAGS; lag++) {
        struct member m = joined();

        ck_assert(extends(&m, beacon_of(11 + lag, lag)));
        ck_assert_uint_eq(m.deadline_ms, 1000 + LEASE_MS);
    }
}
END_TEST

START_TEST(a_bit_is_for_one_number_one_beacon_and_one_leader)
{
    struct member m = joined();
    struct beacon b = beacon_of(11, 0);

    ck_assert(!extends(&m, beacon_of(11, BEACON_LAGS))); /* none at all */
    ck_assert(!extends(&m, beacon_of(12, 0)));           /* for beacon 11: never echoed */
    ck_assert(!extends(&m, beacon_of(11, 1)));           /* for beacon 9 */
    b.leader = other;
    ck_assert(!extends(&m, b));
    m.num = NUM + 1;
    ck_assert(!extends(&m, beacon_of(11, 0)));
    m.num = 4095;
    b = beacon_of(11, 0);
    memset(b.bits[0] + b.bits_n[0], 0xff, BITS_MAX - b.bits_n[0]); /* not sent: junk */
    ck_assert(!extends(&m, b));
    m.num = NUM;
    m.is_joined = false;
    ck_assert(!extends(&m, beacon_of(11, 0)));
    ck_assert_uint_eq(m.deadline_ms, 0);
    m.is_joined = true;
    ck_assert(extends(&m, beacon_of(11, 0)));
}
END_TEST

START_TEST(the_first_beacon_of_a_leader_has_no_bit_to_give)
{
    struct member m = joined();

    member_sent(&m, leader, 0, 1000);
    ck_assert(!extends(&m, beacon_of(1, 0)));
    ck_assert(!extends(&m, beacon_of(0, 0)));
}
END_TEST

START_TEST(no_lease_while_the_applied_epoch_is_behind_the_beacon)
{
    struct member m = joined();
    struct beacon b = beacon_of(11, 0);

    ck_assert(!member_extend(&m, &b, (struct stamp){5, 19}, 0, LEASE_MS));
    ck_assert(!member_extend(&m, &b, (struct stamp){4, 99}, 0, LEASE_MS));
    ck_assert(
        !member_extend(&m, &b, (struct stamp){6, 20}, 0, LEASE_MS)); /* another gen */
    ck_assert_uint_eq(m.deadline_ms, 0);
    ck_assert(member_extend(&m, &b, (struct stamp){5, 21}, 0, LEASE_MS));
}
END_TEST

START_TEST(a_bit_of_an_epoch_before_our_birth_is_not_ours)
{
    struct member m = joined();

    m.born = 21;
    struct beacon b = beacon_of(11, 0);

    ck_assert(!member_extend(&m, &b, (struct stamp){5, 21}, 0, LEASE_MS));
    b.head.epoch = 21;
    ck_assert(member_extend(&m, &b, (struct stamp){5, 21}, 0, LEASE_MS));
}
END_TEST

START_TEST(only_the_first_heartbeat_for_a_beacon_is_sent)
{
    struct member m = joined();

    ck_assert(!member_may_echo(&m, leader, 10));
    ck_assert(!member_may_echo(&m, leader, 9));
    ck_assert(member_may_echo(&m, leader, 11));
    ck_assert(member_may_echo(&m, other, 1)); /* a new leader counts from one */
    member_sent(&m, other, 1, 1100);
    ck_assert(!member_may_echo(&m, other, 1));
}
END_TEST

START_TEST(send_times_of_the_last_eight_heartbeats_are_kept)
{
    struct member m = joined();

    for (uint64_t k = 11; k < 10 + SENT_KEPT; k++)
        member_sent(&m, leader, k, 1000 + k);
    ck_assert(extends(&m, beacon_of(11, 0)));
    ck_assert_uint_eq(m.deadline_ms, 1000 + LEASE_MS);
    m.deadline_ms = 0;
    member_sent(&m, leader, 10 + SENT_KEPT, 2000);
    ck_assert(!extends(&m, beacon_of(11, 0))); /* pushed out by the ninth */
    ck_assert(extends(&m, beacon_of(12, 0)));
    ck_assert_uint_eq(m.deadline_ms, 1011 + LEASE_MS);
}
END_TEST

START_TEST(a_new_session_has_no_lease_no_id_and_no_echoes)
{
    struct member m = joined();

    m.id[0] = 'w';
    m.join_at_ms = 77;
    ck_assert(extends(&m, beacon_of(11, 0)));
    member_renew(&m, other);
    ck_assert(session_equal(m.session, other));
    ck_assert(!m.is_joined);
    ck_assert_str_eq(m.id, "");
    ck_assert_uint_eq(m.deadline_ms, 0);
    ck_assert_uint_eq(m.join_at_ms, 0);
    ck_assert_uint_eq(m.born, 0);
    ck_assert(member_may_echo(&m, leader, 10));
    m.is_joined = true;
    ck_assert(!extends(&m, beacon_of(11, 0)));
}
END_TEST

START_TEST(a_lease_at_the_end_of_time_does_not_wrap_around)
{
    struct member m = joined();
    struct beacon b = beacon_of(13, 0);

    member_sent(&m, leader, 12, UINT64_MAX - 5);
    ck_assert(extends(&m, b));
    ck_assert_uint_eq(m.deadline_ms, UINT64_MAX);
    ck_assert(!member_may_take(&m, UINT64_MAX - 3, OWNERSHIP_STRICT, MARGIN_MS));
}
END_TEST

static bool takes_at(const struct member *m, uint64_t now_ms)
{
    return member_may_take(m, now_ms, OWNERSHIP_STRICT, MARGIN_MS);
}

START_TEST(what_would_be_fenced_at_once_is_not_taken)
{
    struct member m = joined();

    ck_assert(!takes_at(&m, 0)); /* no lease yet */
    m.deadline_ms = 3000;
    ck_assert(takes_at(&m, 3000 - MARGIN_MS - 1));
    ck_assert(!takes_at(&m, 3000 - MARGIN_MS));
    m.fenced_until_ms = 2000; /* told of a fence: the application stops until then */
    ck_assert(!takes_at(&m, 1999));
    ck_assert(takes_at(&m, 2000));
}
END_TEST

START_TEST(strangers_and_those_who_come_back_later_take_nothing)
{
    struct member m = joined();

    m.deadline_ms = 3000;
    ck_assert(takes_at(&m, 1000));
    m.leaving = LEAVING_DRAIN; /* the leader says what it is still to have */
    ck_assert(takes_at(&m, 1000));
    m.leaving = LEAVING_RESTART;
    ck_assert(!takes_at(&m, 1000));
    ck_assert(!member_may_take(&m, 1000, OWNERSHIP_AVAILABLE, MARGIN_MS));
    m.leaving = LEAVING_NO;
    m.is_joined = false;
    ck_assert(!takes_at(&m, 1000));
    ck_assert(!member_may_take(&m, 1000, OWNERSHIP_AVAILABLE, MARGIN_MS));
}
END_TEST

START_TEST(available_groups_need_no_lease)
{
    struct member m = joined();

    ck_assert(member_may_take(&m, 999999, OWNERSHIP_AVAILABLE, MARGIN_MS));
    m.fenced_until_ms = UINT64_MAX;
    ck_assert(member_may_take(&m, 999999, OWNERSHIP_AVAILABLE, MARGIN_MS));
}
END_TEST

UNIT_MAIN("member", a_head_of_the_same_epoch_with_another_content_gives_no_lease,
          the_lease_is_anchored_at_the_send_time_of_the_heartbeat,
          the_allowance_caps_the_lease, a_leader_without_authority_extends_nothing,
          a_late_or_repeated_beacon_moves_nothing, a_deadline_never_moves_back,
          a_bit_may_come_up_to_three_beacons_late,
          a_bit_is_for_one_number_one_beacon_and_one_leader,
          the_first_beacon_of_a_leader_has_no_bit_to_give,
          no_lease_while_the_applied_epoch_is_behind_the_beacon,
          a_bit_of_an_epoch_before_our_birth_is_not_ours,
          only_the_first_heartbeat_for_a_beacon_is_sent,
          send_times_of_the_last_eight_heartbeats_are_kept,
          a_new_session_has_no_lease_no_id_and_no_echoes,
          a_lease_at_the_end_of_time_does_not_wrap_around,
          what_would_be_fenced_at_once_is_not_taken,
          strangers_and_those_who_come_back_later_take_nothing,
          available_groups_need_no_lease)
