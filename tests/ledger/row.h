/* The ledger's rows: what a worker writes down, each in a file of its own, and the judge
 * reads.  64 bytes, in the machine's own order, each by one write(2) at the end of a file
 * whose size is a multiple of 64: a row never crosses a page, so that a SIGKILL leaves it
 * whole or not at all, and what is written outlives the process that wrote it.
 *
 * WHAT A ROW CLAIMS, AND WHAT THE JUDGE MAY INFER
 *  A worker that handles a message does, in this order: read the clock (begin), work,
 * read the clock (checked), ask parti_holds(), and only on "yes" append the row, then
 * ack.
 *
 *  - The row claims that its worker held the partition from 'begin' to 'checked', without
 *    a gap: a hold that has ended never comes back (a later grant is another hold), the
 *    call was given under it, and the "yes" is of an instant not before 'checked'.  So
 * two such intervals of one partition that overlap are two holders at one instant,
 * whatever was stopped meanwhile: there is no excuse, and the judge knows none.
 *  - A process that is stopped before it asks is told "no" when it goes on, if its lease
 *    has ended: no row, and the message is another's.  If its "yes" were wrong, 'checked'
 *    would be either before the stop (then the answer, which comes after it, was wrong
 *    only if it looked at a stale clock: the next row of that worker shows it), or after
 *    it, in the middle of somebody else's rows: an overlap.  The clock is read before the
 *    question and never after it, for else a stop between answer and clock would look
 * like an overlap that no lease can prevent, and would have to be excused; an excuse
 * could hide a real one.
 *  - A process that is stopped between the "yes" and write(2) appends late.  That is the
 *    one thing that no lease prevents (parti.h, RESIDUAL).  Its interval is sound, for it
 *    ends at 'checked', but the append itself stands among those of the next holder.  The
 *    clock is read once more behind the write; where that is more than LEDGER_LATE_NS
 *    later, a row LATE follows.  The judge counts a late append as such only where
 * another worker's row lies between, and accepts it only if the driver's own record of
 * what it did to that worker has a stop within that time; any other is a fault.
 *  - A message that the handler does not do has a row of the same kind as one that it
 *    does, with the same claim, but of another word: NAKED, HOPELESS, TERMED, SILENT.
 *    None but HANDLED says that the number was dealt with; HOPELESS and TERMED say that
 *    it may, and must, be a dead letter.  Of a stretch in which the handler has several
 *    messages at once, what it handled behind one of these is void (judge.h), for its
 *    acks are of attempts that are over.
 *  - SETTLED is the worker's word that a record is durable, or that of the witness, which
 *    reads the records as the server keeps them and notes when it had each.
 *  - The ack of a late append comes after the lease: the position may not move by it. The
 *    judge sees that as every other repeat: allowed before, never after, a word that the
 *    position is durable (SETTLED), by whomever.
 */
#ifndef PARTI_TESTS_LEDGER_ROW_H
#define PARTI_TESTS_LEDGER_ROW_H

#include <stdint.h>

enum ledger_kind {
    LEDGER_NONE,
    LEDGER_BORN,     /* a process begins; number: its pid */
    LEDGER_HANDLED,  /* begin, end: the clock before the check; sent: by the producer */
    LEDGER_LATE,     /* the row of this number; begin: its 'end', end: after the write */
    LEDGER_REFUSED,  /* handled, but parti_holds() said no: nothing was done */
    LEDGER_SETTLED,  /* everything below 'position' is durable; end: when that was told */
    LEDGER_ASSIGNED, /* end: when it happened */
    LEDGER_RELEASED, /* end: when it happened; number: the epoch */
    LEDGER_FENCED,   /* end: when; every hold of this process has ended */
    LEDGER_NAKED,    /* as HANDLED, but answered with a nak: it comes again */
    LEDGER_HOPELESS, /* the same, and so it will be at every attempt */
    LEDGER_TERMED,   /* as HANDLED, but never again: a dead letter */
    LEDGER_SILENT    /* as HANDLED, but not answered at all */
};

enum { LEDGER_LATE_NS = 1000000 };

struct ledger_row {
    uint16_t kind;
    uint16_t attempt;
    uint32_t partition;
    uint32_t number; /* the producer's, from 0 in each partition */
    uint32_t hold;   /* serial of the hold; of a supervised command its process */
    uint64_t position;
    uint32_t gen, since; /* the token */
    uint64_t begin_ns, end_ns, sent_ns;
    uint32_t stretch; /* of the ticket; 0: not known */
    uint32_t reserved;
};

_Static_assert(sizeof(struct ledger_row) == 64, "a row has 64 bytes");

#endif
