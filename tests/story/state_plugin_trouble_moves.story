# A strategy without an answer changes the word and nothing else: what the dead leader
# held is placed by hand, and the strategy is asked again.  The new leader finds out by
# itself whether its strategy answers.
set cold_start_window 500
set planned_scale_window 300
set min_rebalance_interval 500
set degraded_enter 1000
set degraded_exit 800
hide link
partitions 4
workers 3
quiet
run 2000
tell
plan fail
partitions 6
run 2000
crash w2
run 5000
plan ok
run 3000
expect:
[  2000] w2 > listed 6: 2 added, 0 removed, 0 reweighted
[  2235] w2 > plan (refresh): 6 partitions, 3 workers
[  2235] w2 > state Stable -> Rebalancing
[  2235] w2 > the strategy has no answer
[  2239] w2 > write head 3 (refresh)
[  2241] w0 > apply epoch 3 (refresh)
[  2241] w2 > head 3 acked: 3 members, 0 pending, 0 unowned
[  2241] w2 > state Rebalancing -> Stable
[  2243] w1 > apply epoch 3 (refresh)
[  2243] w1 > app: takes 4 (epoch 3)
[  2243] w2 > apply epoch 3 (refresh)
[  2243] w2 > app: takes 5 (epoch 3)
[  2735] w2 > plan (refresh): 6 partitions, 3 workers
[  2735] w2 > state Stable -> Rebalancing
[  2735] w2 > the strategy has no answer
[  2735] w2 > nothing moves
[  2735] w2 > state Rebalancing -> Stable
[  3235] w2 > plan (refresh): 6 partitions, 3 workers
[  3235] w2 > state Stable -> Degraded: the strategy has no answer
[  3235] w2 > the strategy has no answer
[  3235] w2 > nothing moves
[  3292] w0 > state Stable -> Degraded: the strategy has no answer
[  3292] w1 > state Stable -> Degraded: the strategy has no answer
[  3735] w2 > plan (refresh): 6 partitions, 3 workers
[  3735] w2 > the strategy has no answer
[  3735] w2 > nothing moves
[  4416] w0 > candidate
[  4422] w0 > won term 2
[  4424] w0 > state Degraded -> Stable
[  4425] w0 > leader worker-0, term 2
[  4425] w1 > leader worker-0, term 2
[  4425] w1 > state Degraded -> Stable
[  4432] w0 > loaded 6 partitions
[  5642] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  5644] w0 > worker-2 expired
[  5644] w0 > plan (emergency): 6 partitions, 2 workers
[  5644] w0 > state Stable -> Emergency
[  5644] w0 > the strategy has no answer
[  5648] w0 > write head 4 (emergency)
[  5650] w0 > head 4 acked: 2 members, 0 pending, 0 unowned
[  5650] w0 > state Emergency -> Stable
[  5652] w0 > apply epoch 4 (emergency)
[  5652] w0 > app: takes 3 (epoch 4)
[  5652] w1 > apply epoch 4 (emergency)
[  5652] w1 > app: takes 5 (epoch 4)
[  6144] w0 > plan (refresh): 6 partitions, 2 workers
[  6144] w0 > state Stable -> Rebalancing
[  6144] w0 > the strategy has no answer
[  6144] w0 > nothing moves
[  6144] w0 > state Rebalancing -> Stable
[  6644] w0 > plan (refresh): 6 partitions, 2 workers
[  6644] w0 > state Stable -> Degraded: the strategy has no answer
[  6644] w0 > the strategy has no answer
[  6644] w0 > nothing moves
[  6701] w1 > state Stable -> Degraded: the strategy has no answer
[  7144] w0 > plan (refresh): 6 partitions, 2 workers
[  7144] w0 > the strategy has no answer
[  7144] w0 > nothing moves
[  7644] w0 > plan (refresh): 6 partitions, 2 workers
[  7644] w0 > the strategy has no answer
[  7644] w0 > nothing moves
[  8144] w0 > plan (refresh): 6 partitions, 2 workers
[  8144] w0 > the strategy has no answer
[  8144] w0 > nothing moves
[  8644] w0 > plan (refresh): 6 partitions, 2 workers
[  8644] w0 > the strategy has no answer
[  8644] w0 > nothing moves
[  9144] w0 > plan (refresh): 6 partitions, 2 workers
[  9144] w0 > nothing moves
[  9944] w0 > state Degraded -> Stable
[ 10001] w1 > state Degraded -> Stable
