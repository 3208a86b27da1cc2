#!/bin/sh
# The demo as a test: it asserts as it goes, its exit code says whether all held, and it
# leaves neither processes nor files behind.
set -u
LC_ALL=C
export LC_ALL
unset PARTI_NATS_URL NATS_URL
work=$(mktemp -d "${TMPDIR:-/tmp}/parti-demo-sh-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
parti=${PARTI_BUILDDIR:-.}/parti

fail() {
    echo "demo.sh: $*"
    exit 1
}

[ -s /var/lib/dpkg/status ] || { echo "the demo divides Debian's package list"; exit 77; }
mkdir "$work/tmp"
TMPDIR=$work/tmp timeout 120 "$parti" demo --fast --plugin-dir "$PARTI_PLUGIN_DIR" \
    >"$work/out" 2>"$work/err" </dev/null
rc=$?
cat "$work/out" "$work/err"
[ $rc -eq 0 ] || fail "exit code $rc"
[ "$(tail -n 1 "$work/out")" = "All of it held." ] || fail "not all of it held"
grep -q '^  held by two at once  *0$' "$work/out" || fail "held by two at once"
for figure in 'time to first assignment' 'join -> holds its share' \
    'crash -> held elsewhere' 'back after a crash -> its share' \
    'restart -> holds the same again' 'drain -> held elsewhere' 'longest unowned time'; do
    grep -q "^  $figure  *[1-9][0-9]* ms" "$work/out" || fail "no time: $figure"
done
grep -q '^  moved by the restart  *0$' "$work/out" || fail "a restart moved something"
moved=$(sed -n 's/^  moved when one joined  *\([0-9]*\) .*/\1/p' "$work/out")
least=$(sed -n 's/^  moved when one joined .*(a plan as even: \([0-9]*\) at least)$/\1/p' \
    "$work/out")
[ "$moved" -ge 1 ] && [ "$least" -le "$moved" ] ||
    fail "moved $moved, at least $least"
[ -z "$(ls -A "$work/tmp")" ] || fail "it leaves files: $(ls -A "$work/tmp")"
echo "$work/tmp/" >"$work/name" # in a file, or grep would find itself
left=$(grep -lsFf "$work/name" /proc/[0-9]*/cmdline)
[ -z "$left" ] || fail "it leaves processes: $left"

# What does not hold is told by the exit code, too: here no plugin is found.
TMPDIR=$work/tmp timeout 120 "$parti" demo --fast --plugin-dir "$work" >"$work/out" \
    2>"$work/err" </dev/null
rc=$?
[ $rc -eq 1 ] || { cat "$work/out" "$work/err"; fail "exit code $rc without plugins"; }
grep -q '^parti demo: ' "$work/err" || fail "no word of what failed"
