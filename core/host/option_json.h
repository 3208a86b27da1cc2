/* What plugins say of themselves, as JSON; for core/host and core/cli.  Any thread. */
#ifndef PARTI_HOST_OPTION_JSON_H
#define PARTI_HOST_OPTION_JSON_H

#include "host/option.h"

#include <jansson.h>

/* A string that may be NULL (null) and need not be UTF-8 (then '?' for foreign bytes).
 * The caller owns the result, which is NULL when there is no memory; jansson's
 * json_object_set_new() and the like take that for an error and change nothing. */
json_t *option_json_text(const char *text);

/* The array that option_describe() prints; owned by the caller. */
json_t *option_table_json(const struct parti_option *table,
                          const struct option_loan *loan);

#endif
