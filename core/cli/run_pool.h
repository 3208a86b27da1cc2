/* The supervised commands of `parti run`: one, or as many as [consume] children says,
 * each with its own partitions and its own messages.
 *
 * A partition goes to the command that has the fewest and stays with it until it is given
 * up.  Each command is told of its own partitions alone, and of everything else; what was
 * revoked is released when all that were told have answered.  Messages wait for a command
 * that does not read or is being started again, and hold up no other.
 *
 * As run_keeper.h: one thread at a time, but for run_pool_lease(): any thread.
 */
#ifndef PARTI_CLI_RUN_POOL_H
#define PARTI_CLI_RUN_POOL_H

#include "cli/run_keeper.h"
#include "cli/run_post.h"

enum {
    RUN_POOL_MAX = 64,
    RUN_POOL_FDS = RUN_POOL_MAX * CHILD_FDS,
    RUN_POOL_QUEUE = 256 * 1024 /* bytes of messages in a command's pipe and queue */
};

struct run_pool_options {
    struct run_keeper_options keeper; /* 'answer' and 'ended' are the pool's */
    size_t children;
    bool is_stacked;   /* [consume] deliver_max is above 1 */
    uint64_t speak_ms; /* speak for what waits so often; 0: there are no messages */
    bool is_raw;       /* [consume] format */
    /* With the keeper's ctx. */
    bool (*may_begin)(void *ctx, const struct parti_ticket *ticket);
    void (*answer)(void *ctx, struct parti_ticket ticket, enum run_answer answer,
                   uint64_t delay_ms);
};

struct run_pool;

struct run_pool_child {
    struct run_pool *pool;
    struct run_keeper keeper;
    struct run_post post;
    size_t held; /* partitions */
};

struct run_pool {
    struct run_pool_options options;
    struct run_pool_child *child;
    size_t n;
    uint8_t *whose; /* by slot of the hold: the child's number and 1; 0: nobody's */
    uint32_t slots;
    uint64_t asked, told; /* greatest epochs: revoked; released */
    uint64_t speak_ns;
    struct parti_partition *part; /* those of one child, of n */
    size_t part_room;
    struct event_line line;
    struct event_line message;
};

/* 0, STATUS_NOMEM, STATUS_IO. */
int run_pool_init(struct run_pool *pool, const struct run_pool_options *options);

/* As run_keeper_end() and run_keeper_finish(); accept a zeroed struct. */
void run_pool_end(struct run_pool *pool);
void run_pool_finish(struct run_pool *pool);

/* As the functions of run_keeper.h.  'stamp' and the lists are those of 'line'. */
int run_pool_start(struct run_pool *pool, char *text, size_t room);
void run_pool_worker(struct run_pool *pool, const char *id);
void run_pool_tell(struct run_pool *pool, const struct event_line *line);
void run_pool_assigned(struct run_pool *pool, const struct event_stamp *stamp,
                       uint64_t epoch, const struct parti_partition *partition, size_t n,
                       const struct event_line *line);
void run_pool_revoking(struct run_pool *pool, const struct event_stamp *stamp,
                       uint64_t epoch, const struct parti_partition *partition, size_t n,
                       uint64_t deadline_ms, const struct event_line *line);
void run_pool_released(struct run_pool *pool, const struct event_stamp *stamp,
                       uint64_t epoch, const struct parti_partition *partition, size_t n,
                       const struct event_line *line);
void run_pool_fenced(struct run_pool *pool, uint64_t deadline_ns,
                     const struct event_line *line);
void run_pool_lease(struct run_pool *pool, uint64_t deadline_ns);

/* A message; takes it over.  It is written by the next run_pool_ready(). */
void run_pool_message(struct run_pool *pool, struct run_letter *letter);

/* Nobody is to have a message any more: the references are given up.  Accepts a zeroed
 * struct. */
void run_pool_forget(struct run_pool *pool);

/* Polling: fills fds[RUN_POOL_FDS] and returns how many there are. */
size_t run_pool_fds(const struct run_pool *pool, struct pollfd *fds, bool is_full);
uint64_t run_pool_due_ns(const struct run_pool *pool);
void run_pool_ready(struct run_pool *pool, const struct pollfd *fds);

/* child_reap_adopted() for all of them.  Accepts a zeroed struct. */
void run_pool_reap(const struct run_pool *pool);

void run_pool_drain(struct run_pool *pool);
void run_pool_hang_up(struct run_pool *pool);
void run_pool_kill(struct run_pool *pool);
bool run_pool_is_running(const struct run_pool *pool); /* any of them */

#endif
