/* The messages that a handler has and has not answered yet, by partition; where
 * deliver_max is above 1 it has several of one at once, and so they are done in batches:
 * what lay there when the work on a batch began is done by its end, row by row, and then
 * answered in one go, one after the other.
 *
 * What a handler may know of attempts that are over (parti.h) is all that is used here: a
 * message that comes again takes the place of what was there of its partition from its
 * position on.  Behind a message that is not answered nothing is, until it comes again,
 * for an ack would speak for it, too.  Behind one that is answered with a nak or a term
 * the rest of the batch goes on, which is a handler's right; such acks count for nothing.
 * One thread at a time.
 */
#ifndef PARTI_TESTS_LEDGER_DESK_H
#define PARTI_TESTS_LEDGER_DESK_H

#include "ledger_io.h"

#include "parti.h"

enum { DESK_BATCH_MAX = 64, DESK_PARTITIONS_MAX = 100000 };

struct desk_item {
    struct desk_item *next;
    struct ledger_row row; /* all but kind, begin and end */
    struct parti_ticket ticket;
    uint64_t n; /* what the answer of a command names */
};

struct desk_part {
    struct desk_item *first, *last;
    uint64_t begin_ns; /* of the batch */
    uint32_t batch_n;
    bool is_quiet; /* behind this row, which was not answered */
    struct ledger_row quiet;
};

struct desk {
    struct ledger_io *io;
    struct desk_part *part;
    uint32_t parts; /* above the greatest partition so far */
    /* Asked last before the row is written. */
    bool (*holds)(const struct desk_item *item);
    /* Behind the rows of the batch; the row has its kind now, never SILENT. */
    void (*answer)(const struct desk_item *item);
    void (*flush)(void);  /* the batch is answered */
    bool is_backwards;    /* a mutant: answers the last one first */
    bool has_had_several; /* of one partition at once */
};

bool desk_init(struct desk *d, struct ledger_io *io);

/* Copied.  False: no memory. */
bool desk_add(struct desk *d, const struct desk_item *item);

/* Is a message of this partition here? */
bool desk_has(const struct desk *d, uint32_t partition);

/* Batches whose time has come. */
void desk_finish_due(struct desk *d);

/* When the next one is due, ledger_now_ns(); UINT64_MAX: nothing is here. */
uint64_t desk_due_ns(const struct desk *d);

#endif
