/* UTF-8: how long is the character here, if it is one?  Any thread. */
#ifndef PARTI_BASE_UTF8_H
#define PARTI_BASE_UTF8_H

#include <stddef.h>

/* Bytes (1 to 4) of the character that starts at at[0] (RFC 3629: shortest form, no
 * surrogates, up to U+10FFFF) and ends within at[0..n); 0 when there is none.  n > 0. */
size_t utf8_length(const unsigned char *at, size_t n);

#endif
