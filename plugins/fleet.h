/* The workers of a world as every built-in strategy reads them.
 *
 * For the strategies in this folder only.  Inside, a worker is its rank: its place in
 * ascending order of (slot, hash).  The ABI promises workers in that order already; if
 * a host gives another one, ranks make the answer independent of it, and
 * fleet_translate() turns ranks into the host's indices at the end.
 *
 * Memory is scratch of the instance: fleet_read() grows it, fleet_finish() frees it,
 * and nothing is allocated once it has grown to the size of the world.
 */
#ifndef PARTI_PLUGINS_FLEET_H
#define PARTI_PLUGINS_FLEET_H

#include "parti_plugin.h"

#include <stdbool.h>

/* 128 bits for products of two 64-bit numbers; ISO C has no name for it. */
__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

/* A block that only grows.  What it held is lost when it does. */
struct block {
    void *bytes;
    size_t size;
};

/* Room for 'n' elements of 'each' bytes, or NULL when memory or size_t ends. */
void *block_need(struct block *block, uint64_t n, size_t each);
void block_finish(struct block *block);

enum role {
    ROLE_RECEIVER, /* takes its share by capacity */
    ROLE_CORDONED, /* keeps what it has, is given nothing new */
    ROLE_LEAVING   /* draining, or without capacity: ends with nothing */
};

struct fleet {
    uint32_t n;               /* workers; rank n stands for nobody */
    uint32_t prev_n;          /* workers of the previous table */
    const uint32_t *map;      /* [prev_n + 1] previous index -> rank, n for nobody and
                                 for workers that are gone or leaving */
    const uint32_t *order;    /* [n] rank -> index in the world; NULL: the same */
    const uint32_t *slot;     /* [n] by rank, ascending */
    const uint32_t *capacity; /* [n] by rank, 0 unless a receiver */
    const uint8_t *role;      /* [n] by rank, enum role */
    uint64_t capacity_sum;    /* over receivers; never 0 */
    uint32_t receivers;
    bool equal; /* all receivers have the same capacity */

    struct block memory, ordering;
};

/* Reads the workers of 'world'.  Answers PARTI_OK; PARTI_KEEP when every worker is
 * draining or cordoned, so that nobody can be given anything; PARTI_NOMEM; PARTI_BADINPUT
 * for a world that 32-bit indices cannot hold.  If all who may receive have capacity 0,
 * they count as equal. */
int32_t fleet_read(struct fleet *fleet, const struct parti_world *world,
                   struct parti_error *error);

/* Turns the ranks in owner[0 .. n) into indices of the world. */
void fleet_translate(const struct fleet *fleet, uint32_t *owner, uint64_t n);

void fleet_finish(struct fleet *fleet);

/* The host's wish to stop; cheap enough for every few thousand steps. */
static inline bool fleet_stop(const struct parti_host *host)
{
    return host->stop_wanted(host) != 0;
}

#endif
