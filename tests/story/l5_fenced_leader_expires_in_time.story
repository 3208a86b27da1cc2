# L5: the leader dies while the log is away, and everybody is fenced before there is a new
# one.  The new leader has just come out of Degraded itself; that it was fenced tells
# nothing about others, so it waits for the barrier and the lease, no recovery_grace.
# It wins at 5420 and expires at 6642, not 15 s later.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
log down
crash w2
run 2000
log up
run 20000
expect:
[  3403] w0 > candidate
[  3460] w1 > candidate
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3642] w1 > fenced at 3792: the lease was not renewed
[  3792] w0 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w1 > state Stable -> Degraded: fenced: the lease has ended
[  4828] w0 > follow: the log does not answer
[  4885] w1 > follow: the log does not answer
[  5414] w0 > candidate
[  5420] w0 > won term 2
[  5423] w0 > leader worker-0, term 2
[  5423] w1 > leader worker-0, term 2
[  5425] w0 > app: takes 0 1 (epoch 2)
[  5425] w0 > state Degraded -> Stable
[  5425] w1 > app: takes 2 3 (epoch 2)
[  5425] w1 > state Degraded -> Stable
[  5430] w0 > loaded 6 partitions
[  6640] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  6642] w0 > worker-2 expired
[  6642] w0 > plan (emergency): 6 partitions, 2 workers
[  6642] w0 > state Stable -> Emergency
[  6646] w0 > write head 3 (emergency)
[  6648] w0 > head 3 acked: 2 members, 0 pending, 0 unowned
[  6648] w0 > state Emergency -> Stable
[  6650] w0 > apply epoch 3 (emergency)
[  6650] w0 > app: takes 4 (epoch 3)
[  6650] w1 > apply epoch 3 (emergency)
[  6650] w1 > app: takes 5 (epoch 3)
