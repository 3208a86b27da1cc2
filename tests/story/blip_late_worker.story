# The server is away from everybody for two seconds, and one worker needs five more to be
# back.  recovery_grace begins when the log takes the leader's write again: the worker is
# waited for, takes up its old session, and nothing moves.
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
run 5000
plug w0
run 4000
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
[ 10000] w0 > link up
[ 10244] w0 > app: takes 0 1 (epoch 2)
[ 10244] w0 > state Degraded -> Stable
