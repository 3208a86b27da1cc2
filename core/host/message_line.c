#include "host/message_line.h"

#include "base/status.h"
#include "base/utf8.h"
#include "edge/base64.h"
#include "host/event_line_put.h"

#include <stdio.h>
#include <string.h>

static bool is_text(const char *bytes, size_t n)
{
    const unsigned char *at = (const unsigned char *)bytes;

    for (size_t i = 0; i < n;) {
        size_t used = at[i] < 0x80 ? 1 : utf8_length(at + i, n - i);

        if (used == 0)
            return false;
        i += used;
    }
    return true;
}

static void put_base64(struct event_line *line, const char *bytes, size_t n)
{
    char piece[4 * 256];

    event_put(line, "\"", 1);
    for (size_t i = 0; i < n;) {
        size_t part = n - i < 3 * 256 ? n - i : 3 * 256;

        event_put(line, piece, base64_encode(bytes + i, part, piece));
        i += part;
    }
    event_put(line, "\"", 1);
}

static void put_bytes(struct event_line *line, const char *name, const char *bytes,
                      size_t n)
{
    char odd[32];

    if (is_text(bytes, n)) {
        event_put_name(line, name);
        event_put_quoted(line, bytes, n);
        return;
    }
    (void)snprintf(odd, sizeof odd, "%s_base64", name);
    event_put_name(line, odd);
    put_base64(line, bytes, n);
}

static void put_headers(struct event_line *line, const struct parti_message *m)
{
    event_put_name(line, "headers");
    for (uint32_t i = 0; i < m->header_n; i++) {
        event_put_text(line, i > 0 ? ",[" : "[[");
        event_put_quoted(line, m->header[i].name, m->header[i].name_n);
        event_put(line, ",", 1);
        event_put_quoted(line, m->header[i].value, m->header[i].value_n);
        event_put(line, "]", 1);
    }
    event_put(line, "]", 1);
}

int message_line_make(struct event_line *line, const struct parti_message *m,
                      uint64_t number, bool is_raw)
{
    const struct parti_partition *p = m->partition;

    line->n = 0;
    line->status = 0;
    event_put_text(line, "{\"event\":\"message\",\"n\":");
    event_put_number(line, number);
    event_put_field(line, "partition", p->id);
    event_put_name(line, "token");
    event_put(line, "\"", 1);
    event_put_number(line, p->token.gen);
    event_put(line, "-", 1);
    event_put_number(line, p->token.since);
    event_put(line, "\"", 1);
    event_put_u64(line, "position", m->position);
    event_put_u64(line, "attempt", m->attempt);
    if (m->time_ms > 0)
        event_put_u64(line, "time_ms", (uint64_t)m->time_ms);
    event_put_field(line, "subject", m->subject);
    if (m->key != NULL)
        put_bytes(line, "key", m->key, m->key_n);
    if (m->header_n > 0)
        put_headers(line, m);
    if (!is_raw) {
        put_bytes(line, "data", m->data, m->data_n);
        event_put(line, "}\n", 2);
        return line->status;
    }
    event_put_u64(line, "length", m->data_n);
    event_put(line, "}\n", 2);
    event_put(line, m->data, m->data_n);
    event_put(line, "\n", 1);
    return line->status;
}
