#!/bin/sh
# The manual says what the program does: every command and option, every key, every code.
# Usage: man.sh    in a build tree; part of 'make check'.  0 if nothing is missing.
set -u
LC_ALL=C
export LC_ALL

src=${PARTI_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
parti=${PARTI_BUILDDIR:-.}/parti
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
wrong=0

fail() {
    printf 'man.sh: %s\n' "$*"
    wrong=$((wrong + 1))
}

# A page without its markup.
plain() {
    sed -e '/^\.\\"/d' -e 's/\\f[BIR]//g' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\(dq/"/g' \
        -e 's/^\.[A-Z][A-Z]* //' "$src/man/$1"
}

# parti.1: every command that the program shows, and every option of each.
plain parti.1 >"$tmp/page"
"$parti" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' >"$tmp/commands"
[ "$(wc -l <"$tmp/commands")" -ge 8 ] || fail "parti --help lists too few commands"
while read -r command; do
    grep "^\.SS $command\$" "$src/man/parti.1" >/dev/null ||
        fail "parti.1 has no section for '$command'"
    "$parti" "$command" --help | sed -n 's/^  .*\(--[a-z-]*\).*/\1/p' >"$tmp/options"
    [ -s "$tmp/options" ] || fail "$command --help shows no option"
    while read -r option; do
        grep -e "$option" "$tmp/page" >/dev/null ||
            fail "parti.1 does not tell of $command $option"
    done <"$tmp/options"
done <"$tmp/commands"

# parti.ini.5: the keys as the program knows them, word for word.
"$parti" config keys | awk -f "$src/man/keys.awk" >"$tmp/keys"
sed -n '/^\.\\" keys: begin/,/^\.\\" keys: end/p' "$src/man/parti.ini.5" |
    sed -e 1d -e '$d' >"$tmp/page.keys"
[ -s "$tmp/keys" ] || fail "parti config keys shows nothing"
cmp -s "$tmp/keys" "$tmp/page.keys" ||
    fail "parti.ini.5 differs from 'parti config keys | awk -f man/keys.awk':" \
        "$(diff "$tmp/page.keys" "$tmp/keys" | head -5)"

# parti-errors.7: a section for each code, under its own words, with something to do.
sed -n 's/^X(\([0-9]*\), [A-Z_0-9]*, "\(.*\)")$/PARTI-E\1: \2/p' \
    "$src/core/base/errors.def" >"$tmp/codes"
[ "$(wc -l <"$tmp/codes")" -ge 40 ] || fail "errors.def is not read as it should be"
plain parti-errors.7 >"$tmp/page"
grep '^PARTI-E[0-9]*: ' "$tmp/page" >"$tmp/sections"
cmp -s "$tmp/codes" "$tmp/sections" ||
    fail "parti-errors.7 differs from errors.def: $(diff "$tmp/sections" "$tmp/codes" | head -5)"
[ "$(grep -c '^What to do:' "$tmp/page")" -eq "$(wc -l <"$tmp/codes")" ] ||
    fail "parti-errors.7: not every section says what to do"

# All of them: markup without mistakes, where there is somebody to judge it.
lint=left_out
if command -v man >/dev/null && command -v troff >/dev/null; then
    lint="done"
    for page in parti.1 parti.ini.5 parti-errors.7; do
        LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$src/man/$page" \
            >/dev/null 2>"$tmp/lint" </dev/null
        [ -s "$tmp/lint" ] && fail "$page: $(head -3 "$tmp/lint")"
    done
fi
printf '{"target":"man","codes":%d,"keys":%d,"lint":"%s","findings":%d}\n' \
    "$(wc -l <"$tmp/codes")" "$(grep -c '^\.TP' "$tmp/keys")" $lint $wrong
[ $wrong -eq 0 ]
