#!/bin/sh
# The ledger in its short form: 20,000 messages over 20 partitions, 4 workers, 10 changes of
# membership, where the stream keeps its messages and where acks take them; not every message
# is done at once, and in the second run the handlers have several of a partition.
set -u
build=${PARTI_BUILDDIR:-.}
src=${PARTI_SRCDIR:-.}
command -v python3 >/dev/null || { echo "short.sh: python3 is not here"; exit 77; }
server=$(ls -d "$build"/servers/*/nats-server 2>/dev/null | tail -n 1)
[ -n "$server" ] || server=$(PATH=$PATH:/usr/sbin command -v nats-server) ||
    { echo "short.sh: no nats-server"; exit 1; }

# ledger OPTION...
ledger() {
    out=$(timeout 150 python3 -B "$src/tests/ledger/ledger.py" --build "$build" \
        --messages 20000 --changes 10 --partitions 20 --workers 4 --server "$server" \
        --seed 7 --trouble "$@" 2>&1)
    rc=$?
    printf '%s\n' "$*:" "$out"
    [ $rc -eq 0 ] || exit 1
    for kind in naked hopeless termed silent dead; do # what did not occur was not judged
        echo "$out" | grep -q "\"$kind\": [1-9]" || { echo "short.sh: no $kind"; exit 1; }
    done
}

# Side by side: each has a server, a group and a folder of its own, and mostly waits.
ledger --retention limits & first=$!
ledger --retention workqueue --deliver 8 --commands 4 & second=$!
wrong=0
wait $first || wrong=1
wait $second || wrong=1
exit $wrong
