/* The consumer role of kafka against librdkafka's mock cluster: what a real broker does
 * not do at will. */
#include "config.h"

#include "jet_host.h"
#include "kafka_mock.h"

#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static struct mock mock;
static struct jet_host host;

enum { OFFSET_COMMIT = 8 }; /* key of the protocol */

static glob_t before; /* the threads that are not the plugin's */

static int was_before(const char *path)
{
    for (size_t i = 0; i < before.gl_pathc; i++)
        if (strcmp(before.gl_pathv[i], path) == 0)
            return 1;
    return 0;
}

/* Threads of librdkafka in this process that the plugin's handle has.  They are not told
 * by their number: a thread that is joined can be seen for a moment longer. */
static int threads_of_handle(void)
{
    glob_t found;
    int n = 0;

    ck_assert_int_eq(glob("/proc/self/task/*/comm", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char name[32] = "";
        FILE *in = was_before(found.gl_pathv[i]) ? NULL : fopen(found.gl_pathv[i], "re");

        if (in == NULL)
            continue; /* or it has just ended */
        n += fgets(name, sizeof name, in) != NULL && strncmp(name, "rdk:", 4) == 0;
        (void)fclose(in);
    }
    globfree(&found);
    return n;
}

/* A topic with n messages in each of two partitions, and a host. */
static void begin(int brokers, uint32_t n)
{
    mock_init(&mock, brokers);
    mock_topic(&mock, "t", 2);
    mock_produce(&mock, "t", 0, n);
    mock_produce(&mock, "t", 1, n);
    ck_assert_int_eq(glob("/proc/self/task/*/comm", 0, NULL, &before), 0);
    const char *const pairs[] = {"brokers", mock.brokers, "group", "g",
                                 "start",   "earliest",   NULL};
    host_start_plugin(&host, "kafka", pairs);
    ck_assert_msg(host.self != NULL, "%s", host.error.text);
}

static void end(void)
{
    host_finish(&host);
    mock_finish(&mock);
    globfree(&before);
}

static void run(uint32_t lane, const char *id)
{
    ck_assert_int_eq(host_run(&host, lane, id, 1, 0, 0, 1000), PARTI_OK);
}

START_TEST(a_partition_without_leader_is_told_and_so_is_its_new_one)
{
    begin(2, 20);
    rd_kafka_mock_partition_set_leader(mock.cluster, "t", 0, 1);
    rd_kafka_mock_partition_set_leader(mock.cluster, "t", 1, 2);
    run(0, "t/0");
    run(1, "t/1");
    host_await(&host, 0, 20);
    host_await(&host, 1, 20);
    rd_kafka_mock_partition_set_leader(mock.cluster, "t", 1, -1);
    host_await_trouble(&host, 1, PARTI_RETRY, "the partition has no leader");
    mock_produce(&mock, "t", 0, 5);
    host_await(&host, 0, 25); /* the other one goes on */
    ck_assert_int_eq(host.lane[0].trouble, PARTI_OK);
    rd_kafka_mock_partition_set_leader(mock.cluster, "t", 1, 1);
    host_await_trouble(&host, 1, PARTI_OK, "");
    mock_produce(&mock, "t", 1, 5);
    host_await(&host, 1, 25);
    end();
}
END_TEST

START_TEST(brokers_that_are_away_when_it_begins_are_waited_for)
{
    begin(1, 20);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    run(0, "t/0");
    host_await_trouble(&host, 0, PARTI_RETRY, "no broker of ");
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    host_await(&host, 0, 20);
    host_await_trouble(&host, 0, PARTI_OK, "");
    end();
}
END_TEST

START_TEST(a_coordinator_that_is_not_there_yet_is_asked_again)
{
    begin(1, 20);
    rd_kafka_mock_push_request_errors(mock.cluster, OFFSET_FETCH, 3,
                                      RD_KAFKA_RESP_ERR_NOT_COORDINATOR_FOR_GROUP,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE);
    run(0, "t/0");
    run(1, "t/1");
    host_await(&host, 0, 20);
    host_await(&host, 1, 20);
    end();
}
END_TEST

START_TEST(a_commit_that_fails_is_made_again)
{
    char mark[64] = "";
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    int64_t at = -1;

    begin(1, 20);
    run(0, "t/0");
    host_await(&host, 0, 20);
    rd_kafka_mock_push_request_errors(mock.cluster, OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    host_done(&host, 0, 7);
    rd_kafka_t *rk = mock_client(&mock, RD_KAFKA_CONSUMER, "g");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    const rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(list, "t", 0);
    while (at != 7 && threads_now_ms() < deadline)
        if (rd_kafka_committed(rk, list, 1000) == 0)
            at = p->offset;
    ck_assert_int_eq(at, 7);
    (void)snprintf(mark, sizeof mark, "%.*s", (int)p->metadata_size,
                   (const char *)p->metadata);
    ck_assert_str_eq(mark, "parti 1-1");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    end();
}
END_TEST

START_TEST(a_dead_letter_that_a_broker_refuses_once_is_written_by_itself)
{
    enum { PRODUCE = 0 };

    begin(1, 5);
    mock_topic(&mock, "graves", 1);
    run(0, "t/0");
    host_await(&host, 0, 5);
    rd_kafka_mock_push_request_errors(mock.cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    host_bury(&host, 0, 2, "graves", "x");
    host_await_buried(&host, 0, 1);
    ck_assert_msg(host.lane[0].buried_code == PARTI_OK, "%s", host.lane[0].buried_text);
    end();
}
END_TEST

/* Waits until the broker has a commit before it, whose answer it keeps back so long. */
static void await_commit(int rtt_ms)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    size_t n = 1;

    ck_assert_int_eq(rd_kafka_mock_broker_push_request_error_rtts(
                         mock.cluster, 1, OFFSET_COMMIT, n, 0, rtt_ms),
                     0);
    host_done(&host, 0, 20);
    while (n > 0) {
        ck_assert_uint_lt(threads_now_ms(), deadline);
        ck_assert_int_eq(
            rd_kafka_mock_broker_error_stack_cnt(mock.cluster, 1, OFFSET_COMMIT, &n), 0);
    }
}

START_TEST(the_end_comes_at_once_while_brokers_are_silent)
{
    enum { SILENT_MS = 6000 };

    begin(1, 20);
    run(0, "t/0");
    host_await(&host, 0, 20);
    rd_kafka_mock_broker_set_rtt(mock.cluster, 1, SILENT_MS);
    await_commit(SILENT_MS);
    run(1, "t/1");
    uint64_t begun = threads_now_ms();
    host_finish(&host);
    ck_assert_uint_lt(threads_now_ms() - begun, 4000);
    ck_assert_int_gt(threads_of_handle(), 0);
    /* What was left to itself ends when the brokers have answered. */
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    while (threads_of_handle() > 0) {
        ck_assert_uint_lt(threads_now_ms(), deadline);
        (void)poll(NULL, 0, 20); /* the mock's threads need the cpu that a look takes */
    }
    mock_finish(&mock);
    globfree(&before);
}
END_TEST

UNIT_MAIN("kafka_consumer", a_partition_without_leader_is_told_and_so_is_its_new_one,
          brokers_that_are_away_when_it_begins_are_waited_for,
          a_coordinator_that_is_not_there_yet_is_asked_again,
          a_commit_that_fails_is_made_again,
          a_dead_letter_that_a_broker_refuses_once_is_written_by_itself,
          the_end_comes_at_once_while_brokers_are_silent)
