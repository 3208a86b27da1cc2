# The leader dies between the revoke and the grant: the next one finds the move in the
# log and finishes it.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
drain 1500
join w3
run 700
crash w2
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
[  3218] w0 > state Stable -> Scaling
[  3218] w1 > state Stable -> Scaling
[  3218] w3 > state WaitingAssignment -> Stable
[  3218] w3 > state Stable -> Scaling
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
[  4112] w0 > candidate
[  4116] w0 > follow: there may be a leader
[  4164] w1 > candidate
[  4170] w1 > won term 2
[  4172] w1 > state Rebalancing -> Stable
[  4173] w0 > leader worker-1, term 2
[  4173] w0 > state Rebalancing -> Stable
[  4173] w1 > leader worker-1, term 2
[  4173] w3 > leader worker-1, term 2
[  4173] w3 > state Rebalancing -> Stable
[  4180] w1 > loaded 6 partitions
[  4180] w1 > state Stable -> Rebalancing
[  4323] w0 > state Stable -> Rebalancing
[  4323] w3 > state Stable -> Rebalancing
[  5390] w1 > listed 6: 0 added, 0 removed, 0 reweighted
[  5392] w1 > worker-2 expired
[  5392] w1 > plan (emergency): 6 partitions, 3 workers
[  5392] w1 > state Rebalancing -> Emergency
[  5394] w1 > write head 5 (emergency)
[  5396] w0 > apply epoch 5 (emergency)
[  5396] w1 > apply epoch 5 (emergency)
[  5396] w1 > head 5 acked: 3 members, 0 pending, 0 unowned
[  5396] w1 > state Emergency -> Stable
[  5397] w0 > state Rebalancing -> Stable
[  5397] w3 > state Rebalancing -> Stable
[  5398] w3 > apply epoch 5 (emergency)
[  5398] w3 > app: takes 4 5 (epoch 5)
