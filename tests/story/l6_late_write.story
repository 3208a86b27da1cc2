# L6, I15: a write takes longer than anybody waits for it.  Written again with the same
# condition only one of the two counts, and the leader finds that it has won.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
hide state
next late
run 4000
expect:
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3642] w1 > fenced at 3792: the lease was not renewed
[  3642] w2 > fenced at 3792: the lease was not renewed
[  4244] w0 > app: takes 0 1 (epoch 2)
[  4244] w1 > app: takes 2 3 (epoch 2)
[  4244] w2 > app: takes 4 5 (epoch 2)
