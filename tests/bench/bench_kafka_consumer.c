/* Messages a second through the consumer role of kafka, against a bare batch loop of
 * librdkafka in the same run: the same topic of a real broker, librdkafka's defaults.
 *
 *     bench_kafka_consumer [MESSAGES [WINDOW]]
 */
#include "config.h"

#include "broker.h"
#include "jet_host.h"

#include <stdio.h>

enum { BATCH = 512, BYTES = 128, ROUNDS = 3 };

static struct brokers kafka;
static struct jet_host host;

static void fill(const char *topic, int lanes, int n)
{
    char data[BYTES];

    memset(data, 'x', sizeof data);
    brokers_topic(&kafka, topic, lanes, 1);
    for (int i = 0; i < n; i++) {
        rd_kafka_resp_err_t err;

        do {
            err = rd_kafka_producev(kafka.admin, RD_KAFKA_V_TOPIC(topic),
                                    RD_KAFKA_V_PARTITION(i % lanes),
                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                    RD_KAFKA_V_VALUE(data, sizeof data), RD_KAFKA_V_END);
            if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
                (void)rd_kafka_poll(kafka.admin, 100);
        } while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL);
        ck_assert_int_eq(err, 0);
    }
    ck_assert_int_eq(rd_kafka_flush(kafka.admin, DEADLINE_MS), 0);
}

static double rate(int n, uint64_t begun_us)
{
    return (double)n * 1e6 / (double)(threads_now_us() - begun_us);
}

static double bare(const char *topic, int lanes, int n)
{
    rd_kafka_message_t *batch[BATCH];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(lanes);
    int had = 0;

    uint64_t begun = threads_now_us();
    rd_kafka_t *rk = brokers_client(&kafka, RD_KAFKA_CONSUMER, "bare");
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    for (int i = 0; i < lanes; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = 0;
    ck_assert_int_eq(rd_kafka_assign(rk, list), 0);
    while (had < n) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, 100, batch, BATCH);

        for (ssize_t i = 0; i < got; i++) {
            had += batch[i]->err == 0;
            rd_kafka_message_destroy(batch[i]);
        }
    }
    double result = rate(n, begun);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return result;
}

static double through(const char *topic, int lanes, int n, int room)
{
    const char *const pairs[] = {
        "brokers", kafka.list[BROKER_PLAIN], "group", "role", "start", "earliest", NULL};

    uint64_t begun = threads_now_us();
    host_start_plugin(&host, "kafka", pairs);
    ck_assert_ptr_nonnull(host.self);
    host.is_counting = 1;
    host.target = (uint32_t)(n / lanes);
    host.window = (uint64_t)room;
    for (int i = 0; i < lanes; i++) {
        char id[HOST_TEXT_ROOM];

        (void)snprintf(id, sizeof id, "%s/%d", topic, i);
        ck_assert_int_eq(host_run(&host, (uint32_t)i, id, 1, 0, 0, (uint64_t)room),
                         PARTI_OK);
    }
    for (int i = 0; i < lanes; i++)
        host_await(&host, (uint32_t)i, (uint32_t)(n / lanes));
    double result = rate(n, begun);
    host_finish(&host);
    return result;
}

static int messages = 1000000, window = 512;

static void compare(int lanes)
{
    char topic[32];
    double bare_sum = 0, role_sum = 0;
    int n = messages / lanes * lanes;

    (void)snprintf(topic, sizeof topic, "load-%d", lanes);
    fill(topic, lanes, n);
    (void)bare(topic, lanes, n); /* the group's coordinator and the cache of files */
    for (int i = 0; i < ROUNDS; i++) {
        double without = bare(topic, lanes, n), with = through(topic, lanes, n, window);

        bare_sum += without;
        role_sum += with;
        (void)printf("%d partitions: bare %.0f/s, role %.0f/s, %.2f\n", lanes, without,
                     with, with / without);
        (void)fflush(stdout);
    }
    (void)printf("{\"target\":\"bench-kafka-consumer\",\"partitions\":%d,\"bare\":%.0f,"
                 "\"role\":%.0f,\"ratio\":%.2f}\n",
                 lanes, bare_sum / ROUNDS, role_sum / ROUNDS, role_sum / bare_sum);
    (void)fflush(stdout);
}

START_TEST(bench)
{
    compare(1);
    compare(4);
    compare(64);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {bench}; /* the rig's checks need a frame */

    if (brokers_missing() != NULL) {
        puts(brokers_missing());
        return 77;
    }
    if (argc > 1)
        messages = (int)strtol(argv[1], NULL, 10);
    if (argc > 2)
        window = (int)strtol(argv[2], NULL, 10);
    (void)setenv("CK_FORK", "no", 1);
    (void)setenv("CK_DEFAULT_TIMEOUT", "0", 1);
    brokers_start(&kafka, 1);
    int failed = unit_run("bench_kafka_consumer", tests, 1);
    brokers_finish(&kafka);
    return failed;
}
