/* librdkafka's mock cluster in this process: it produces faults that a real broker does
 * not.  At 2.0.2 it has no SASL, no admin requests, and makes any topic that is asked for
 * by name, so what does not exist is set as an error. */
#ifndef PARTI_TESTS_KAFKA_MOCK_H
#define PARTI_TESTS_KAFKA_MOCK_H

#include <check.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { METADATA = 3, LIST_OFFSETS = 2, OFFSET_FETCH = 9 }; /* keys of the protocol */

struct mock {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    const char *brokers;
};

static inline void mock_log(const rd_kafka_t *rk, int level, const char *facility,
                            const char *text)
{
    (void)rk, (void)level, (void)facility, (void)text;
}

static inline void mock_init(struct mock *m, int brokers)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, mock_log);
    m->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    ck_assert_msg(m->rk != NULL, "%s", why);
    m->cluster = rd_kafka_mock_cluster_new(m->rk, brokers);
    ck_assert_ptr_nonnull(m->cluster);
    m->brokers = rd_kafka_mock_cluster_bootstraps(m->cluster);
}

static inline void mock_finish(struct mock *m)
{
    rd_kafka_mock_cluster_destroy(m->cluster);
    rd_kafka_destroy(m->rk);
}

static inline void mock_topic(struct mock *m, const char *name, int partitions)
{
    ck_assert_int_eq(rd_kafka_mock_topic_create(m->cluster, name, partitions, 1), 0);
}

/* A client of the mock cluster; 'group' may be NULL. */
static inline rd_kafka_t *mock_client(struct mock *m, rd_kafka_type_t type,
                                      const char *group)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, mock_log);
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", m->brokers, why, sizeof why);
    if (group != NULL)
        (void)rd_kafka_conf_set(conf, "group.id", group, why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    ck_assert_msg(rk != NULL, "%s", why);
    return rk;
}

/* So many messages to a partition, acknowledged. */
static inline void mock_produce(struct mock *m, const char *topic, int32_t partition,
                                uint32_t n)
{
    rd_kafka_t *rk = mock_client(m, RD_KAFKA_PRODUCER, NULL);
    char byte = 'x';

    for (uint32_t i = 0; i < n; i++)
        ck_assert_int_eq(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic),
                                           RD_KAFKA_V_PARTITION(partition),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_VALUE(&byte, 1), RD_KAFKA_V_END),
                         0);
    ck_assert_int_eq(rd_kafka_flush(rk, 20000), 0);
    rd_kafka_destroy(rk);
}

/* The group's position in a partition. */
static inline void mock_commit(struct mock *m, const char *group, const char *topic,
                               int32_t partition, int64_t offset)
{
    rd_kafka_t *rk = mock_client(m, RD_KAFKA_CONSUMER, group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    ck_assert_int_eq(rd_kafka_commit(rk, list, 0), 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

#endif
