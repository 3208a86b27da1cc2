/* The inside of `parti run`: libparti's callbacks on one side, the supervised command,
 * signals and the event lines on the other.  For cmd_run.c, run_events.c, run_loop.c.
 *
 * Everything here is under one lock.  Callbacks (libparti's thread) write their line,
 * tell the command, and wake the main thread; they wait while nobody reads the event
 * lines.  The main thread polls, and alone calls libparti.
 */
#ifndef PARTI_CLI_RUN_H
#define PARTI_CLI_RUN_H

#include "cli/outlet.h"
#include "cli/run_pool.h"
#include "host/conf.h"
#include "host/event_line.h"
#include "parti.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    RUN_INT_MS = 1000,  /* SIGINT: shutdown_timeout cut to this */
    RUN_LAST_MS = 1000, /* beyond shutdown_timeout, to take leave after the kill */
    RUN_TEXT_ROOM = 4096,
    RUN_SPEAK_PARTS = 3 /* of handle_timeout: how often what waits is spoken for */
};

enum run_phase {
    RUN_WORKING,
    RUN_LEAVING, /* parti_stop() was called */
    RUN_LATE,    /* shutdown_timeout has passed: the command is killed */
    RUN_LEFT,    /* out of the group: the command is to end */
    RUN_OVER
};

struct run {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* room for event lines; worker known; is_closing */
    struct conf conf;
    struct parti_worker *worker; /* NULL until it is known */
    int signal_fd, deaths_fd, wake_fd;

    struct outlet out;       /* standard output */
    struct outlet own;       /* of --events PATH */
    struct outlet *events;   /* one of these, or NULL: nobody asked for event lines */
    const char *events_name; /* for messages */

    bool has_command;
    struct run_pool pool;

    char id[RUN_KEEPER_ID_ROOM];
    struct event_line line;
    uint64_t last_ns; /* of the newest event line */
    bool is_closing;  /* callbacks do nothing more */
    bool has_server;  /* the server was reached once */
    bool has_stopped;
    int error_code; /* the last error told, 0: none */
    char error_text[RUN_TEXT_ROOM];
    bool must_release; /* parti_released(release_epoch) is due */
    uint64_t release_epoch;

    /* Messages that the main thread has not seen, under a lock of their own: the thread
     * that brings them must not wait for whoever writes or reads what. */
    pthread_mutex_t mail_lock;
    struct run_letter *mail, **mail_last; /* 'mail_last' counts if there is any */
    bool is_mail_closed;

    bool must_leave; /* exit_code says why */
    enum run_phase phase;
    uint64_t due_ns; /* of the phase; UINT64_MAX: none */
    int exit_code;
};

/* run_events.c: fills in all callbacks; and aside_over (host/aside.h). */
void run_events_init(struct run *run, struct parti_callbacks *callbacks);
void run_events_over(void *ctx, struct parti_hold hold, uint32_t stretch);

/* The main thread, with the lock: what came since; and the last call before the worker
 * goes: no message is kept any more. */
void run_events_mail(struct run *run);
void run_events_end(struct run *run);

/* An `error` line and a message; for the main thread, with the lock. */
void run_events_problem(void *ctx, int code, const char *text);

/* run_loop.c: until it is over; the exit code. */
int run_loop(struct run *run);

/* The worker must leave, and this is the exit code then; any thread, with the lock. */
void run_loop_fail(struct run *run, int exit_code);

#endif
