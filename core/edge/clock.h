/* The only clock reads of core.  Any thread.
 *
 * Durations and deadlines are reckoned on CLOCK_BOOTTIME, which nobody sets and which
 * goes on while the machine is suspended; wall time is for people and for the start of
 * a new generation only.
 */
#ifndef PARTI_EDGE_CLOCK_H
#define PARTI_EDGE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_MS UINT64_C(1000000)
#define CLOCK_NS_PER_S  UINT64_C(1000000000)

/* "2026-11-23T16:04:19.123Z" and its end. */
enum { CLOCK_TEXT_ROOM = 32 };

/* Nanoseconds and (rounded down) milliseconds since the machine booted. */
uint64_t clock_boot_ns(void);
uint64_t clock_boot_ms(void);

/* Unix seconds. */
uint64_t clock_wall_s(void);

/* The point of CLOCK_MONOTONIC that lies 'ms' ahead, for pthread_cond_timedwait() on a
 * condition made for that clock.
 */
struct timespec clock_after_ms(uint64_t ms);

/* Now as RFC 3339 in UTC with milliseconds. */
void clock_wall_text(char to[CLOCK_TEXT_ROOM]);

#endif
