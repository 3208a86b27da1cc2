/* The main thread of `parti run`: signals, the command, the phases of leaving. */
#include "cli/cli.h"
#include "cli/run.h"

#include "base/bytes.h"
#include "base/errors.h"
#include "base/must.h"
#include "edge/clock.h"
#include "edge/sig.h"
#include "host/log.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    AT_SIGNAL,
    AT_DEATHS,
    AT_WAKE,
    AT_OUT,
    AT_OWN,
    AT_CHILD,
    FDS = AT_CHILD + RUN_POOL_FDS
};

static uint64_t after_ms(uint64_t ms)
{
    return sat_add(clock_boot_ns(), ms * CLOCK_NS_PER_MS);
}

void run_loop_fail(struct run *r, int exit_code)
{
    r->must_leave = true;
    if (r->exit_code == CLI_OK)
        r->exit_code = exit_code;
}

/* ---- leaving ---------------------------------------------------------------------- */

static void begin_leaving(struct run *r, bool restart, uint64_t limit_ms)
{
    if (r->phase != RUN_WORKING)
        return;
    r->due_ns = after_ms(limit_ms);
    r->phase = RUN_LEAVING;
    if (r->has_command)
        run_pool_drain(&r->pool);
    /* Never connected, so nothing is held and nobody is to be told. */
    if (!r->has_server)
        r->has_stopped = true;
    else
        parti_stop(r->worker, restart);
}

/* Out of the group: the command has nothing to do any more. */
static void begin_end(struct run *r)
{
    if (r->phase == RUN_LATE && r->exit_code == CLI_OK)
        r->exit_code = CLI_TIMEOUT;
    if (r->phase == RUN_WORKING) {
        /* Nobody asked it to. */
        r->due_ns = after_ms(r->conf.timing.shutdown_timeout_ms);
        run_loop_fail(r, CLI_FAILED);
        if (r->has_command) /* nothing is held: at once */
            run_pool_kill(&r->pool);
    }
    r->phase = RUN_LEFT;
    if (r->has_command)
        run_pool_hang_up(&r->pool);
}

/* The time of the phase is up. */
static void run_late(struct run *r)
{
    switch (r->phase) {
    case RUN_WORKING:
        r->due_ns = UINT64_MAX;
        if (r->has_server)
            break;
        log_error("no server within [timing] startup_timeout; PARTI-E%03d %s",
                  r->error_code != 0 ? r->error_code : (int)ERR_NATS_TIMEOUT,
                  r->error_code != 0 ? r->error_text : "none of the addresses answers");
        r->exit_code = CLI_NO_SERVER;
        r->phase = RUN_OVER;
        break;
    case RUN_LEAVING:
        log_warn("%s: not all was given back within the time to shut down", r->id);
        r->phase = RUN_LATE;
        r->due_ns = after_ms(RUN_LAST_MS);
        if (r->has_command)
            run_pool_kill(&r->pool);
        break;
    case RUN_LATE:
        log_warn("%s: the group was not told in time; the lease ends by itself", r->id);
        if (r->exit_code == CLI_OK)
            r->exit_code = CLI_TIMEOUT;
        r->phase = RUN_OVER;
        break;
    case RUN_LEFT:
        r->due_ns = UINT64_MAX; /* a kill needs no limit: run_pool_finish() waits */
        if (!run_pool_is_running(&r->pool))
            break;
        log_warn("%s: the command has not ended at the end of its input; it is killed",
                 r->id);
        if (r->exit_code == CLI_OK)
            r->exit_code = CLI_TIMEOUT;
        run_pool_kill(&r->pool);
        break;
    case RUN_OVER: break;
    }
}

static void take_signal(struct run *r, int number)
{
    uint64_t limit_ms = r->conf.timing.shutdown_timeout_ms;

    if (number == SIGHUP) {
        parti_refresh(r->worker);
    } else if (r->phase != RUN_WORKING) {
        log_warn("%s: a second signal: the end comes at once", r->id);
        r->exit_code = CLI_FAILED;
        r->phase = RUN_OVER;
    } else if (number == SIGTERM) {
        begin_leaving(r, r->conf.worker.on_term == CONF_TERM_RESTART, limit_ms);
    } else {
        begin_leaving(r, false, limit_ms < RUN_INT_MS ? limit_ms : RUN_INT_MS);
    }
}

/* ---- one turn --------------------------------------------------------------------- */

static void say_lost(struct run *r, struct outlet *o, const char *name)
{
    char text[256];

    if (o->error == 0)
        return;
    (void)snprintf(text, sizeof text, "%s: %s; lines are lost", name, strerror(o->error));
    o->error = 0;
    log_error("PARTI-E%03d %s", (int)ERR_EVENTS_WRITE, text);
    (void)r;
}

/* What callbacks and descriptors left to do. */
static void settle(struct run *r)
{
    uint64_t now_ns;

    if (r->must_release && r->worker != NULL) {
        r->must_release = false;
        parti_released(r->worker, r->release_epoch);
    }
    if (r->must_leave)
        begin_leaving(r, false, r->conf.timing.shutdown_timeout_ms);
    if (r->has_stopped && r->phase < RUN_LEFT)
        begin_end(r);
    if (r->phase == RUN_LEFT && (!r->has_command || !run_pool_is_running(&r->pool)))
        r->phase = RUN_OVER;
    now_ns = clock_boot_ns();
    if (now_ns >= r->due_ns)
        run_late(r);
    say_lost(r, &r->out, "standard output");
    say_lost(r, &r->own, r->events_name);
    if (r->events == NULL || !outlet_is_full(r->events))
        must(pthread_cond_broadcast(&r->changed) == 0);
}

static int timeout_ms(const struct run *r)
{
    uint64_t due_ns = r->due_ns, keeper_ns = UINT64_MAX, now_ns = clock_boot_ns(), ms;

    if (r->has_command)
        keeper_ns = run_pool_due_ns(&r->pool);
    due_ns = keeper_ns < due_ns ? keeper_ns : due_ns;
    if (due_ns == UINT64_MAX)
        return -1;
    ms = (sat_sub(due_ns, now_ns) + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* Returns how many there are. */
static nfds_t fill(const struct run *r, struct pollfd *fds)
{
    fds[AT_SIGNAL] = (struct pollfd){r->signal_fd, POLLIN, 0};
    fds[AT_DEATHS] = (struct pollfd){r->deaths_fd, POLLIN, 0};
    fds[AT_WAKE] = (struct pollfd){r->wake_fd, POLLIN, 0};
    fds[AT_OUT] = outlet_fd(&r->out);
    fds[AT_OWN] = outlet_fd(&r->own);
    if (!r->has_command)
        return AT_CHILD;
    return AT_CHILD + run_pool_fds(&r->pool, fds + AT_CHILD, outlet_is_full(&r->out));
}

static void turn(struct run *r, const struct pollfd *fds)
{
    uint64_t count;

    if (fds[AT_WAKE].revents != 0) /* before the mail is taken: none is overlooked */
        (void)!read(r->wake_fd, &count, sizeof count);
    while (fds[AT_SIGNAL].revents != 0) {
        int n = sig_next(r->signal_fd);

        if (n == 0)
            break;
        take_signal(r, n);
    }
    if (fds[AT_OUT].revents != 0)
        outlet_ready(&r->out);
    if (fds[AT_OWN].revents != 0)
        outlet_ready(&r->own);
    if (r->has_command) {
        run_events_mail(r);
        run_pool_ready(&r->pool, fds + AT_CHILD);
    }
    if (fds[AT_DEATHS].revents != 0) {
        while (sig_next(r->deaths_fd) != 0)
            continue;
        run_pool_reap(&r->pool);
    }
    settle(r);
}

/* What is still to be read gets a moment. */
static void flush(struct run *r)
{
    uint64_t until_ms = clock_boot_ms() + RUN_LAST_MS;

    while (!outlet_is_empty(&r->out) || !outlet_is_empty(&r->own)) {
        struct pollfd fds[] = {outlet_fd(&r->out), outlet_fd(&r->own)};
        uint64_t left_ms = sat_sub(until_ms, clock_boot_ms());

        if (left_ms == 0 || poll(fds, 2, (int)left_ms) <= 0)
            return;
        outlet_ready(&r->out);
        outlet_ready(&r->own);
    }
}

int run_loop(struct run *r)
{
    struct pollfd fds[FDS];

    must(pthread_mutex_lock(&r->lock) == 0);
    r->due_ns = after_ms(r->conf.timing.startup_timeout_ms);
    settle(r);
    while (r->phase != RUN_OVER) {
        int wait_ms = timeout_ms(r);

        nfds_t fds_n = fill(r, fds);
        must(pthread_mutex_unlock(&r->lock) == 0);
        if (poll(fds, fds_n, wait_ms) < 0)
            for (nfds_t i = 0; i < fds_n; i++)
                fds[i].revents = 0;
        must(pthread_mutex_lock(&r->lock) == 0);
        turn(r, fds);
    }
    r->is_closing = true;
    must(pthread_cond_broadcast(&r->changed) == 0);
    flush(r);
    must(pthread_mutex_unlock(&r->lock) == 0);
    return r->exit_code;
}
