#!/bin/sh
# The walls of the house: proto and consume call nothing but pure functions and keep no
# state of their own, every folder includes only what it may, core/ names no plugin.
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

# ---- symbols of the pure folders, and of those parts of base that they draw in
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
base=$build/.libs/libbase.a

# judge NAME: the archive of core/NAME, with what it draws in of base.
judge() {
    archive=$build/.libs/lib$1.a
    if ! [ -f "$archive" ] || ! [ -f "$base" ]; then
        echo "purity: $archive or $base is missing: run make first"
        exit 1
    fi
    ${NM:-nm} -A -P "$archive" >"$tmp/own" || exit 1
    ${NM:-nm} -A -P "$base" >"$tmp/base" || exit 1
    objects=$((objects + $(cut -d: -f1 "$tmp/own" | sort -u | wc -l)))
    awk -v name="$1" -v pure="$pure" -v must_calls="$must_calls" '
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
            if (index(object, "lib" name) == 1)
                queue[object] = 1
        }
        END {
            for (object in queue) todo[++last] = object
            for (at = 1; at <= last; at++) {
                object = todo[at]
                n = split(calls[object], call, " ")
                for (i = 1; i <= n; i++) {
                    symbol = call[i]
                    if (symbol in home) {
                        if (!(home[symbol] in queue)) {
                            queue[home[symbol]] = 1
                            todo[++last] = home[symbol]
                        }
                    } else if (!(symbol in is_pure) &&
                               symbol !~ /^(__(asan|ubsan|tsan|sanitizer|gcov|sancov)|llvm_gc)/ &&
                               !(object ~ /[-\[]must\.o/ && symbol in is_must))
                        print object ": " name " may not call " symbol
                }
            }
        }' "$tmp/own" "$tmp/base" | sort >>"$tmp/found"

    # Writable globals are state outside the machine.  Sanitizers add their own: there the
    # plain build has to judge.
    if grep -qE ' __(asan|tsan)_' "$tmp/own"; then
        echo "purity: writable globals of $1 not looked for in a build with sanitizers"
    else
        ${OBJDUMP:-objdump} -t "$archive" >"$tmp/table" || exit 1
        awk -v name="$1" '/file format/ { object = $1; sub(/:$/, "", object) }
            / O / && / (\.data|\.bss|\*COM\*|\.tdata|\.tbss)[ \t.]/ && !/\.data\.rel\.ro/ {
                print "lib" name ".a[" object "]: " name " may not keep writable state: " $NF
            }' "$tmp/table" >>"$tmp/found"
    fi
}

for part in proto consume; do
    if ls "core/$part"/*.c >/dev/null 2>&1; then
        judge "$part"
    else
        echo "purity: core/$part has no source yet: only includes and names are checked"
    fi
done

cat "$tmp/found"
findings=$(wc -l <"$tmp/found")
printf '{"target":"purity","files":%d,"objects":%d,"findings":%d}\n' \
    "$(wc -l <"$tmp/c")" "$objects" "$findings"
[ "$findings" -eq 0 ]
