# W2, L5: w0 hears no beacon any more.  It stops by its own clock; its partitions are
# granted elsewhere only when the last lease it may have has surely ended.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
cut w0
run 3000
expect:
[  3403] w0 > candidate
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3792] w0 > state Stable -> Degraded: fenced: the lease has ended
[  4115] w2 > worker-0 expired
[  4115] w2 > plan (emergency): 6 partitions, 2 workers
[  4115] w2 > state Stable -> Emergency
[  4119] w2 > write head 3 (emergency)
[  4121] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[  4121] w2 > state Emergency -> Stable
[  4123] w1 > apply epoch 3 (emergency)
[  4123] w1 > app: takes 0 (epoch 3)
[  4123] w2 > apply epoch 3 (emergency)
[  4123] w2 > app: takes 1 (epoch 3)
[  4828] w0 > follow: the log does not answer
[  5414] w0 > candidate
