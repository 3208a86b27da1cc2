/* The ledger's worker as a command under `parti run`: lines in, lines out.  Partitions go
 * side by side, for a message's work is a wait: desk.h.
 *
 * There is no parti_holds() for a command: parti's guardian ends it by the deadline, so
 * that it is alive is the answer.  The clock is read before the row is written all the
 * same.  Its hold is its process: one that was ended is started anew, perhaps under the
 * same tokens, and a fence ends this one.
 */
#include "config.h"

#include "desk.h"
#include "mutant.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 1 << 22,
    ANSWERS_MAX_BYTES = 64 * (DESK_BATCH_MAX + 1),
    REVOKES_MAX = 64
};

static struct desk desk;
static char text[LINE_MAX_BYTES];
static size_t text_n;
static char answers[ANSWERS_MAX_BYTES]; /* they go out in one write */
static size_t answers_n;
static json_t *asked[REVOKES_MAX]; /* for partitions, and not answered yet */
static size_t asked_n;

static void flush(void)
{
    if (write(STDOUT_FILENO, answers, answers_n) != (ssize_t)answers_n)
        _exit(5);
    answers_n = 0;
}

static void answer(const char *word, uint64_t n)
{
    answers_n += (size_t)snprintf(answers + answers_n, sizeof answers - answers_n,
                                  "{\"%s\":%llu}\n", word, (unsigned long long)n);
}

static void answer_message(const struct desk_item *item)
{
    const struct ledger_row *row = &item->row;
    enum ledger_kind kind = mutant_answer(row);

    if (mutant == TWICE && mutant_is_rare(row))
        mutant_keep(row);
    if (mutant == TWICE)
        mutant_put_kept(desk.io, row);
    if (kind == LEDGER_NAKED || kind == LEDGER_HOPELESS)
        answer("nak", item->n);
    else
        answer(kind == LEDGER_TERMED ? "term" : "ack", item->n);
}

/* parti's guardian sees to it: above. */
static bool is_alive(const struct desk_item *item)
{
    (void)item;
    return true;
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

    row.position = (uint64_t)json_integer_value(json_object_get(o, "position"));
    row.attempt = (uint16_t)json_integer_value(json_object_get(o, "attempt"));
    if (data == NULL || !ledger_parse(data, strlen(data), &row.number, &row.sent_ns))
        _exit(3);
    const struct desk_item item = {
        .row = row, .n = (uint64_t)json_integer_value(json_object_get(o, "n"))};
    if (!desk_add(&desk, &item))
        _exit(3);
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

/* Where a partition has one message at a time parti waits for it itself.  Of several it
 * does not wait for those behind a nak or a term: they are waited for by nobody but us.
 */
static bool is_at_work(const json_t *o)
{
    const json_t *list = json_object_get(o, "partitions");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_object_get(json_array_get(list, i), "id");

        if (desk_has(&desk, ledger_partition(json_string_value(id))))
            return desk.has_had_several;
    }
    return false;
}

static void release(void)
{
    while (asked_n > 0 && !is_at_work(asked[0])) {
        answer("released",
               (uint64_t)json_integer_value(json_object_get(asked[0], "epoch")));
        flush();
        json_decref(asked[0]);
        memmove(asked, asked + 1, --asked_n * sizeof *asked);
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
    else if (strcmp(event, "revoking") == 0) {
        if (asked_n == REVOKES_MAX)
            _exit(7);
        asked[asked_n++] = json_incref(o);
    } else if (strcmp(event, "fenced") == 0)
        _exit(6);
    json_decref(o);
}

static int wait_ms(void)
{
    uint64_t now = ledger_now_ns(), due = desk_due_ns(&desk);

    if (due == UINT64_MAX)
        return -1;
    return due > now ? (int)((due - now) / 1000000) + 1 : 0;
}

int ledger_child(struct ledger_io *io)
{
    if (!desk_init(&desk, io))
        return 1;
    desk.holds = is_alive;
    desk.answer = answer_message;
    desk.flush = flush;
    desk.is_backwards = mutant == OVERTAKE;
    for (;;) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        char *end;

        if (poll(&in, 1, wait_ms()) < 0 && errno != EINTR)
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
        desk_finish_due(&desk);
        release();
    }
}
