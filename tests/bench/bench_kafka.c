/* How long the kafka source takes to list so many partitions of one topic, by each kind
 * of weight:  bench_kafka PARTITIONS [REAL]
 *
 * Against librdkafka's mock cluster in this process, and, with a number REAL of
 * partitions, against a real broker, from the jars of tools/fetch-kafka.sh.  The first
 * time includes connecting.  The last line is a JSON object; times in milliseconds.
 */
#include "broker.h"

#include "host/conf_errors.h"
#include "host/option.h"
#include "host/plugin.h"
#include "host/threads.h"

#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TIMES = 15,
    BATCH = 2000 /* partitions that a broker makes in one go */
};

static int32_t log_on(const struct parti_host *host, int32_t level)
{
    (void)host;
    return level >= PARTI_ERROR;
}

static void log_line(const struct parti_host *host, int32_t level, const char *text,
                     uint64_t n)
{
    (void)host, (void)level;
    (void)fprintf(stderr, "%.*s\n", (int)n, text);
}

static void changed(const struct parti_host *host)
{
    (void)host;
}

static int32_t stop_wanted(const struct parti_host *host)
{
    (void)host;
    return 0;
}

static const void *extension(const struct parti_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

static int32_t add(struct parti_sink *sink, const struct parti_rows *rows)
{
    *(uint64_t *)sink->ctx += rows->id.n;
    return PARTI_OK;
}

static double now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* One case: its line for people, and ,"NAME":{...} for the JSON line. */
static void run(const char *where, const char *brokers, const char *weight,
                uint64_t partitions, char *json, size_t room)
{
    static const struct parti_host host = {.size = sizeof host,
                                           .abi_minor = PARTI_ABI_MINOR,
                                           .version = "bench",
                                           .log_on = log_on,
                                           .log = log_line,
                                           .changed = changed,
                                           .stop_wanted = stop_wanted,
                                           .extension = extension};
    struct option_raw raw[] = {{"brokers", brokers, 2, 1}, {"topics", "bench", 3, 1},
                               {"weight", weight, 4, 1},   {"group", "bench", 5, 1},
                               {"timeout", "60 s", 6, 1},  {"poll_interval", "0", 7, 1}};
    struct option_section section = {.name = "source",
                                     .file = "bench",
                                     .dir = "/",
                                     .line = 1,
                                     .raw = raw,
                                     .raw_n = sizeof raw / sizeof *raw};
    struct parti_error error = {.size = sizeof error};
    struct plugin_error refused;
    struct conf_errors errors = {0};
    struct option_conf *conf = NULL;
    const struct plugin *p = NULL;
    double took[TIMES];
    void *self = NULL;

    if (conf_errors_init(&errors, "bench") != 0 ||
        plugin_load("kafka", getenv("PARTI_PLUGIN_DIR"), PLUGIN_SOURCE, &p, &refused) !=
            0 ||
        option_build(&section, p->about.source_option, "kafka", &errors, &conf) != 0 ||
        p->source.create(&self, &host, &conf->conf, &error) != PARTI_OK)
        die("the plugin does not start: %s", error.text);
    for (int i = 0; i < TIMES; i++) {
        uint64_t n = 0;
        struct parti_sink sink = {.size = sizeof sink, .ctx = &n, .add = add};
        double start = now_ms();

        if (p->source.list(self, &sink, 100000, &error) != PARTI_OK || n != partitions)
            die("list: %s", error.text);
        took[i] = now_ms() - start;
    }
    p->source.destroy(self);
    option_conf_free(conf);
    conf_errors_finish(&errors);
    double first = took[0];
    qsort(took + 1, TIMES - 1, sizeof *took, by_size);
    printf(
        "%-5s %8llu partitions, weight %-5s  first %8.1f ms, then %7.1f (%.1f .. %.1f)\n",
        where, (unsigned long long)partitions, weight, first, took[TIMES / 2], took[1],
        took[TIMES - 1]);
    size_t used = strlen(json);
    format(json + used, room - used,
           ",\"%s_%s\":{\"partitions\":%llu,\"first_ms\":%.1f,\"median_ms\":%.1f}", where,
           weight, (unsigned long long)partitions, first, took[TIMES / 2]);
}

static void run_all(const char *where, const char *brokers, uint64_t partitions,
                    char *json, size_t room)
{
    run(where, brokers, "fixed", partitions, json, room);
    run(where, brokers, "size", partitions, json, room);
    run(where, brokers, "lag", partitions, json, room);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 10000;
    int real = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
    char why[512], json[2048] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;

    (void)rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (rk == NULL || n < 1)
        die("usage: bench_kafka PARTITIONS [REAL]");
    rd_kafka_mock_cluster_t *mock = rd_kafka_mock_cluster_new(rk, 3);
    if (mock == NULL || rd_kafka_mock_topic_create(mock, "bench", n, 1) != 0)
        die("no mock cluster");
    run_all("mock", rd_kafka_mock_cluster_bootstraps(mock), (uint64_t)n, json,
            sizeof json);
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(rk);

    if (real > 0 && brokers_missing() != NULL)
        die("%s", brokers_missing());
    if (real > 0) {
        struct brokers kafka;

        brokers_start(&kafka, 1);
        brokers_topic(&kafka, "bench", real < BATCH ? real : BATCH, 1);
        for (int have = BATCH; have < real; have += BATCH)
            brokers_grow(&kafka, "bench", have + BATCH < real ? have + BATCH : real);
        run_all("real", kafka.list[BROKER_PLAIN], (uint64_t)real, json, sizeof json);
        brokers_finish(&kafka);
    }
    printf("{\"target\":\"bench-kafka\"%s}\n", json);
    return 0;
}
