/* From the keys of a partition to the subject of its messages: orders.{1}.{2} is
 * orders.eu.7 for orders/eu/7's keys 2 and 3 written as {2} and {3}, and so on.  Text may
 * hold wildcards (telemetry.{2}.{3}.>); a key stands for itself and never for several
 * subjects.  Pure; any thread.
 */
#ifndef PARTI_PLUGINS_JET_TEMPLATE_H
#define PARTI_PLUGINS_JET_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

enum { JET_TEMPLATE_ROOM = 256 };

/* NULL, or what is wrong with it: static storage. */
const char *jet_template_fault(const char *template);

/* 'id' is the keys joined by NUL.  NULL, or why there is no such subject: static
 * storage. */
const char *jet_template_fill(const char *template, const char *id, size_t id_n,
                              char to[JET_TEMPLATE_ROOM]);

#endif
