#include "host/event_line_put.h"

#include "base/status.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1024 };

void event_stamp_now(struct event_stamp *stamp, const char *worker)
{
    clock_wall_text(stamp->time);
    stamp->boot_ns = clock_boot_ns();
    stamp->worker = worker;
}

void event_line_finish(struct event_line *line)
{
    free(line->at);
    *line = (struct event_line){0};
}

/* ---- bytes ------------------------------------------------------------------------ */

static bool reserve(struct event_line *l, size_t n)
{
    size_t room = l->room > 0 ? l->room : ROOM_FIRST;
    char *more;

    if (l->status == 0 && n > EVENT_LINE_MAX - l->n)
        l->status = STATUS_LIMIT;
    if (l->status < 0)
        return false;
    if (n <= l->room - l->n)
        return true;
    while (room - l->n < n)
        room *= 2;
    more = realloc(l->at, room);
    if (more == NULL) {
        l->status = STATUS_NOMEM;
        return false;
    }
    l->at = more;
    l->room = room;
    return true;
}

void event_put(struct event_line *l, const char *bytes, size_t n)
{
    if (!reserve(l, n))
        return;
    memcpy(l->at + l->n, bytes, n);
    l->n += n;
}

void event_put_text(struct event_line *l, const char *text)
{
    event_put(l, text, strlen(text));
}

void event_put_number(struct event_line *l, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    event_put(l, digits + at, sizeof digits - at);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character that JSON does not take as it stands; how many bytes it was. */
static size_t put_odd(struct event_line *l, const unsigned char *at, size_t n)
{
    char escape[8];
    size_t used = utf8_length(at, n);

    if (used > 1) {
        event_put(l, (const char *)at, used);
    } else if (used == 0) {
        event_put_text(l, "\\ufffd");
        used = 1;
    } else if (at[0] == '"' || at[0] == '\\') {
        escape[0] = '\\';
        escape[1] = (char)at[0];
        event_put(l, escape, 2);
    } else {
        event_put(l, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", at[0]));
    }
    return used;
}

void event_put_quoted(struct event_line *l, const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text;

    event_put(l, "\"", 1);
    for (size_t i = 0; i < n;) {
        size_t plain = 0;

        while (i + plain < n && is_plain(at[i + plain]))
            plain++;
        event_put(l, text + i, plain);
        i += plain;
        if (i < n)
            i += put_odd(l, at + i, n - i);
    }
    event_put(l, "\"", 1);
}

/* ,"name": */
void event_put_name(struct event_line *l, const char *name)
{
    event_put(l, ",\"", 2);
    event_put_text(l, name);
    event_put(l, "\":", 2);
}

void event_put_field(struct event_line *l, const char *name, const char *text)
{
    event_put_name(l, name);
    event_put_quoted(l, text, strlen(text));
}

void event_put_u64(struct event_line *l, const char *name, uint64_t number)
{
    event_put_name(l, name);
    event_put_number(l, number);
}

static void begin(struct event_line *l, const struct event_stamp *stamp, uint64_t boot_ns,
                  const char *event)
{
    l->n = 0;
    l->status = 0;
    event_put_text(l, "{\"time\":");
    event_put_quoted(l, stamp->time, strlen(stamp->time));
    event_put_u64(l, "boot_ns", boot_ns);
    event_put_field(l, "worker", stamp->worker);
    event_put_field(l, "event", event);
}

static int end(struct event_line *l)
{
    event_put(l, "}\n", 2);
    return l->status;
}

/* ---- events ----------------------------------------------------------------------- */

int event_line_state(struct event_line *line, const struct event_stamp *stamp,
                     const char *from, const char *to, const char *reason)
{
    begin(line, stamp, stamp->boot_ns, "state");
    event_put_field(line, "from", from);
    event_put_field(line, "to", to);
    event_put_field(line, "reason", reason);
    return end(line);
}

int event_line_leader(struct event_line *line, const struct event_stamp *stamp,
                      uint64_t term, const char *leader)
{
    begin(line, stamp, stamp->boot_ns, "leader");
    event_put_u64(line, "term", term);
    event_put_field(line, "leader", leader);
    return end(line);
}

int event_line_error(struct event_line *line, const struct event_stamp *stamp, int code,
                     const char *text)
{
    char name[24];

    (void)snprintf(name, sizeof name, "PARTI-E%03d", code);
    begin(line, stamp, stamp->boot_ns, "error");
    event_put_field(line, "code", name);
    event_put_field(line, "text", text);
    return end(line);
}

int event_line_fenced(struct event_line *line, const struct event_stamp *stamp,
                      uint64_t deadline_ns, const char *reason)
{
    begin(line, stamp, deadline_ns, "fenced");
    event_put_field(line, "reason", reason);
    return end(line);
}

/* The keys are the pieces of the id: no '/' stands in a key but as %2F. */
static void put_keys(struct event_line *l, const char *id)
{
    event_put_text(l, "\"keys\":[");
    for (;;) {
        size_t n = strcspn(id, "/");

        event_put_quoted(l, id, n);
        if (id[n] == '\0')
            break;
        event_put(l, ",", 1);
        id += n + 1;
    }
    event_put(l, "]", 1);
}

static void put_partition(struct event_line *l, const struct parti_partition *p)
{
    event_put_text(l, "{\"id\":");
    event_put_quoted(l, p->id, strlen(p->id));
    event_put(l, ",", 1);
    put_keys(l, p->id);
    event_put_u64(l, "weight", p->weight);
    event_put_text(l, ",\"token\":\"");
    event_put_number(l, p->token.gen);
    event_put(l, "-", 1);
    event_put_number(l, p->token.since);
    event_put_text(l, "\"}");
}

static void put_partitions(struct event_line *l, uint64_t epoch,
                           const struct parti_partition *p, size_t n)
{
    event_put_u64(l, "epoch", epoch);
    event_put_text(l, ",\"partitions\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            event_put(l, ",", 1);
        put_partition(l, &p[i]);
    }
    event_put(l, "]", 1);
}

int event_line_assigned(struct event_line *line, const struct event_stamp *stamp,
                        uint64_t epoch, const struct parti_partition *partition, size_t n)
{
    begin(line, stamp, stamp->boot_ns, "assigned");
    put_partitions(line, epoch, partition, n);
    return end(line);
}

int event_line_revoking(struct event_line *line, const struct event_stamp *stamp,
                        uint64_t epoch, const struct parti_partition *partition, size_t n,
                        uint64_t deadline_ms)
{
    begin(line, stamp, stamp->boot_ns, "revoking");
    put_partitions(line, epoch, partition, n);
    event_put_u64(line, "deadline_ms", deadline_ms);
    return end(line);
}

int event_line_released(struct event_line *line, const struct event_stamp *stamp,
                        uint64_t epoch, const struct parti_partition *partition, size_t n)
{
    begin(line, stamp, stamp->boot_ns, "released");
    put_partitions(line, epoch, partition, n);
    return end(line);
}

void event_line_item(struct event_line *line, const struct parti_partition *partition)
{
    line->n = 0;
    line->status = 0;
    put_partition(line, partition);
}

void event_line_begin_assigned(struct event_line *line, const struct event_stamp *stamp,
                               uint64_t epoch)
{
    begin(line, stamp, stamp->boot_ns, "assigned");
    event_put_u64(line, "epoch", epoch);
    event_put_text(line, ",\"partitions\":[");
}

void event_line_put_item(struct event_line *line, const char *item, size_t n)
{
    if (line->n > 0 && line->at[line->n - 1] != '[')
        event_put(line, ",", 1);
    event_put(line, item, n);
}

int event_line_end_assigned(struct event_line *line)
{
    event_put(line, "]", 1);
    return end(line);
}
