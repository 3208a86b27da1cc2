/* Pieces of a line of JSON, put behind what stands there.  For event_line.c and
 * message_line.c.
 */
#ifndef PARTI_HOST_EVENT_LINE_PUT_H
#define PARTI_HOST_EVENT_LINE_PUT_H

#include "host/event_line.h"

/* Bytes as they are; a C string; a number in decimal; a JSON text, what is not UTF-8 in
 * it as U+FFFD. */
void event_put(struct event_line *line, const char *bytes, size_t n);
void event_put_text(struct event_line *line, const char *text);
void event_put_number(struct event_line *line, uint64_t number);
void event_put_quoted(struct event_line *line, const char *text, size_t n);

/* ,"name":  and with a value behind it. */
void event_put_name(struct event_line *line, const char *name);
void event_put_field(struct event_line *line, const char *name, const char *text);
void event_put_u64(struct event_line *line, const char *name, uint64_t number);

#endif
