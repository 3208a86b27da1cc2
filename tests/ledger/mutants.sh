#!/bin/sh
# Workers with a fault that somebody has put in: the judge must find it, and it must be the
# fault that was put in.
set -u
build=${PARTI_BUILDDIR:-.}
src=${PARTI_SRCDIR:-.}
command -v python3 >/dev/null || { echo "mutants.sh: python3 is not here"; exit 77; }
server=$(PATH=$PATH:/usr/sbin command -v nats-server) ||
    { echo "mutants.sh: no nats-server"; exit 1; }

# mutant NAME FAULT OPTION...: the fault must have been found.  --commands 0: workers over
# libparti, 1: under `parti run`.
mutant() {
    name=$1
    fault=$2
    shift 2
    out=$(timeout 120 python3 -B "$src/tests/ledger/ledger.py" --build "$build" \
        --messages 4000 --changes 3 --partitions 8 --workers 3 --server "$server" \
        --seed 3 --kinds stop --mutant "$name" "$@" 2>&1)
    rc=$?
    json=$(echo "$out" | sed -n 's/^{"target"/&/p')
    [ $rc -eq 1 ] && [ -n "$json" ] ||
        { echo "$out"; echo "mutants.sh: $name $*: exit status $rc"; exit 1; }
    n=$(echo "$json" | sed -n "s/.*\"$fault\": \([0-9]*\),.*/\1/p")
    [ "${n:-0}" -gt 0 ] && { echo "$name $*: $fault $n"; return; }
    echo "$json"
    echo "mutants.sh: $name $* was judged, but not for: $fault"
    exit 1
}

# Side by side, in two heats: each has a server, a group and a folder of its own, and mostly
# waits.
wrong=0
await() {
    for pid in $pids; do
        wait "$pid" || wrong=1
    done
    pids=
}

pids=
mutant skip lost --commands 0 & pids="$pids $!"
mutant early lost --commands 0 & pids="$pids $!"
mutant blind overlaps --commands 0 & pids="$pids $!"
mutant twice after_ack --commands 0 & pids="$pids $!"
mutant jump out_of_order --commands 0 & pids="$pids $!"
await
mutant naked lost --commands 2 --trouble & pids="$pids $!"
mutant unburied unburied --commands 2 --trouble & pids="$pids $!"
mutant deadly dead_wrongly --commands 2 --trouble & pids="$pids $!"
mutant overtake lost --commands 0 --trouble --deliver 8 & pids="$pids $!"
mutant twice after_ack --commands 1 & pids="$pids $!"
await
[ $wrong -eq 0 ]
