# W3, L4: a fourth worker comes.  Partitions are revoked first, released, and then
# granted; what does not move is not touched.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
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
[  3615] w2 > app: has stopped 5 (epoch 4)
[  3616] w2 > write head 5 (release)
[  3618] w0 > apply epoch 5 (release)
[  3618] w1 > apply epoch 5 (release)
[  3618] w2 > apply epoch 5 (release)
[  3618] w3 > apply epoch 5 (release)
[  3618] w3 > app: takes 5 (epoch 5)
[  3618] w2 > head 5 acked: 4 members, 0 pending, 0 unowned
[  3618] w2 > state Rebalancing -> Stable
[  3619] w0 > state Rebalancing -> Stable
[  3619] w1 > state Rebalancing -> Stable
[  3619] w3 > state Rebalancing -> Stable
