# A refresh asks the source again; it bypasses the rate limit.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 20000
partitions 6
workers 3
quiet
run 30000
tell
refresh w2
run 100
add 6 7
run 1000
expect:
[ 30000] w2 > listed 6: 0 added, 0 removed, 0 reweighted
[ 30100] w2 > listed 8: 2 added, 0 removed, 0 reweighted
