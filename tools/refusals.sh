#!/bin/sh
# Checks the checks: each is fed what it must refuse, and must say so in the right place.
# Usage: refusals.sh    in a build tree, or with PARTI_SRCDIR; part of 'make check'.
# Prints one line a case and one JSON line; 0 if every check can fail and can pass.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-cc}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
cases=0
wrong=0

# A small clean tree to spoil.
fresh() {
    rm -rf "$tmp/tree" "$tmp/build"
    mkdir -p "$tmp/tree/core/base" "$tmp/tree/core/proto" "$tmp/tree/core/edge" \
        "$tmp/tree/core/host" "$tmp/tree/core/cli" "$tmp/tree/plugins" "$tmp/tree/sdk" \
        "$tmp/tree/tools" "$tmp/build/.libs" "$tmp/build/plugins/.libs"
    cp "$here/../.clang-format" "$tmp/tree/"
    echo '# nothing' >"$tmp/tree/tools/allow.txt"
    {
        echo '/* What it is. */'
        echo '#ifndef A_H'
        echo '#define A_H'
        echo 'int a(int x);'
        echo '#endif'
    } >"$tmp/tree/core/proto/a.h"
    {
        echo '#include "proto/a.h"'
        echo
        echo 'int a(int x)'
        echo '{'
        echo '    return x;'
        echo '}'
    } >"$tmp/tree/core/proto/a.c"
    {
        echo '/* A plugin. */'
        echo 'PARTI_PLUGIN_ENTRY(kafka)'
    } >"$tmp/tree/plugins/kafka.c"
}

# expect CHECK FILE:LINE TEXT: the check fails and has a line with both.
expect() {
    cases=$((cases + 1))
    "$here/$1.sh" "$tmp/tree" "$tmp/build" >"$tmp/said" 2>&1
    rc=$?
    if [ $rc -ne 0 ] && grep -F -- "$2" "$tmp/said" | grep -qF -- "$3"; then
        echo "ok: $1 refuses: $3"
    else
        wrong=$((wrong + 1))
        echo "WRONG: $1 (exit $rc) should have said '$2 ... $3', but said:"
        sed 's/^/    /' "$tmp/said"
    fi
}

# pass CHECK WHAT: the check accepts the tree.
pass() {
    cases=$((cases + 1))
    if "$here/$1.sh" "$tmp/tree" "$tmp/build" >"$tmp/said" 2>&1; then
        echo "ok: $1 accepts: $2"
    else
        wrong=$((wrong + 1))
        echo "WRONG: $1 refuses $2:"
        sed 's/^/    /' "$tmp/said"
    fi
}

archive() {
    rm -f "$tmp/build/.libs/libproto.a" "$tmp/build/.libs/libbase.a"
    printf '%s\n' "$1" >"$tmp/p.c"
    printf '%s\n' "$2" >"$tmp/b.c"
    for unit in p b; do
        $CC -w -O1 -fPIC -c -o "$tmp/$unit.o" "$tmp/$unit.c" || exit 1
    done
    ar rc "$tmp/build/.libs/libproto.a" "$tmp/p.o" || exit 1
    ar rc "$tmp/build/.libs/libbase.a" "$tmp/b.o" || exit 1
}

shared() {
    printf '%s\n' "$2" >"$tmp/s.c"
    $CC -w -shared -fPIC -o "$tmp/build/$1" "$tmp/s.c" || exit 1
}

append() {
    file=$1
    shift
    printf '%s\n' "$@" >>"$tmp/tree/$file"
}

# ---- style
fresh
pass style "a clean tree"
for call in sprintf strcpy strcat strtok atoi alloca system popen rand usleep signal; do
    fresh
    append core/proto/a.c "" "int b(void) { return $call(0); }"
    expect style core/proto/a.c:8: "$call()"
done
fresh
append core/proto/a.c "" "/* sprintf(x) */" 'const char *t = "sprintf(x) // no";' \
    "" "int c(struct q *q)" "{" "    return q->rand(1) + my_rand(2);" "}"
pass style "names of banned calls in comments and strings"
fresh
append core/proto/a.c "int z; // why"
expect style core/proto/a.c:7: "//"
fresh
append core/proto/a.c "$(printf '/*\t*/')"
expect style core/proto/a.c:7: "tab"
fresh
append core/proto/a.c "int z; "
expect style core/proto/a.c:7: "trailing space"
fresh
append core/proto/a.c "/* $(printf '%0100d' 0) */"
expect style core/proto/a.c:7: "longer than 100 columns"
fresh
append core/proto/a.c "/* TO""DO: more */"
expect style core/proto/a.c:7: "unfinished"
fresh
yes '' | head -n 500 >>"$tmp/tree/core/proto/a.c"
expect style core/proto/a.c:501: "longer than 500 lines"
fresh
sed -i 1d "$tmp/tree/core/proto/a.h"
expect style core/proto/a.h:1: "does not open with a comment"
fresh
sed -i 's/^#define A_H/#define B_H/' "$tmp/tree/core/proto/a.h"
expect style core/proto/a.h:1: "no header guard"
fresh
cp "$tmp/tree/core/proto/a.h" "$tmp/tree/core/proto/b.h"
expect style core/proto/b.h:1: "also that of core/proto/a.h"
fresh
append tools/allow.txt "call core/proto/a.c rand because"
expect style tools/allow.txt:2: "no longer calls rand"
fresh
append core/proto/a.c "" "int b(void)" "{" "    return rand(0);" "}"
append tools/allow.txt "call core/proto/a.c rand because"
pass style "an allowed call"
fresh
printf '%s\n' '#!/bin/sh' 'sleep 5' >"$tmp/tree/tools/x.sh"
expect style tools/x.sh:2: "sleep"
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
    fresh
    append core/proto/a.c "int  z ;"
    expect style core/proto/a.c:7: "not as clang-format"
else
    echo "layout not tried: clang-format 14 is not here"
fi

# ---- purity: includes and names
pure='int a(int x) { return x; }'
fresh
archive "$pure" "$pure"
pass purity "a clean tree"
for name in '"edge/loop.h"' '"host/conf.h"' '<time.h>' '<stdlib.h>' '<pthread.h>' '"a.h"'; do
    fresh
    archive "$pure" "$pure"
    append core/proto/a.c "#include $name"
    expect purity core/proto/a.c:7: "may not include $name"
done
for line in 'base "proto/a.h"' 'base <sys/socket.h>' 'edge "host/conf.h"' \
    'host "cli/cmd.h"' 'host <nats/nats.h>' 'cli <nats/nats.h>' 'cli "../../plugins/x.h"'; do
    fresh
    archive "$pure" "$pure"
    printf '%s\n' "#include ${line#* }" >"$tmp/tree/core/${line%% *}/x.c"
    expect purity "core/${line%% *}/x.c:1:" "may not include ${line#* }"
done
fresh
archive "$pure" "$pure"
append plugins/kafka.c '#include "base/must.h"'
expect purity plugins/kafka.c:3: 'plugins may not include "base/must.h"'
fresh
archive "$pure" "$pure"
append core/proto/a.c 'static double share;'
expect purity core/proto/a.c:7: "floating point"
for text in '"kafka"' '"plugin = kafka\n"' '"plugins/kafka.so"'; do
    fresh
    archive "$pure" "$pure"
    printf '%s\n' "const char *t = $text;" >"$tmp/tree/core/host/x.c"
    expect purity core/host/x.c:1: "names the plugin kafka"
done
append tools/allow.txt "plugin core/host/x.c kafka because"
pass purity "an allowed name"
fresh
archive "$pure" "$pure"
append core/proto/a.c '/* "kafka" */' 'const char *t = "reads from kafka";'
pass purity "a plugin's name in a comment and in prose"
append tools/allow.txt "plugin core/proto/a.c kafka because"
expect purity tools/allow.txt:2: "no longer names kafka"

# ---- purity: symbols
for call in time clock_gettime socket malloc free pthread_create open write getenv \
    random printf qsort; do
    fresh
    archive "int $call(); int a(int x) { return $call(x) + 1; }" "$pure"
    expect purity 'libproto.a[p.o]' "may not call $call"
done
fresh
archive 'int b(int); int a(int x) { return b(x) + 1; }' \
    'int time(); int b(int x) { return time() + x; }'
expect purity 'libbase.a[b.o]' "may not call time"
fresh
archive 'int a(int x) { return x; }' 'int time(); int b(int x) { return time() + x; }'
pass purity "a part of base that proto does not draw in"
fresh
archive 'int seen; int a(int x) { return seen += x; }' "$pure"
expect purity 'libproto.a[p.o]' "writable state: seen"
fresh
archive 'static int seen = 3; int a(int x) { return seen += x; }' "$pure"
expect purity 'libproto.a[p.o]' "writable state: seen"
fresh
archive 'const char *const t[] = {"a", "b"}; int a(int x) { return t[x][0]; }' "$pure"
pass purity "a constant table"
fresh
expect purity libproto.a "run make first"

# ---- purity: the engine of consuming under the same rules
consume() { # CODE: core/consume/e.c and its archive
    fresh
    archive "$pure" "$pure"
    mkdir -p "$tmp/tree/core/consume"
    printf '%s\n' '#include "base/must.h"' "int e;" >"$tmp/tree/core/consume/e.c"
    printf '%s\n' "$1" >"$tmp/e.c"
    $CC -w -O1 -fPIC -c -o "$tmp/e.o" "$tmp/e.c" || exit 1
    ar rc "$tmp/build/.libs/libconsume.a" "$tmp/e.o" || exit 1
}
consume "$pure"
pass purity "a clean core/consume"
consume 'int malloc(); int e(int x) { return malloc(x); }'
expect purity 'libconsume.a[e.o]' "consume may not call malloc"
consume 'int seen; int e(int x) { return seen += x; }'
expect purity 'libconsume.a[e.o]' "writable state: seen"
for name in '"proto/types.h"' '"edge/loop.h"' '<time.h>'; do
    consume "$pure"
    append core/consume/e.c "#include $name"
    expect purity core/consume/e.c:3: "may not include $name"
done
consume "$pure"
append core/consume/e.c 'static double share;'
expect purity core/consume/e.c:3: "no floating point in consume"

# ---- symbols
fresh
shared plugins/.libs/x.so 'int parti_plugin_v1(void) { return 0; }'
pass symbols "a plugin with its one entry"
shared plugins/.libs/x.so 'int parti_plugin_v1(void) { return 0; } int helper;'
expect symbols plugins/x.so: "exports 'helper parti_plugin_v1'"
fresh
printf '%s\n' 'libparti_la_SOURCES = x.c' >"$tmp/tree/core/host/Makefile.inc"
printf '%s\n' '/* int parti_not(void); */' 'int parti_open(void);' >"$tmp/tree/sdk/parti.h"
expect symbols libparti.so "run make first"
shared .libs/libparti.so 'int parti_open(void) { return 0; }'
pass symbols "a library that exports what its header declares"
shared .libs/libparti.so 'int parti_open(void) { return 0; } int node_step;'
expect symbols libparti.so "does not declare: node_step"
shared .libs/libparti.so 'static int x; int *node_x(void) { return &x; }'
expect symbols libparti.so "does not export what parti.h declares: parti_open"

# ---- codes
coded() {
    fresh
    mkdir -p "$tmp/tree/man" "$tmp/tree/tests/unit"
    echo 'X(100, ERR_A, "it fails")' >"$tmp/tree/core/base/errors.def"
    echo 'int code = ERR_A;' >"$tmp/tree/core/edge/x.c"
    echo '.SS PARTI\-E100: it fails' >"$tmp/tree/man/parti-errors.7"
    echo 'int code = ERR_A;' >"$tmp/tree/tests/x.c"
}
coded
pass codes "a code with its section and its test"
echo 'const char *want = "PARTI-E100 it fails";' >"$tmp/tree/tests/x.c"
pass codes "a test that knows the code by its number"
echo '/* ERR_A, PARTI-E100 */' >"$tmp/tree/tests/x.c"
echo '# PARTI-E100' >"$tmp/tree/tests/x.sh"
echo 'int code = ERR_A;' >"$tmp/tree/tests/unit/test_errors.c"
expect codes core/base/errors.def:1: "PARTI-E100 has no test that provokes it"
coded
echo '.SS PARTI\-E1000: it fails' >"$tmp/tree/man/parti-errors.7"
expect codes core/base/errors.def:1: "PARTI-E100 has no section"
coded
echo '/* ERR_A */' >"$tmp/tree/core/edge/x.c"
expect codes core/base/errors.def:1: "PARTI-E100 is given nowhere"
coded
: >"$tmp/tree/core/base/errors.def"
expect codes core/base/errors.def:1: "no code is found"

printf '{"target":"refusals","cases":%d,"wrong":%d}\n' $cases $wrong
[ $wrong -eq 0 ]
