/* Lines of an INI file, whole and numbered, on their way through inih.
 *
 * inih as Debian builds it reads 200 bytes a line, parses the tail of a longer one as a
 * line of its own, keeps 49 bytes of a section's name, and does not say in which line it
 * is.  So our own reader takes each physical line whole, counts it, and refuses what
 * must not pass: more than CONF_LINE_MAX bytes, control bytes, keys and section names
 * beyond their limits, text behind a ']'.  What passes goes to inih, which tells
 * sections, keys and continuations apart; a line too long for inih is handed over with
 * "+" in the place of its value.  The value is in every case cut from the whole line
 * here, by inih's own rule, so the length of a line changes nothing.  One user at a time.
 */
#ifndef PARTI_HOST_CONF_READ_H
#define PARTI_HOST_CONF_READ_H

#include "host/conf_errors.h"

#include <stdio.h>

/* What was read, in the order of the file.  Texts are borrowed for the call. */
struct conf_sink {
    void *ctx;
    void (*section)(void *ctx, const char *name, uint32_t line);
    void (*key)(void *ctx, const char *key, const char *value, uint32_t line);
    void (*more)(void *ctx, const char *value, uint32_t line); /* continues that key */
};

/* Reads to the end of the stream; mistakes go to 'errors'.  0, STATUS_IO, STATUS_NOMEM.
 */
int conf_read(FILE *in, struct conf_errors *errors, const struct conf_sink *sink);

#endif
