# A worker leaves for a restart and comes back under its id within the grace: its
# partitions wait for it.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
drain 30
stop w0 restart
run 1000
join w0
run 3000
expect:
[  3000] w0 > stop, to come back
[  3000] w0 > app: must stop 0 1 (epoch 2)
[  3030] w0 > app: has stopped 0 1 (epoch 2)
[  3031] w2 > write head 3 (leave)
[  3033] w0 > apply epoch 3 (leave)
[  3033] w0 > state Stable -> Shutdown
[  3033] w1 > apply epoch 3 (leave)
[  3033] w2 > apply epoch 3 (leave)
[  3033] w2 > head 3 acked: 3 members, 0 pending, 0 unowned
[  4001] w0 > link up
[  4001] w0 > state Init -> ClaimingID
[  4001] w0 > state ClaimingID -> Election
[  4030] w0 > candidate
[  4034] w0 > follow: there may be a leader
[  4084] w0 > leader worker-2, term 1
[  4084] w0 > state Election -> WaitingAssignment
[  4085] w2 > join heard from host
[  4106] w0 > apply epoch 3 (leave)
[  4115] w2 > worker-0 expired, back as a new session
[  4115] w2 > plan (leave): 6 partitions, 3 workers
[  4115] w2 > state Stable -> Rebalancing
[  4117] w2 > write head 4 (leave)
[  4119] w1 > apply epoch 4 (leave)
[  4119] w2 > apply epoch 4 (leave)
[  4119] w2 > head 4 acked: 3 members, 0 pending, 0 unowned
[  4119] w2 > state Rebalancing -> Stable
[  4119] w2 > state Stable -> Scaling
[  4121] w0 > apply epoch 4 (leave)
[  4121] w0 > id worker-0
[  4150] w0 > app: takes 0 1 (epoch 4)
[  4150] w0 > state WaitingAssignment -> Stable
[  4150] w0 > state Stable -> Scaling
[  4150] w1 > state Stable -> Scaling
[  4619] w2 > plan (scale): 6 partitions, 3 workers
[  4619] w2 > state Scaling -> Rebalancing
[  4619] w2 > nothing moves
[  4619] w2 > state Rebalancing -> Stable
[  4660] w0 > state Scaling -> Stable
[  4660] w1 > state Scaling -> Stable
