# A worker leaves for good: it drains, its partitions move on its release, its session
# leaves the head when its lease has ended.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
drain 60
stop w0
run 3000
expect:
[  3000] w0 > stop
[  3001] w2 > worker-0 wants to leave
[  3001] w2 > plan (leave): 6 partitions, 2 workers
[  3001] w2 > state Stable -> Rebalancing
[  3007] w2 > write head 3 (leave)
[  3009] w2 > head 3 acked: 3 members, 2 pending, 0 unowned
[  3010] w0 > state Stable -> Rebalancing
[  3010] w1 > state Stable -> Rebalancing
[  3011] w0 > apply epoch 3 (leave)
[  3011] w0 > app: must stop 0 1 (epoch 3)
[  3011] w1 > apply epoch 3 (leave)
[  3011] w2 > apply epoch 3 (leave)
[  3071] w0 > app: has stopped 0 1 (epoch 3)
[  3072] w2 > write head 4 (release)
[  3074] w0 > apply epoch 4 (release)
[  3074] w0 > state Rebalancing -> Shutdown
[  3074] w1 > apply epoch 4 (release)
[  3074] w1 > app: takes 0 (epoch 4)
[  3074] w2 > apply epoch 4 (release)
[  3074] w2 > app: takes 1 (epoch 4)
[  3074] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  3074] w2 > state Rebalancing -> Stable
[  3075] w1 > state Rebalancing -> Stable
[  4231] w2 > worker-0 expired
[  4231] w2 > write head 5 (drop)
[  4233] w1 > apply epoch 5 (drop)
[  4233] w2 > apply epoch 5 (drop)
[  4233] w2 > head 5 acked: 2 members, 0 pending, 0 unowned
