/* What one parti_holds() costs: a real worker on a real (embedded) server holds one
 * partition; the check is timed against an empty loop and a bare clock read in the same
 * run, interleaved, best of 15.
 *
 *   bench_holds PLUGIN_DIR [CALLS]
 */
#include "parti.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, SETTLE_S = 30 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static struct parti_hold hold;
static int has_hold;

static void assigned(void *ctx, uint64_t epoch, const struct parti_partition *p, size_t n)
{
    (void)ctx, (void)epoch;
    (void)pthread_mutex_lock(&lock);
    if (n > 0) {
        hold = p[0].hold;
        has_hold = 1;
        (void)pthread_cond_signal(&given);
    }
    (void)pthread_mutex_unlock(&lock);
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int write_ini(char *folder, char *path, size_t room, const char *plugins)
{
    FILE *f;

    (void)snprintf(path, room, "%s/bench.ini", folder);
    f = fopen(path, "we");
    if (f == NULL)
        return -1;
    (void)fprintf(
        f,
        "[parti]\ngroup = bench\nplugin_dir = %s\n[nats]\nurl = embedded\nstore_dir = "
        "%s/nats\n[strategy]\nplugin = round_robin\n[source]\nplugin = static\n"
        "partitions = p/0..9\n",
        plugins, folder);
    return fclose(f);
}

static int measure(struct parti_worker *w, uint64_t calls)
{
    double best = 1e9, clock_best = 1e9;
    uint64_t yes = 0, sum = 0;

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns(CLOCK_MONOTONIC), middle, end;

        for (uint64_t i = 0; i < calls; i++)
            yes += (uint64_t)parti_holds(w, hold);
        middle = now_ns(CLOCK_MONOTONIC);
        for (uint64_t i = 0; i < calls; i++)
            sum += now_ns(CLOCK_BOOTTIME);
        end = now_ns(CLOCK_MONOTONIC);
        best = (double)(middle - begin) / (double)calls < best
                   ? (double)(middle - begin) / (double)calls
                   : best;
        clock_best = (double)(end - middle) / (double)calls < clock_best
                         ? (double)(end - middle) / (double)calls
                         : clock_best;
    }
    printf("parti_holds()        %6.1f ns a call (best of %d x %" PRIu64
           ", all held: %s)\n",
           best, ROUNDS, calls, yes == calls * ROUNDS ? "yes" : "no");
    printf("bare clock_gettime() %6.1f ns a call\n", clock_best);
    printf("{\"target\":\"bench-holds\",\"ns_per_call\":%.1f,\"clock_ns\":%.1f,\"ratio\":"
           "%.2f,"
           "\"goal_ns\":30,\"held\":%s}\n",
           best, clock_best, best / clock_best, yes == calls * ROUNDS ? "true" : "false");
    return yes == calls * ROUNDS && sum != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int wait_for_hold(void)
{
    struct timespec until;
    int rc = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SETTLE_S;
    (void)pthread_mutex_lock(&lock);
    while (!has_hold && rc == 0)
        rc = pthread_cond_timedwait(&given, &lock, &until);
    (void)pthread_mutex_unlock(&lock);
    return rc;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/parti-bench-XXXXXX", ini[256], text[4096];
    struct parti_callbacks callbacks = {.size = sizeof callbacks, .assigned = assigned};
    struct parti_options options = {
        .size = sizeof options, .config = ini, .callbacks = &callbacks};
    struct parti_worker *w;
    int status = EXIT_FAILURE;

    if (argc < 2 || mkdtemp(folder) == NULL ||
        write_ini(folder, ini, sizeof ini, argv[1]) != 0) {
        (void)fprintf(stderr, "usage: bench_holds PLUGIN_DIR [CALLS]\n");
        return EXIT_FAILURE;
    }
    if (parti_create(&w, &options, text, sizeof text) != 0) {
        (void)fprintf(stderr, "%s\n", text);
        return EXIT_FAILURE;
    }
    if (wait_for_hold() == 0)
        status = measure(w, argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000);
    parti_destroy(w);
    (void)unlink(ini);
    return status;
}
