#!/bin/sh
# The shipped example for Kafka as a user runs it, against real servers, and what kcat reads
# of it: orders.py.
set -u
python=$(command -v python3) || { echo "skipped: there is no python3"; exit 77; }
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
exec "$python" "$PARTI_SRCDIR/tests/interop/orders.py"
