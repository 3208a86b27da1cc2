/* plugins/kafka against three real brokers: some of them away, all of them away, all
 * back.
 */
#include "broker.h"
#include "kafka_frame.h"

static struct brokers kafka;

START_TEST(the_list_comes_as_long_as_one_broker_is_there)
{
    struct fixture f;

    brokers_topic(&kafka, "orders", 6, 3);
    fixture_init(&f);
    struct section *s = kafka_add(&f, kafka.list[BROKER_PLAIN]);
    section_set(s, "topics", "orders");
    section_set(s, "weight", "size");
    section_set(s, "rdkafka.reconnect.backoff.max.ms", "200");
    fixture_create(&f);
    ck_assert_uint_eq(ask(&f, true)->listing->n, 6);
    broker_kill(&kafka.at[0]);
    const struct source_result *r = ask(&f, true);
    ck_assert_msg(r->status == STATUS_OK, "%s", f.box.text[1]);
    ck_assert_uint_eq(r->listing->n, 6);
    /* With one of three there is no controller any more, but there are answers. */
    broker_kill(&kafka.at[1]);
    r = ask(&f, true);
    ck_assert_msg(r->status == STATUS_OK, "%s", f.box.text[2]);
    ck_assert_uint_eq(r->listing->n, 6);
    fixture_finish(&f);
}
END_TEST

/* Begins with one broker of three, as the test before leaves it. */
START_TEST(without_any_broker_the_last_list_stays_until_they_are_back)
{
    struct fixture f;

    fixture_init(&f);
    struct section *s = kafka_add(&f, kafka.list[BROKER_PLAIN]);
    section_set(s, "topics", "orders");
    section_set(s, "poll_interval", "500 ms");
    section_set(s, "timeout", "2 s");
    section_set(s, "rdkafka.reconnect.backoff.max.ms", "200");
    fixture_create(&f);
    sources_watch(f.sources, true);
    ck_assert_uint_eq(ask(&f, false)->listing->n, 6);
    broker_kill(&kafka.at[2]);
    uint32_t i = kafka_await(&f, 1, STATUS_IO, ERR_SOURCE_FAILED);
    ck_assert_says(f.box.text[i], "The last list stays");
    for (int k = 0; k < 3; k++)
        broker_restart(&kafka, k);
    brokers_await(&kafka, 3);
    brokers_grow(&kafka, "orders", 9);
    (void)kafka_await_count(&f, i + 1, 9);
    fixture_finish(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_list_comes_as_long_as_one_broker_is_there,
        without_any_broker_the_last_list_stays_until_they_are_back,
    };

    if (brokers_missing() != NULL) {
        puts(brokers_missing());
        return 77;
    }
    (void)setenv("CK_FORK", "no", 1);
    brokers_start(&kafka, 3);
    int failed = unit_run("kafka_cluster", tests, sizeof tests / sizeof *tests);
    brokers_finish(&kafka);
    return failed;
}
