# The server is away from everybody for half a second and the leader keeps its term.  Its
# failed writes are no errors of the log, nobody is Degraded.  Three seconds later a
# worker dies: it has been heard since, so it gets no recovery_grace, its partitions are
# held elsewhere as soon as its lease has ended.
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
run 500
plug w0
plug w1
plug w2
run 3000
crash w0
run 4000
expect:
[  3000] w0 > link down
[  3000] w1 > link down
[  3000] w2 > link down
[  3500] w0 > link up
[  3500] w1 > link up
[  3500] w2 > link up
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3642] w1 > fenced at 3792: the lease was not renewed
[  3642] w2 > fenced at 3792: the lease was not renewed
[  3792] w0 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w1 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w2 > state Stable -> Degraded: fenced: the lease has ended
[  3794] w0 > app: takes 0 1 (epoch 2)
[  3794] w0 > state Degraded -> Stable
[  3794] w1 > app: takes 2 3 (epoch 2)
[  3794] w1 > state Degraded -> Stable
[  3794] w2 > app: takes 4 5 (epoch 2)
[  3794] w2 > state Degraded -> Stable
[  7715] w2 > worker-0 expired
[  7715] w2 > plan (emergency): 6 partitions, 2 workers
[  7715] w2 > state Stable -> Emergency
[  7719] w2 > write head 3 (emergency)
[  7721] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[  7721] w2 > state Emergency -> Stable
[  7723] w1 > apply epoch 3 (emergency)
[  7723] w1 > app: takes 0 (epoch 3)
[  7723] w2 > apply epoch 3 (emergency)
[  7723] w2 > app: takes 1 (epoch 3)
