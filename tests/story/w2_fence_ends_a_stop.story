# W2: a stop that is under way ends with the lease, and a later bit never brings back
# what was being given up: w0 is cut off while it takes long to stop, and gets what it
# still has by new grants.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
drain w0 3000
join w3
run 1000
cut w0
run 1100
heal w0
run 3000
expect:
[  3001] w3 > link up
[  3001] w3 > state Init -> ClaimingID
[  3001] w3 > state ClaimingID -> Election
[  3030] w3 > candidate
[  3034] w3 > follow: there may be a leader
[  3044] w3 > leader worker-2, term 1
[  3044] w3 > state Election -> WaitingAssignment
[  3045] w2 > join heard from host
[  3065] w2 > write head 3 (join)
[  3066] w3 > apply epoch 2 (cold_start)
[  3067] w0 > apply epoch 3 (join)
[  3067] w1 > apply epoch 3 (join)
[  3067] w2 > apply epoch 3 (join)
[  3067] w3 > apply epoch 3 (join)
[  3067] w3 > id worker-3
[  3067] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
[  3067] w2 > state Stable -> Scaling
[  3098] w0 > state Stable -> Scaling
[  3098] w1 > state Stable -> Scaling
[  3098] w3 > state WaitingAssignment -> Stable
[  3098] w3 > state Stable -> Scaling
[  3567] w2 > plan (scale): 6 partitions, 4 workers
[  3567] w2 > state Scaling -> Rebalancing
[  3571] w2 > write head 4 (scale)
[  3573] w0 > apply epoch 4 (scale)
[  3573] w1 > apply epoch 4 (scale)
[  3573] w2 > head 4 acked: 4 members, 1 pending, 0 unowned
[  3574] w0 > state Scaling -> Rebalancing
[  3574] w1 > state Scaling -> Rebalancing
[  3574] w3 > state Scaling -> Rebalancing
[  3575] w2 > apply epoch 4 (scale)
[  3575] w2 > app: must stop 5 (epoch 4)
[  3575] w3 > apply epoch 4 (scale)
[  3575] w2 > app: has stopped 5 (epoch 4)
[  3576] w2 > write head 5 (release)
[  3578] w0 > apply epoch 5 (release)
[  3578] w1 > apply epoch 5 (release)
[  3578] w2 > apply epoch 5 (release)
[  3578] w3 > apply epoch 5 (release)
[  3578] w3 > app: takes 5 (epoch 5)
[  3578] w2 > head 5 acked: 4 members, 0 pending, 0 unowned
[  3578] w2 > state Rebalancing -> Stable
[  3579] w0 > state Rebalancing -> Stable
[  3579] w1 > state Rebalancing -> Stable
[  3579] w3 > state Rebalancing -> Stable
[  4402] w0 > candidate
[  4777] w0 > fenced at 4927: the lease was not renewed
[  4927] w0 > state Stable -> Degraded
[  5100] w2 > worker-0 expired
[  5100] w2 > plan (emergency): 6 partitions, 3 workers
[  5100] w2 > state Stable -> Emergency
[  5104] w2 > write head 6 (emergency)
[  5106] w0 > apply epoch 6 (emergency)
[  5106] w0 > session lost: the head has no such session any more
[  5106] w0 > state Degraded -> WaitingAssignment
[  5106] w1 > apply epoch 6 (emergency)
[  5106] w2 > head 6 acked: 3 members, 0 pending, 0 unowned
[  5106] w2 > state Emergency -> Stable
[  5107] w2 > join heard from host
[  5107] w0 > follow: the leader lives
[  5108] w2 > apply epoch 6 (emergency)
[  5108] w2 > app: takes 0 (epoch 6)
[  5108] w3 > apply epoch 6 (emergency)
[  5108] w3 > app: takes 1 (epoch 6)
[  5127] w2 > write head 7 (join)
[  5129] w0 > apply epoch 7 (join)
[  5129] w0 > id worker-0
[  5129] w1 > apply epoch 7 (join)
[  5129] w2 > apply epoch 7 (join)
[  5129] w3 > apply epoch 7 (join)
[  5129] w2 > head 7 acked: 4 members, 0 pending, 0 unowned
[  5129] w2 > state Stable -> Scaling
[  5160] w0 > state WaitingAssignment -> Stable
[  5160] w0 > state Stable -> Scaling
[  5160] w1 > state Stable -> Scaling
[  5160] w3 > state Stable -> Scaling
[  5629] w2 > plan (scale): 6 partitions, 4 workers
[  5629] w2 > state Scaling -> Rebalancing
[  5633] w2 > write head 8 (scale)
[  5635] w1 > apply epoch 8 (scale)
[  5635] w2 > apply epoch 8 (scale)
[  5635] w2 > head 8 acked: 4 members, 1 pending, 0 unowned
[  5636] w0 > state Scaling -> Rebalancing
[  5636] w1 > state Scaling -> Rebalancing
[  5636] w3 > state Scaling -> Rebalancing
[  5637] w0 > apply epoch 8 (scale)
[  5637] w3 > apply epoch 8 (scale)
[  5637] w3 > app: must stop 5 (epoch 8)
[  5637] w3 > app: has stopped 5 (epoch 8)
[  5638] w2 > write head 9 (release)
[  5640] w0 > apply epoch 9 (release)
[  5640] w0 > app: takes 5 (epoch 9)
[  5640] w1 > apply epoch 9 (release)
[  5640] w2 > apply epoch 9 (release)
[  5640] w3 > apply epoch 9 (release)
[  5640] w2 > head 9 acked: 4 members, 0 pending, 0 unowned
[  5640] w2 > state Rebalancing -> Stable
[  5641] w0 > state Rebalancing -> Stable
[  5641] w1 > state Rebalancing -> Stable
[  5641] w3 > state Rebalancing -> Stable
