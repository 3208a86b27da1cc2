# A worker dies while others still stop: Rebalancing to Emergency, which lasts until all
# that was lost is held again; meanwhile one is cut off for a moment (Emergency to
# Degraded and back), and one leaves (Emergency to Shutdown).
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
drain 6000
join w3
join w4
join w5
run 800
tell
hide apply
hide write head
hide acked
hide join heard
crash w4
run 1700
drain 10
cut w1
run 1000
heal w1
run 500
stop w5
run 5000
expect:
[  4953] w2 > worker-4 expired
[  4953] w2 > plan (emergency): 8 partitions, 5 workers
[  4953] w2 > state Rebalancing -> Emergency
[  4958] w0 > state Rebalancing -> Emergency
[  4958] w1 > state Rebalancing -> Emergency
[  4958] w3 > state Rebalancing -> Emergency
[  4958] w5 > state Rebalancing -> Emergency
[  5954] w1 > candidate
[  6156] w1 > fenced at 6306: the lease was not renewed
[  6306] w1 > state Emergency -> Degraded: fenced: the lease has ended
[  6608] w1 > follow: the leader lives
[  6636] w2 > app: takes 5 (epoch 6)
[  6637] w1 > app: takes 3 4 (epoch 6)
[  6637] w1 > state Degraded -> Emergency
[  7000] w5 > stop
[  7001] w2 > worker-5 wants to leave
[  7001] w2 > plan (leave): 8 partitions, 4 workers
[  7012] w5 > state Emergency -> Shutdown
[  8229] w2 > worker-5 expired
[  9583] w0 > app: has stopped 2 (epoch 4)
[  9583] w2 > app: has stopped 7 (epoch 4)
[  9586] w3 > app: takes 2 7 (epoch 10)
[  9586] w2 > state Emergency -> Stable
[  9587] w0 > state Emergency -> Stable
[  9587] w1 > state Emergency -> Stable
[  9587] w3 > state Emergency -> Stable
