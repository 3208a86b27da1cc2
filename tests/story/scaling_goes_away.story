# A worker comes and goes while the window is open: Scaling, and Stable again without a
# move.
set cold_start_window 1000
set planned_scale_window 4000
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
join w3
run 1000
stop w3
run 3000
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
[  4000] w3 > stop
[  4001] w2 > worker-3 wants to leave
[  4001] w2 > plan (leave): 6 partitions, 3 workers
[  4001] w2 > state Scaling -> Rebalancing
[  4001] w2 > nothing moves
[  4001] w2 > write head 4 (leave)
[  4001] w2 > state Rebalancing -> Stable
[  4003] w0 > apply epoch 4 (leave)
[  4003] w1 > apply epoch 4 (leave)
[  4003] w2 > apply epoch 4 (leave)
[  4003] w3 > apply epoch 4 (leave)
[  4003] w3 > state Scaling -> Shutdown
[  4003] w2 > head 4 acked: 4 members, 0 pending, 0 unowned
[  4004] w0 > state Scaling -> Stable
[  4004] w1 > state Scaling -> Stable
[  5129] w2 > worker-3 expired
[  5129] w2 > write head 5 (drop)
[  5131] w0 > apply epoch 5 (drop)
[  5131] w1 > apply epoch 5 (drop)
[  5131] w2 > apply epoch 5 (drop)
[  5131] w2 > head 5 acked: 3 members, 0 pending, 0 unowned
