# L6, I15: the answer to the write of a head is lost.  The leader draws no conclusion
# from silence: it grants nothing until it has read, and found its head in the log.  That
# is soon enough: nobody is fenced.
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
next lost
run 1500
expect:
[  3065] w2 > write head 3 (join)
[  3066] w3 > apply epoch 2 (cold_start)
[  3067] w0 > apply epoch 3 (join)
[  3067] w1 > apply epoch 3 (join)
[  3067] w2 > apply epoch 3 (join)
[  3067] w3 > apply epoch 3 (join)
[  3067] w3 > id worker-3
[  3369] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
[  3869] w2 > plan (scale): 8 partitions, 4 workers
[  3875] w2 > write head 4 (scale)
[  3877] w2 > apply epoch 4 (scale)
[  3877] w2 > head 4 acked: 4 members, 2 pending, 0 unowned
[  3879] w0 > apply epoch 4 (scale)
[  3879] w0 > app: must stop 2 (epoch 4)
[  3879] w1 > apply epoch 4 (scale)
[  3879] w1 > app: must stop 5 (epoch 4)
[  3879] w3 > apply epoch 4 (scale)
[  3879] w0 > app: has stopped 2 (epoch 4)
[  3879] w1 > app: has stopped 5 (epoch 4)
[  3880] w2 > write head 5 (release)
[  3882] w0 > apply epoch 5 (release)
[  3882] w1 > apply epoch 5 (release)
[  3882] w2 > apply epoch 5 (release)
[  3882] w3 > apply epoch 5 (release)
[  3882] w3 > app: takes 2 5 (epoch 5)
[  3882] w2 > head 5 acked: 4 members, 0 pending, 0 unowned
