#!/bin/sh
# What the shared objects export: a plugin its one entry, libparti what parti.h declares.
# Usage: symbols.sh [SRCDIR [BUILDDIR]]    prints findings, then one JSON line.
# Part of 'make check'.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${2:-${PARTI_BUILDDIR:-.}}" && pwd) || exit 1
cd "${1:-${PARTI_SRCDIR:-$here/..}}" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
: >"$tmp/found"

# The dynamic symbols that a file defines, less the names of versions (A) and those of
# the compiler's own tools.
exports() {
    ${NM:-nm} -D -P --defined-only "$1" |
        awk '$2 != "A" { sub(/@.*/, "", $1); print $1 }' |
        grep -vE '^(__(odr_)?(a|t|ub)san|__(start|stop)___sancov|__gcov|_init$|_fini$)' | sort -u
}

plugins=0
for so in "$build"/plugins/.libs/*.so; do
    [ -f "$so" ] || continue
    plugins=$((plugins + 1))
    got=$(exports "$so" | tr '\n' ' ')
    [ "$got" = "parti_plugin_v1 " ] ||
        echo "plugins/${so##*/}: exports '${got% }', must be parti_plugin_v1 alone" \
            >>"$tmp/found"
done
# A plugin whose object is missing must not pass as clean.
for c in $(grep -l PARTI_PLUGIN_ENTRY plugins/*.c 2>/dev/null); do
    so=${c%.c}.so
    so=plugins/.libs/${so##*/}
    grep -q "^plugins_$(basename "$c" .c)_la_SOURCES" plugins/Makefile.inc || continue
    [ -f "$build/$so" ] && continue
    # kafka alone depends on a library that configure may not have found.
    if [ "$c" = plugins/kafka.c ]; then
        echo "symbols: plugins/kafka.so is not built here: not checked"
    else
        echo "$c: $so is not built: run make first" >>"$tmp/found"
    fi
done

cat >"$tmp/declared.awk" <<'EOF'
{
    code = strip($0)
    while (match(code, /parti_[a-z0-9_]+[ ]*\(/)) {
        name = substr(code, RSTART, RLENGTH - 1)
        sub(/[ ]+$/, "", name)
        print name
        code = substr(code, RSTART + RLENGTH)
    }
}
EOF

library=0
if grep -qs '^libparti_la_SOURCES' ./*/Makefile.inc core/*/Makefile.inc; then
    so=$build/.libs/libparti.so
    if [ -f "$so" ]; then
        # Functions of parti.h: parti_NAME( outside comments.
        awk -f "$here/clex.awk" -f "$tmp/declared.awk" sdk/parti.h 2>/dev/null |
            sort -u >"$tmp/declared"
        exports "$so" >"$tmp/exported"
        library=$(wc -l <"$tmp/exported")
        comm -13 "$tmp/declared" "$tmp/exported" |
            sed 's/^/libparti.so: exports what parti.h does not declare: /' >>"$tmp/found"
        comm -23 "$tmp/declared" "$tmp/exported" |
            sed 's/^/libparti.so: does not export what parti.h declares: /' >>"$tmp/found"
    else
        echo "libparti.so: not built: run make first" >>"$tmp/found"
    fi
else
    echo "symbols: the tree has no libparti yet: its exports are not checked"
fi
[ $plugins -gt 0 ] || echo "symbols: the tree has no plugin yet: none is checked"

cat "$tmp/found"
findings=$(wc -l <"$tmp/found")
printf '{"target":"symbols","plugins":%d,"library_symbols":%d,"findings":%d}\n' \
    $plugins "$library" "$findings"
[ "$findings" -eq 0 ] || exit 1
