# W6, I3: each new owner of a partition has a later token, the epoch of its grant; an
# owner that keeps it keeps its token.  Partition 0 goes from w0 to another and back.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
hide state
hide head
hide plan
stop w0
run 1000
join w0
run 2000
expect:
[  3000] w0 > stop
[  3001] w2 > worker-0 wants to leave
[  3011] w0 > apply epoch 3 (leave)
[  3011] w0 > app: must stop 0 1 (epoch 3)
[  3011] w1 > apply epoch 3 (leave)
[  3011] w2 > apply epoch 3 (leave)
[  3011] w0 > app: has stopped 0 1 (epoch 3)
[  3014] w0 > apply epoch 4 (release)
[  3014] w1 > apply epoch 4 (release)
[  3014] w1 > app: takes 0 (epoch 4)
[  3014] w2 > apply epoch 4 (release)
[  3014] w2 > app: takes 1 (epoch 4)
[  4001] w0 > link up
[  4030] w0 > candidate
[  4034] w0 > follow: there may be a leader
[  4065] w0 > leader worker-2, term 1
[  4066] w2 > join heard from host
[  4087] w0 > apply epoch 4 (release)
[  4231] w2 > worker-0 expired, back as a new session
[  4233] w0 > apply epoch 5 (join)
[  4233] w0 > id worker-0
[  4233] w1 > apply epoch 5 (join)
[  4233] w2 > apply epoch 5 (join)
[  4743] w0 > apply epoch 6 (scale)
[  4743] w1 > apply epoch 6 (scale)
[  4743] w1 > app: must stop 3 (epoch 6)
[  4743] w2 > apply epoch 6 (scale)
[  4743] w2 > app: must stop 5 (epoch 6)
[  4743] w1 > app: has stopped 3 (epoch 6)
[  4743] w2 > app: has stopped 5 (epoch 6)
[  4746] w0 > apply epoch 7 (release)
[  4746] w0 > app: takes 3 5 (epoch 7)
[  4746] w1 > apply epoch 7 (release)
[  4746] w2 > apply epoch 7 (release)
