/* What `make bench-flow BROKER=kafka` does with Kafka behind Parti's back: a real broker
 * with a topic that is full, and a bare loop of librdkafka. */
#include "config.h"

#include "broker.h"
#include "flow.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DATA_MAX = 1 << 16, BATCH_MAX = 4096, WAIT_MS = 60000, TEXT_ROOM = 512 };

static rd_kafka_t *client(rd_kafka_type_t type, const char *const pairs[][2], size_t n)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[TEXT_ROOM];

    for (size_t i = 0; i < n; i++) {
        if (rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], text, sizeof text) !=
            RD_KAFKA_CONF_OK)
            flow_die("%s", text);
    }
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (rk == NULL)
        flow_die("%s", text);
    return rk;
}

static void produce(rd_kafka_t *rk, const char *topic, const struct flow_head *head,
                    char *data, size_t size)
{
    rd_kafka_resp_err_t err;

    flow_put(data, head);
    do {
        err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic),
                                RD_KAFKA_V_PARTITION((int32_t)head->part),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                RD_KAFKA_V_VALUE(data, size), RD_KAFKA_V_END);
        if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            (void)rd_kafka_poll(rk, 100);
    } while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        flow_die("produce: %s", rd_kafka_err2str(err));
}

/* TOPIC PARTS MESSAGES SIZE: one line, "ADDRESS PID"; until the end of its input */
static int serve(int argc, char **argv)
{
    static char data[DATA_MAX];
    static struct brokers b;
    char byte;

    if (argc != 4)
        flow_die("serve: four arguments");
    if (brokers_missing() != NULL)
        flow_die("%s", brokers_missing());
    uint32_t parts = (uint32_t)strtoul(argv[1], NULL, 10);
    uint64_t n = strtoull(argv[2], NULL, 10);
    size_t size = strtoul(argv[3], NULL, 10);
    if (size < FLOW_HEAD || size > sizeof data)
        flow_die("serve: a message has %d to %d bytes", FLOW_HEAD, DATA_MAX);
    memset(data, 'x', size);
    brokers_start(&b, 1);
    brokers_topic(&b, argv[0], (int)parts, 1);
    /* Without it a request that is sent again may come behind later ones. */
    const char *const pairs[][2] = {{"bootstrap.servers", b.list[BROKER_PLAIN]},
                                    {"enable.idempotence", "true"}};
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, pairs, 2);
    for (uint64_t i = 0; i < n; i++) {
        const struct flow_head head = {.part = (uint32_t)(i % parts),
                                       .number = i / parts};

        produce(rk, argv[0], &head, data, size);
    }
    if (rd_kafka_flush(rk, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        flow_die("the topic could not be filled");
    rd_kafka_destroy(rk);
    (void)printf("%s %d\n", b.list[BROKER_PLAIN], (int)b.at[0].pid);
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    brokers_finish(&b);
    return 0;
}

/* ADDRESS MAP INDEX TOPIC FROM TO BATCH GROUP: until it is killed.  What librdkafka does
 * by itself: offsets stored as messages are taken, committed every 5 s. */
static int bare(int argc, char **argv)
{
    static rd_kafka_message_t *message[BATCH_MAX];

    if (argc != 8)
        flow_die("bare: eight arguments");
    struct flow *flow = flow_map(argv[1]);
    int index = (int)strtol(argv[2], NULL, 10);
    int from = (int)strtol(argv[4], NULL, 10), to = (int)strtol(argv[5], NULL, 10);
    size_t batch = strtoul(argv[6], NULL, 10);
    if (batch == 0 || batch > BATCH_MAX)
        flow_die("bare: a batch is of 1 to %d", BATCH_MAX);
    const char *const pairs[][2] = {{"bootstrap.servers", argv[0]},
                                    {"group.id", argv[7]},
                                    {"auto.offset.reset", "earliest"}};
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, pairs, 3);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(to - from);
    for (int i = from; i < to; i++)
        rd_kafka_topic_partition_list_add(list, argv[3], i)->offset = 0;
    atomic_store(&flow->place[index].is_ready, 1);
    while (atomic_load(&flow->go) == 0)
        (void)poll(NULL, 0, 1);
    if (rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        flow_die("assign");
    for (;;) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, 100, message, batch);

        for (ssize_t i = 0; i < got; i++) {
            struct flow_head head;

            if (message[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                if (!flow_get(&head, message[i]->payload, message[i]->len))
                    flow_die("a message of somebody else's");
                flow_count(flow, index, &head);
            }
            rd_kafka_message_destroy(message[i]);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return serve(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "bare") == 0)
        return bare(argc - 2, argv + 2);
    flow_die("flow.py starts this program");
}
