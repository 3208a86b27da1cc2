/* A topic of real Kafka grows under a running group: how long until the new partitions
 * are assigned, and that no other moves. */
#include "config.h"

#include "broker.h"
#include "crew.h"

#include "edge/clock.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

enum { WORKERS = 3, BEFORE = 64, AFTER = 96 };

static struct server server;
static struct brokers kafka;
static struct crew_worker crew[WORKERS];

static bool has(const json_t *list, const json_t *id)
{
    size_t i;
    json_t *at;

    json_array_foreach(list, i, at)
    {
        if (json_equal(at, id))
            return true;
    }
    return false;
}

/* Partitions of 'before' that another worker has in 'after', or none. */
static size_t moves(json_t *before, json_t *after)
{
    const char *worker;
    json_t *list, *id;
    size_t i, n = 0;

    json_object_foreach(before, worker, list)
    {
        json_array_foreach(list, i, id)
        {
            n += !has(json_object_get(after, worker), id);
        }
    }
    return n;
}

START_TEST(growth_of_a_live_topic_is_assigned_and_moves_nothing_else)
{
    const struct server_program *programs;
    char source[512];
    static const char *const names[WORKERS] = {"w0", "w1", "w2"};
    uint64_t last_ns = 0;

    (void)server_programs(&programs);
    server_start(&server, &(struct server_options){.program = &programs[0]});
    brokers_start(&kafka, 1);
    brokers_topic(&kafka, "orders", BEFORE, 1);
    (void)snprintf(source, sizeof source,
                   "[source]\nplugin = kafka\nbrokers = %s\ntopics = orders\n"
                   "poll_interval = 1 s\nrefresh_interval = 0\n",
                   kafka.list[BROKER_PLAIN]);
    for (int i = 0; i < WORKERS; i++) {
        struct crew_options o = {
            .url = server.url, .dir = server.dir, .name = names[i], .source = source};
        crew_start(&crew[i], &o);
    }
    for (int i = 0; i < WORKERS; i++)
        json_decref(crew_event(&crew[i], "assigned"));
    json_t *before = crew_await_settled(&crew[0], WORKERS, BEFORE);

    /* What was assigned until now is read away. */
    uint64_t start_ns = clock_boot_ns();
    brokers_grow(&kafka, "orders", AFTER);
    for (int i = 0; i < WORKERS; i++)
        for (;;) {
            json_t *event = crew_event(&crew[i], "assigned");
            uint64_t at_ns = crew_boot_ns(event);

            json_decref(event);
            if (at_ns < start_ns)
                continue;
            if (at_ns > last_ns)
                last_ns = at_ns;
            break;
        }
    json_t *after = crew_await_settled(&crew[0], WORKERS, AFTER);
    size_t moved = moves(before, after);
    printf(
        "64 -> 96 partitions of a live topic: assigned after %d ms, poll_interval 1 s; "
        "moves among the old: %zu\n",
        (int)((last_ns - start_ns) / CLOCK_NS_PER_MS), moved);
    ck_assert_uint_eq(moved, 0);
    json_decref(before);
    json_decref(after);
    for (int i = 0; i < WORKERS; i++)
        crew_finish(&crew[i]);
    brokers_finish(&kafka);
    server_finish(&server);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        growth_of_a_live_topic_is_assigned_and_moves_nothing_else};

    if (brokers_missing() != NULL) {
        puts(brokers_missing());
        return 77;
    }
    return unit_run("kafka_growth", tests, 1);
}
