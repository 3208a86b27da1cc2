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
run 200
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
[  3200] w2 > listed 6: 1 added, 0 removed, 0 reweighted
[  3400] w2 > listed 8: 2 added, 0 removed, 0 reweighted
[  3406] w0 > app: has stopped 0 (epoch 3)
[  3500] w2 > plan (refresh): 8 partitions, 3 workers
[  3500] w2 > state Stable -> Rebalancing
[  3504] w2 > write head 4 (refresh)
[  3506] w2 > apply epoch 4 (refresh)
[  3506] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  3506] w2 > state Rebalancing -> Stable
[  3508] w0 > apply epoch 4 (refresh)
[  3508] w0 > app: takes 0 6 (epoch 4)
[  3508] w1 > apply epoch 4 (refresh)
[  3508] w1 > app: takes 7 (epoch 4)
