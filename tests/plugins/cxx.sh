#!/bin/sh
# The headers for plugins compile as C++17 without a warning, and the entry has C linkage.
set -eu
cxx=${CXX:-c++}
if ! command -v "$cxx" >/dev/null 2>&1; then
    echo "cxx.sh: skipped, there is no C++ compiler ($cxx)"
    exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/parti-cxx-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

cat >"$work/plugin.cc" <<'CC'
#include "parti_connection.h"
#include "parti_consumer.h"
#include "parti_fits.h"
#include "parti_plugin.h"
static int32_t create(void **self, const parti_host *host, const parti_conf *conf,
                      parti_error *error)
{
    if (!PARTI_HAS(host, host, extension) || parti_conf_int(conf, "n", 1) != 1)
        return parti_fail(error, PARTI_BADCONF, "line %u", parti_conf_line(conf, "n"));
    parti_log(host, PARTI_INFO, "made");
    *self = nullptr;
    return PARTI_OK;
}
static int32_t assign(void *, const parti_world *world, uint32_t *owner, parti_error *)
{
    for (uint64_t i = 0; i < world->part_n; i++)
        owner[i] = 0;
    return PARTI_OK;
}
static void destroy(void *) {}
static const parti_strategy strategy = {sizeof strategy, 0, create, assign, destroy};
static const parti_plugin about = {sizeof about, PARTI_ABI_MINOR, 0,       0,       "org.x",
                                   "1",          nullptr,         nullptr, nullptr, nullptr,
                                   nullptr,      &strategy,       nullptr, nullptr};
PARTI_PLUGIN_ENTRY(about)
CC
"$cxx" -std=c++17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
    -I"$PARTI_SRCDIR/sdk" -c -o "$work/plugin.o" "$work/plugin.cc"
nm "$work/plugin.o" | grep -q ' T parti_plugin_v1$' || {
    echo "cxx.sh: the entry has no C linkage"
    exit 1
}
echo "the headers for plugins are C++17"
