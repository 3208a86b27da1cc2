/* The built-in strategies linked into a program (libstrategies.la) instead of loaded:
 * for the simulator and for tests.  Each is what its .so answers to parti_plugin_v1().
 */
#ifndef PARTI_PLUGINS_BUILTIN_H
#define PARTI_PLUGINS_BUILTIN_H

#include "parti_plugin.h"

const struct parti_plugin *parti_plugin_v1_consistent_hash(
    const struct parti_host *probe);
const struct parti_plugin *parti_plugin_v1_round_robin(const struct parti_host *probe);
const struct parti_plugin *parti_plugin_v1_weighted(const struct parti_host *probe);

#endif
