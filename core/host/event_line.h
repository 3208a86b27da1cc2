/* The lines that a worker's story is told in: one JSON object a line.
 *
 * They go to `parti run --events` and to the supervised command's standard input; their
 * shape is a contract: tests and workers in any language read it.  Here is nothing but
 * formatting into a buffer that grows; the caller says when and who, and writes the
 * bytes.
 *
 * Every line: "time" (RFC 3339, UTC, ms), "boot_ns" (CLOCK_BOOTTIME), "worker", "event",
 * then the event's own fields.  A partition is shown as its display id and as "keys", the
 * pieces of that id: in a key '/', '%', control bytes and bytes that are not UTF-8 stand
 * as %XX, so percent-decoding an item of "keys" gives back the key's very bytes.  In
 * other texts (reasons, errors) what is not UTF-8 stands as U+FFFD.  Lines are valid JSON
 * in UTF-8 whatever goes in, and hold no newline but the one at their end.
 *
 * One user at a time.
 */
#ifndef PARTI_HOST_EVENT_LINE_H
#define PARTI_HOST_EVENT_LINE_H

#include "edge/clock.h"
#include "parti.h"

#include <stddef.h>
#include <stdint.h>

enum { EVENT_LINE_MAX = 256 * 1024 * 1024 };

struct event_line {
    char *at; /* owned; ends with a newline once an event_line_ function returned 0 */
    size_t n, room;
    int status; /* STATUS_NOMEM, or STATUS_LIMIT beyond EVENT_LINE_MAX; else 0 */
};

/* When it happened and whose line it is. */
struct event_stamp {
    char time[CLOCK_TEXT_ROOM];
    uint64_t boot_ns;
    const char *worker; /* borrowed; "" until the id is given */
};

/* Now. */
void event_stamp_now(struct event_stamp *stamp, const char *worker);

/* Accepts a zeroed line; frees the buffer. */
void event_line_finish(struct event_line *line);

/* Each of these makes the line anew.  0; STATUS_NOMEM or STATUS_LIMIT: what stands there
 * is worthless. */
int event_line_state(struct event_line *line, const struct event_stamp *stamp,
                     const char *from, const char *to, const char *reason);
int event_line_leader(struct event_line *line, const struct event_stamp *stamp,
                      uint64_t term, const char *leader);
/* code: the number after PARTI-E. */
int event_line_error(struct event_line *line, const struct event_stamp *stamp, int code,
                     const char *text);
/* boot_ns of this line is the lease deadline at which all is lost. */
int event_line_fenced(struct event_line *line, const struct event_stamp *stamp,
                      uint64_t deadline_ns, const char *reason);
int event_line_assigned(struct event_line *line, const struct event_stamp *stamp,
                        uint64_t epoch, const struct parti_partition *partition,
                        size_t n);
int event_line_revoking(struct event_line *line, const struct event_stamp *stamp,
                        uint64_t epoch, const struct parti_partition *partition, size_t n,
                        uint64_t deadline_ms);
int event_line_released(struct event_line *line, const struct event_stamp *stamp,
                        uint64_t epoch, const struct parti_partition *partition,
                        size_t n);

/* `assigned` in pieces, for partitions that are kept as text: begin, any number of
 * items (each made by event_line_item() into a line of its own, without a newline; its
 * status says whether it is whole),
 * end. */
void event_line_item(struct event_line *line, const struct parti_partition *partition);
void event_line_begin_assigned(struct event_line *line, const struct event_stamp *stamp,
                               uint64_t epoch);
void event_line_put_item(struct event_line *line, const char *item, size_t n);
int event_line_end_assigned(struct event_line *line);

#endif
