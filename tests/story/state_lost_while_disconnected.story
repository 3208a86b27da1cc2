# ownership = available: a worker is unplugged for long while it is given up; back, it
# learns that while "disconnected" lingers.  ClaimingID to Degraded.
ownership available
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
set degraded_enter 500
set degraded_exit 300
partitions 8
workers 3
quiet
run 3000
tell
only w0
hide apply
hide write head
hide acked
hide join heard
unplug w0
run 3000
plug w0
run 1500
expect:
[  3000] w0 > link down
[  3500] w0 > state Stable -> Degraded: disconnected
[  6000] w0 > link up
[  6139] w0 > session lost: the head has no such session any more
[  6139] w0 > fenced at 6139: the head has no such session any more
[  6139] w0 > state Degraded -> ClaimingID
[  6139] w0 > state ClaimingID -> Degraded: disconnected
[  6162] w0 > id worker-0
[  6300] w0 > state Degraded -> Scaling
[  6671] w0 > state Scaling -> Rebalancing
[  6675] w0 > app: takes 5 7 (epoch 6)
[  6676] w0 > state Rebalancing -> Stable
