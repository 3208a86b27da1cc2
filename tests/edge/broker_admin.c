/* What the tests of Kafka do as its administrator, and as producer and consumer. */
#include "broker.h"

#include "edge/clock.h"

#include <string.h>

/* Waits for the event of a request and ends if it tells of an error. */
static void finish_request(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, BROKER_WAIT_MS);

    if (event == NULL)
        die("%s: Kafka does not answer", what);
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("%s: %s", what, rd_kafka_event_error_string(event));
    size_t n = 0;
    const rd_kafka_topic_result_t **topics = NULL;
    const rd_kafka_CreateTopics_result_t *made =
        rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_CreatePartitions_result_t *grown =
        rd_kafka_event_CreatePartitions_result(event);
    const rd_kafka_DeleteTopics_result_t *gone =
        rd_kafka_event_DeleteTopics_result(event);

    if (made != NULL)
        topics = rd_kafka_CreateTopics_result_topics(made, &n);
    else if (grown != NULL)
        topics = rd_kafka_CreatePartitions_result_topics(grown, &n);
    else if (gone != NULL)
        topics = rd_kafka_DeleteTopics_result_topics(gone, &n);
    for (size_t i = 0; i < n; i++)
        if (rd_kafka_topic_result_error(topics[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            die("%s: %s", what, rd_kafka_topic_result_error_string(topics[i]));
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
}

/* The partitions of a topic as one broker knows it, -1 for none. */
static int count_partitions(struct brokers *b, const char *name)
{
    const struct rd_kafka_metadata *md;
    int n = -1;

    /* All topics: a name in the request could make the topic. */
    if (rd_kafka_metadata(b->admin, 1, NULL, &md, BROKER_WAIT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        die("metadata: Kafka does not answer");
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, name) == 0)
            n = md->topics[i].partition_cnt;
    rd_kafka_metadata_destroy(md);
    return n;
}

static void await_partitions(struct brokers *b, const char *name, int n)
{
    uint64_t deadline = clock_boot_ms() + BROKER_WAIT_MS;

    while (count_partitions(b, name) != n)
        if (clock_boot_ms() >= deadline)
            die("topic %s has not %d partitions in time", name, n);
}

void brokers_topic(struct brokers *b, const char *name, int partitions, int replicas)
{
    char why[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(b->admin);
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, partitions, replicas, why, sizeof why);

    if (topic == NULL)
        die("topic %s: %s", name, why);
    rd_kafka_CreateTopics(b->admin, &topic, 1, NULL, queue);
    finish_request(queue, "CreateTopics");
    rd_kafka_NewTopic_destroy(topic);
    await_partitions(b, name, partitions);
}

void brokers_grow(struct brokers *b, const char *name, int partitions)
{
    char why[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(b->admin);
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(name, (size_t)partitions, why, sizeof why);

    if (more == NULL)
        die("topic %s: %s", name, why);
    rd_kafka_CreatePartitions(b->admin, &more, 1, NULL, queue);
    finish_request(queue, "CreatePartitions");
    rd_kafka_NewPartitions_destroy(more);
    await_partitions(b, name, partitions);
}

void brokers_remove(struct brokers *b, const char *name)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(b->admin);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);

    rd_kafka_DeleteTopics(b->admin, &topic, 1, NULL, queue);
    finish_request(queue, "DeleteTopics");
    rd_kafka_DeleteTopic_destroy(topic);
    await_partitions(b, name, -1);
}

static void allow(struct brokers *b, const char *user, rd_kafka_ResourceType_t type,
                  const char *name, rd_kafka_AclOperation_t operation)
{
    char why[256], principal[64];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(b->admin);

    format(principal, sizeof principal, "User:%s", user);
    rd_kafka_AclBinding_t *acl = rd_kafka_AclBinding_new(
        type, name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, principal, "*", operation,
        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why, sizeof why);
    if (acl == NULL)
        die("rights of %s: %s", user, why);
    rd_kafka_CreateAcls(b->admin, &acl, 1, NULL, queue);
    finish_request(queue, "CreateAcls");
    rd_kafka_AclBinding_destroy(acl);
}

void brokers_allow(struct brokers *b, const char *user, const char *topic)
{
    allow(b, user, RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_ACL_OPERATION_DESCRIBE);
}

void brokers_allow_read(struct brokers *b, const char *user, const char *topic,
                        const char *group)
{
    allow(b, user, RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_ACL_OPERATION_READ);
    allow(b, user, RD_KAFKA_RESOURCE_GROUP, group, RD_KAFKA_ACL_OPERATION_READ);
}

void brokers_trim(struct brokers *b, const char *topic, int32_t partition, int64_t before)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(b->admin);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = before;
    rd_kafka_DeleteRecords_t *less = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(b->admin, &less, 1, NULL, queue);
    finish_request(queue, "DeleteRecords");
    rd_kafka_DeleteRecords_destroy(less);
    rd_kafka_topic_partition_list_destroy(list);
}

void brokers_forget(struct brokers *b, const char *group)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(b->admin);
    rd_kafka_DeleteGroup_t *gone = rd_kafka_DeleteGroup_new(group);

    rd_kafka_DeleteGroups(b->admin, &gone, 1, NULL, queue);
    finish_request(queue, "DeleteGroups");
    rd_kafka_DeleteGroup_destroy(gone);
}

bool brokers_has_topic(struct brokers *b, const char *name)
{
    return count_partitions(b, name) >= 0;
}

void brokers_produce(struct brokers *b, const char *topic, int32_t partition, uint32_t n)
{
    char byte = 'x';

    for (uint32_t i = 0; i < n; i++)
        if (rd_kafka_producev(
                b->admin, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(&byte, 1),
                RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
            die("a message is refused");
    if (rd_kafka_flush(b->admin, BROKER_WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("messages are not acknowledged in time");
}

void brokers_commit(struct brokers *b, const char *group, const char *topic,
                    int32_t partition, int64_t offset)
{
    rd_kafka_t *rk = brokers_client(b, RD_KAFKA_CONSUMER, group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    uint64_t deadline = clock_boot_ms() + BROKER_WAIT_MS;
    rd_kafka_resp_err_t err;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    /* The first one makes the brokers' own topic for positions, which takes a moment. */
    do {
        err = rd_kafka_commit(rk, list, 0);
    } while (err != RD_KAFKA_RESP_ERR_NO_ERROR && clock_boot_ms() < deadline);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("a position is refused: %s", rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

void brokers_number(struct brokers *b, const char *topic, int32_t partition, int first,
                    int n)
{
    char text[16];

    for (int i = first; i < first + n; i++) {
        int length = snprintf(text, sizeof text, "%d", i);

        if (rd_kafka_producev(b->admin, RD_KAFKA_V_TOPIC(topic),
                              RD_KAFKA_V_PARTITION(partition),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_VALUE(text, (size_t)length),
                              RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
            die("a message is refused");
    }
    if (rd_kafka_flush(b->admin, BROKER_WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("messages are not acknowledged in time");
}

int64_t brokers_committed(struct brokers *b, const char *group, const char *topic,
                          int32_t partition, char *mark, size_t room)
{
    rd_kafka_t *rk = brokers_client(b, RD_KAFKA_CONSUMER, group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    uint64_t deadline = clock_boot_ms() + BROKER_WAIT_MS;
    rd_kafka_resp_err_t err;

    const rd_kafka_topic_partition_t *p =
        rd_kafka_topic_partition_list_add(list, topic, partition);
    do {
        err = rd_kafka_committed(rk, list, 2000);
    } while (err != RD_KAFKA_RESP_ERR_NO_ERROR && clock_boot_ms() < deadline);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("committed offsets: %s", rd_kafka_err2str(err));
    int64_t offset = p->offset >= 0 ? p->offset : -1;
    format(mark, room, "%.*s", p->metadata != NULL ? (int)p->metadata_size : 0,
           p->metadata != NULL ? (const char *)p->metadata : "");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset;
}
