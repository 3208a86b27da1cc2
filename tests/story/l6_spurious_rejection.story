# L6: a right condition is rejected (nats-server#7281).  "Read again", never "lost".
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
hide state
next spurious
run 1000
expect:
