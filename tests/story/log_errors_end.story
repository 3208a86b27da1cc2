# Errors of the log end degraded_exit after the last one, not with kv_error_window.  A
# worker that dies meanwhile was heard since the log took the leader's write again: its
# lease decides, not the leader's state.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
set kv_error_threshold 2
set degraded_exit 4000
partitions 6
workers 3
quiet
run 3000
tell
only w2
log down
run 2500
log up
run 1500
crash w0
run 6000
expect:
[  3642] w2 > fenced at 3792: the lease was not renewed
[  3792] w2 > state Stable -> Degraded: fenced: the lease has ended
[  5594] w2 > app: takes 4 5 (epoch 2)
[  8165] w2 > worker-0 expired
[  8165] w2 > plan (emergency): 6 partitions, 2 workers
[  8169] w2 > write head 3 (emergency)
[  8171] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[  8173] w2 > apply epoch 3 (emergency)
[  8173] w2 > app: takes 1 (epoch 3)
[  9516] w2 > state Degraded -> Stable
