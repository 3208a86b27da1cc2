/* The mistakes of one INI file, all of them, with their lines; sorted when printed.
 *
 * Filled by conf.c and option.c; a runner adds what a plugin's create() complained of.
 * One user at a time.  No text here ever holds a secret value.
 */
#ifndef PARTI_HOST_CONF_ERRORS_H
#define PARTI_HOST_CONF_ERRORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CONF_ERRORS_MAX = 200 }; /* more are counted, not kept */

struct conf_error {
    uint32_t line; /* 0: the file as a whole */
    uint32_t rank; /* order of arrival, so that sorting is stable */
    char *text;
};

struct conf_errors {
    char *file; /* as the user named it */
    struct conf_error *at;
    size_t n;
    size_t room;
    size_t dropped; /* beyond CONF_ERRORS_MAX */
    int nomem;      /* nonzero: one could not be kept for want of memory */
    int unreadable; /* errno when the file could not be read, else 0 */
};

/* Zeroed memory, then the name of the file (copied).  0 or STATUS_NOMEM. */
int conf_errors_init(struct conf_errors *e, const char *file);

/* Frees; accepts a zeroed struct. */
void conf_errors_finish(struct conf_errors *e);

/* One mistake.  The text says what was found and what is needed, and ends without a
 * full stop or newline. */
__attribute__((format(printf, 3, 4))) void conf_errors_add(struct conf_errors *e,
                                                           uint32_t line,
                                                           const char *format, ...);

/* How many there are, dropped ones included. */
size_t conf_errors_count(const struct conf_errors *e);

/* One line each, "file:line: text", in ascending order of lines; then one with the code:
 * PARTI-E401 and their number, or PARTI-E400 where the file could not be read.  Nothing
 * when there are none. */
void conf_errors_print(struct conf_errors *e, FILE *to);

#endif
