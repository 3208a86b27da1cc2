# L9: the source cannot list when a new leader asks.  The last list stays in force; it
# is asked again.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
list fail
remove 5
crash w2
run 4000
list ok
run 2000
expect:
[  3403] w0 > candidate
[  3409] w0 > won term 2
[  3411] w0 > the source has no list
[  3412] w0 > leader worker-0, term 2
[  3412] w1 > leader worker-0, term 2
[  3419] w0 > loaded 6 partitions
[  4629] w0 > the source has no list
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
[  5629] w0 > the source has no list
[  6629] w0 > the source has no list
[  7629] w0 > listed 5: 0 added, 1 removed, 0 reweighted
[  7629] w0 > plan (refresh): 5 partitions, 2 workers
[  7629] w0 > state Stable -> Rebalancing
[  7631] w0 > write head 4 (refresh)
[  7633] w0 > apply epoch 4 (refresh)
[  7633] w0 > head 4 acked: 2 members, 0 pending, 0 unowned
[  7633] w0 > state Rebalancing -> Stable
[  7635] w1 > apply epoch 4 (refresh)
[  7635] w1 > app: must stop 5 (epoch 4)
[  7635] w1 > app: has stopped 5 (epoch 4)
[  7636] w0 > write head 5 (release)
[  7638] w0 > apply epoch 5 (release)
[  7638] w1 > apply epoch 5 (release)
[  7638] w0 > head 5 acked: 2 members, 0 pending, 0 unowned
[  7638] w0 > state Stable -> Rebalancing
[  7640] w0 > write head 6 (refresh)
[  7642] w0 > apply epoch 6 (refresh)
[  7642] w0 > head 6 acked: 2 members, 0 pending, 0 unowned
[  7642] w0 > state Rebalancing -> Stable
[  7644] w1 > apply epoch 6 (refresh)
