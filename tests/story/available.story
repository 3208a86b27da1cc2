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
[  3468] w0 > candidate
[  3710] w2 > worker-0 expired
[  3710] w2 > plan (emergency): 6 partitions, 2 workers
[  3710] w2 > state Stable -> Emergency
[  3714] w2 > write head 3 (emergency)
[  3716] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[  3716] w2 > state Emergency -> Stable
[  3718] w1 > apply epoch 3 (emergency)
[  3718] w1 > app: takes 0 (epoch 3)
[  3718] w2 > apply epoch 3 (emergency)
[  3718] w2 > app: takes 1 (epoch 3)
[  4893] w0 > follow: the log does not answer
[  5089] w0 > apply epoch 3 (emergency)
[  5089] w0 > session lost: the head has no such session any more
[  5089] w0 > fenced at 5089: the head has no such session any more
[  5089] w0 > state Stable -> ClaimingID
[  5089] w0 > state ClaimingID -> Election
[  5089] w0 > state Election -> WaitingAssignment
[  5090] w2 > join heard from host
[  5110] w2 > write head 4 (join)
[  5112] w0 > apply epoch 4 (join)
[  5112] w0 > id worker-0
[  5112] w0 > state WaitingAssignment -> Stable
[  5112] w1 > apply epoch 4 (join)
[  5112] w2 > apply epoch 4 (join)
[  5112] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  5112] w2 > state Stable -> Scaling
[  5143] w0 > state Stable -> Scaling
[  5143] w1 > state Stable -> Scaling
[  5612] w2 > plan (scale): 6 partitions, 3 workers
[  5612] w2 > state Scaling -> Rebalancing
[  5618] w2 > write head 5 (scale)
[  5620] w2 > head 5 acked: 3 members, 2 pending, 0 unowned
[  5621] w0 > state Scaling -> Rebalancing
[  5621] w1 > state Scaling -> Rebalancing
[  5622] w0 > apply epoch 5 (scale)
[  5622] w1 > apply epoch 5 (scale)
[  5622] w1 > app: must stop 3 (epoch 5)
[  5622] w2 > apply epoch 5 (scale)
[  5622] w2 > app: must stop 5 (epoch 5)
[  5622] w1 > app: has stopped 3 (epoch 5)
[  5622] w2 > app: has stopped 5 (epoch 5)
[  5623] w2 > write head 6 (release)
[  5625] w0 > apply epoch 6 (release)
[  5625] w0 > app: takes 3 5 (epoch 6)
[  5625] w1 > apply epoch 6 (release)
[  5625] w2 > apply epoch 6 (release)
[  5625] w2 > head 6 acked: 3 members, 0 pending, 0 unowned
[  5625] w2 > state Rebalancing -> Stable
[  5626] w0 > state Rebalancing -> Stable
[  5626] w1 > state Rebalancing -> Stable
