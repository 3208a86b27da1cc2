# L2: the leader dies, and the lease of the next in rank takes 600 ms to be stored.  Tried
# again meanwhile it is rejected, and the dead leader's lease is read: no other has won,
# so the candidate waits, and wins with its first try.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
crash w2
run 402
next slow
run 800
expect:
[  3403] w0 > candidate
[  3460] w1 > candidate
[  3582] w1 > follow: the log has another writer
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3642] w1 > fenced at 3792: the lease was not renewed
[  3792] w0 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w1 > state Stable -> Degraded: fenced: the lease has ended
[  4043] w0 > won term 2
[  4046] w0 > leader worker-0, term 2
[  4046] w1 > leader worker-0, term 2
[  4048] w0 > app: takes 0 1 (epoch 2)
[  4048] w0 > state Degraded -> Stable
[  4048] w1 > app: takes 2 3 (epoch 2)
[  4048] w1 > state Degraded -> Stable
[  4053] w0 > loaded 6 partitions
