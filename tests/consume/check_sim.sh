#!/bin/sh
# The consuming simulator's part of `make check`: many seeds without a violation.
# CONSUME_SEEDS=n sets how many.  The last line is a JSON object.
set -eu

exec "${PARTI_BUILDDIR:-.}/tests/consume/sim_consume" --seeds "${CONSUME_SEEDS:-2000}"
