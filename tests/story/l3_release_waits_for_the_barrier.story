# L3: the leader dies between the revoke and the grant.  The next one finds the moves in
# the log and finishes them; what is released before its barrier ends is granted when it
# has ended.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
drain 1500
join w3
run 700
tell
hide state
crash w2
run 3000
expect:
[  4091] w0 > candidate
[  4097] w0 > won term 2
[  4100] w0 > leader worker-0, term 2
[  4100] w1 > leader worker-0, term 2
[  4100] w3 > leader worker-0, term 2
[  4109] w0 > loaded 8 partitions
[  5077] w0 > app: has stopped 2 (epoch 4)
[  5077] w1 > app: has stopped 5 (epoch 4)
[  5317] w0 > write head 5 (release)
[  5317] w0 > listed 8: 0 added, 0 removed, 0 reweighted
[  5319] w0 > apply epoch 5 (release)
[  5319] w0 > worker-2 expired
[  5319] w0 > plan (emergency): 8 partitions, 3 workers
[  5319] w1 > apply epoch 5 (release)
[  5319] w3 > apply epoch 5 (release)
[  5319] w3 > app: takes 2 5 (epoch 5)
[  5319] w0 > head 5 acked: 4 members, 0 pending, 0 unowned
[  5323] w0 > write head 6 (emergency)
[  5325] w3 > apply epoch 6 (emergency)
[  5325] w0 > head 6 acked: 3 members, 0 pending, 0 unowned
[  5327] w0 > apply epoch 6 (emergency)
[  5327] w0 > app: takes 6 (epoch 6)
[  5327] w1 > apply epoch 6 (emergency)
[  5327] w1 > app: takes 7 (epoch 6)
