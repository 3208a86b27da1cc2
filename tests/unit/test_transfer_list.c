/* core/proto/transfer_list: loading, listing and asking. */
#include "proto/transfer.h"

#include "base/status.h"

#include "transfer_rig.h"
#include "unit.h"

START_TEST(a_listing_adds_removes_reweighs_and_brings_back)
{
    struct listing_change c = rig_list("abc");

    ck_assert_uint_eq(c.added, 3);
    rig_plan(10, "012");
    c = rig_list("abc");
    ck_assert_uint_eq(c.added + c.removed + c.reweighted, 0);
    rig_weigh('b', 7);
    c = rig_list("abd");
    ck_assert_uint_eq(c.added, 1);
    ck_assert_uint_eq(c.removed, 1);
    ck_assert_uint_eq(c.reweighted, 1);
    ck_assert_uint_eq(rig.t.now.n, 4); /* c stays while it is listed */
    c = rig_list("abd");
    ck_assert_uint_eq(c.added + c.removed + c.reweighted, 0);
    rig_weigh('c', 9);
    c = rig_list("abc"); /* d was with nobody: it goes at once */
    ck_assert_uint_eq(c.added, 1);
    ck_assert_uint_eq(c.removed, 1);
    ck_assert_uint_eq(c.reweighted, 0);
    ck_assert_uint_eq(rig.t.now.n, 3);
    rig_row('c', 2, 10, 0, 0, false);
}
END_TEST

START_TEST(a_listing_that_does_not_fit_changes_nothing)
{
    rig_granted("bc", "00", 10);
    ck_assert_int_eq(rig_list_status("adefghijklmnopqrstuvwxyzABCDEFGHIJ"), STATUS_LIMIT);
    ck_assert_uint_eq(rig.t.now.n, 2);
    rig_row('b', 0, 10, 0, 0, false);
    rig_row('c', 0, 10, 0, 0, false);
}
END_TEST

START_TEST(a_request_shows_what_the_source_lists_and_where_it_is)
{
    struct plan_request q = {.prev_n = 77};

    rig_granted("abc", "201", 10);
    (void)rig_list("acd");
    transfer_request(&rig.t, &q);
    ck_assert_uint_eq(q.part_n, 3);
    ck_assert_int_eq(q.part_id[0].at[0], 'a');
    ck_assert_int_eq(q.part_id[1].at[0], 'c');
    ck_assert_int_eq(q.part_id[2].at[0], 'd');
    ck_assert_uint_eq(q.part_prev[0], 2);
    ck_assert_uint_eq(q.part_prev[1], 1);
    ck_assert_uint_eq(q.part_prev[2], 77);
}
END_TEST

START_TEST(records_of_many_members_are_merged_in_order)
{
    /* Five runs, one of them empty, lists that interleave. */
    static const char *const ids[] = {"cgk", "adhl", "", "bfj", "ei"};
    static uint8_t bytes[1024];

    for (uint32_t num = 0; num < 5; num++)
        ck_assert_int_eq(
            transfer_load(&rig.t, num, bytes, rig_record(ids[num], num, bytes)), 0);
    ck_assert_int_eq(transfer_load_end(&rig.t), 0);
    ck_assert_uint_eq(rig.t.now.n, 12);
    for (uint32_t i = 0; i < 12; i++) {
        const struct part *p = &rig.t.now.part[i];

        ck_assert_int_eq(rig.t.now.text[p->id_at], 'a' + (int)i);
        ck_assert_ptr_nonnull(strchr(ids[p->owner], 'a' + (int)i));
        ck_assert(p->is_wanted); /* until a listing says otherwise */
    }
}
END_TEST

START_TEST(a_partition_in_two_records_is_corrupt)
{
    static const char *const ids[][3] = {{"abc", "bcd", ""},
                                         {"a", "a", "a"},
                                         {"ab", "cd", "da"},
                                         {"acegik", "bdfhjl", "k"}};
    static uint8_t bytes[1024];

    for (size_t row = 0; row < sizeof ids / sizeof *ids; row++) {
        transfer_clear(&rig.t);
        for (uint32_t num = 0; num < 3; num++)
            ck_assert_int_eq(
                transfer_load(&rig.t, num, bytes, rig_record(ids[row][num], num, bytes)),
                0);
        ck_assert_int_eq(transfer_load_end(&rig.t), STATUS_CORRUPT);
    }
    transfer_clear(&rig.t);
    ck_assert_int_eq(transfer_load_end(&rig.t), 0);
}
END_TEST

START_TEST(records_that_are_damaged_or_too_many_are_refused)
{
    static uint8_t bytes[1024];
    size_t n = rig_record("abc", 0, bytes);

    ck_assert_int_eq(transfer_load(&rig.t, 0, bytes, n - 1), STATUS_CORRUPT);
    ck_assert_int_eq(transfer_load(&rig.t, 0, "PO", 2), STATUS_CORRUPT);
    transfer_clear(&rig.t);
    n = rig_record("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef", 0, bytes);
    ck_assert_int_eq(transfer_load(&rig.t, 0, bytes, n), 0); /* RIG_PARTS */
    n = rig_record("g", 1, bytes);
    ck_assert_int_eq(transfer_load(&rig.t, 1, bytes, n), STATUS_LIMIT);
}
END_TEST

UNIT_MAIN_WITH("transfer_list", rig_setup, rig_teardown,
               a_listing_adds_removes_reweighs_and_brings_back,
               a_listing_that_does_not_fit_changes_nothing,
               a_request_shows_what_the_source_lists_and_where_it_is,
               records_of_many_members_are_merged_in_order,
               a_partition_in_two_records_is_corrupt,
               records_that_are_damaged_or_too_many_are_refused)
