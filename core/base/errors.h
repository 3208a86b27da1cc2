/* The numbers of the errors that people see: ERR_NATS_NAME is 100, shown as PARTI-E100.
 * errors.def is the one list.
 */
#ifndef PARTI_BASE_ERRORS_H
#define PARTI_BASE_ERRORS_H

enum error_code {
#define X(number, symbol, summary) symbol = number,
#include "base/errors.def"
#undef X
};

#endif
