# A worker that waits for an assignment sleeps through a takeover: the log tells it of a
# later term, whose leader it does not know yet.  WaitingAssignment to Election and back.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
tell
only w3
join w3
run 35
cut w3 out
run 100
pause w3 2001
cut w3 in
crash w2
run 2000
heal w3
run 500
expect:
[  3001] w3 > link up
[  3001] w3 > state Init -> ClaimingID
[  3001] w3 > state ClaimingID -> Election
[  3030] w3 > candidate
[  3034] w3 > follow: there may be a leader
[  3044] w3 > leader worker-2, term 1
[  3044] w3 > state Election -> WaitingAssignment
[  5136] w3 > candidate
[  5138] w3 > apply epoch 3 (emergency)
[  5140] w3 > follow: there may be a leader
[  5140] w3 > state WaitingAssignment -> Election
[  5259] w3 > leader worker-0, term 2
[  5259] w3 > state Election -> WaitingAssignment
[  5282] w3 > apply epoch 4 (join)
[  5282] w3 > id worker-3
[  5313] w3 > state WaitingAssignment -> Stable
[  5313] w3 > state Stable -> Scaling
