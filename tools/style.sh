#!/bin/sh
# The style of the tree: size, layout, banned calls, comments, guards.
# Usage: style.sh [SRCDIR]     prints file:line: what, then one JSON line; 0 if clean.
# Part of 'make check' and of 'make lint'.  Exceptions, with reasons: tools/allow.txt.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-${PARTI_SRCDIR:-$here/..}}" || exit 1
lines_max=500
columns_max=100

# Our files: build trees, products of autotools and what git keeps are none of them.
ours() {
    find . -type d ! -name . \( -name '_*' -o -name .git -o -name .libs -o -name .deps \
        -o -name autom4te.cache -o -name build-aux \
        -o -exec test -e '{}/config.status' ';' \) -prune \
        -o -type f "$@" -print | sed 's,^\./,,' | sort
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

ours \( -name '*.[ch]' -o -name '*.def' \) | grep -v '^config\.h$' >"$tmp/c"
ours \( -name '*.sh' -o -name '*.awk' -o -name '*.py' -o -name '*.pml' -o -name '*.ac' \
    -o -name '*.am' -o -name '*.inc' -o -name 'parti.m4' -o -path ./try \
    -o -path ./.ci/run \) >"$tmp/other"
ours -name '*.md' >"$tmp/text"
if ! [ -s "$tmp/c" ]; then
    echo "style: no C file under $(pwd)"
    exit 1
fi

cat "$tmp/c" "$tmp/other" "$tmp/text" >"$tmp/all"
{
    # In scripts a short pause between two looks is a poll; a long one waits for nothing.
    awk -v lines_max=$lines_max -v columns_max=$columns_max '
        function finding(what) { print FILENAME ":" FNR ": " what }
        FNR == lines_max + 1 { finding("longer than " lines_max " lines") }
        /[ \t]$/ { finding("trailing space") }
        /(^|[^A-Za-z0-9_])(TO[D]O|FIX[M]E|X[X]X)([^A-Za-z0-9_]|$)/ {
            finding("a note of unfinished work") }
        # Models keep their tables of steps; prose is wrapped by whoever reads it.
        FNR == 1 { columns = FILENAME ~ /\.pml$/ ? columns_max + 20 : columns_max }
        FILENAME !~ /\.md$/ && length($0) > columns {
            finding("longer than " columns " columns") }
        FILENAME !~ /\.(md|am|inc)$/ && /\t/ { finding("tab") }
        FILENAME ~ /\.sh$/ && /^[^#]*(^|[ ;&|(])sleep +[1-9]/ {
            finding("a sleep of seconds: wait for the event, with a deadline") }
    ' $(cat "$tmp/all") || echo "tools/style.sh:1: awk failed"
    # The headers are handed over so that a source knows whether it has one.
    awk -f "$here/clex.awk" -f "$here/style.awk" \
        -v allow=tools/allow.txt -v heads="$(grep '\.h$' "$tmp/c" | tr '\n' ' ')" \
        $(cat "$tmp/c") || echo "tools/style.awk:1: awk failed"
} >"$tmp/found"

version=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
if [ "$version" = 14 ]; then
    format=checked
    if ! grep '\.[ch]$' "$tmp/c" | xargs clang-format --dry-run -Werror 2>"$tmp/layout"; then
        sed -n 's/^\([^:]*:[0-9]*\):[0-9]*: error: .*/\1: not as clang-format has it/p' \
            "$tmp/layout" | sort -u >"$tmp/layout.found"
        [ -s "$tmp/layout.found" ] || head -5 "$tmp/layout" >"$tmp/layout.found"
        cat "$tmp/layout.found" >>"$tmp/found"
    fi
else
    format=skipped
    echo "style: layout not checked: clang-format 14 is ${version:-not here}"
fi

cat "$tmp/found"
findings=$(wc -l <"$tmp/found")
printf '{"target":"style","files":%d,"format":"%s","findings":%d}\n' \
    "$(wc -l <"$tmp/all")" $format "$findings"
[ "$findings" -eq 0 ]
