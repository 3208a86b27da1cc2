# W3: a fourth worker comes.  Partitions are revoked first, released, and then granted;
# what does not move is not touched.  Scaling, Rebalancing, Stable.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
tell
drain 40
join w3
run 1500
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
[  3567] w2 > plan (scale): 8 partitions, 4 workers
[  3567] w2 > state Scaling -> Rebalancing
[  3573] w2 > write head 4 (scale)
[  3575] w2 > apply epoch 4 (scale)
[  3575] w2 > head 4 acked: 4 members, 2 pending, 0 unowned
[  3576] w0 > state Scaling -> Rebalancing
[  3576] w1 > state Scaling -> Rebalancing
[  3576] w3 > state Scaling -> Rebalancing
[  3577] w0 > apply epoch 4 (scale)
[  3577] w0 > app: must stop 2 (epoch 4)
[  3577] w1 > apply epoch 4 (scale)
[  3577] w1 > app: must stop 5 (epoch 4)
[  3577] w3 > apply epoch 4 (scale)
[  3617] w0 > app: has stopped 2 (epoch 4)
[  3617] w1 > app: has stopped 5 (epoch 4)
[  3618] w2 > write head 5 (release)
[  3620] w0 > apply epoch 5 (release)
[  3620] w1 > apply epoch 5 (release)
[  3620] w2 > apply epoch 5 (release)
[  3620] w3 > apply epoch 5 (release)
[  3620] w3 > app: takes 2 5 (epoch 5)
[  3620] w2 > head 5 acked: 4 members, 0 pending, 0 unowned
[  3620] w2 > state Rebalancing -> Stable
[  3621] w0 > state Rebalancing -> Stable
[  3621] w1 > state Rebalancing -> Stable
[  3621] w3 > state Rebalancing -> Stable
