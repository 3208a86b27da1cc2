# The whole group is stopped at once: the leader sees the others off, then itself.
set cold_start_window 500
partitions 4
workers 3
quiet
run 3000
tell
hide link
stop w0
stop w1
stop w2
run 8000
expect:
[  3000] w0 > stop
[  3000] w1 > stop
[  3000] w2 > stop
[  3001] w2 > worker-0 wants to leave
[  3001] w2 > plan (leave): 4 partitions, 2 workers
[  3001] w2 > state Scaling -> Rebalancing
[  3001] w2 > worker-1 wants to leave
[  3001] w2 > worker-2 wants to leave
[  3001] w2 > the plan is out of date
[  3001] w2 > plan (leave): 4 partitions, 0 workers
[  3044] w0 > state Scaling -> Rebalancing
[  3044] w1 > state Scaling -> Rebalancing
[  3049] w2 > write head 3 (leave)
[  3051] w2 > head 3 acked: 3 members, 0 pending, 4 unowned
[  3051] w2 > state Rebalancing -> Stable
[  3052] w0 > state Rebalancing -> Stable
[  3052] w1 > state Rebalancing -> Stable
[  3053] w0 > apply epoch 3 (leave)
[  3053] w0 > app: must stop 0 1 (epoch 3)
[  3053] w1 > apply epoch 3 (leave)
[  3053] w1 > app: must stop 2 (epoch 3)
[  3053] w2 > apply epoch 3 (leave)
[  3053] w2 > app: must stop 3 (epoch 3)
[  3053] w0 > app: has stopped 0 1 (epoch 3)
[  3053] w1 > app: has stopped 2 (epoch 3)
[  3053] w2 > app: has stopped 3 (epoch 3)
[  3054] w2 > write head 4 (release)
[  3056] w0 > apply epoch 4 (release)
[  3056] w0 > state Stable -> Shutdown
[  3056] w1 > apply epoch 4 (release)
[  3056] w2 > apply epoch 4 (release)
[  3056] w2 > head 4 acked: 3 members, 0 pending, 4 unowned
[  3056] w2 > write head 5 (release)
[  3058] w1 > apply epoch 5 (release)
[  3058] w1 > state Stable -> Shutdown
[  3058] w2 > apply epoch 5 (release)
[  3058] w2 > state Stable -> Shutdown
[  3058] w2 > resign
