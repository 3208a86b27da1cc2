# L2, L3: the leader dies.  The next in rank takes over with the next term; workers that
# live never stop, the dead one's partitions wait for the barrier and its last lease.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
crash w2
run 4000
expect:
[  3403] w0 > candidate
[  3409] w0 > won term 2
[  3412] w0 > leader worker-0, term 2
[  3412] w1 > leader worker-0, term 2
[  3419] w0 > loaded 6 partitions
[  4629] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  4631] w0 > worker-2 expired
[  4631] w0 > plan (emergency): 6 partitions, 2 workers
[  4631] w0 > state Stable -> Emergency
[  4635] w0 > write head 3 (emergency)
[  4637] w0 > head 3 acked: 2 members, 0 pending, 0 unowned
[  4637] w0 > state Emergency -> Stable
[  4639] w0 > apply epoch 3 (emergency)
[  4639] w0 > app: takes 4 (epoch 3)
[  4639] w1 > apply epoch 3 (emergency)
[  4639] w1 > app: takes 5 (epoch 3)
