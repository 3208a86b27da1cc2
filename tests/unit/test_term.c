/* core/proto/term: who leads, when to stand up, how long authority lasts. */
#include "proto/term.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static const struct node_timing timing = {.election_timeout = 500,
                                          .leader_authority = 1200};
static const struct session first = {1, 1}, second = {2, 2};

static struct beacon beacon_of(uint64_t term, struct session leader, const char *id)
{
    struct beacon b = {.term = term, .leader = leader, .addr = 7, .allowance_ms = 100};

    (void)snprintf(b.id, sizeof b.id, "%s", id);
    return b;
}

static enum heard hears(struct term *t, struct beacon b, uint64_t now_ms)
{
    return term_hear(t, &b, now_ms);
}

/* Byte for byte, padding too: 'before' is a copy by memcpy(). */
static bool is_untouched(const void *now, const void *before)
{
    return memcmp(now, before, sizeof(struct term)) == 0;
}

START_TEST(the_first_leader_is_new_then_known)
{
    struct term t = {0};

    ck_assert_int_eq(hears(&t, beacon_of(3, first, "worker-0"), 1000), HEARD_NEW);
    ck_assert_uint_eq(t.seen, 3);
    ck_assert(session_equal(t.leader, first));
    ck_assert_uint_eq(t.leader_addr, 7);
    ck_assert_str_eq(t.leader_id, "worker-0");
    ck_assert_uint_eq(t.heard_ms, 1000);
    ck_assert_int_eq(hears(&t, beacon_of(3, first, "worker-0"), 1150), HEARD_KNOWN);
    ck_assert_uint_eq(t.heard_ms, 1150);
}
END_TEST

START_TEST(a_lower_term_is_stale_and_changes_nothing)
{
    struct term t = {0};

    (void)hears(&t, beacon_of(3, first, "worker-0"), 1000);
    struct term before;
    memcpy(&before, &t, sizeof t);

    ck_assert_int_eq(hears(&t, beacon_of(2, second, "worker-1"), 2000), HEARD_STALE);
    ck_assert_int_eq(hears(&t, beacon_of(2, first, "worker-0"), 2000), HEARD_STALE);
    ck_assert(is_untouched(&t, &before));
}
END_TEST

START_TEST(a_second_leader_of_the_same_term_is_stale)
{
    struct term t = {0};

    (void)hears(&t, beacon_of(3, first, "worker-0"), 1000);
    struct term before;
    memcpy(&before, &t, sizeof t);

    ck_assert_int_eq(hears(&t, beacon_of(3, second, "worker-1"), 2000), HEARD_STALE);
    ck_assert(is_untouched(&t, &before));
}
END_TEST

START_TEST(the_leader_of_a_term_seen_elsewhere_is_taken)
{
    struct term t = {.seen = 5}; /* from a lease record: nobody heard yet */

    ck_assert_int_eq(hears(&t, beacon_of(4, first, "worker-0"), 1), HEARD_STALE);
    ck_assert_int_eq(hears(&t, beacon_of(5, first, "worker-0"), 1), HEARD_NEW);
}
END_TEST

START_TEST(a_higher_term_is_new_even_under_the_same_leader)
{
    struct term t = {0};

    (void)hears(&t, beacon_of(3, first, "worker-0"), 1000);
    ck_assert_int_eq(hears(&t, beacon_of(4, first, "worker-0"), 1001), HEARD_NEW);
    ck_assert_uint_eq(t.told_term, 4);
    ck_assert_int_eq(hears(&t, beacon_of(9, second, "worker-1"), 1002), HEARD_NEW);
    ck_assert(session_equal(t.leader, second));
    ck_assert_int_eq(hears(&t, beacon_of(4, first, "worker-0"), 1003), HEARD_STALE);
}
END_TEST

START_TEST(a_leader_that_is_given_its_id_is_told_again)
{
    struct term t = {0};

    ck_assert_int_eq(hears(&t, beacon_of(3, first, ""), 1000), HEARD_NEW);
    ck_assert_int_eq(hears(&t, beacon_of(3, first, "worker-4"), 1001), HEARD_NEW);
    ck_assert_str_eq(t.leader_id, "worker-4");
    ck_assert_int_eq(hears(&t, beacon_of(3, first, "worker-4"), 1002), HEARD_KNOWN);
}
END_TEST

START_TEST(a_beacon_without_authority_puts_no_election_off)
{
    struct term t = {0};
    struct beacon b = beacon_of(3, first, "worker-0");

    (void)hears(&t, b, 1000);
    b.allowance_ms = 0;
    ck_assert_int_eq(hears(&t, b, 2000), HEARD_KNOWN);
    ck_assert_uint_eq(t.heard_ms, 1000);
}
END_TEST

/* Earliest and latest of many draws, counted from the newest beacon. */
struct spread {
    uint64_t least, most;
};

static struct spread spread_of(bool is_member, uint32_t rank, uint32_t members)
{
    struct spread s = {UINT64_MAX, 0};
    struct rand_state rand;
    struct term t = {0};

    rand_seed(&rand, 1);
    for (int i = 0; i < 2000; i++) {
        term_wait(&t, &timing, is_member, rank, members, &rand, 10000);
        uint64_t late = t.elect_at_ms - 10000;

        s.least = late < s.least ? late : s.least;
        s.most = late > s.most ? late : s.most;
    }
    return s;
}

START_TEST(ranks_stand_up_one_after_the_other)
{
    static const uint32_t members[] = {1, 2, 3, 5, 10};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        uint64_t last = timing.election_timeout;

        for (uint32_t rank = 0; rank < members[i]; rank++) {
            struct spread s = spread_of(true, rank, members[i]);

            if (rank > 0)
                ck_assert_uint_gt(s.least, last); /* never at the same time */
            else
                ck_assert_uint_eq(s.least, last); /* the first one right at E */
            last = s.most;
        }
        /* The rank adds up to 40 % of E. */
        ck_assert_uint_le(last, timing.election_timeout * 7 / 5);
    }
}
END_TEST

START_TEST(whoever_is_no_member_stands_up_after_all_who_are)
{
    struct spread last = spread_of(true, 9, 10), stranger = spread_of(false, 0, 10);

    ck_assert_uint_gt(stranger.least, last.most);
    ck_assert_uint_gt(stranger.most, stranger.least); /* strangers differ, too */
    ck_assert_uint_eq(spread_of(true, 0, 0).least, stranger.least); /* nobody is */
}
END_TEST

START_TEST(authority_counts_from_the_send_time_of_the_last_write)
{
    struct term t = {.t_kv_ms = 5000};

    ck_assert_uint_eq(term_auth_end_ms(&t, &timing), 6200);
    t.heard_ms = 9000;
    t.barrier_end_ms = 9000;
    ck_assert_uint_eq(term_auth_end_ms(&t, &timing), 6200);
}
END_TEST

START_TEST(candidates_are_those_between_asking_and_winning)
{
    static const bool is_candidate[] = {
        [ROLE_FOLLOWER] = false,     [ROLE_ASKING_INFO] = true,
        [ROLE_READING_LEASE] = true, [ROLE_WRITING_LEASE] = true,
        [ROLE_READING_HEAD] = false, [ROLE_LEADING] = false,
    };

    for (int role = ROLE_FOLLOWER; role <= ROLE_LEADING; role++)
        ck_assert(term_is_candidate(&(struct term){.role = (enum role)role}) ==
                  is_candidate[role]);
}
END_TEST

UNIT_MAIN("term", the_first_leader_is_new_then_known,
          a_lower_term_is_stale_and_changes_nothing,
          a_second_leader_of_the_same_term_is_stale,
          the_leader_of_a_term_seen_elsewhere_is_taken,
          a_higher_term_is_new_even_under_the_same_leader,
          a_leader_that_is_given_its_id_is_told_again,
          a_beacon_without_authority_puts_no_election_off,
          ranks_stand_up_one_after_the_other,
          whoever_is_no_member_stands_up_after_all_who_are,
          authority_counts_from_the_send_time_of_the_last_write,
          candidates_are_those_between_asking_and_winning)
