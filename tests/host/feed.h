/* What consuming is tested with: a real server for the positions, the broker of
 * tests/plugins/broker.c in a folder, and workers of this process that write down each
 * message they handle.  Fails the running Check test when something is not as it must be.
 */
#ifndef PARTI_TESTS_HOST_FEED_H
#define PARTI_TESTS_HOST_FEED_H

#include "rig.h"

#include "edge/clock.h"
#include "parti.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>

enum { FEED_MS = 30000, FEED_PARTS = 64, FEED_TEXT = 256, FEED_APPS = 8 };

/* One call of the handler. */
struct feed_entry {
    int app, part; /* p/PART */
    uint64_t position;
    uint32_t attempt;
    struct parti_token token;
    struct parti_ticket ticket;
    uint64_t begin_ns, end_ns; /* end 0: it has not returned */
    char data[FEED_TEXT];
};

struct feed_app;

/* What a test's handler does with a message; without one it is acknowledged. */
typedef void (*feed_handler)(struct feed_app *app, const struct parti_message *message);

struct feed {
    struct server server;
    char dir[SERVER_PATH_ROOM];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct feed_entry *entry;
    size_t entries, room;
    struct feed_app *app[FEED_APPS];
    int apps;
};

struct feed_app {
    struct feed *feed;
    int number;
    feed_handler handle;
    void *ctx; /* of the handler */
    struct parti_worker *worker;
    /* Under the feed's lock. */
    size_t assigned, released, revoking;
    uint64_t settled[FEED_PARTS]; /* by partition: next */
    uint64_t revoke_epoch;
    bool keeps; /* does not say released by itself */
    int error_code;
    char error[1024];
    bool is_fenced;
};

extern struct feed feed;

void feed_begin(int program);
void feed_end(void);

/* An INI file in the folder: partitions p/0 .. p/(parts-1), and lines of [consume]. */
const char *feed_conf(int parts, const char *more);

/* Appends n messages FROM, FROM+1, ... to p/PART, one of any text. */
void feed_put(int part, int from, int n);
void feed_put_line(int part, const char *line);

/* A file of the broker: its text, "" if there is none. */
const char *feed_file(const char *name);
void feed_write(const char *name, const char *text);

/* A worker with this handler; NULL: acknowledges. */
struct feed_app *feed_start(const char *conf, feed_handler handle, void *ctx);

/* Leaves in order; or ends at once. */
void feed_leave(struct feed_app *app);
void feed_drop(struct feed_app *app);

/* With the lock: waits until is_it(ctx) holds; fails the test with this text. */
void feed_await(bool (*is_it)(void *ctx), void *ctx, const char *what);

/* Until so many calls of handlers have returned. */
void feed_await_calls(size_t n);

/* Until the application was told so much of a partition. */
void feed_await_settled(const struct feed_app *app, int part, uint64_t next);
void feed_await_error(const struct feed_app *app, int code);
void feed_await_assigned(const struct feed_app *app, size_t n);

/* Each partition's calls in the order of positions, none at the same time as another;
 * each number of 0..n-1 once. */
void feed_check_order(int parts, int n);

#endif
