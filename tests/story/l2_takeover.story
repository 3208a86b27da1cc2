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
[  3398] w0 > candidate
[  3402] w0 > follow: there may be a leader
[  3510] w1 > candidate
[  3516] w1 > won term 2
[  3519] w0 > leader worker-1, term 2
[  3519] w1 > leader worker-1, term 2
[  3524] w1 > loaded 6 partitions
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3642] w1 > fenced at 3792: the lease was not renewed
[  3792] w0 > app: takes 0 1 (epoch 2)
[  3792] w1 > app: takes 2 3 (epoch 2)
[  4736] w1 > listed 6: 0 added, 0 removed, 0 reweighted
[  4738] w1 > worker-2 expired
[  4738] w1 > plan (emergency): 6 partitions, 2 workers
[  4738] w1 > state Stable -> Emergency
[  4742] w1 > write head 3 (emergency)
[  4744] w1 > head 3 acked: 2 members, 0 pending, 0 unowned
[  4744] w1 > state Emergency -> Stable
[  4746] w0 > apply epoch 3 (emergency)
[  4746] w0 > app: takes 4 (epoch 3)
[  4746] w1 > apply epoch 3 (emergency)
[  4746] w1 > app: takes 5 (epoch 3)
