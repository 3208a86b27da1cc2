#include "cli/run_keeper.h"

#include "base/bytes.h"
#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"
#include "host/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 512 };

int run_keeper_init(struct run_keeper *k, const struct run_keeper_options *options)
{
    int status;

    *k = (struct run_keeper){.options = *options};
    k->failure_ns = calloc(options->restarts_max + 1, sizeof *k->failure_ns);
    if (k->failure_ns == NULL)
        return STATUS_NOMEM;
    status = child_guard_create(&k->guard);
    if (status < 0)
        run_keeper_finish(k);
    return status;
}

void run_keeper_end(struct run_keeper *k)
{
    run_keeper_drain(k);
    child_destroy(k->child);
    k->child = NULL;
}

void run_keeper_finish(struct run_keeper *k)
{
    run_keeper_end(k);
    child_guard_destroy(k->guard);
    run_held_finish(&k->held);
    event_line_finish(&k->line);
    free(k->failure_ns);
    *k = (struct run_keeper){0};
}

void run_keeper_worker(struct run_keeper *k, const char *id)
{
    bytes_to_text(bytes_of(id), k->worker, sizeof k->worker);
}

bool run_keeper_is_running(const struct run_keeper *k)
{
    return k->child != NULL;
}

static void __attribute__((format(printf, 3, 4)))
problem(const struct run_keeper *k, int code, const char *format, ...)
{
    char text[TEXT_ROOM];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    k->options.problem(k->options.ctx, code, text);
}

/* ---- what is being given back ----------------------------------------------------- */

static void arm(struct run_keeper *k, bool holds)
{
    if (k->child == NULL || k->is_doomed || k->is_armed == holds)
        return;
    child_arm(k->child, holds);
    k->is_armed = holds;
}

/* Everything up to this epoch has stopped. */
static void settle(struct run_keeper *k, uint64_t epoch)
{
    size_t n = 0;

    while (n < k->revokes && k->revoke[n].epoch <= epoch)
        n++;
    if (n == 0)
        return; /* not asked for */
    epoch = k->revoke[n - 1].epoch;
    k->revokes -= n;
    memmove(k->revoke, k->revoke + n, k->revokes * sizeof k->revoke[0]);
    if (k->revokes == 0 && k->held.n == 0)
        arm(k, false);
    k->options.released(k->options.ctx, epoch);
}

static void on_released(void *ctx, uint64_t epoch)
{
    settle(ctx, epoch);
}

static void add_revoke(struct run_keeper *k, uint64_t epoch, uint64_t deadline_ms)
{
    uint64_t due_ns = sat_add(clock_boot_ns(), deadline_ms * CLOCK_NS_PER_MS);

    if (k->revokes == RUN_KEEPER_REVOKES_MAX)
        k->revoke[k->revokes - 1].epoch = epoch;
    else
        k->revoke[k->revokes++] = (struct run_keeper_revoke){epoch, due_ns, false};
}

/* ---- a run ------------------------------------------------------------------------ */

static void on_output(void *ctx, const char *at, size_t n)
{
    const struct run_keeper *k = ctx;

    k->options.output(k->options.ctx, at, n);
}

static bool on_answer(void *ctx, const char *line, size_t n)
{
    const struct run_keeper *k = ctx;

    return k->options.answer(k->options.ctx, line, n);
}

static void on_ended(void *ctx, enum child_end how, int number)
{
    struct run_keeper *k = ctx;

    k->has_ended = true;
    k->how = how;
    k->number = number;
}

static void doom(struct run_keeper *k)
{
    child_kill(k->child);
    k->is_doomed = true;
}

void run_keeper_tell(struct run_keeper *k, const struct event_line *line)
{
    if (k->child == NULL || k->is_doomed || child_tell(k->child, line->at, line->n))
        return;
    problem(k, ERR_COMMAND_DEAF,
            "'%s' (process %d) has not read its standard input for so long that no more "
            "fits; it is killed. It must read the event lines.",
            k->options.argv[0], (int)child_pid(k->child));
    doom(k);
}

bool run_keeper_put(struct run_keeper *k, const char *bytes, size_t n)
{
    return k->child != NULL && !k->is_doomed && child_put(k->child, bytes, n);
}

void run_keeper_flush(struct run_keeper *k)
{
    if (k->child != NULL)
        child_flush(k->child);
}

size_t run_keeper_queued(const struct run_keeper *k)
{
    return k->child != NULL ? child_queued(k->child) : 0;
}

/* What it holds cannot be kept or told, so nobody would work on it: the worker must not
 * stay. */
static void lose(struct run_keeper *k)
{
    problem(k, ERR_COMMAND_FAILING,
            "no memory to tell '%s' what it holds; this worker leaves",
            k->options.argv[0]);
    run_keeper_kill(k);
    k->options.gave_up(k->options.ctx);
}

/* A new run is told of everything that is held. */
static void greet(struct run_keeper *k)
{
    struct event_stamp stamp;

    arm(k, k->held.n > 0);
    /* A lease that is over: a fence is about to say so. */
    if (k->held.n == 0 || clock_boot_ns() >= atomic_load(&k->lease_ns))
        return;
    event_stamp_now(&stamp, k->worker);
    if (run_held_line(&k->held, &k->line, &stamp, k->epoch) < 0)
        lose(k);
    else
        run_keeper_tell(k, &k->line);
}

int run_keeper_start(struct run_keeper *k, char *text, size_t room)
{
    struct child_options options = {.argv = k->options.argv,
                                    .guard = k->guard,
                                    .queue_max = k->options.queue_max,
                                    .ctx = k,
                                    .output = on_output,
                                    .answer =
                                        k->options.answer != NULL ? on_answer : NULL,
                                    .released = on_released,
                                    .ended = on_ended};
    int status;

    must(k->child == NULL);
    k->starts_ns = 0;
    status = child_create(&k->child, &options, text, room);
    if (status < 0)
        return status;
    k->is_armed = k->is_doomed = k->has_ended = false;
    greet(k);
    return 0;
}

/* ---- starting again --------------------------------------------------------------- */

/* How many of the last restarts_max + 1 failures lie within the window. */
static size_t recent(const struct run_keeper *k, uint64_t now_ns)
{
    size_t room = (size_t)k->options.restarts_max + 1;
    uint64_t since_ns = sat_sub(now_ns, RUN_KEEPER_WINDOW_MS * CLOCK_NS_PER_MS);
    size_t n = 0;

    while (n < room && n < k->failures &&
           k->failure_ns[(k->failures - 1 - n) % room] >= since_ns)
        n++;
    return n;
}

static void restart(struct run_keeper *k, bool is_failure)
{
    uint64_t now_ns = clock_boot_ns(), pause_ms = RUN_KEEPER_BACKOFF_MIN_MS;
    size_t room = (size_t)k->options.restarts_max + 1, n;

    if (k->is_draining)
        return;
    if (is_failure)
        k->failure_ns[k->failures++ % room] = now_ns;
    n = recent(k, now_ns);
    if (is_failure && n == room) {
        problem(k, ERR_COMMAND_FAILING,
                "'%s' failed %zu times within a minute; [worker] restarts_max = %" PRIu64
                " allows no more, so this worker leaves",
                k->options.argv[0], n, k->options.restarts_max);
        k->is_draining = true;
        k->options.gave_up(k->options.ctx);
        return;
    }
    for (; n > 1 && pause_ms < RUN_KEEPER_BACKOFF_MAX_MS; n--)
        pause_ms *= 2;
    if (pause_ms > RUN_KEEPER_BACKOFF_MAX_MS)
        pause_ms = RUN_KEEPER_BACKOFF_MAX_MS;
    k->starts_ns = now_ns + pause_ms * CLOCK_NS_PER_MS;
}

static void say_end(const struct run_keeper *k)
{
    const char *name = k->options.argv[0];

    switch (k->how) {
    case CHILD_EXITED:
        if (k->is_doomed) {
            log_info("'%s' ended before it was killed, with exit code %d", name,
                     k->number);
            break;
        }
        problem(k, ERR_COMMAND_ENDED, "'%s' ended unasked with exit code %d", name,
                k->number);
        break;
    case CHILD_SIGNALED:
        problem(k, ERR_COMMAND_ENDED, "'%s' was ended by signal %d (%s)", name, k->number,
                strsignal(k->number));
        break;
    case CHILD_UNGUARDED:
        problem(k, ERR_COMMAND_ENDED,
                "'%s' died with its guardian, which somebody killed", name);
        break;
    case CHILD_EXPIRED:
        problem(k, ERR_COMMAND_EXPIRED,
                "'%s' held partitions when the lease ended, and was killed", name);
        break;
    case CHILD_KILLED: break; /* the reason was said before */
    }
}

static void clean_up(struct run_keeper *k)
{
    /* Who is fenced does well to end before it is killed. */
    bool is_failure = (k->how == CHILD_EXITED && !k->is_doomed) ||
                      k->how == CHILD_SIGNALED || k->how == CHILD_UNGUARDED;

    child_destroy(k->child);
    k->child = NULL;
    k->has_ended = false;
    /* Whoever is told to stop, or sees that all is over, ends in order. */
    if (!k->is_hung_up && !(k->is_draining && k->how == CHILD_EXITED && k->number == 0))
        say_end(k);
    if (k->options.ended != NULL)
        k->options.ended(k->options.ctx);
    /* Nothing of it runs any more: all that was being revoked has stopped. */
    settle(k, UINT64_MAX);
    restart(k, is_failure);
}

static void start_again(struct run_keeper *k)
{
    char text[TEXT_ROOM];

    if (run_keeper_start(k, text, sizeof text) == 0)
        return;
    problem(k, ERR_COMMAND_START, "%s", text);
    restart(k, true);
}

/* ---- what happens ----------------------------------------------------------------- */

void run_keeper_lease(struct run_keeper *k, uint64_t deadline_ns)
{
    atomic_store(&k->lease_ns, deadline_ns);
    child_guard_lease(k->guard, deadline_ns);
}

void run_keeper_assigned(struct run_keeper *k, uint64_t epoch,
                         const struct parti_partition *partition, size_t n,
                         const struct event_line *line)
{
    /* The guardian first, then the question, then the word: so a grant that is lost by
     * now is not worked on, and one that is lost from now on has its deadline. */
    arm(k, true);
    if (k->options.holds != NULL && !k->options.holds(k->options.ctx, partition, n)) {
        arm(k, k->held.n + k->revokes > 0);
        return;
    }
    k->epoch = epoch;
    if (run_held_add(&k->held, partition, n) < 0)
        lose(k);
    else
        run_keeper_tell(k, line);
}

void run_keeper_revoking(struct run_keeper *k, uint64_t epoch,
                         const struct parti_partition *partition, size_t n,
                         uint64_t deadline_ms, const struct event_line *line)
{
    run_held_remove(&k->held, partition, n);
    add_revoke(k, epoch, deadline_ms);
    if (k->child == NULL)
        settle(k, epoch);
    else
        run_keeper_tell(k, line);
}

void run_keeper_fenced(struct run_keeper *k, uint64_t deadline_ns,
                       const struct event_line *line)
{
    run_keeper_tell(k, line);
    run_held_finish(&k->held);
    /* A stop that was under way ends with the lease, too. */
    k->revokes = 0;
    if (k->child == NULL || !k->is_armed)
        return;
    child_fence(k->child, deadline_ns);
    k->is_doomed = true;
}

/* ---- polling ---------------------------------------------------------------------- */

void run_keeper_fds(const struct run_keeper *k, struct pollfd fds[CHILD_FDS],
                    bool is_full)
{
    for (int i = 0; i < CHILD_FDS; i++)
        fds[i] = (struct pollfd){-1, 0, 0};
    if (k->child != NULL)
        child_fds(k->child, fds, is_full);
}

uint64_t run_keeper_due_ns(const struct run_keeper *k)
{
    uint64_t due_ns = k->starts_ns != 0 ? k->starts_ns : UINT64_MAX;

    for (size_t i = 0; i < k->revokes && !k->is_doomed; i++)
        if (!k->revoke[i].is_overdue && k->revoke[i].due_ns < due_ns)
            due_ns = k->revoke[i].due_ns;
    return due_ns;
}

static void look_for_silence(struct run_keeper *k, uint64_t now_ns)
{
    for (size_t i = 0; i < k->revokes && k->child != NULL && !k->is_doomed; i++) {
        struct run_keeper_revoke *r = &k->revoke[i];

        if (r->is_overdue || now_ns < r->due_ns)
            continue;
        r->is_overdue = true;
        problem(k, ERR_COMMAND_SILENT,
                "'%s' (process %d) did not answer {\"released\": %" PRIu64
                "} within [worker] revoke_timeout; %s",
                k->options.argv[0], (int)child_pid(k->child), r->epoch,
                k->options.waits ? "the partitions stay until it does"
                                 : "it is killed (on_revoke_timeout = kill)");
        if (!k->options.waits)
            doom(k);
    }
}

void run_keeper_ready(struct run_keeper *k, const struct pollfd fds[CHILD_FDS])
{
    uint64_t now_ns;

    if (k->child != NULL)
        child_ready(k->child, fds);
    if (k->has_ended)
        clean_up(k);
    now_ns = clock_boot_ns();
    look_for_silence(k, now_ns);
    if (k->starts_ns != 0 && now_ns >= k->starts_ns && !k->is_draining)
        start_again(k);
}

void run_keeper_drain(struct run_keeper *k)
{
    k->is_draining = true;
    k->starts_ns = 0;
}

void run_keeper_hang_up(struct run_keeper *k)
{
    run_keeper_drain(k);
    k->is_hung_up = true;
    if (k->child != NULL)
        child_hang_up(k->child);
}

void run_keeper_kill(struct run_keeper *k)
{
    run_keeper_drain(k);
    if (k->child != NULL)
        doom(k);
}
