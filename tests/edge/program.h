/* Programs and folders for tests: which nats-servers there are, running them, folders
 * that go away again.  Where something cannot be had the process ends with a sentence
 * (abort), since no test can go on then.
 */
#ifndef PARTI_TESTS_EDGE_PROGRAM_H
#define PARTI_TESTS_EDGE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SERVER_PROGRAMS_MAX = 8, SERVER_PATH_ROOM = 256 };

struct server_program {
    char path[SERVER_PATH_ROOM];
    char version[32]; /* "2.9.10" */
};

/* The servers to test with, in a table of static storage; at least one.  From
 * PARTI_NATS_SERVERS, a list of paths separated by colons; without it, nats-server in
 * PATH or /usr/sbin and what tools/fetch-servers.sh put below $PARTI_BUILDDIR/servers.
 */
size_t server_programs(const struct server_program **ret_programs);

/* True if a version is at least major.minor. */
bool server_is_at_least(const struct server_program *program, int major, int minor);

/* Forks and runs argv with its output going to 'out'.  It dies with the thread that
 * called (PR_SET_PDEATHSIG).  To be waited for.
 */
pid_t launch(const char *const argv[], int out);

/* A file to append to, for launch(). */
int open_output(const char *path);

/* Runs a program to its end, output to /dev/null; aborts unless it succeeds. */
void run_program(const char *const argv[]);

/* A port for programs whose ports must be known before they start, so that the kernel
 * cannot choose them.  Taken below its range of ephemeral ports, tried by binding; if
 * somebody is faster the programs are started with others.
 */
int free_port(void);

/* mkdtemp below TMPDIR; remove_tree() takes it away again. */
void make_dir(char path[SERVER_PATH_ROOM]);
void remove_tree(const char *path);

/* A sentence on stderr, and abort. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* snprintf that aborts instead of cutting. */
void format(char *to, size_t room, const char *template, ...)
    __attribute__((format(printf, 3, 4)));

#endif
