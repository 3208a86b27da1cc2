/* The consumer role of kafka against a real broker: order, credit, where a run begins,
 * what the group's offsets say, logs that change. */
#include "config.h"

#include "kafka_lanes.h"

static struct jet_host two;

/* ---- order and credit ------------------------------------------------------------ */

START_TEST(each_lane_has_its_messages_in_order_and_goes_on_as_they_come)
{
    fill("order", 4, 500);
    join_group(&one, "g-order");
    for (uint32_t p = 0; p < 4; p++) {
        char id[16];

        (void)snprintf(id, sizeof id, "order/%u", p);
        run_ok(&one, p, id, 1, 0, 0, 1000);
    }
    for (uint32_t p = 0; p < 4; p++)
        host_await(&one, p, 500);
    for (int i = 500; i < 600; i++)
        brokers_number(&kafka, "order", i % 4, i / 4 + 375, 1);
    for (uint32_t p = 0; p < 4; p++) {
        host_await(&one, p, 525);
        host_expect(&one, p, 525, 0);
        ck_assert_uint_eq(one.lane[p].from, 0);
        ck_assert_uint_ne(one.lane[p].origin, 0);
        ck_assert_str_eq(one.lane[p].subject, "order");
        ck_assert_uint_eq(one.lane[p].redelivered, 0);
    }
    host_finish(&one);
}
END_TEST

START_TEST(a_lane_without_credit_waits_and_holds_up_nobody)
{
    fill("credit", 2, 3000);
    join_group(&one, "g-credit");
    run_ok(&one, 0, "credit/0", 1, 0, 0, 10);
    run_ok(&one, 1, "credit/1", 1, 0, 0, 3000);
    host_await(&one, 1, 3000);
    host_await(&one, 0, 10);
    host_credit(&one, 0, 1);
    host_await(&one, 0, 11); /* the inlet refuses what is beyond */
    for (int i = 0; i < 2989; i++)
        host_credit(&one, 0, 1);
    host_await(&one, 0, 3000);
    host_expect(&one, 0, 3000, 0);
    host_expect(&one, 1, 3000, 0);
    host_finish(&one);
}
END_TEST

START_TEST(a_lane_begins_without_credit_and_an_empty_partition_too)
{
    fill("still", 1, 5);
    brokers_topic(&kafka, "empty", 1, 1);
    join_group(&one, "g-still");
    run_ok(&one, 0, "still/0", 1, 0, 0, 0);
    run_ok(&one, 1, "empty/0", 1, 0, 0, 10);
    host_await_begun(&one, 0, 1);
    host_await_begun(&one, 1, 1);
    host_credit(&one, 0, 5);
    host_await(&one, 0, 5);
    brokers_number(&kafka, "empty", 0, 0, 3);
    host_await(&one, 1, 3);
    host_finish(&one);
}
END_TEST

START_TEST(what_the_host_has_no_room_for_comes_again)
{
    fill("full", 1, 400);
    join_group(&one, "g-full");
    gate_lock(&one.gate);
    one.refuses = 7;
    gate_unlock(&one.gate);
    run_ok(&one, 0, "full/0", 1, 0, 0, 1000);
    host_await(&one, 0, 400);
    host_expect(&one, 0, 400, 0);
    ck_assert_int_eq(one.refuses, 0);
    host_finish(&one);
}
END_TEST

START_TEST(keys_headers_and_time_come_as_they_were_written)
{
    const char value[] = {'a', '\0', 'b'};
    char text[] = "7", key[] = "k1";

    brokers_topic(&kafka, "dress", 1, 1);
    ck_assert_int_eq(rd_kafka_producev(
                         kafka.admin, RD_KAFKA_V_TOPIC("dress"), RD_KAFKA_V_PARTITION(0),
                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, 2),
                         RD_KAFKA_V_VALUE(text, 1), RD_KAFKA_V_TIMESTAMP(1234567890123),
                         RD_KAFKA_V_HEADER("A", "1", 1), RD_KAFKA_V_HEADER("B", NULL, 0),
                         RD_KAFKA_V_HEADER("A", value, 3), RD_KAFKA_V_END),
                     0);
    ck_assert_int_eq(rd_kafka_flush(kafka.admin, DEADLINE_MS), 0);
    join_group(&one, "g-dress");
    run_ok(&one, 0, "dress/0", 1, 0, 0, 10);
    host_await(&one, 0, 1);
    ck_assert_str_eq(one.lane[0].key, "k1");
    ck_assert_int_eq(one.lane[0].time_ms, 1234567890123);
    /* "%.*s" ends at the NUL. */
    ck_assert_str_eq(one.lane[0].headers, "A=1 B= A=a ");
    brokers_number(&kafka, "dress", 0, 8, 1);
    host_await(&one, 0, 2);
    ck_assert_str_eq(one.lane[0].key, "(none)");
    ck_assert_str_eq(one.lane[0].headers, "");
    host_finish(&one);
}
END_TEST

START_TEST(what_is_no_partition_of_a_topic_is_refused_in_words)
{
    static const char *const wrong[] = {"7",         "orders",           "orders/",
                                        "orders/x",  "orders/1/2",       "orders/07",
                                        "or ders/1", "orders/9999999999"};

    join_group(&one, "g-wrong");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(host_run(&one, 0, wrong[i], 1, 0, 0, 1), PARTI_BADINPUT);
        ck_assert_ptr_nonnull(strstr(one.error.text, "a partition of Kafka is TOPIC/"));
    }
    host_finish(&one);
}
END_TEST

/* ---- positions ------------------------------------------------------------------- */

START_TEST(a_run_begins_at_its_position_and_the_commit_follows_with_the_token)
{
    fill("moves", 1, 50);
    join_group(&one, "g-moves");
    run_ok(&one, 0, "moves/0", 3, 0, 0, 20);
    host_await(&one, 0, 20);
    uint64_t origin = one.lane[0].origin;
    host_done(&one, 0, 12);
    await_committed("g-moves", "moves", 0, 12, "parti 3-3");
    host_done(&one, 0, 20);
    host_stop(&one, 0, 1);
    await_committed("g-moves", "moves", 0, 20, "parti 3-3");
    join_group(&two, "g-moves");
    run_ok(&two, 5, "moves/0", 4, origin, 20, 100);
    host_await(&two, 5, 30);
    host_expect(&two, 5, 30, 20);
    ck_assert_uint_eq(two.lane[5].from, 20);
    ck_assert_uint_eq(two.lane[5].origin, origin);
    host_done(&two, 5, 50);
    host_finish(&two); /* the last commit goes out before the end */
    await_committed("g-moves", "moves", 0, 50, "parti 4-4");
    host_finish(&one);
}
END_TEST

/* How many records the brokers' topic of committed offsets has, its only partition. */
static int64_t commits(void)
{
    int64_t low, high;

    ck_assert_int_eq(rd_kafka_query_watermark_offsets(kafka.admin, "__consumer_offsets",
                                                      0, &low, &high, DEADLINE_MS),
                     0);
    return high;
}

START_TEST(commits_of_many_steps_are_few)
{
    fill("rate", 1, 200);
    join_group(&one, "g-rate");
    run_ok(&one, 0, "rate/0", 1, 0, 0, 200);
    host_await(&one, 0, 200);
    int64_t before = commits();
    uint64_t begun = threads_now_ms();
    for (uint64_t i = 1; i <= 200; i++)
        host_done(&one, 0, i);
    await_committed("g-rate", "rate", 0, 200, "parti 1-1");
    uint64_t took = threads_now_ms() - begun;
    /* One a second, and the first at once. */
    ck_assert_int_ge(commits() - before, 1);
    ck_assert_int_le(commits() - before, 2 + (int64_t)(took / 1000));
    host_finish(&one);
}
END_TEST

START_TEST(a_stopped_lane_goes_on_where_the_host_says)
{
    fill("again", 1, 30);
    join_group(&one, "g-again");
    run_ok(&one, 0, "again/0", 1, 0, 0, 30);
    host_await(&one, 0, 30);
    for (int round = 0; round < 20; round++) {
        uint64_t origin = one.lane[0].origin;
        uint32_t had = one.lane[0].n;

        host_stop(&one, 0, 0);
        run_ok(&one, 0, "again/0", 1, origin, 10, 100);
        host_await(&one, 0, had + 20);
        ck_assert_uint_eq(one.lane[0].position[had], 10);
    }
    host_finish(&one);
}
END_TEST

START_TEST(a_group_that_others_have_left_is_taken_over_at_its_offset)
{
    fill("taken", 2, 40);
    brokers_commit(&kafka, "g-taken", "taken", 0, 25);
    join_group(&one, "g-taken");
    run_ok(&one, 0, "taken/0", 1, 0, 0, 100);
    run_ok(&one, 1, "taken/1", 1, 0, 0, 100);
    host_await(&one, 0, 15);
    host_await(&one, 1, 40);
    host_expect(&one, 0, 15, 25);
    ck_assert_uint_eq(one.lane[0].from, 25);
    host_done(&one, 0, 30);
    await_committed("g-taken", "taken", 0, 30, "parti 1-1");
    host_stop(&one, 0, 1);
    /* Parti's own word never leads: without a record it begins where 'start' says. */
    run_ok(&one, 0, "taken/0", 2, 0, 0, 100);
    host_await(&one, 0, 15 + 40);
    ck_assert_uint_eq(one.lane[0].from, 0);
    host_finish(&one);
}
END_TEST

START_TEST(a_group_set_forward_is_followed_and_one_set_back_is_not)
{
    fill("reset", 1, 60);
    join_group(&one, "g-reset");
    run_ok(&one, 0, "reset/0", 1, 0, 0, 20);
    host_await(&one, 0, 20);
    uint64_t origin = one.lane[0].origin;
    host_done(&one, 0, 20);
    host_stop(&one, 0, 1);
    await_committed("g-reset", "reset", 0, 20, "parti 1-1");
    brokers_commit(&kafka, "g-reset", "reset", 0, 40);
    run_ok(&one, 0, "reset/0", 2, origin, 20, 20);
    host_await(&one, 0, 40);
    ck_assert_uint_eq(one.lane[0].from, 40);
    ck_assert_uint_eq(one.lane[0].origin, origin);
    ck_assert_uint_eq(one.lane[0].position[20], 40);
    host_done(&one, 0, 60);
    host_stop(&one, 0, 1);
    await_committed("g-reset", "reset", 0, 60, "parti 2-2");
    brokers_commit(&kafka, "g-reset", "reset", 0, 5);
    run_ok(&one, 0, "reset/0", 3, origin, 60, 20);
    host_await_begun(&one, 0, 1);
    ck_assert_uint_eq(one.lane[0].from, 60);
    host_stop(&one, 0, 1);
    /* Beyond the end it is nobody's word. */
    brokers_commit(&kafka, "g-reset", "reset", 0, 5000);
    run_ok(&one, 0, "reset/0", 4, origin, 50, 20);
    host_await(&one, 0, 50);
    ck_assert_uint_eq(one.lane[0].from, 50);
    host_finish(&one);
}
END_TEST

START_TEST(what_members_of_the_group_have_committed_is_not_followed)
{
    fill("stray", 1, 60);
    join_group(&one, "g-stray");
    run_ok(&one, 0, "stray/0", 1, 0, 0, 20);
    host_await(&one, 0, 20);
    uint64_t origin = one.lane[0].origin;
    host_done(&one, 0, 20);
    await_committed("g-stray", "stray", 0, 20, "parti 1-1");
    host_finish(&one);
    /* A consumer that was forgotten when its group was moved over. */
    rd_kafka_t *stray = brokers_client(&kafka, RD_KAFKA_CONSUMER, "g-stray");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "stray", RD_KAFKA_PARTITION_UA);
    ck_assert_int_eq(rd_kafka_subscribe(stray, list), 0);
    rd_kafka_message_t *m = rd_kafka_consumer_poll(stray, DEADLINE_MS);
    ck_assert_ptr_nonnull(m);
    rd_kafka_message_destroy(m);
    rd_kafka_topic_partition_list_del_by_idx(list, 0);
    rd_kafka_topic_partition_list_add(list, "stray", 0)->offset = 40;
    ck_assert_int_eq(rd_kafka_commit(stray, list, 0), 0);
    rd_kafka_topic_partition_list_destroy(list);
    join_group(&two, "g-stray");
    run_ok(&two, 0, "stray/0", 2, origin, 20, 20);
    host_await(&two, 0, 20);
    ck_assert_uint_eq(two.lane[0].from, 20);
    ck_assert_uint_eq(two.lane[0].position[0], 20);
    /* When it has gone the group says again what Parti says. */
    (void)rd_kafka_consumer_close(stray);
    rd_kafka_destroy(stray);
    await_committed("g-stray", "stray", 0, 20, "parti 2-2");
    host_finish(&two);
}
END_TEST

START_TEST(start_says_where_a_partition_without_any_position_begins)
{
    static const char *const start[] = {"earliest", "latest", "committed"};
    static const uint64_t from[] = {0, 30, 12};

    fill("starts", 1, 30);
    join_group(&one, "g-starts");
    run_ok(&one, 0, "starts/0", 1, 0, 0, 30);
    host_await(&one, 0, 30);
    host_done(&one, 0, 12);
    host_finish(&one);
    await_committed("g-starts", "starts", 0, 12, "parti 1-1");
    for (int i = 0; i < 3; i++) {
        const char *const pairs[] = {
            "brokers", kafka.list[BROKER_PLAIN], "group", "g-starts", "start", start[i],
            NULL};

        host_start_plugin(&one, "kafka", pairs);
        ck_assert_msg(one.self != NULL, "%s", one.error.text);
        run_ok(&one, 0, "starts/0", 2, 0, 0, 100);
        host_await_begun(&one, 0, 1);
        ck_assert_uint_eq(one.lane[0].from, from[i]);
        host_finish(&one);
    }
}
END_TEST

START_TEST(what_was_aborted_leaves_a_gap_and_no_message)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    brokers_topic(&kafka, "deals", 1, 1);
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", kafka.list[BROKER_PLAIN], why,
                            sizeof why);
    (void)rd_kafka_conf_set(conf, "transactional.id", "deals", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    ck_assert_msg(rk != NULL, "%s", why);
    ck_assert_ptr_null(rd_kafka_init_transactions(rk, DEADLINE_MS));
    for (int round = 0; round < 3; round++) {
        ck_assert_ptr_null(rd_kafka_begin_transaction(rk));
        for (int i = 0; i < 3; i++) {
            int length = snprintf(why, sizeof why, "%d", 3 * round + i);

            ck_assert_int_eq(
                rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("deals"), RD_KAFKA_V_PARTITION(0),
                                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                  RD_KAFKA_V_VALUE(why, (size_t)length), RD_KAFKA_V_END),
                0);
        }
        ck_assert_int_eq(rd_kafka_flush(rk, DEADLINE_MS), 0);
        ck_assert_ptr_null(round == 1 ? rd_kafka_abort_transaction(rk, DEADLINE_MS)
                                      : rd_kafka_commit_transaction(rk, DEADLINE_MS));
    }
    rd_kafka_destroy(rk);
    join_group(&one, "g-deals");
    run_ok(&one, 0, "deals/0", 1, 0, 0, 100);
    host_await(&one, 0, 6);
    /* 0 1 2, a mark, 4 5 6 aborted, a mark, 8 9 10, a mark. */
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(one.lane[0].number[i], i < 3 ? i : i + 3);
        ck_assert_uint_eq(one.lane[0].position[i], (uint64_t)(i < 3 ? i : i + 5));
    }
    uint64_t origin = one.lane[0].origin;
    host_stop(&one, 0, 1);
    run_ok(&one, 0, "deals/0", 2, origin, 3, 100); /* in the gap */
    host_await(&one, 0, 9);
    ck_assert_uint_eq(one.lane[0].from, 3);
    ck_assert_uint_eq(one.lane[0].position[6], 8);
    host_stop(&one, 0, 1);
    run_ok(&one, 0, "deals/0", 3, origin, 11, 100); /* before the last mark */
    host_await_begun(&one, 0, 1);
    ck_assert_uint_eq(one.lane[0].from, 11);
    host_finish(&one);
}
END_TEST

/* ---- logs that change ------------------------------------------------------------ */

START_TEST(what_retention_has_deleted_is_passed_over_and_said)
{
    fill("trimmed", 1, 50);
    join_group(&one, "g-trimmed");
    run_ok(&one, 0, "trimmed/0", 1, 0, 0, 10);
    host_await(&one, 0, 10);
    uint64_t origin = one.lane[0].origin;
    host_stop(&one, 0, 1);
    brokers_trim(&kafka, "trimmed", 0, 33);
    run_ok(&one, 0, "trimmed/0", 2, origin, 10, 100);
    host_await(&one, 0, 10 + 17);
    ck_assert_uint_eq(one.lane[0].from, 33);
    ck_assert_uint_eq(one.lane[0].origin, origin);
    ck_assert_uint_eq(one.lane[0].position[10], 33);
    host_finish(&one);
}
END_TEST

START_TEST(a_topic_made_anew_is_another_life_and_begins_at_its_first_message)
{
    fill("phoenix", 1, 50);
    join_group(&one, "g-phoenix");
    run_ok(&one, 0, "phoenix/0", 1, 0, 0, 50);
    host_await(&one, 0, 50);
    uint64_t origin = one.lane[0].origin;
    host_stop(&one, 0, 1);
    host_finish(&one);
    brokers_remove(&kafka, "phoenix");
    fill("phoenix", 1, 7); /* it ends before the position */
    join_group(&two, "g-phoenix");
    run_ok(&two, 0, "phoenix/0", 2, origin, 50, 100);
    host_await_begun(&two, 0, 1);
    ck_assert_uint_ne(two.lane[0].origin, origin);
    ck_assert_uint_eq(two.lane[0].from, 0);
    uint64_t later = two.lane[0].origin;
    /* The host does so: the record is void. */
    host_stop(&two, 0, 0);
    run_ok(&two, 0, "phoenix/0", 2, 0, 0, 100);
    host_await(&two, 0, 7);
    host_expect(&two, 0, 7, 0);
    ck_assert_uint_eq(two.lane[0].origin, later);
    host_finish(&two);
}
END_TEST

START_TEST(a_longer_topic_made_anew_is_known_to_who_saw_it_go)
{
    fill("ghost", 1, 20);
    join_group(&one, "g-ghost");
    run_ok(&one, 0, "ghost/0", 1, 0, 0, 20);
    host_await(&one, 0, 20);
    uint64_t origin = one.lane[0].origin;
    host_done(&one, 0, 20);
    await_committed("g-ghost", "ghost", 0, 20, "parti 1-1");
    brokers_remove(&kafka, "ghost");
    host_await_trouble(&one, 0, PARTI_BADINPUT, "topic 'ghost' does not exist");
    host_stop(&one, 0, 0);
    brokers_forget(&kafka, "g-ghost"); /* Kafka does so in its own time */
    fill("ghost", 1, 60);
    run_ok(&one, 0, "ghost/0", 1, origin, 20, 100);
    host_await_begun(&one, 0, 1);
    ck_assert_uint_ne(one.lane[0].origin, origin);
    host_finish(&one);
}
END_TEST

START_TEST(a_group_that_is_deleted_takes_no_position_with_it)
{
    fill("orphan", 1, 20);
    join_group(&one, "g-orphan");
    run_ok(&one, 0, "orphan/0", 1, 0, 0, 20);
    host_await(&one, 0, 20);
    uint64_t origin = one.lane[0].origin;
    host_done(&one, 0, 12);
    await_committed("g-orphan", "orphan", 0, 12, "parti 1-1");
    brokers_forget(&kafka, "g-orphan");
    await_committed("g-orphan", "orphan", 0, -1, "");
    host_stop(&one, 0, 0);
    run_ok(&one, 0, "orphan/0", 1, origin, 12, 20);
    host_await(&one, 0, 28);
    ck_assert_uint_eq(one.lane[0].from, 12);
    ck_assert_uint_eq(one.lane[0].origin, origin);
    host_finish(&one);
}
END_TEST

START_TEST(a_position_of_another_cluster_is_void)
{
    fill("other", 1, 20);
    join_group(&one, "g-other");
    run_ok(&one, 0, "other/0", 1, UINT64_C(0x1234567800000001), 10, 100);
    host_await_begun(&one, 0, 1);
    ck_assert_uint_ne(one.lane[0].origin, UINT64_C(0x1234567800000001));
    ck_assert_uint_eq(one.lane[0].from, 0);
    host_finish(&one);
}
END_TEST

LANES_MAIN("kafka_consumer", each_lane_has_its_messages_in_order_and_goes_on_as_they_come,
           a_lane_without_credit_waits_and_holds_up_nobody,
           a_lane_begins_without_credit_and_an_empty_partition_too,
           what_the_host_has_no_room_for_comes_again,
           keys_headers_and_time_come_as_they_were_written,
           what_is_no_partition_of_a_topic_is_refused_in_words,
           a_run_begins_at_its_position_and_the_commit_follows_with_the_token,
           commits_of_many_steps_are_few, a_stopped_lane_goes_on_where_the_host_says,
           a_group_that_others_have_left_is_taken_over_at_its_offset,
           a_group_set_forward_is_followed_and_one_set_back_is_not,
           what_members_of_the_group_have_committed_is_not_followed,
           start_says_where_a_partition_without_any_position_begins,
           what_was_aborted_leaves_a_gap_and_no_message,
           what_retention_has_deleted_is_passed_over_and_said,
           a_topic_made_anew_is_another_life_and_begins_at_its_first_message,
           a_longer_topic_made_anew_is_known_to_who_saw_it_go,
           a_group_that_is_deleted_takes_no_position_with_it,
           a_position_of_another_cluster_is_void)
