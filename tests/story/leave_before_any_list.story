# A source that never answers keeps nobody from leaving: there is nothing to plan first,
# so the word "draining" does not wait for a plan.
set cold_start_window 500
list fail
partitions 4
workers 2
quiet
run 2000
tell
hide link
hide the source has no list
stop w0
run 500
stop w1
run 500
expect:
[  2000] w0 > stop
[  2001] w1 > worker-0 wants to leave
[  2001] w1 > write head 2 (leave)
[  2003] w0 > apply epoch 2 (leave)
[  2003] w0 > state Stable -> Shutdown
[  2003] w1 > apply epoch 2 (leave)
[  2003] w1 > head 2 acked: 2 members, 0 pending, 0 unowned
[  2500] w1 > stop
[  2501] w1 > worker-1 wants to leave
[  2501] w1 > write head 3 (leave)
[  2503] w1 > apply epoch 3 (leave)
[  2503] w1 > state Stable -> Shutdown
[  2503] w1 > resign
