/* The position records of a live group, one a partition: read, and set by hand.
 *
 * Over the connection of a group that group_open() and group_bind() were good for.  What
 * fails is told as group.h has it.  For cmd_positions.c
 * and cmd_status.c; one thread.
 */
#ifndef PARTI_CLI_POSITIONS_H
#define PARTI_CLI_POSITIONS_H

#include "cli/state.h"
#include "consume/engine.h"
#include "edge/nats_positions.h"

enum {
    POSITIONS_WINDOW = 256,   /* records asked for at once */
    POSITIONS_SUM_MAX = 8192, /* partitions of which a sum is made */
};

struct positions {
    struct group *group;
    struct nats_positions *store;
    bool is_absent; /* nothing has ever been consumed */
    uint64_t op;
};

struct position {
    bool exists;
    uint64_t version;
    struct consume_record record;
};

/* CLI_OK; CLI_FAILED with code 0: nothing has ever been consumed; else as group_open().
 * positions_close() must follow in every case. */
int positions_open(struct positions *p, struct group *g);
void positions_close(struct positions *p);

/* Those of n partitions.  CLI_OK, CLI_TIMEOUT, CLI_NO_SERVER, CLI_FAILED. */
int positions_read(struct positions *p, const struct bytes *id, size_t n,
                   struct position *ret);

/* The partition is to be read from 'next' on.  'old' is what positions_read() gave, and
 * exists.  CLI_FAILED also when it has changed since. */
int positions_set(struct positions *p, struct bytes id, const struct position *old,
                  uint64_t next);

/* All of a group's in one line. */
struct positions_sum {
    bool is_known;     /* else nothing has been consumed, or there are too many */
    uint32_t parts;    /* partitions of the group, */
    uint32_t recorded; /* of which so many have a position, */
    uint32_t failing;  /* and so many of these a message that was tried in vain */
};

/* CLI_OK; else what positions_read() says. */
int positions_sum_up(struct group *g, const struct state *s, struct positions_sum *ret);

#endif
