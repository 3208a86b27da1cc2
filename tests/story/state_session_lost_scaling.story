# ownership = available, nobody fences: a worker is given up while nobody hears it, and
# learns of it later.  Scaling to ClaimingID.
ownership available
set cold_start_window 1000
set planned_scale_window 6000
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
tell
only w0
hide apply
hide write head
hide acked
hide join heard
join w3
run 500
cut w0 out
run 1500
heal w0
run 500
expect:
[  3163] w0 > state Stable -> Scaling
[  4130] w0 > session lost: the head has no such session any more
[  4130] w0 > fenced at 4130: the head has no such session any more
[  4130] w0 > state Scaling -> ClaimingID
[  4130] w0 > state ClaimingID -> Election
[  4130] w0 > state Election -> WaitingAssignment
[  5053] w0 > id worker-0
[  5053] w0 > state WaitingAssignment -> Stable
[  5084] w0 > state Stable -> Scaling
