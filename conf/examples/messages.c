/* Handles messages that are numbers, each a text like 20.3 (a reading, an amount):
 *
 *   cc messages.c $(pkg-config --cflags --libs parti) -o messages
 *   ./messages telemetry-jetstream.ini
 *
 * What such a worker must do: answer each message, parti_ack() when it is done, and call
 * parti_released() when it has stopped on what is being revoked.  SIGTERM or SIGINT hands
 * everything over and leaves.
 */
#include <parti.h>

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set before the first callback comes. */
static struct parti_worker *worker;

/* On one of [consume] handlers threads: one call at a time for each partition, those of
 * other partitions meanwhile. */
static void on_message(void *ctx, const struct parti_message *m)
{
    char text[64], *end;

    (void)ctx;
    if (m->data_n == 0 || m->data_n >= sizeof text) {
        parti_term(worker, m->ticket); /* to dead_letter */
        return;
    }
    memcpy(text, m->data, m->data_n);
    text[m->data_n] = '\0';
    double value = strtod(text, &end);
    if (*end != '\0') {
        parti_term(worker, m->ticket);
        return;
    }
    /* In its place: write it somewhere.  Whoever stores it can refuse a token lower than
     * the highest seen for this partition, and a position it has already. */
    int n =
        printf("handled %s %" PRIu64 " %" PRIu64 "-%" PRIu64 " %g\n", m->partition->id,
               m->position, m->partition->token.gen, m->partition->token.since, value);
    if (n < 0 || fflush(stdout) != 0)
        parti_nak(worker, m->ticket, 0); /* again, after a pause that grows */
    else
        parti_ack(worker, m->ticket);
}

static void on_revoking(void *ctx, uint64_t epoch,
                        const struct parti_partition *partition, size_t n,
                        uint64_t deadline_ms)
{
    (void)ctx, (void)partition, (void)n, (void)deadline_ms;
    /* Nothing of ours outlives a call of on_message(), and libparti waits for those. */
    parti_released(worker, epoch);
}

static void on_error(void *ctx, int code, const char *text)
{
    (void)ctx, (void)code;
    (void)fprintf(stderr, "messages: %s\n", text);
}

/* The worker could not go on: end as if asked to. */
static void on_stopped(void *ctx, int code, const char *text)
{
    int *failed = ctx;

    if (code != 0) {
        (void)fprintf(stderr, "messages: %s\n", text);
        *failed = 1;
        (void)kill(getpid(), SIGTERM);
    }
}

int main(int argc, char **argv)
{
    char text[4096];
    int failed = 0, number;
    sigset_t ends;
    const struct parti_callbacks callbacks = {
        .size = sizeof callbacks,
        .ctx = &failed,
        .message = on_message,
        .revoking = on_revoking,
        .error = on_error,
        .stopped = on_stopped,
    };
    const struct parti_options options = {
        .size = sizeof options, .config = argv[1], .callbacks = &callbacks};

    if (argc != 2) {
        (void)fprintf(stderr, "usage: messages FILE.ini\n");
        return 2;
    }
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before there are other threads */
    if (parti_create(&worker, &options, text, sizeof text) != 0) {
        (void)fprintf(stderr, "%s\n", text);
        return 1;
    }
    (void)sigwait(&ends, &number);
    parti_stop(worker, 0);
    (void)parti_wait(worker, PARTI_SHUTDOWN, 60 * 1000);
    parti_destroy(worker);
    return failed;
}
