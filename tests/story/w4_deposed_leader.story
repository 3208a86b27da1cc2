# W4, L2: the leader is paused for 4 s.  Another takes over with the next term; when
# the old one wakes, nobody listens to it, and it follows.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
pause w2 4000
run 8000
expect:
[  3403] w0 > candidate
[  3409] w0 > won term 2
[  3412] w0 > leader worker-0, term 2
[  3412] w1 > leader worker-0, term 2
[  3419] w0 > loaded 6 partitions
[  4629] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  4631] w0 > worker-2 expired
[  4631] w0 > plan (emergency): 6 partitions, 2 workers
[  4631] w0 > state Stable -> Emergency
[  4635] w0 > write head 3 (emergency)
[  4637] w0 > head 3 acked: 2 members, 0 pending, 0 unowned
[  4637] w0 > state Emergency -> Stable
[  4639] w0 > apply epoch 3 (emergency)
[  4639] w0 > app: takes 4 (epoch 3)
[  4639] w1 > apply epoch 3 (emergency)
[  4639] w1 > app: takes 5 (epoch 3)
[  7000] w2 > fenced at 3792: the lease was not renewed
[  7000] w2 > state Stable -> Degraded: fenced: the lease has ended
[  7000] w2 > leader worker-0, term 2
[  7000] w2 > follow: a higher term is heard
[  7000] w2 > apply epoch 3 (emergency)
[  7000] w2 > session lost: the head has no such session any more
[  7000] w2 > state Degraded -> ClaimingID
[  7000] w2 > state ClaimingID -> Election
[  7000] w2 > state Election -> WaitingAssignment
[  7001] w0 > join heard from host
[  7021] w0 > write head 4 (join)
[  7023] w0 > apply epoch 4 (join)
[  7023] w1 > apply epoch 4 (join)
[  7023] w2 > apply epoch 4 (join)
[  7023] w2 > id worker-2
[  7023] w0 > head 4 acked: 3 members, 0 pending, 0 unowned
[  7023] w0 > state Stable -> Scaling
[  7054] w1 > state Stable -> Scaling
[  7054] w2 > state WaitingAssignment -> Stable
[  7054] w2 > state Stable -> Scaling
[  7523] w0 > plan (scale): 6 partitions, 3 workers
[  7523] w0 > state Scaling -> Rebalancing
[  7529] w0 > write head 5 (scale)
[  7531] w0 > head 5 acked: 3 members, 2 pending, 0 unowned
[  7532] w1 > state Scaling -> Rebalancing
[  7532] w2 > state Scaling -> Rebalancing
[  7533] w0 > apply epoch 5 (scale)
[  7533] w0 > app: must stop 4 (epoch 5)
[  7533] w1 > apply epoch 5 (scale)
[  7533] w1 > app: must stop 5 (epoch 5)
[  7533] w2 > apply epoch 5 (scale)
[  7533] w0 > app: has stopped 4 (epoch 5)
[  7533] w1 > app: has stopped 5 (epoch 5)
[  7534] w0 > write head 6 (release)
[  7536] w0 > apply epoch 6 (release)
[  7536] w1 > apply epoch 6 (release)
[  7536] w2 > apply epoch 6 (release)
[  7536] w2 > app: takes 4 5 (epoch 6)
[  7536] w0 > head 6 acked: 3 members, 0 pending, 0 unowned
[  7536] w0 > state Rebalancing -> Stable
[  7537] w1 > state Rebalancing -> Stable
[  7537] w2 > state Rebalancing -> Stable
