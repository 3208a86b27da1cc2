/* A worker of the ledger test, over libparti: writes down each message that it handles.
 *
 *     worker --ini FILE --rows FILE [--work US] [--trouble] [--deliver N] [--mutant NAME]
 *     worker --child    --rows FILE ...       the same under `parti run`
 *
 * --deliver is the file's deliver_max: where it is above 1 the messages of a partition
 * are done on a thread of their own, several at once (desk.h).  SIGTERM: leaves in order.
 */
#include "config.h"

#include "desk.h"
#include "mutant.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct parti_worker *worker;
static struct ledger_io io;
static unsigned long deliver_max = 1;

/* With deliver_max above 1. */
static struct desk desk;
static pthread_mutex_t desk_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t desk_changed; /* by CLOCK_MONOTONIC */
static bool is_desk_over;

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
static bool mutate(const struct parti_message *m, const struct ledger_row *row)
{
    bool is_rare = mutant_is_rare(row);

    switch (mutant) {
    case EARLY: parti_ack(worker, m->ticket); return is_rare;
    case SKIP:
        if (is_rare)
            parti_ack(worker, m->ticket);
        return is_rare;
    case TWICE:
        if (is_rare)
            mutant_keep(row);
        return false;
    case JUMP:
        if (is_rare) { /* its row comes behind the next one's */
            mutant_keep(row);
            parti_ack(worker, m->ticket);
        }
        return is_rare;
    case SOUND:
    case BLIND:
    case NAKED:
    case UNBURIED:
    case DEADLY:
    case OVERTAKE: break;
    }
    return false;
}

static void give_answer(const struct ledger_row *row, struct parti_ticket ticket)
{
    enum ledger_kind kind = mutant_answer(row);

    if (kind == LEDGER_NAKED || kind == LEDGER_HOPELESS)
        parti_nak(worker, ticket, 0);
    else if (kind == LEDGER_TERMED)
        parti_term(worker, ticket);
    else if (kind != LEDGER_SILENT)
        parti_ack(worker, ticket);
}

/* Here and now: the next one of the partition comes when this one is answered. */
static void handle(const struct parti_message *m, struct ledger_row *row)
{
    row->begin_ns = ledger_now_ns();
    if (mutate(m, row))
        return;
    ledger_work(&io);
    row->end_ns = ledger_now_ns(); /* before the question: row.h says why */
    row->kind = (uint16_t)ledger_fate(&io, row);
    if (mutant != BLIND && !parti_holds(worker, m->partition->hold)) {
        row->kind = LEDGER_REFUSED;
        ledger_put(&io, row);
        return;
    }
    ledger_put_handled(&io, row);
    if (mutant == TWICE || mutant == JUMP)
        mutant_put_kept(&io, row);
    give_answer(row, m->ticket);
}

/* ---- several of a partition at once */

static bool desk_holds(const struct desk_item *item)
{
    return parti_holds(worker, item->ticket.hold) != 0;
}

static void desk_answer(const struct desk_item *item)
{
    give_answer(&item->row, item->ticket);
}

static void desk_flush(void)
{
}

static void put_on_desk(const struct desk_item *item)
{
    (void)pthread_mutex_lock(&desk_lock);
    if (!desk_add(&desk, item)) {
        (void)fprintf(stderr, "worker: no memory\n");
        exit(1);
    }
    (void)pthread_cond_signal(&desk_changed);
    (void)pthread_mutex_unlock(&desk_lock);
}

static void *desk_run(void *unused)
{
    (void)pthread_mutex_lock(&desk_lock);
    while (!is_desk_over) {
        uint64_t due = desk_due_ns(&desk), now = ledger_now_ns();
        struct timespec until;

        if (due == UINT64_MAX) {
            (void)pthread_cond_wait(&desk_changed, &desk_lock);
        } else if (due > now) {
            (void)clock_gettime(CLOCK_MONOTONIC, &until);
            due = due - now + (uint64_t)until.tv_nsec;
            until.tv_sec += (time_t)(due / 1000000000);
            until.tv_nsec = (long)(due % 1000000000);
            (void)pthread_cond_timedwait(&desk_changed, &desk_lock, &until);
        }
        desk_finish_due(&desk);
    }
    (void)pthread_mutex_unlock(&desk_lock);
    return unused;
}

static bool desk_start(pthread_t *ret)
{
    pthread_condattr_t attr;

    if (pthread_condattr_init(&attr) != 0 ||
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&desk_changed, &attr) != 0 || !desk_init(&desk, &io))
        return false;
    desk.holds = desk_holds;
    desk.answer = desk_answer;
    desk.flush = desk_flush;
    desk.is_backwards = mutant == OVERTAKE;
    return pthread_create(ret, NULL, desk_run, NULL) == 0;
}

static void desk_stop(pthread_t thread)
{
    (void)pthread_mutex_lock(&desk_lock);
    is_desk_over = true;
    (void)pthread_cond_signal(&desk_changed);
    (void)pthread_mutex_unlock(&desk_lock);
    (void)pthread_join(thread, NULL);
}

static void on_message(void *ctx, const struct parti_message *m)
{
    struct ledger_row row = row_of(LEDGER_HANDLED, m->partition);

    (void)ctx;
    row.position = m->position;
    row.attempt = (uint16_t)(m->attempt < UINT16_MAX ? m->attempt : UINT16_MAX);
    row.stretch = m->ticket.stretch;
    if (!ledger_parse(m->data, m->data_n, &row.number, &row.sent_ns)) {
        (void)fprintf(stderr, "worker: not of the producer: %s\n", m->subject);
        exit(3);
    }
    if (deliver_max == 1)
        handle(m, &row);
    else
        put_on_desk(&(struct desk_item){.row = row, .ticket = m->ticket});
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
    pthread_t thread;
    sigset_t set;
    int number;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGUSR2);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || !desk_start(&thread))
        return 1;
    if (parti_create(&worker, &options, text, sizeof text) != 0) {
        (void)fprintf(stderr, "%s\n", text);
        return 1;
    }
    while (sigwait(&set, &number) == 0 && number == SIGTERM)
        parti_stop(worker, 0);
    desk_stop(thread);
    parti_destroy(worker);
    return number == SIGUSR1 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *ini = NULL, *rows = NULL;
    uint64_t work_us = 0;
    bool is_child = false, is_troubled = false;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--child") == 0)
            is_child = true;
        else if (strcmp(argv[i], "--trouble") == 0)
            is_troubled = true;
        else if (++i, strcmp(argv[i - 1], "--ini") == 0)
            ini = value;
        else if (strcmp(argv[i - 1], "--rows") == 0)
            rows = value;
        else if (strcmp(argv[i - 1], "--work") == 0)
            work_us = strtoull(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--deliver") == 0)
            deliver_max = strtoul(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--mutant") == 0)
            mutant_set(value);
    }
    if (rows == NULL || (ini == NULL) != is_child) {
        (void)fprintf(stderr, "worker: --rows FILE and --ini FILE or --child\n");
        return 2;
    }
    if (!ledger_open(&io, rows, work_us))
        return 1;
    io.is_troubled = is_troubled;
    return is_child ? ledger_child(&io) : run(ini);
}
