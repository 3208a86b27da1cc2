/* core/host/consumer_message: copies, their blocks, and how many bytes there may be. */
#include "host/consumer_message.h"

#include "base/status.h"

#include "unit.h"

#include <stdlib.h>

static struct message_pool pool;

START_TEST(a_message_is_copied_whole_and_its_block_is_used_again)
{
    static const uint64_t name_end[] = {1, 3}, value_end[] = {0, 4};
    const struct parti_consumer_message m = {.size = sizeof m,
                                             .position = 7,
                                             .subject = "subject",
                                             .key = "k",
                                             .key_n = 1,
                                             .data = "a\0b",
                                             .data_n = 3,
                                             .header_name = {"xyz", name_end, 2},
                                             .header_value = {"four", value_end, 2}};
    struct message_batch *one = NULL, *two = NULL;

    message_pool_init(&pool);
    ck_assert_ptr_null(message_fault(&m));
    ck_assert_int_eq(message_copy(&pool, &m, 1, false, &one), STATUS_OK);
    const struct message *a = &one->message[0];
    ck_assert_str_eq(a->given.subject, "subject");
    ck_assert_mem_eq(a->given.data, "a\0b", 4);
    ck_assert_str_eq(a->header[0].name, "x");
    ck_assert_str_eq(a->header[0].value, "");
    ck_assert_str_eq(a->header[1].name, "yz");
    ck_assert_str_eq(a->header[1].value, "four");
    ck_assert_uint_eq(a->given.header_value.end[1], 4);
    message_ref(&one->message[0], 1);
    message_unref(&pool, one, 1);
    ck_assert_uint_gt(pool.used, 0);
    message_unref(&pool, one, 1);
    ck_assert_uint_eq(pool.used, 0);
    ck_assert_int_eq(message_copy(&pool, &m, 1, false, &two), STATUS_OK);
    ck_assert_ptr_eq(one, two);
    message_unref(&pool, two, 1);
    message_pool_finish(&pool); /* and all was given back */
}
END_TEST

START_TEST(bytes_are_bounded_but_for_whoever_has_nothing)
{
    enum { LARGE = 40 * 1024 * 1024 };
    char *data = calloc(1, LARGE);
    const struct parti_consumer_message m = {
        .size = sizeof m, .subject = "s", .data = data, .data_n = LARGE};
    struct message_batch *list[8];
    int n = 0;

    ck_assert_ptr_nonnull(data);
    message_pool_init(&pool);
    while (n < 7 && message_copy(&pool, &m, 1, false, &list[n]) == STATUS_OK)
        n++;
    ck_assert_int_gt(n, 2);
    ck_assert_int_lt(n, 7);
    ck_assert_int_eq(message_copy(&pool, &m, 1, true, &list[n]), STATUS_OK);
    for (int i = 0; i <= n; i++)
        message_unref(&pool, list[i], 1);
    free(data);
    message_pool_finish(&pool); /* and all was given back */
}
END_TEST

START_TEST(unsound_messages_are_told_apart)
{
    static const uint64_t falling[] = {3, 1};
    struct parti_consumer_message m = {.size = sizeof m, .subject = "s"};

    ck_assert_ptr_null(message_fault(&m));
    m.data_n = 1;
    ck_assert_str_eq(message_fault(&m), "has a length without bytes");
    m.data_n = 0;
    m.header_name = m.header_value = (struct parti_strs){"abc", falling, 2};
    ck_assert_str_eq(message_fault(&m), "has headers whose ends do not ascend");
    m.header_value.n = 1;
    ck_assert_str_eq(message_fault(&m), "has more header names than values, or too many");
    m = (struct parti_consumer_message){.size = 8, .subject = "s"};
    ck_assert_str_eq(message_fault(&m), "is smaller than the interface says");
}
END_TEST

/* Messages 0 to n-1 of so many bytes, of two subjects in turn where 'is_mixed'. */
static struct message_batch *copy_many(uint32_t n, size_t bytes, bool is_mixed)
{
    static char data[BATCH_BYTES_MAX];
    static const char *const subject[] = {"even", "odd"};
    struct parti_consumer_message m[BATCH_MESSAGES_MAX + 1];
    struct message_batch *list = NULL;

    for (uint32_t i = 0; i < n; i++)
        m[i] = (struct parti_consumer_message){.size = sizeof m[i],
                                               .position = i,
                                               .subject = subject[is_mixed ? i % 2 : 0],
                                               .data = data,
                                               .data_n = bytes};
    ck_assert_int_eq(message_copy(&pool, m, n, false, &list), STATUS_OK);
    return list;
}

static void drop_all(struct message_batch *list)
{
    while (list != NULL) {
        struct message_batch *b = list;

        list = b->next;
        message_unref(&pool, b, b->n);
    }
    ck_assert_uint_eq(pool.used, 0);
}

START_TEST(messages_that_come_together_lie_in_one_block)
{
    message_pool_init(&pool);
    for (int is_mixed = 0; is_mixed < 2; is_mixed++) {
        struct message_batch *b = copy_many(5, 100, is_mixed);

        ck_assert_ptr_null(b->next);
        ck_assert_uint_eq(b->n, 5);
        for (uint32_t i = 0; i < b->n; i++) {
            const struct parti_consumer_message *m = &b->message[i].given;
            uintptr_t at = (uintptr_t)m->data, end = (uintptr_t)b + b->room;

            ck_assert_ptr_eq(b->message[i].batch, b);
            ck_assert_uint_eq(m->position, i);
            ck_assert_str_eq(m->subject, is_mixed && i % 2 > 0 ? "odd" : "even");
            ck_assert_uint_eq(m->data_n, 100);
            ck_assert_uint_eq(m->data[100], 0);
            ck_assert(at > (uintptr_t)&b->message[5] && at + 101 <= end);
        }
        drop_all(b);
    }
    message_pool_finish(&pool);
}
END_TEST

/* One that waits keeps its neighbours: few of them. */
START_TEST(a_block_has_so_many_messages_and_so_many_bytes_at_most)
{
    message_pool_init(&pool);
    struct message_batch *b = copy_many(BATCH_MESSAGES_MAX + 1, 1, false);
    ck_assert_uint_eq(b->n, BATCH_MESSAGES_MAX);
    ck_assert_uint_eq(b->next->n, 1);
    ck_assert_uint_eq(b->next->message[0].given.position, BATCH_MESSAGES_MAX);
    drop_all(b);
    b = copy_many(3, BATCH_BYTES_MAX / 3, false);
    ck_assert_uint_eq(b->n, 2);
    ck_assert_uint_eq(b->next->n, 1);
    drop_all(b);
    b = copy_many(2, BATCH_BYTES_MAX, false);
    ck_assert_uint_eq(b->n, 1);
    ck_assert_uint_eq(b->next->n, 1);
    drop_all(b);
    message_pool_finish(&pool);
}
END_TEST

UNIT_MAIN("consumer_message", a_message_is_copied_whole_and_its_block_is_used_again,
          messages_that_come_together_lie_in_one_block,
          a_block_has_so_many_messages_and_so_many_bytes_at_most,
          bytes_are_bounded_but_for_whoever_has_nothing, unsound_messages_are_told_apart)
