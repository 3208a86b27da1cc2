/* The consumer role of kafka against a real broker: order, credit, where a run begins,
 * what the group's offsets say, dead letters, and what goes wrong on the way. */
#include "config.h"

#include "broker.h"
#include "jet_host.h"

#include <stdio.h>
#include <string.h>

static struct brokers kafka;
static struct jet_host one, two;

static void join_group(struct jet_host *h, const char *group)
{
    const char *const pairs[] = {
        "brokers", kafka.list[BROKER_PLAIN], "group", group, "start", "earliest", NULL};

    host_start_plugin(h, "kafka", pairs);
    ck_assert_msg(h->self != NULL, "%s", h->error.text);
}

/* One topic with n messages in each partition, numbered. */
static void fill(const char *topic, int partitions, int n)
{
    brokers_topic(&kafka, topic, partitions, 1);
    for (int32_t p = 0; p < partitions; p++)
        brokers_number(&kafka, topic, p, 0, n);
}

static void run_ok(struct jet_host *h, uint32_t lane, const char *id, uint64_t gen,
                   uint64_t origin, uint64_t next, uint64_t credit)
{
    ck_assert_int_eq(host_run(h, lane, id, gen, origin, next, credit), PARTI_OK);
}

/* Until the group has that offset, with that mark; requests one after the other. */
static void await_committed(const char *group, const char *topic, int32_t partition,
                            int64_t offset, const char *mark)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    char got[128];
    int64_t at;

    do {
        at = brokers_committed(&kafka, group, topic, partition, got, sizeof got);
    } while (at != offset && threads_now_ms() < deadline);
    ck_assert_int_eq(at, offset);
    ck_assert_str_eq(got, mark);
}

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
    char text[] = "7";

    brokers_topic(&kafka, "dress", 1, 1);
    ck_assert_int_eq(
        rd_kafka_producev(kafka.admin, RD_KAFKA_V_TOPIC("dress"), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY("k1", 2), RD_KAFKA_V_VALUE(text, 1),
                          RD_KAFKA_V_TIMESTAMP(1234567890123),
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

START_TEST(commits_of_many_steps_are_few)
{
    fill("rate", 1, 200);
    join_group(&one, "g-rate");
    run_ok(&one, 0, "rate/0", 1, 0, 0, 200);
    host_await(&one, 0, 200);
    for (uint64_t i = 1; i <= 200; i++)
        host_done(&one, 0, i);
    await_committed("g-rate", "rate", 0, 200, "parti 1-1");
    /* Each commit is a message in the brokers' topic of offsets: but for the first and
     * the last there was no time. */
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

START_TEST(a_topic_made_anew_and_longer_is_known_by_the_commit_that_went_with_it)
{
    fill("ghost", 1, 20);
    join_group(&one, "g-ghost");
    run_ok(&one, 0, "ghost/0", 1, 0, 0, 20);
    host_await(&one, 0, 20);
    uint64_t origin = one.lane[0].origin;
    host_done(&one, 0, 20);
    await_committed("g-ghost", "ghost", 0, 20, "parti 1-1");
    host_done(&one, 0, 20);
    brokers_remove(&kafka, "ghost");
    await_committed("g-ghost", "ghost", 0, -1, "");
    host_stop(&one, 0, 0);
    fill("ghost", 1, 60);
    run_ok(&one, 0, "ghost/0", 1, origin, 20, 100);
    host_await_begun(&one, 0, 1);
    ck_assert_uint_ne(one.lane[0].origin, origin);
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

/* ---- trouble --------------------------------------------------------------------- */

START_TEST(a_topic_that_is_missing_is_told_and_not_made)
{
    join_group(&one, "g-missing");
    run_ok(&one, 0, "never-made/0", 1, 0, 0, 10);
    host_await_trouble(&one, 0, PARTI_BADINPUT, "topic 'never-made' does not exist");
    fill("narrow", 1, 1);
    run_ok(&one, 1, "narrow/9", 1, 0, 0, 10);
    host_await_trouble(&one, 1, PARTI_BADINPUT, "topic 'narrow' has no partition 9");
    host_finish(&one);
    ck_assert(!brokers_has_topic(&kafka, "never-made"));
}
END_TEST

START_TEST(a_user_without_rights_is_told_which_it_lacks)
{
    const char *const pairs[] = {"brokers",
                                 kafka.list[BROKER_SASL],
                                 "group",
                                 "g-rights",
                                 "start",
                                 "earliest",
                                 "rdkafka.security.protocol",
                                 "SASL_PLAINTEXT",
                                 "rdkafka.sasl.mechanism",
                                 "PLAIN",
                                 "rdkafka.sasl.username",
                                 "alice",
                                 "rdkafka.sasl.password",
                                 "wonder",
                                 NULL};

    fill("rights", 1, 5);
    fill("rights-not", 1, 5);
    host_start_plugin(&one, "kafka", pairs);
    ck_assert_msg(one.self != NULL, "%s", one.error.text);
    run_ok(&one, 0, "rights/0", 1, 0, 0, 10);
    host_await_trouble(&one, 0, PARTI_BADINPUT, "this user");
    brokers_allow_read(&kafka, "alice", "rights", "g-rights");
    host_stop(&one, 0, 0);
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    do { /* rights take a moment */
        run_ok(&one, 0, "rights/0", 1, 0, 0, 10);
        host_await_word(&one, 0);
    } while (one.lane[0].begun_n == 0 && threads_now_ms() < deadline);
    host_await(&one, 0, 5);
    brokers_allow(&kafka, "alice", "rights-not");
    run_ok(&one, 1, "rights-not/0", 1, 0, 0, 10);
    host_await_trouble(&one, 1, PARTI_BADINPUT, "topic 'rights-not' may not be read");
    host_finish(&one);
}
END_TEST

START_TEST(a_broker_that_dies_is_told_and_so_is_its_return)
{
    fill("lazarus", 1, 5);
    join_group(&one, "g-lazarus");
    run_ok(&one, 0, "lazarus/0", 1, 0, 0, 100);
    host_await(&one, 0, 5);
    host_done(&one, 0, 5);
    broker_kill(&kafka.at[0]);
    host_await_trouble(&one, 0, PARTI_RETRY, "no broker of 127.0.0.1:");
    broker_restart(&kafka, 0);
    brokers_await(&kafka, 1);
    host_await_trouble(&one, 0, PARTI_OK, "");
    brokers_number(&kafka, "lazarus", 0, 5, 5);
    host_await(&one, 0, 10);
    host_expect(&one, 0, 10, 0);
    host_done(&one, 0, 10);
    await_committed("g-lazarus", "lazarus", 0, 10, "parti 1-1");
    host_finish(&one);
}
END_TEST

/* ---- dead letters ---------------------------------------------------------------- */

/* The first message of a topic, and how it is shown. */
static void first_of(const char *topic, char *to, size_t room)
{
    rd_kafka_t *rk = brokers_client(&kafka, RD_KAFKA_CONSUMER, "g-reader");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t n, value_n;

    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = 0;
    ck_assert_int_eq(rd_kafka_assign(rk, list), 0);
    rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, DEADLINE_MS);
    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(m->err, 0);
    n = (size_t)snprintf(to, room, "%.*s:%.*s ", (int)m->key_len, (const char *)m->key,
                         (int)m->len, (const char *)m->payload);
    ck_assert_int_eq(rd_kafka_message_headers(m, &headers), 0);
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &value_n) == 0;
         i++)
        n += (size_t)snprintf(to + n, room - n, "%s=%.*s(%zu) ", name, (int)value_n,
                              (const char *)value, value_n);
    rd_kafka_message_destroy(m);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

START_TEST(a_dead_letter_has_key_and_headers_and_is_told_when_it_is_safe)
{
    const uint64_t name_end[] = {4, 5, 9}, value_end[] = {3, 6, 6};
    const struct parti_consumer_message m = {.size = sizeof m,
                                             .position = 3,
                                             .subject = "sick",
                                             .key = "k\0y",
                                             .key_n = 3,
                                             .data = "bytes",
                                             .data_n = 5,
                                             .header_name = {"KindAKind", name_end, 3},
                                             .header_value = {"old1\0002", value_end, 3}};
    char shown[512];

    fill("sick", 1, 5);
    brokers_topic(&kafka, "graves", 1, 1);
    join_group(&one, "g-sick");
    run_ok(&one, 0, "sick/0", 1, 0, 0, 10);
    host_await(&one, 0, 5);
    host_bury_message(&one, 0, &m, "graves");
    host_await_buried(&one, 0, 1);
    ck_assert_msg(one.lane[0].buried_code == PARTI_OK, "%s", one.lane[0].buried_text);
    ck_assert_uint_eq(one.lane[0].buried_position, 3);
    first_of("graves", shown, sizeof shown);
    ck_assert_str_eq(shown, "k:bytes Kind=old(3) A=1(3) Kind=(0) Parti-Reason=test(4) ");
    host_bury(&one, 0, 4, "no-graves", "x");
    host_await_buried(&one, 0, 2);
    ck_assert_int_eq(one.lane[0].buried_code, PARTI_BADINPUT);
    ck_assert_str_eq(one.lane[0].buried_text,
                     "topic 'no-graves' for dead letters does not exist; create it");
    host_finish(&one);
    ck_assert(!brokers_has_topic(&kafka, "no-graves"));
}
END_TEST

/* ---- many, and the end ----------------------------------------------------------- */

START_TEST(three_hundred_partitions_are_read_at_once)
{
    char id[32];

    brokers_topic(&kafka, "crowd", 300, 1);
    for (int32_t p = 0; p < 300; p++)
        brokers_number(&kafka, "crowd", p, p, 20);
    join_group(&one, "g-crowd");
    for (uint32_t p = 0; p < 300; p++) {
        (void)snprintf(id, sizeof id, "crowd/%u", p);
        run_ok(&one, p, id, 1, 0, 0, p == 7 ? 1 : 100);
    }
    for (uint32_t p = 0; p < 300; p++)
        host_await(&one, p, p == 7 ? 1 : 20);
    for (uint32_t p = 0; p < 300; p++) {
        host_expect(&one, p, p == 7 ? 1 : 20, (int)p);
        host_done(&one, p, 20);
    }
    for (uint32_t p = 0; p < 300; p++)
        host_stop(&one, p, 1);
    await_committed("g-crowd", "crowd", 299, 20, "parti 1-1");
    host_finish(&one);
}
END_TEST

START_TEST(the_end_comes_at_once_whatever_is_under_way)
{
    uint64_t begun;

    fill("busy", 4, 2000);
    for (int round = 0; round < 3; round++) {
        join_group(&one, "g-busy");
        for (uint32_t p = 0; p < 4; p++) {
            char id[16];

            (void)snprintf(id, sizeof id, "busy/%u", p);
            run_ok(&one, p, id, 1, 0, 0, 1000);
        }
        if (round == 1)
            host_await(&one, 0, 100);
        if (round == 2) {
            host_await(&one, 0, 100);
            host_bury(&one, 0, 4, "busy-nowhere", "x");
            host_done(&one, 0, 100);
        }
        begun = threads_now_ms();
        host_finish(&one);
        ck_assert_uint_lt(threads_now_ms() - begun, 3000);
    }
    /* Nobody there at all. */
    const char *const pairs[] = {"brokers", "127.0.0.1:1", "group", "g",
                                 "start",   "earliest",    NULL};
    host_start_plugin(&one, "kafka", pairs);
    run_ok(&one, 0, "busy/0", 1, 0, 0, 10);
    host_await_trouble(&one, 0, PARTI_RETRY, "no broker of 127.0.0.1:1 is reached");
    begun = threads_now_ms();
    host_finish(&one);
    ck_assert_uint_lt(threads_now_ms() - begun, 3000);
}
END_TEST

/* ---- the section ----------------------------------------------------------------- */

START_TEST(mistakes_in_the_section_name_line_and_remedy)
{
    static const struct {
        const char *key, *value, *says;
    } bad[] = {
        {"rdkafka.auto.offset.reset", "latest", "set start = instead"},
        {"rdkafka.enable.auto.commit", "true", "positions are committed"},
        {"rdkafka.enable.auto.offset.store", "true", "positions are committed"},
        {"rdkafka.auto.commit.interval.ms", "5", "Parti's positions lead"},
        {"rdkafka.partition.assignment.strategy", "range", "Parti assigns"},
        {"rdkafka.group.id", "x", "set group = instead"},
        {"rdkafka.group.instance.id", "x", "Parti assigns"},
        {"rdkafka.enable.partition.eof", "false", "events are handled here"},
        {"rdkafka.acks", "0", "a dead letter is safe or it is not one"},
        {"rdkafka.enable.idempotence", "false", "a dead letter is safe"},
        {"rdkafka.transactional.id", "x", "written one by one"},
        {"rdkafka.no.such", "x", "has no property of that name"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const pairs[] = {"brokers",  "b",        "group",      "g", "start",
                                     "earliest", bad[i].key, bad[i].value, NULL};

        host_start_plugin(&one, "kafka", pairs);
        ck_assert_ptr_null(one.self);
        ck_assert_msg(strstr(one.error.text, bad[i].says) != NULL, "%s", one.error.text);
        ck_assert_uint_eq(one.error.line, 13);
        host_finish(&one);
    }
    const char *const none[] = {"brokers", "b", "group", "", "start", "earliest", NULL};
    host_start_plugin(&one, "kafka", none);
    ck_assert_ptr_null(one.self);
    ck_assert_str_eq(one.error.text, "group names none");
    ck_assert_uint_eq(one.error.line, 11);
    host_finish(&one);
}
END_TEST

START_TEST(properties_of_librdkafka_win_over_our_defaults)
{
    const char *const pairs[] = {"brokers",
                                 kafka.list[BROKER_PLAIN],
                                 "group",
                                 "g-won",
                                 "start",
                                 "earliest",
                                 "rdkafka.isolation.level",
                                 "read_uncommitted",
                                 "rdkafka.queued.min.messages",
                                 "5",
                                 "rdkafka.compression.type",
                                 "lz4",
                                 NULL};

    fill("won", 1, 200);
    host_start_plugin(&one, "kafka", pairs);
    ck_assert_msg(one.self != NULL, "%s", one.error.text);
    run_ok(&one, 0, "won/0", 1, 0, 0, 200);
    host_await(&one, 0, 200);
    host_expect(&one, 0, 200, 0);
    host_finish(&one);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_lane_has_its_messages_in_order_and_goes_on_as_they_come,
        a_lane_without_credit_waits_and_holds_up_nobody,
        a_lane_begins_without_credit_and_an_empty_partition_too,
        what_the_host_has_no_room_for_comes_again,
        keys_headers_and_time_come_as_they_were_written,
        what_is_no_partition_of_a_topic_is_refused_in_words,
        a_run_begins_at_its_position_and_the_commit_follows_with_the_token,
        commits_of_many_steps_are_few,
        a_stopped_lane_goes_on_where_the_host_says,
        a_group_that_others_have_left_is_taken_over_at_its_offset,
        a_group_set_forward_is_followed_and_one_set_back_is_not,
        start_says_where_a_partition_without_any_position_begins,
        what_retention_has_deleted_is_passed_over_and_said,
        a_topic_made_anew_is_another_life_and_begins_at_its_first_message,
        a_topic_made_anew_and_longer_is_known_by_the_commit_that_went_with_it,
        a_position_of_another_cluster_is_void,
        a_topic_that_is_missing_is_told_and_not_made,
        a_user_without_rights_is_told_which_it_lacks,
        a_broker_that_dies_is_told_and_so_is_its_return,
        a_dead_letter_has_key_and_headers_and_is_told_when_it_is_safe,
        three_hundred_partitions_are_read_at_once,
        the_end_comes_at_once_whatever_is_under_way,
        mistakes_in_the_section_name_line_and_remedy,
        properties_of_librdkafka_win_over_our_defaults,
    };

    if (brokers_missing() != NULL) {
        puts(brokers_missing());
        return 77;
    }
    (void)setenv("CK_FORK", "no", 1);
    brokers_start(&kafka, 1);
    int failed = unit_run("kafka_consumer", tests, sizeof tests / sizeof *tests);
    brokers_finish(&kafka);
    return failed;
}
