/* Messages of a real topic through `parti run`: one worker, a second that joins, the
 * first that drains.  Each message is handled once and in order, and the group's offsets
 * say so to whoever asks the brokers. */
#include "config.h"

#include "broker.h"
#include "cli_rig.h"
#include "rig.h"

#include "edge/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARTITIONS = 8, STEP = 60, PHASES = 4, WORKERS = 2, WAIT_MS = 60000 };

static struct brokers kafka;
static struct server server;

/* What each worker has said of each partition, in its order. */
static int said[WORKERS][PARTITIONS][PHASES * STEP * 2];
static int said_n[WORKERS][PARTITIONS];
static int total, told[WORKERS]; /* told: of partitions that it has */
static struct cli_live live[WORKERS];

static void take(int worker, const char *line)
{
    int pid, part, number;
    unsigned long long position, attempt;

    if (strncmp(line, "told ", 5) == 0)
        told[worker]++;
    if (sscanf(line, "handled %d orders/%d %llu %llu %d", &pid, &part, &position,
               &attempt, &number) != 5)
        return;
    ck_assert_int_lt(part, PARTITIONS);
    ck_assert_int_lt(said_n[worker][part], PHASES * STEP * 2);
    ck_assert_uint_eq(position, (unsigned long long)number);
    ck_assert_uint_eq(attempt, 1);
    said[worker][part][said_n[worker][part]++] = number;
    total++;
}

/* What is there to be read. */
static void read_some(int worker)
{
    struct cli_live *l = &live[worker];
    ssize_t got = read(l->out, l->buffer + l->n, sizeof l->buffer - 1 - l->n);
    char *end;

    ck_assert_msg(got > 0, "worker %d has ended", worker);
    l->n += (size_t)got;
    l->buffer[l->n] = '\0';
    while ((end = strchr(l->buffer, '\n')) != NULL) {
        size_t rest = l->n - (size_t)(end + 1 - l->buffer);

        *end = '\0';
        take(worker, l->buffer);
        memmove(l->buffer, end + 1, rest + 1);
        l->n = rest;
    }
}

/* Until so many were handled, by all, and the worker was told of partitions. */
static void await_total(int n, int worker)
{
    uint64_t until_ms = clock_boot_ms() + WAIT_MS;

    while (total < n || told[worker] == 0) {
        struct pollfd fd[WORKERS];
        uint64_t now_ms = clock_boot_ms();

        for (int i = 0; i < WORKERS; i++)
            fd[i] = (struct pollfd){.fd = live[i].pid != 0 ? live[i].out : -1,
                                    .events = POLLIN};
        ck_assert_msg(now_ms < until_ms &&
                          poll(fd, WORKERS, (int)(until_ms - now_ms)) > 0,
                      "%d of %d messages were handled", total, n);
        for (int i = 0; i < WORKERS; i++)
            if (fd[i].revents != 0)
                read_some(i);
    }
}

static int handled_by(int worker)
{
    int n = 0;

    for (int p = 0; p < PARTITIONS; p++)
        n += said_n[worker][p];
    return n;
}

static void start_worker(int i, const char *conf)
{
    char hand[512];
    const char *const words[] = {"run", "-c", conf, "--", hand, "/nowhere", NULL};

    format(hand, sizeof hand, "%s/tests/host/hand", getenv("PARTI_BUILDDIR"));
    cli_start(&live[i], words);
}

/* SIGTERM: drains, exit code 0. */
static void stop_worker(int i)
{
    int status = 0;

    ck_assert_int_eq(kill(live[i].pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(live[i].pid, &status, 0), live[i].pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    struct pollfd fd = {.fd = live[i].out, .events = POLLIN};
    while (poll(&fd, 1, 0) > 0 && (fd.revents & POLLIN) != 0)
        read_some(i);
    (void)close(live[i].out);
    live[i].pid = 0;
}

static void produce(int phase)
{
    for (int32_t p = 0; p < PARTITIONS; p++)
        brokers_number(&kafka, "orders", p, phase * STEP, STEP);
}

/* Until the group's offset is there and marked as Parti's. */
static void await_offset(int32_t partition, int64_t offset)
{
    uint64_t until_ms = clock_boot_ms() + WAIT_MS;
    char mark[128];
    int64_t at;

    do {
        at = brokers_committed(&kafka, "billing", "orders", partition, mark, sizeof mark);
    } while (at != offset && clock_boot_ms() < until_ms);
    ck_assert_int_eq(at, offset);
    ck_assert_msg(strncmp(mark, "parti ", 6) == 0, "%s", mark);
}

/* Each number once; what the first worker had of a partition lies before what the second
 * had, for nothing ever goes back. */
static void judge(void)
{
    for (int p = 0; p < PARTITIONS; p++) {
        int next = 0;

        for (int w = 0; w < WORKERS; w++)
            for (int i = 0; i < said_n[w][p]; i++)
                ck_assert_msg(said[w][p][i] == next++,
                              "partition %d: worker %d had %d where %d was due", p, w,
                              said[w][p][i], next - 1);
        ck_assert_int_eq(next, PHASES * STEP);
    }
}

START_TEST(each_message_is_handled_once_through_a_join_and_a_drain)
{
    char conf[4096];

    server_start(&server, &(struct server_options){.program = rig_program(0)});
    brokers_topic(&kafka, "orders", PARTITIONS, 1);
    format(conf, sizeof conf,
           "[parti]\ngroup = g\nplugin_dir = %s/plugins/.libs\n[nats]\nurl = %s\n"
           "[strategy]\nplugin = round_robin\n[timing]\nprofile = fast\n"
           "[consume]\nplugin = kafka\ngroup = billing\n" /* at the source's brokers */
           "[source:topics]\nplugin = kafka\nbrokers = %s\ntopics = orders\n",
           getenv("PARTI_BUILDDIR"), server.url, kafka.list[BROKER_PLAIN]);
    const char *path = cli_file("kafka.ini", conf);

    produce(0);
    start_worker(0, path);
    await_total(PARTITIONS * STEP, 0);
    start_worker(1, path);
    produce(1); /* handled while the second joins */
    await_total(2 * PARTITIONS * STEP, 1);
    int before = handled_by(1);
    produce(2); /* both have their share */
    await_total(3 * PARTITIONS * STEP, 1);
    ck_assert_int_eq(handled_by(1) - before, PARTITIONS / 2 * STEP);
    stop_worker(0);
    produce(3);
    await_total(4 * PARTITIONS * STEP, 1);
    for (int32_t p = 0; p < PARTITIONS; p++)
        await_offset(p, 4 * STEP);
    stop_worker(1);
    judge();
    server_finish(&server);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_message_is_handled_once_through_a_join_and_a_drain};

    if (brokers_missing() != NULL) {
        puts(brokers_missing());
        return 77;
    }
    (void)setenv("CK_FORK", "no", 1);
    brokers_start(&kafka, 1);
    int failed = cli_rig_run("run_kafka", tests, 1);
    brokers_finish(&kafka);
    return failed;
}
