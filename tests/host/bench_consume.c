/* How many messages a second the host hands over: a broker from nowhere, a handler that
 * only acknowledges, positions on a real server.  For `make bench-host`, no test of its
 * own: BENCH_PARTITIONS, BENCH_SECONDS, BENCH_CONSUME (lines of [consume]) say what is
 * measured.
 */
#include "field.h"

#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_ulong count;
static struct parti_worker *worker;

static void on_message(void *ctx, const struct parti_message *m)
{
    (void)ctx;
    parti_ack(worker, m->ticket);
    (void)atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

static int number_in(const char *name, int otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? (int)strtol(text, NULL, 10) : otherwise;
}

START_TEST(messages_a_second)
{
    int parts = number_in("BENCH_PARTITIONS", 64),
        seconds = number_in("BENCH_SECONDS", 3);
    const char *lines = getenv("BENCH_CONSUME");
    const struct parti_callbacks callbacks = {.size = sizeof callbacks,
                                              .message = on_message};
    char more[512], text[2048];

    field_begin(_i);
    format(more, sizeof more, "behave = flood\n%s\n", lines != NULL ? lines : "");
    const struct parti_options options = {.size = sizeof options,
                                          .config = field_conf(parts, more),
                                          .callbacks = &callbacks};
    ck_assert_msg(parti_create(&worker, &options, text, sizeof text) == 0, "%s", text);
    while (atomic_load(&count) == 0)
        (void)poll(NULL, 0, 10);
    (void)poll(NULL, 0, 500); /* warm */
    unsigned long before = atomic_load(&count);
    uint64_t start_ns = clock_boot_ns();
    (void)poll(NULL, 0, seconds * 1000);
    unsigned long n = atomic_load(&count) - before;
    double taken = (double)(clock_boot_ns() - start_ns) / 1e9;
    (void)printf("{\"target\":\"bench-host\",\"partitions\":%d,\"messages\":%lu,"
                 "\"per_second\":%.0f}\n",
                 parts, n, (double)n / taken);
    (void)fflush(stdout);
    parti_destroy(worker);
    field_end();
}
END_TEST

FIELD_MAIN("bench_host", messages_a_second)
