# W1: a lease counts from the moment the worker sent the heartbeat, so a slow network
# only shortens it.  With 200 ms a message a heartbeat that leaves at T is answered by a
# bit that arrives up to 550 ms later, and is worth T + 1200 at most.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
delay 200
run 1000
show leases
only w0
run 700
expect:
[  4143] w0 > app: may hold until 4891
[  4443] w0 > app: may hold until 5191
