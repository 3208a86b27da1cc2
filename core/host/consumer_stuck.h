/* Partitions that cannot be read, gathered by cause: one cause is one message, with the
 * number of partitions that have it, however many they are and however often they are
 * tried.  Causes that differ in their digits alone are one.
 *
 * Pure bookkeeping on the caller's memory; zeroed memory is "none".  For the consumer's
 * thread; times in ms of a clock that only grows.
 */
#ifndef PARTI_HOST_CONSUMER_STUCK_H
#define PARTI_HOST_CONSUMER_STUCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STUCK_MAX = 16,          /* causes at a time; more are not told */
    STUCK_GATHER_MS = 500,   /* after the first partition, before it is told */
    STUCK_AGAIN_MS = 600000, /* before the same is told once more, if it still fails */
    STUCK_PAST_MS = 60000,   /* after the last partition could be read: then it is news */
    STUCK_ID_ROOM = 256,
    STUCK_CAUSE_ROOM = 640,
    STUCK_TEXT_ROOM = 1024
};

struct stuck_cause {
    uint64_t hash;      /* of the text without its digits; 0: free */
    uint32_t parts;     /* that have it now */
    uint64_t due_ms;    /* when it is to be told; UINT64_MAX: it was */
    uint64_t told_ms;   /* if it was */
    uint64_t parted_ms; /* if 'parts' is 0: since when */
    char id[STUCK_ID_ROOM];
    char text[STUCK_CAUSE_ROOM];
};

struct stuck {
    struct stuck_cause at[STUCK_MAX];
};

/* A partition cannot be read.  *mark is its own, 0 at first, and says which cause it has.
 * Texts are copied, and cut where they are too long. */
void stuck_add(struct stuck *s, uint32_t *mark, const char *id, const char *cause,
               uint64_t now_ms);

/* It can be read, or is held no more. */
void stuck_end(struct stuck *s, uint32_t *mark, uint64_t now_ms);

/* What is to be told now, one after the other; false: nothing more. */
bool stuck_next(struct stuck *s, uint64_t now_ms, char text[STUCK_TEXT_ROOM]);

/* When stuck_next() has something; UINT64_MAX: not by time. */
uint64_t stuck_due_ms(const struct stuck *s);

#endif
