/* What the tests of the consumer role of kafka share: a real broker, hosts with lanes.
 * To be included once, by a program of tests. */
#ifndef PARTI_TESTS_EDGE_KAFKA_LANES_H
#define PARTI_TESTS_EDGE_KAFKA_LANES_H

#include "broker.h"
#include "jet_host.h"

#include <stdio.h>
#include <string.h>

static struct brokers kafka;
static struct jet_host one;

static inline void join_group(struct jet_host *h, const char *group)
{
    const char *const pairs[] = {
        "brokers", kafka.list[BROKER_PLAIN], "group", group, "start", "earliest", NULL};

    host_start_plugin(h, "kafka", pairs);
    ck_assert_msg(h->self != NULL, "%s", h->error.text);
}

/* One topic with n messages in each partition, numbered. */
static inline void fill(const char *topic, int partitions, int n)
{
    brokers_topic(&kafka, topic, partitions, 1);
    for (int32_t p = 0; p < partitions; p++)
        brokers_number(&kafka, topic, p, 0, n);
}

static inline void run_ok(struct jet_host *h, uint32_t lane, const char *id, uint64_t gen,
                          uint64_t origin, uint64_t next, uint64_t credit)
{
    ck_assert_int_eq(host_run(h, lane, id, gen, origin, next, credit), PARTI_OK);
}

/* Until the group has that offset, with that mark; requests one after the other. */
static inline void await_committed(const char *group, const char *topic,
                                   int32_t partition, int64_t offset, const char *mark)
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

/* Runs them all against one broker; 77 where there is none to be had. */
static inline int lanes_main(const char *name, const TTest *const *tests, size_t n)
{
    if (brokers_missing() != NULL) {
        puts(brokers_missing());
        return 77;
    }
    (void)setenv("CK_FORK", "no", 1);
    brokers_start(&kafka, 1);
    int failed = unit_run(name, tests, n);
    brokers_finish(&kafka);
    return failed;
}

#define LANES_MAIN(name, ...)                                         \
    int main(void)                                                    \
    {                                                                 \
        const TTest *const tests[] = {__VA_ARGS__};                   \
        return lanes_main(name, tests, sizeof tests / sizeof *tests); \
    }

#endif
