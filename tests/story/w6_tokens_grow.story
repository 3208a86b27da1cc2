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
[  3003] w0 > apply epoch 3 (leave)
[  3003] w1 > apply epoch 3 (leave)
[  3003] w2 > apply epoch 3 (leave)
[  3013] w0 > apply epoch 4 (leave)
[  3013] w0 > app: must stop 0 1 (epoch 4)
[  3013] w1 > apply epoch 4 (leave)
[  3013] w2 > apply epoch 4 (leave)
[  3013] w0 > app: has stopped 0 1 (epoch 4)
[  3016] w0 > apply epoch 5 (release)
[  3016] w1 > apply epoch 5 (release)
[  3016] w1 > app: takes 0 (epoch 5)
[  3016] w2 > apply epoch 5 (release)
[  3016] w2 > app: takes 1 (epoch 5)
[  4001] w0 > link up
[  4030] w0 > candidate
[  4034] w0 > follow: there may be a leader
[  4067] w0 > leader worker-2, term 1
[  4068] w2 > join heard from host
[  4089] w0 > apply epoch 5 (release)
[  4233] w2 > worker-0 expired, back as a new session
[  4235] w0 > apply epoch 6 (join)
[  4235] w0 > id worker-0
[  4235] w1 > apply epoch 6 (join)
[  4235] w2 > apply epoch 6 (join)
[  4745] w0 > apply epoch 7 (scale)
[  4745] w1 > apply epoch 7 (scale)
[  4745] w1 > app: must stop 3 (epoch 7)
[  4745] w2 > apply epoch 7 (scale)
[  4745] w2 > app: must stop 5 (epoch 7)
[  4745] w1 > app: has stopped 3 (epoch 7)
[  4745] w2 > app: has stopped 5 (epoch 7)
[  4748] w0 > apply epoch 8 (release)
[  4748] w0 > app: takes 3 5 (epoch 8)
[  4748] w1 > apply epoch 8 (release)
[  4748] w2 > apply epoch 8 (release)
