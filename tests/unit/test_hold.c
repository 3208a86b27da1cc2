/* core/proto/hold: what a worker holds, stops and reports, step by step.  Partitions are
 * letters here: "ab" are two.
 */
#include "proto/hold.h"

#include "base/status.h"

#include "unit.h"

#include <string.h>

enum { PARTS_MAX = 6, GEN = 9 };

static const struct session self = {1, 1}, other = {2, 2};

static struct hold h;
static struct actions out;
static struct head_member member[2];
static struct head head;
static uint8_t record[64 * 1024];
static size_t record_n;
static struct own_coder coder;
static void *block;

static void setup(void)
{
    struct arena arena;

    block = calloc(1, hold_size(PARTS_MAX));
    arena_init(&arena, block, hold_size(PARTS_MAX));
    h = (struct hold){0};
    ck_assert(hold_init(&h, &arena, PARTS_MAX));
    member[0] = (struct head_member){.num = 0, .session = self};
    member[1] = (struct head_member){.num = 1, .session = other};
    head = (struct head){.stamp = {GEN, 10}, .n = 2, .member = member};
    out.n = 0;
    hold_begin_step(&h);
}

static void teardown(void)
{
    free(block);
}

static void list_begin(void)
{
    /* Its epoch does not matter here, only that no grant is younger. */
    own_write_begin(&coder, record, sizeof record, (struct stamp){head.stamp.gen, 1000},
                    self);
}

static void list_add(char id, uint64_t since, struct own_from from, bool is_parked)
{
    struct own_item item = {{&id, 1}, 100, since, from, is_parked};

    own_write(&coder, &item);
}

static void list_end(void)
{
    record_n = own_write_end(&coder);
    ck_assert_uint_gt(record_n, 0);
}

/* A record that lists each letter, granted at 'since' without a demand. */
static void list(const char *ids, uint64_t since)
{
    list_begin();
    for (const char *c = ids; *c != '\0'; c++)
        list_add(*c, since, (struct own_from){0}, false);
    list_end();
}

/* A step that applies the record under head 'epoch'. */
static void apply(uint64_t epoch)
{
    uint64_t before = head.stamp.epoch;

    out.n = 0;
    hold_begin_step(&h);
    head.stamp.epoch = epoch;
    ck_assert_int_eq(hold_load(&h, record, record_n), 0);
    hold_judge(&h, &head, false, before, &out);
}

static void grant(void)
{
    hold_grant(&h, head.stamp.epoch, &out);
}

static void release(uint64_t epoch)
{
    out.n = 0;
    hold_begin_step(&h);
    hold_released(&h, epoch, &out);
}

/* The newest step said this and nothing else; "" for nothing at all. */
static void said(enum action_type type, uint64_t epoch, const char *ids)
{
    if (*ids == '\0') {
        ck_assert_uint_eq(out.n, 0);
        return;
    }
    ck_assert_uint_eq(out.n, 1);
    ck_assert_int_eq(out.v[0].type, type);
    ck_assert_uint_eq(out.v[0].parts.epoch, epoch);
    ck_assert_uint_eq(out.v[0].parts.n, strlen(ids));
    for (uint32_t i = 0; i < out.v[0].parts.n; i++) {
        const struct part_view *v = &out.v[0].parts.part[i];

        ck_assert_uint_eq(v->id.n, 1);
        ck_assert_int_eq(v->id.at[0], ids[i]);
        ck_assert_uint_eq(v->gen, GEN);
        ck_assert_uint_eq(v->weight, 100);
    }
    out.n = 0;
}

/* Holds exactly these, listed at epoch 10, and has said so. */
static void hold_these(const char *ids)
{
    list(ids, 10);
    apply(10);
    grant();
    said(ACT_GRANTED, 10, ids);
}

START_TEST(what_is_listed_is_granted_once)
{
    hold_these("abc");
    ck_assert_uint_eq(h.held, 3);
    grant();
    said(ACT_GRANTED, 0, "");
    apply(11); /* the same record again */
    grant();
    said(ACT_GRANTED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
}
END_TEST

START_TEST(nothing_is_taken_before_it_is_granted)
{
    list("ab", 10);
    apply(10);
    said(ACT_GRANTED, 0, "");
    ck_assert_uint_eq(h.held, 0);
}
END_TEST

START_TEST(a_demand_keeps_a_grant_back_until_it_is_met)
{
    list_begin();
    list_add('a', 10, (struct own_from){0}, false);
    list_add('b', 10, (struct own_from){other, 10}, false);
    list_add('c', 10, (struct own_from){other, 9}, false);
    list_end();
    member[1].released = 9;
    apply(10);
    grant();
    said(ACT_GRANTED, 10, "ac");
    member[1].released = 10;
    apply(11);
    grant();
    said(ACT_GRANTED, 11, "b");
}
END_TEST

START_TEST(a_demand_on_a_session_that_has_gone_is_met)
{
    list_begin();
    list_add('b', 10, (struct own_from){other, 10}, false);
    list_end();
    head.n = 1;
    apply(10);
    grant();
    said(ACT_GRANTED, 10, "b");
}
END_TEST

START_TEST(parked_partitions_are_not_held)
{
    hold_these("ab");
    list_begin();
    list_add('a', 11, (struct own_from){0}, true);
    list_add('b', 10, (struct own_from){0}, false);
    list_end();
    apply(11);
    said(ACT_REVOKING, 11, "a");
    grant();
    said(ACT_GRANTED, 0, "");
    release(11);
    said(ACT_RELEASED, 11, "a");
    grant();
    said(ACT_GRANTED, 0, "");
}
END_TEST

START_TEST(whoever_is_away_holds_nothing)
{
    hold_these("ab");
    out.n = 0;
    hold_begin_step(&h);
    head.stamp.epoch = 11;
    hold_judge(&h, &head, true, 10, &out);
    said(ACT_REVOKING, 11, "ab");
    release(11);
    said(ACT_RELEASED, 11, "ab");
    grant();
    said(ACT_GRANTED, 0, "");
}
END_TEST

START_TEST(a_revoke_comes_first_and_counts_until_it_is_answered)
{
    hold_these("ab");
    list("bc", 10);
    apply(11);
    said(ACT_REVOKING, 11, "a");
    grant();
    said(ACT_GRANTED, 11, "c");
    ck_assert_uint_eq(h.held, 2);
    ck_assert_uint_eq(h.stopping, 1);
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    release(10); /* an answer to something earlier */
    said(ACT_RELEASED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    release(11);
    said(ACT_RELEASED, 11, "a");
    ck_assert_uint_eq(h.stopping, 0);
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
    release(11);
    said(ACT_RELEASED, 0, "");
}
END_TEST

START_TEST(one_answer_covers_every_earlier_revoke)
{
    hold_these("abc");
    list("bc", 10);
    apply(11);
    list("c", 10);
    apply(12);
    ck_assert_uint_eq(hold_released_through(&h, 12), 10); /* the oldest counts */
    release(11);
    said(ACT_RELEASED, 11, "a");
    ck_assert_uint_eq(hold_released_through(&h, 12), 11);
    list("", 10);
    apply(13);
    said(ACT_REVOKING, 13, "c");
    release(13);
    said(ACT_RELEASED, 13, "bc");
    ck_assert_uint_eq(hold_released_through(&h, 13), 13);
}
END_TEST

START_TEST(a_stop_outlives_its_listing)
{
    hold_these("ab");
    list("b", 10);
    apply(11);
    list("b", 10);
    apply(12);
    apply(13);
    ck_assert_int_eq(hold_load(&h, NULL, 0), 0); /* not even a record is left */
    ck_assert_uint_eq(h.now.n, 2);
    ck_assert_uint_eq(hold_released_through(&h, 13), 10);
    hold_judge(&h, &head, false, 13, &out);
    said(ACT_REVOKING, 13, "b");
    release(13);
    said(ACT_RELEASED, 13, "ab");
    ck_assert_int_eq(hold_load(&h, NULL, 0), 0);
    ck_assert_uint_eq(h.now.n, 0);
}
END_TEST

START_TEST(skipped_heads_make_one_revoke_that_vouches_for_the_last_head_applied)
{
    hold_these("ab");
    list("b", 10);
    apply(15); /* 11 to 14 were never seen; any of them may have taken it */
    said(ACT_REVOKING, 15, "a");
    ck_assert_uint_eq(hold_released_through(&h, 15), 10);
}
END_TEST

START_TEST(what_was_taken_and_given_back_in_skipped_heads_is_stopped_first)
{
    hold_these("ab");
    list_begin();
    list_add('a', 12, (struct own_from){0}, false); /* a new grant of the same */
    list_add('b', 10, (struct own_from){0}, false);
    list_end();
    apply(13);
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 10); /* under its old token */
    said(ACT_REVOKING, 13, "a");
    grant();
    said(ACT_GRANTED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 13), 10);
    release(13);
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 10);
    said(ACT_RELEASED, 13, "a");
    grant();
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 12);
    said(ACT_GRANTED, 13, "a");
}
END_TEST

START_TEST(what_comes_back_while_it_is_stopped_waits_for_the_stop)
{
    hold_these("a");
    list("", 10);
    apply(11);
    said(ACT_REVOKING, 11, "a");
    list("a", 12);
    apply(12);
    grant();
    said(ACT_GRANTED, 0, "");
    release(11);
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 10);
    said(ACT_RELEASED, 11, "a");
    grant();
    ck_assert_uint_eq(out.v[0].parts.part[0].since, 12);
    said(ACT_GRANTED, 12, "a");
}
END_TEST

START_TEST(stopping_all_is_like_a_head_that_took_all)
{
    hold_these("abc");
    apply(11);
    hold_stop_all(&h, 11, &out);
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    said(ACT_REVOKING, 11, "abc");
    release(11);
    said(ACT_RELEASED, 11, "abc");
    hold_stop_all(&h, 0, &out); /* nothing any more */
    said(ACT_REVOKING, 0, "");
}
END_TEST

START_TEST(stopping_all_joins_what_is_stopped_already)
{
    hold_these("abc");
    list("bc", 10);
    apply(11);
    out.n = 0;
    hold_stop_all(&h, 11, &out);
    said(ACT_REVOKING, 11, "bc");
    ck_assert_uint_eq(h.held, 0);
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    release(11);
    said(ACT_RELEASED, 11, "abc");
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
}
END_TEST

START_TEST(a_fence_ends_everything_a_stop_under_way_too)
{
    hold_these("abc");
    list("bc", 10);
    apply(11);
    out.n = 0;
    ck_assert(hold_fence(&h));
    ck_assert(!hold_fence(&h)); /* there is nothing any more */
    ck_assert_uint_eq(h.held + h.stopping, 0);
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
    release(11);
    said(ACT_RELEASED, 0, "");
    /* With a new lease: what is listed, not what was being given up. */
    grant();
    said(ACT_GRANTED, 11, "bc");
}
END_TEST

START_TEST(from_the_warning_to_the_deadline_no_release_gets_through)
{
    hold_these("ab");
    list("b", 10);
    apply(11);
    said(ACT_REVOKING, 11, "a");
    hold_fence_begin(&h, 11);
    said(ACT_REVOKING, 0, ""); /* the application hears of it as a fence */
    ck_assert_uint_eq(h.held, 0);
    ck_assert_uint_eq(h.stopping, 2);
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    release(11); /* what it was asked to stop is another matter */
    said(ACT_RELEASED, 11, "a");
    release(12);
    said(ACT_RELEASED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 11), 10);
    ck_assert_uint_eq(hold_released_through(&h, 99), 10);
    grant();
    said(ACT_GRANTED, 0, "");
    ck_assert(hold_fence(&h));
    ck_assert_uint_eq(hold_released_through(&h, 11), 11);
}
END_TEST

START_TEST(no_word_of_the_application_ends_a_fence_early)
{
    hold_these("ab");
    hold_fence_begin(&h, 10);
    release(UINT64_MAX); /* "everything, for ever": but this was never revoked */
    said(ACT_RELEASED, 0, "");
    ck_assert_uint_eq(h.stopping, 2);
    ck_assert_uint_eq(hold_released_through(&h, 10), 9);
}
END_TEST

START_TEST(heads_applied_between_warning_and_deadline_change_nothing_of_it)
{
    hold_these("ab");
    hold_fence_begin(&h, 10);
    list("bc", 10);
    apply(11);
    said(ACT_REVOKING, 0, "");
    release(11);
    said(ACT_RELEASED, 0, "");
    ck_assert_uint_eq(hold_released_through(&h, 11), 9);
    ck_assert(hold_fence(&h));
    grant();
    said(ACT_GRANTED, 11, "bc");
}
END_TEST

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
    for (char c = 'a'; c < 'a' + PARTS_MAX; c++) {
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

UNIT_MAIN_WITH(
    "hold", setup, teardown, what_is_listed_is_granted_once,
    nothing_is_taken_before_it_is_granted, a_demand_keeps_a_grant_back_until_it_is_met,
    a_demand_on_a_session_that_has_gone_is_met, parked_partitions_are_not_held,
    whoever_is_away_holds_nothing, a_revoke_comes_first_and_counts_until_it_is_answered,
    one_answer_covers_every_earlier_revoke, a_stop_outlives_its_listing,
    skipped_heads_make_one_revoke_that_vouches_for_the_last_head_applied,
    what_was_taken_and_given_back_in_skipped_heads_is_stopped_first,
    what_comes_back_while_it_is_stopped_waits_for_the_stop,
    stopping_all_is_like_a_head_that_took_all, stopping_all_joins_what_is_stopped_already,
    a_fence_ends_everything_a_stop_under_way_too,
    from_the_warning_to_the_deadline_no_release_gets_through,
    no_word_of_the_application_ends_a_fence_early,
    heads_applied_between_warning_and_deadline_change_nothing_of_it,
    slots_are_unique_small_and_used_again, a_fence_makes_every_slot_new,
    a_stopping_partition_keeps_its_slot, the_list_has_a_limit_and_keeps_what_it_had,
    long_ids_have_a_limit_too, a_record_that_does_not_decode_changes_nothing)
