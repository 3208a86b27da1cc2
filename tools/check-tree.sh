#!/bin/sh
# Runs the tests under a sanitizer or valgrind, for 'make check-asan' and its sisters.
# Usage: check-tree.sh asan|tsan|valgrind [TEST ...]     in a configured build tree
#
# The sanitizers build a tree of their own, _asan or _tsan, below this one; valgrind runs
# those programs of this tree that are named.  SIM_SEEDS says how many seeds to simulate.
# The last line is a JSON object; exit status 0 only if nothing failed.
set -u

kind=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$here/.." && pwd)
top=$(pwd)
jobs=$(nproc 2>/dev/null || echo 2)
began=$(date +%s)

# A test that takes a second here took a tenth of it before.
CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-10}
export CK_TIMEOUT_MULTIPLIER

finish() {
    count=$(sh "$here/count.sh" "$1")
    numbers=$(echo "$count" | tail -n 1)
    echo "$count" | sed '$d' | while IFS= read -r log; do
        echo "---- $log"
        tail -n 40 "$log"
    done
    set -- $numbers
    # make failed without a failed test: what it runs did not even build.
    [ "$rc" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
    set -- $(($1 + more)) "$2" "$3"
    printf '{"target":"check-%s","passed":%d,"failed":%d,"skipped":%d,"seconds":%d}\n' \
        "$kind" "$1" "$2" "$3" $(($(date +%s) - began))
    [ "$2" -eq 0 ] && [ "$1" -gt 0 ]
    exit
}

sanitized() {
    tree=$top/_$kind
    if [ -f "$src/config.status" ]; then
        echo "check-$kind: the source folder is configured; build in a folder of its own"
        exit 1
    fi
    mkdir -p "$tree" || exit 1
    # The same options as here; the later --enable-sanitize wins.
    options=$(./config.status --config) || exit 1
    eval "set -- $options --enable-sanitize=$1"
    if [ -z "$(find "$tree/config.status" -newer "$src/configure" 2>/dev/null)" ]; then
        echo "check-$kind: configuring $tree"
        (cd "$tree" && "$src/configure" -q "$@" >configure.out 2>&1) || {
            tail -n 20 "$tree/configure.out"
            exit 1
        }
    fi
    find "$tree" -name '*.trs' -exec rm -f '{}' +
    cd "$tree" && make -s -j"$jobs" all && make -s -j"$jobs" check TESTS= >/dev/null &&
        $around make --no-print-directory -k check
    rc=$?
    finish "$tree"
}

around=
more=0
case $kind in
asan)
    ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
    LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
    UBSAN_OPTIONS=print_stacktrace=1
    export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
    sanitized address,undefined
    ;;
tsan)
    # The simulator has one thread: nothing to find in it here.
    SIM_SEEDS=${SIM_SEEDS:-4}
    TSAN_OPTIONS=suppressions=$here/tsan.supp:die_after_fork=0:second_deadlock_stack=1
    export SIM_SEEDS TSAN_OPTIONS
    # gcc 12's runtime does not know the wider randomisation of newer kernels.
    if setarch -R true 2>/dev/null; then
        around="setarch -R"
    fi
    sanitized thread
    ;;
valgrind)
    command -v valgrind >/dev/null || {
        echo "check-valgrind: valgrind is not installed"
        exit 1
    }
    wrap="./libtool --mode=execute valgrind -q --error-exitcode=99 --leak-check=full"
    wrap="$wrap --errors-for-leak-kinds=definite --suppressions=$here/valgrind.supp"
    # Programs, no scripts, and nothing that times real processes.
    tests=
    for test in "$@"; do
        case $test in
        tests/edge/* | tests/chaos/* | tests/bench/*) ;;
        *) [ -f "$src/$test" ] || tests="$tests $test" ;;
        esac
    done
    find . -name '*.trs' -not -path './_*' -exec rm -f '{}' +
    make --no-print-directory -k check TESTS="$tests" LOG_COMPILER="$wrap"
    rc=$?
    # The scripts that were left out run these, with arguments; each counts as one more.
    also() {
        [ -x "$1" ] || return 0
        if $wrap "$@"; then
            more=$((more + 1))
        else
            rc=1
        fi
    }
    also tests/sim/sim --seeds "${SIM_SEEDS:-2}" --minutes 10 --jobs 1
    also tests/story/story "$src"/tests/story/*.story
    finish .
    ;;
*)
    echo "check-tree.sh: asan, tsan or valgrind, not '$kind'"
    exit 2
    ;;
esac
