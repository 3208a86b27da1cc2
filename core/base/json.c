#include "base/json.h"

#include "base/must.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { JSON_DEPTH_MAX = 16 };

static void put(struct json_out *o, const char *bytes, size_t n)
{
    if (o->is_over || n > o->room - o->n) {
        o->is_over = true;
        return;
    }
    memcpy(o->at + o->n, bytes, n);
    o->n += n;
}

static void put_quoted(struct json_out *o, const char *text)
{
    put(o, "\"", 1);
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char u = (unsigned char)*c;
        char escape[8];

        if (u == '"' || u == '\\') {
            escape[0] = '\\';
            escape[1] = *c;
            put(o, escape, 2);
        } else if (u < 0x20 || u == 0x7f) {
            int n = snprintf(escape, sizeof escape, "\\u%04x", u);
            put(o, escape, (size_t)n);
        } else {
            put(o, c, 1);
        }
    }
    put(o, "\"", 1);
}

/* The comma before and the key of whatever comes next. */
static void put_lead(struct json_out *o, const char *key)
{
    if (o->needs_comma)
        put(o, ",", 1);
    o->needs_comma = true;
    if (key != NULL) {
        put_quoted(o, key);
        put(o, ":", 1);
    }
}

void json_out_init(struct json_out *o, void *buffer, size_t room)
{
    *o = (struct json_out){.at = buffer, .room = room};
}

void json_open(struct json_out *o, const char *key, char bracket)
{
    put_lead(o, key);
    put(o, &bracket, 1);
    o->needs_comma = false;
}

void json_close(struct json_out *o, char bracket)
{
    put(o, &bracket, 1);
    o->needs_comma = true;
}

void json_put_text(struct json_out *o, const char *key, const char *text)
{
    put_lead(o, key);
    put_quoted(o, text);
}

void json_put_u64(struct json_out *o, const char *key, uint64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, value);

    put_lead(o, key);
    put(o, digits, (size_t)n);
}

void json_put_hex(struct json_out *o, const char *key, uint64_t hi, uint64_t lo,
                  bool wide)
{
    char digits[36];

    if (wide)
        (void)snprintf(digits, sizeof digits, "%016" PRIx64 "%016" PRIx64, hi, lo);
    else
        (void)snprintf(digits, sizeof digits, "%016" PRIx64, lo);
    json_put_text(o, key, digits);
}

void json_in_init(struct json_in *in, const void *data, size_t n)
{
    *in = (struct json_in){.at = data, .end = (const char *)data + n};
}

static bool fail(struct json_in *in)
{
    in->is_bad = true;
    return false;
}

/* Skips white space; the next byte, or '\0' at the end. */
static char peek(struct json_in *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
        in->at++;
    return in->at < in->end && !in->is_bad ? *in->at : '\0';
}

static bool take(struct json_in *in, char c)
{
    if (peek(in) != c)
        return false;
    in->at++;
    return true;
}

void json_enter(struct json_in *in, char bracket)
{
    if (in->depth >= JSON_DEPTH_MAX || !take(in, bracket))
        fail(in);
    in->depth++;
}

bool json_next_item(struct json_in *in)
{
    char c = peek(in);

    if (c == ']' || c == '}') {
        in->at++;
        in->depth--;
        return false;
    }
    if (c == ',') {
        in->at++;
        c = peek(in);
    }
    return c != '\0' ? true : fail(in);
}

/* The bytes between the quotes, still escaped. */
static struct bytes raw_text(struct json_in *in)
{
    struct bytes raw = {NULL, 0};

    if (!take(in, '"')) {
        fail(in);
        return raw;
    }
    raw.at = in->at;
    while (in->at < in->end && *in->at != '"')
        in->at += *in->at == '\\' ? 2 : 1;
    if (in->at >= in->end) {
        fail(in);
        return (struct bytes){NULL, 0};
    }
    raw.n = (size_t)(in->at - raw.at);
    in->at++;
    return raw;
}

bool json_next_key(struct json_in *in, struct bytes *ret_key)
{
    if (!json_next_item(in))
        return false;
    *ret_key = raw_text(in);
    if (!take(in, ':'))
        return fail(in);
    return !in->is_bad;
}

uint64_t json_get_u64(struct json_in *in)
{
    uint64_t value = 0;
    char c = peek(in);

    if (c < '0' || c > '9') {
        fail(in);
        return 0;
    }
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        uint64_t digit = (uint64_t)(*in->at++ - '0');

        if (value > (UINT64_MAX - digit) / 10) {
            fail(in);
            return 0;
        }
        value = value * 10 + digit;
    }
    return value;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One escaped character of ours: \" \\ \/ and \u00xx.  -1: something else. */
static int unescape(const char *at, const char *end, size_t *ret_used)
{
    *ret_used = 2;
    if (end - at >= 2 && (at[1] == '"' || at[1] == '\\' || at[1] == '/'))
        return at[1];
    *ret_used = 6;
    if (end - at >= 6 && at[1] == 'u' && at[2] == '0' && at[3] == '0' &&
        hex_value(at[4]) >= 0 && hex_value(at[5]) >= 0)
        return hex_value(at[4]) * 16 + hex_value(at[5]);
    return -1;
}

void json_get_text(struct json_in *in, char *text, size_t room)
{
    struct bytes raw = raw_text(in);
    size_t n = 0;

    must(room > 0);
    for (size_t i = 0; i < raw.n && !in->is_bad;) {
        int c = (unsigned char)raw.at[i];
        size_t used = 1;

        if (c == '\\')
            c = unescape(raw.at + i, raw.at + raw.n, &used);
        if (c <= 0 || n + 1 >= room) {
            fail(in);
            break;
        }
        text[n++] = (char)c;
        i += used;
    }
    text[n] = '\0';
}

void json_get_hex(struct json_in *in, uint64_t *ret_hi, uint64_t *ret_lo)
{
    struct bytes raw = raw_text(in);
    uint64_t hi = 0, lo = 0;

    if (raw.n == 0 || raw.n > 32)
        fail(in);
    for (size_t i = 0; i < raw.n && !in->is_bad; i++) {
        int digit = hex_value(raw.at[i]);

        if (digit < 0)
            fail(in);
        hi = hi << 4 | lo >> 60;
        lo = lo << 4 | (uint64_t)(unsigned)digit;
    }
    *ret_hi = hi;
    *ret_lo = lo;
}

void json_skip(struct json_in *in)
{
    uint32_t depth = 0;

    do {
        char c = peek(in);

        if (c == '"') {
            (void)raw_text(in);
        } else if (c == '{' || c == '[') {
            in->at++;
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0) {
                fail(in);
                return;
            }
            in->at++;
            depth--;
        } else if (c == '\0') {
            fail(in);
        } else {
            in->at++;
            /* A bare word or number ends where punctuation begins. */
            while (depth == 0 && in->at < in->end &&
                   strchr(",}] \n\r\t", *in->at) == NULL)
                in->at++;
        }
    } while (depth > 0 && !in->is_bad);
}
