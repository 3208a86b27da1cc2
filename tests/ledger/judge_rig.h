/* Doctored ledgers, for the tests of the judge.  One thread.
 *
 * Two workers, one after the other, in one partition, under the tokens 7-1 and 7-2; the
 * position of a number is 100 more than it.
 */
#ifndef PARTI_TESTS_LEDGER_JUDGE_RIG_H
#define PARTI_TESTS_LEDGER_JUDGE_RIG_H

#include "judge.h"
#include "row.h"

enum { RIG_ROWS_MAX = 64, RIG_NUMBERS = 20, RIG_HALF = 10, RIG_BOUND = 3 };

#define MS(n) (UINT64_C(1000000) * (uint64_t)(n))

struct rig {
    struct ledger_row row[3][RIG_ROWS_MAX]; /* by worker */
    size_t n[3];
    const char *changes, *produced, *dead; /* the files */
    uint32_t deliver_max, timeout_ms;
    size_t cut; /* bytes off the end of w2.rows */
    struct verdict verdict;
    bool is_read;
};

extern struct rig rig;

/* No rows but BORN; nothing is produced. */
void rig_clear(void);

/* w1 handles the first half of the numbers, w2 the rest; each takes 10 ms, back to back,
 * and between the two are 30 ms. */
void rig_fill(void);

/* When a number of the second half begins. */
uint64_t rig_second_ms(uint32_t number);

/* One row more. */
struct ledger_row *rig_handle(int worker, uint32_t number, uint64_t begin_ms);
struct ledger_row *rig_note(int worker, enum ledger_kind kind, uint64_t at_ms);

/* After rig_fill(): the row of a number. */
struct ledger_row *rig_row(uint32_t number);

/* Whether all of it held; 'verdict' and 'is_read'. */
bool rig_judge(void);

#endif
