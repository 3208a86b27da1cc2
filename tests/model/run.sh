#!/bin/sh
# Searches the models of the protocol with spin, and shows that each mutant of them is found out.
#   run.sh short   what `make model` runs: under a minute on one core, under 4 GB
#   run.sh long    larger bounds, `make model-long`: README.md has the time and memory it takes
#   run.sh check   short, for `make check`: without spin it says so and exits 77 (skipped)
# A model must be exhausted (every state stored in full) without an error, and each thing that
# it can show must have happened in it; a mutant must break the very property that its line
# names. Exit status 0 only then. The last line is a JSON object.
set -u
LC_ALL=C
export LC_ALL

form=${1-short}
case $form in
short | long | check) ;;
*) echo "usage: run.sh [short | long | check]" >&2; exit 2 ;;
esac

models=$(cd "$(dirname "$0")" && pwd) || exit 1
build=${PARTI_BUILDDIR-$(pwd)}
compiler=${CC-gcc}

if ! command -v spin >/dev/null 2>&1; then
    if [ "$form" = check ]; then
        echo "SKIPPED: the models of the protocol were not searched, for spin is not installed" \
            "(Debian: apt-get install spin)."
        exit 77
    fi
    echo "run.sh: spin is needed to search the models and is not installed" \
        "(Debian: apt-get install spin)." >&2
    exit 1
fi
if ! command -v "${compiler%% *}" >/dev/null 2>&1; then
    echo "run.sh: the C compiler '$compiler', needed to build spin's searcher, was not found;" \
        "set CC." >&2
    exit 1
fi

work=$build/model.$$.tmp
mkdir "$work" || exit 1
cleanup() { cd / && rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1

n_models=0 n_mutants=0 n_refuted=0 n_states=0 violations=0
began=$(date +%s)
row='%-6s %-62s %9s %6s %6s  %-17s  %s\n'

# search MODEL "SPIN FLAGS" "GCC FLAGS" "PAN FLAGS": sets states, seconds, mb and found, which is
# 'no error', the property that was broken, or what went wrong.
search() {
    states=0 seconds=0 mb=0 found=
    rm -f pan*
    # $2, $3, $4 and the compiler are lists of words on purpose.
    # shellcheck disable=SC2086
    if ! spin $2 -a "$models/$1.pml" >spin.out 2>&1; then
        cat spin.out >&2
        found='spin failed'
        return
    fi
    # shellcheck disable=SC2086
    if ! $compiler -w -DSAFETY $3 -o pan pan.c >gcc.out 2>&1; then
        cat gcc.out >&2
        found='compiler failed'
        return
    fi
    # shellcheck disable=SC2086
    ./pan $4 >pan.out 2>&1
    ended=$?
    states=$(sed -n 's/^ *\([0-9][0-9]*\) states, stored.*/\1/p' pan.out)
    seconds=$(sed -n 's/^pan: elapsed time \([0-9.e+]*\) seconds.*/\1/p' pan.out)
    errors=$(sed -n 's/^State-vector.*errors: \([0-9][0-9]*\).*/\1/p' pan.out)
    mb=$(sed -n 's/^ *\([0-9]*\)[0-9.]*.total actual memory usage.*/\1/p' pan.out)
    states=${states:-0} seconds=${seconds:-0} mb=${mb:-0}
    if grep -q 'assertion violated' pan.out; then
        found=$(sed -n 's/.*assertion violated *!(\([a-z_]*\)).*/\1/p' pan.out | head -n 1)
        found=${found:-"other assertion"}
    elif [ "${errors:-1}" != 0 ] || ! grep -q '^Full statespace search' pan.out ||
        grep -Eq 'not completed|too small|out of memory|memory limit|Hash-Compact' pan.out; then
        found="not exhausted (pan ended with $ended)"
        tail -n 3 pan.out >&2
    else
        found='no error'
    fi
}

report() { # MODEL FLAGS EXPECTED
    verdict=ok
    if [ "$found" != "$3" ]; then
        verdict="WRONG: $found"
        violations=$((violations + 1))
    fi
    n_states=$((n_states + states))
    # shellcheck disable=SC2059
    printf "$row" "$1" "$2" "$states" "$seconds" "$mb" "$3" "$verdict"
}

# model NAME "FLAGS" "PAN FLAGS": must be exhausted without an error
model() {
    search "$1" "$2" "-O2 -DMEMLIM=$memory" "$3"
    n_models=$((n_models + 1))
    report "$1" "$2" 'no error'
    sed -n 's/^fires: //p' pan.out >>"fired.$1"
}

# mutant NAME BUG "FLAGS" PROPERTY: must break that property. Breadth first, so the trace that
# is found is a shortest one; hash compaction can only lose states, not find a false error.
mutant() {
    search "$1" "-DBUG_$2 $3" "-O0 -DBFS -DHC4 -DMEMLIM=$memory" "-w22"
    n_mutants=$((n_mutants + 1))
    if [ "$found" = "$4" ]; then n_refuted=$((n_refuted + 1)); fi
    report "$1" "BUG_$2 $3" "$4"
}

# all_fired NAME FILE...: whatever the sources of a model can show happened in some run of it
all_fired() {
    name=$1
    shift
    for event in $(cat "$@" | tr -c 'a-z_()' '\n' | sed -n 's/^fires(\([a-z_]*\)).*/\1/p' |
        grep -vx what | sort -u); do
        if ! grep -qx "$event" "fired.$name"; then
            echo "$name: '$event' never happened in a search, so nothing was shown about it"
            violations=$((violations + 1))
        fi
    done
}

# shellcheck disable=SC2059
printf "$row" model flags states s MB expected actual
small='-DNO_AWAY -DNO_UNLIST'

if [ "$form" = long ]; then
    memory=14000
    model lease '-DEPOCHS=4 -DRECKON -DFIRES' '-m1000000 -w26'
    model lease '-DEPOCHS=3 -DOLD=2 -DRECKON' '-m1000000 -w26'
    model lease '-DEPOCHS=3 -DA=1 -DRECKON' '-m1000000 -w24'
    model lease '-DEPOCHS=3 -DA=3 -DRECKON' '-m1000000 -w24'
    model lease '-DEPOCHS=3 -DL=3 -DRECKON' '-m1000000 -w26'
    model lease '-DEPOCHS=4 -DBUG_W4' '-m1000000 -w26'
    model move '-DE=4 -DLEAVERS=1 -DLIVE' '-m1000000 -w26'
    model move '-DE=4 -DTOKENS -DNO_AWAY' '-m1000000 -w26'
    model move '-DE=3 -DLEAVERS=7' '-m1000000 -w26'
    model move '-DE=3 -DLEAVERS=1 -DOLD=2' '-m1000000 -w26'
    model move '-DE=3 -DLEAVERS=1 -DA=1' '-m1000000 -w24'
    model move '-DE=3 -DLEAVERS=1 -DA=3' '-m1000000 -w24'
    model move '-DE=5 -DREJOIN -DLIVE -DFIRES' '-m1000000 -w26'
    model move '-DE=5 -DREJOIN -DTOKENS' '-m1000000 -w26'
    model move '-DE=5 -DREJOIN -DAWAY_NOWAIT' '-m1000000 -w26'
    model move '-DE=4 -DREJOIN -DBUG_AWAY_HOLDS -DAWAY_UNJUDGED' '-m1000000 -w24'
    model move '-DE=4 -DREJOIN -DBUG_BIT_BY_ID' '-m1000000 -w24'
else
    memory=3500
    model lease '-DEPOCHS=3 -DRECKON -DFIRES' '-m200000 -w24'
    model move '-DE=3 -DNO_AWAY -DLIVE' '-m200000 -w23'
    model move '-DE=4 -DREJOIN -DLIVE -DTOKENS -DFIRES' '-m200000 -w24'
fi
all_fired lease "$models/lease.pml"
all_fired move "$models"/move*.pml

for bug in NO_BARRIER ANCHOR NO_AUTHORITY NO_CAP LATE_BIT NO_WAIT W1 UNPROVEN; do
    mutant lease $bug '-DEPOCHS=3' two_hold_p
done
for bug in NO_FROM ANY_RELEASE RETARGET W1 NO_BARRIER NO_WAIT PARK REVIVE PIPELINE; do
    mutant move $bug "-DE=3 $small" two_hold_p
done
mutant move DROP_TARGET "-DE=4 $small" two_hold_p
mutant move BORN_ZERO "-DE=4 $small -DREJOIN" two_hold_p
mutant move OLD_REPORT "-DE=4 $small -DREJOIN" two_hold_p
mutant move REPLACE_NOW "-DE=3 $small -DREJOIN" two_hold_p
mutant move NO_HASH "-DE=5 $small -DREJOIN -DNO_PARK -DNO_LAG -DNO_TAKEOVER" two_hold_p
mutant move UNLIST '-DE=4 -DNO_AWAY -DNO_TAKEOVER' two_hold_p
mutant move UNLIST_FROM '-DE=5 -DREJOIN -DNO_AWAY -DNO_TAKEOVER' two_hold_p
mutant move AWAY_HOLDS '-DE=4 -DREJOIN' holds_while_away
mutant move AWAY_HOLDS '-DE=4 -DREJOIN -DAWAY_UNJUDGED -DAWAY_NOWAIT' two_hold_p
mutant move AWAY_PROMISE '-DE=4 -DREJOIN' holds_while_away
mutant move AWAY_EARLY '-DE=4 -DREJOIN' holds_while_away
mutant move BIT_BY_ID '-DE=4 -DREJOIN -DAWAY_NOWAIT' two_hold_p
mutant move SAME_SLOT "-DE=3 $small" newest_unreadable
mutant move FROM_FOREVER "-DE=3 $small -DLIVE" not_recovered

seconds=$(($(date +%s) - began))
echo
if [ $violations = 0 ]; then
    echo "$n_models models exhausted without an error, $n_refuted of $n_mutants mutants refuted," \
        "$n_states states, $seconds s"
else
    echo "$violations expectations not met: see the lines marked WRONG or 'never happened'"
fi
printf '{"target":"model","models":%d,"mutants":%d,"refuted":%d,' $n_models $n_mutants $n_refuted
printf '"states":%d,"seconds":%d,"violations":%d}\n' $n_states $seconds $violations
[ $violations = 0 ]
