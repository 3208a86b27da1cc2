# L4: w0 and w1 give one partition each to w3; w0 takes its time.  What w1 has released
# is granted without waiting for w0.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
drain w0 1000
drain w1 10
join w3
run 500
tell
hide state
run 2000
expect:
[  3567] w2 > plan (scale): 8 partitions, 4 workers
[  3573] w2 > write head 4 (scale)
[  3575] w2 > apply epoch 4 (scale)
[  3575] w2 > head 4 acked: 4 members, 2 pending, 0 unowned
[  3577] w0 > apply epoch 4 (scale)
[  3577] w0 > app: must stop 2 (epoch 4)
[  3577] w1 > apply epoch 4 (scale)
[  3577] w1 > app: must stop 5 (epoch 4)
[  3577] w3 > apply epoch 4 (scale)
[  3587] w1 > app: has stopped 5 (epoch 4)
[  3613] w2 > write head 5 (release)
[  3615] w0 > apply epoch 5 (release)
[  3615] w1 > apply epoch 5 (release)
[  3615] w2 > apply epoch 5 (release)
[  3615] w3 > apply epoch 5 (release)
[  3615] w3 > app: takes 5 (epoch 5)
[  3615] w2 > head 5 acked: 4 members, 1 pending, 0 unowned
[  4577] w0 > app: has stopped 2 (epoch 4)
[  4578] w2 > write head 6 (release)
[  4580] w0 > apply epoch 6 (release)
[  4580] w1 > apply epoch 6 (release)
[  4580] w2 > apply epoch 6 (release)
[  4580] w3 > apply epoch 6 (release)
[  4580] w3 > app: takes 2 (epoch 6)
[  4580] w2 > head 6 acked: 4 members, 0 pending, 0 unowned
