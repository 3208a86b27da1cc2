# L7: a process that wishes for the number of a living member dies after its first word.
# It is forgotten: when the member itself dies later that is a loss like any other, and
# its partitions go to those who live, not to a session that is no more.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
join w5 wish 0
run 75
crash w5
run 3000
crash w0
run 4000
expect:
[  3001] w5 > link up
[  3001] w5 > state Init -> ClaimingID
[  3001] w5 > state ClaimingID -> Election
[  3030] w5 > candidate
[  3034] w5 > follow: there may be a leader
[  3044] w5 > leader worker-2, term 1
[  3044] w5 > state Election -> WaitingAssignment
[  3045] w2 > join heard from host
[  3066] w5 > apply epoch 2 (cold_start)
[  7265] w2 > worker-0 expired
[  7265] w2 > plan (emergency): 6 partitions, 2 workers
[  7265] w2 > state Stable -> Emergency
[  7269] w2 > write head 3 (emergency)
[  7271] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[  7271] w2 > state Emergency -> Stable
[  7273] w1 > apply epoch 3 (emergency)
[  7273] w1 > app: takes 0 (epoch 3)
[  7273] w2 > apply epoch 3 (emergency)
[  7273] w2 > app: takes 1 (epoch 3)
