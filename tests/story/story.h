/* A story: a small scenario in words and the trace that it must give.
 *
 *   # comment                      anywhere
 *   profile fast|default|calm      before the first worker
 *   set KEY MS                     one duration of struct node_timing
 *   ownership available
 *   partitions N                   the source lists the first N
 *   add P ... | remove P ...       the list changes
 *   room wX members|partitions N   wX has room for so many, from its next start on
 *   workers N                      w0 .. w(N-1) start now
 *   join wX [wish N|none]          one more starts; wX wishes for the number X
 *   crash wX | pause wX MS | stop wX [restart] | refresh wX
 *   cut wX [in|out] | heal wX      messages are lost, nobody is told
 *   blind wX | unblind wX          it gets no records, by message or from the log
 *   unplug wX | plug wX            the connection is lost, the node is told
 *   log down|up                    the log answers nobody
 *   log keep | log back | log lost a copy is made; it is put back; nothing is left
 *   next lost|late|spurious|slow   what befalls the next write to the log; slow: stored
 *                                  after 600 ms, until then all others are rejected
 *   stale KEY                      the next read of KEY brings what it held before
 *   drain [wX] MS                  an application takes so long to stop
 *   delay MS                       every message takes so long from now on
 *   plan fail|keep|ok              what the strategy answers
 *   list fail|ok                   what the source answers
 *   show leases                    applications tell how long they may hold
 *   hide WORDS                     lines that contain these words are left out
 *   only wX ...                    only these tell
 *   quiet | tell                   from now on nobody tells, or all do again
 *   at MS | run MS                 time passes until, or by, that
 *   expect:                        the trace follows; "..." skips any number of lines
 *
 * Clocks are exact, every message and every leg to the log takes 1 ms.
 */
#ifndef PARTI_TESTS_STORY_H
#define PARTI_TESTS_STORY_H

#include "judge.h"
#include "sim.h"

enum { STORY_LINES_MAX = 4000, STORY_LINE_ROOM = 400, STORY_HIDES_MAX = 16 };

struct story {
    struct sim sim;
    struct judge judge;
    const char *file;
    unsigned line;       /* of the file, for mistakes in it */
    const char *mistake; /* NULL: none */
    bool is_quiet;
    unsigned hide_n;
    char hide[STORY_HIDES_MAX][64];
    uint32_t only; /* bit per worker, 0: all */
    unsigned told_n;
    char told[STORY_LINES_MAX][STORY_LINE_ROOM];
};

/* Carries out one line of a scenario; sets 'mistake' if it cannot. */
void story_command(struct story *st, char *line);

/* Before the first command. */
void story_begin(struct story *st, const char *file);

#endif
