/* parti_connection.h - the extension parti.connection/1: where the broker is
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which options of a plugin say how to reach its broker.  A plugin that answers
 * extension("parti.connection/1") of its descriptor with a struct parti_connection lets
 * people write them once:
 *
 *   - [consume] without the address takes it, and the others of these options that it
 *     does not have itself, from the [source] with the same plugin, where there is just
 *     one such;
 *   - a [source] without the address, and a [consume] whose plugin is no [source]'s,
 *     takes them from [nats], as far as that has keys of the same names.
 *
 * A section that has the address itself takes nothing: what was written beside one
 * address, passwords above all, goes to no other.  The plugin sees what was taken as if
 * it stood in its own section, with the line where it does stand.
 *
 * A host that does not know this extension wants the keys in each section.
 */
#ifndef PARTI_CONNECTION_H
#define PARTI_CONNECTION_H

#include "parti_plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PARTI_CONNECTION_ID "parti.connection/1"

/* Static, as the descriptor.  name[0] is the address: "url", "brokers".  Each is the name
 * of an option of the plugin in one of its roles, as its row has it: "rdkafka.*" stands
 * for all that this row takes. */
struct parti_connection {
    uint32_t size;
    uint32_t n; /* 1 to 64 */
    const char *const *name;
};

#ifdef __cplusplus
}
#endif
#endif
