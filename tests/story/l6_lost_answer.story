# L6, I15: the answer to the write of a head is lost.  The leader draws no conclusion
# from silence: it grants nothing until it has read, and found its head in the log.
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
[  4062] w0 > fenced at 4212: the lease was not renewed
[  4062] w1 > fenced at 4212: the lease was not renewed
[  4062] w2 > fenced at 4212: the lease was not renewed
[  4067] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
[  4218] w0 > app: takes 0 1 2 (epoch 3)
[  4218] w1 > app: takes 3 4 5 (epoch 3)
[  4218] w2 > app: takes 6 7 (epoch 3)
