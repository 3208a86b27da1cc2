# ownership = available: the same while another one is lost.  Emergency to ClaimingID.
ownership available
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
drain 8000
tell
only w0
hide apply
hide write head
hide acked
hide join heard
join w3
join w4
run 700
crash w4
run 1000
cut w0 out
run 1500
heal w0
run 500
expect:
[  3163] w0 > state Stable -> Scaling
[  3643] w0 > state Scaling -> Rebalancing
[  3644] w0 > app: must stop 2 (epoch 4)
[  4400] w0 > state Rebalancing -> Emergency
[  5457] w0 > session lost: the head has no such session any more
[  5457] w0 > fenced at 5457: the head has no such session any more
[  5457] w0 > state Emergency -> ClaimingID
[  5457] w0 > state ClaimingID -> Election
[  5457] w0 > state Election -> WaitingAssignment
[  6380] w0 > id worker-0
[  6380] w0 > state WaitingAssignment -> Stable
[  6380] w0 > state Stable -> Emergency
