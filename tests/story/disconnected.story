# The connection of a worker is gone for long: fenced, Degraded; back, it has lost its
# session and joins again.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
set degraded_enter 2000
partitions 6
workers 3
quiet
run 3000
tell
unplug w0
run 6000
plug w0
run 8000
expect:
[  3000] w0 > link down
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3792] w0 > state Stable -> Degraded: fenced: the lease has ended
[  4115] w2 > worker-0 expired
[  4115] w2 > plan (emergency): 6 partitions, 2 workers
[  4115] w2 > state Stable -> Emergency
[  4119] w2 > write head 3 (emergency)
[  4121] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[  4121] w2 > state Emergency -> Stable
[  4123] w1 > apply epoch 3 (emergency)
[  4123] w1 > app: takes 0 (epoch 3)
[  4123] w2 > apply epoch 3 (emergency)
[  4123] w2 > app: takes 1 (epoch 3)
[  9000] w0 > link up
[  9094] w0 > apply epoch 3 (emergency)
[  9094] w0 > session lost: the head has no such session any more
[  9094] w0 > state Degraded -> ClaimingID
[  9094] w0 > state ClaimingID -> Election
[  9094] w0 > state Election -> WaitingAssignment
[  9095] w2 > join heard from host
[  9115] w2 > write head 4 (join)
[  9117] w0 > apply epoch 4 (join)
[  9117] w0 > id worker-0
[  9117] w1 > apply epoch 4 (join)
[  9117] w2 > apply epoch 4 (join)
[  9117] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  9117] w2 > state Stable -> Scaling
[  9148] w0 > state WaitingAssignment -> Stable
[  9148] w0 > state Stable -> Scaling
[  9148] w1 > state Stable -> Scaling
[  9617] w2 > plan (scale): 6 partitions, 3 workers
[  9617] w2 > state Scaling -> Rebalancing
[  9623] w2 > write head 5 (scale)
[  9625] w2 > head 5 acked: 3 members, 2 pending, 0 unowned
[  9626] w0 > state Scaling -> Rebalancing
[  9626] w1 > state Scaling -> Rebalancing
[  9627] w0 > apply epoch 5 (scale)
[  9627] w1 > apply epoch 5 (scale)
[  9627] w1 > app: must stop 3 (epoch 5)
[  9627] w2 > apply epoch 5 (scale)
[  9627] w2 > app: must stop 5 (epoch 5)
[  9627] w1 > app: has stopped 3 (epoch 5)
[  9627] w2 > app: has stopped 5 (epoch 5)
[  9628] w2 > write head 6 (release)
[  9630] w0 > apply epoch 6 (release)
[  9630] w0 > app: takes 3 5 (epoch 6)
[  9630] w1 > apply epoch 6 (release)
[  9630] w2 > apply epoch 6 (release)
[  9630] w2 > head 6 acked: 3 members, 0 pending, 0 unowned
[  9630] w2 > state Rebalancing -> Stable
[  9631] w0 > state Rebalancing -> Stable
[  9631] w1 > state Rebalancing -> Stable
