/* Real `parti run` processes for tests: started, heard through their event lines, ended.
 *
 * Waiting is waiting for an event line, an output line or an end, with a deadline that
 * fails the test.  Only processes started here are signalled.
 */
#ifndef PARTI_TESTS_CHAOS_CREW_H
#define PARTI_TESTS_CHAOS_CREW_H

#include "server.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CREW_WAIT_MS = 30000, CREW_ROOM = 1 << 20, CREW_PATH_ROOM = 512 };

struct crew_worker {
    pid_t pid; /* 0: ended */
    int pidfd;
    int fd;     /* its standard output */
    char *text; /* CREW_ROOM bytes: text[at..n) is not yet taken */
    size_t at, n;
    char ini[CREW_PATH_ROOM];
    char events[CREW_PATH_ROOM]; /* file of --events, "" for standard output */
};

struct crew_options {
    const char *url;    /* of the server */
    const char *dir;    /* where the files go */
    const char *name;   /* of this worker's files */
    const char *ini;    /* a configuration that is there already; the next three unused */
    const char *worker; /* further lines of [worker], or NULL */
    const char *source; /* sections of the sources, or NULL: static, orders/0..3 */
    const char *timing; /* further lines of [timing], or NULL */
    const char *script; /* of the command `sh -c`, or NULL: no command */
    bool has_events_file;
};

/* Starts it, profile fast. */
void crew_start(struct crew_worker *worker, const struct crew_options *options);

/* Kills it if it lives; frees. */
void crew_finish(struct crew_worker *worker);

/* The next line of its standard output that contains the text, without its newline; the
 * lines before are passed over.  Good until the next call. */
const char *crew_line(struct crew_worker *worker, const char *text);

/* The next event of that name on its standard output; to be freed by json_decref(). */
json_t *crew_event(struct crew_worker *worker, const char *event);

/* Parts of an event. */
uint64_t crew_boot_ns(const json_t *event);
size_t crew_partitions(const json_t *event);
bool crew_lists(const json_t *event, const char *id);

/* Waits for its end; the exit code, 128 + N after a signal. */
int crew_exit(struct crew_worker *worker);

/* Runs `parti ARGUMENTS` (ended by NULL) to its end; what it wrote to standard error to
 * text[room]. */
int crew_parti(char *text, size_t room, const char *const *arguments);

/* Runs it likewise; it must succeed, and its standard output be JSON: to be freed by
 * json_decref(). */
json_t *crew_json(const char *const *arguments);

/* Asks for the status of the worker's group until nothing is under way, so many workers
 * hold something, and so many partitions together: {"worker-0": [...], ...}, to be freed
 * by json_decref(). */
json_t *crew_await_settled(const struct crew_worker *worker, size_t workers,
                           size_t partitions);

/* When the process behind the descriptor of pidfd_open() ended, at the latest. */
uint64_t crew_end_of(int pidfd);

#endif
