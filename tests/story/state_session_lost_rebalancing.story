# ownership = available: the same while partitions move.  Rebalancing to ClaimingID.
ownership available
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
drain 5000
tell
only w0
hide apply
hide write head
hide acked
hide join heard
join w3
run 700
cut w0 out
run 1500
heal w0
run 500
expect:
[  3163] w0 > state Stable -> Scaling
[  3641] w0 > state Scaling -> Rebalancing
[  3642] w0 > app: must stop 2 (epoch 4)
[  4399] w0 > session lost: the head has no such session any more
[  4399] w0 > fenced at 4399: the head has no such session any more
[  4399] w0 > state Rebalancing -> ClaimingID
[  4399] w0 > state ClaimingID -> Election
[  4399] w0 > state Election -> WaitingAssignment
[  5322] w0 > id worker-0
[  5322] w0 > state WaitingAssignment -> Stable
[  5322] w0 > state Stable -> Emergency
