# L2, W4: w0 takes over with term 2 and dies before it renews.  A newcomer that has heard
# of no term reads the lease of term 1 from a server that lags behind: with that it would
# be a second leader of term 2.  Its write is refused, it reads again and leads term 3.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 2
quiet
run 3000
tell
crash w1
run 500
crash w0
run 200
join w5
run 300
stale lease
run 3000
expect:
[  3407] w0 > candidate
[  3413] w0 > won term 2
[  3416] w0 > leader worker-0, term 2
[  3421] w0 > loaded 6 partitions
[  3701] w5 > link up
[  3701] w5 > state Init -> ClaimingID
[  3701] w5 > state ClaimingID -> Election
[  3709] w5 > candidate
[  3713] w5 > follow: there may be a leader
[  4495] w5 > candidate
[  4505] w5 > follow: the log has another writer
[  5289] w5 > candidate
[  5295] w5 > won term 3
[  5295] w5 > state Election -> WaitingAssignment
[  5298] w5 > leader , term 3
[  5298] w5 > join heard from host
[  5299] w5 > apply epoch 2 (cold_start)
[  5303] w5 > loaded 6 partitions
[  5318] w5 > write head 3 (join)
[  5320] w5 > apply epoch 3 (join)
[  5320] w5 > id worker-5
[  5320] w5 > head 3 acked: 3 members, 0 pending, 0 unowned
[  5321] w5 > leader worker-5, term 3
[  5351] w5 > state WaitingAssignment -> Stable
[  6515] w5 > state Stable -> Scaling
[  6515] w5 > listed 6: 0 added, 0 removed, 0 reweighted
[  6517] w5 > worker-0 expired
[  6517] w5 > worker-1 expired
[  6517] w5 > plan (emergency): 6 partitions, 1 workers
[  6517] w5 > state Scaling -> Emergency
[  6519] w5 > write head 4 (emergency)
[  6521] w5 > head 4 acked: 1 members, 0 pending, 0 unowned
[  6521] w5 > state Emergency -> Stable
[  6523] w5 > apply epoch 4 (emergency)
[  6523] w5 > app: takes 0 1 2 3 4 5 (epoch 4)
