/* Groups that read one stream and have no 'name' in [consume]: alike in all that they
 * know, since they began in the same second and their partitions have the same ids. */
#include "config.h"

#include "jet_crowd.h"

#include <string.h>

enum { MANY = 100 };

static struct jet_bench b;
static struct jet_host one, two;

static void begin(int i, const char *retention)
{
    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
    crowd_stream(&b, retention, "memory", -1);
}

static void end(void)
{
    host_finish(&two);
    host_finish(&one);
    jet_finish(&b);
}

static void join(struct jet_host *h, const char *subject)
{
    const char *const pairs[] = {"url", b.url, "stream", "S", "subject", subject, NULL};

    host_start(h, pairs);
    ck_assert_msg(h->self != NULL, "%s", h->error.text);
}

static void expect_untroubled(struct jet_host *h)
{
    gate_lock(&h->gate);
    ck_assert_msg(h->lane[0].trouble == PARTI_OK, "%s", h->lane[0].text);
    gate_unlock(&h->gate);
}

START_TEST(each_has_all_messages_of_a_stream_with_limits)
{
    begin(_i, "limits");
    join(&one, "p.{1}");
    join(&two, "p.{1}");
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 1000), PARTI_OK);
    host_await_begun(&one, 0, 1);
    ck_assert_int_eq(host_run(&two, 0, "0", 1, 0, 0, 1000), PARTI_OK);
    host_await_begun(&two, 0, 1);
    crowd_produce_to(&b, 0, 1, 0, MANY, "");
    host_await(&one, 0, MANY);
    host_await(&two, 0, MANY);
    host_expect(&one, 0, MANY, 0);
    host_expect(&two, 0, MANY, 0);
    expect_untroubled(&one);
    expect_untroubled(&two);
    end();
}
END_TEST

START_TEST(a_reader_that_is_left_in_a_work_queue_goes_and_another_groups_stays)
{
    char others[CROWD_NAME_ROOM], gone[CROWD_NAME_ROOM];

    begin(_i, "workqueue");
    natsSubscription *news = crowd_news(&b);
    join(&one, "p.{1}.a");
    join(&two, "p.{1}.b");
    ck_assert_int_eq(host_run(&one, 0, "0", 1, 0, 0, 1000), PARTI_OK);
    host_await_begun(&one, 0, 1);
    ck_assert(crowd_next_news(news, "CREATED", "parti_", CROWD_MS, others));
    ck_assert_int_eq(host_run(&two, 0, "0", 2, 0, 0, 1000), PARTI_OK);
    host_await_begun(&two, 0, 1);
    host_stop(&two, 0, 0);
    ck_assert_int_eq(host_run(&two, 0, "0", 3, 0, 0, 1000), PARTI_OK);
    ck_assert(crowd_next_news(news, "DELETED", "parti_", CROWD_MS, gone));
    ck_assert_str_ne(gone, others);
    crowd_produce_to(&b, 0, 1, 0, MANY, ".a");
    crowd_produce_to(&b, 0, 1, 0, MANY, ".b");
    host_await(&one, 0, MANY);
    host_await(&two, 0, MANY);
    ck_assert_msg(!crowd_next_news(news, "DELETED", others, 0, gone), "%s", gone);
    natsSubscription_Destroy(news);
    end();
}
END_TEST

RIG_CREW("jet_groups", each_has_all_messages_of_a_stream_with_limits,
         a_reader_that_is_left_in_a_work_queue_goes_and_another_groups_stays)
