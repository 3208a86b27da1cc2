/* Keeps the supervised command of `parti run` going: tells it what happens, hears its
 * answers, ends it when it does not give back, starts it again when it ends.
 *
 * The rules:
 *   - The command is told every event line.  A new run is told, by one `assigned` line,
 *     of everything that is held.
 *   - A revoke is answered by {"released": EPOCH} from the command, or by its end, when
 *     nothing of it is left (see edge/child.h), or at once when it is not running.
 *   - No answer in time: it is killed, which is an answer; or waited for, as configured.
 *   - A command that does not read what it is told is killed, too.
 *   - It ends unasked: all its work has stopped, so whatever was being revoked is
 *     released at once.  What was not being revoked stays with this worker, for the next
 *     run, under the same tokens: to release it the worker would have to leave the group,
 *     and everything would move twice for a restart of 100 ms.  The lease goes on
 *     meanwhile, at most BACKOFF_MAX_MS, and nobody else holds it.
 *   - It is started again after a pause that doubles with each failure of the last
 *     minute.  Ends that were caused here (kills, the lease deadline) are no failures.
 *     More than restarts_max failures within a minute: gave_up().
 *   - A fence: it is told, and killed at the deadline if it held anything.
 *
 * One thread at a time, but for run_keeper_lease(): any thread.  Callbacks come from
 * inside the calls and must not call back.
 */
#ifndef PARTI_CLI_RUN_KEEPER_H
#define PARTI_CLI_RUN_KEEPER_H

#include "cli/run_held.h"
#include "edge/child.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RUN_KEEPER_BACKOFF_MIN_MS = 100,
    RUN_KEEPER_BACKOFF_MAX_MS = 5000,
    RUN_KEEPER_WINDOW_MS = 60000, /* failures within it count */
    RUN_KEEPER_REVOKES_MAX = 64,  /* unanswered ones told apart; more are joined */
    RUN_KEEPER_ID_ROOM = 64
};

struct run_keeper_options {
    char *const *argv; /* borrowed until run_keeper_finish() */
    uint64_t restarts_max;
    bool waits;       /* on_revoke_timeout = wait */
    size_t queue_max; /* of child_options */
    void *ctx;
    /* What was revoked at or before this epoch has stopped. */
    void (*released)(void *ctx, uint64_t epoch);
    void (*output)(void *ctx, const char *at, size_t n);
    /* Of child_options; NULL: none. */
    bool (*answer)(void *ctx, const char *line, size_t n);
    /* The run is over; nothing of it is left.  NULL: not asked for. */
    void (*ended)(void *ctx);
    /* A code of errors.h and a sentence. */
    void (*problem)(void *ctx, int code, const char *text);
    /* Failed too often; not started again. */
    void (*gave_up)(void *ctx);
    /* Are these still held at this instant?  NULL: yes. */
    bool (*holds)(void *ctx, const struct parti_partition *partition, size_t n);
};

struct run_keeper_revoke {
    uint64_t epoch, due_ns;
    bool is_overdue; /* and that was said */
};

struct run_keeper {
    struct run_keeper_options options;
    char worker[RUN_KEEPER_ID_ROOM];
    struct child_guard *guard;
    struct child *child; /* NULL: not running */
    _Atomic uint64_t lease_ns;
    struct run_held held;
    uint64_t epoch; /* of the last `assigned` */
    struct event_line line;

    bool is_armed;    /* this run was told that it holds something */
    bool is_doomed;   /* this run is about to be killed: it is told nothing more */
    bool is_draining; /* no further run */
    bool is_hung_up;  /* it was told to stop for good */
    bool has_ended;   /* set by the child's last callback */
    enum child_end how;
    int number;
    uint64_t starts_ns; /* of the next run; 0: none is due */

    struct run_keeper_revoke revoke[RUN_KEEPER_REVOKES_MAX];
    size_t revokes;

    uint64_t *failure_ns; /* the last restarts_max + 1, a ring */
    size_t failures;      /* ever */
};

/* 0, STATUS_NOMEM, STATUS_IO. */
int run_keeper_init(struct run_keeper *keeper, const struct run_keeper_options *options);

/* Kills what runs and waits for its end; calls nothing back.  Accepts a zeroed struct. */
void run_keeper_end(struct run_keeper *keeper);

/* The same, and frees: run_keeper_lease() may not be called any more. */
void run_keeper_finish(struct run_keeper *keeper);

/* The first run; as child_create(). */
int run_keeper_start(struct run_keeper *keeper, char *text, size_t room);

/* The worker's id, for the line that a new run is told. */
void run_keeper_worker(struct run_keeper *keeper, const char *id);

/* What happened, with the line that says so. */
void run_keeper_tell(struct run_keeper *keeper, const struct event_line *line);
/* Bytes that are no event, written at run_keeper_flush() at the latest; false: it does
 * not run, or is about to be killed.  And how many it has not read. */
bool run_keeper_put(struct run_keeper *keeper, const char *bytes, size_t n);
void run_keeper_flush(struct run_keeper *keeper);
size_t run_keeper_queued(const struct run_keeper *keeper);
void run_keeper_assigned(struct run_keeper *keeper, uint64_t epoch,
                         const struct parti_partition *partition, size_t n,
                         const struct event_line *line);
void run_keeper_revoking(struct run_keeper *keeper, uint64_t epoch,
                         const struct parti_partition *partition, size_t n,
                         uint64_t deadline_ms, const struct event_line *line);
void run_keeper_fenced(struct run_keeper *keeper, uint64_t deadline_ns,
                       const struct event_line *line);
void run_keeper_lease(struct run_keeper *keeper, uint64_t deadline_ns);

/* Polling, as in edge/child.h; and when run_keeper_ready() is to be called at the latest,
 * in ns of CLOCK_BOOTTIME (UINT64_MAX: no such time). */
void run_keeper_fds(const struct run_keeper *keeper, struct pollfd fds[CHILD_FDS],
                    bool is_full);
uint64_t run_keeper_due_ns(const struct run_keeper *keeper);
void run_keeper_ready(struct run_keeper *keeper, const struct pollfd fds[CHILD_FDS]);

/* No further run.  Then: end of file on its input; or SIGKILL. */
void run_keeper_drain(struct run_keeper *keeper);
void run_keeper_hang_up(struct run_keeper *keeper);
void run_keeper_kill(struct run_keeper *keeper);

bool run_keeper_is_running(const struct run_keeper *keeper);

#endif
