# L6: a right condition is rejected (nats-server#7281).  "Read again", never "lost": the
# write of the head that takes w3 in is rejected once, and comes through 50 ms later.
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
next spurious
run 500
expect:
[  3065] w2 > write head 3 (join)
[  3066] w3 > apply epoch 2 (cold_start)
[  3125] w0 > apply epoch 3 (join)
[  3125] w1 > apply epoch 3 (join)
[  3125] w2 > apply epoch 3 (join)
[  3125] w3 > apply epoch 3 (join)
[  3125] w3 > id worker-3
[  3125] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
