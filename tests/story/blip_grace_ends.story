# As before, but the worker never comes back: expired recovery_grace after the log took
# the leader's write again, not sooner and not later.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
hide follow
unplug w0
unplug w1
unplug w2
run 2000
plug w1
plug w2
run 20000
expect:
[  3000] w0 > link down
[  3000] w1 > link down
[  3000] w2 > link down
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3642] w1 > fenced at 3792: the lease was not renewed
[  3642] w2 > fenced at 3792: the lease was not renewed
[  3792] w0 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w1 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w2 > state Stable -> Degraded: fenced: the lease has ended
[  5000] w1 > link up
[  5000] w2 > link up
[  5294] w1 > app: takes 2 3 (epoch 2)
[  5294] w1 > state Degraded -> Stable
[  5294] w2 > app: takes 4 5 (epoch 2)
[  5294] w2 > state Degraded -> Stable
[ 20049] w2 > worker-0 expired
[ 20049] w2 > plan (emergency): 6 partitions, 2 workers
[ 20049] w2 > state Stable -> Emergency
[ 20053] w2 > write head 3 (emergency)
[ 20055] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[ 20055] w2 > state Emergency -> Stable
[ 20057] w1 > apply epoch 3 (emergency)
[ 20057] w1 > app: takes 0 (epoch 3)
[ 20057] w2 > apply epoch 3 (emergency)
[ 20057] w2 > app: takes 1 (epoch 3)
