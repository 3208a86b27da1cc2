#!/bin/sh
# Static analysis: cppcheck, clang-tidy, shellcheck, and the style check.
# Usage: lint.sh CPPFLAGS ...    in a configured build tree; 'make lint' runs it.
# Says which tool is missing.  The last line is a JSON object; 0 only without findings.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$here/.." && pwd)
build=$(pwd)
jobs=$(nproc 2>/dev/null || echo 2)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
bad=0
ran=
missing=

have() {
    if command -v "$1" >/dev/null; then
        ran="$ran,\"$1\""
        echo "lint: $1"
        return 0
    fi
    missing="$missing,\"$1\""
    echo "lint: $1 is not installed: left out"
    return 1
}

cd "$src" && find core plugins sdk tests -name '*.c' | sort >"$tmp/c"
if have cppcheck; then
    cppcheck -q -j "$jobs" --std=c11 --language=c --inline-suppr --error-exitcode=1 \
        --enable=warning,performance,portability --suppressions-list="$here/cppcheck.txt" \
        --template='{file}:{line}: {severity}: {message} [{id}]' \
        -Icore -Isdk --file-list="$tmp/c" || bad=$((bad + 1))
fi
if have clang-tidy; then
    # On stderr it only counts what it suppressed in system headers.
    # Tests include the helpers of their neighbours by plain name; plugins in folders of
    # their own what they share as plugins/NAME.h.
    set -- "$@" -I.
    for folder in tests/*/; do
        set -- "$@" "-I$folder"
    done
    xargs -P "$jobs" -I '{}' clang-tidy --quiet --warnings-as-errors='*' '{}' \
        -- -std=gnu11 -DPLUGIN_VERSION='""' "$@" <"$tmp/c" >"$tmp/tidy" 2>/dev/null
    # A status of its own: one that crashes says nothing.
    if [ $? -ne 0 ] || [ -s "$tmp/tidy" ]; then
        # What a header brings comes up once for each file that includes it.
        sed "s,$build/\.\./,,; s,$src/,," "$tmp/tidy" | grep -E ': (error|warning): ' | sort -u
        cp "$tmp/tidy" "$build/lint-tidy.log"
        echo "lint: how clang-tidy came to think so is in $build/lint-tidy.log"
        bad=$((bad + 1))
    fi
fi
if have shellcheck; then
    # Our file names have no spaces: lists of them may be split (SC2046).
    find tools tests conf plugins sdk -name '*.sh' | sort |
        xargs shellcheck -s sh -S warning -e SC2046 try .ci/run || bad=$((bad + 1))
fi
"$here/style.sh" "$src" || bad=$((bad + 1))

printf '{"target":"lint","ran":[%s],"missing":[%s],"tools_with_findings":%d}\n' \
    "${ran#,}" "${missing#,}" $bad
[ $bad -eq 0 ]
