# L6, I15: the write of a head takes longer than anybody waits for it.  Written again
# with the same condition only one of the two counts, and the leader finds that it has.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
join w3
run 55
tell
hide state
next late
run 4000
expect:
[  3065] w2 > write head 3 (join)
[  3066] w3 > apply epoch 2 (cold_start)
[  4062] w0 > fenced at 4212: the lease was not renewed
[  4062] w1 > fenced at 4212: the lease was not renewed
[  4062] w2 > fenced at 4212: the lease was not renewed
[  4119] w0 > apply epoch 3 (join)
[  4119] w1 > apply epoch 3 (join)
[  4119] w2 > apply epoch 3 (join)
[  4119] w3 > apply epoch 3 (join)
[  4119] w3 > id worker-3
[  4119] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
[  4270] w0 > app: takes 0 1 2 (epoch 3)
[  4270] w1 > app: takes 3 4 5 (epoch 3)
[  4270] w2 > app: takes 6 7 (epoch 3)
[  4619] w2 > plan (scale): 8 partitions, 4 workers
[  4625] w2 > write head 4 (scale)
[  4627] w2 > apply epoch 4 (scale)
[  4627] w2 > head 4 acked: 4 members, 2 pending, 0 unowned
[  4629] w0 > apply epoch 4 (scale)
[  4629] w0 > app: must stop 2 (epoch 4)
[  4629] w1 > apply epoch 4 (scale)
[  4629] w1 > app: must stop 5 (epoch 4)
[  4629] w3 > apply epoch 4 (scale)
[  4629] w0 > app: has stopped 2 (epoch 4)
[  4629] w1 > app: has stopped 5 (epoch 4)
[  4630] w2 > write head 5 (release)
[  4632] w0 > apply epoch 5 (release)
[  4632] w1 > apply epoch 5 (release)
[  4632] w2 > apply epoch 5 (release)
[  4632] w3 > apply epoch 5 (release)
[  4632] w3 > app: takes 2 5 (epoch 5)
[  4632] w2 > head 5 acked: 4 members, 0 pending, 0 unowned
