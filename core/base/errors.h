/* The codes of errors that people see, and their names.  Any thread. */
#ifndef PARTI_BASE_ERRORS_H
#define PARTI_BASE_ERRORS_H

enum error_code {
    ERR_NONE = 0,
#define X(number, symbol, summary) symbol = number,
#include "base/errors.def"
#undef X
};

struct error_entry {
    int code;
    const char *summary;
};

/* The table, in the order of the codes, ended by code 0. */
const struct error_entry *errors_all(void);

/* One line on a code; "unknown error" if there is none. */
const char *error_summary(int code);

#endif
