/* core/proto/roster: ids, joiners, heartbeats, bits, and when a lease has ended. */
#include "proto/roster.h"

#include "base/status.h"

#include "unit.h"

#include <string.h>

enum { SEATS = 5, BEAT_MS = 150, TTL_MS = 30000, T0 = 100000 };

static const struct node_timing timing = {.heartbeat_interval = BEAT_MS,
                                          .heartbeat_ttl = 1200,
                                          .clock_drift_ppm = 1000,
                                          .worker_id_ttl = TTL_MS};

static struct roster r;
static void *block;
static struct head_member member[SEATS];
static struct head head;

static void setup(void)
{
    struct arena arena;

    block = calloc(1, roster_size(SEATS));
    arena_init(&arena, block, roster_size(SEATS));
    ck_assert(roster_init(&r, &arena, SEATS));
    roster_clear(&r);
    head = (struct head){.stamp = {1, 1}, .member = member};
}

static void teardown(void)
{
    free(block);
}

static struct session session_of(uint64_t who)
{
    return (struct session){7, who};
}

/* Adds a member to the head to come; numbers must ascend. */
static void seat(uint32_t num, uint64_t who)
{
    member[head.n++] = (struct head_member){.num = num, .session = session_of(who)};
}

static void load(uint64_t now_ms)
{
    ck_assert_int_eq(roster_load(&r, &head, now_ms), 0);
    head.n = 0;
}

static enum join_answer join(uint64_t who, int64_t wish, uint64_t now_ms)
{
    struct join j = {.session = session_of(who), .wish = wish};

    return roster_join(&r, &j, &timing, now_ms);
}

static struct mate *beat(uint64_t who, uint32_t num, uint64_t k, uint64_t now_ms)
{
    struct heartbeat h = {.session = session_of(who), .num = num, .k = k};

    return roster_heartbeat(&r, &h, k != 0, false, now_ms);
}

/* Who waits at this number; 0: nobody. */
static uint64_t waits_at(uint32_t num)
{
    return r.mate[num].has_joiner ? r.mate[num].joiner.session.lo : 0;
}

START_TEST(a_wish_that_is_free_is_granted)
{
    ck_assert_int_eq(join(1, 3, T0), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(3), 1);
    ck_assert_uint_eq(r.joiners, 1);
    ck_assert_uint_eq(r.first_joiner_ms, T0);
    ck_assert(roster_seat_is_open(&r.mate[3]));
}
END_TEST

START_TEST(without_a_wish_the_lowest_free_number_is_given)
{
    seat(0, 10);
    seat(2, 11);
    load(T0);
    ck_assert_int_eq(join(1, -1, T0), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(1), 1);
    ck_assert_int_eq(join(2, -1, T0 + 1), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(3), 2);
    ck_assert_uint_eq(r.joiners, 2);
    ck_assert_uint_eq(r.first_joiner_ms, T0);
}
END_TEST

START_TEST(a_wish_out_of_range_is_no_wish)
{
    ck_assert_int_eq(join(1, SEATS, T0), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(0), 1);
    ck_assert_int_eq(join(2, INT64_MAX, T0), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(1), 2);
    ck_assert_int_eq(join(3, SEATS - 1, T0), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(SEATS - 1), 3);
}
END_TEST

START_TEST(a_repeated_join_gets_the_same_answer)
{
    ck_assert_int_eq(join(1, 3, T0), JOIN_WAITS);
    ck_assert_int_eq(join(1, 3, T0 + 300), JOIN_KNOWN);
    ck_assert_int_eq(join(1, 4, T0 + 600), JOIN_KNOWN); /* whatever it wishes now */
    ck_assert_uint_eq(r.joiners, 1);
    ck_assert_uint_eq(r.mate[3].joiner_ms, T0);
    ck_assert_uint_eq(r.mate[3].joiner_heard_ms, T0 + 600);
    seat(3, 1);
    load(T0 + 700);
    ck_assert_uint_eq(waits_at(3), 0);
    ck_assert_uint_eq(r.joiners, 0);
    ck_assert_int_eq(join(1, 3, T0 + 900), JOIN_KNOWN);
    ck_assert_uint_eq(r.joiners, 0);
}
END_TEST

START_TEST(a_joiner_of_a_silent_holder_waits_for_its_end)
{
    seat(1, 10);
    load(T0);
    ck_assert_ptr_nonnull(beat(10, 1, 1, T0 + 100)); /* heard before, not since */
    ck_assert_int_eq(join(1, 1, T0 + 200), JOIN_WAITS);
    ck_assert(!roster_seat_is_open(&r.mate[1]));
    ck_assert_int_eq(join(1, 1, T0 + 500), JOIN_KNOWN);
    ck_assert_uint_eq(waits_at(1), 1);
    r.mate[1].is_expired = true;
    ck_assert(roster_seat_is_open(&r.mate[1]));
}
END_TEST

START_TEST(a_joiner_of_a_living_holder_is_given_another_number)
{
    seat(1, 10);
    load(T0);
    ck_assert_int_eq(join(1, 1, T0 + 200), JOIN_WAITS);
    ck_assert_ptr_nonnull(beat(10, 1, 1, T0 + 200)); /* not since: the same instant */
    ck_assert_int_eq(join(1, 1, T0 + 400), JOIN_KNOWN);
    ck_assert_ptr_nonnull(beat(10, 1, 2, T0 + 401));
    ck_assert_int_eq(join(1, 1, T0 + 500), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(1), 0);
    ck_assert_uint_eq(waits_at(0), 1);
    ck_assert_uint_eq(r.joiners, 1);
}
END_TEST

START_TEST(a_joiner_whose_seat_is_being_made_free_stays)
{
    seat(1, 10);
    load(T0);
    ck_assert_int_eq(join(1, 1, T0 + 200), JOIN_WAITS);
    r.mate[1].is_expired = true;
    ck_assert_ptr_nonnull(beat(10, 1, 1, T0 + 300)); /* too late to be heard */
    ck_assert_int_eq(join(1, 1, T0 + 500), JOIN_KNOWN);
    ck_assert_uint_eq(waits_at(1), 1);
    /* Nor is it replaced when it falls silent: a plan may count on it. */
    ck_assert_int_eq(join(2, 1, T0 + 60000), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(1), 1);
    ck_assert_uint_eq(waits_at(0), 2);
}
END_TEST

START_TEST(a_stale_joiner_is_replaced)
{
    const uint64_t silent = SUSPECT_BEATS * BEAT_MS;

    ck_assert_int_eq(join(1, 2, T0), JOIN_WAITS);
    ck_assert_int_eq(join(2, 2, T0 + silent), JOIN_WAITS); /* not yet */
    ck_assert_uint_eq(waits_at(2), 1);
    ck_assert_uint_eq(waits_at(0), 2);
    ck_assert_int_eq(join(3, 2, T0 + silent + 1), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(2), 3);
    ck_assert_uint_eq(r.joiners, 2);
}
END_TEST

START_TEST(a_joiner_that_repeats_itself_is_not_stale)
{
    ck_assert_int_eq(join(1, 2, T0), JOIN_WAITS);
    ck_assert_int_eq(join(1, 2, T0 + 700), JOIN_KNOWN);
    ck_assert_int_eq(join(2, 2, T0 + 1400), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(2), 1);
}
END_TEST

START_TEST(a_freed_number_is_kept_for_its_former_holder)
{
    seat(0, 10);
    load(T0);
    load(T0 + 1000); /* nobody any more */
    ck_assert_int_eq(join(1, -1, T0 + 1000 + TTL_MS - 1), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(1), 1);
    ck_assert_int_eq(join(2, -1, T0 + 1000 + TTL_MS), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(0), 2);
}
END_TEST

START_TEST(whoever_wishes_for_a_kept_number_gets_it)
{
    seat(0, 10);
    load(T0);
    load(T0 + 1000);
    ck_assert_int_eq(join(1, 0, T0 + 1001), JOIN_WAITS); /* most likely the former one */
    ck_assert_uint_eq(waits_at(0), 1);
}
END_TEST

START_TEST(kept_numbers_are_the_last_resort_and_then_nobody_is_let_in)
{
    for (uint32_t num = 0; num < SEATS; num++)
        seat(num, 10 + num);
    load(T0);
    ck_assert_int_eq(join(1, -1, T0), JOIN_REFUSED);
    ck_assert_uint_eq(r.joiners, 0);
    seat(0, 10);
    seat(2, 12);
    seat(4, 14);
    load(T0 + 1000); /* 1 and 3 are kept */
    ck_assert_int_eq(join(1, -1, T0 + 1001), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(1), 1); /* a worker without an id helps nobody */
    ck_assert_int_eq(join(2, -1, T0 + 1001), JOIN_WAITS);
    ck_assert_uint_eq(waits_at(3), 2);
    ck_assert_int_eq(join(3, -1, T0 + 1001), JOIN_REFUSED);
    ck_assert_uint_eq(r.joiners, 2);
}
END_TEST

START_TEST(a_joiner_of_a_living_holder_may_be_refused_in_the_end)
{
    for (uint32_t num = 0; num < SEATS; num++)
        seat(num, 10 + num);
    load(T0);
    ck_assert_int_eq(join(1, 2, T0 + 1), JOIN_WAITS);
    ck_assert_ptr_nonnull(beat(12, 2, 1, T0 + 2));
    ck_assert_int_eq(join(1, 2, T0 + 3), JOIN_REFUSED);
    ck_assert_uint_eq(waits_at(2), 0);
    ck_assert_uint_eq(r.joiners, 0);
}
END_TEST

START_TEST(a_number_out_of_range_is_a_limit_and_changes_nothing)
{
    seat(0, 10);
    load(T0);
    seat(1, 11);
    seat(SEATS, 12);
    ck_assert_int_eq(roster_load(&r, &head, T0), STATUS_LIMIT);
    ck_assert_ptr_nonnull(roster_find(&r, session_of(10)));
    ck_assert_ptr_null(roster_find(&r, session_of(11)));
}
END_TEST

START_TEST(what_is_known_of_a_session_that_stays_is_kept)
{
    seat(1, 10);
    load(T0);
    ck_assert_ptr_nonnull(beat(10, 1, 4, T0 + 100));
    seat(1, 10);
    load(T0 + 200);
    ck_assert_uint_eq(r.mate[1].echo_k, 4);
    ck_assert_uint_eq(r.mate[1].seated_ms, T0);
    seat(1, 11); /* the same number, a new life */
    load(T0 + 300);
    ck_assert_uint_eq(r.mate[1].echo_k, 0);
    ck_assert(!r.mate[1].is_heard);
    ck_assert_uint_eq(r.mate[1].seated_ms, T0 + 300);
    ck_assert_ptr_null(roster_find(&r, session_of(10)));
}
END_TEST

START_TEST(a_joiner_outlives_the_drop_of_the_holder)
{
    seat(1, 10);
    load(T0);
    ck_assert_int_eq(join(1, 1, T0 + 200), JOIN_WAITS);
    load(T0 + 300);
    ck_assert_uint_eq(waits_at(1), 1);
    ck_assert_uint_eq(r.joiners, 1);
    ck_assert(roster_seat_is_open(&r.mate[1]));
    seat(1, 1);
    load(T0 + 400);
    ck_assert(!roster_seat_is_open(&r.mate[1]));
    ck_assert_uint_eq(r.joiners, 0);
}
END_TEST

START_TEST(the_time_of_going_away_is_when_the_head_first_said_so)
{
    seat(1, 10);
    load(T0);
    seat(1, 10);
    member[0].state = MEMBER_AWAY;
    load(T0 + 500);
    ck_assert_uint_eq(r.mate[1].away_ms, T0 + 500);
    seat(1, 10);
    member[0].state = MEMBER_AWAY;
    load(T0 + 900);
    ck_assert_uint_eq(r.mate[1].away_ms, T0 + 500);
}
END_TEST

START_TEST(a_heartbeat_counts_for_its_session_whatever_number_it_names)
{
    seat(1, 10);
    seat(2, 11);
    load(T0);
    ck_assert_ptr_eq(beat(10, 1, 0, T0 + 1), &r.mate[1]);
    ck_assert_ptr_eq(beat(10, 2, 0, T0 + 2), &r.mate[1]);
    ck_assert_ptr_eq(beat(10, UINT32_MAX, 0, T0 + 3), &r.mate[1]);
    ck_assert_ptr_null(beat(99, 1, 0, T0 + 4));
    ck_assert_uint_eq(r.mate[1].heard_ms, T0 + 3);
    ck_assert(!r.mate[2].is_heard);
}
END_TEST

START_TEST(reports_count_only_for_the_right_head_and_never_fall)
{
    struct heartbeat h = {.session = session_of(10), .num = 1, .released = 8};

    seat(1, 10);
    load(T0);
    (void)roster_heartbeat(&r, &h, false, false, T0);
    ck_assert(!r.mate[1].has_report);
    (void)roster_heartbeat(&r, &h, false, true, T0);
    ck_assert(r.mate[1].has_report);
    ck_assert_uint_eq(r.mate[1].reported, 8);
    h.released = 7;
    (void)roster_heartbeat(&r, &h, false, true, T0);
    ck_assert_uint_eq(r.mate[1].reported, 8);
}
END_TEST

START_TEST(what_members_cannot_read_adds_up_with_the_reason_of_the_first)
{
    struct heartbeat h = {.num = 3, .unread = 5, .unread_why = "no stream"};
    struct beacon b = {0}, after = {0};

    for (uint32_t num = 1; num <= 3; num++)
        seat(num, 10 * num);
    load(T0);
    h.session = session_of(30);
    (void)roster_heartbeat(&r, &h, false, true, T0);
    h = (struct heartbeat){
        .session = session_of(20), .num = 2, .unread = 1, .unread_why = "no topic"};
    (void)roster_heartbeat(&r, &h, false, true, T0);
    roster_unread(&r, &b);
    ck_assert_uint_eq(b.unread, 6);
    ck_assert_uint_eq(b.unread_workers, 2);
    ck_assert_uint_eq(b.unread_num, 2);
    ck_assert_str_eq(b.unread_why, "no topic");
    r.mate[3].is_expired = true;
    h.unread = 0;
    (void)roster_heartbeat(&r, &h, false, true, T0 + 1);
    roster_unread(&r, &after);
    ck_assert_uint_eq(after.unread_workers, 0);
}
END_TEST

/* The lags of beacon k in which number num has a bit, as a mask. */
static uint32_t bits_of(uint64_t k, uint32_t num)
{
    struct beacon b = {.k = k};
    uint32_t mask = 0;

    roster_bits(&r, &b);
    for (uint32_t lag = 0; lag < BEACON_LAGS; lag++)
        if (num / 8 < b.bits_n[lag] && (b.bits[lag][num / 8] >> (num % 8) & 1) != 0)
            mask |= 1u << lag;
    return mask;
}

START_TEST(bits_are_only_for_echoes_of_the_last_four_beacons)
{
    seat(1, 10);
    load(T0);
    ck_assert_uint_eq(bits_of(1, 1), 0); /* nothing echoed yet */
    ck_assert(!r.mate[1].has_bit);
    ck_assert_ptr_nonnull(beat(10, 1, 5, T0 + 100));
    ck_assert_uint_eq(bits_of(6, 1), 1u << 0);
    ck_assert_uint_eq(bits_of(7, 1), 1u << 1);
    ck_assert_uint_eq(bits_of(9, 1), 1u << 3);
    ck_assert_uint_eq(bits_of(10, 1), 0);
    ck_assert_uint_eq(bits_of(5, 1), 0); /* an echo of a beacon not sent yet */
    ck_assert_uint_eq(bits_of(6, 0), 0);
    ck_assert_uint_eq(bits_of(6, 2), 0);
}
END_TEST

START_TEST(only_the_newest_echo_counts_and_only_its_first_arrival)
{
    seat(1, 10);
    load(T0);
    ck_assert_ptr_nonnull(beat(10, 1, 5, T0 + 100));
    ck_assert_ptr_nonnull(beat(10, 1, 5, T0 + 200)); /* a copy */
    ck_assert_ptr_nonnull(beat(10, 1, 4, T0 + 300)); /* a late one */
    struct heartbeat h = {.session = session_of(10), .num = 1, .k = 99};

    (void)roster_heartbeat(&r, &h, false, false, T0 + 400); /* of another leader's */
    ck_assert_uint_eq(r.mate[1].echo_k, 5);
    ck_assert_uint_eq(bits_of(6, 1), 1);
    ck_assert_uint_eq(r.mate[1].bit_ms, T0 + 100);
    ck_assert_uint_eq(bits_of(7, 1), 2); /* repeated: worth the same */
    ck_assert_uint_eq(r.mate[1].bit_ms, T0 + 100);
    ck_assert_ptr_nonnull(beat(10, 1, 6, T0 + 500));
    ck_assert_uint_eq(bits_of(7, 1), 1);
    ck_assert_uint_eq(r.mate[1].bit_ms, T0 + 500);
}
END_TEST

START_TEST(an_expired_member_has_no_bit_for_good)
{
    seat(1, 10);
    load(T0);
    ck_assert_ptr_nonnull(beat(10, 1, 5, T0 + 100));
    r.mate[1].is_expired = true;
    ck_assert_uint_eq(bits_of(6, 1), 0);
    ck_assert_ptr_nonnull(beat(10, 1, 6, T0 + 300));
    ck_assert_uint_eq(bits_of(7, 1), 0);
    ck_assert(!r.mate[1].has_bit);
    load(T0 + 400); /* dropped: an empty seat has none either */
    ck_assert_uint_eq(bits_of(7, 1), 0);
}
END_TEST

START_TEST(a_lease_lapses_a_ttl_after_the_echo_with_drift_on_both_sides)
{
    /* 1200 ms at 2 x 1000 ppm, rounded down, and the rounding of clocks */
    ck_assert_uint_eq(roster_stretch(1200, &timing), 1200 + 2 + ROUNDING_MS);
    ck_assert_uint_eq(roster_stretch(1000, &timing), 1000 + 2 + ROUNDING_MS);
    ck_assert_uint_eq(roster_stretch(0, &timing), ROUNDING_MS);
    ck_assert_uint_eq(
        roster_stretch(30000, &(struct node_timing){.clock_drift_ppm = 200}),
        30000 + 12 + ROUNDING_MS);
    seat(1, 10);
    load(T0);
    ck_assert_uint_eq(roster_lapse_ms(&r.mate[1], &timing), 0); /* never had one */
    ck_assert_ptr_nonnull(beat(10, 1, 5, T0 + 100));
    ck_assert_uint_eq(roster_lapse_ms(&r.mate[1], &timing), 0); /* not given yet */
    (void)bits_of(6, 1);
    ck_assert_uint_eq(roster_lapse_ms(&r.mate[1], &timing), T0 + 100 + 1222);
    ck_assert_ptr_nonnull(beat(10, 1, 6, T0 + 300));
    ck_assert_uint_eq(roster_lapse_ms(&r.mate[1], &timing), T0 + 100 + 1222);
    (void)bits_of(8, 1); /* given late: counts from the arrival all the same */
    ck_assert_uint_eq(roster_lapse_ms(&r.mate[1], &timing), T0 + 300 + 1222);
}
END_TEST

START_TEST(clearing_forgets_everybody)
{
    seat(1, 10);
    load(T0);
    (void)join(1, 2, T0);
    roster_clear(&r);
    ck_assert_ptr_null(roster_find(&r, session_of(10)));
    ck_assert_uint_eq(r.joiners, 0);
    ck_assert_uint_eq(waits_at(2), 0);
    ck_assert_int_eq(join(2, -1, T0), JOIN_WAITS); /* no number is kept either */
    ck_assert_uint_eq(waits_at(0), 2);
}
END_TEST

UNIT_MAIN_WITH("roster", setup, teardown, a_wish_that_is_free_is_granted,
               without_a_wish_the_lowest_free_number_is_given,
               a_wish_out_of_range_is_no_wish, a_repeated_join_gets_the_same_answer,
               a_joiner_of_a_silent_holder_waits_for_its_end,
               a_joiner_of_a_living_holder_is_given_another_number,
               a_joiner_whose_seat_is_being_made_free_stays, a_stale_joiner_is_replaced,
               a_joiner_that_repeats_itself_is_not_stale,
               a_freed_number_is_kept_for_its_former_holder,
               whoever_wishes_for_a_kept_number_gets_it,
               kept_numbers_are_the_last_resort_and_then_nobody_is_let_in,
               a_joiner_of_a_living_holder_may_be_refused_in_the_end,
               a_number_out_of_range_is_a_limit_and_changes_nothing,
               what_is_known_of_a_session_that_stays_is_kept,
               a_joiner_outlives_the_drop_of_the_holder,
               the_time_of_going_away_is_when_the_head_first_said_so,
               a_heartbeat_counts_for_its_session_whatever_number_it_names,
               reports_count_only_for_the_right_head_and_never_fall,
               what_members_cannot_read_adds_up_with_the_reason_of_the_first,
               bits_are_only_for_echoes_of_the_last_four_beacons,
               only_the_newest_echo_counts_and_only_its_first_arrival,
               an_expired_member_has_no_bit_for_good,
               a_lease_lapses_a_ttl_after_the_echo_with_drift_on_both_sides,
               clearing_forgets_everybody)
