#!/bin/sh
# The walls of the house: proto calls nothing but pure functions and keeps no state of
# its own, every folder includes only what it may, core/ names no plugin.
# Usage: purity.sh [SRCDIR [BUILDDIR]]    prints findings, then one JSON line.
# Part of 'make check'.  Exceptions, with reasons: tools/allow.txt.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${2:-${PARTI_BUILDDIR:-.}}" && pwd) || exit 1
cd "${1:-${PARTI_SRCDIR:-$here/..}}" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# ---- includes and names
find core plugins sdk -name '*.[ch]' 2>/dev/null | sort >"$tmp/c"
if ! grep -q '^core/' "$tmp/c"; then
    echo "purity: no C file under $(pwd)/core"
    exit 1
fi
# A plugin is a source that has an entry point.
names=$(find plugins -name '*.c' -exec grep -l PARTI_PLUGIN_ENTRY '{}' + 2>/dev/null |
    sed 's,.*/,,; s,\.c$,,' | sort | tr '\n' ' ')
awk -f "$here/clex.awk" -f "$here/purity.awk" -v allow=tools/allow.txt \
    -v plugins="$names" -v ours="$(grep '\.h$' "$tmp/c" | tr '\n' ' ')" \
    $(grep -v '^sdk/' "$tmp/c") >"$tmp/found" ||
    echo "tools/purity.awk:1: awk failed" >>"$tmp/found"

# ---- symbols of proto, and of those parts of base that it draws in
#
# What is not on this list is impure until someone shows otherwise.  Absent on purpose:
# memory (malloc), time, files, sockets, threads, the environment, printing to streams,
# randomness, the locale, and qsort, which takes memory in glibc before 2.37.
pure='memchr memcmp memcpy memmove memset strchr strcmp strcspn strlen strncmp strnlen
strrchr strspn strstr snprintf vsnprintf bsearch
__memcpy_chk __memmove_chk __memset_chk __snprintf_chk __vsnprintf_chk
__stack_chk_fail _GLOBAL_OFFSET_TABLE_ XXH3_64bits bcmp
__divti3 __modti3 __udivti3 __umodti3 __udivmodti4'
# must.c alone ends the process, and says why on stderr first.
must_calls='abort fprintf __fprintf_chk fputs fwrite fputc puts stderr'

objects=0
proto=$build/.libs/libproto.a
base=$build/.libs/libbase.a
if ls core/proto/*.c >/dev/null 2>&1; then
    if ! [ -f "$proto" ] || ! [ -f "$base" ]; then
        echo "purity: $proto or $base is missing: run make first"
        exit 1
    fi
    ${NM:-nm} -A -P "$proto" >"$tmp/proto" || exit 1
    ${NM:-nm} -A -P "$base" >"$tmp/base" || exit 1
    objects=$(cut -d: -f1 "$tmp/proto" | sort -u | wc -l)
    awk -v pure="$pure" -v must_calls="$must_calls" '
        BEGIN {
            n = split(pure, list); for (i = 1; i <= n; i++) is_pure[list[i]] = 1
            n = split(must_calls, list); for (i = 1; i <= n; i++) is_must[list[i]] = 1
        }
        {   # ARCHIVE[OBJECT]: NAME TYPE VALUE SIZE
            object = $1
            sub(/^.*\//, "", object)
            sub(/:$/, "", object)
            if ($3 == "U" || $3 == "w" || $3 == "v")
                calls[object] = calls[object] " " $2
            else if ($3 ~ /^[A-Z]$/)
                home[$2] = object
            if (object ~ /^libproto/)
                queue[object] = 1
        }
        END {
            for (object in queue) todo[++last] = object
            for (at = 1; at <= last; at++) {
                object = todo[at]
                n = split(calls[object], call, " ")
                for (i = 1; i <= n; i++) {
                    name = call[i]
                    if (name in home) {
                        if (!(home[name] in queue)) {
                            queue[home[name]] = 1
                            todo[++last] = home[name]
                        }
                    } else if (!(name in is_pure) &&
                               name !~ /^(__(asan|ubsan|tsan|sanitizer|gcov|sancov)|llvm_gc)/ &&
                               !(object ~ /[-\[]must\.o/ && name in is_must))
                        print object ": proto may not call " name
                }
            }
        }' "$tmp/proto" "$tmp/base" | sort >>"$tmp/found"

    # Writable globals are state outside the node.  Sanitizers add their own: there the
    # plain build has to judge.
    if grep -qE ' __(asan|tsan)_' "$tmp/proto"; then
        echo "purity: writable globals not looked for in a build with sanitizers"
    else
        ${OBJDUMP:-objdump} -t "$proto" >"$tmp/table" || exit 1
        awk '/file format/ { object = $1; sub(/:$/, "", object) }
            / O / && / (\.data|\.bss|\*COM\*|\.tdata|\.tbss)[ \t.]/ && !/\.data\.rel\.ro/ {
                print "libproto.a[" object "]: proto may not keep writable state: " $NF
            }' "$tmp/table" >>"$tmp/found"
    fi
else
    echo "purity: core/proto has no source yet: only includes and names are checked"
fi

cat "$tmp/found"
findings=$(wc -l <"$tmp/found")
printf '{"target":"purity","files":%d,"objects":%d,"findings":%d}\n' \
    "$(wc -l <"$tmp/c")" "$objects" "$findings"
[ "$findings" -eq 0 ]
