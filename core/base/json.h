/* JSON without allocation, for records that people read: a writer into a given buffer
 * and a pull reader over borrowed bytes.  jansson serves everywhere else; it allocates,
 * so core/proto cannot use it.  One user at a time.
 */
#ifndef PARTI_BASE_JSON_H
#define PARTI_BASE_JSON_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- writing: calls in document order; 'key' is NULL inside arrays ---------------- */

struct json_out {
    char *at;
    size_t n, room;
    bool is_over; /* did not fit: what stands there is worthless */
    bool needs_comma;
};

void json_out_init(struct json_out *o, void *buffer, size_t room);
void json_open(struct json_out *o, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json_out *o, char bracket);                 /* '}' or ']' */
void json_put_text(struct json_out *o, const char *key, const char *text);
void json_put_u64(struct json_out *o, const char *key, uint64_t value);
/* As a text of hex digits, for 64-bit words that a double cannot hold. */
void json_put_hex(struct json_out *o, const char *key, uint64_t hi, uint64_t lo,
                  bool wide);

/* ---- reading: a cursor; the first mistake sticks in is_bad and ends every loop ---- */

struct json_in {
    const char *at, *end;
    bool is_bad;
    uint32_t depth;
};

void json_in_init(struct json_in *in, const void *data, size_t n);
/* Consumes '{' or '['. */
void json_enter(struct json_in *in, char bracket);
/* The next key of the object, or false at its end (consumed). */
bool json_next_key(struct json_in *in, struct bytes *ret_key);
/* Is there one more item in the array?  False at its end (consumed). */
bool json_next_item(struct json_in *in);
uint64_t json_get_u64(struct json_in *in);
/* Into text[room], ended with NUL; too long is a mistake. */
void json_get_text(struct json_in *in, char *text, size_t room);
void json_get_hex(struct json_in *in, uint64_t *ret_hi, uint64_t *ret_lo);
/* Any value, for keys that this version does not know. */
void json_skip(struct json_in *in);

#endif
