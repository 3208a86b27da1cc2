/* What is to be committed, where librdkafka does not even take it: kafka_position.c
 * alone, with the rest of the plugin and the one call of librdkafka played here. */
#include "config.h"

#include "plugins/kafka/kafka_consumer.h"

#include "unit.h"

static rd_kafka_resp_err_t answer;
static int calls, partitions;

rd_kafka_resp_err_t rd_kafka_commit_queue(
    rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *offsets,
    rd_kafka_queue_t *rkqu,
    void (*cb)(rd_kafka_t *rk, rd_kafka_resp_err_t err,
               rd_kafka_topic_partition_list_t *offsets, void *commit_opaque),
    void *commit_opaque)
{
    (void)rk;
    (void)rkqu;
    (void)cb;
    (void)commit_opaque;
    calls++;
    partitions = offsets->cnt;
    return answer;
}

uint64_t kafka_now_ms(void)
{
    return 1;
}

void kafka_duty_by(struct kafka_consumer *c, uint64_t when_ms)
{
    (void)c;
    (void)when_ms;
}

struct kafka_known *kafka_topic_get(struct kafka_consumer *c, const char *name)
{
    (void)name;
    return c->topic;
}

void kafka_reader_begin(struct kafka_consumer *c, struct kafka_lane *l, int64_t committed,
                        int32_t is_ours)
{
    (void)c;
    (void)l;
    (void)committed;
    (void)is_ours;
}

void kafka_reader_later(struct kafka_consumer *c, struct kafka_lane *l, const char *text)
{
    (void)c;
    (void)l;
    (void)text;
}

void kafka_reader_give_up(struct kafka_consumer *c, struct kafka_lane *l,
                          const char *text)
{
    kafka_reader_later(c, l, text);
}

START_TEST(what_librdkafka_does_not_take_is_committed_the_next_time)
{
    struct kafka_known *topic = calloc(1, sizeof *topic + 2);
    struct kafka_past past[3] = {{.known_ms = 0}};
    struct kafka_consumer c = {.topic = topic};
    struct kafka_lane lane = {.topic = topic, .partition = 2, .gen = 3, .done = 7};

    ck_assert_ptr_nonnull(topic);
    topic->name[0] = 't';
    topic->past = past;
    topic->past_room = 3;
    past[2].reader = &lane;
    kafka_position_note(&c, &lane);
    answer = RD_KAFKA_RESP_ERR__STATE;
    kafka_position_commit(&c, 1000);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(partitions, 1);
    ck_assert_uint_eq(c.commits_sent, 0);
    ck_assert(c.is_dirty);
    ck_assert_uint_eq(c.commit_ms, 1000 + KAFKA_COMMIT_MS);
    answer = RD_KAFKA_RESP_ERR_NO_ERROR;
    kafka_position_commit(&c, 2000);
    ck_assert_int_eq(calls, 2);
    ck_assert_int_eq(partitions, 1);
    ck_assert_uint_eq(c.commits_sent, 1);
    ck_assert(!c.is_dirty);
    kafka_position_commit(&c, 3000);
    ck_assert_int_eq(calls, 2);
    free(topic);
}
END_TEST

UNIT_MAIN("kafka_commit", what_librdkafka_does_not_take_is_committed_the_next_time)
