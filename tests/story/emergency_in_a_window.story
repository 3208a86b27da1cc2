# A window is open when a worker dies: the loss is acted on at once, and the newcomer is
# served with it.  Scaling, Emergency, Stable.
set cold_start_window 1000
set planned_scale_window 4000
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 6000
tell
join w3
run 200
crash w0
run 3000
expect:
[  6001] w3 > link up
[  6001] w3 > state Init -> ClaimingID
[  6001] w3 > state ClaimingID -> Election
[  6030] w3 > candidate
[  6034] w3 > follow: there may be a leader
[  6044] w3 > leader worker-2, term 1
[  6044] w3 > state Election -> WaitingAssignment
[  6045] w2 > join heard from host
[  6065] w2 > write head 3 (join)
[  6066] w3 > apply epoch 2 (cold_start)
[  6067] w0 > apply epoch 3 (join)
[  6067] w1 > apply epoch 3 (join)
[  6067] w2 > apply epoch 3 (join)
[  6067] w3 > apply epoch 3 (join)
[  6067] w3 > id worker-3
[  6067] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
[  6067] w2 > state Stable -> Scaling
[  6098] w0 > state Stable -> Scaling
[  6098] w1 > state Stable -> Scaling
[  6098] w3 > state WaitingAssignment -> Stable
[  6098] w3 > state Stable -> Scaling
[  7379] w2 > worker-0 expired
[  7379] w2 > plan (emergency): 6 partitions, 3 workers
[  7379] w2 > state Scaling -> Emergency
[  7381] w2 > write head 4 (emergency)
[  7383] w1 > apply epoch 4 (emergency)
[  7383] w2 > apply epoch 4 (emergency)
[  7383] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  7383] w2 > state Emergency -> Stable
[  7384] w1 > state Scaling -> Stable
[  7384] w3 > state Scaling -> Stable
[  7385] w3 > apply epoch 4 (emergency)
[  7385] w3 > app: takes 0 1 (epoch 4)
