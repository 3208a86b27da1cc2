/* Result codes of every function in core/: 0 is success, the rest are negative.
 * One table gives value, name and text.  Any thread.
 */
#ifndef PARTI_BASE_STATUS_H
#define PARTI_BASE_STATUS_H

/* X(symbol, value, text) */
#define STATUS_TABLE(X)                                  \
    X(STATUS_OK, 0, "success")                           \
    X(STATUS_NOMEM, -1, "out of memory")                 \
    X(STATUS_INVALID, -2, "invalid input")               \
    X(STATUS_LIMIT, -3, "a limit is reached")            \
    X(STATUS_NOTFOUND, -4, "not found")                  \
    X(STATUS_CONFLICT, -5, "the condition was rejected") \
    X(STATUS_TIMEOUT, -6, "no answer in time")           \
    X(STATUS_OFFLINE, -7, "not connected")               \
    X(STATUS_DENIED, -8, "not permitted")                \
    X(STATUS_CORRUPT, -9, "the data does not decode")    \
    X(STATUS_UNSUPPORTED, -10, "not supported")          \
    X(STATUS_CANCELED, -11, "canceled")                  \
    X(STATUS_IO, -12, "input or output failed")          \
    X(STATUS_BUG, -13, "broke its contract")

enum status {
#define X(symbol, value, text) symbol = value,
    STATUS_TABLE(X)
#undef X
};

/* The text of a code, for logs; a static string, never NULL. */
const char *status_text(int status);

#endif
