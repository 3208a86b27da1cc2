# ownership = available: a worker that hears nobody keeps working, its partitions are
# granted on suspicion: two work on one partition, by different tokens.
ownership available
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
cut w0
run 2000
heal w0
run 3000
expect:
[  3403] w0 > candidate
[  3650] w2 > worker-0 expired
[  3650] w2 > plan (emergency): 6 partitions, 2 workers
[  3650] w2 > state Stable -> Emergency
[  3654] w2 > write head 3 (emergency)
[  3656] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[  3656] w2 > state Emergency -> Stable
[  3658] w1 > apply epoch 3 (emergency)
[  3658] w1 > app: takes 0 (epoch 3)
[  3658] w2 > apply epoch 3 (emergency)
[  3658] w2 > app: takes 1 (epoch 3)
[  4403] w0 > follow: the log does not answer
[  4921] w0 > candidate
[  5007] w0 > follow: the leader lives
[  5029] w0 > apply epoch 3 (emergency)
[  5029] w0 > session lost: the head has no such session any more
[  5029] w0 > fenced at 5029: the head has no such session any more
[  5029] w0 > state Stable -> ClaimingID
[  5029] w0 > state ClaimingID -> Election
[  5029] w0 > state Election -> WaitingAssignment
[  5030] w2 > join heard from host
[  5050] w2 > write head 4 (join)
[  5052] w0 > apply epoch 4 (join)
[  5052] w0 > id worker-0
[  5052] w0 > state WaitingAssignment -> Stable
[  5052] w1 > apply epoch 4 (join)
[  5052] w2 > apply epoch 4 (join)
[  5052] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  5052] w2 > state Stable -> Scaling
[  5203] w0 > state Stable -> Scaling
[  5203] w1 > state Stable -> Scaling
[  5552] w2 > plan (scale): 6 partitions, 3 workers
[  5552] w2 > state Scaling -> Rebalancing
[  5558] w2 > write head 5 (scale)
[  5560] w2 > head 5 acked: 3 members, 2 pending, 0 unowned
[  5561] w0 > state Scaling -> Rebalancing
[  5561] w1 > state Scaling -> Rebalancing
[  5562] w0 > apply epoch 5 (scale)
[  5562] w1 > apply epoch 5 (scale)
[  5562] w1 > app: must stop 3 (epoch 5)
[  5562] w2 > apply epoch 5 (scale)
[  5562] w2 > app: must stop 5 (epoch 5)
[  5562] w1 > app: has stopped 3 (epoch 5)
[  5562] w2 > app: has stopped 5 (epoch 5)
[  5563] w2 > write head 6 (release)
[  5565] w0 > apply epoch 6 (release)
[  5565] w0 > app: takes 3 5 (epoch 6)
[  5565] w1 > apply epoch 6 (release)
[  5565] w2 > apply epoch 6 (release)
[  5565] w2 > head 6 acked: 3 members, 0 pending, 0 unowned
[  5565] w2 > state Rebalancing -> Stable
[  5566] w0 > state Rebalancing -> Stable
[  5566] w1 > state Rebalancing -> Stable
