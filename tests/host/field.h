/* What consuming is tested with: a real server for the positions, the broker of
 * tests/plugins/broker.c in a folder, and workers of this process that write down each
 * message they handle.  Fails the running Check test when something is not as it must be.
 */
#ifndef PARTI_TESTS_HOST_FIELD_H
#define PARTI_TESTS_HOST_FIELD_H

#include "rig.h"

#include "edge/clock.h"
#include "parti.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>

enum { FIELD_MS = 30000, FIELD_PARTS = 8192, FIELD_TEXT = 256, FIELD_APPS = 8 };

/* One call of the handler. */
struct field_entry {
    int app, part; /* p/PART */
    uint64_t position;
    uint32_t attempt;
    struct parti_token token;
    struct parti_ticket ticket;
    uint64_t begin_ns, end_ns; /* end 0: it has not returned */
    char data[FIELD_TEXT];
};

struct field_app;

/* What a test's handler does with a message; without one it is acknowledged. */
typedef void (*field_handler)(struct field_app *app, const struct parti_message *message);

/* The last message that field_keep() saw. */
struct field_copy {
    char id[64], subject[64], key[64], headers[256], data[64];
    size_t data_n;
    int64_t time_ms;
    uint32_t attempt;
};

struct field {
    struct server server;
    struct field_copy copy;
    char dir[SERVER_PATH_ROOM];
    const char *timing; /* more lines of [timing], for field_conf(); NULL: none */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct field_entry *entry;
    size_t entries, room;
    struct field_app *app[FIELD_APPS];
    int apps;
};

struct field_app {
    struct field *field;
    int number;
    field_handler handle;
    void *ctx; /* of the handler */
    struct parti_worker *worker;
    /* Under the field's lock. */
    size_t assigned, released, revoking;
    uint64_t settled[FIELD_PARTS]; /* by partition: next */
    uint64_t revoke_epoch;
    bool keeps; /* does not say released by itself */
    struct field_error {
        int code;
        char text[1024];
    } error[16];
    int errors;
    bool is_fenced;
};

extern struct field field;

void field_begin(int program);
void field_end(void);

/* An INI file in the folder: partitions p/0 .. p/(parts-1), and lines of [consume]. */
const char *field_conf(int parts, const char *more);

/* Appends n messages FROM, FROM+1, ... to p/PART, one of any text. */
void field_put(int part, int from, int n);
void field_put_line(int part, const char *line);

/* A file of the broker: its text, "" if there is none. */
const char *field_file(const char *name);
void field_write(const char *name, const char *text);

/* A worker with this handler; NULL: acknowledges. */
struct field_app *field_start(const char *conf, field_handler handle, void *ctx);

/* Leaves in order; or ends at once. */
void field_leave(struct field_app *app);
void field_drop(struct field_app *app);

/* With the lock: waits until is_it(ctx) holds; fails the test with this text. */
void field_await(bool (*is_it)(void *ctx), void *ctx, const char *what);

/* A handler: copies the message and acknowledges it. */
void field_keep(struct field_app *app, const struct parti_message *message);

/* Until so many calls of handlers have begun. */
void field_await_entries(size_t n);

/* Until this number was handled. */
void field_await_last(int part, int number);

/* Until so many calls of handlers have returned. */
void field_await_calls(size_t n);

/* Until the application was told so much of a partition. */
void field_await_settled(const struct field_app *app, int part, uint64_t next);
/* The text of the first error with this code, once it is there. */
const char *field_await_error(const struct field_app *app, int code);
void field_await_revoking(const struct field_app *app, size_t n);
void field_await_fenced(const struct field_app *app);
void field_await_assigned(const struct field_app *app, size_t n);

/* Each partition's calls in the order of positions, none at the same time as another;
 * each number of 0..n-1 once. */
void field_check_order(int parts, int n);

/* As RIG_MAIN and RIG_CREW, but with the first server alone. */
int field_run(const char *name, const TTest *const *tests, size_t n);
int field_crew(const char *name, const TTest *const *tests, size_t n);

#define FIELD_MAIN(name, ...) RIG_MAIN_BY(field_run, name, __VA_ARGS__)
#define FIELD_CREW(name, ...) RIG_MAIN_BY(field_crew, name, __VA_ARGS__)

#endif
