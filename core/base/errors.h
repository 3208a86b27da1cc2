/* The codes of the errors that people see, as one enum: the numbers of errors.def.
 * Printed as "PARTI-E102".  Any thread.
 */
#ifndef PARTI_BASE_ERRORS_H
#define PARTI_BASE_ERRORS_H

enum error_code {
    ERR_NONE = 0,
#define X(number, symbol, summary) symbol = number,
#include "base/errors.def"
#undef X
};

#endif
