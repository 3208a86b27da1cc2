/* A worker of the ledger test, over libparti: writes down each message that it handles.
 *
 *     worker --ini FILE --rows FILE [--work US] [--mutant NAME]
 *     worker --child    --rows FILE [--work US]       under `parti run`
 *
 * SIGTERM: leaves in order.  Mutants, which the judge must notice:
 *     skip    acknowledges each 97th message of a partition without handling it
 *     early   acknowledges before it handles, and does not handle each 97th then
 *     blind   does not ask parti_holds()
 *     twice   handles what it has acknowledged and settled once more
 *     jump    handles two messages in the wrong order
 */
#include "config.h"

#include "ledger_io.h"

#include "parti.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum mutant { SOUND, SKIP, EARLY, BLIND, TWICE, JUMP };
enum { RARE = 97, PARTITIONS_MAX = 100000 };

static struct parti_worker *worker;
static struct ledger_io io;
static enum mutant mutant;
static struct ledger_row *behind; /* of a mutant: by partition, what is to come later */

static enum mutant mutant_of(const char *name)
{
    static const char *const names[] = {"sound", "skip",  "early",
                                        "blind", "twice", "jump"};

    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(name, names[i]) == 0)
            return (enum mutant)i;
    (void)fprintf(stderr, "worker: no mutant is called %s\n", name);
    exit(2);
}

static struct ledger_row row_of(enum ledger_kind kind, const struct parti_partition *p)
{
    return (struct ledger_row){.kind = (uint16_t)kind,
                               .partition = ledger_partition(p->id),
                               .hold = p->hold.serial,
                               .gen = (uint32_t)p->token.gen,
                               .since = (uint32_t)p->token.since,
                               .end_ns = ledger_now_ns()};
}

/* True: the mutant has dealt with it. */
static bool mutate(const struct parti_message *m, struct ledger_row *row)
{
    bool is_rare = row->number % RARE == RARE - 1;

    switch (mutant) {
    case SOUND:
    case BLIND: return false;
    case EARLY: parti_ack(worker, m->ticket); return is_rare;
    case SKIP:
        if (is_rare)
            parti_ack(worker, m->ticket);
        return is_rare;
    case TWICE:
        if (is_rare)
            behind[row->partition] = *row;
        return false;
    case JUMP:
        if (is_rare) { /* its row comes behind the next one's */
            behind[row->partition] = *row;
            parti_ack(worker, m->ticket);
        }
        return is_rare;
    }
    return false;
}

static void put_behind(const struct ledger_row *row)
{
    struct ledger_row *old = &behind[row->partition];
    uint32_t after = mutant == TWICE ? RARE - 1 : 1;

    if (old->kind == LEDGER_NONE || row->number < old->number + after)
        return;
    old->begin_ns = old->end_ns = ledger_now_ns();
    ledger_put(&io, old);
    *old = (struct ledger_row){0};
}

static void on_message(void *ctx, const struct parti_message *m)
{
    struct ledger_row row = row_of(LEDGER_HANDLED, m->partition);

    (void)ctx;
    row.begin_ns = ledger_now_ns();
    row.position = m->position;
    row.attempt = (uint16_t)(m->attempt < UINT16_MAX ? m->attempt : UINT16_MAX);
    if (!ledger_parse(m->data, m->data_n, &row.number, &row.sent_ns)) {
        (void)fprintf(stderr, "worker: not of the producer: %s\n", m->subject);
        exit(3);
    }
    if (mutant != SOUND && mutate(m, &row))
        return;
    ledger_work(&io);
    row.end_ns = ledger_now_ns(); /* before the question: row.h says why */
    if (mutant != BLIND && !parti_holds(worker, m->partition->hold)) {
        row.kind = LEDGER_REFUSED;
        ledger_put(&io, &row);
        return;
    }
    ledger_put_handled(&io, &row);
    if (mutant == TWICE || mutant == JUMP)
        put_behind(&row);
    parti_ack(worker, m->ticket);
}

static void on_settled(void *ctx, const struct parti_partition *p, uint64_t next)
{
    struct ledger_row row = row_of(LEDGER_SETTLED, p);

    (void)ctx;
    row.position = next;
    ledger_put(&io, &row);
}

static void on_assigned(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    (void)ctx;
    (void)epoch;
    for (size_t i = 0; i < n; i++) {
        struct ledger_row row = row_of(LEDGER_ASSIGNED, &p[i]);
        row.end_ns = parti_event_ns(worker);
        ledger_put(&io, &row);
    }
}

static void on_revoking(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n, uint64_t deadline_ms)
{
    (void)ctx;
    (void)p;
    (void)n;
    (void)deadline_ms;
    /* The consumer itself waits for the messages that were given. */
    parti_released(worker, epoch);
}

static void on_released(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        struct ledger_row row = row_of(LEDGER_RELEASED, &p[i]);
        row.number = (uint32_t)epoch;
        row.end_ns = parti_event_ns(worker);
        ledger_put(&io, &row);
    }
}

static void on_fenced(void *ctx, const char *reason, uint64_t deadline_ns)
{
    struct ledger_row row = {.kind = LEDGER_FENCED, .end_ns = deadline_ns};

    (void)ctx;
    ledger_put(&io, &row);
    (void)fprintf(stderr, "%.3f fenced: %s\n", (double)parti_event_ns(worker) / 1e9,
                  reason);
}

static void on_state(void *ctx, enum parti_state from, enum parti_state to,
                     const char *reason)
{
    (void)ctx;
    (void)from;
    (void)fprintf(stderr, "%.3f %s: %s\n", (double)parti_event_ns(worker) / 1e9,
                  parti_state_name(to), reason);
}

static void on_leader(void *ctx, uint64_t term, const char *leader)
{
    (void)ctx;
    (void)fprintf(stderr, "%.3f leader %s, term %llu\n",
                  (double)parti_event_ns(worker) / 1e9, leader, (unsigned long long)term);
}

static void on_id(void *ctx, const char *id)
{
    (void)ctx;
    (void)fprintf(stderr, "%.3f id %s\n", (double)parti_event_ns(worker) / 1e9, id);
}

static void on_error(void *ctx, int code, const char *text)
{
    (void)ctx;
    (void)fprintf(stderr, "%.3f PARTI-E%d %s\n", (double)ledger_now_ns() / 1e9, code,
                  text);
}

static void on_stopped(void *ctx, int code, const char *text)
{
    (void)ctx;
    if (code != 0)
        (void)fprintf(stderr, "stopped: PARTI-E%d %s\n", code, text);
    (void)kill(getpid(), code != 0 ? SIGUSR2 : SIGUSR1);
}

static int run(const char *ini)
{
    const struct parti_callbacks callbacks = {.size = sizeof callbacks,
                                              .assigned = on_assigned,
                                              .revoking = on_revoking,
                                              .released = on_released,
                                              .fenced = on_fenced,
                                              .state = on_state,
                                              .leader = on_leader,
                                              .id = on_id,
                                              .error = on_error,
                                              .stopped = on_stopped,
                                              .message = on_message,
                                              .settled = on_settled};
    const struct parti_options options = {
        .size = sizeof options, .config = ini, .callbacks = &callbacks};
    char text[4096] = "";
    sigset_t set;
    int number;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGUSR2);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return 1;
    if (parti_create(&worker, &options, text, sizeof text) != 0) {
        (void)fprintf(stderr, "%s\n", text);
        return 1;
    }
    while (sigwait(&set, &number) == 0 && number == SIGTERM)
        parti_stop(worker, 0);
    parti_destroy(worker);
    return number == SIGUSR1 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *ini = NULL, *rows = NULL;
    uint64_t work_us = 0;
    bool is_child = false;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--child") == 0) {
            is_child = true;
            continue;
        }
        if (strcmp(argv[i], "--ini") == 0)
            ini = value;
        else if (strcmp(argv[i], "--rows") == 0)
            rows = value;
        else if (strcmp(argv[i], "--work") == 0)
            work_us = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--mutant") == 0)
            mutant = mutant_of(value);
        i++;
    }
    if (rows == NULL || (ini == NULL) != is_child) {
        (void)fprintf(stderr, "worker: --rows FILE and --ini FILE or --child\n");
        return 2;
    }
    behind = calloc(PARTITIONS_MAX, sizeof *behind);
    if (behind == NULL || !ledger_open(&io, rows, work_us))
        return 1;
    return is_child ? ledger_child(&io) : run(ini);
}
