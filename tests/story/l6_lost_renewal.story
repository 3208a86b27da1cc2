# L1, L6, I15: the answers to two renewals of the lease are lost, one after the other.
# Each is given up after 300 ms, found by reading the key, and counts from the time it was
# first sent: authority and leases never end.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
next lost
run 900
next lost
run 6000
expect:
