/* The log: one line a message on standard error, "time level text".
 *
 * Where standard error goes to the journal (JOURNAL_STREAM names it) the line is
 * "<N>text" instead, N being the syslog priority.  Control bytes in a text are written
 * as \xNN, so one message is one line and no plugin can forge another.  A line is
 * written with one write(2).  Any thread.
 */
#ifndef PARTI_HOST_LOG_H
#define PARTI_HOST_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values are those of PARTI_DEBUG ... PARTI_ERROR. */
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

enum { LOG_TEXT_MAX = 2048 }; /* bytes of a text; the rest is cut and "..." put there */

/* Before the first message, from one thread: looks at JOURNAL_STREAM.  Without this
 * call messages go to standard error from level INFO on.  'fd' is for tests: 2. */
void log_init(int fd, enum log_level least);

/* Would a message of this level be written? */
bool log_on(enum log_level level);

void log_level_set(enum log_level least);

/* "debug", "info", "warn", "error" to *ret; 0 or STATUS_INVALID. */
int log_level_parse(const char *text, enum log_level *ret);

/* A finished text.  'who' is the name of a plugin instance, put before it as
 * "who: text", or NULL. */
void log_write(enum log_level level, const char *who, const char *text, size_t n);

__attribute__((format(printf, 1, 2))) void log_debug(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);

/* At most 'burst' messages in each 'period_ms': for one place that may repeat itself.
 * Start with LOG_LIMIT(burst, period_ms); any thread. */
struct log_limit {
    uint32_t burst;
    uint64_t period_ms;
    uint64_t start_ms; /* of the present period; 0: none yet */
    uint32_t passed;
    uint32_t held; /* since the last one that passed */
};
#define LOG_LIMIT(burst, period_ms)   \
    {                                 \
        (burst), (period_ms), 0, 0, 0 \
    }

/* May one more be written at now_ms (any clock that only grows)?  When yes and some
 * were held back before, *ret_held is their number, else 0. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ms, uint32_t *ret_held);

#endif
