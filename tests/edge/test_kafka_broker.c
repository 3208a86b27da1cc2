/* plugins/kafka against one real broker of Apache Kafka: growth, rights, log-in, TLS,
 * weights, and a broker that is silent, away and back.
 *
 * One broker serves all tests, each with topics of its own; so they run in this process,
 * one after the other.
 */
#include "broker.h"
#include "kafka_frame.h"

static struct brokers kafka;

/* The plugin with a topic of that name, by a listener. */
static struct section *begin(struct fixture *f, enum broker_listener by,
                             const char *topic)
{
    fixture_init(f);
    struct section *s = kafka_add(f, kafka.list[by]);
    section_set(s, "topics", topic);
    return s;
}

static void by_password(struct section *s, const char *user, const char *password)
{
    section_set(s, "rdkafka.security.protocol", "SASL_PLAINTEXT");
    section_set(s, "rdkafka.sasl.mechanism", "PLAIN");
    section_set(s, "rdkafka.sasl.username", user);
    section_set(s, "rdkafka.sasl.password", password);
}

START_TEST(a_topic_of_a_real_broker_is_listed)
{
    struct fixture f;

    brokers_topic(&kafka, "plain.topic-1", 3, 1);
    (void)begin(&f, BROKER_PLAIN, "plain.topic-1");
    fixture_create(&f);
    lists(ask(&f, true), "plain.topic-1/0 plain.topic-1/1 plain.topic-1/2");
    fixture_finish(&f);
}
END_TEST

START_TEST(growth_from_64_to_96_is_noticed_and_announced)
{
    struct fixture f;

    brokers_topic(&kafka, "growing", 64, 1);
    section_set(begin(&f, BROKER_PLAIN, "growing"), "poll_interval", "500 ms");
    fixture_create(&f);
    sources_watch(f.sources, true);
    ck_assert_uint_eq(ask(&f, false)->listing->n, 64);
    uint64_t start = threads_now_ms();
    brokers_grow(&kafka, "growing", 96);
    const struct source_result *r = &f.box.result[kafka_await_count(&f, 1, 96)];
    uint64_t took = threads_now_ms() - start;
    ck_assert(!r->asked);
    printf("64 -> 96 partitions: listed after %d ms, looked at every 500 ms\n",
           (int)took);
    /* The interval, the look itself, the host's own pause, and a busy machine. */
    ck_assert_uint_lt(took, 10000);
    fixture_finish(&f);
}
END_TEST

START_TEST(a_new_topic_that_matches_is_noticed_and_one_that_goes_too)
{
    struct fixture f;

    brokers_topic(&kafka, "fleet-a", 2, 1);
    fixture_init(&f);
    struct section *s = kafka_add(&f, kafka.list[BROKER_PLAIN]);
    section_set(s, "topic_pattern", "fleet-[a-z]");
    section_set(s, "poll_interval", "200 ms");
    fixture_create(&f);
    sources_watch(f.sources, true);
    lists(ask(&f, false), "fleet-a/0 fleet-a/1");
    brokers_topic(&kafka, "fleet-10", 1, 1);
    brokers_topic(&kafka, "fleet-b", 1, 1);
    uint32_t i = kafka_await_count(&f, 1, 3);
    lists(&f.box.result[i], "fleet-a/0 fleet-a/1 fleet-b/0");
    brokers_remove(&kafka, "fleet-a");
    i = kafka_await_count(&f, i + 1, 1);
    lists(&f.box.result[i], "fleet-b/0");
    fixture_finish(&f);
}
END_TEST

START_TEST(a_topic_that_is_missing_is_said_to_be_so_and_is_not_created)
{
    struct fixture f;

    (void)begin(&f, BROKER_PLAIN, "never-made");
    fixture_create(&f);
    for (int i = 0; i < 3; i++)
        (void)kafka_fails(&f, STATUS_NOTFOUND, ERR_SOURCE_MISSING,
                          "topic 'never-made' does not exist at 127.0.0.1:");
    fixture_finish(&f);
    /* The broker would have made it: auto.create.topics.enable is on. */
    ck_assert(!brokers_has_topic(&kafka, "never-made"));
}
END_TEST

START_TEST(a_topic_that_is_removed_is_announced_as_missing)
{
    struct fixture f;

    brokers_topic(&kafka, "doomed", 1, 1);
    section_set(begin(&f, BROKER_PLAIN, "doomed"), "poll_interval", "200 ms");
    fixture_create(&f);
    sources_watch(f.sources, true);
    lists(ask(&f, false), "doomed/0");
    brokers_remove(&kafka, "doomed");
    uint32_t i = kafka_await(&f, 1, STATUS_NOTFOUND, ERR_SOURCE_MISSING);
    ck_assert(!f.box.result[i].asked);
    fixture_finish(&f);
    ck_assert(!brokers_has_topic(&kafka, "doomed"));
}
END_TEST

START_TEST(a_user_without_the_right_is_denied_and_with_it_served)
{
    struct fixture f;

    brokers_topic(&kafka, "guarded", 2, 1);
    by_password(begin(&f, BROKER_SASL, "guarded"), "alice", "wonder");
    fixture_create(&f);
    (void)kafka_fails(&f, STATUS_DENIED, ERR_SOURCE_DENIED,
                      "topic 'guarded' may not be seen by this user");
    ck_assert_says(f.box.text[0], "PARTI-E507");
    brokers_allow(&kafka, "alice", "guarded");
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    while (ask(&f, true)->status != STATUS_OK)
        ck_assert_uint_lt(threads_now_ms(), deadline);
    lists(&f.box.result[f.box.n - 1], "guarded/0 guarded/1");
    fixture_finish(&f);
}
END_TEST

START_TEST(a_wrong_password_is_denied_at_once)
{
    struct fixture f;

    by_password(begin(&f, BROKER_SASL, "guarded"), "bob", "wrong");
    fixture_create(&f);
    ck_assert_uint_lt(
        kafka_fails(&f, STATUS_DENIED, ERR_SOURCE_DENIED, "refuse the log-in: "),
        4000); /* sooner than 'timeout' */
    ck_assert_says(f.box.text[0], "Correct rdkafka.sasl.*");
    ck_assert_ptr_null(strstr(f.box.text[0], "wrong"));
    fixture_finish(&f);
}
END_TEST

START_TEST(tls_needs_the_right_authority)
{
    struct fixture f;
    char path[SERVER_PATH_ROOM + 32];

    brokers_topic(&kafka, "sealed", 1, 1);
    for (int right = 0; right < 2; right++) {
        struct section *s = begin(&f, BROKER_TLS, "sealed");

        format(path, sizeof path, "%s/%s.pem", kafka.certs, right ? "ca" : "stranger");
        section_set(s, "rdkafka.security.protocol", "SSL");
        section_set(s, "rdkafka.ssl.ca.location", path);
        section_set(s, "timeout", "2 s");
        fixture_create(&f);
        if (right)
            lists(ask(&f, true), "sealed/0");
        else
            (void)kafka_fails(&f, STATUS_IO, ERR_SOURCE_FAILED, "SSL handshake failed");
        fixture_finish(&f);
    }
}
END_TEST

START_TEST(weights_follow_the_size_and_the_lag)
{
    struct fixture f;

    brokers_topic(&kafka, "heavy", 2, 1);
    brokers_produce(&kafka, "heavy", 0, 400);
    brokers_produce(&kafka, "heavy", 1, 400);
    brokers_commit(&kafka, "billing", "heavy", 0, 300);
    for (int lag = 0; lag < 2; lag++) {
        struct section *s = begin(&f, BROKER_PLAIN, "heavy");

        section_set(s, "weight", lag ? "lag" : "size");
        section_set(s, "weight_unit", "100");
        section_set(s, "weight_base", "0");
        if (lag)
            section_set(s, "group", "billing");
        fixture_create(&f);
        const struct source_result *r = ask(&f, true);
        lists(r, "heavy/0 heavy/1");
        ck_assert_uint_eq(r->listing->weight[0], lag ? 100 : 400);
        ck_assert_uint_eq(r->listing->weight[1], 400);
        fixture_finish(&f);
    }
}
END_TEST

/* conf/orders-kafka.ini as it is, but for the address of the broker. */
START_TEST(the_example_configuration_lists_its_topics)
{
    char path[SERVER_PATH_ROOM], text[4096] = "", changed[4096];
    struct conf c;
    struct listing *listing = NULL;

    brokers_topic(&kafka, "orders", 3, 1);
    brokers_topic(&kafka, "returns", 1, 1);
    format(path, sizeof path, "%s/conf/orders-kafka.ini", getenv("PARTI_SRCDIR"));
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, in), 0);
    ck_assert_int_eq(fclose(in), 0);
    char *address = strstr(text, "127.0.0.1:9092");
    ck_assert_ptr_nonnull(address);
    format(changed, sizeof changed, "%.*s%s%s", (int)(address - text), text,
           kafka.list[BROKER_PLAIN], address + strlen("127.0.0.1:9092"));
    in = fmemopen(changed, strlen(changed), "r");
    ck_assert_int_eq(conf_load_stream(&c, in, "orders-kafka.ini", "/"), 0);
    ck_assert_int_eq(fclose(in), 0);
    struct sources_setup setup = {.source = c.source,
                                  .source_n = c.source_n,
                                  .plugin_dir = plugins_dir(),
                                  .budget_ms = 10000};
    int status = sources_list_once(&setup, &c.errors, &listing);
    conf_errors_print(&c.errors, stdout);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(listing->n, 4);
    listing_unref(listing);
    conf_finish(&c);
}
END_TEST

START_TEST(a_broker_that_stands_still_is_a_timeout)
{
    struct fixture f;

    brokers_topic(&kafka, "frozen", 1, 1);
    section_set(begin(&f, BROKER_PLAIN, "frozen"), "timeout", "1 s");
    fixture_create(&f);
    lists(ask(&f, true), "frozen/0");
    broker_freeze(&kafka.at[0]);
    uint64_t took =
        kafka_fails(&f, STATUS_TIMEOUT, ERR_SOURCE_TIMEOUT, "were silent for 1");
    broker_thaw(&kafka.at[0]);
    ck_assert_uint_lt(took, 4000);
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;
    while (ask(&f, true)->status != STATUS_OK)
        ck_assert_uint_lt(threads_now_ms(), deadline);
    fixture_finish(&f);
}
END_TEST

START_TEST(a_broker_that_dies_is_told_and_so_is_its_return)
{
    struct fixture f;

    brokers_topic(&kafka, "phoenix", 2, 1);
    struct section *s = begin(&f, BROKER_PLAIN, "phoenix");
    section_set(s, "poll_interval", "500 ms");
    section_set(s, "timeout", "2 s");
    section_set(s, "rdkafka.reconnect.backoff.max.ms", "200");
    fixture_create(&f);
    sources_watch(f.sources, true);
    lists(ask(&f, false), "phoenix/0 phoenix/1");
    broker_kill(&kafka.at[0]);
    uint32_t i = kafka_await(&f, 1, STATUS_IO, ERR_SOURCE_FAILED);
    ck_assert_says(f.box.text[i], "no broker of 127.0.0.1:");
    ck_assert_says(f.box.text[i], "The last list stays");
    ck_assert(!f.box.result[i].asked);
    broker_restart(&kafka, 0);
    brokers_await(&kafka, 1);
    /* What it had before is not told again; something new is. */
    brokers_grow(&kafka, "phoenix", 4);
    i = kafka_await_count(&f, i + 1, 4);
    lists(&f.box.result[i], "phoenix/0 phoenix/1 phoenix/2 phoenix/3");
    fixture_finish(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_topic_of_a_real_broker_is_listed,
        growth_from_64_to_96_is_noticed_and_announced,
        a_new_topic_that_matches_is_noticed_and_one_that_goes_too,
        a_topic_that_is_missing_is_said_to_be_so_and_is_not_created,
        a_topic_that_is_removed_is_announced_as_missing,
        a_user_without_the_right_is_denied_and_with_it_served,
        a_wrong_password_is_denied_at_once,
        tls_needs_the_right_authority,
        weights_follow_the_size_and_the_lag,
        the_example_configuration_lists_its_topics,
        a_broker_that_stands_still_is_a_timeout,
        a_broker_that_dies_is_told_and_so_is_its_return,
    };

    if (brokers_missing() != NULL) {
        puts(brokers_missing());
        return 77;
    }
    (void)setenv("CK_FORK", "no", 1);
    brokers_start(&kafka, 1);
    int failed = unit_run("kafka_broker", tests, sizeof tests / sizeof *tests);
    brokers_finish(&kafka);
    return failed;
}
