/* What the ledger's programs share: the file of rows, the clock, the payload, the work.
 * Any thread, but for ledger_child().
 */
#ifndef PARTI_TESTS_LEDGER_IO_H
#define PARTI_TESTS_LEDGER_IO_H

#include "row.h"

#include <stdbool.h>
#include <stddef.h>

struct ledger_io {
    int fd;
    uint64_t work_us;
    bool is_troubled; /* not every message is done: ledger_fate() */
};

/* Opens the file for appending and writes LEDGER_BORN.  False: said on stderr. */
bool ledger_open(struct ledger_io *io, const char *path, uint64_t work_us);

/* CLOCK_BOOTTIME. */
uint64_t ledger_now_ns(void);

/* One write(2); the process ends when that fails. */
void ledger_put(const struct ledger_io *io, const struct ledger_row *row);

/* The same, and LATE behind it where that is due. */
void ledger_put_handled(const struct ledger_io *io, const struct ledger_row *row);

/* The message's work: 'work_us' in which the thread waits, as for a database. */
void ledger_work(const struct ledger_io *io);

/* What comes of this attempt at a message: HANDLED, or of 1,000 numbers of a partition 10
 * NAKED and one SILENT at the first attempt, 2 TERMED and one HOPELESS at any. */
enum ledger_kind ledger_fate(const struct ledger_io *io, const struct ledger_row *row);

/* "NUMBER SENT_NS", padded with blanks. */
bool ledger_parse(const char *data, size_t n, uint32_t *ret_number,
                  uint64_t *ret_sent_ns);

/* "p/17": 17.  The process ends on anything else. */
uint32_t ledger_partition(const char *id);

/* A command under `parti run`, until the end of its standard input: the exit code. */
int ledger_child(struct ledger_io *io);

#endif
