/* The ledger's worker as a command under `parti run`: lines in, lines out.  Each
 * partition has one message at a time, all of them go on side by side: a message's work
 * is a wait, so they end in the order in which they came.
 *
 * There is no parti_holds() for a command: parti's guardian ends it by the deadline, so
 * that it is alive is the answer.  The clock is read before the row is written all the
 * same.  Its hold is its process: one that was ended is started anew, perhaps under the
 * same tokens, and a fence ends this one.
 */
#include "config.h"

#include "ledger_io.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PENDING_MAX = 1 << 16, LINE_MAX_BYTES = 1 << 22 };

struct pending {
    struct ledger_row row;
    uint64_t n; /* what the answer names */
};

static struct pending pending[PENDING_MAX]; /* a ring, by the time that they end */
static size_t first, count;
static char text[LINE_MAX_BYTES];
static size_t text_n;

static void answer(const char *word, uint64_t n)
{
    char line[64];
    int size =
        snprintf(line, sizeof line, "{\"%s\":%llu}\n", word, (unsigned long long)n);

    if (write(STDOUT_FILENO, line, (size_t)size) != size)
        _exit(5);
}

static struct ledger_row row_of(enum ledger_kind kind, const json_t *id,
                                const json_t *token)
{
    char *end;
    struct ledger_row row = {
        .kind = (uint16_t)kind, .hold = (uint32_t)getpid(), .end_ns = ledger_now_ns()};

    row.partition = ledger_partition(json_string_value(id));
    row.gen = (uint32_t)strtoul(json_string_value(token), &end, 10);
    row.since = (uint32_t)strtoul(end + 1, NULL, 10);
    return row;
}

static void on_message(const json_t *o)
{
    const char *data = json_string_value(json_object_get(o, "data"));
    struct ledger_row row = row_of(LEDGER_HANDLED, json_object_get(o, "partition"),
                                   json_object_get(o, "token"));

    row.begin_ns = ledger_now_ns();
    row.position = (uint64_t)json_integer_value(json_object_get(o, "position"));
    row.attempt = (uint16_t)json_integer_value(json_object_get(o, "attempt"));
    if (data == NULL || count == PENDING_MAX ||
        !ledger_parse(data, strlen(data), &row.number, &row.sent_ns))
        _exit(3);
    pending[(first + count++) % PENDING_MAX] =
        (struct pending){row, (uint64_t)json_integer_value(json_object_get(o, "n"))};
}

static void on_list(const struct ledger_io *io, const json_t *o, enum ledger_kind kind)
{
    const json_t *list = json_object_get(o, "partitions");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);
        struct ledger_row row =
            row_of(kind, json_object_get(p, "id"), json_object_get(p, "token"));

        row.number = (uint32_t)json_integer_value(json_object_get(o, "epoch"));
        row.end_ns = (uint64_t)json_integer_value(json_object_get(o, "boot_ns"));
        ledger_put(io, &row);
    }
}

static void on_line(const struct ledger_io *io, const char *line, size_t n)
{
    json_t *o = json_loadb(line, n, 0, NULL);
    const char *event = json_string_value(json_object_get(o, "event"));

    if (event == NULL)
        _exit(3);
    if (strcmp(event, "message") == 0)
        on_message(o);
    else if (strcmp(event, "assigned") == 0)
        on_list(io, o, LEDGER_ASSIGNED);
    else if (strcmp(event, "released") == 0)
        on_list(io, o, LEDGER_RELEASED);
    else if (strcmp(event, "revoking") == 0)
        answer("released", (uint64_t)json_integer_value(json_object_get(o, "epoch")));
    else if (strcmp(event, "fenced") == 0)
        _exit(6);
    json_decref(o);
}

static void finish_due(const struct ledger_io *io)
{
    while (count > 0) {
        struct pending *p = &pending[first];

        if (ledger_now_ns() < p->row.begin_ns + io->work_us * 1000)
            return;
        p->row.end_ns = ledger_now_ns();
        ledger_put_handled(io, &p->row);
        answer("ack", p->n);
        first = (first + 1) % PENDING_MAX;
        count--;
    }
}

static int wait_ms(const struct ledger_io *io)
{
    uint64_t now = ledger_now_ns(), due = count > 0 ? pending[first].row.begin_ns : 0;

    if (count == 0)
        return -1;
    due += io->work_us * 1000;
    return due > now ? (int)((due - now) / 1000000) + 1 : 0;
}

int ledger_child(const struct ledger_io *io)
{
    for (;;) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        char *end;

        if (poll(&in, 1, wait_ms(io)) < 0 && errno != EINTR)
            return 1;
        if (in.revents != 0) {
            ssize_t n = read(STDIN_FILENO, text + text_n, sizeof text - text_n);

            if (n <= 0)
                return 0;
            text_n += (size_t)n;
        }
        char *at = text;
        while ((end = memchr(at, '\n', text_n - (size_t)(at - text))) != NULL) {
            on_line(io, at, (size_t)(end - at));
            at = end + 1;
        }
        text_n -= (size_t)(at - text);
        memmove(text, at, text_n);
        finish_due(io);
    }
}
