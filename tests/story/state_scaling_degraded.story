# A worker hears nothing for a while when a window is open: Scaling to Degraded and back,
# and from Degraded to Shutdown when it is stopped and nobody counts on it any more.
set cold_start_window 1000
set planned_scale_window 6000
set min_rebalance_interval 500
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
join w3
run 1000
cut w0
run 1000
heal w0
run 500
cut w0
run 500
stop w0
run 1000
heal w0
run 500
expect:
[  3098] w0 > state Stable -> Scaling
[  4419] w0 > candidate
[  4566] w0 > fenced at 4716: the lease was not renewed
[  4716] w0 > state Scaling -> Degraded: fenced: the lease has ended
[  5108] w0 > follow: the leader lives
[  5258] w0 > app: takes 0 1 2 (epoch 3)
[  5258] w0 > state Degraded -> Scaling
[  5937] w0 > candidate
[  6000] w0 > stop
[  6066] w0 > fenced at 6216: the lease was not renewed
[  6216] w0 > state Scaling -> Degraded: fenced: the lease has ended
[  7086] w0 > follow: the leader lives
[  7108] w0 > session lost: the head has no such session any more
[  7108] w0 > state Degraded -> Shutdown
