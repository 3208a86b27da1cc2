#!/bin/sh
# Every code of core/base/errors.def is given somewhere in core, has a section in
# parti-errors(7), and is provoked by a test that names it (PARTI-Eyyy or its symbol).
# Usage: codes.sh [SRCDIR]     prints file:line: what, then one JSON line; 0 if clean.
# Part of 'make check'.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-${PARTI_SRCDIR:-$here/..}}" || exit 1
table=core/base/errors.def
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

cat >"$tmp/words.awk" <<'EOF'
FNR == 1 { lex_reset() }
{
    print strip($0)
    for (i = 1; i <= literals; i++)
        print literal[i]
}
EOF

# Code and strings of the C files in a folder; comments say nothing of what is done.
words() {
    find "$1" -name '_*' -prune -o -name '*.[ch]' ! -name test_errors.c \
        ! -name test_event_line.c -exec awk -f "$here/clex.awk" -f "$tmp/words.awk" {} +
}

# Not counted are those two that try the table and the writing of lines, with codes for
# examples.
words tests >"$tmp/tests"
find tests -name '_*' -prune -o \( -name '*.sh' -o -name '*.py' \) \
    -exec grep -hv '^ *#' {} + >>"$tmp/tests"
words core >"$tmp/core"

grep -n '^X(' "$table" |
    sed 's/^\([0-9]*\):X(\([0-9]*\), *\([A-Z_0-9]*\),.*/\1 \2 \3/' >"$tmp/codes"
while read -r line code symbol; do
    at="$table:$line: PARTI-E$code"
    grep -qw "$symbol" "$tmp/core" || echo "$at is given nowhere in core"
    grep -qw -e "$symbol" -e "PARTI-E$code" "$tmp/tests" ||
        echo "$at has no test that provokes it"
    grep -q "^\.SS PARTI.-E$code: " man/parti-errors.7 ||
        echo "$at has no section in man/parti-errors.7"
done <"$tmp/codes" >"$tmp/found"
[ -s "$tmp/codes" ] || echo "$table:1: no code is found in it" >>"$tmp/found"

cat "$tmp/found"
findings=$(wc -l <"$tmp/found")
printf '{"target":"codes","codes":%d,"findings":%d}\n' "$(wc -l <"$tmp/codes")" "$findings"
[ "$findings" -eq 0 ]
