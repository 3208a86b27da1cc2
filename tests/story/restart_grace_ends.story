# A worker leaves for a restart and does not come back: when the grace has ended, its
# partitions go elsewhere.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
set restart_grace 2000
partitions 6
workers 3
quiet
run 3000
tell
stop w0 restart
run 5000
expect:
[  3000] w0 > stop, to come back
[  3000] w0 > app: must stop 0 1 (epoch 2)
[  3000] w0 > app: has stopped 0 1 (epoch 2)
[  3001] w2 > write head 3 (leave)
[  3003] w0 > apply epoch 3 (leave)
[  3003] w0 > state Stable -> Shutdown
[  3003] w1 > apply epoch 3 (leave)
[  3003] w2 > apply epoch 3 (leave)
[  3003] w2 > head 3 acked: 3 members, 0 pending, 0 unowned
[  5003] w2 > worker-0 expired
[  5003] w2 > plan (leave): 6 partitions, 2 workers
[  5003] w2 > state Stable -> Rebalancing
[  5007] w2 > write head 4 (leave)
[  5009] w2 > head 4 acked: 2 members, 0 pending, 0 unowned
[  5009] w2 > state Rebalancing -> Stable
[  5011] w1 > apply epoch 4 (leave)
[  5011] w1 > app: takes 0 (epoch 4)
[  5011] w2 > apply epoch 4 (leave)
[  5011] w2 > app: takes 1 (epoch 4)
