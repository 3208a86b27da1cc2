# A newcomer leaves before it has got what was meant for it: what is being given up goes
# back home, by a new grant after it has stopped.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
drain 2000
join w3
run 700
stop w3
run 5000
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
[  3700] w3 > stop
[  3701] w2 > worker-3 wants to leave
[  3701] w2 > plan (leave): 6 partitions, 3 workers
[  3701] w2 > write head 5 (leave)
[  3703] w0 > apply epoch 5 (leave)
[  3703] w1 > apply epoch 5 (leave)
[  3703] w2 > apply epoch 5 (leave)
[  3703] w3 > apply epoch 5 (leave)
[  3703] w2 > head 5 acked: 4 members, 1 pending, 0 unowned
[  3707] w2 > write head 6 (leave)
[  3709] w0 > apply epoch 6 (leave)
[  3709] w1 > apply epoch 6 (leave)
[  3709] w2 > head 6 acked: 4 members, 0 pending, 0 unowned
[  3709] w2 > state Rebalancing -> Stable
[  3710] w0 > state Rebalancing -> Stable
[  3710] w1 > state Rebalancing -> Stable
[  3710] w3 > state Rebalancing -> Stable
[  3711] w2 > apply epoch 6 (leave)
[  3711] w3 > apply epoch 6 (leave)
[  3712] w2 > write head 7 (drop)
[  3714] w0 > apply epoch 7 (drop)
[  3714] w1 > apply epoch 7 (drop)
[  3714] w2 > apply epoch 7 (drop)
[  3714] w3 > apply epoch 7 (drop)
[  3714] w3 > state Stable -> Shutdown
[  3714] w2 > head 7 acked: 4 members, 0 pending, 0 unowned
[  4931] w2 > worker-3 expired
[  4931] w2 > write head 8 (drop)
[  4933] w0 > apply epoch 8 (drop)
[  4933] w1 > apply epoch 8 (drop)
[  4933] w2 > apply epoch 8 (drop)
[  4933] w2 > head 8 acked: 3 members, 0 pending, 0 unowned
[  5575] w2 > app: has stopped 5 (epoch 4)
[  5575] w2 > app: takes 5 (epoch 8)
