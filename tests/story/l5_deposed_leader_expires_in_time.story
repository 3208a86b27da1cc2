# L5, W4: a leader is paused, deposed, and back as an ordinary worker.  That it woke up
# without authority was no outage for anybody else: when it leads again soon after, the
# next loss is dealt with as soon as the lease has ended.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 2
quiet
run 3000
tell
hide app
hide state
hide acked
hide write
pause w1 4000
run 6000
crash w0
run 4000
expect:
[  3407] w0 > candidate
[  3413] w0 > won term 2
[  3416] w0 > leader worker-0, term 2
[  3421] w0 > loaded 6 partitions
[  4633] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  4635] w0 > worker-1 expired
[  4635] w0 > plan (emergency): 6 partitions, 1 workers
[  7000] w1 > fenced at 3793: the lease was not renewed
[  7000] w1 > leader worker-0, term 2
[  7000] w1 > follow: a higher term is heard
[  7000] w1 > session lost: the head has no such session any more
[  7001] w0 > join heard from host
[  7023] w1 > id worker-1
[  7523] w0 > plan (scale): 6 partitions, 2 workers
[  9525] w1 > candidate
[  9531] w1 > won term 3
[  9534] w1 > leader worker-1, term 3
[  9539] w1 > loaded 6 partitions
[ 10751] w1 > listed 6: 0 added, 0 removed, 0 reweighted
[ 10753] w1 > worker-0 expired
[ 10753] w1 > plan (emergency): 6 partitions, 1 workers
