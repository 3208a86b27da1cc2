#!/bin/sh
# What an independent client reads of what Parti wrote: readback.py, with the official
# Python client of NATS, which pip puts into a folder of the build tree.
set -u
python=$(command -v python3) || { echo "skipped: there is no python3"; exit 77; }
clients=$PARTI_BUILDDIR/clients
if ! [ -e "$clients/complete" ]; then
    "$python" -m pip --version >/dev/null 2>&1 ||
        { echo "skipped: there is no pip (apt install python3-pip)"; exit 77; }
    rm -rf "$clients"
    if ! said=$("$python" -m pip install --quiet --disable-pip-version-check --no-input \
        --root-user-action=ignore --no-cache-dir --no-deps --only-binary :all: \
        --require-hashes --retries 1 --timeout 10 --target "$clients" \
        -r "$PARTI_SRCDIR/tests/interop/clients.txt" 2>&1); then
        rm -rf "$clients"
        printf 'skipped: pip cannot get nats-py, nothing was read back:\n%s\n' "$said"
        exit 77
    fi
    : >"$clients/complete"
fi
PYTHONPATH=$clients
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
exec "$python" "$PARTI_SRCDIR/tests/interop/readback.py"
