#!/bin/sh
# The simulator's part of `make check`: many seeds without a violation, and the same
# seed twice gives the same run.
set -eu

sim=${PARTI_BUILDDIR:-.}/tests/sim/sim
seeds=${PARTI_SIM_SEEDS:-1000}

"$sim" --check-determinism --seeds 10 --minutes 10 --jobs 2
"$sim" --seeds "$seeds" --minutes 10 --jobs 2
