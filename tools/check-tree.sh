#!/bin/sh
# Runs the tests under a sanitizer or valgrind, for 'make check-asan' and its sisters.
# Usage: check-tree.sh asan|tsan|valgrind [TEST ...]     in a configured build tree
#
# The sanitizers build a tree of their own, _asan or _tsan, below this one; valgrind runs
# those programs of this tree that are named.  SIM_SEEDS says how many seeds to simulate.
#
# Every process writes what is found in it into a file of its own in _KIND/found: also
# one that a test kills, and whose exit status would tell nothing.  Each of these files
# is a finding, whatever the tests say.
# The last line is a JSON object; exit status 0 only if nothing failed and nothing was
# found.
set -u

kind=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$here/.." && pwd)
top=$(pwd)
tree=$top/_$kind
found=$tree/found
jobs=$(nproc 2>/dev/null || echo 2)
began=$(date +%s)
more=0

# A test that takes a second here took a tenth of it before.
CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-10}
export CK_TIMEOUT_MULTIPLIER

# last_line PASSED FAILED SKIPPED FINDINGS: ends with 0 only if it may.
last_line() {
    printf '{"target":"check-%s","passed":%d,"failed":%d,"skipped":%d,"findings":%d' \
        "$kind" "$1" "$2" "$3" "$4"
    printf ',"sim_seeds":%d,"seconds":%d}\n' "$SIM_SEEDS" $(($(date +%s) - began))
    [ "$2" -eq 0 ] && [ "$4" -eq 0 ] && [ "$1" -gt 0 ]
    exit
}

# fail WHY: before any test has run.
fail() {
    echo "check-$kind: $1"
    last_line 0 1 0 0
}

# Valgrind names a place for each of its errors, and none for its warnings.
findings() {
    case $kind in
    valgrind) grep -lE '^==[0-9]+== +(at|by) 0x' "$found"/* 2>/dev/null ;;
    *) find "$found" -type f -size +0 ;;
    esac | sort
}

finish() {
    count=$(sh "$here/count.sh" "$1")
    numbers=$(echo "$count" | tail -n 1)
    echo "$count" | sed '$d' | while IFS= read -r log; do
        echo "---- $log"
        tail -n 40 "$log"
    done
    files=$(findings)
    for file in $files; do
        echo "---- $file"
        head -n 60 "$file"
    done
    # shellcheck disable=SC2086
    set -- $numbers "$(echo "$files" | grep -c .)"
    # make failed without a failed test: what it runs did not even build.
    [ "$rc" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3" "$4"
    last_line $(($1 + more)) "$2" "$3" "$4"
}

sanitized() {
    [ ! -f "$src/config.status" ] ||
        fail "the source folder is configured; build in a folder of its own"
    # The same options as here; the later --enable-sanitize wins.
    options=$(./config.status --config) || fail "this folder is not configured"
    eval "set -- $options --enable-sanitize=$1"
    if [ -z "$(find "$tree/config.status" -newer "$src/configure" 2>/dev/null)" ]; then
        echo "check-$kind: configuring $tree"
        (cd "$tree" && "$src/configure" -q "$@" >configure.out 2>&1) || {
            tail -n 20 "$tree/configure.out"
            fail "configure does not end well"
        }
    fi
    # The servers that the tests of this tree use.
    [ ! -d servers ] || [ -e "$tree/servers" ] || ln -s ../servers "$tree/servers"
    find "$tree" -name '*.trs' -exec rm -f '{}' +
    cd "$tree" && make -s -j"$jobs" all && make -s -j"$jobs" check TESTS= >/dev/null &&
        $around make --no-print-directory -k check
    rc=$?
    finish "$tree"
}

case $kind in
asan | tsan | valgrind) ;;
*)
    echo "check-tree.sh: asan, tsan or valgrind, not '$kind'"
    exit 2
    ;;
esac
rm -rf "$found"
mkdir -p "$found" || exit 1
around=
case $kind in
asan)
    SIM_SEEDS=${SIM_SEEDS:-60}
    ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
    ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$found/report
    LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
    UBSAN_OPTIONS=print_stacktrace=1:log_path=$found/report
    export SIM_SEEDS ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
    sanitized address,undefined
    ;;
tsan)
    # The simulator has one thread: nothing to find in it here.
    SIM_SEEDS=${SIM_SEEDS:-4}
    TSAN_OPTIONS=suppressions=$here/tsan.supp:die_after_fork=0:second_deadlock_stack=1
    TSAN_OPTIONS=$TSAN_OPTIONS:log_path=$found/report
    export SIM_SEEDS TSAN_OPTIONS
    # gcc 12's runtime does not know the wider randomisation of newer kernels.
    if setarch -R true 2>/dev/null; then
        around="setarch -R"
    fi
    sanitized thread
    ;;
valgrind)
    SIM_SEEDS=${SIM_SEEDS:-2}
    export SIM_SEEDS
    command -v valgrind >/dev/null || fail "valgrind is not installed"
    # Leaks that are possible only are what threads own that still run at the exit.
    cat >"$tree/run" <<end || exit 1
#!/bin/sh
exec valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \\
    --errors-for-leak-kinds=definite --suppressions='$here/valgrind.supp' \\
    --log-file='$found/report.%p' "\$@"
end
    chmod 755 "$tree/run" || exit 1
    wrap="./libtool --mode=execute $tree/run"
    PARTI_TEST_UNDER=$tree/run
    export PARTI_TEST_UNDER
    # Programs, no scripts, and nothing that times real processes.
    tests=
    parti=
    for test in "$@"; do
        case $test in
        # These only start parti, which runs under valgrind then.
        */test_cli_files | */test_cli_plan) parti="$parti $test" ;;
        tests/edge/* | tests/chaos/* | tests/bench/* | tests/cli/*) ;;
        *) [ -f "$src/$test" ] || tests="$tests $test" ;;
        esac
    done
    find . -name '*.trs' -not -path './_*' -exec rm -f '{}' +
    make --no-print-directory -k check TESTS="$tests" LOG_COMPILER="$wrap"
    rc=$?
    [ -z "$parti" ] || make --no-print-directory -k check TESTS="$parti" || rc=1
    # The scripts that were left out run these, with arguments; each counts as one more.
    also() {
        [ -x "$1" ] || return 0
        if $wrap "$@"; then
            more=$((more + 1))
        else
            rc=1
        fi
    }
    also tests/sim/sim --seeds "$SIM_SEEDS" --minutes 10 --jobs 1
    also tests/story/story "$src"/tests/story/*.story
    finish "$top"
    ;;
esac
