/* The position records of a live group, one a partition: read, and set by hand.
 *
 * Over the connection of a group that group_open() and group_bind() were good for.  What
 * fails is told as group.h has it.  For cmd_positions.c; one thread.
 */
#ifndef PARTI_CLI_POSITIONS_H
#define PARTI_CLI_POSITIONS_H

#include "cli/state.h"
#include "consume/engine.h"
#include "edge/nats_positions.h"

enum { POSITIONS_WINDOW = 256 /* records asked for at once */ };

struct positions {
    struct group *group;
    struct nats_positions *store;
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

#endif
