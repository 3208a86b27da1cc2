#include "host/option_value.h"

#include "base/status.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Reads digits; NULL when there are none or they go beyond int64_t. */
static const char *read_digits(const char *at, int64_t *ret)
{
    int64_t n = 0;

    if (!isdigit((unsigned char)*at))
        return NULL;
    for (; isdigit((unsigned char)*at); at++) {
        int digit = *at - '0';
        if (n > (INT64_MAX - digit) / 10)
            return NULL;
        n = 10 * n + digit;
    }
    *ret = n;
    return at;
}

int option_value_int(const char *text, int64_t *ret, const char **why)
{
    bool minus = *text == '-';
    int64_t n;
    const char *end = read_digits(text + (minus || *text == '+'), &n);

    if (end == NULL || *end != '\0') {
        *why = "is no whole number";
        return STATUS_INVALID;
    }
    *ret = minus ? -n : n;
    return 0;
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"ms", 1},
    {"s", 1000},
    {"min", 60 * 1000},
    {"h", 60 * 60 * 1000},
};

int option_value_msec(const char *text, int64_t *ret, const char **why)
{
    int64_t n;
    const char *end = read_digits(text, &n);

    if (end == NULL || *end == '.' || *end == ',') {
        *why = "is no duration; write a whole number with a unit: '250 ms', '10 s', "
               "'5 min' or '2 h'";
        return STATUS_INVALID;
    }
    end = skip_blanks(end);
    if (*end == '\0' && n != 0) {
        *why = "has no unit, so nobody can tell seconds from milliseconds; write it like "
               "'250 ms', '10 s' or '5 min'";
        return STATUS_INVALID;
    }
    for (size_t i = 0; *end != '\0' && i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        if (n > INT64_MAX / units[i].ms) {
            *why = "is too long a time";
            return STATUS_INVALID;
        }
        *ret = n * units[i].ms;
        return 0;
    }
    if (*end == '\0') {
        *ret = 0;
        return 0;
    }
    *why = "has a unit that is not known here; the units are ms, s, min and h";
    return STATUS_INVALID;
}

int option_value_bool(const char *text, int *ret, const char **why)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

    for (int i = 0; i < 6; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *ret = i % 2;
            return 0;
        }
    *why = "is neither yes nor no";
    return STATUS_INVALID;
}

int option_value_ratio(const char *text, int64_t *ret, const char **why)
{
    int64_t whole, part = 0;
    const char *end = read_digits(text, &whole);

    *why = "is no ratio; write a decimal fraction such as 0.15, with up to six places";
    if (end == NULL || whole > 1000000)
        return STATUS_INVALID;
    if (*end == '.') {
        const char *start = end + 1;
        end = read_digits(start, &part);
        if (end == NULL || end - start > 6)
            return STATUS_INVALID;
        for (long places = end - start; places < 6; places++)
            part *= 10;
    }
    if (*end != '\0')
        return STATUS_INVALID;
    *ret = whole * 1000000 + part;
    return 0;
}

int option_value_choice(const char *text, const char *choices)
{
    size_t n = strlen(text);
    int index = 0;

    for (const char *at = choices;; index++) {
        size_t length = strcspn(at, "|");
        if (length == n && memcmp(at, text, n) == 0)
            return index;
        if (at[length] == '\0')
            return -1;
        at += length + 1;
    }
}

void option_value_show_msec(uint64_t ms, char *to, size_t room)
{
    if (ms == 0)
        (void)snprintf(to, room, "0");
    else if (ms % (60 * 60 * 1000) == 0)
        (void)snprintf(to, room, "%" PRIu64 " h", ms / (60 * 60 * 1000));
    else if (ms % (60 * 1000) == 0)
        (void)snprintf(to, room, "%" PRIu64 " min", ms / (60 * 1000));
    else if (ms % 1000 == 0)
        (void)snprintf(to, room, "%" PRIu64 " s", ms / 1000);
    else
        (void)snprintf(to, room, "%" PRIu64 " ms", ms);
}
