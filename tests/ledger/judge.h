/* The judge of the ledger: reads what the workers wrote (row.h says what a row claims),
 * what the producer counted and what the driver did, and says what was wrong.
 *
 * FOLDER holds
 *   *.rows    one file a worker: struct ledger_row after struct ledger_row; the worker's
 *             number is that of the name, w17.rows; those of the witness: witness.rows
 *   produced  how many messages each partition got, a line a partition
 *   changes   "BOOT_NS KIND WORKER", a line for each thing the driver did:
 *             join, drain, kill, stop, cont
 *   dead      "PARTITION NUMBER", a line for each dead letter; no file: there are none
 *
 * A holder's attempts at a partition ascend by one, and go back only behind one that was
 * not done: to it after a nak or silence, to the next after a term, and to either after
 * one that is naked at every attempt.  What is between is void: handled, but the ack
 * counts for nothing, so the number is not handled by it.  Between are fewer than
 * deliver_max, since that many are unanswered at the most; with 1, nothing is.  A
 * handling that took half of handle_timeout itself may be one that came too late.
 *
 * What may not be, whatever happened:
 *   lost           a number that no worker handled, and that is no dead letter
 *   out of order   a first handling of a number below one handled before; or, of one
 *                  holder, an attempt at anything but the next number (see above)
 *   ahead          more behind one that was not done than may be void
 *   overlap        two handlings of a partition at one instant, or a handling under a
 *                  lower token than one before it
 *   after ack      a handling that began when the message's ack was durable (SETTLED); or
 *                  of what a holder handled that gave the partition up in order
 *   unearned       a number that a record said was done (SETTLED) before anybody had
 *   unburied       no dead letter of what was termed, or naked at every attempt
 *   dead_wrongly   a dead letter of anything else
 *   dead_again     two of one number, and no abrupt end of a holder that explains it
 *   late           an append among another holder's rows that no stop explains
 *   too many       more repeats after one holder's end than a crash may cost
 *   strange        a number that was not produced, or found at two positions
 */
#ifndef PARTI_TESTS_LEDGER_JUDGE_H
#define PARTI_TESTS_LEDGER_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum change { CHANGE_JOIN, CHANGE_DRAIN, CHANGE_KILL, CHANGE_STOP, CHANGE_CONT, CHANGES };

/* Hand-overs by what was done to the former holder.  MOVE: nothing, it gave the partition
 * up in order; FENCE: nothing, and it did not. */
enum gap { GAP_MOVE, GAP_DRAIN, GAP_KILL, GAP_STOP, GAP_FENCE, GAPS };

extern const char *const change_names[CHANGES];
extern const char *const gap_names[GAPS];

/* An attempt at a message.  'kind' is that of the row: HANDLED, NAKED, HOPELESS, TERMED,
 * SILENT. */
struct handling {
    uint32_t partition, number, hold, worker;
    uint64_t token, position, begin_ns, end_ns, sent_ns;
    uint32_t stretch;
    uint8_t kind;
    bool is_void;   /* judge_stretches() */
    bool is_unsure; /* perhaps void: its holder ended before that could be seen */
};

/* A dead letter. */
struct letter {
    uint32_t partition, number;
};

/* Of a partition: SETTLED (a: next), RELEASED (a: token, b: epoch), ASSIGNED (a: token),
 * LATE (a: number, b: time of the check). */
struct mark {
    uint32_t partition, worker, hold;
    uint64_t at_ns, a, b;
};

struct marks {
    struct mark *at;
    size_t n, room;
};

struct change_done {
    uint64_t at_ns;
    enum change kind;
    uint32_t worker;
};

struct ledger {
    struct handling *handling; /* by partition, then begin */
    size_t n, room;
    struct marks settled, released, assigned, late; /* by partition, then time */
    uint64_t refused, fenced, born;
    uint64_t *produced;
    uint32_t partitions;
    struct change_done *change;
    size_t changes;
    struct letter *letter; /* by partition, then number */
    size_t letters;
};

struct gap_figures {
    size_t n, loaded; /* hand-overs; those where a message waited */
    uint64_t p50_us, p99_us, max_us;
    /* The same by step, p50: until the last of its batch ended; from there until it was
     * released, assigned, and handled.  0 where there are no such rows. */
    uint64_t batch_us, release_us, grant_us, begin_us;
    uint64_t net_p50_us, net_p99_us, net_max_us; /* from the end of the batch on */
};

struct verdict {
    uint64_t produced, handled; /* messages; rows */
    uint64_t lost, out_of_order, out_of_holder, overlaps, stale, after_ack, after_release,
        late_unexplained, too_many, strange, ahead, unearned, unburied, dead_wrongly,
        dead_again;                                              /* faults */
    uint64_t before_ack, before_ack_most, late, refused, fenced; /* allowed */
    uint64_t naked, hopeless, termed, silent; /* attempts, void ones among them */
    uint64_t voided, slow;   /* handlings; those that perhaps came too late */
    uint64_t silent_most_ms; /* until the same holder had it again */
    uint64_t dead;           /* numbers */
    uint64_t change[CHANGES];
    uint64_t wall_ms;
    struct gap_figures gap[GAPS];
};

struct judge_options {
    uint64_t repeats_max; /* after one holder's end, of one partition */
    uint32_t deliver_max;
    uint64_t timeout_ns; /* handle_timeout; 0: none */
};

enum { SHOWN_MAX = 5 };

/* False: cannot be read, said on stderr. */
bool ledger_read(struct ledger *l, const char *folder);
void ledger_free(struct ledger *l);

/* Says the first faults of each kind on stderr, and tells what is void. */
void judge_rows(struct ledger *l, const struct judge_options *o, struct verdict *v);
void judge_gaps(const struct ledger *l, struct verdict *v);

/* ---- parts of judge_rows() */

/* Of one partition, handling[from] to handling[to - 1]: which of them are void. */
void judge_stretches(struct ledger *l, const struct judge_options *o, struct verdict *v,
                     size_t from, size_t to);

/* Of one partition: the records and dead letters, against the first handling that settles
 * each number (NULL: none does). */
void judge_settled(const struct ledger *l, struct verdict *v, uint32_t partition,
                   const struct handling *const *first);
void judge_dead(const struct ledger *l, struct verdict *v, uint32_t partition,
                size_t from, size_t to);

/* One more fault; 'prev' may be NULL. */
void judge_fault(uint64_t *count, const char *what, const struct handling *h,
                 const struct handling *prev);

/* Has this holder given the partition up in order before that time? */
bool judge_was_released(const struct ledger *l, const struct handling *old,
                        uint64_t before_ns);
bool judge_is_same_holder(const struct handling *a, const struct handling *b);

/* Is there a dead letter? */
bool judge_is_dead(const struct ledger *l, uint32_t partition, uint32_t number);

bool verdict_holds(const struct verdict *v);

/* What was done last to that worker before 'at_ns', at or after 'from_ns'; NULL: nothing
 * of these kinds (a mask of 1 << kind). */
const struct change_done *change_before(const struct ledger *l, uint32_t worker,
                                        unsigned kinds, uint64_t from_ns, uint64_t at_ns);

/* The first mark of the partition; one past its last is where another begins. */
size_t marks_find(const struct marks *m, uint32_t partition);

#endif
