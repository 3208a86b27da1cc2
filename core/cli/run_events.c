/* libparti's callbacks: what happens becomes a line, a word to the command, a message. */
#include "cli/cli.h"
#include "cli/run.h"

#include "base/bytes.h"
#include "base/must.h"
#include "host/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Takes the lock when there is room for a line.  False: nothing is to be done any more;
 * the lock is not held. */
static bool enter(struct run *r)
{
    must(pthread_mutex_lock(&r->lock) == 0);
    while (!r->is_closing && r->events != NULL && outlet_is_full(r->events))
        must(pthread_cond_wait(&r->changed, &r->lock) == 0);
    if (!r->is_closing)
        return true;
    must(pthread_mutex_unlock(&r->lock) == 0);
    return false;
}

/* For messages. */
static const char *name(const struct run *r)
{
    return r->id[0] != '\0' ? r->id : "no id yet";
}

/* The main thread looks at everything again. */
static void leave(struct run *r)
{
    uint64_t one = 1;

    (void)!write(r->wake_fd, &one, sizeof one);
    must(pthread_mutex_unlock(&r->lock) == 0);
}

/* The stamp of a line; lines ascend, whatever they tell of. */
static struct event_stamp ascending(struct run *r, uint64_t boot_ns)
{
    struct event_stamp stamp;

    event_stamp_now(&stamp, r->id);
    stamp.boot_ns = boot_ns > r->last_ns ? boot_ns : r->last_ns;
    r->last_ns = stamp.boot_ns;
    return stamp;
}

/* When it happened, not when we were told. */
static struct event_stamp now(struct run *r)
{
    return ascending(r, r->worker != NULL ? parti_event_ns(r->worker) : clock_boot_ns());
}

/* Puts out the line that was just made; false: there is none. */
static bool put(struct run *r, int status)
{
    if (status < 0) {
        log_error("an event line is lost: no memory");
        run_loop_fail(r, CLI_FAILED);
        return false;
    }
    if (r->events != NULL)
        outlet_put_line(r->events, r->line.at, r->line.n);
    return true;
}

static void put_and_tell(struct run *r, int status)
{
    if (put(r, status) && r->has_command)
        run_pool_tell(&r->pool, &r->line);
}

/* ---- partitions ------------------------------------------------------------------- */

static void on_assigned(void *ctx, uint64_t epoch,
                        const struct parti_partition *partition, size_t n)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    /* Grants come only after parti_create() has done its work, if not returned. */
    while (r->worker == NULL && !r->is_closing)
        must(pthread_cond_wait(&r->changed, &r->lock) == 0);
    struct event_stamp stamp = now(r);
    if (put(r, event_line_assigned(&r->line, &stamp, epoch, partition, n)) &&
        r->has_command && !r->is_closing)
        run_pool_assigned(&r->pool, &stamp, epoch, partition, n, &r->line);
    log_info("%s: %zu partition(s) assigned, epoch %" PRIu64, name(r), n, epoch);
    leave(r);
}

static void on_revoking(void *ctx, uint64_t epoch,
                        const struct parti_partition *partition, size_t n,
                        uint64_t deadline_ms)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    struct event_stamp stamp = now(r);
    if (put(r, event_line_revoking(&r->line, &stamp, epoch, partition, n, deadline_ms)) &&
        r->has_command) {
        run_pool_revoking(&r->pool, &stamp, epoch, partition, n, deadline_ms, &r->line);
    } else {
        /* Without a command nobody works on them. */
        r->must_release = true;
        r->release_epoch = epoch;
    }
    leave(r);
}

static void on_released(void *ctx, uint64_t epoch,
                        const struct parti_partition *partition, size_t n)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    struct event_stamp stamp = now(r);
    if (put(r, event_line_released(&r->line, &stamp, epoch, partition, n)) &&
        r->has_command)
        run_pool_released(&r->pool, &stamp, epoch, partition, n, &r->line);
    log_info("%s: %zu partition(s) released, epoch %" PRIu64, name(r), n, epoch);
    leave(r);
}

static void on_fenced(void *ctx, const char *reason, uint64_t deadline_ns)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    struct event_stamp stamp = now(r);
    if (put(r, event_line_fenced(&r->line, &stamp, deadline_ns, reason)) &&
        r->has_command)
        run_pool_fenced(&r->pool, deadline_ns, &r->line);
    log_warn("%s: fenced, everything held is lost: %s", name(r), reason);
    leave(r);
}

static void on_lease(void *ctx, uint64_t deadline_ns)
{
    struct run *r = ctx;

    if (r->has_command)
        run_pool_lease(&r->pool, deadline_ns);
}

/* ---- messages --------------------------------------------------------------------- */

/* The main thread takes it from here. */
static void put_mail(struct run *r, struct run_letter *l)
{
    uint64_t one = 1;

    must(pthread_mutex_lock(&r->mail_lock) == 0);
    bool is_taken = !r->is_mail_closed, is_first = r->mail == NULL;
    if (is_taken) {
        *(is_first ? &r->mail : r->mail_last) = l;
        r->mail_last = &l->next;
    }
    must(pthread_mutex_unlock(&r->mail_lock) == 0);
    if (!is_taken)
        run_letter_destroy(l);
    else if (is_first)
        (void)!write(r->wake_fd, &one, sizeof one);
}

/* On libparti's handler thread (host/aside.h). */
static void on_message(void *ctx, const struct parti_message *message)
{
    struct run *r = ctx;
    struct run_letter *l = run_letter_create(message);

    if (l != NULL) {
        put_mail(r, l);
        return;
    }
    log_error("no memory for a message; it is tried again");
    parti_nak(r->worker, message->ticket, 0);
}

/* On the consumer's thread. */
void run_events_over(void *ctx, struct parti_hold hold, uint32_t stretch)
{
    put_mail(ctx, run_letter_create_over(hold, stretch));
}

void run_events_mail(struct run *r)
{
    struct run_letter *next;

    must(pthread_mutex_lock(&r->mail_lock) == 0);
    struct run_letter *l = r->mail;
    r->mail = NULL;
    must(pthread_mutex_unlock(&r->mail_lock) == 0);
    for (; l != NULL; l = next) {
        next = l->next;
        run_pool_message(&r->pool, l);
    }
}

void run_events_end(struct run *r)
{
    must(pthread_mutex_lock(&r->mail_lock) == 0);
    r->is_mail_closed = true;
    must(pthread_mutex_unlock(&r->mail_lock) == 0);
    run_events_mail(r);
    run_pool_forget(&r->pool);
}

/* ---- the group -------------------------------------------------------------------- */

static void on_state(void *ctx, enum parti_state from, enum parti_state to,
                     const char *reason)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    struct event_stamp stamp = now(r);
    r->has_server = r->has_server || to != PARTI_SHUTDOWN; /* Init ends with it */
    put_and_tell(r, event_line_state(&r->line, &stamp, parti_state_name(from),
                                     parti_state_name(to), reason));
    log_info("%s: %s (%s)", name(r), parti_state_name(to), reason);
    leave(r);
}

static void on_leader(void *ctx, uint64_t term, const char *leader)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    struct event_stamp stamp = now(r);
    put_and_tell(r, event_line_leader(&r->line, &stamp, term, leader));
    leave(r);
}

static void on_id(void *ctx, const char *id)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    if (id[0] != '\0')
        log_info("this worker is %s", id);
    bytes_to_text(bytes_of(id), r->id, sizeof r->id);
    if (r->has_command)
        run_pool_worker(&r->pool, id);
    leave(r);
}

void run_events_problem(void *ctx, int code, const char *text)
{
    struct run *r = ctx;
    struct event_stamp stamp =
        ascending(r, clock_boot_ns()); /* not from the worker alone */

    log_error("PARTI-E%03d %s", code, text);
    r->error_code = code;
    bytes_to_text(bytes_of(text), r->error_text, sizeof r->error_text);
    (void)put(r, event_line_error(&r->line, &stamp, code, text));
}

static void on_error(void *ctx, int code, const char *text)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    run_events_problem(r, code, text);
    if (r->has_command)
        run_pool_tell(&r->pool, &r->line);
    leave(r);
}

static void on_stopped(void *ctx, int code, const char *text)
{
    struct run *r = ctx;

    if (!enter(r))
        return;
    r->has_stopped = true;
    if (code != 0)
        log_error("this worker cannot go on: PARTI-E%03d %s", code, text);
    leave(r);
}

void run_events_init(struct run *run, struct parti_callbacks *callbacks)
{
    *callbacks = (struct parti_callbacks){.size = sizeof *callbacks,
                                          .ctx = run,
                                          .assigned = on_assigned,
                                          .revoking = on_revoking,
                                          .released = on_released,
                                          .fenced = on_fenced,
                                          .state = on_state,
                                          .leader = on_leader,
                                          .id = on_id,
                                          .error = on_error,
                                          .stopped = on_stopped,
                                          .lease = on_lease};
    if (run->has_command && run->conf.consume.base.plugin != NULL)
        callbacks->message = on_message;
}
