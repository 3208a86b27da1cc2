# The newcomer leaves before it has got what was meant for it: what is being given up
# goes back home, by a new grant after it has stopped.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
workers 3
quiet
run 3000
drain 2000
join w3
run 700
tell
hide state
stop w3
run 3000
expect:
[  3700] w3 > stop
[  3701] w2 > worker-3 wants to leave
[  3701] w2 > plan (leave): 8 partitions, 3 workers
[  3707] w2 > write head 5 (leave)
[  3709] w2 > apply epoch 5 (leave)
[  3709] w2 > head 5 acked: 4 members, 0 pending, 0 unowned
[  3711] w0 > apply epoch 5 (leave)
[  3711] w1 > apply epoch 5 (leave)
[  3711] w3 > apply epoch 5 (leave)
[  3712] w2 > write head 6 (release)
[  3714] w0 > apply epoch 6 (release)
[  3714] w1 > apply epoch 6 (release)
[  3714] w2 > apply epoch 6 (release)
[  3714] w3 > apply epoch 6 (release)
[  3714] w2 > head 6 acked: 4 members, 0 pending, 0 unowned
[  4931] w2 > worker-3 expired
[  4931] w2 > write head 7 (drop)
[  4933] w0 > apply epoch 7 (drop)
[  4933] w1 > apply epoch 7 (drop)
[  4933] w2 > apply epoch 7 (drop)
[  4933] w2 > head 7 acked: 3 members, 0 pending, 0 unowned
[  5577] w0 > app: has stopped 2 (epoch 4)
[  5577] w0 > app: takes 2 (epoch 7)
[  5577] w1 > app: has stopped 5 (epoch 4)
[  5577] w1 > app: takes 5 (epoch 7)
