#include "edge/clock.h"

#include "base/must.h"

#include <stdio.h>

static struct timespec clock_read(clockid_t id)
{
    struct timespec t;

    must(clock_gettime(id, &t) == 0);
    return t;
}

uint64_t clock_boot_ns(void)
{
    struct timespec t = clock_read(CLOCK_BOOTTIME);

    return (uint64_t)t.tv_sec * CLOCK_NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_boot_ms(void)
{
    return clock_boot_ns() / CLOCK_NS_PER_MS;
}

uint64_t clock_wall_s(void)
{
    return (uint64_t)clock_read(CLOCK_REALTIME).tv_sec;
}

struct timespec clock_after_ms(uint64_t ms)
{
    struct timespec t = clock_read(CLOCK_MONOTONIC);
    uint64_t ns = (uint64_t)t.tv_nsec + ms % 1000 * CLOCK_NS_PER_MS;

    t.tv_sec += (time_t)(ms / 1000 + ns / CLOCK_NS_PER_S);
    t.tv_nsec = (long)(ns % CLOCK_NS_PER_S);
    return t;
}

void clock_wall_text(char to[CLOCK_TEXT_ROOM])
{
    struct timespec t = clock_read(CLOCK_REALTIME);
    struct tm utc;
    char seconds[CLOCK_TEXT_ROOM];

    must(gmtime_r(&t.tv_sec, &utc) != NULL);
    must(strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc) > 0);
    int n = snprintf(to, CLOCK_TEXT_ROOM, "%.24s.%03dZ", seconds,
                     (int)(t.tv_nsec / (long)CLOCK_NS_PER_MS));
    must(n > 0 && n < CLOCK_TEXT_ROOM);
}
