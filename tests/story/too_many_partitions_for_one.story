# A worker with room for two partitions is given more.  It says so once and asks no more:
# what is too large stays too large.  When more workers share the list it goes on.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 9
room w3 partitions 2
workers 2
quiet
run 3000
join w3
run 400
tell
only w3
run 4000
join w4
join w5
run 3000
expect:
[  3577] w3 > state Scaling -> Rebalancing
[  3578] w3 > error 313: this worker's list of partitions is longer than it can take; the worker holds nothing until it is given less: start more workers
[  3582] w3 > state Rebalancing -> Stable
[  3583] w3 > error 313: this worker's list of partitions is longer than it can take; the worker holds nothing until it is given less: start more workers
[  4417] w3 > state Stable -> Degraded: fenced: the lease has ended
[  7507] w3 > error 313: this worker's list of partitions is longer than it can take; the worker holds nothing until it is given less: start more workers
[  8019] w3 > apply epoch 7 (scale)
[  8022] w3 > apply epoch 8 (release)
[  8023] w3 > app: takes 3 4 (epoch 8)
[  8023] w3 > state Degraded -> Stable
