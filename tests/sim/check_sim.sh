#!/bin/sh
# The simulator's part of `make check`: many seeds without a violation, the same seed twice
# gives the same run, and nothing grows over ten times as many rebalances as there are
# seeds (10,000 where nothing makes a step dear).
set -eu

sim=${PARTI_BUILDDIR:-.}/tests/sim/sim
seeds=${PARTI_SIM_SEEDS:-1000}

"$sim" --check-determinism --seeds 10 --minutes 10 --jobs 2
"$sim" --seeds "$seeds" --minutes 10 --jobs 2
"$sim" --form rebalances --rebalances "$((10 * seeds))" --seeds 1
"$sim" --form answers --minutes 60 --seeds 2 --jobs 2
"$sim" --form slow --minutes 60 --seeds 2 --jobs 2
