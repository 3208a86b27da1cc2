/* core/proto/hold: its slots, its limits, and records that it cannot take. */
#include "hold_rig.h"

/* Slots in the order of the entries that have one. */
static uint32_t slots_of(uint32_t *slot)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < h.now.n; i++)
        if (h.now.entry[i].state != HOLD_IDLE)
            slot[n++] = h.now.entry[i].slot;
    return n;
}

static void slots_are_small_and_unique(uint32_t count)
{
    uint32_t slot[PARTS_MAX];

    ck_assert_uint_eq(slots_of(slot), count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_lt(slot[i], PARTS_MAX);
        for (uint32_t k = 0; k < i; k++)
            ck_assert_uint_ne(slot[i], slot[k]);
    }
}

START_TEST(slots_are_unique_small_and_used_again)
{
    static const char *const lists[] = {"abc", "bcdef", "f", "abcdef", "ace", "bdf"};

    for (uint64_t round = 0; round < 60; round++) {
        list(lists[round % 6], 10);
        apply(10 + round);
        grant();
        slots_are_small_and_unique(h.held + h.stopping);
        if (round % 7 == 6) {
            ck_assert(hold_fence(&h));
        } else if (round % 2 == 0) {
            release(10 + round);
            grant();
        }
        slots_are_small_and_unique(h.held + h.stopping);
    }
}
END_TEST

START_TEST(a_fence_makes_every_slot_new)
{
    hold_these("abcdef");
    list("bcdef", 10);
    apply(11);
    release(11); /* one slot waits to be used again */
    ck_assert(hold_fence(&h));
    list("abcdef", 12);
    apply(12);
    grant();
    slots_are_small_and_unique(6);
}
END_TEST

START_TEST(a_stopping_partition_keeps_its_slot)
{
    uint32_t slot[PARTS_MAX];

    hold_these("a");
    ck_assert_uint_eq(slots_of(slot), 1);
    uint32_t was = slot[0];

    list("bc", 10);
    apply(11);
    ck_assert_uint_eq(out.v[0].parts.part[0].slot, was);
    grant();
    ck_assert_uint_eq(slots_of(slot), 3);
    ck_assert_uint_eq(slot[0], was);
    slots_are_small_and_unique(3);
    release(11);
    ck_assert_uint_eq(out.v[0].parts.part[0].slot, was);
}
END_TEST

START_TEST(the_list_has_a_limit_and_keeps_what_it_had)
{
    hold_these("abcdef");
    list("abcdefg", 10);
    out.n = 0;
    ck_assert_int_eq(hold_load(&h, record, record_n), STATUS_LIMIT);
    ck_assert_uint_eq(h.now.n, 6);
    /* What is being stopped takes room, too. */
    list("bcdef", 10);
    apply(11);
    list("bcdefg", 10);
    ck_assert_int_eq(hold_load(&h, record, record_n), STATUS_LIMIT);
    release(11);
    apply(12);
    grant();
    said(ACT_GRANTED, 12, "g");
}
END_TEST

START_TEST(long_ids_have_a_limit_too)
{
    static char id[PART_ID_MAX];
    uint32_t n = 0;

    list_begin();
    for (int c = 'a'; c < 'a' + PARTS_MAX; c++) {
        memset(id, c, sizeof id);
        own_write(&coder, &(struct own_item){{id, sizeof id}, 1, 10, {{0, 0}, 0}, false});
        n += (uint32_t)sizeof id;
    }
    list_end();
    ck_assert_uint_gt(n, h.text_max);
    ck_assert_int_eq(hold_load(&h, record, record_n), STATUS_LIMIT);
    ck_assert_uint_eq(h.now.n, 0);
}
END_TEST

START_TEST(a_record_that_does_not_decode_changes_nothing)
{
    hold_these("ab");
    head.stamp.gen = GEN + 1;
    list("cd", 10);
    head.stamp.gen = GEN;
    out.n = 0;
    ck_assert_int_eq(hold_load(&h, record, record_n - 1), STATUS_CORRUPT);
    ck_assert_int_eq(hold_load(&h, "PO", 2), STATUS_CORRUPT);
    ck_assert_uint_eq(h.held, 2);
    ck_assert_uint_eq(h.now.n, 2);
    hold_stop_all(&h, 10, &out);
    said(ACT_REVOKING, 10, "ab"); /* of the generation that it was granted in */
}
END_TEST

START_TEST(what_is_being_stopped_takes_room_wherever_it_stands)
{
    hold_these("g");
    list("abcdef", 10);
    out.n = 0;
    ck_assert_int_eq(hold_load(&h, record, record_n), STATUS_LIMIT);
    list("abcdefh", 10); /* found out before the record ends */
    ck_assert_int_eq(hold_load(&h, record, record_n), STATUS_LIMIT);
    ck_assert_uint_eq(h.held, 1);
    ck_assert_uint_eq(h.now.n, 1);
    hold_stop_all(&h, 11, &out);
    said(ACT_REVOKING, 11, "g");
}
END_TEST

/* Appends an item whose id is n times this letter. */
static void list_long(char letter, size_t n)
{
    static char id[PART_ID_MAX];

    memset(id, letter, n);
    own_write(&coder, &(struct own_item){{id, n}, 100, 10, {{0, 0}, 0}, false});
}

START_TEST(what_is_being_stopped_is_not_dropped_for_a_shorter_name)
{
    list_begin();
    list_long('g', PART_ID_MAX);
    list_end();
    apply(10);
    grant();
    ck_assert_uint_eq(h.held, 1);
    /* Its name has no room any more, that of the last one would. */
    list_begin();
    list_long('a', h.text_max - PART_ID_MAX + 1);
    list_long('h', 1);
    list_end();
    ck_assert_int_eq(hold_load(&h, record, record_n), STATUS_LIMIT);
    ck_assert_uint_eq(h.now.n, 1);
    ck_assert_uint_eq(h.held, 1);
}
END_TEST

START_TEST(memory_that_is_too_small_is_refused)
{
    size_t size = hold_size(PARTS_MAX), enough = 0;
    char *memory = malloc(size);

    for (size_t n = 0; n <= size; n++) {
        struct hold fresh = {0};
        struct arena arena;

        arena_init(&arena, memory, n);
        if (hold_init(&fresh, &arena, PARTS_MAX))
            enough = enough == 0 ? n : enough;
        else
            ck_assert_uint_eq(enough, 0); /* more memory never is less */
    }
    ck_assert_uint_gt(enough, PARTS_MAX * (3 * sizeof(struct part_view) +
                                           2 * sizeof(struct hold_entry)));
    free(memory);
}
END_TEST

UNIT_MAIN_WITH("hold_list", setup, teardown, slots_are_unique_small_and_used_again,
               a_fence_makes_every_slot_new, a_stopping_partition_keeps_its_slot,
               the_list_has_a_limit_and_keeps_what_it_had, long_ids_have_a_limit_too,
               a_record_that_does_not_decode_changes_nothing,
               what_is_being_stopped_takes_room_wherever_it_stands,
               memory_that_is_too_small_is_refused,
               what_is_being_stopped_is_not_dropped_for_a_shorter_name)
