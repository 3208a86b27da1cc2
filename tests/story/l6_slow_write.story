# L6: the write of a head takes 600 ms.  Tried again meanwhile it is rejected at once, and
# every read shows the log as it was before (nats-server 2.15).  Nobody is deposed by that:
# the leader waits until it finds its write, and leads on.
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
next slow
run 700
expect:
[  3065] w2 > write head 3 (join)
[  3066] w3 > apply epoch 2 (cold_start)
[  3667] w0 > apply epoch 3 (join)
[  3667] w1 > apply epoch 3 (join)
[  3667] w2 > apply epoch 3 (join)
[  3667] w3 > apply epoch 3 (join)
[  3667] w3 > id worker-3
[  3713] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
