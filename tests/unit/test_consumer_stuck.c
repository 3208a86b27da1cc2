/* core/host/consumer_stuck: one cause is one message, with its number of partitions. */
#include "host/consumer_stuck.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

enum { BEGAN = 1000000, PARTS = 64 };

static struct stuck stuck;
static uint32_t mark[PARTS];
static char text[STUCK_TEXT_ROOM];

static void setup(void)
{
    stuck = (struct stuck){0};
    memset(mark, 0, sizeof mark);
}

static void add(uint32_t part, const char *cause, uint64_t ms)
{
    char id[16];

    (void)snprintf(id, sizeof id, "p/%u", (unsigned)part);
    stuck_add(&stuck, &mark[part], id, cause, BEGAN + ms);
}

/* Exactly this is told at that time; NULL: nothing. */
static void tells(const char *expected, uint64_t ms)
{
    if (expected != NULL) {
        ck_assert_uint_le(stuck_due_ms(&stuck), BEGAN + ms);
        ck_assert(stuck_next(&stuck, BEGAN + ms, text));
        ck_assert_str_eq(text, expected);
    }
    ck_assert(!stuck_next(&stuck, BEGAN + ms, text));
    ck_assert_uint_gt(stuck_due_ms(&stuck), BEGAN + ms);
}

START_TEST(a_cause_is_told_once_with_all_that_have_it)
{
    for (uint32_t i = 0; i < PARTS; i++)
        add(i, "no subject by 'a.{2}'", i);
    tells(NULL, STUCK_GATHER_MS - 1);
    tells("64 partitions, one of them p/0, cannot be read: no subject by 'a.{2}'. They "
          "are tried again",
          STUCK_GATHER_MS);
    for (uint64_t ms = 1000; ms < STUCK_AGAIN_MS; ms += 10000) {
        for (uint32_t i = 0; i < PARTS; i++)
            add(i, "no subject by 'a.{2}'", ms);
        tells(NULL, ms);
    }
}
END_TEST

START_TEST(one_partition_is_told_by_its_name)
{
    add(7, "it is gone", 0);
    tells("partition p/7 cannot be read: it is gone. It is tried again", STUCK_GATHER_MS);
}
END_TEST

START_TEST(what_still_fails_after_a_long_time_is_told_once_more)
{
    add(1, "it is gone", 0);
    tells("partition p/1 cannot be read: it is gone. It is tried again", STUCK_GATHER_MS);
    tells(NULL, STUCK_GATHER_MS + STUCK_AGAIN_MS); /* nothing has been tried */
    add(1, "it is gone", STUCK_GATHER_MS + STUCK_AGAIN_MS);
    tells("partition p/1 cannot be read: it is gone. It is tried again",
          STUCK_GATHER_MS + STUCK_AGAIN_MS);
}
END_TEST

START_TEST(another_cause_is_told_and_digits_make_no_other)
{
    add(1, "partition 1 of a is gone", 0);
    add(2, "partition 22 of a is gone", 0);
    tells("2 partitions, one of them p/1, cannot be read: partition 1 of a is gone. They "
          "are tried again",
          STUCK_GATHER_MS);
    add(2, "no right to read", 1000);
    tells("partition p/2 cannot be read: no right to read. It is tried again", 2000);
    add(1, "partition 1 of a is gone", 3000);
    tells(NULL, 9000);
}
END_TEST

START_TEST(what_comes_and_goes_is_no_news_and_what_was_well_for_long_is)
{
    add(1, "too long", 0);
    tells("partition p/1 cannot be read: too long. It is tried again", STUCK_GATHER_MS);
    for (uint64_t ms = 1000; ms < 200000; ms += 10000) {
        stuck_end(&stuck, &mark[1], BEGAN + ms);
        add(1, "too long", ms + 9000);
        tells(NULL, ms + 9999);
    }
    stuck_end(&stuck, &mark[1], BEGAN + 200000);
    add(1, "too long", 200000 + STUCK_PAST_MS);
    tells("partition p/1 cannot be read: too long. It is tried again",
          200000 + STUCK_PAST_MS + STUCK_GATHER_MS);
}
END_TEST

START_TEST(what_passes_at_once_is_not_told)
{
    add(1, "too long", 0);
    stuck_end(&stuck, &mark[1], BEGAN + 1);
    tells(NULL, 5000);
    stuck_end(&stuck, &mark[1], BEGAN + 6000); /* it has none */
    add(1, "too long", 7000);
    tells("partition p/1 cannot be read: too long. It is tried again", 8000);
}
END_TEST

START_TEST(more_causes_than_there_is_room_for_are_not_told)
{
    for (uint32_t i = 0; i < STUCK_MAX + 4; i++) {
        char cause[2] = {(char)('a' + i), '\0'};

        add(i, cause, 0);
    }
    uint32_t told = 0;
    while (stuck_next(&stuck, BEGAN + STUCK_GATHER_MS, text))
        told++;
    ck_assert_uint_eq(told, STUCK_MAX);
    for (uint32_t i = 0; i < STUCK_MAX + 4; i++)
        stuck_end(&stuck, &mark[i], BEGAN + 1000);
    add(0, "another", 1000 + STUCK_PAST_MS); /* there is room again */
    tells("partition p/0 cannot be read: another. It is tried again",
          2000 + STUCK_PAST_MS);
}
END_TEST

UNIT_MAIN_WITH("consumer_stuck", setup, NULL, a_cause_is_told_once_with_all_that_have_it,
               one_partition_is_told_by_its_name,
               what_still_fails_after_a_long_time_is_told_once_more,
               another_cause_is_told_and_digits_make_no_other,
               what_comes_and_goes_is_no_news_and_what_was_well_for_long_is,
               what_passes_at_once_is_not_told,
               more_causes_than_there_is_room_for_are_not_told)
