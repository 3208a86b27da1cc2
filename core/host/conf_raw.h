/* The sections and keys of a file as they stand, before anything is made of them.
 * Finds what is given twice.  One user at a time; private to conf*.c.
 */
#ifndef PARTI_HOST_CONF_RAW_H
#define PARTI_HOST_CONF_RAW_H

#include "host/conf_errors.h"
#include "host/conf_pool.h"
#include "host/option.h"

#include <stdio.h>

enum { CONF_SECTIONS_MAX = 256, CONF_SECTION_KEYS_MAX = 4096 };

struct conf_raw_section {
    const char *name;
    uint32_t line;
    struct option_raw *key; /* in the order of the file */
    size_t key_n;
};

struct conf_raw {
    struct conf_raw_section *section; /* in the order of the file */
    size_t section_n;
};

/* Reads all; mistakes go to 'errors'.  Everything lives in the pool.  0, STATUS_IO,
 * STATUS_NOMEM. */
int conf_raw_read(struct conf_raw *raw, FILE *in, struct conf_pool *pool,
                  struct conf_errors *errors);

/* NULL when there is none. */
const struct conf_raw_section *conf_raw_find(const struct conf_raw *raw,
                                             const char *section);
const struct option_raw *conf_raw_key(const struct conf_raw_section *section,
                                      const char *key);

#endif
