# A worker that knows a leader but cannot reach it, then nothing at all, then the leader:
# WaitingAssignment to Degraded and back.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
set degraded_enter 500
set degraded_exit 300
partitions 8
workers 3
quiet
run 3000
tell
only w3
hide apply
hide write head
hide acked
hide join heard
join w3
run 35
cut w3 out
run 500
unplug w3
run 1000
plug w3
run 500
heal w3
run 1200
expect:
[  3001] w3 > link up
[  3001] w3 > state Init -> ClaimingID
[  3001] w3 > state ClaimingID -> Election
[  3030] w3 > candidate
[  3034] w3 > follow: there may be a leader
[  3044] w3 > leader worker-2, term 1
[  3044] w3 > state Election -> WaitingAssignment
[  3535] w3 > link down
[  4035] w3 > state WaitingAssignment -> Degraded: disconnected
[  4535] w3 > link up
[  4835] w3 > state Degraded -> WaitingAssignment
[  5158] w3 > id worker-3
[  5189] w3 > state WaitingAssignment -> Stable
[  5189] w3 > state Stable -> Scaling
[  5667] w3 > state Scaling -> Rebalancing
[  5671] w3 > app: takes 2 5 (epoch 5)
[  5672] w3 > state Rebalancing -> Stable
