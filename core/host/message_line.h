/* A message as the supervised command of `parti run` gets it (parti(1), MESSAGES):
 *
 *   {"event":"message","n":17,"partition":"orders/3","token":"123-45","position":9,
 *    "attempt":1,"time_ms":1700000000000,"subject":"orders.3","key":"...",
 *    "headers":[["name","value"]],"data":"..."}
 *
 * "key", "headers" and "time_ms" stand only where there are any.  Data or a key that is
 * no UTF-8 stands as "data_base64", "key_base64".  In raw form "length" stands in the
 * place of the data, and the bytes follow the line, and a newline.  The contract of
 * event_line.h.  One user at a time.
 */
#ifndef PARTI_HOST_MESSAGE_LINE_H
#define PARTI_HOST_MESSAGE_LINE_H

#include "host/event_line.h"

#include <stdbool.h>

/* The line anew.  As event_line_state(). */
int message_line_make(struct event_line *line, const struct parti_message *message,
                      uint64_t number, bool is_raw);

#endif
