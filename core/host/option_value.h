/* Values as they stand in an INI file, turned into numbers.  A failure is a phrase that
 * goes behind the quoted value: "has no unit; ...".  The phrase never holds the value
 * itself, so that a secret is safe in it.  Any thread.
 */
#ifndef PARTI_HOST_OPTION_VALUE_H
#define PARTI_HOST_OPTION_VALUE_H

#include <stddef.h>
#include <stdint.h>

/* All: 0 with *ret set, or STATUS_INVALID with *why (a static text) set. */

/* A decimal whole number with an optional sign. */
int option_value_int(const char *text, int64_t *ret, const char **why);

/* "250 ms", "10 s", "5 min", "2 h": whole numbers with a unit, in ms.  A bare 0 needs no
 * unit; any other bare number is refused. */
int option_value_msec(const char *text, int64_t *ret, const char **why);

/* yes, no, true, false, on, off in any case. */
int option_value_bool(const char *text, int *ret, const char **why);

/* "0.15", "1": a decimal fraction of up to six places, in parts per million. */
int option_value_ratio(const char *text, int64_t *ret, const char **why);

/* Is it one of "a|b|c"?  Its index, or -1. */
int option_value_choice(const char *text, const char *choices);

/* A time for people: "250 ms", "10 s", "5 min". */
void option_value_show_msec(uint64_t ms, char *to, size_t room);

#endif
