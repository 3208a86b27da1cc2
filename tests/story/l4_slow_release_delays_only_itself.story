# L4: w0 and w1 give something up for w3; w0 takes its time.  What w1 has released is
# granted without waiting for w0.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
partitions 9
run 2000
drain w0 1000
drain w1 10
drain w2 10
join w3
hide state
run 3000
expect:
[  3000] w2 > listed 9: 3 added, 0 removed, 0 reweighted
[  3000] w2 > plan (refresh): 9 partitions, 3 workers
[  3000] w2 > state Stable -> Rebalancing
[  3006] w2 > write head 3 (refresh)
[  3008] w2 > head 3 acked: 3 members, 0 pending, 0 unowned
[  3008] w2 > state Rebalancing -> Stable
[  3010] w0 > apply epoch 3 (refresh)
[  3010] w0 > app: takes 6 (epoch 3)
[  3010] w1 > apply epoch 3 (refresh)
[  3010] w1 > app: takes 7 (epoch 3)
[  3010] w2 > apply epoch 3 (refresh)
[  3010] w2 > app: takes 8 (epoch 3)
[  5001] w3 > link up
[  5030] w3 > candidate
[  5034] w3 > follow: there may be a leader
[  5109] w3 > leader worker-2, term 1
[  5110] w2 > join heard from host
[  5130] w2 > write head 4 (join)
[  5131] w3 > apply epoch 3 (refresh)
[  5132] w0 > apply epoch 4 (join)
[  5132] w1 > apply epoch 4 (join)
[  5132] w2 > apply epoch 4 (join)
[  5132] w3 > apply epoch 4 (join)
[  5132] w3 > id worker-3
[  5132] w2 > head 4 acked: 4 members, 0 pending, 0 unowned
[  5632] w2 > plan (scale): 9 partitions, 4 workers
[  5638] w2 > write head 5 (scale)
[  5640] w0 > apply epoch 5 (scale)
[  5640] w2 > head 5 acked: 4 members, 2 pending, 0 unowned
[  5642] w1 > apply epoch 5 (scale)
[  5642] w1 > app: must stop 7 (epoch 5)
[  5642] w2 > apply epoch 5 (scale)
[  5642] w2 > app: must stop 8 (epoch 5)
[  5642] w3 > apply epoch 5 (scale)
[  5652] w1 > app: has stopped 7 (epoch 5)
[  5652] w2 > app: has stopped 8 (epoch 5)
[  5653] w2 > write head 6 (release)
[  5655] w0 > apply epoch 6 (release)
[  5655] w1 > apply epoch 6 (release)
[  5655] w2 > apply epoch 6 (release)
[  5655] w3 > apply epoch 6 (release)
[  5655] w3 > app: takes 7 8 (epoch 6)
[  5655] w2 > head 6 acked: 4 members, 0 pending, 0 unowned
