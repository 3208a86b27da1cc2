#!/bin/sh
# The ledger in its short form: 20,000 messages over 20 partitions, 4 workers, 10 changes of
# membership, where the stream keeps its messages and where acks take them.
set -u
build=${PARTI_BUILDDIR:-.}
src=${PARTI_SRCDIR:-.}
command -v python3 >/dev/null || { echo "short.sh: python3 is not here"; exit 77; }
server=$(ls -d "$build"/servers/*/nats-server 2>/dev/null | tail -n 1)
[ -n "$server" ] || server=$(PATH=$PATH:/usr/sbin command -v nats-server) ||
    { echo "short.sh: no nats-server"; exit 1; }

for retention in limits workqueue; do
    echo "$retention:"
    timeout 150 python3 -B "$src/tests/ledger/ledger.py" --build "$build" --messages 20000 \
        --changes 10 --partitions 20 --workers 4 --retention $retention \
        --server "$server" --seed 7 || exit 1
done
