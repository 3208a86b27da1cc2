# The target of a move dies while the old owners still stop: the moves are aimed
# elsewhere, and still wait for the first owners.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
drain 4000
join w3
join w4
run 700
tell
hide state
crash w3
run 5000
expect:
[  4799] w2 > worker-3 expired
[  4799] w2 > plan (emergency): 8 partitions, 4 workers
[  4801] w2 > write head 5 (emergency)
[  4803] w0 > apply epoch 5 (emergency)
[  4803] w1 > apply epoch 5 (emergency)
[  4803] w2 > apply epoch 5 (emergency)
[  4803] w2 > head 5 acked: 4 members, 2 pending, 0 unowned
[  4805] w4 > apply epoch 5 (emergency)
[  7579] w0 > app: has stopped 2 (epoch 4)
[  7579] w1 > app: has stopped 5 (epoch 4)
[  7580] w2 > write head 6 (release)
[  7582] w0 > apply epoch 6 (release)
[  7582] w1 > apply epoch 6 (release)
[  7582] w2 > apply epoch 6 (release)
[  7582] w4 > apply epoch 6 (release)
[  7582] w4 > app: takes 2 5 (epoch 6)
[  7582] w2 > head 6 acked: 4 members, 0 pending, 0 unowned
