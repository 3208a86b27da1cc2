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
[  3419] w0 > apply epoch 3 (join)
[  3419] w1 > apply epoch 3 (join)
[  3419] w2 > apply epoch 3 (join)
[  3419] w3 > apply epoch 3 (join)
[  3419] w3 > id worker-3
[  3419] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
[  3919] w2 > plan (scale): 8 partitions, 4 workers
[  3925] w2 > write head 4 (scale)
[  3927] w2 > apply epoch 4 (scale)
[  3927] w2 > head 4 acked: 4 members, 2 pending, 0 unowned
[  3929] w0 > apply epoch 4 (scale)
[  3929] w0 > app: must stop 2 (epoch 4)
[  3929] w1 > apply epoch 4 (scale)
[  3929] w1 > app: must stop 5 (epoch 4)
[  3929] w3 > apply epoch 4 (scale)
[  3929] w0 > app: has stopped 2 (epoch 4)
[  3929] w1 > app: has stopped 5 (epoch 4)
[  3930] w2 > write head 5 (release)
[  3932] w0 > apply epoch 5 (release)
[  3932] w1 > apply epoch 5 (release)
[  3932] w2 > apply epoch 5 (release)
[  3932] w3 > apply epoch 5 (release)
[  3932] w3 > app: takes 2 5 (epoch 5)
[  3932] w2 > head 5 acked: 4 members, 0 pending, 0 unowned
