#!/bin/sh
# Workers with a fault that somebody has put in: the judge must find it, and it must be the
# fault that was put in.
set -u
build=${PARTI_BUILDDIR:-.}
src=${PARTI_SRCDIR:-.}
command -v python3 >/dev/null || { echo "mutants.sh: python3 is not here"; exit 77; }
server=$(PATH=$PATH:/usr/sbin command -v nats-server) ||
    { echo "mutants.sh: no nats-server"; exit 1; }

# mutant NAME FAULT...: one of the faults at least must have been found.
mutant() {
    name=$1
    shift
    out=$(timeout 120 python3 -B "$src/tests/ledger/ledger.py" --build "$build" \
        --messages 4000 --changes 3 --partitions 8 --workers 3 --server "$server" \
        --seed 3 --kinds stop --mutant "$name" 2>&1)
    rc=$?
    json=$(echo "$out" | sed -n 's/^{"target"/&/p')
    [ $rc -eq 1 ] && [ -n "$json" ] ||
        { echo "$out"; echo "mutants.sh: $name: exit status $rc"; exit 1; }
    for fault in "$@"; do
        n=$(echo "$json" | sed -n "s/.*\"$fault\": \([0-9]*\),.*/\1/p")
        [ "${n:-0}" -gt 0 ] && { echo "$name: $fault $n"; return; }
    done
    echo "$json"
    echo "mutants.sh: $name was judged, but not for: $*"
    exit 1
}

# Side by side: each has a server, a group and a folder of its own, and mostly waits.
pids=
mutant skip lost & pids="$pids $!"
mutant early lost & pids="$pids $!"
mutant blind overlaps & pids="$pids $!"
mutant twice after_ack & pids="$pids $!"
mutant jump out_of_order & pids="$pids $!"
wrong=0
for pid in $pids; do
    wait "$pid" || wrong=1
done
[ $wrong -eq 0 ]
