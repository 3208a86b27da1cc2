# W5: w0 is cut off until it is given up.  When it hears the head that has dropped it,
# it takes a new session and joins again; its number is free, so its id is the same.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
quiet
cut w0
run 4000
heal w0
tell
run 2500
expect:
[  7144] w0 > apply epoch 3 (emergency)
[  7144] w0 > session lost: the head has no such session any more
[  7144] w0 > state Degraded -> ClaimingID
[  7144] w0 > state ClaimingID -> Election
[  7144] w0 > state Election -> WaitingAssignment
[  7145] w2 > join heard from host
[  7165] w2 > write head 4 (join)
[  7167] w0 > apply epoch 4 (join)
[  7167] w0 > id worker-0
[  7167] w1 > apply epoch 4 (join)
[  7167] w2 > apply epoch 4 (join)
[  7167] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  7167] w2 > state Stable -> Scaling
[  7198] w0 > state WaitingAssignment -> Stable
[  7198] w0 > state Stable -> Scaling
[  7198] w1 > state Stable -> Scaling
[  7667] w2 > plan (scale): 6 partitions, 3 workers
[  7667] w2 > state Scaling -> Rebalancing
[  7673] w2 > write head 5 (scale)
[  7675] w2 > head 5 acked: 3 members, 2 pending, 0 unowned
[  7676] w0 > state Scaling -> Rebalancing
[  7676] w1 > state Scaling -> Rebalancing
[  7677] w0 > apply epoch 5 (scale)
[  7677] w1 > apply epoch 5 (scale)
[  7677] w1 > app: must stop 3 (epoch 5)
[  7677] w2 > apply epoch 5 (scale)
[  7677] w2 > app: must stop 5 (epoch 5)
[  7677] w1 > app: has stopped 3 (epoch 5)
[  7677] w2 > app: has stopped 5 (epoch 5)
[  7678] w2 > write head 6 (release)
[  7680] w0 > apply epoch 6 (release)
[  7680] w0 > app: takes 3 5 (epoch 6)
[  7680] w1 > apply epoch 6 (release)
[  7680] w2 > apply epoch 6 (release)
[  7680] w2 > head 6 acked: 3 members, 0 pending, 0 unowned
[  7680] w2 > state Rebalancing -> Stable
[  7681] w0 > state Rebalancing -> Stable
[  7681] w1 > state Rebalancing -> Stable
