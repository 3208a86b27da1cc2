/* core/edge/nats_link against real servers. */
#include "rig.h"

#include "base/status.h"
#include "edge/clock.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

static void start(struct server *server, struct rig *rig, int i)
{
    server_start(server, &(struct server_options){.program = rig_program(i)});
    rig_init(rig, server->url);
    rig_expect(rig, INBOX_LINK_UP);
}

static void publish(struct rig *rig, const char *subject, const char *text)
{
    ck_assert_int_eq(nats_link_publish(rig->link, subject, NULL, text, strlen(text)),
                     STATUS_OK);
}

START_TEST(messages_arrive_whole_with_the_tag_of_their_subscription)
{
    struct server server;
    struct rig rig;

    start(&server, &rig, _i);
    ck_assert_int_eq(nats_link_subscribe(rig.link, "a.*", INBOX_MESSAGE, 1), STATUS_OK);
    ck_assert_int_eq(nats_link_subscribe(rig.link, "b", INBOX_OTHER, 2), STATUS_OK);
    ck_assert_int_eq(nats_link_publish(rig.link, "a.x", "answer.here", "h\0i", 3),
                     STATUS_OK);
    publish(&rig, "b", "");
    struct inbox_item *item = rig_next(&rig, INBOX_MESSAGE, 0);
    ck_assert_int_eq(item->tag, 1);
    ck_assert_str_eq(item->subject, "a.x");
    ck_assert_str_eq(item->reply, "answer.here");
    ck_assert_uint_eq(item->n, 3);
    ck_assert_int_eq(memcmp(item->data, "h\0i", 4), 0);
    ck_assert_uint_eq(item->seq, 0);
    inbox_item_free(item);
    item = rig_next(&rig, INBOX_OTHER, 0);
    ck_assert_int_eq(item->tag, 2);
    ck_assert_uint_eq(item->n, 0);
    ck_assert_str_eq(item->reply, "");
    inbox_item_free(item);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(messages_keep_their_order)
{
    enum { MESSAGES = 5000 };
    struct server server;
    struct rig rig;

    start(&server, &rig, _i);
    ck_assert_int_eq(nats_link_subscribe(rig.link, "n", INBOX_MESSAGE, 1), STATUS_OK);
    for (int n = 0; n < MESSAGES; n++)
        ck_assert_int_eq(nats_link_publish(rig.link, "n", NULL, &n, sizeof n), STATUS_OK);
    for (int n = 0; n < MESSAGES; n++) {
        struct inbox_item *item = rig_next(&rig, INBOX_MESSAGE, 0);
        ck_assert_int_eq(memcmp(item->data, &n, sizeof n), 0);
        inbox_item_free(item);
    }
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_subscription_made_before_the_server_exists_stands_when_it_comes)
{
    struct server server;
    struct rig rig;

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    server_stop(&server);
    rig_init(&rig, server.url);
    ck_assert_int_eq(nats_link_subscribe(rig.link, "a", INBOX_MESSAGE, 1), STATUS_OK);
    rig_expect(&rig, INBOX_LINK_ERROR);
    ck_assert(!nats_link_is_up(rig.link));
    ck_assert_int_eq(nats_link_publish(rig.link, "a", NULL, "x", 1), STATUS_OFFLINE);
    server_restart(&server);
    struct inbox_item *up = rig_next(&rig, INBOX_LINK_UP, 0);
    ck_assert_str_eq(up->data, server.url);
    inbox_item_free(up);
    publish(&rig, "a", "here");
    rig_expect(&rig, INBOX_MESSAGE);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(after_a_restart_it_is_up_again_and_nothing_old_goes_out)
{
    struct server server;
    struct rig rig, witness;

    start(&server, &rig, _i);
    server_kill(&server);
    /* From the kill on, whatever is published is refused or lost, never sent later. */
    while (nats_link_publish(rig.link, "stale", NULL, "x", 1) == STATUS_OK)
        (void)rig_try(&rig, INBOX_OTHER, 0, 1);
    rig_expect(&rig, INBOX_LINK_DOWN);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(nats_link_publish(rig.link, "stale", NULL, "x", 1),
                         STATUS_OFFLINE);

    /* The witness is there before the link comes back, for it is told the server last. */
    char text[256];
    ck_assert_int_eq(nats_link_set_url(rig.link, "nats://127.0.0.1:1", text, sizeof text),
                     STATUS_OK);
    rig_expect_error(&rig, INBOX_LINK_ERROR, 101,
                     (const char *const[]){"nothing listens on 127.0.0.1:1", NULL});
    server_restart(&server);
    rig_init(&witness, server.url);
    ck_assert_int_eq(nats_link_subscribe(witness.link, ">", INBOX_MESSAGE, 1), STATUS_OK);
    rig_expect(&witness, INBOX_LINK_UP);
    ck_assert_int_eq(nats_link_set_url(rig.link, server.url, text, sizeof text),
                     STATUS_OK);
    rig_expect(&rig, INBOX_LINK_UP);
    publish(&rig, "fresh", "y");
    struct inbox_item *item = rig_next(&witness, INBOX_MESSAGE, 0);
    ck_assert_str_eq(item->subject, "fresh");
    inbox_item_free(item);
    ck_assert_uint_eq(nats_link_connects(rig.link), 2);
    rig_finish(&rig);
    rig_finish(&witness);
    server_finish(&server);
}
END_TEST

START_TEST(a_restarted_server_is_back_within_a_second)
{
    struct server server;
    struct rig rig;

    start(&server, &rig, _i);
    server_kill(&server);
    rig_expect(&rig, INBOX_LINK_DOWN);
    server_restart(&server);
    uint64_t before = clock_boot_ms();
    rig_expect(&rig, INBOX_LINK_UP);
    ck_assert_uint_lt(clock_boot_ms() - before, 1000);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_frozen_server_is_given_up_for_the_next_one)
{
    struct server first, second;
    struct rig rig;
    char url[160];

    server_start(&first, &(struct server_options){.program = rig_program(_i)});
    server_start(&second, &(struct server_options){.program = rig_program(_i)});
    (void)snprintf(url, sizeof url, "%s, %s", first.url, second.url);
    rig_init(&rig, url);
    rig_expect(&rig, INBOX_LINK_UP);
    server_freeze(&first);
    uint64_t before = clock_boot_ms();
    struct inbox_item *down = rig_next(&rig, INBOX_LINK_DOWN, 0);
    ck_assert_int_eq(down->code, 107);
    inbox_item_free(down);
    struct inbox_item *up = rig_next(&rig, INBOX_LINK_UP, 0);
    uint64_t took = clock_boot_ms() - before;
    ck_assert_str_eq(up->data, second.url);
    inbox_item_free(up);
    (void)printf("  frozen server to the next one: %d ms\n", (int)took);
    ck_assert_uint_lt(took, 1500);
    server_thaw(&first);
    rig_finish(&rig);
    server_finish(&first);
    server_finish(&second);
}
END_TEST

START_TEST(the_loop_can_force_the_next_server)
{
    struct server first, second;
    struct rig rig;
    char url[160], name[80];

    server_start(&first, &(struct server_options){.program = rig_program(_i)});
    server_start(&second, &(struct server_options){.program = rig_program(_i)});
    (void)snprintf(url, sizeof url, "%s,%s", first.url, second.url);
    rig_init(&rig, url);
    rig_expect(&rig, INBOX_LINK_UP);
    nats_link_force_reconnect(rig.link);
    rig_expect(&rig, INBOX_LINK_DOWN);
    rig_expect(&rig, INBOX_LINK_UP);
    nats_link_server(rig.link, name, sizeof name);
    ck_assert_str_eq(name, second.url);
    rig_finish(&rig);
    server_finish(&first);
    server_finish(&second);
}
END_TEST

START_TEST(an_unsubscribed_subject_is_silent_also_after_a_reconnect)
{
    struct server server;
    struct rig rig;

    start(&server, &rig, _i);
    for (int i = 0; i < 3 * NATS_LINK_SUBSCRIPTIONS_MAX; i++) {
        ck_assert_int_eq(nats_link_subscribe(rig.link, "a", INBOX_MESSAGE, 1), STATUS_OK);
        nats_link_unsubscribe(rig.link, "a", 1);
    }
    ck_assert_int_eq(nats_link_subscribe(rig.link, "b", INBOX_MESSAGE, 2), STATUS_OK);
    for (int round = 0; round < 2; round++) {
        publish(&rig, "a", "x");
        publish(&rig, "b", "y");
        struct inbox_item *item = rig_next(&rig, INBOX_MESSAGE, 0);
        ck_assert_str_eq(item->subject, "b");
        inbox_item_free(item);
        nats_link_force_reconnect(rig.link);
        rig_expect(&rig, INBOX_LINK_UP);
    }
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_message_larger_than_the_server_takes_is_refused_here)
{
    struct server server;
    struct rig rig;
    static char data[2 << 20];

    start(&server, &rig, _i);
    ck_assert_uint_eq(nats_link_max_payload(rig.link), 1 << 20);
    ck_assert_int_eq(nats_link_publish(rig.link, "a", NULL, data, sizeof data),
                     STATUS_LIMIT);
    ck_assert(nats_link_is_up(rig.link));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_subject_cannot_carry_protocol)
{
    struct server server;
    struct rig rig;
    static const char *const subjects[] = {"", "a b", "a\r\nPUB b 0\r\n", "a\tb",
                                           "a\x7f"};

    start(&server, &rig, _i);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        ck_assert_int_eq(nats_link_publish(rig.link, subjects[i], NULL, "", 0),
                         STATUS_INVALID);
        ck_assert_int_eq(nats_link_publish(rig.link, "a", subjects[i], "", 0),
                         STATUS_INVALID);
        ck_assert_int_eq(nats_link_subscribe(rig.link, subjects[i], INBOX_MESSAGE, 0),
                         STATUS_INVALID);
    }
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_full_inbox_drops_messages_and_keeps_the_rest)
{
    struct server server;
    struct rig rig = {0};
    const struct inbox_limits limits = {100, 1 << 20, 10};
    const struct nats_link_options options = {.url = server.url};
    char text[256];

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    ck_assert_int_eq(inbox_create(&rig.inbox, &limits), STATUS_OK);
    ck_assert_int_eq(nats_link_create(&rig.link, rig.inbox, &options, text, sizeof text),
                     STATUS_OK);
    rig_expect(&rig, INBOX_LINK_UP);
    ck_assert_int_eq(nats_link_subscribe(rig.link, "a", INBOX_MESSAGE, 1), STATUS_OK);
    ck_assert_int_eq(nats_link_subscribe(rig.link, "end", INBOX_OTHER, 1), STATUS_OK);
    for (int i = 0; i < 500; i++)
        publish(&rig, "a", "x");
    publish(&rig, "end", "");
    /* Nobody reads until the last one lies there. */
    uint64_t deadline = clock_boot_ms() + RIG_WAIT_MS;
    while (inbox_counts(rig.inbox).items <= 100 && clock_boot_ms() < deadline)
        continue;
    ck_assert_uint_eq(inbox_counts(rig.inbox).dropped, 400);
    rig_expect(&rig, INBOX_OTHER);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

static long open_files(void)
{
    long n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

START_TEST(forty_reconnects_leave_nothing_behind)
{
    struct server server;
    struct rig rig;
    long files = 0;
    size_t heap = 0;

    start(&server, &rig, _i);
    for (int i = 0; i < 40; i++) {
        if (i == 10) {
            files = open_files();
            heap = mallinfo2().uordblks;
        }
        nats_link_force_reconnect(rig.link);
        rig_expect(&rig, INBOX_LINK_DOWN);
        rig_expect(&rig, INBOX_LINK_UP);
    }
    ck_assert_int_eq(open_files(), files);
    /* One connection alone is 40 KB. */
    ck_assert_uint_lt(mallinfo2().uordblks, heap + 100 * 1024);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

RIG_MAIN("nats_link", messages_arrive_whole_with_the_tag_of_their_subscription,
         messages_keep_their_order,
         a_subscription_made_before_the_server_exists_stands_when_it_comes,
         after_a_restart_it_is_up_again_and_nothing_old_goes_out,
         a_restarted_server_is_back_within_a_second,
         a_frozen_server_is_given_up_for_the_next_one, the_loop_can_force_the_next_server,
         an_unsubscribed_subject_is_silent_also_after_a_reconnect,
         a_message_larger_than_the_server_takes_is_refused_here,
         a_subject_cannot_carry_protocol, a_full_inbox_drops_messages_and_keeps_the_rest,
         forty_reconnects_leave_nothing_behind)
