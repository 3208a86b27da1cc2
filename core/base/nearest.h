/* "Did you mean ...?": the known word nearest to one that is unknown.
 *
 * Counts inserted, dropped, replaced and swapped letters; a known word that only goes on
 * where the unknown one ends ("heartbeet" for "heartbeat_interval") counts as near, too.
 * Ties go to the word offered first.  Any thread.
 */
#ifndef PARTI_BASE_NEAREST_H
#define PARTI_BASE_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_MAX = 96 }; /* longer words are near to nothing */

struct nearest {
    const char *word; /* borrowed */
    const char *best; /* borrowed; NULL: none near enough so far */
    size_t score;
};

void nearest_init(struct nearest *n, const char *word);

/* Keeps the pointer if it is the nearest so far. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
