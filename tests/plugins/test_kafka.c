/* plugins/kafka against the mock cluster: what it lists, what it notices, and how it
 * fails.
 *
 * The real .so through the loader and the source runner; the cluster is in this process.
 */
#include "kafka_frame.h"
#include "kafka_mock.h"

START_TEST(partitions_of_named_topics_are_listed)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 3);
    mock_topic(&m, "orders", 3);
    mock_topic(&m, "returns.eu", 2);
    mock_topic(&m, "other", 9);
    fixture_init(&f);
    section_set(kafka_add(&f, m.brokers), "topics", "returns.eu\norders, orders");
    fixture_create(&f);
    const struct source_result *r = ask(&f, true);
    lists(r, "orders/0 orders/1 orders/2 returns.eu/0 returns.eu/1");
    for (uint32_t i = 0; i < r->listing->n; i++)
        ck_assert_uint_eq(r->listing->weight[i], 100);
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(a_pattern_stands_for_whole_names_and_not_for_the_brokers_own)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 1);
    mock_topic(&m, "telemetry-a", 1);
    mock_topic(&m, "telemetry-b", 2);
    mock_topic(&m, "x-telemetry-c", 1);
    mock_topic(&m, "__telemetry-d", 1);
    mock_topic(&m, "orders", 1);
    fixture_init(&f);
    struct section *s = kafka_add(&f, m.brokers);
    section_set(s, "topic_pattern", "(__)?tele.*-[a-d]|nothing");
    section_set(s, "topics", "orders, telemetry-a");
    fixture_create(&f);
    lists(ask(&f, true), "orders/0 telemetry-a/0 telemetry-b/0 telemetry-b/1");
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(a_new_topic_is_noticed_and_announced)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 1);
    mock_topic(&m, "orders-eu", 1);
    fixture_init(&f);
    struct section *s = kafka_add(&f, m.brokers);
    section_set(s, "topic_pattern", "orders-.*");
    section_set(s, "poll_interval", "100 ms");
    fixture_create(&f);
    sources_watch(f.sources, true);
    lists(ask(&f, false), "orders-eu/0");
    uint64_t start = threads_now_ms();
    mock_topic(&m, "orders-us", 2);
    /* No refresh_interval: only 'changed' can bring this. */
    lists(await(&f, 2), "orders-eu/0 orders-us/0 orders-us/1");
    ck_assert(!f.box.result[1].asked);
    printf("a new topic was told after %d ms\n", (int)(threads_now_ms() - start));
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(a_topic_that_is_missing_or_forbidden_is_said_to_be_so)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 1);
    mock_topic(&m, "orders", 2);
    mock_topic(&m, "secrets", 2);
    fixture_init(&f);
    section_set(kafka_add(&f, m.brokers), "topics", "orders, secrets");
    fixture_create(&f);
    rd_kafka_mock_topic_set_error(m.cluster, "secrets",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    (void)kafka_fails(&f, STATUS_NOTFOUND, ERR_SOURCE_MISSING,
                      "topic 'secrets' does not exist at 127.0.0.1:");
    ck_assert_says(f.box.text[0],
                   "PARTI-E506 source kafka could not list its partitions");
    rd_kafka_mock_topic_set_error(m.cluster, "secrets",
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    (void)kafka_fails(&f, STATUS_DENIED, ERR_SOURCE_DENIED,
                      "Give it the right Describe on the topic");
    ck_assert_says(f.box.text[1], "PARTI-E507");
    rd_kafka_mock_topic_set_error(m.cluster, "secrets", RD_KAFKA_RESP_ERR_NO_ERROR);
    lists(ask(&f, true), "orders/0 orders/1 secrets/0 secrets/1");
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(brokers_that_go_and_come_back_are_noticed_without_being_asked)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 3);
    mock_topic(&m, "orders", 2);
    fixture_init(&f);
    struct section *s = kafka_add(&f, m.brokers);
    section_set(s, "topics", "orders");
    section_set(s, "poll_interval", "200 ms");
    section_set(s, "timeout", "2 s");
    section_set(s, "rdkafka.reconnect.backoff.max.ms", "200");
    fixture_create(&f);
    sources_watch(f.sources, true);
    lists(ask(&f, false), "orders/0 orders/1");
    ck_assert_int_eq(rd_kafka_mock_broker_set_down(m.cluster, -1), 0);
    uint32_t i = kafka_await(&f, 1, STATUS_IO, ERR_SOURCE_FAILED);
    ck_assert_says(f.box.text[i], "PARTI-E500");
    ck_assert_says(f.box.text[i], "no broker of 127.0.0.1:");
    ck_assert_says(f.box.text[i], "Check host and port in brokers, and that a broker is "
                                  "up. The last list stays");
    ck_assert_int_eq(rd_kafka_mock_broker_set_up(m.cluster, -1), 0);
    /* An equal list is not told again, so ask until it comes. */
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    while (ask(&f, true)->status != STATUS_OK)
        ck_assert_uint_lt(threads_now_ms(), deadline);
    lists(&f.box.result[f.box.n - 1], "orders/0 orders/1");
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(one_broker_of_three_is_enough)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 3);
    mock_topic(&m, "orders", 2);
    fixture_init(&f);
    struct section *s = kafka_add(&f, m.brokers);
    section_set(s, "topics", "orders");
    fixture_create(&f);
    ck_assert_int_eq(rd_kafka_mock_broker_set_down(m.cluster, 1), 0);
    ck_assert_int_eq(rd_kafka_mock_broker_set_down(m.cluster, 3), 0);
    lists(ask(&f, true), "orders/0 orders/1");
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(brokers_that_are_silent_are_a_timeout_within_the_time)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 1);
    mock_topic(&m, "orders", 2);
    fixture_init(&f);
    struct section *s = kafka_add(&f, m.brokers);
    section_set(s, "topics", "orders");
    section_set(s, "timeout", "700 ms");
    fixture_create(&f);
    lists(ask(&f, true), "orders/0 orders/1");
    ck_assert_int_eq(rd_kafka_mock_broker_set_rtt(m.cluster, -1, 60000), 0);
    uint64_t took =
        kafka_fails(&f, STATUS_TIMEOUT, ERR_SOURCE_TIMEOUT, "were silent for 7");
    ck_assert_says(f.box.text[1], "PARTI-E501");
    ck_assert_uint_ge(took, 690);
    ck_assert_uint_lt(took, 2500);
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

/* The plugin's own time-out comes first, so the reason is told and not only that. */
START_TEST(the_hosts_budget_bounds_a_listing)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 1);
    mock_topic(&m, "orders", 2);
    fixture_init(&f);
    f.setup.budget_ms = 1000;
    struct section *s = kafka_add(&f, m.brokers);
    section_set(s, "topics", "orders");
    section_set(s, "timeout", "5 min");
    fixture_create(&f);
    ck_assert_int_eq(rd_kafka_mock_broker_set_rtt(m.cluster, -1, 60000), 0);
    ck_assert_uint_lt(
        kafka_fails(&f, STATUS_TIMEOUT, ERR_SOURCE_TIMEOUT, "were silent for"), 2500);
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(ending_does_not_wait_for_silent_brokers)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 1);
    mock_topic(&m, "orders", 2);
    fixture_init(&f);
    f.setup.budget_ms = 60000;
    struct section *s = kafka_add(&f, m.brokers);
    section_set(s, "topics", "orders");
    section_set(s, "timeout", "1 min");
    fixture_create(&f);
    lists(ask(&f, true), "orders/0 orders/1");
    ck_assert_int_eq(rd_kafka_mock_broker_set_rtt(m.cluster, -1, 60000), 0);
    sources_ask(f.sources, true);
    uint64_t start = threads_now_ms();
    sources_destroy(f.sources);
    f.sources = NULL;
    /* At most a slice of half a second, and librdkafka's own end. */
    ck_assert_uint_lt(threads_now_ms() - start, 3000);
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(an_error_of_one_answer_is_told_and_passes)
{
    struct mock m;
    struct fixture f;

    mock_init(&m, 1);
    mock_topic(&m, "orders", 1);
    fixture_init(&f);
    section_set(kafka_add(&f, m.brokers), "topics", "orders");
    fixture_create(&f);
    lists(ask(&f, true), "orders/0");
    rd_kafka_mock_topic_set_error(m.cluster, "orders",
                                  RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR);
    (void)kafka_fails(&f, STATUS_IO, ERR_SOURCE_FAILED, "topic 'orders': ");
    rd_kafka_mock_topic_set_error(m.cluster, "orders", RD_KAFKA_RESP_ERR_NO_ERROR);
    lists(ask(&f, true), "orders/0");
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

START_TEST(ten_thousand_partitions_are_listed_in_milliseconds)
{
    struct mock m;
    struct fixture f;
    uint64_t took[3];

    mock_init(&m, 3);
    mock_topic(&m, "big", 10000);
    fixture_init(&f);
    section_set(kafka_add(&f, m.brokers), "topics", "big");
    fixture_create(&f);
    for (int i = 0; i < 3; i++) {
        uint64_t start = threads_now_ms();
        const struct source_result *r = ask(&f, true);

        took[i] = threads_now_ms() - start;
        ck_assert_msg(r->status == STATUS_OK, "%s", f.box.text[i]);
        ck_assert_uint_eq(r->listing->n, 10000);
    }
    printf("10000 partitions: first %d ms, then %d and %d ms\n", (int)took[0],
           (int)took[1], (int)took[2]);
    ck_assert_uint_lt(took[2], 5000);
    fixture_finish(&f);
    mock_finish(&m);
}
END_TEST

UNIT_MAIN("kafka", partitions_of_named_topics_are_listed,
          a_pattern_stands_for_whole_names_and_not_for_the_brokers_own,
          a_new_topic_is_noticed_and_announced,
          a_topic_that_is_missing_or_forbidden_is_said_to_be_so,
          brokers_that_go_and_come_back_are_noticed_without_being_asked,
          one_broker_of_three_is_enough,
          brokers_that_are_silent_are_a_timeout_within_the_time,
          the_hosts_budget_bounds_a_listing, ending_does_not_wait_for_silent_brokers,
          an_error_of_one_answer_is_told_and_passes,
          ten_thousand_partitions_are_listed_in_milliseconds)
