#include "config.h"

/* core/edge: the parts that need no server. */
#include "edge/base64.h"
#include "edge/clock.h"
#include "edge/inbox.h"
#include "edge/nats_url.h"

#include "base/status.h"

#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- inbox */

static struct inbox *make_inbox(size_t items, size_t bytes, size_t reserve)
{
    const struct inbox_limits limits = {items, bytes, reserve};
    struct inbox *inbox = NULL;

    ck_assert_int_eq(inbox_create(&inbox, &limits), STATUS_OK);
    return inbox;
}

static int put(struct inbox *inbox, int kind, const char *data, size_t n)
{
    return inbox_put(inbox, inbox_item_create(kind, "s", NULL, data, n));
}

static bool is_readable(const struct inbox *inbox)
{
    struct pollfd ready = {.fd = inbox_fd(inbox), .events = POLLIN};

    return poll(&ready, 1, 0) == 1;
}

START_TEST(an_item_carries_copies_and_a_time)
{
    struct inbox *inbox = make_inbox(4, 100, 0);
    char subject[] = "a.b", data[] = "x\0y";
    uint64_t before = clock_boot_ns();
    struct inbox_item *item =
        inbox_item_create(INBOX_MESSAGE, subject, "r", data, sizeof data - 1);

    item->tag = 5;
    subject[0] = data[0] = '!';
    ck_assert_int_eq(inbox_put(inbox, item), STATUS_OK);
    item = inbox_pop(inbox);
    ck_assert_str_eq(item->subject, "a.b");
    ck_assert_str_eq(item->reply, "r");
    ck_assert_uint_eq(item->n, 3);
    ck_assert_int_eq(memcmp(item->data, "x\0y", 4), 0);
    ck_assert_int_eq(item->tag, 5);
    ck_assert_uint_ge(item->when_ns, before);
    inbox_item_free(item);
    ck_assert_ptr_null(inbox_pop(inbox));
    inbox_destroy(inbox);
}
END_TEST

START_TEST(the_inbox_is_readable_exactly_while_not_empty)
{
    struct inbox *inbox = make_inbox(4, 100, 0);

    ck_assert(!is_readable(inbox));
    for (int round = 0; round < 3; round++) {
        (void)put(inbox, INBOX_MESSAGE, "", 0);
        ck_assert(is_readable(inbox));
        (void)put(inbox, INBOX_MESSAGE, "", 0);
        inbox_item_free(inbox_pop(inbox));
        ck_assert(is_readable(inbox));
        inbox_item_free(inbox_pop(inbox));
        ck_assert(!is_readable(inbox));
    }
    inbox_destroy(inbox);
}
END_TEST

START_TEST(messages_are_dropped_at_either_limit_and_counted)
{
    struct inbox *inbox = make_inbox(3, 10, 0);

    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "12345678901", 11), STATUS_LIMIT);
    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "12345678", 8), STATUS_OK);
    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "123", 3), STATUS_LIMIT);
    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "12", 2), STATUS_OK);
    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "", 0), STATUS_OK);
    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "", 0), STATUS_LIMIT);
    ck_assert_uint_eq(inbox_counts(inbox).dropped, 3);
    ck_assert_uint_eq(inbox_counts(inbox).bytes, 10);
    inbox_item_free(inbox_pop(inbox));
    ck_assert_uint_eq(inbox_counts(inbox).bytes, 2);
    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "12345678", 8), STATUS_OK);
    inbox_destroy(inbox);
}
END_TEST

START_TEST(answers_have_room_where_messages_have_none)
{
    struct inbox *inbox = make_inbox(2, 10, 2);

    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "", 0), STATUS_OK);
    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "", 0), STATUS_OK);
    ck_assert_int_eq(put(inbox, INBOX_MESSAGE, "", 0), STATUS_LIMIT);
    ck_assert_int_eq(put(inbox, INBOX_LOG_ANSWER, "much more than 10", 17), STATUS_OK);
    ck_assert_int_eq(put(inbox, INBOX_LINK_DOWN, "", 0), STATUS_OK);
    ck_assert_int_eq(put(inbox, INBOX_LOG_ANSWER, "", 0), STATUS_LIMIT);
    ck_assert_uint_eq(inbox_counts(inbox).dropped, 1);
    ck_assert_uint_eq(inbox_counts(inbox).lost, 1);
    ck_assert_int_eq(inbox_put(inbox, NULL), STATUS_LIMIT);
    ck_assert_uint_eq(inbox_counts(inbox).dropped, 2);
    inbox_destroy(inbox);
}
END_TEST

enum { PRODUCERS = 4, EACH = 20000 };

struct producer {
    struct inbox *inbox;
    int number;
};

static void *produce(void *arg)
{
    const struct producer *producer = arg;

    for (int i = 0; i < EACH; i++) {
        struct inbox_item *item =
            inbox_item_create(INBOX_OTHER, NULL, NULL, &i, sizeof i);
        item->tag = producer->number;
        (void)inbox_put(producer->inbox, item);
    }
    return NULL;
}

START_TEST(many_writers_lose_nothing_and_keep_their_order)
{
    struct inbox *inbox = make_inbox(0, 0, PRODUCERS * EACH);
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    int expected[PRODUCERS] = {0};

    for (int p = 0; p < PRODUCERS; p++) {
        producers[p] = (struct producer){inbox, p};
        ck_assert_int_eq(pthread_create(&threads[p], NULL, produce, &producers[p]), 0);
    }
    for (int i = 0; i < PRODUCERS * EACH;) {
        struct pollfd ready = {.fd = inbox_fd(inbox), .events = POLLIN};
        ck_assert_int_eq(poll(&ready, 1, 10000), 1);
        for (struct inbox_item *item; (item = inbox_pop(inbox)) != NULL; i++) {
            ck_assert_int_eq(memcmp(item->data, &expected[item->tag], sizeof(int)), 0);
            expected[item->tag]++;
            inbox_item_free(item);
        }
    }
    for (int p = 0; p < PRODUCERS; p++)
        ck_assert_int_eq(pthread_join(threads[p], NULL), 0);
    ck_assert_uint_eq(inbox_counts(inbox).lost, 0);
    inbox_destroy(inbox);
}
END_TEST

/* ---- clock */

START_TEST(the_clocks_agree_with_the_system)
{
    char text[CLOCK_TEXT_ROOM];
    struct tm utc = {0};
    int ms = -1;

    uint64_t ns = clock_boot_ns();
    ck_assert_uint_ge(clock_boot_ms(), ns / CLOCK_NS_PER_MS);
    ck_assert_uint_lt(clock_boot_ms(), ns / CLOCK_NS_PER_MS + 1000);
    clock_wall_text(text);
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    ck_assert_ptr_nonnull(rest);
    ck_assert_int_eq(sscanf(rest, ".%3dZ", &ms), 1);
    ck_assert_uint_eq(strlen(text), strlen("2026-11-23T16:04:19.123Z"));
    ck_assert_int_le(labs((long)timegm(&utc) - (long)clock_wall_s()), 1);
    struct timespec later = clock_after_ms(1500), now;
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    long ahead =
        (later.tv_sec - now.tv_sec) * 1000 + (later.tv_nsec - now.tv_nsec) / 1000000;
    ck_assert_int_le(ahead, 1500);
    ck_assert_int_gt(ahead, 500);
    ck_assert_int_lt(later.tv_nsec, 1000000000);
}
END_TEST

/* ---- texts */

START_TEST(base64_is_that_of_rfc_4648)
{
    static const struct {
        const char *text, *plain;
    } good[] = {{"", ""},
                {"Zg==", "f"},
                {"Zm8=", "fo"},
                {"Zm9v", "foo"},
                {"Zm9vYg==", "foob"},
                {"Zm9vYmE=", "fooba"},
                {"+/+/", "\xfb\xff\xbf"}};
    static const char *const bad[] = {"Z", "Zg=", "Zg", "Z===", "Z=g=", "Zm9*", "===="};
    char to[16];
    size_t n = 99;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert(base64_decode(good[i].text, strlen(good[i].text), to, sizeof to, &n));
        ck_assert_uint_eq(n, strlen(good[i].plain));
        ck_assert_int_eq(memcmp(to, good[i].plain, n), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!base64_decode(bad[i], strlen(bad[i]), to, sizeof to, &n), "%s",
                      bad[i]);
    ck_assert(!base64_decode("Zm9v", 4, to, 2, &n));
    ck_assert(base64_decode("Zm8=", 4, to, 2, &n));
}
END_TEST

START_TEST(urls_are_taken_apart)
{
    static const struct {
        const char *list, *text, *user, *password;
        bool tls, has_password;
    } cases[] = {
        {"a", "nats://a:4222", "", "", false, false},
        {"nats://a.b:1", "nats://a.b:1", "", "", false, false},
        {" TLS://a/ ", "tls://a:4222", "", "", true, false},
        {"tls://[::1]:65535", "tls://[::1]:65535", "", "", true, false},
        {"[fe80::1]", "nats://[fe80::1]:4222", "", "", false, false},
        {"u:p@h", "nats://h:4222", "u", "p", false, true},
        {"u:p%40:%3a@h:5", "nats://h:5", "u", "p@::", false, true},
        {"nats://token@h", "nats://h:4222", "token", "", false, false},
        {"u:@h", "nats://h:4222", "u", "", false, true},
        {"a@b:c@h", "nats://h:4222", "a@b", "c", false, true},
    };
    char text[256], is[NATS_URL_TEXT_ROOM];
    struct nats_url url;
    size_t n = 0;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = nats_url_parse(cases[i].list, &url, 1, &n, text, sizeof text);
        ck_assert_msg(status == STATUS_OK, "%s: %s", cases[i].list, text);
        nats_url_text(&url, is);
        ck_assert_str_eq(is, cases[i].text);
        ck_assert_str_eq(url.user, cases[i].user);
        ck_assert_str_eq(url.password, cases[i].password);
        ck_assert_int_eq(url.tls, cases[i].tls);
        ck_assert_int_eq(url.has_password, cases[i].has_password);
    }
}
END_TEST

START_TEST(urls_that_are_none_are_refused_without_their_secrets)
{
    static const char *const bad[] = {"",
                                      ",",
                                      "a,",
                                      "ws://a",
                                      "://a",
                                      "nats://",
                                      "a:0",
                                      "a:65536",
                                      "a:x",
                                      "a:",
                                      "[::1",
                                      "[::1]x",
                                      "::1",
                                      "u:secret@",
                                      "u:secret%4@h",
                                      "u:secret%@h",
                                      "u:secret%00@h",
                                      "u:secret@a b",
                                      "a?b",
                                      "[a",
                                      "u:secret@h:99999",
                                      "[]:1"};
    char text[256];
    struct nats_url urls[2];
    size_t n = 0;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(nats_url_parse(bad[i], urls, 2, &n, text, sizeof text) ==
                          STATUS_INVALID,
                      "%s", bad[i]);
        ck_assert_ptr_null(strstr(text, "secret"));
    }
    ck_assert_int_eq(nats_url_parse("a,b,c", urls, 2, &n, text, sizeof text),
                     STATUS_LIMIT);
    ck_assert_int_eq(nats_url_parse("a, b", urls, 2, &n, text, sizeof text), STATUS_OK);
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(urls[1].host, "b");
}
END_TEST

UNIT_MAIN("edge", an_item_carries_copies_and_a_time,
          the_inbox_is_readable_exactly_while_not_empty,
          messages_are_dropped_at_either_limit_and_counted,
          answers_have_room_where_messages_have_none,
          many_writers_lose_nothing_and_keep_their_order,
          the_clocks_agree_with_the_system, base64_is_that_of_rfc_4648,
          urls_are_taken_apart, urls_that_are_none_are_refused_without_their_secrets)
