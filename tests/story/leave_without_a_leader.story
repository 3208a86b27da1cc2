# Stopped when the leader has just died, and nobody else is there: it takes over after all
# who might stay, so that the log says that it has left.
set cold_start_window 500
partitions 4
workers 2
quiet
run 3000
tell
hide link
crash w1
run 100
stop w0
run 8000
expect:
[  3100] w0 > stop
[  3643] w0 > fenced at 3793: the lease was not renewed
[  3793] w0 > state Scaling -> Degraded: fenced: the lease has ended
[  4407] w0 > candidate
[  4413] w0 > won term 2
[  4416] w0 > leader worker-0, term 2
[  4418] w0 > app: takes 0 1 (epoch 2)
[  4418] w0 > state Degraded -> Stable
[  4421] w0 > loaded 4 partitions
[  5633] w0 > worker-0 wants to leave
[  5633] w0 > listed 4: 0 added, 0 removed, 0 reweighted
[  5633] w0 > plan (leave): 4 partitions, 1 workers
[  5633] w0 > state Stable -> Rebalancing
[  5635] w0 > worker-1 expired
[  5635] w0 > state Rebalancing -> Emergency
[  5637] w0 > write head 3 (leave)
[  5639] w0 > head 3 acked: 2 members, 2 pending, 0 unowned
[  5639] w0 > plan (emergency): 4 partitions, 0 workers
[  5641] w0 > apply epoch 3 (leave)
[  5641] w0 > app: must stop 0 1 (epoch 3)
[  5641] w0 > app: has stopped 0 1 (epoch 3)
[  5642] w0 > write head 4 (emergency)
[  5644] w0 > apply epoch 4 (emergency)
[  5644] w0 > head 4 acked: 2 members, 2 pending, 4 unowned
[  5646] w0 > write head 5 (refresh)
[  5648] w0 > apply epoch 5 (refresh)
[  5648] w0 > state Emergency -> Shutdown
[  5648] w0 > resign
