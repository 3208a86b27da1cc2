#!/bin/sh
# The shipped examples as a user runs them, against a real nats-server: examples.py.
set -u
python=$(command -v python3) || { echo "skipped: there is no python3"; exit 77; }
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
exec "$python" "$PARTI_SRCDIR/tests/interop/examples.py"
