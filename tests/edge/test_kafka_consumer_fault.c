/* The consumer role of kafka against a real broker: what goes wrong, dead letters, many
 * partitions, the end, the section. */
#include "config.h"

#include "kafka_lanes.h"

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
    host_await_trouble(&one, 0, PARTI_RETRY, "check host and port in brokers");
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

enum { WON_FIRST = 20, WON_ALL = 120 };

/* How long the messages take that follow the first ones, by librdkafka alone, with as
 * small a queue and as small fetches. */
static void *bare_ms(void *ret_took)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    uint64_t begun = 0;

    (void)rd_kafka_conf_set(conf, "bootstrap.servers", kafka.list[BROKER_PLAIN], why,
                            sizeof why);
    (void)rd_kafka_conf_set(conf, "queued.min.messages", "1", why, sizeof why);
    (void)rd_kafka_conf_set(conf, "fetch.message.max.bytes", "800", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (rk == NULL)
        return NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, "won", NULL);
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    int had = 0;
    (void)rd_kafka_consume_start(rkt, 0, 0);
    while (had < WON_ALL && threads_now_ms() < deadline) {
        rd_kafka_message_t *got = rd_kafka_consume(rkt, 0, 1000);

        if (got == NULL)
            continue;
        had += got->err == 0;
        if (had == WON_FIRST && begun == 0)
            begun = threads_now_ms();
        rd_kafka_message_destroy(got);
    }
    if (had == WON_ALL)
        *(uint64_t *)ret_took = threads_now_ms() - begun;
    (void)rd_kafka_consume_stop(rkt, 0);
    rd_kafka_topic_destroy(rkt);
    rd_kafka_destroy(rk);
    return NULL;
}

/* After each few messages librdkafka alone waits a second until it fetches again.  Both
 * read at the same time, so what else the machine does holds up both. */
START_TEST(properties_of_librdkafka_win_and_a_small_queue_is_no_slow_one)
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
                                 "1",
                                 "rdkafka.fetch.message.max.bytes",
                                 "800",
                                 "rdkafka.compression.type",
                                 "lz4",
                                 NULL};

    uint64_t bare = 0;
    pthread_t thread;

    brokers_topic(&kafka, "won", 1, 1);
    for (int i = 0; i < WON_ALL; i++)
        brokers_number(&kafka, "won", 0, i, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, bare_ms, &bare), 0);
    host_start_plugin(&one, "kafka", pairs);
    ck_assert_msg(one.self != NULL, "%s", one.error.text);
    run_ok(&one, 0, "won/0", 1, 0, 0, 200);
    host_await(&one, 0, WON_FIRST);
    uint64_t begun = threads_now_ms();
    host_await(&one, 0, WON_ALL);
    uint64_t took = threads_now_ms() - begun;
    host_expect(&one, 0, WON_ALL, 0);
    host_finish(&one);
    (void)pthread_join(thread, NULL);
    ck_assert_uint_gt(bare, 0);
    ck_assert_msg(4 * took < 3 * bare, "%llu ms, librdkafka alone %llu",
                  (unsigned long long)took, (unsigned long long)bare);
}
END_TEST

START_TEST(a_message_that_the_host_would_not_take_stops_its_lane_alone)
{
    char text[] = "1";
    rd_kafka_headers_t *headers = rd_kafka_headers_new(5000);

    fill("odd", 2, 3);
    for (int i = 0; i < 5000; i++)
        ck_assert_int_eq(rd_kafka_header_add(headers, "h", 1, "", 0), 0);
    ck_assert_int_eq(rd_kafka_producev(kafka.admin, RD_KAFKA_V_TOPIC("odd"),
                                       RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_VALUE(text, 1),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                     0);
    ck_assert_int_eq(rd_kafka_flush(kafka.admin, DEADLINE_MS), 0);
    join_group(&one, "g-odd");
    run_ok(&one, 0, "odd/0", 1, 0, 0, 10);
    run_ok(&one, 1, "odd/1", 1, 0, 0, 10);
    host_await(&one, 0, 3);
    host_await(&one, 1, 3);
    host_await_trouble(&one, 0, PARTI_BADINPUT, "at offset 3 has a message larger than");
    brokers_number(&kafka, "odd", 1, 3, 1);
    host_await(&one, 1, 4);
    host_finish(&one);
}
END_TEST

LANES_MAIN("kafka_consumer_fault", a_topic_that_is_missing_is_told_and_not_made,
           a_user_without_rights_is_told_which_it_lacks,
           a_broker_that_dies_is_told_and_so_is_its_return,
           a_dead_letter_has_key_and_headers_and_is_told_when_it_is_safe,
           three_hundred_partitions_are_read_at_once,
           the_end_comes_at_once_whatever_is_under_way,
           mistakes_in_the_section_name_line_and_remedy,
           properties_of_librdkafka_win_and_a_small_queue_is_no_slow_one,
           a_message_that_the_host_would_not_take_stops_its_lane_alone)
