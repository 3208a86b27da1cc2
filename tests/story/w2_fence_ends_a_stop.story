# W2: a stop that is under way ends with the lease, and a later bit never brings back
# what was being given up: w0 takes long to stop what w3 is to get, and is cut off
# meanwhile for less than it takes to be given up.  What it keeps it gets by new grants,
# what it was stopping it does not.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
drain w0 3000
join w3
run 650
tell
only w0 w3
cut w0
run 950
heal w0
run 3000
expect:
[  4146] w0 > candidate
[  4624] w0 > fenced at 4774: the lease was not renewed
[  4656] w0 > follow: the leader lives
[  4774] w0 > state Rebalancing -> Degraded: fenced: the lease has ended
[  4806] w0 > app: takes 0 1 (epoch 5)
[  4806] w0 > state Degraded -> Rebalancing
[  4809] w0 > apply epoch 6 (release)
[  4809] w3 > apply epoch 6 (release)
[  4809] w3 > app: takes 2 (epoch 6)
[  4810] w0 > state Rebalancing -> Stable
[  4810] w3 > state Rebalancing -> Stable
