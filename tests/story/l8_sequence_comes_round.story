# L2, L8: a sequence alone is no fence for whom authority has left.  While w2, the leader,
# is away, the store of a while ago is put back; w0 takes over and writes until the log
# is just as long as w2 knew it.  Then w2 is back and would write on: the lease, which
# it reads first, is not its own.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
log keep
run 3100
tell
hide app
hide state
unplug w2
log back
run 2500
plug w2
run 600
expect:
[  6100] w2 > link down
[  6592] w0 > candidate
[  6598] w0 > won term 2
[  6601] w0 > leader worker-0, term 2
[  6601] w1 > leader worker-0, term 2
[  6608] w0 > loaded 6 partitions
[  6942] w2 > fenced at 7092: the lease was not renewed
[  7818] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  7820] w0 > worker-2 expired
[  7820] w0 > plan (emergency): 6 partitions, 2 workers
[  7824] w0 > write head 3 (emergency)
[  7826] w0 > head 3 acked: 2 members, 0 pending, 0 unowned
[  8600] w2 > link up
[  8643] w2 > follow: the log has another writer
[  8727] w2 > leader worker-0, term 2
[  8749] w2 > session lost: the head has no such session any more
[  8750] w0 > join heard from host
[  8770] w0 > write head 4 (join)
[  8772] w2 > id worker-2
[  8772] w0 > head 4 acked: 3 members, 0 pending, 0 unowned
