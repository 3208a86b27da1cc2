# The leader leaves: it hands over what it has while it still leads, resigns, and the
# next one stands up without waiting for E.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
drain 60
stop w2
run 4000
expect:
[  3000] w2 > stop
[  3001] w2 > worker-2 wants to leave
[  3001] w2 > plan (leave): 6 partitions, 2 workers
[  3001] w2 > state Stable -> Rebalancing
[  3007] w2 > write head 3 (leave)
[  3009] w2 > head 3 acked: 3 members, 2 pending, 0 unowned
[  3010] w0 > state Stable -> Rebalancing
[  3010] w1 > state Stable -> Rebalancing
[  3011] w0 > apply epoch 3 (leave)
[  3011] w1 > apply epoch 3 (leave)
[  3011] w2 > apply epoch 3 (leave)
[  3011] w2 > app: must stop 4 5 (epoch 3)
[  3071] w2 > app: has stopped 4 5 (epoch 3)
[  3072] w2 > write head 4 (release)
[  3074] w0 > apply epoch 4 (release)
[  3074] w0 > app: takes 4 (epoch 4)
[  3074] w1 > apply epoch 4 (release)
[  3074] w1 > app: takes 5 (epoch 4)
[  3074] w2 > apply epoch 4 (release)
[  3074] w2 > state Rebalancing -> Shutdown
[  3074] w2 > resign
[  3118] w0 > candidate
[  3124] w0 > won term 2
[  3126] w0 > state Rebalancing -> Stable
[  3127] w0 > leader worker-0, term 2
[  3127] w1 > leader worker-0, term 2
[  3127] w1 > state Rebalancing -> Stable
[  3134] w0 > loaded 6 partitions
[  4344] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  4346] w0 > worker-2 expired
[  4346] w0 > write head 5 (drop)
[  4348] w0 > apply epoch 5 (drop)
[  4348] w1 > apply epoch 5 (drop)
[  4348] w0 > head 5 acked: 2 members, 0 pending, 0 unowned
[  5544] w0 > plan (refresh): 6 partitions, 2 workers
[  5544] w0 > state Stable -> Rebalancing
[  5544] w0 > nothing moves
[  5544] w0 > state Rebalancing -> Stable
