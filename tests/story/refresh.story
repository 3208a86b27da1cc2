# A refresh asks the source again, and what it finds is planned at once: it bypasses the
# rate limit, which the list that came by itself just before still waits for.
set cold_start_window 1000
set min_rebalance_interval 20000
partitions 6
workers 3
quiet
run 30000
tell
add 6
run 100
add 7
run 100
refresh w2
run 1000
expect:
[ 30000] w2 > listed 7: 1 added, 0 removed, 0 reweighted
[ 30100] w2 > listed 8: 1 added, 0 removed, 0 reweighted
[ 30200] w2 > listed 8: 0 added, 0 removed, 0 reweighted
[ 30200] w2 > plan (refresh): 8 partitions, 3 workers
[ 30200] w2 > state Stable -> Rebalancing
[ 30204] w2 > write head 3 (refresh)
[ 30206] w2 > apply epoch 3 (refresh)
[ 30206] w2 > head 3 acked: 3 members, 0 pending, 0 unowned
[ 30206] w2 > state Rebalancing -> Stable
[ 30208] w0 > apply epoch 3 (refresh)
[ 30208] w0 > app: takes 6 (epoch 3)
[ 30208] w1 > apply epoch 3 (refresh)
[ 30208] w1 > app: takes 7 (epoch 3)
