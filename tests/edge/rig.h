/* An inbox, a link and a log as the loop would have them, for tests: waits for items by
 * kind with a deadline, feeds the log and keeps its time-outs.  Fails the running Check
 * test if what is waited for does not come.
 */
#ifndef PARTI_TESTS_EDGE_RIG_H
#define PARTI_TESTS_EDGE_RIG_H

#include "server.h"

#include "edge/inbox.h"
#include "edge/nats_link.h"
#include "edge/nats_log.h"
#include "edge/nats_positions.h"

#include <check.h>

enum { RIG_WAIT_MS = 10000, RIG_TEXT_ROOM = 1024 };

struct rig {
    struct inbox *inbox;
    struct nats_link *link;
    struct nats_log *log;             /* NULL until rig_log() */
    struct nats_positions *positions; /* NULL until the test makes one */
    struct inbox_item *first, *last;  /* come, but not waited for yet */
    uint64_t op;
};

/* Links to url with no further options. */
void rig_init(struct rig *rig, const char *url);
void rig_init_options(struct rig *rig, const struct nats_link_options *options);
void rig_finish(struct rig *rig);

/* The next item of this kind (and op, if not 0); to be freed.  rig_next() fails the test
 * after RIG_WAIT_MS, rig_try() returns NULL after ms.
 */
struct inbox_item *rig_next(struct rig *rig, int kind, uint64_t op);
struct inbox_item *rig_try(struct rig *rig, int kind, uint64_t op, uint64_t ms);

/* Waits for the next item of a kind and throws it away. */
void rig_expect(struct rig *rig, int kind);

/* Waits for INBOX_LINK_ERROR (or another kind) and checks its code and that the text
 * holds every one of the words, a list that NULL ends.
 */
void rig_expect_error(struct rig *rig, int kind, int code, const char *const words[]);

/* Makes the log of a group and opens it; repeats while the servers get ready. */
void rig_log(struct rig *rig, const char *group, int replicas);

/* One write, one read, one info, waited for: the answer's status. */
int rig_write(struct rig *rig, const char *key, uint64_t expect, const char *text,
              uint64_t *ret_seq);
int rig_read(struct rig *rig, const char *key, uint64_t *ret_seq,
             char text[RIG_TEXT_ROOM]);
uint64_t rig_info(struct rig *rig);

/* The frame of a program of tests that run once for each server program: in the tests
 * rig_program(_i) is the server's.
 */
const struct server_program *rig_program(int i);
int rig_run(const char *name, const TTest *const *tests, size_t n);

/* Several at a time (crew.h): for tests that do not look at how soon something comes. */
int rig_crew(const char *name, const TTest *const *tests, size_t n);

#define RIG_MAIN_BY(run, name, ...)                            \
    int main(void)                                             \
    {                                                          \
        const TTest *const tests[] = {__VA_ARGS__};            \
        return run(name, tests, sizeof tests / sizeof *tests); \
    }

#define RIG_MAIN(name, ...) RIG_MAIN_BY(rig_run, name, __VA_ARGS__)
#define RIG_CREW(name, ...) RIG_MAIN_BY(rig_crew, name, __VA_ARGS__)

#endif
