/* plugins/kafka: weights by the size of the log and by the lag of a group, and what stays
 * when they are not to be learnt.  Against the mock cluster.
 */
#include "kafka_frame.h"
#include "kafka_mock.h"

/* One topic of 'partitions'; weight 100 for each 'unit' messages, without base, smoothing
 * and band unless a test says otherwise. */
static struct section *begin(struct fixture *f, struct mock *m, int partitions,
                             const char *weight)
{
    mock_init(m, 2);
    mock_topic(m, "orders", partitions);
    fixture_init(f);
    struct section *s = kafka_add(f, m->brokers);
    section_set(s, "topics", "orders");
    section_set(s, "weight", weight);
    section_set(s, "weight_unit", "100");
    section_set(s, "weight_base", "0");
    section_set(s, "weight_half_life", "0");
    return s;
}

static void end(struct fixture *f, struct mock *m)
{
    fixture_finish(f);
    mock_finish(m);
}

static void weighs(const struct source_result *r, uint32_t i, uint32_t low, uint32_t high)
{
    ck_assert_int_eq(r->status, STATUS_OK);
    ck_assert_msg(r->listing->weight[i] >= low && r->listing->weight[i] <= high,
                  "partition %u weighs %u, not %u to %u", i, r->listing->weight[i], low,
                  high);
}

START_TEST(size_is_what_the_log_keeps)
{
    struct mock m;
    struct fixture f;

    (void)begin(&f, &m, 3, "size");
    mock_produce(&m, "orders", 0, 100);
    mock_produce(&m, "orders", 1, 400);
    fixture_create(&f);
    const struct source_result *r = ask(&f, true);
    weighs(r, 0, 100, 100);
    weighs(r, 1, 400, 400);
    weighs(r, 2, 1, 1); /* nothing weighs nothing */
    end(&f, &m);
}
END_TEST

START_TEST(lag_is_what_the_group_has_not_handled)
{
    struct mock m;
    struct fixture f;

    section_set(begin(&f, &m, 3, "lag"), "group", "billing");
    mock_produce(&m, "orders", 0, 400);
    mock_produce(&m, "orders", 1, 400);
    mock_produce(&m, "orders", 2, 400);
    mock_commit(&m, "billing", "orders", 0, 400);
    mock_commit(&m, "billing", "orders", 1, 300);
    mock_commit(&m, "others", "orders", 2, 400);
    fixture_create(&f);
    const struct source_result *r = ask(&f, true);
    weighs(r, 0, 1, 1);     /* all done */
    weighs(r, 1, 100, 100); /* 100 to go */
    weighs(r, 2, 400, 400); /* without a position: all of it */
    end(&f, &m);
}
END_TEST

/* The only thing that may bring a listing here is 'changed'. */
START_TEST(a_weight_that_leaves_its_band_is_announced_and_noise_is_not)
{
    struct mock m;
    struct fixture f;

    section_set(begin(&f, &m, 2, "size"), "poll_interval", "100 ms");
    mock_produce(&m, "orders", 0, 400);
    mock_produce(&m, "orders", 1, 400);
    fixture_create(&f);
    sources_watch(f.sources, true);
    weighs(ask(&f, false), 0, 400, 400);
    /* 20 % more is inside the band of 25 %, which is the usual one. */
    mock_produce(&m, "orders", 0, 80);
    /* Several looks later something that counts happens; it is the first to be told. */
    mock_produce(&m, "orders", 1, 600);
    const struct source_result *r = await(&f, 2);
    weighs(r, 0, 400, 400);
    weighs(r, 1, 1000, 1000);
    ck_assert_uint_eq(f.box.n, 2);
    end(&f, &m);
}
END_TEST

START_TEST(without_offsets_the_list_comes_and_weights_stay)
{
    struct mock m;
    struct fixture f;

    (void)begin(&f, &m, 2, "size");
    mock_produce(&m, "orders", 0, 400);
    mock_produce(&m, "orders", 1, 200);
    fixture_create(&f);
    weighs(ask(&f, true), 0, 400, 400);
    /* A look asks for first and last offsets, each leader for its own. */
    rd_kafka_mock_push_request_errors(m.cluster, LIST_OFFSETS, 4,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    mock_produce(&m, "orders", 0, 4000);
    const struct source_result *r = ask(&f, true);
    weighs(r, 0, 400, 400);
    weighs(r, 1, 200, 200);
    rd_kafka_mock_clear_request_errors(m.cluster, LIST_OFFSETS);
    weighs(ask(&f, true), 0, 4000, 5000);
    end(&f, &m);
}
END_TEST

START_TEST(a_group_that_may_not_be_seen_costs_weights_only)
{
    struct mock m;
    struct fixture f;

    section_set(begin(&f, &m, 2, "lag"), "group", "billing");
    mock_produce(&m, "orders", 0, 400);
    rd_kafka_mock_push_request_errors(m.cluster, OFFSET_FETCH, 2,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    fixture_create(&f);
    const struct source_result *r = ask(&f, true);
    ck_assert_int_eq(r->status, STATUS_OK);
    ck_assert_uint_eq(r->listing->n, 2);
    ck_assert_uint_eq(r->listing->weight[0], r->listing->weight[1]);
    end(&f, &m);
}
END_TEST

/* It would be waited for until the time is up. */
START_TEST(a_partition_without_a_leader_is_listed_and_keeps_its_weight)
{
    struct mock m;
    struct fixture f;

    (void)begin(&f, &m, 2, "size");
    mock_produce(&m, "orders", 0, 400);
    mock_produce(&m, "orders", 1, 200);
    fixture_create(&f);
    weighs(ask(&f, true), 1, 200, 200);
    ck_assert_int_eq(rd_kafka_mock_partition_set_leader(m.cluster, "orders", 1, -1), 0);
    uint64_t start = threads_now_ms();
    const struct source_result *r = ask(&f, true);
    ck_assert_uint_lt(threads_now_ms() - start, 2000);
    lists(r, "orders/0 orders/1");
    weighs(r, 1, 200, 200);
    end(&f, &m);
}
END_TEST

START_TEST(ten_thousand_partitions_are_weighed_in_time)
{
    struct mock m;
    struct fixture f;
    uint64_t took[2];

    section_set(begin(&f, &m, 10000, "lag"), "group", "billing");
    mock_produce(&m, "orders", 7, 200);
    fixture_create(&f);
    for (int i = 0; i < 2; i++) {
        uint64_t start = threads_now_ms();
        const struct source_result *r = ask(&f, true);

        took[i] = threads_now_ms() - start;
        ck_assert_msg(r->status == STATUS_OK, "%s", f.box.text[i]);
        ck_assert_uint_eq(r->listing->n, 10000);
    }
    printf("10000 partitions with their lag: first %d ms, then %d ms\n", (int)took[0],
           (int)took[1]);
    ck_assert_uint_lt(took[1], 5000);
    end(&f, &m);
}
END_TEST

UNIT_MAIN("kafka_weight", size_is_what_the_log_keeps,
          lag_is_what_the_group_has_not_handled,
          a_weight_that_leaves_its_band_is_announced_and_noise_is_not,
          without_offsets_the_list_comes_and_weights_stay,
          a_group_that_may_not_be_seen_costs_weights_only,
          a_partition_without_a_leader_is_listed_and_keeps_its_weight,
          ten_thousand_partitions_are_weighed_in_time)
