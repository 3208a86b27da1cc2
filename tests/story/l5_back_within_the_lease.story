# L5: a worker that died and is back under its id within its lease: nothing moves; the
# old session is dropped and the new one granted in the same head, after the lease.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
crash w0
run 100
join w0
run 2500
expect:
[  3101] w0 > link up
[  3101] w0 > state Init -> ClaimingID
[  3101] w0 > state ClaimingID -> Election
[  3130] w0 > candidate
[  3134] w0 > follow: there may be a leader
[  3194] w0 > leader worker-2, term 1
[  3194] w0 > state Election -> WaitingAssignment
[  3195] w2 > join heard from host
[  3216] w0 > apply epoch 2 (cold_start)
[  4115] w2 > worker-0 expired, back as a new session
[  4115] w2 > plan (leave): 6 partitions, 3 workers
[  4115] w2 > state Stable -> Rebalancing
[  4117] w2 > write head 3 (leave)
[  4119] w1 > apply epoch 3 (leave)
[  4119] w2 > apply epoch 3 (leave)
[  4119] w2 > head 3 acked: 3 members, 0 pending, 0 unowned
[  4119] w2 > state Rebalancing -> Stable
[  4119] w2 > state Stable -> Scaling
[  4121] w0 > apply epoch 3 (leave)
[  4121] w0 > id worker-0
[  4150] w0 > app: takes 0 1 (epoch 3)
[  4150] w0 > state WaitingAssignment -> Stable
[  4150] w0 > state Stable -> Scaling
[  4150] w1 > state Stable -> Scaling
[  4619] w2 > plan (scale): 6 partitions, 3 workers
[  4619] w2 > state Scaling -> Rebalancing
[  4619] w2 > nothing moves
[  4619] w2 > state Rebalancing -> Stable
[  4660] w0 > state Scaling -> Stable
[  4660] w1 > state Scaling -> Stable
