/* The leader's table of partitions: who is to hold what, and the way from present
 * owners to desired ones.  Called only from node_lead*.c.
 *
 * Nothing leaves the lists while somebody may hold it (protocol.md, Storage):
 *  - a partition without a target stays listed, parked, with its present owner;
 *  - a move under way that is aimed elsewhere keeps its first demand (`from`);
 *  - a member that lists pending partitions is dropped only once they are listed
 *    elsewhere with the same demand.
 *
 * A plan lives from transfer_begin() to transfer_commit() or transfer_abort(); between
 * the two nothing else may change the table.
 */
#ifndef PARTI_PROTO_TRANSFER_H
#define PARTI_PROTO_TRANSFER_H

#include "base/arena.h"
#include "proto/action.h"
#include "proto/head.h"
#include "proto/own.h"

#define NUM_NONE UINT32_MAX

struct part {
    uint32_t id_at;
    uint16_t id_n;
    bool is_wanted; /* the source lists it */
    bool is_parked; /* listed with its owner, not to be held */
    uint32_t weight;
    uint32_t owner;       /* number of the member that lists it, or NUM_NONE */
    uint32_t desired;     /* where the strategy wants it, or NUM_NONE */
    uint64_t since;       /* epoch of the grant, or of the parking */
    struct own_from from; /* not none: pending */
    uint32_t from_num;    /* pending: number of the member that must release (sweep) */
};

/* What a plan must know of the member with a number. */
struct seat {
    struct session session;            /* in the acked head; none: nobody */
    struct session next_session;       /* in the head to come */
    uint64_t released;                 /* acked */
    bool is_dropped;                   /* its session leaves in the head to come */
    uint64_t awaited_min, awaited_max; /* out of sweep: epochs that partitions
                                          want released by it; 0: none */
    bool is_changed;                   /* out: its record must be written */
    uint32_t count;                    /* out: partitions its record will list */
    uint32_t start;                    /* inside transfer */
    uint64_t load;                     /* inside transfer */
};

struct part_list {
    uint32_t n;
    uint32_t text_n;
    struct part *part; /* ascending by id */
    char *text;
};

struct transfer {
    struct part_list now, spare;
    uint32_t parts_max, text_max, seats_max;
    struct seat *seat;
    uint32_t *order; /* partitions by next owner, for the changed seats */
    bool is_open;    /* a plan is being carried out */
    uint64_t epoch;  /* of the head to come */
    uint32_t pending, unowned, wanted;
    uint32_t awaited; /* partitions for which somebody's release is awaited */
    uint64_t moved;   /* by the plan under way */
    struct own_coder coder;
    /* columns of a request */
    struct bytes *ask_id;
    uint32_t *ask_weight, *ask_prev, *ask_row;
};

size_t transfer_size(uint32_t parts_max, uint32_t seats_max);
bool transfer_init(struct transfer *t, struct arena *arena, uint32_t parts_max,
                   uint32_t seats_max);

/* Empties the table. */
void transfer_clear(struct transfer *t);

/* Loading after a takeover: each member's record, then the end.  STATUS_CORRUPT,
 * STATUS_LIMIT; a partition in two records is corrupt. */
int transfer_load(struct transfer *t, uint32_t num, const void *data, size_t n);
int transfer_load_end(struct transfer *t);

struct listing_change {
    uint32_t added, removed, reweighted;
};

/* Takes over a listing (sorted, unique).  STATUS_LIMIT: nothing changed. */
int transfer_list(struct transfer *t, const struct bytes *id, const uint32_t *weight,
                  uint32_t n, struct listing_change *ret_change);

/* Fills the partition columns of a request; part_prev are member numbers, the request's
 * prev_n for nobody. */
void transfer_request(struct transfer *t, struct plan_request *request);

/* Row i of the last request is desired at member number num[i]. */
void transfer_desire(struct transfer *t, const uint32_t *num, uint32_t n);

/* Everything is desired where it is. */
void transfer_desire_present(struct transfer *t);

/* Opens a plan for the head of 'epoch'; t->seat is filled in by the caller.  False: the
 * plan changes nothing and is not opened. */
bool transfer_begin(struct transfer *t, uint64_t epoch);

/* The own record of member 'num' after the plan.  0: no room. */
size_t transfer_encode(struct transfer *t, uint32_t num, uint64_t gen, void *buffer,
                       size_t room);

void transfer_commit(struct transfer *t);
void transfer_abort(struct transfer *t);

/* After a head was acked: demands that it satisfies end. */
void transfer_sweep(struct transfer *t, const struct head *head);

/* Does 'num' list anything that keeps its session in the head? */
bool transfer_is_free(const struct transfer *t, uint32_t num);

/* Does 'num' list anything that is to be held by somebody? */
bool transfer_is_wanted(const struct transfer *t, uint32_t num);

/* Would dropping its session lose something?  True while the plan to come leaves with it
 * what is wanted, or what is pending on a session that stays (is_dropped of that seat).
 */
bool transfer_blocks_drop(const struct transfer *t, uint32_t num);

/* Are there parked partitions that can leave the lists now? */
bool transfer_wants_tidying(const struct transfer *t);

/* Largest load over mean load, minus one, in ppm, over the members in 'num'. */
uint64_t transfer_imbalance_ppm(struct transfer *t, const uint32_t *num, uint32_t n);

/* Hash of all wanted ids and weights. */
uint64_t transfer_set_hash(const struct transfer *t);

#endif
