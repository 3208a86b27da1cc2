/* The producer of the ledger on Kafka: topic "ledger", written in order and once by the
 * broker's own means (enable.idempotence), each message counted when all replicas have
 * it.  --url names the brokers.
 *
 *     --dead           writes FOLDER/dead, what topic "ledger-dead" has, and no more
 */
#include "config.h"

#include "ledger_io.h"
#include "produce.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLUSH_MS = 120000, READ_MS = 30000 };

static struct produce_options options;
static uint64_t acked, failed;

static _Noreturn void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "produce: %s: %s\n", what, why);
    exit(1);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        acked++;
    else if (failed++ == 0)
        (void)fprintf(stderr, "produce: %s\n", rd_kafka_err2str(m->err));
}

static rd_kafka_t *connect_brokers(void)
{
    static const char *const pairs[][2] = {
        {"enable.idempotence", "true"}, {"acks", "all"}, {"linger.ms", "2"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[512];

    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", options.url, why, sizeof why) != 0)
        fail("brokers", why);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], why, sizeof why) != 0)
            fail(pairs[i][0], why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (rk == NULL)
        fail("a client", why);
    return rk;
}

static void send_one(rd_kafka_t *rk, uint32_t p, uint64_t number)
{
    char data[PRODUCE_SIZE];
    rd_kafka_resp_err_t e;

    do {
        produce_payload(data, number);
        e = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("ledger"),
                              RD_KAFKA_V_PARTITION((int32_t)p),
                              RD_KAFKA_V_VALUE(data, sizeof data),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        (void)rd_kafka_poll(rk, e == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    } while (e == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("a message", rd_kafka_err2str(e));
}

static bool put_dead(FILE *to, rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    char partition[64];
    size_t n = 0;

    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, "Parti-Partition", &value, &n) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    (void)snprintf(partition, sizeof partition, "%.*s", (int)n, (const char *)value);
    return produce_write_dead(to, partition, m->payload, m->len);
}

static int read_dead(void)
{
    FILE *to = produce_open(&options, "dead");
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;
    char why[512];

    (void)rd_kafka_conf_set(conf, "bootstrap.servers", options.url, why, sizeof why);
    (void)rd_kafka_conf_set(conf, "group.id", "ledger-dead", why, sizeof why);
    (void)rd_kafka_conf_set(conf, "enable.auto.commit", "false", why, sizeof why);
    (void)rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (rk == NULL || to == NULL)
        fail("dead letters", rk == NULL ? why : "no file");
    rd_kafka_topic_partition_list_add(all, "ledger-dead", 0)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
    (void)rd_kafka_poll_set_consumer(rk);
    (void)rd_kafka_assign(rk, all);
    while (e == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, READ_MS);

        e = m != NULL ? m->err : RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (e == RD_KAFKA_RESP_ERR_NO_ERROR && !put_dead(to, m))
            fail("dead letters", "one is not of the ledger");
        if (m != NULL)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_destroy(rk);
    if (e != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        fail("dead letters", rd_kafka_err2str(e));
    return fclose(to) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (!produce_options(&options, argc, argv))
        return 2;
    if (options.is_reading_dead)
        return read_dead();
    rd_kafka_t *rk = connect_brokers();
    uint64_t begun_ns = ledger_now_ns();
    for (uint64_t i = 0; i < options.messages && failed == 0; i++) {
        while (i >= produce_allowed(&options, begun_ns))
            (void)rd_kafka_poll(rk, 5);
        send_one(rk, (uint32_t)(i % options.partitions), i / options.partitions);
    }
    (void)rd_kafka_flush(rk, FLUSH_MS);
    rd_kafka_destroy(rk);
    (void)fprintf(stderr, "produce: %" PRIu64 " messages are in, %" PRIu64 " failed\n",
                  acked, failed);
    if (acked != options.messages || failed != 0)
        fail("counts", "not every message is in");
    return produce_write_counts(&options) ? 0 : 1;
}
