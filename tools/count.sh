#!/bin/sh
# Counts single test cases in a build tree after 'make check'.
# Usage: count.sh TREE     or a single .trs file
#
# A Check program counts as many cases as its log says, any other test program is one.
# A Check program that fails without a failed case (it crashed, or leaked) has one more
# failed case.  Prints the log of each failed program, one a line, and last
# "PASSED FAILED SKIPPED".
set -u
LC_ALL=C
export LC_ALL

# Trees below a tree (their folders start with '_') have counts of their own.
find "$1" -type d -name '_*' ! -path "$1" -prune -o -name '*.trs' -print | sort |
    while IFS= read -r trs; do
        log=${trs%.trs}.log
        [ -f "$log" ] || log=/dev/null
        awk -v trs="$trs" -v log_name="${trs%.trs}.log" '
            FILENAME == trs && /^:test-result: / {
                result[$2]++
                next
            }
            FILENAME != trs && /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: / {
                split($0, part, /[^0-9]+/)
                checks += part[2]
                failures += part[3] + part[4]
            }
            END {
                bad = result["FAIL"] + result["ERROR"] + result["XPASS"]
                if (checks > 0) {
                    passed = checks - failures
                    failed = failures > 0 || bad == 0 ? failures : 1
                } else {
                    passed = result["PASS"] + result["XFAIL"]
                    failed = bad
                    skipped = result["SKIP"]
                }
                print passed + 0, failed + 0, skipped + 0, (failed > 0 ? log_name : "")
            }' "$trs" "$log"
    done | awk '
        { passed += $1; failed += $2; skipped += $3 }
        NF > 3 { sub(/^[^ ]* [^ ]* [^ ]* /, ""); print }
        END { print passed + 0, failed + 0, skipped + 0 }'
