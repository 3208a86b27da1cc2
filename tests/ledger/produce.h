/* The ledger's producers: MESSAGES numbered from 0 in each of PARTITIONS, written to
 * FOLDER/produced as one count a line when all of them are known to be in the broker.
 *
 * A partition's next message is sent when the broker has acknowledged the one before, so
 * that the order in the stream is that of the numbers whatever is sent twice, and what
 * is counted is truly there; partitions go side by side.
 */
#ifndef PARTI_TESTS_LEDGER_PRODUCE_H
#define PARTI_TESTS_LEDGER_PRODUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { PRODUCE_SIZE = 128, PRODUCE_PARTITIONS_MAX = 100000 };

struct produce_options {
    const char *url; /* or brokers */
    const char *folder, *retention;
    uint32_t partitions, servers;
    uint64_t messages, rate; /* a second; 0: as fast as it goes */
    bool is_making, is_awaiting_readers, is_looking, is_reading_dead;
};

/* --url U --folder F --retention R --partitions N --servers N --messages N --rate N
 * --make --await-readers --look --dead; false: said on stderr. */
bool produce_options(struct produce_options *o, int argc, char **argv);

/* How many numbers a partition gets. */
uint64_t produce_quota(const struct produce_options *o, uint32_t partition);

/* "NUMBER NOW_NS", padded. */
void produce_payload(char to[PRODUCE_SIZE], uint64_t number);

/* How many may have been sent by now, since 'begun_ns'. */
uint64_t produce_allowed(const struct produce_options *o, uint64_t begun_ns);

bool produce_write_counts(const struct produce_options *o);

/* One line of FOLDER/dead: the headers of a dead letter name its partition, its data are
 * the producer's.  False: it is no such letter. */
bool produce_write_dead(FILE *to, const char *partition, const char *data, size_t n);

/* FOLDER/name, to be written. */
FILE *produce_open(const struct produce_options *o, const char *name);

#endif
