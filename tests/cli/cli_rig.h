/* Runs the program parti as people do: words in, exit code and both outputs out.  And
 * what it is run against: configuration files, workers of this process.  Fails the
 * running Check test when something is not as it must be.
 */
#ifndef PARTI_TESTS_CLI_CLI_RIG_H
#define PARTI_TESTS_CLI_CLI_RIG_H

#include "program.h"

#include "parti.h"

#include <check.h>
#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CLI_RIG_OUT = 1 << 18, CLI_RIG_MS = 30000, CLI_RIG_FILES = 8 };

/* One run from its start to its end. */
struct cli_run {
    int code; /* exit code, -1: killed by a signal */
    char out[CLI_RIG_OUT], err[CLI_RIG_OUT];
};

/* The parti of this build with these words, ended with NULL; waits for its end.  The
 * result lives until the next call. */
const struct cli_run *cli_run(const char *const words[]);
#define CLI_RUN(...) cli_run((const char *const[]){__VA_ARGS__, NULL})

/* The same, and checks the exit code; says what was printed when it is another. */
const struct cli_run *cli_expect(int code, const char *const words[]);
#define CLI_EXPECT(code, ...) cli_expect(code, (const char *const[]){__VA_ARGS__, NULL})

/* Its standard output as JSON, with format_version 1; to be json_decref()ed. */
json_t *cli_json(const struct cli_run *run);

void cli_has(const char *text, const char *part);
void cli_lacks(const char *text, const char *part);

/* ---- the frame of a program of tests, each in a folder of its own */

int cli_rig_run(const char *name, const TTest *const *tests, size_t n);

#define CLI_MAIN(name, ...)                                            \
    int main(void)                                                     \
    {                                                                  \
        const TTest *const tests[] = {__VA_ARGS__};                    \
        return cli_rig_run(name, tests, sizeof tests / sizeof *tests); \
    }

void cli_rig_setup(void);
void cli_rig_teardown(void);

/* A file in it, by its name; the path lives until the teardown. */
const char *cli_file(const char *name, const char *text);
const char *cli_path(const char *name);

/* A configuration in it: group g, round_robin, static partitions p/0..31, short windows,
 * and further lines of whole sections. */
const char *cli_conf(const char *name, const char *url, const char *more);

/* ---- a run that goes on */

struct cli_live {
    pid_t pid;
    int out, err; /* standard output; a file with what it logs */
    char buffer[CLI_RIG_OUT];
    size_t n, taken;
};

void cli_start(struct cli_live *live, const char *const words[]);

/* Waits for the next line for which 'is_it' holds; others are skipped.  Fails after
 * CLI_RIG_MS. */
void cli_line(struct cli_live *live, bool (*is_it)(const char *line, void *ctx),
              void *ctx);

/* Waits for the next line, each one a JSON object, whose "event" is this and whose text
 * 'key' is 'text' (NULL: any); to be json_decref()ed. */
json_t *cli_event(struct cli_live *live, const char *event, const char *key,
                  const char *text);

/* How often its log, which is its standard error, holds this text. */
int cli_logged(const struct cli_live *live, const char *text);

/* The text of a key, "" when there is none. */
const char *cli_text(const json_t *object, const char *key);

/* A worker of the program itself, its events on its standard output; until its end by
 * SIGINT, which must be in order and frees it. */
struct cli_live *cli_start_run(const char *conf);
void cli_finish(struct cli_live *live);

/* What it has logged by now, at most CLI_RIG_OUT bytes of it. */
void cli_log(const struct cli_live *live, char *text);

/* SIGINT, and its exit code. */
int cli_interrupt(struct cli_live *live);

/* ---- workers of this process */

struct cli_worker {
    struct parti_worker *worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t assigned; /* partitions given so far */
};

/* Starts it; lives until cli_leave() or cli_drop(). */
struct cli_worker *cli_worker(const char *conf);

/* Until it has been given so many. */
void cli_settle(struct cli_worker *w, size_t parts);

/* Leaves in order and ends; ends at once. */
void cli_leave(struct cli_worker *w);
void cli_drop(struct cli_worker *w);

#endif
