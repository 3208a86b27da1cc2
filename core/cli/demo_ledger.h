/* Who held what from when to when, taken from the workers' own event lines: the demo's
 * judge.  Times in ns of CLOCK_BOOTTIME.  One user at a time.
 */
#ifndef PARTI_CLI_DEMO_LEDGER_H
#define PARTI_CLI_DEMO_LEDGER_H

#include "cli/demo_input.h"

#include <stdbool.h>
#include <stdint.h>

enum { LEDGER_SPANS_MAX = 65536, LEDGER_HELD = 0 };

struct ledger_span {
    uint32_t section; /* index in the input */
    uint32_t worker;  /* number of the process, in order of start */
    uint64_t from_ns;
    uint64_t to_ns; /* LEDGER_HELD: still held */
};

struct ledger {
    struct ledger_span *span;
    size_t n;
};

/* STATUS_NOMEM. */
int ledger_init(struct ledger *l);
void ledger_finish(struct ledger *l);

void ledger_begin(struct ledger *l, uint32_t section, uint32_t worker, uint64_t ns);
void ledger_end(struct ledger *l, uint32_t section, uint32_t worker, uint64_t ns);
/* Everything that this process still holds ends. */
void ledger_end_all(struct ledger *l, uint32_t worker, uint64_t ns);

/* The process that holds the section now, -1 for nobody. */
int ledger_holder(const struct ledger *l, uint32_t section);
/* When it was last given to somebody, 0: never. */
uint64_t ledger_given_ns(const struct ledger *l, uint32_t section);

/* Instants at which two processes held one section: must be 0. */
uint32_t ledger_overlaps(const struct ledger *l);
/* The longest time for which a section had no holder between two holders. */
uint64_t ledger_longest_gap_ns(const struct ledger *l, uint64_t since_ns);

#endif
