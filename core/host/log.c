#include "host/log.h"

#include "base/status.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A control byte takes four, the rest is time, level and name. */
enum { WHO_MAX = 64, LINE_MAX_BYTES = 4 * (LOG_TEXT_MAX + WHO_MAX) + 256 };

static const struct {
    const char *name;
    int priority; /* syslog's, for the journal */
} levels[] = {{"debug", 7}, {"info", 6}, {"warn", 4}, {"error", 3}};
enum { LEVELS = sizeof levels / sizeof *levels };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over the limits below */
static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_least = LOG_LEVEL_INFO;
static atomic_bool to_journal;

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream that is the journal. */
static bool is_journal(int fd)
{
    const char *named = getenv("JOURNAL_STREAM");
    struct stat st;
    char own[48];

    if (named == NULL || fstat(fd, &st) < 0)
        return false;
    (void)snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino);
    return strcmp(own, named) == 0;
}

void log_init(int fd, enum log_level least)
{
    atomic_store(&log_fd, fd);
    atomic_store(&to_journal, is_journal(fd));
    log_level_set(least);
}

bool log_on(enum log_level level)
{
    return (int)level >= atomic_load(&log_least);
}

void log_level_set(enum log_level least)
{
    atomic_store(&log_least, (int)least);
}

int log_level_parse(const char *text, enum log_level *ret)
{
    for (int i = 0; i < LEVELS; i++)
        if (strcmp(text, levels[i].name) == 0) {
            *ret = (enum log_level)i;
            return 0;
        }
    return STATUS_INVALID;
}

/* Copies text so that it stays one line; returns the new end. */
static char *put_text(char *to, const char *text, size_t n)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' && c != 0x7f) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '\\';
        *to++ = 'x';
        *to++ = hex[c >> 4];
        *to++ = hex[c & 15];
    }
    return to;
}

static char *put_head(char *to, int level)
{
    struct timespec now;
    struct tm utc;

    if (atomic_load(&to_journal))
        return to + snprintf(to, 8, "<%d>", levels[level].priority);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    return to + snprintf(to, 128, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s ",
                         utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                         utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000,
                         levels[level].name);
}

/* A full pipe or a closed one costs the message (main ignores SIGPIPE). */
static void write_line(const char *line, size_t n)
{
    int fd = atomic_load(&log_fd);

    while (n > 0) {
        ssize_t wrote = write(fd, line, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        line += wrote;
        n -= (size_t)wrote;
    }
}

void log_write(enum log_level level, const char *who, const char *text, size_t n)
{
    char line[LINE_MAX_BYTES], *end;
    bool cut;
    int saved = errno;

    if (!log_on(level) || (int)level < 0 || (int)level >= LEVELS)
        return;
    end = put_head(line, (int)level);
    if (who != NULL && who[0] != '\0') {
        end = put_text(end, who, strnlen(who, WHO_MAX));
        *end++ = ':';
        *end++ = ' ';
    }
    while (n > 0 && text[n - 1] == '\n')
        n--;
    cut = n > LOG_TEXT_MAX;
    end = put_text(end, text, cut ? LOG_TEXT_MAX : n);
    if (cut) {
        memcpy(end, "...", 3);
        end += 3;
    }
    *end++ = '\n';
    write_line(line, (size_t)(end - line));
    errno = saved;
}

__attribute__((format(printf, 2, 0))) static void print(enum log_level level,
                                                        const char *format, va_list args)
{
    char text[LOG_TEXT_MAX + 2];
    int n;

    if (!log_on(level))
        return;
    n = vsnprintf(text, sizeof text, format, args);
    if (n > 0)
        log_write(level, NULL, text,
                  (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

#define LOG_FUNCTION(name, level)      \
    void name(const char *format, ...) \
    {                                  \
        va_list args;                  \
        va_start(args, format);        \
        print(level, format, args);    \
        va_end(args);                  \
    }

LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)

bool log_limit_pass(struct log_limit *limit, uint64_t now_ms, uint32_t *ret_held)
{
    bool pass;

    (void)pthread_mutex_lock(&lock);
    if (limit->start_ms == 0 || now_ms - limit->start_ms >= limit->period_ms) {
        limit->start_ms = now_ms > 0 ? now_ms : 1;
        limit->passed = 0;
    }
    pass = limit->passed < limit->burst;
    *ret_held = pass ? limit->held : 0;
    if (pass) {
        limit->passed++;
        limit->held = 0;
    } else {
        limit->held++;
    }
    (void)pthread_mutex_unlock(&lock);
    return pass;
}
