# W1, I16: a worker whose applied head is behind the beacon's gets no lease from it.  w0
# hears beacons but can read neither the head nor its record: it fences itself, and
# goes on as soon as it has caught up.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
show leases
only w0
delay 1
blind w0
join w3
run 2500
unblind w0
run 1000
expect:
[  3044] w0 > app: may hold until 4092
[  3098] w0 > state Stable -> Scaling
[  3574] w0 > state Scaling -> Rebalancing
[  3579] w0 > state Rebalancing -> Stable
[  3942] w0 > fenced at 4092: the lease was not renewed
[  4092] w0 > state Stable -> Degraded: fenced: the lease has ended
