/* What the engine of consuming costs a message: in from the plugin, to the handler, its
 * ack, and the records between, over many lanes; best of 7.
 *
 *   bench_consume [LANES [MESSAGES]]     the last line on stdout is JSON
 */
#include "base/status.h"
#include "consume/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 7, BATCH = 64, DUE_MAX = 1 << 12 };

/* What the engine asked for and the loop still owes. */
struct driver {
    struct consume *c;
    uint64_t now, positions, delivered, steps;
    uint64_t *next, *run;               /* of each lane */
    struct consume_action due[DUE_MAX]; /* a ring */
    uint32_t due_first, due_end;
};

static void perform(void *ctx, const struct consume_action *a)
{
    struct driver *d = ctx;

    if (a->type == DO_START)
        d->run[a->lane] = a->run;
    if (a->type == DO_READ || a->type == DO_WRITE || a->type == DO_DELIVER ||
        a->type == DO_START)
        d->due[d->due_end++ % DUE_MAX] = *a;
}

static void step(struct driver *d, struct consume_event ev)
{
    ev.now_ms = d->now;
    d->steps++;
    consume_step(d->c, &ev);
}

/* Answers all that the engine asked for. */
static void settle(struct driver *d)
{
    while (d->due_first != d->due_end) {
        const struct consume_action a = d->due[d->due_first++ % DUE_MAX];

        if (a.type == DO_READ)
            step(d, (struct consume_event){.type = CONSUME_READ,
                                           .lane = a.lane,
                                           .op = a.op,
                                           .status = STATUS_NOTFOUND});
        else if (a.type == DO_WRITE)
            step(d, (struct consume_event){.type = CONSUME_WRITTEN,
                                           .lane = a.lane,
                                           .op = a.op,
                                           .version = ++d->positions});
        else if (a.type == DO_START)
            step(d, (struct consume_event){.type = CONSUME_BEGUN,
                                           .lane = a.lane,
                                           .run = a.run,
                                           .origin = 1,
                                           .position = 1});
        else
            step(d, (struct consume_event){.type = CONSUME_VERDICT,
                                           .lane = a.lane,
                                           .run = a.run,
                                           .position = a.position,
                                           .attempt = a.attempt,
                                           .verdict = VERDICT_ACK});
        d->delivered += a.type == DO_DELIVER;
    }
}

static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ns a message. */
static double round_of(struct driver *d, uint32_t lanes, uint64_t messages)
{
    uint64_t begin = now_ns();

    for (uint64_t i = 0; i < messages; i++) {
        uint32_t lane = (uint32_t)(i % lanes);

        step(d, (struct consume_event){.type = CONSUME_MESSAGE,
                                       .lane = lane,
                                       .run = d->run[lane],
                                       .position = ++d->next[lane],
                                       .message = d});
        if (i % BATCH == 0)
            settle(d);
        if (i % 1000 == 0) { /* a million messages a second */
            d->now++;
            if (consume_deadline_ms(d->c) <= d->now)
                step(d, (struct consume_event){.type = CONSUME_TICK});
            settle(d);
        }
    }
    settle(d);
    return (double)(now_ns() - begin) / (double)messages;
}

int main(int argc, char **argv)
{
    uint32_t lanes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    uint64_t messages = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, total;
    struct consume_options o = {.lanes_max = lanes,
                                .messages_max = lanes * 256,
                                .lane_max = 256,
                                .deliver_max = 1,
                                .attempts_max = 5,
                                .has_dead_letter = true,
                                .handle_timeout_ms = 30000,
                                .retry_first_ms = 100,
                                .retry_max_ms = 10000,
                                .commit_interval_ms = 200,
                                .commit_messages = 100,
                                .writes_max = 64};
    struct driver d = {.now = 1};
    void *memory = calloc(1, consume_size(&o));
    double best = 0;

    d.next = calloc(lanes, sizeof *d.next);
    d.run = calloc(lanes, sizeof *d.run);
    if (memory == NULL || d.next == NULL || d.run == NULL ||
        consume_init(&d.c, memory, consume_size(&o), &o, perform, &d) != 0)
        return EXIT_FAILURE;
    for (uint32_t i = 0; i < lanes; i++) {
        step(&d,
             (struct consume_event){.type = CONSUME_GRANT, .lane = i, .token = {1, 1}});
        settle(&d);
    }
    for (int i = 0; i < ROUNDS; i++) {
        double ns = round_of(&d, lanes, messages);

        best = i == 0 || ns < best ? ns : best;
    }
    total = (uint64_t)ROUNDS * messages;
    printf("%u lanes: %.0f ns a message (in, delivered, acknowledged; %.2f steps each)\n",
           lanes, best, (double)d.steps / (double)total);
    printf("{\"target\":\"bench_consume\",\"lanes\":%u,\"messages\":%" PRIu64
           ",\"delivered\":%" PRIu64 ",\"ns\":%.1f}\n",
           lanes, total, d.delivered, best);
    consume_finish(d.c);
    free(d.next);
    free(d.run);
    free(memory);
    return d.delivered == total ? EXIT_SUCCESS : EXIT_FAILURE;
}
