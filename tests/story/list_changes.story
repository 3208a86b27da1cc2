# Partitions come and go.  One that goes is stopped before it leaves the lists, and one
# that comes back meanwhile keeps its obligation.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
drain 400
remove 0
run 600
add 0
run 200
add 6 7
run 3000
expect:
[  3000] w2 > listed 5: 0 added, 1 removed, 0 reweighted
[  3000] w2 > plan (refresh): 5 partitions, 3 workers
[  3000] w2 > state Stable -> Rebalancing
[  3002] w2 > write head 3 (refresh)
[  3004] w1 > apply epoch 3 (refresh)
[  3004] w2 > apply epoch 3 (refresh)
[  3004] w2 > head 3 acked: 3 members, 0 pending, 0 unowned
[  3004] w2 > state Rebalancing -> Stable
[  3006] w0 > apply epoch 3 (refresh)
[  3006] w0 > app: must stop 0 (epoch 3)
[  3406] w0 > app: has stopped 0 (epoch 3)
[  3600] w2 > listed 6: 1 added, 0 removed, 0 reweighted
[  3600] w2 > plan (refresh): 6 partitions, 3 workers
[  3600] w2 > state Stable -> Rebalancing
[  3602] w2 > write head 4 (refresh)
[  3604] w1 > apply epoch 4 (refresh)
[  3604] w2 > apply epoch 4 (refresh)
[  3604] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  3604] w2 > state Rebalancing -> Stable
[  3605] w0 > state Stable -> Rebalancing
[  3605] w1 > state Stable -> Rebalancing
[  3605] w0 > state Rebalancing -> Stable
[  3605] w1 > state Rebalancing -> Stable
[  3606] w0 > apply epoch 4 (refresh)
[  3606] w0 > app: takes 0 (epoch 4)
[  3800] w2 > listed 8: 2 added, 0 removed, 0 reweighted
[  4100] w2 > plan (refresh): 8 partitions, 3 workers
[  4100] w2 > state Stable -> Rebalancing
[  4104] w2 > write head 5 (refresh)
[  4106] w2 > apply epoch 5 (refresh)
[  4106] w2 > head 5 acked: 3 members, 0 pending, 0 unowned
[  4106] w2 > state Rebalancing -> Stable
[  4108] w0 > apply epoch 5 (refresh)
[  4108] w0 > app: takes 6 (epoch 5)
[  4108] w1 > apply epoch 5 (refresh)
[  4108] w1 > app: takes 7 (epoch 5)
