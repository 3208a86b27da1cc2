#include "config.h"

#include "ledger_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t ledger_now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

bool ledger_open(struct ledger_io *io, const char *path, uint64_t work_us)
{
    struct ledger_row row = {.kind = LEDGER_BORN, .number = (uint32_t)getpid()};

    *io = (struct ledger_io){.work_us = work_us};
    io->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (io->fd < 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    row.end_ns = ledger_now_ns();
    ledger_put(io, &row);
    return true;
}

void ledger_put(const struct ledger_io *io, const struct ledger_row *row)
{
    if (write(io->fd, row, sizeof *row) != (ssize_t)sizeof *row) {
        (void)fprintf(stderr, "a row cannot be written: %s\n", strerror(errno));
        _exit(4);
    }
}

void ledger_put_handled(const struct ledger_io *io, const struct ledger_row *row)
{
    struct ledger_row late = *row;

    ledger_put(io, row);
    late.kind = LEDGER_LATE;
    late.begin_ns = row->end_ns;
    late.end_ns = ledger_now_ns();
    if (late.end_ns - late.begin_ns > LEDGER_LATE_NS)
        ledger_put(io, &late);
}

void ledger_work(const struct ledger_io *io)
{
    const struct timespec t = {(time_t)(io->work_us / 1000000),
                               (long)(io->work_us % 1000000) * 1000};

    if (io->work_us > 0)
        (void)ppoll(NULL, 0, &t, NULL);
}

enum ledger_kind ledger_fate(const struct ledger_io *io, const struct ledger_row *row)
{
    /* Each at another place in each partition, so that they meet in every way. */
    uint64_t n = row->number, p = row->partition;

    if (!io->is_troubled)
        return LEDGER_HANDLED;
    if ((n + 13 * p) % 500 == 77)
        return LEDGER_TERMED;
    if ((n + 31 * p) % 1000 == 301)
        return LEDGER_HOPELESS;
    if (row->attempt > 1)
        return LEDGER_HANDLED;
    if ((n + 7 * p) % 200 == 3 || (n + 7 * p) % 200 == 4)
        return LEDGER_NAKED;
    return (n + 37 * p) % 1000 == 150 ? LEDGER_SILENT : LEDGER_HANDLED;
}

bool ledger_parse(const char *data, size_t n, uint32_t *ret_number, uint64_t *ret_sent_ns)
{
    char text[64], *end;

    if (n == 0)
        return false;
    n = n < sizeof text - 1 ? n : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    unsigned long number = strtoul(text, &end, 10);
    if (end == text || *end != ' ' || number > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)number;
    *ret_sent_ns = strtoull(end + 1, NULL, 10);
    return *ret_sent_ns > 0;
}

uint32_t ledger_partition(const char *id)
{
    char *end = NULL;
    const char *slash = strrchr(id, '/');
    unsigned long n = slash != NULL ? strtoul(slash + 1, &end, 10) : 0;

    if (end == NULL || end == slash + 1 || *end != '\0' || n > UINT32_MAX) {
        (void)fprintf(stderr, "no partition of the ledger's: %s\n", id);
        _exit(3);
    }
    return (uint32_t)n;
}
