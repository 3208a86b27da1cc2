# The server is away from everybody for three seconds, all are fenced, the leader keeps
# its term.  Three seconds after it is back a worker is told to leave: that is taken up
# with its next heartbeat, and its partitions move at once.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
hide follow
unplug w0
unplug w1
unplug w2
run 3000
plug w0
plug w1
plug w2
run 3000
stop w0
run 4000
expect:
[  3000] w0 > link down
[  3000] w1 > link down
[  3000] w2 > link down
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3642] w1 > fenced at 3792: the lease was not renewed
[  3642] w2 > fenced at 3792: the lease was not renewed
[  3792] w0 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w1 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w2 > state Stable -> Degraded: fenced: the lease has ended
[  6000] w0 > link up
[  6000] w1 > link up
[  6000] w2 > link up
[  6194] w0 > app: takes 0 1 (epoch 2)
[  6194] w0 > state Degraded -> Stable
[  6194] w1 > app: takes 2 3 (epoch 2)
[  6194] w1 > state Degraded -> Stable
[  6194] w2 > app: takes 4 5 (epoch 2)
[  6194] w2 > state Degraded -> Stable
[  9000] w0 > stop
[  9001] w2 > worker-0 wants to leave
[  9001] w2 > plan (leave): 6 partitions, 2 workers
[  9001] w2 > state Stable -> Rebalancing
[  9007] w2 > write head 3 (leave)
[  9009] w2 > head 3 acked: 3 members, 2 pending, 0 unowned
[  9010] w0 > state Stable -> Rebalancing
[  9010] w1 > state Stable -> Rebalancing
[  9011] w0 > apply epoch 3 (leave)
[  9011] w0 > app: must stop 0 1 (epoch 3)
[  9011] w1 > apply epoch 3 (leave)
[  9011] w2 > apply epoch 3 (leave)
[  9011] w0 > app: has stopped 0 1 (epoch 3)
[  9012] w2 > write head 4 (release)
[  9014] w0 > apply epoch 4 (release)
[  9014] w0 > state Rebalancing -> Shutdown
[  9014] w1 > apply epoch 4 (release)
[  9014] w1 > app: takes 0 (epoch 4)
[  9014] w2 > apply epoch 4 (release)
[  9014] w2 > app: takes 1 (epoch 4)
[  9014] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  9014] w2 > state Rebalancing -> Stable
[  9015] w1 > state Rebalancing -> Stable
[ 10231] w2 > worker-0 expired
[ 10231] w2 > write head 5 (drop)
[ 10233] w1 > apply epoch 5 (drop)
[ 10233] w2 > apply epoch 5 (drop)
[ 10233] w2 > head 5 acked: 2 members, 0 pending, 0 unowned
